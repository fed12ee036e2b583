//! Formats tags for hints: as their author wrote them, and as they should be written.

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};

use super::helpers;
use super::tags::TagPlace;

/// The maximum length of a form in a hint.
const MAX_FORM: usize = 300;
/// The maximum number of words of a tag that are reordered.
const MAX_WORDS: usize = 32;

/// The position of a call.
#[derive(Clone, Copy)]
pub(super) enum CallPlace {
    Brackets,
    Tag,
}

/// Formats a number of arguments.
pub(super) fn describe_count(number: usize) -> String {
    if number == 0 { "none".to_owned() } else { number.to_string() }
}

/// Describes the number of arguments that a block takes.
pub(super) const fn describe_arity(number: usize) -> &'static str {
    if number == 0 { "no argument" } else { "one argument" }
}

/// Returns the name of a block's tag.
pub(super) fn tag_name(name: &str, at: TagPlace) -> String {
    match at {
        TagPlace::Chained(..) => format!("else {name}"),
        TagPlace::At(_) | TagPlace::Unknown => format!("#{name}"),
    }
}

/// Formats a block's tag with the given content.
pub(super) fn format_tag(name: &str, rest: &str, at: TagPlace) -> String {
    let space = if rest.is_empty() { "" } else { " " };
    format!("`{{{{{}{space}{rest}}}}}`", tag_name(name, at))
}

/// Formats a block's tag with a single argument. Returns `None` if its meaning is unclear.
pub(super) fn one_argument(name: &str, params: &[Parameter], at: TagPlace) -> Option<String> {
    if name == "raw" {
        return Some("`{{{{raw}}}}`".to_owned());
    }
    let words = words(params);
    let one = match call(&words) {
        _ if params.is_empty() => "value".to_owned(),
        Some(call) => call,
        None => values(name, &words)?,
    };
    Some(format_tag(name, &one, at)).filter(|form| form.chars().count() <= MAX_FORM)
}

/// Returns the probable meaning of a block with several values.
fn values(name: &str, words: &[TagWord]) -> Option<String> {
    let texts: Vec<&str> = words.iter().map(TagWord::text).collect();
    Some(match (name, texts.as_slice()) {
        ("each", [item, "in", items] | [items, "as", item]) => format!("{items} as |{item}|"),
        ("each" | "with", [value, item]) if is_name(item) => format!("{value} as |{item}|"),
        ("if", _) => format!("(and {})", texts.join(" ")),
        ("unless", _) => format!("(or {})", texts.join(" ")),
        _ => return None,
    })
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Formats a helper that was used as a block as the condition of one.
pub(super) fn as_condition(name: &str, params: &[Parameter], at: TagPlace) -> String {
    let mut all = vec![word(name, name.to_owned())];
    all.extend(words(params));
    let is_call = helpers::arity(name).is_some();
    let short = |form: String| {
        if form.chars().count() <= MAX_FORM { form } else { format_tag("if", "(helper …)", at) }
    };
    match call(&all) {
        Some(call) => short(format_tag("if", &call, at)),
        None if is_call => format_tag("if", &format!("({name} …)"), at),
        None => short(format!("{} or {}", format_tag("if", name, at), format_tag("each", name, at))),
    }
}

/// Formats a block that lacks its `#`.
pub(super) fn block_form(name: &str, params: &[Parameter], place: CallPlace) -> String {
    if matches!(place, CallPlace::Brackets) {
        return "`(ternary yes no condition)` to choose within a tag".to_owned();
    }
    let at = TagPlace::Unknown;
    let form = if params.len() == 1 {
        params.first().map(|param| format_tag(name, &format_parameter(param), at))
    } else {
        one_argument(name, params, at)
    };
    let form = form.unwrap_or_else(|| format_tag(name, "value", at));
    format!("{form} and `{{{{/{name}}}}}`")
}

/// Formats a call with its helper in first position.
pub(super) fn reorder_call(name: &Parameter, params: &[Parameter], place: CallPlace) -> Option<String> {
    let mut all = words(std::slice::from_ref(name));
    all.extend(words(params));
    let call = call(&all)?;
    let form = match place {
        CallPlace::Brackets => format!("`{call}`"),
        CallPlace::Tag => format!("`{{{{{}}}}}`", call.strip_prefix('(')?.strip_suffix(')')?),
    };
    Some(form).filter(|form| form.chars().count() <= MAX_FORM)
}

/// An argument, classified for reordering.
enum TagWord {
    Helper(String),
    Value(String),
}

impl TagWord {
    fn text(&self) -> &str {
        match self {
            Self::Helper(text) | Self::Value(text) => text,
        }
    }
}

fn words(params: &[Parameter]) -> Vec<TagWord> {
    let classify = |param: &Parameter| word(param.as_name().unwrap_or_default(), format_parameter(param));
    params.iter().take(MAX_WORDS + 1).map(classify).collect()
}

fn word(name: &str, text: String) -> TagWord {
    if helpers::arity(name).is_some() { TagWord::Helper(text) } else { TagWord::Value(text) }
}

/// Formats the call that a list of words means, in parentheses. Returns `None` if it has no helper.
fn call(words: &[TagWord]) -> Option<String> {
    let has_helper = words.len() <= MAX_WORDS && words.iter().any(|word| matches!(word, TagWord::Helper(_)));
    if !has_helper {
        return None;
    }
    let mut reader = WordParser { words, at: 0 };
    let call = reader.expression()?;
    (reader.at == words.len()).then_some(call)
}

/// Parses words with helpers before or between their arguments.
struct WordParser<'w> {
    words: &'w [TagWord],
    at: usize,
}

