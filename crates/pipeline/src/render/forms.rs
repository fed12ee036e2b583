//! Checks the form of tags before a template runs, including branches that are not taken.
//!
//! The engine ignores extra arguments of a block: it reads `{{#if eq env "prod"}}` as a value `eq`, which is not
//! defined and therefore false, although its author means a call. Each tag must therefore use everything it contains,
//! and the hint shows the right form of the author's text.

use handlebars::Template;
use handlebars::template::{BlockParam, DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};

use super::errors::locate_name;
use super::fault::RenderFault;
use super::limits::MAX_BLOCKS;
use super::private_names::PRIVATE;
use super::tags::{TagLocator, TagPlace};
use super::{helm, helpers, wording};
use sealwave_core::diagnostic::{Explain, Problem};
use sealwave_core::document::SourceId;

/// The maximum number of reported errors per template.
const MAX_FAULTS: usize = 20;

/// The first part of paths that start at the outermost values.
const ROOT: &str = "@root";

/// A tag that does not do what it appears to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormFault {
    #[error("`{tag}` takes {wanted}, but has {given}")]
    Arguments { tag: String, wanted: &'static str, given: String, form: Option<String> },
    #[error("`{0}` is a block helper and needs `#`")]
    BlockAsCall(String, String),
    #[error("`{0}` does not support these block parameters")]
    BlockParam(String),
    #[error("`{0}` does not take an argument `{1}=`")]
    ByName(String, String),
    #[error("{0}")]
    Call(RenderFault, Option<String>),
    #[error("the only decorator is `inline`, with one name")]
    Decorator,
    #[error("function `{0}` is not available in templates")]
    Foreign(String, &'static str),
    #[error("block helper `{name}` does not exist")]
    NoBlock { name: String, form: String },
    #[error("helper `{name}` does not exist")]
    NoHelper { name: String, form: Option<String>, closest: Option<String> },
    #[error("helper `{name}` is not a block")]
    NotABlock { name: String, form: String },
    #[error("partial `{name}` takes one context, but has {count} arguments")]
    Partial { name: String, count: usize },
    #[error("`@root` is not a value")]
    RootAlone,
}

impl Explain for FormFault {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Arguments { form: Some(form), .. }
            | Self::NoHelper { form: Some(form), .. }
            | Self::NoBlock { form, .. }
            | Self::NotABlock { form, .. }
            | Self::BlockAsCall(_, form) => Some(format!("write {form}")),
            Self::Arguments { form: None, .. } => Some("put the call of a helper in parentheses".to_owned()),
            Self::BlockParam(_) => {
                Some("write `{{#each items as |item key|}}` or `{{#with value as |name|}}`".to_owned())
            }
            Self::Call(fault, alone) => {
                let value =
                    alone.as_ref().map(|name| format!("write `this.{name}` for a value of that name"));
                value.or_else(|| fault.hint())
            }
            Self::Foreign(_, advice) => Some((*advice).to_owned()),
            Self::NoHelper { closest: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            Self::NoHelper { .. } => Some("only helpers take arguments; values do not".to_owned()),
            Self::Partial { name, .. } => {
                Some(format!("pass the others by name: `{{{{> {name} context name=value}}}}`"))
            }
            Self::RootAlone => {
                Some("write `@root.name` for one value, or `@root.values` for all of them".to_owned())
            }
            Self::ByName(..) | Self::Decorator => None,
        }
    }
}

impl FormFault {
    /// Returns the name in the tag that the error is about.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Foreign(name, _)
            | Self::NoBlock { name, .. }
            | Self::NoHelper { name, .. }
            | Self::NotABlock { name, .. } => Some(name),
            _ => None,
        }
    }
}

