//! Makes compiled templates say where they are.
//!
//! Handlebars tells nobody which template line a piece of output comes from, nor does it bound what a template does.
//! So calls of private helpers are put between the elements of a compiled template: before each element one that says
//! its line (and costs a unit of work), and at both ends of each nested template one that counts the depth. They write
//! nothing, so neither the text nor the whitespace of the output can change, and no mark has to be taken out of it.
//!
//! Where a [`Tracer`] is to know more, the call before an element names the element, and the calls before and in partials,
//! `each` and `with` say what these are made of.
//!
//! What a tag prints, and the arguments of blocks and partials, become calls of private helpers as well: they tell apart
//! what is undefined, and what is written otherwise than YAML reads it ([`super::written`]).
//!
//! The same walk refuses what cannot be bounded or placed: too many arguments, too deep nesting, and blocks that are
//! rendered aside before their place is known (`{{#> name}}`).

use std::collections::HashMap;

use handlebars::template::{
    BlockParam, DecoratorTemplate, HelperTemplate, Parameter, Subexpression, TemplateElement, TemplateMapping,
};
use handlebars::{Path, Template};
use serde_json::{Value as Json, json};

use super::engine::State;
use super::price::Price;
use super::tags::Tokens;
use super::tracer::Tracer;
use sealwave_core::document::{Element, Origin, SourceId};

/// A character that starts the names of the private helpers; templates may not call such names.
pub(super) const PRIVATE: char = '\u{10f8f0}';
/// Says which line the next element is on: source, line, whether lines count on within it; and the number of its price,
/// unless that was paid.
pub(super) const MARK: &str = "\u{10f8f0}mark";
/// Pays for what the next element copies: the number of its price.
pub(super) const PAY: &str = "\u{10f8f0}pay";
/// A nested template or a partial starts.
pub(super) const ENTER: &str = "\u{10f8f0}enter";
/// It ends.
pub(super) const LEAVE: &str = "\u{10f8f0}leave";
/// The local variable of a block that says what it is made of.
pub(super) const SCOPE: &str = "\u{10f8f0}scope";
/// The local variable that says how deep the loop's block is whose `@key` is at hand.
pub(super) const EACH: &str = "\u{10f8f0}each";
/// Prints a value.
pub(super) const PRINT: &str = "\u{10f8f0}print";
/// Takes the argument of `if` and `unless`.
pub(super) const TEST: &str = "\u{10f8f0}test";
/// Takes that of `each`.
pub(super) const ITEMS: &str = "\u{10f8f0}items";
/// Takes that of `with`.
pub(super) const BASE: &str = "\u{10f8f0}base";
/// Takes the context of a partial.
pub(super) const CONTEXT: &str = "\u{10f8f0}context";
/// Takes what a partial gets by name.
pub(super) const GIVEN: &str = "\u{10f8f0}given";
/// Takes the context of a partial that gets something by name as well.
pub(super) const MERGED: &str = "\u{10f8f0}merged";

/// Blocks within blocks; each branch of an `else if` is one more.
pub(super) const MAX_BLOCKS: usize = 64;
/// Bytes of the blanks before a partial: every line of it gets them, and those of the partials around it.
const MAX_INDENT: usize = 256;
/// Arguments of one call.
const MAX_ARGUMENTS: usize = 64;
/// Calls within calls.
const MAX_CALLS: usize = 16;
/// Parts of one name; values are not deeper.
const MAX_PARTS: usize = 128;

/// Why a template is refused before it runs.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum Refused {
    #[error("call has more than {MAX_ARGUMENTS} arguments")]
    Arguments,
    #[error("blocks are nested more than {MAX_BLOCKS} deep")]
    Blocks,
    #[error("calls are nested more than {MAX_CALLS} deep")]
    Calls,
    #[error("partial is indented by more than {MAX_INDENT} bytes")]
    Indent,
    #[error("name of an inline partial is not a text in quotes")]
    InlineName,
    #[error("name has more than {MAX_PARTS} parts")]
    Parts,
    #[error("a partial with a block of its own (`{{{{#> name}}}}`) is not supported")]
    PartialBlock,
    #[error("name holds a private character")]
    PrivateName,
}