impl WordParser<'_> {
    fn helper(&self) -> Option<&str> {
        match self.words.get(self.at)? {
            TagWord::Helper(name) => Some(name),
            TagWord::Value(_) => None,
        }
    }

    fn expression(&mut self) -> Option<String> {
        let left = self.operand()?;
        let Some(helper) = self.helper().map(str::to_owned) else { return Some(left) };
        self.at += 1;
        let right = self.expression()?;
        Some(format!("({helper} {left} {right})"))
    }

    fn operand(&mut self) -> Option<String> {
        let Some(helper) = self.helper().map(str::to_owned) else {
            let word = self.words.get(self.at)?.text().to_owned();
            self.at += 1;
            return Some(word);
        };
        self.at += 1;
        let (least, most) = helpers::arity(&helper)?;
        let mut arguments = Vec::new();
        while self.at < self.words.len() && arguments.len() < most {
            let is_enough = arguments.len() >= least;
            if is_enough && self.helper().is_some_and(|next| is_logic(next) || !is_logic(&helper)) {
                break;
            }
            arguments.push(self.operand()?);
        }
        (!arguments.is_empty()).then(|| format!("({helper} {})", arguments.join(" ")))
    }
}

fn is_logic(name: &str) -> bool {
    matches!(name, "and" | "or")
}

/// Formats an argument as written.
fn format_parameter(param: &Parameter) -> String {
    match param {
        Parameter::Literal(literal) => literal.to_string(),
        Parameter::Subexpression(call) => match call.as_element() {
            TemplateElement::Expression(call) => format_call(call),
            _ => "(…)".to_owned(),
        },
        _ => param.as_name().unwrap_or_default().to_owned(),
    }
}

fn format_call(call: &HelperTemplate) -> String {
    let mut by_name: Vec<String> =
        call.hash.iter().map(|(name, value)| format!("{name}={}", format_parameter(value))).collect();
    by_name.sort();
    let mut words = vec![format_parameter(&call.name)];
    words.extend(call.params.iter().map(format_parameter));
    words.append(&mut by_name);
    format!("({})", words.join(" "))
}
