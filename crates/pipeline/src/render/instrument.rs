//! Instruments compiled templates with calls that track the current line.
//!
//! Handlebars neither reports the template line of a piece of output nor limits the work of a template. This module
//! therefore inserts calls of private helpers between the elements of a compiled template: a call before each element
//! sets the line and costs one work unit, and calls at both ends of each nested template count the depth. The calls
//! write nothing, so the text and whitespace of the output do not change, and no marks must be removed from it.
//!
//! If an [`OutputTracer`] is used, the call before an element also identifies the element, and the calls before and in
//! partials, `each` and `with` record the source of their contexts.
//!
//! Printed values and the arguments of blocks and partials also become calls of private helpers, which distinguish
//! undefined values and scalars whose spelling differs from what YAML reads ([`super::spelling`]).
//!
//! The same walk refuses what cannot be bounded or located: too many arguments, too deep nesting, and blocks that are
//! rendered before their position is known (`{{#> name}}`).

use std::collections::HashMap;

use handlebars::template::{
    BlockParam, DecoratorTemplate, HelperTemplate, Parameter, Subexpression, TemplateElement, TemplateMapping,
};
use handlebars::{Path, Template};
use serde_json::{Value as Json, json};

use super::fault::{LocatedRefusal, TemplateRefusal};
use super::helpers;
use super::limits::{MAX_ARGUMENTS, MAX_BLOCKS, MAX_CALLS, MAX_INDENT, MAX_PARTS};
use super::price::CopyPrice;
use super::private_names::{
    BASE, CONTEXT, ENTER, GIVEN, ITEMS, LEAVE, MARK, MERGED, PAY, PRICE_OF_MARK, PRINT, PRIVATE, TEST,
};
use super::state::RenderState;
use super::tags::TemplateTokens;
use super::tracer::OutputTracer;
use sealwave_core::document::{Origin, SourceId, TemplateNode};

/// Inserts the calls into a template.
pub(super) struct TemplateInstrumenter<'a> {
    visible: VisibleLines,
    source: usize,
    state: &'a RenderState,
    call: TemplateElement,
    trace: Option<ElementRecorder<'a>>,
}

/// Registers elements with a tracer.
struct ElementRecorder<'a> {
    tracer: &'a OutputTracer,
    source: SourceId,
    tokens: TemplateTokens<'a>,
}

/// The scope of a nested template for name lookup.
enum BlockScope<'t> {
    /// Part of the surrounding block.
    Same,
    /// A block or partial with its own scope, and the names that it defines.
    Block { is_each: bool, param: Option<&'t BlockParam> },
}

impl<'a> TemplateInstrumenter<'a> {
    /// Creates the instrumentation of a template with this text and the index `source` in the engine.
    pub(super) fn new(text: &'a str, source: usize, state: &'a RenderState) -> Option<Self> {
        let call = Template::compile(&format!("{{{{{MARK} 0}}}}")).ok()?.elements.pop()?;
        Some(Self { visible: VisibleLines::new(text), source, state, call, trace: None })
    }

    /// Registers each element with the tracer, if one is used.
    pub(super) fn with_tracer(self, text: &'a str, source: SourceId) -> Self {
        let tracer = self.state.tracer.as_ref();
        let trace =
            tracer.map(|tracer| ElementRecorder { tracer, source, tokens: TemplateTokens::new(text) });
        Self { trace, ..self }
    }

    /// Instruments the template.
    pub(super) fn apply(&self, template: &mut Template) -> Result<(), LocatedRefusal> {
        self.instrument_nested(template, 0, &PARTIAL)
    }

    fn instrument_nested(
        &self,
        template: &mut Template,
        depth: usize,
        scope: &BlockScope<'_>,
    ) -> Result<(), LocatedRefusal> {
        if depth > MAX_BLOCKS {
            return Err((TemplateRefusal::Blocks, None));
        }
        let has_places = template.mapping.len() == template.elements.len();
        let places = std::mem::take(&mut template.mapping);
        let elements = std::mem::take(&mut template.elements);
        let mut add = |element: TemplateElement, place: Option<&TemplateMapping>| {
            template.elements.push(element);
            if let (true, Some(place)) = (has_places, place) {
                template.mapping.push(place.clone());
            }
        };
        let mut last = None;
        add(self.call(ENTER, self.enter_arguments(scope)), places.first());
        for (index, mut element) in elements.into_iter().enumerate() {
            let place = places.get(index).filter(|_| has_places);
            let price = self.state.add_price(CopyPrice::for_element(&element));
            // The calls before an element refer to names as the author wrote them.
            let mark = place.map(|place| self.mark(&element, place, price)).unwrap_or_default();
            self.element(&mut element, depth)
                .map_err(|(refused, at)| (refused, at.or_else(|| place.map(|place| (place.0, place.1)))))?;
            for call in mark {
                add(call, place);
            }
            if place.is_none() {
                add(self.call(PAY, vec![price.into()]), None);
            }
            add(element, place);
            last = place.cloned();
        }
        let end = last.or_else(|| places.first().cloned());
        add(self.call(LEAVE, vec![0.into()]), end.as_ref());
        // A template without elements has no position for the calls; errors then use the position of its block.
        Ok(())
    }