/// Checks all tags of a template.
pub(crate) fn check(template: &Template, text: &str, source: SourceId) -> Vec<Problem> {
    let mut check = FormChecker { faults: Vec::new(), at: TagPlace::Unknown };
    check.template(template, TagPlace::Unknown, 0);
    let has_faults = !check.faults.is_empty();
    let explained = if has_faults || helm::is_suspicious(text) {
        helm::explain_accepted(text, source, has_faults)
    } else {
        Vec::new()
    };
    let places = TagLocator::new(text);
    let is_explained =
        |at| places.start(at).is_some_and(|start| explained.iter().any(|(explained, _)| *explained == start));
    let to_problem = |(fault, place): &(FormFault, TagPlace)| {
        let tag = places.origin(*place, source);
        let at = fault.name().map_or(tag, |name| locate_name(text, tag, name));
        helm::hide_texts(Problem::at(at, fault), text, places.text(*place))
    };
    let own = check.faults.iter().filter(|(_, at)| !is_explained(*at)).map(to_problem);
    let own: Vec<Problem> = own.collect();
    explained.into_iter().map(|(_, problem)| problem).chain(own).take(MAX_FAULTS).collect()
}

/// Returns the place of an element of a template. If the parser did not record it, returns `whole`, the place of the
/// template.
pub(super) fn place_of(template: &Template, index: usize, whole: TagPlace) -> TagPlace {
    let has_places = template.mapping.len() == template.elements.len();
    match template.mapping.get(index).filter(|_| has_places) {
        Some(place) => TagPlace::At((place.0, place.1)),
        None => whole,
    }
}

/// Returns the place of the `else` branch of a block, if it is an `else if`.
pub(super) fn place_of_else_if(block: TagPlace, otherwise: &Template) -> TagPlace {
    let is_chained = matches!(
        otherwise.elements.as_slice(),
        [TemplateElement::HelperBlock(inner)] if inner.is_chained() && otherwise.mapping.is_empty()
    );
    match block {
        _ if !is_chained => TagPlace::Unknown,
        TagPlace::At(start) => TagPlace::Chained(start, 0),
        TagPlace::Chained(start, number) => TagPlace::Chained(start, number + 1),
        TagPlace::Unknown => TagPlace::Unknown,
    }
}

struct FormChecker {
    faults: Vec<(FormFault, TagPlace)>,
    /// The current tag.
    at: TagPlace,
}

impl FormChecker {
    fn report(&mut self, fault: FormFault) {
        self.faults.push((fault, self.at));
    }

    /// Reports whether the maximum number of errors is reached.
    const fn is_done(&self) -> bool {
        self.faults.len() >= MAX_FAULTS
    }