/// Puts the calls into a template.
pub(super) struct Instrument<'a> {
    visible: VisibleLines,
    source: usize,
    state: &'a State,
    call: TemplateElement,
    trace: Option<Trace<'a>>,
}

/// Tells a tracer which elements there are.
struct Trace<'a> {
    tracer: &'a Tracer,
    source: SourceId,
    tokens: Tokens<'a>,
}

/// What a nested template is to whoever follows names.
enum Scope<'t> {
    /// Part of the block that it is in.
    Same,
    /// A block of its own, or a partial; with the names that it gives.
    Block { is_each: bool, param: Option<&'t BlockParam> },
}

/// Why and where (line, column) a template is refused.
pub(super) type Refusal = (Refused, Option<(usize, usize)>);

impl<'a> Instrument<'a> {
    /// For the template with this text, which is number `source` of the engine.
    pub(super) fn new(text: &'a str, source: usize, state: &'a State) -> Option<Self> {
        let call = Template::compile(&format!("{{{{{MARK} 0}}}}")).ok()?.elements.pop()?;
        Some(Self { visible: VisibleLines::of(text), source, state, call, trace: None })
    }

    /// The same, which tells the tracer of each element, where there is one.
    pub(super) fn traced(self, text: &'a str, source: SourceId) -> Self {
        let tracer = self.state.tracer.as_ref();
        let trace = tracer.map(|tracer| Trace { tracer, source, tokens: Tokens::new(text) });
        Self { trace, ..self }
    }

    /// Rewrites the template.
    pub(super) fn apply(&self, template: &mut Template) -> Result<(), Refusal> {
        self.nested(template, 0, &PARTIAL)
    }