    fn enter_arguments(&self, scope: &BlockScope<'_>) -> Vec<Json> {
        let (BlockScope::Block { is_each, param }, true) = (scope, self.trace.is_some()) else {
            return vec![0.into()];
        };
        let (item, key) = match param {
            Some(BlockParam::Pair((item, key))) => (item.as_name(), key.as_name()),
            Some(BlockParam::Single(item)) => (item.as_name(), None),
            _ => (None, None),
        };
        vec![0.into(), (*is_each).into(), json!(item), json!(key)]
    }

    /// Returns the calls before an element. Arguments for the tracer are evaluated with the call, so they are paid for
    /// before.
    fn mark(&self, element: &TemplateElement, place: &TemplateMapping, price: usize) -> Vec<TemplateElement> {
        let counts = matches!(element, TemplateElement::RawString(_));
        let line = self.first_line(element, place.0, place.1);
        let mut mark = self.call(MARK, vec![self.source.into(), line.into(), counts.into(), price.into()]);
        let mut pay = None;
        if let (Some(trace), TemplateElement::Expression(call)) = (&self.trace, &mut mark) {
            let number = trace.tracer.add(trace.element(element, place, line));
            call.params.push(Parameter::Literal(number.into()));
            let before = call.params.len();
            append_sources(element, call);
            if call.params.len() > before
                && let Some(paid) = call.params.get_mut(PRICE_OF_MARK)
            {
                *paid = Parameter::Literal(Json::Null);
                pay = Some(self.call(PAY, vec![price.into()]));
            }
        }
        pay.into_iter().chain([mark]).collect()
    }

    fn call(&self, name: &str, arguments: Vec<Json>) -> TemplateElement {
        let mut call = self.call.clone();
        if let TemplateElement::Expression(helper) = &mut call {
            helper.name = Parameter::Name(name.to_owned());
            helper.params = arguments.into_iter().map(Parameter::Literal).collect();
        }
        call
    }

    fn element(&self, element: &mut TemplateElement, depth: usize) -> Result<(), LocatedRefusal> {
        match element {
            TemplateElement::Expression(helper) | TemplateElement::HtmlExpression(helper) => {
                self.helper(helper, depth)?;
                wrap_print(helper);
                Ok(())
            }
            TemplateElement::HelperBlock(helper) => self.helper(helper, depth),
            TemplateElement::DecoratorExpression(decorator) | TemplateElement::DecoratorBlock(decorator) => {
                // A name built while rendering would be stored once per iteration of a loop.
                let is_literal = |name: &Parameter| matches!(name, Parameter::Literal(Json::String(_)));
                if !decorator.params.iter().all(is_literal) {
                    return Err((TemplateRefusal::InlineName, None));
                }
                self.decorator(decorator, depth)
            }
            TemplateElement::PartialExpression(partial) => {
                if partial.indent.as_ref().is_some_and(|indent| indent.len() > MAX_INDENT) {
                    return Err((TemplateRefusal::Indent, None));
                }
                self.decorator(partial, depth)?;
                wrap_partial_arguments(partial);
                Ok(())
            }
            TemplateElement::PartialBlock(_) => Err((TemplateRefusal::PartialBlock, None)),
            _ => Ok(()),
        }
    }

    fn helper(&self, helper: &mut HelperTemplate, depth: usize) -> Result<(), LocatedRefusal> {
        check_arguments(&helper.name, helper.params.iter().chain(helper.hash.values()), 0)?;
        let depth = depth.saturating_add(1);
        let scope = match helper.name.as_name() {
            Some(name @ ("each" | "with")) => {
                BlockScope::Block { is_each: name == "each", param: helper.block_param.as_ref() }
            }
            _ => BlockScope::Same,
        };
        if let Some(nested) = &mut helper.template {
            self.instrument_nested(nested, depth, &scope)?;
        }
        if let Some(nested) = &mut helper.inverse {
            self.instrument_nested(nested, depth, &BlockScope::Same)?;
        }
        wrap_block_argument(helper);
        Ok(())
    }