    fn template(&mut self, template: &Template, whole: TagPlace, depth: usize) {
        if depth > MAX_BLOCKS {
            return;
        }
        for (index, element) in template.elements.iter().enumerate() {
            if self.is_done() {
                return;
            }
            self.at = place_of(template, index, whole);
            match element {
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                    self.call(&call.name, &call.params, !call.hash.is_empty(), wording::CallPlace::Tag);
                    self.arguments(call.params.iter().chain(call.hash.values()));
                }
                TemplateElement::HelperBlock(block) => self.block(block, depth),
                TemplateElement::PartialExpression(partial) => self.partial(partial),
                TemplateElement::DecoratorBlock(decorator)
                | TemplateElement::DecoratorExpression(decorator) => {
                    self.decorator(decorator, depth);
                }
                _ => {}
            }
        }
    }

    /// Checks the arguments of a tag and the calls within them.
    fn arguments<'t>(&mut self, all: impl Iterator<Item = &'t Parameter>) {
        for argument in all {
            // The engine reads it as an undefined variable, so a block would be empty.
            if argument.as_name() == Some(ROOT) {
                self.report(FormFault::RootAlone);
            }
            if let (Parameter::Subexpression(call), false) = (argument, self.is_done())
                && let TemplateElement::Expression(call) = call.as_element()
            {
                self.call(&call.name, &call.params, !call.hash.is_empty(), wording::CallPlace::Brackets);
                self.arguments(call.params.iter().chain(call.hash.values()));
            }
        }
    }

    /// Checks a call, or a value if nothing follows the name.
    fn call(&mut self, name: &Parameter, params: &[Parameter], has_names: bool, place: wording::CallPlace) {
        let Some(called) = name.as_name() else { return self.arguments(std::iter::once(name)) };
        if helpers::is_block(called) {
            let form = wording::block_form(called, params, place);
            return self.report(FormFault::BlockAsCall(called.to_owned(), form));
        }
        if let Some(fault) = helpers::arity_fault(called, params.len(), has_names) {
            if called == "lookup" && params.len() == 4 {
                return self.report(FormFault::Foreign(called.to_owned(), helm::CLUSTER_LOOKUP));
            }
            let alone = (params.is_empty() && !has_names).then(|| called.to_owned());
            return self.report(FormFault::Call(fault, alone));
        }
        if called == ROOT {
            return self.report(FormFault::RootAlone);
        }
        // Names of private helpers are refused elsewhere.
        if called.contains(PRIVATE) {
            return;
        }
        let is_call = !params.is_empty() || has_names || matches!(place, wording::CallPlace::Brackets);
        if is_call && helpers::arity(called).is_none() {
            let form = wording::reorder_call(name, params, place);
            if let Some(advice) = helm::function_advice(called).filter(|_| form.is_none()) {
                return self.report(FormFault::Foreign(called.to_owned(), advice));
            }
            let closest = helm::closest_helper(called).map(str::to_owned);
            self.report(FormFault::NoHelper { name: called.to_owned(), form, closest });
        }
    }

    fn block(&mut self, block: &HelperTemplate, depth: usize) {
        let at = self.at;
        let name = block.name.as_name().unwrap_or_default();
        self.block_head(name, block);
        self.arguments(block.params.iter().chain(block.hash.values()));
        if let Some(body) = &block.template {
            self.template(body, TagPlace::Unknown, depth + 1);
        }
        if let Some(otherwise) = &block.inverse {
            self.template(otherwise, place_of_else_if(at, otherwise), depth + 1);
        }
    }

    fn block_head(&mut self, name: &str, block: &HelperTemplate) {
        let tag = wording::tag_name(name, self.at);
        if !helpers::is_block(name) {
            let form = wording::as_condition(name, &block.params, self.at);
            let name = name.to_owned();
            return self.report(match helpers::arity(&name) {
                Some(_) => FormFault::NotABlock { name, form },
                None => FormFault::NoBlock { name, form },
            });
        }
        let wanted = usize::from(name != "raw");
        let count = block.params.len();
        if count != wanted {
            let form = wording::one_argument(name, &block.params, self.at);
            let (wanted, given) = (wording::describe_arity(wanted), wording::describe_count(count));
            return self.report(FormFault::Arguments { tag, wanted, given, form });
        }
        let mut by_name: Vec<&String> = block.hash.keys().collect();
        by_name.sort();
        let is_known = |key: &str| key == "includeZero" && matches!(name, "if" | "unless");
        if let Some(key) = by_name.into_iter().find(|key| !is_known(key)) {
            return self.report(FormFault::ByName(tag, key.clone()));
        }
        let is_supported = match block.block_param {
            None => true,
            Some(BlockParam::Single(_)) => matches!(name, "each" | "with"),
            Some(_) => name == "each",
        };
        if !is_supported {
            self.report(FormFault::BlockParam(tag));
        }
    }

    fn partial(&mut self, partial: &DecoratorTemplate) {
        let count = partial.params.len();
        if count > 1 {
            let name = partial.name.as_name().unwrap_or("name").to_owned();
            self.report(FormFault::Partial { name, count });
        }
        let name = std::iter::once(&partial.name);
        self.arguments(name.chain(&partial.params).chain(partial.hash.values()));
    }

    fn decorator(&mut self, decorator: &DecoratorTemplate, depth: usize) {
        if decorator.name.as_name() != Some("inline")
            || decorator.params.len() != 1
            || !decorator.hash.is_empty()
        {
            self.report(FormFault::Decorator);
        }
        self.arguments(decorator.params.iter());
        if let Some(body) = &decorator.template {
            self.template(body, TagPlace::Unknown, depth + 1);
        }
    }
}
