//! The outline of a template: the names that it reads, the blocks around them, and the arguments of partials.
//!
//! It is taken before the template is instrumented.

use handlebars::template::{BlockParam, DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, PathSeg, Template};
use serde_json::Value as Json;

use super::forms::{place_of, place_of_else_if};
use super::helpers;
use super::limits::MAX_BLOCKS;
use super::tags::TagPlace;
use sealwave_core::document::SourceId;

/// A step of a template that reads something, in order.
#[derive(Debug)]
pub(super) enum OutlineStep {
    Block(OutlineBlock),
    /// A partial that is defined in the template.
    Inline(String, Vec<Self>),
    Partial(PartialCall),
    Read(NameRead),
}

/// A read of a name.
#[derive(Debug)]
pub(super) struct NameRead {
    pub(super) name: TemplateName,
    pub(super) mode: ReadMode,
    /// The template.
    pub(super) source: SourceId,
    /// The tag.
    pub(super) at: TagPlace,
}

/// The way in which a name is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadMode {
    /// The whole value, which must be defined.
    Strict,
    /// The whole value; the template continues if it is undefined.
    Lenient,
    /// Only its existence, or it is passed on; the template continues if it is undefined.
    Inspected,
}

/// An `each` or `with` block.
#[derive(Debug)]
pub(super) struct OutlineBlock {
    pub(super) subject: ContextArgument,
    pub(super) is_each: bool,
    /// The names of the block's item and key.
    pub(super) names: [Option<String>; 2],
    pub(super) body: Vec<OutlineStep>,
    pub(super) otherwise: Vec<OutlineStep>,
}

/// A call of a partial.
#[derive(Debug)]
pub(super) struct PartialCall {
    /// `None` if the name is known only at run time.
    pub(super) name: Option<String>,
    /// `None` if the partial gets the current context.
    pub(super) context: Option<ContextArgument>,
    pub(super) fields: Vec<(String, ContextArgument)>,
}

/// The context argument of a block or a partial.
#[derive(Debug)]
pub(super) enum ContextArgument {
    Name(TemplateName),
    /// The result of a helper, or a literal.
    Other,
}

/// A name as written.
#[derive(Clone, Debug)]
pub(super) struct TemplateName {
    pub(super) raw: String,
    pub(super) anchor: NameAnchor,
    pub(super) parts: Vec<String>,
}

/// The start of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameAnchor {
    /// `@key` and similar: not part of the values.
    Local,
    Root,
    /// This number of blocks up.
    Up(usize),
}

/// Returns the outline of a template.
pub(super) fn outline(template: &Template, source: SourceId) -> Vec<OutlineStep> {
    let mut reader = OutlineReader { source, at: TagPlace::Unknown };
    reader.template(template, TagPlace::Unknown, 0)
}

impl TemplateName {
    fn new(param: &Parameter) -> Option<Self> {
        let raw = param.as_name()?.to_owned();
        let Parameter::Path(path) = param else { return None };
        let Path::Relative((segments, _)) = path else {
            return Some(Self { raw, anchor: NameAnchor::Local, parts: Vec::new() });
        };
        let below = raw.strip_prefix("./").or_else(|| raw.strip_prefix("this.")).unwrap_or(&raw);
        let is_root = below.starts_with("@root");
        let up = segments.iter().take_while(|segment| !matches!(segment, PathSeg::Named(_))).count();
        let name_of = |segment: &PathSeg| match segment {
            PathSeg::Named(name) => Some(name.clone()),
            _ => None,
        };
        let parts = segments.iter().filter_map(name_of).collect();
        Some(Self { raw, anchor: if is_root { NameAnchor::Root } else { NameAnchor::Up(up) }, parts })
    }
}

struct OutlineReader {
    source: SourceId,
    /// The current tag.
    at: TagPlace,
}