    fn decorator(&self, decorator: &mut DecoratorTemplate, depth: usize) -> Result<(), LocatedRefusal> {
        check_arguments(&decorator.name, decorator.params.iter().chain(decorator.hash.values()), 0)?;
        match &mut decorator.template {
            Some(nested) => self.instrument_nested(nested, depth.saturating_add(1), &PARTIAL),
            None => Ok(()),
        }
    }

    /// Returns the template line on which an element's text starts.
    ///
    /// Handlebars records the position of the first non-blank character (for blank text, that of the next tag), and
    /// later removes blanks from the text, so the line is counted back from there.
    fn first_line(&self, element: &TemplateElement, line: usize, column: usize) -> usize {
        let TemplateElement::RawString(text) = element else {
            return line;
        };
        let blank = text.len().saturating_sub(text.trim_start().len());
        let newlines = text.get(..blank).unwrap_or_default().matches('\n').count();
        self.visible.first_from(line, column).saturating_sub(newlines).max(1)
    }
}

/// The visible lines of a text. Computed once, since every element needs them.
struct VisibleLines {
    /// For each line, the column of its last non-blank character, or 0.
    last: Vec<usize>,
    /// For each line, the index of the first line from it on that has a non-blank character.
    next: Vec<usize>,
}

impl VisibleLines {
    fn new(text: &str) -> Self {
        let last_visible_column = |line: &str| {
            let visible = line.trim_end();
            if visible.trim_start().is_empty() { 0 } else { visible.chars().count() }
        };
        let last: Vec<usize> = text.split('\n').map(last_visible_column).collect();
        let mut next: Vec<usize> = (0..last.len()).collect();
        for line in (0..last.len().saturating_sub(1)).rev() {
            if last.get(line) == Some(&0)
                && let Some(after) = next.get(line + 1).copied()
                && let Some(here) = next.get_mut(line)
            {
                *here = after;
            }
        }
        Self { last, next }
    }

    /// Returns the line of the first non-blank character from a position on, or the last line.
    fn first_from(&self, line: usize, column: usize) -> usize {
        let index = line.saturating_sub(1);
        if self.last.get(index).is_some_and(|last| *last >= column.max(1)) {
            return line;
        }
        self.next.get(index + 1).map_or(self.last.len(), |next| next + 1).max(line)
    }
}

impl ElementRecorder<'_> {
    /// Locates an element: text by its first character, anything else by its tag.
    fn element(&self, element: &TemplateElement, place: &TemplateMapping, line: usize) -> TemplateNode {
        let to_u32 = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let at = (place.0, place.1);
        let line_only = Origin::point(self.source, to_u32(line), 0);
        if let TemplateElement::RawString(written) = element {
            let text = self.tokens.text(at, written);
            let start = text.as_ref().and_then(|text| self.tokens.position(text.start));
            let origin = start
                .map_or(line_only, |(line, column)| Origin::point(self.source, to_u32(line), to_u32(column)));
            return TemplateNode { origin, text };
        }
        let origin = self.tokens.tag(at).map_or(line_only, |width| Origin {
            width: to_u32(width),
            ..Origin::point(self.source, to_u32(place.0), to_u32(place.1))
        });
        TemplateNode { origin, text: None }
    }
}

/// A partial or the template itself.
const PARTIAL: BlockScope<'static> = BlockScope::Block { is_each: false, param: None };

/// Adds the sources of the context of a partial or a block to the call before it, if they are named there. They are
/// evaluated in the same scope as the element.
fn append_sources(element: &TemplateElement, call: &mut HelperTemplate) {
    let is_path = |parameter: &&Parameter| matches!(parameter, Parameter::Path(_));
    let mut names: Vec<(&String, &Parameter)> = Vec::new();
    let context = match element {
        TemplateElement::PartialExpression(partial) => {
            names.extend(partial.hash.iter().filter(|(_, value)| is_path(value)));
            match partial.params.first() {
                Some(context) => Some(context).filter(is_path).cloned(),
                None => Path::parse("this").ok().map(Parameter::Path),
            }
        }
        TemplateElement::HelperBlock(block) if matches!(block.name.as_name(), Some("each" | "with")) => {
            block.params.first().filter(is_path).cloned()
        }
        _ => return,
    };
    // Sorted, so that the same one always fails first.
    names.sort_by_key(|(name, _)| *name);
    // A parameter that is not a path has no source.
    call.params.push(context.unwrap_or(Parameter::Literal(Json::Null)));
    let to_pair = |(name, value): (&String, &Parameter)| [Parameter::Literal(json!(name)), value.clone()];
    call.params.extend(names.into_iter().flat_map(to_pair));
}