    fn nested(&self, template: &mut Template, depth: usize, scope: &Scope<'_>) -> Result<(), Refusal> {
        if depth > MAX_BLOCKS {
            return Err((Refused::Blocks, None));
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
        add(self.call(ENTER, self.entry(scope)), places.first());
        for (index, mut element) in elements.into_iter().enumerate() {
            let place = places.get(index).filter(|_| has_places);
            let price = self.state.add_price(Price::of(&element));
            // The calls before an element name what is in it as its author wrote it.
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
        // A template without elements has no place to give to the calls; errors then take the block's.
        Ok(())
    }

    fn entry(&self, scope: &Scope<'_>) -> Vec<Json> {
        let (Scope::Block { is_each, param }, true) = (scope, self.trace.is_some()) else {
            return vec![0.into()];
        };
        let (item, key) = match param {
            Some(BlockParam::Pair((item, key))) => (item.as_name(), key.as_name()),
            Some(BlockParam::Single(item)) => (item.as_name(), None),
            _ => (None, None),
        };
        vec![0.into(), (*is_each).into(), json!(item), json!(key)]
    }

    /// The calls before an element. What a tracer asks for is evaluated with the call, so it is paid for before.
    fn mark(&self, element: &TemplateElement, place: &TemplateMapping, price: usize) -> Vec<TemplateElement> {
        let counts = matches!(element, TemplateElement::RawString(_));
        let line = self.first_line(element, place.0, place.1);
        let mut mark = self.call(MARK, vec![self.source.into(), line.into(), counts.into(), price.into()]);
        let mut pay = None;
        if let (Some(trace), TemplateElement::Expression(call)) = (&self.trace, &mut mark) {
            let number = trace.tracer.add(trace.element(element, place, line));
            call.params.push(Parameter::Literal(number.into()));
            let before = call.params.len();
            made_of(element, call);
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

    fn element(&self, element: &mut TemplateElement, depth: usize) -> Result<(), Refusal> {
        match element {
            TemplateElement::Expression(helper) | TemplateElement::HtmlExpression(helper) => {
                self.helper(helper, depth)?;
                print(helper);
                Ok(())
            }
            TemplateElement::HelperBlock(helper) => self.helper(helper, depth),
            TemplateElement::DecoratorExpression(decorator) | TemplateElement::DecoratorBlock(decorator) => {
                // A name that is made while rendering would be kept for each turn of a loop.
                let is_literal = |name: &Parameter| matches!(name, Parameter::Literal(Json::String(_)));
                if !decorator.params.iter().all(is_literal) {
                    return Err((Refused::InlineName, None));
                }
                self.decorator(decorator, depth)
            }
            TemplateElement::PartialExpression(partial) => {
                if partial.indent.as_ref().is_some_and(|indent| indent.len() > MAX_INDENT) {
                    return Err((Refused::Indent, None));
                }
                self.decorator(partial, depth)?;
                partial_arguments(partial);
                Ok(())
            }
            TemplateElement::PartialBlock(_) => Err((Refused::PartialBlock, None)),
            _ => Ok(()),
        }
    }

    fn helper(&self, helper: &mut HelperTemplate, depth: usize) -> Result<(), Refusal> {
        arguments(&helper.name, helper.params.iter().chain(helper.hash.values()), 0)?;
        let depth = depth.saturating_add(1);
        let scope = match helper.name.as_name() {
            Some(name @ ("each" | "with")) => {
                Scope::Block { is_each: name == "each", param: helper.block_param.as_ref() }
            }
            _ => Scope::Same,
        };
        if let Some(nested) = &mut helper.template {
            self.nested(nested, depth, &scope)?;
        }
        if let Some(nested) = &mut helper.inverse {
            self.nested(nested, depth, &Scope::Same)?;
        }
        block_arguments(helper);
        Ok(())
    }

    fn decorator(&self, decorator: &mut DecoratorTemplate, depth: usize) -> Result<(), Refusal> {
        arguments(&decorator.name, decorator.params.iter().chain(decorator.hash.values()), 0)?;
        match &mut decorator.template {
            Some(nested) => self.nested(nested, depth.saturating_add(1), &PARTIAL),
            None => Ok(()),
        }
    }

    /// The template line on which an element's text starts.
    ///
    /// Handlebars notes where the first character that is not blank stands (for text that is all blank, where the next
    /// tag stands), and cuts blanks off the text afterwards; so the line is counted back from there.
    fn first_line(&self, element: &TemplateElement, line: usize, column: usize) -> usize {
        let TemplateElement::RawString(text) = element else {
            return line;
        };
        let blank = text.len().saturating_sub(text.trim_start().len());
        let newlines = text.get(..blank).unwrap_or_default().matches('\n').count();
        self.visible.first_from(line, column).saturating_sub(newlines).max(1)
    }
}

/// Which lines of a text have something on them that is not blank. Made once, since every element asks.
struct VisibleLines {
    /// For each line, the column of its last character that is not blank; 0 where there is none.
    last: Vec<usize>,
    /// For each line, the first line from it on that has one.
    next: Vec<usize>,
}

impl VisibleLines {
    fn of(text: &str) -> Self {
        let column = |line: &str| {
            let visible = line.trim_end();
            if visible.trim_start().is_empty() { 0 } else { visible.chars().count() }
        };
        let last: Vec<usize> = text.split('\n').map(column).collect();
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

    /// The line of the first character from a position on that is not blank; the last line where there is none.
    fn first_from(&self, line: usize, column: usize) -> usize {
        let index = line.saturating_sub(1);
        if self.last.get(index).is_some_and(|last| *last >= column.max(1)) {
            return line;
        }
        self.next.get(index + 1).map_or(self.last.len(), |next| next + 1).max(line)
    }
}

impl Trace<'_> {
    /// An element, where it stands: text where its first character does, anything else where its tag does.
    fn element(&self, element: &TemplateElement, place: &TemplateMapping, line: usize) -> Element {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let at = (place.0, place.1);
        let line_only = Origin::point(self.source, number(line), 0);
        if let TemplateElement::RawString(written) = element {
            let text = self.tokens.text(at, written);
            let start = text.as_ref().and_then(|text| self.tokens.position(text.start));
            let origin = start
                .map_or(line_only, |(line, column)| Origin::point(self.source, number(line), number(column)));
            return Element { origin, text };
        }
        let origin = self.tokens.tag(at).map_or(line_only, |width| Origin {
            width: number(width),
            ..Origin::point(self.source, number(place.0), number(place.1))
        });
        Element { origin, text: None }
    }
}

/// Which argument of [`MARK`] is the number of the price.
pub(super) const PRICE_OF_MARK: usize = 3;

/// A partial, or the template itself.
const PARTIAL: Scope<'static> = Scope::Block { is_each: false, param: None };

/// Lets the call before a partial or a block have what that is made of, if it is named there. It is evaluated where the
/// element evaluates it.
fn made_of(element: &TemplateElement, call: &mut HelperTemplate) {
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
    // In order, so that it is always the same that fails first.
    names.sort_by_key(|(name, _)| *name);
    // What is no path leads nowhere.
    call.params.push(context.unwrap_or(Parameter::Literal(Json::Null)));
    let pair = |(name, value): (&String, &Parameter)| [Parameter::Literal(json!(name)), value.clone()];
    call.params.extend(names.into_iter().flat_map(pair));
}

/// `{{path}}` and `{{helper argument}}` become a call that prints the value, so that what is undefined or no scalar is told
/// apart.
fn print(helper: &mut HelperTemplate) {
    let name = std::mem::replace(&mut helper.name, Parameter::Name(PRINT.to_owned()));
    let called = name.as_name().filter(|name| super::helpers::is_helper(name)).map(str::to_owned);
    let (params, hash) = (std::mem::take(&mut helper.params), std::mem::take(&mut helper.hash));
    helper.params = match called {
        Some(called) => {
            let call = Parameter::Subexpression(Subexpression::new(name, params, hash));
            vec![call, Parameter::Literal(called.into())]
        }
        None => vec![name],
    };
}

/// The argument of a block passes a call that knows what the block does with it.
fn block_arguments(helper: &mut HelperTemplate) {
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
        // Without one, the engine takes an empty value for one that is undefined.
        helper.inverse.get_or_insert_default();
    }
}

/// So do the arguments of a partial.
fn partial_arguments(partial: &mut DecoratorTemplate) {
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

fn arguments<'p>(
    name: &'p Parameter,
    all: impl Iterator<Item = &'p Parameter>,
    depth: usize,
) -> Result<(), Refusal> {
    if depth > MAX_CALLS {
        return Err((Refused::Calls, None));
    }
    if name.as_name().is_some_and(|name| name.contains(PRIVATE)) {
        return Err((Refused::PrivateName, None));
    }
    let inner = std::iter::once(name).chain(all);
    let mut count = 0_usize;
    for parameter in inner {
        count = count.saturating_add(1);
        if count > MAX_ARGUMENTS {
            return Err((Refused::Arguments, None));
        }
        if parameter.as_name().is_some_and(|name| name.contains(PRIVATE)) {
            return Err((Refused::PrivateName, None));
        }
        if matches!(parameter, Parameter::Path(Path::Relative((parts, _))) if parts.len() > MAX_PARTS) {
            return Err((Refused::Parts, None));
        }
        if let Parameter::Subexpression(call) = parameter
            && let TemplateElement::Expression(helper) = call.as_element()
        {
            let depth = depth.saturating_add(1);
            arguments(&helper.name, helper.params.iter().chain(helper.hash.values()), depth)?;
        }
    }
    Ok(())
}