impl OutlineReader {
    fn template(&mut self, template: &Template, whole: TagPlace, depth: usize) -> Vec<OutlineStep> {
        let mut steps = Vec::new();
        if depth > MAX_BLOCKS {
            return steps;
        }
        for (index, element) in template.elements.iter().enumerate() {
            self.at = place_of(template, index, whole);
            match element {
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                    self.tag(call, &mut steps);
                }
                TemplateElement::HelperBlock(block) => self.block(block, depth, &mut steps),
                TemplateElement::PartialExpression(partial) => self.partial(partial, &mut steps),
                TemplateElement::DecoratorBlock(decorator) => self.inline(decorator, depth, &mut steps),
                _ => {}
            }
        }
        steps
    }

    /// Reads the expression that a tag prints: a value, or the result of a call.
    fn tag(&self, call: &HelperTemplate, steps: &mut Vec<OutlineStep>) {
        let is_value = call.params.is_empty()
            && call.hash.is_empty()
            && !call.name.as_name().is_some_and(helpers::is_helper);
        if is_value {
            self.argument(&call.name, ReadMode::Strict, steps);
        } else {
            self.call(call, steps);
        }
    }

    fn call(&self, call: &HelperTemplate, steps: &mut Vec<OutlineStep>) {
        let is_lenient = call.name.as_name().is_some_and(helpers::is_lenient);
        let manner = if is_lenient { ReadMode::Lenient } else { ReadMode::Strict };
        for argument in &call.params {
            self.argument(argument, manner, steps);
        }
    }

    fn argument(
        &self,
        argument: &Parameter,
        manner: ReadMode,
        steps: &mut Vec<OutlineStep>,
    ) -> ContextArgument {
        if let Parameter::Subexpression(call) = argument {
            if let TemplateElement::Expression(call) = call.as_element() {
                self.call(call, steps);
            }
            return ContextArgument::Other;
        }
        let Some(name) = TemplateName::new(argument) else { return ContextArgument::Other };
        steps.push(OutlineStep::Read(NameRead {
            name: name.clone(),
            mode: manner,
            source: self.source,
            at: self.at,
        }));
        ContextArgument::Name(name)
    }

    fn block(&mut self, block: &HelperTemplate, depth: usize, steps: &mut Vec<OutlineStep>) {
        let place = self.at;
        let subject =
            block.params.first().map(|argument| self.argument(argument, ReadMode::Inspected, steps));
        let body = block.template.as_ref();
        let body = body.map(|body| self.template(body, TagPlace::Unknown, depth + 1)).unwrap_or_default();
        let otherwise = block.inverse.as_ref();
        let otherwise = otherwise
            .map(|otherwise| self.template(otherwise, place_of_else_if(place, otherwise), depth + 1))
            .unwrap_or_default();
        match (block.name.as_name(), subject) {
            (Some(name @ ("each" | "with")), Some(subject)) => {
                let is_each = name == "each";
                let names = names(block.block_param.as_ref());
                steps.push(OutlineStep::Block(OutlineBlock { subject, is_each, names, body, otherwise }));
            }
            _ => steps.extend(body.into_iter().chain(otherwise)),
        }
    }

    fn partial(&self, partial: &DecoratorTemplate, steps: &mut Vec<OutlineStep>) {
        let name = match &partial.name {
            Parameter::Subexpression(_) => {
                self.argument(&partial.name, ReadMode::Strict, steps);
                None
            }
            name => name.as_name().map(str::to_owned),
        };
        let context =
            partial.params.first().map(|context| self.argument(context, ReadMode::Inspected, steps));
        let mut given: Vec<(&String, &Parameter)> = partial.hash.iter().collect();
        given.sort_by_key(|(name, _)| *name);
        let fields = given
            .into_iter()
            .map(|(name, value)| (name.clone(), self.argument(value, ReadMode::Inspected, steps)));
        let fields = fields.collect();
        steps.push(OutlineStep::Partial(PartialCall { name, context, fields }));
    }

    fn inline(&mut self, decorator: &DecoratorTemplate, depth: usize, steps: &mut Vec<OutlineStep>) {
        let Some(body) = &decorator.template else { return };
        if let Some(Parameter::Literal(Json::String(name))) = decorator.params.first() {
            let body = self.template(body, TagPlace::Unknown, depth + 1);
            steps.push(OutlineStep::Inline(name.clone(), body));
        }
    }
}

fn names(param: Option<&BlockParam>) -> [Option<String>; 2] {
    let name_of = |param: &Parameter| param.as_name().map(str::to_owned);
    match param {
        Some(BlockParam::Single(item)) => [name_of(item), None],
        Some(BlockParam::Pair((item, key))) => [name_of(item), name_of(key)],
        _ => [None, None],
    }
}