/// Turns `{{path}}` and `{{helper argument}}` into a call that prints the value, which detects undefined values,
/// non-scalars, and lines of `toYaml` and `file` that are not indented alike.
fn wrap_print(helper: &mut HelperTemplate) {
    let name = std::mem::replace(&mut helper.name, Parameter::Name(PRINT.to_owned()));
    let called = name.as_name().filter(|name| helpers::is_helper(name)).map(str::to_owned);
    let (params, hash) = (std::mem::take(&mut helper.params), std::mem::take(&mut helper.hash));
    let writer = called.as_deref().and_then(|called| line_writer(called, &params));
    helper.params = match called {
        Some(called) => {
            let call = Parameter::Subexpression(Subexpression::new(name, params, hash));
            vec![call, Parameter::Literal(called.into()), Parameter::Literal(writer.into())]
        }
        None => vec![name],
    };
}

/// Returns the helper of several lines that a call writes without a line break before them: `toYaml x`, or
/// `indent n (toYaml x)`.
fn line_writer(called: &str, params: &[Parameter]) -> Option<&'static str> {
    match (called, params) {
        ("indent", [_, Parameter::Subexpression(inner)]) => match inner.as_element() {
            TemplateElement::Expression(inner) => helpers::line_writer(inner.name.as_name()?),
            _ => None,
        },
        _ => helpers::line_writer(called),
    }
}

/// Passes the argument of a block through the call that matches its use.
fn wrap_block_argument(helper: &mut HelperTemplate) {
    let call = match helper.name.as_name() {
        Some("if" | "unless") => TEST,
        Some("each") => ITEMS,
        Some("with") => BASE,
        _ => return,
    };
    if let Some(argument) = helper.params.first_mut() {
        pass_through(call, argument);
    }
    if call == BASE {
        // Without an `else` branch, the engine treats an empty value as undefined.
        helper.inverse.get_or_insert_default();
    }
}

/// Passes the arguments of a partial through calls.
fn wrap_partial_arguments(partial: &mut DecoratorTemplate) {
    let context = if partial.hash.is_empty() { CONTEXT } else { MERGED };
    if let Some(argument) = partial.params.first_mut() {
        pass_through(context, argument);
    }
    partial.hash.values_mut().for_each(|argument| pass_through(GIVEN, argument));
}

fn pass_through(call: &str, argument: &mut Parameter) {
    let value = std::mem::replace(argument, Parameter::Literal(Json::Null));
    let call = Subexpression::new(Parameter::Name(call.to_owned()), vec![value], HashMap::new());
    *argument = Parameter::Subexpression(call);
}

fn check_arguments<'p>(
    name: &'p Parameter,
    all: impl Iterator<Item = &'p Parameter>,
    depth: usize,
) -> Result<(), LocatedRefusal> {
    if depth > MAX_CALLS {
        return Err((TemplateRefusal::Calls, None));
    }
    if name.as_name().is_some_and(|name| name.contains(PRIVATE)) {
        return Err((TemplateRefusal::PrivateName, None));
    }
    let inner = std::iter::once(name).chain(all);
    let mut count = 0_usize;
    for parameter in inner {
        count = count.saturating_add(1);
        if count > MAX_ARGUMENTS {
            return Err((TemplateRefusal::Arguments, None));
        }
        if parameter.as_name().is_some_and(|name| name.contains(PRIVATE)) {
            return Err((TemplateRefusal::PrivateName, None));
        }
        if matches!(parameter, Parameter::Path(Path::Relative((parts, _))) if parts.len() > MAX_PARTS) {
            return Err((TemplateRefusal::Parts, None));
        }
        if let Parameter::Subexpression(call) = parameter
            && let TemplateElement::Expression(helper) = call.as_element()
        {
            let depth = depth.saturating_add(1);
            check_arguments(&helper.name, helper.params.iter().chain(helper.hash.values()), depth)?;
        }
    }
    Ok(())
}
