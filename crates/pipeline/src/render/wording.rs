//! Tags as their author wrote them, and as they should be written: the forms that hints show.

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};

use super::helpers;
use super::tags::TagPlace;

/// Characters of a form that a hint shows.
const MAX_FORM: usize = 300;
/// Words of a tag that are put in order.
const MAX_WORDS: usize = 32;

/// Where a call stands.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Brackets,
    Tag,
}

/// A number of arguments, in words where there is none.
pub(super) fn count(number: usize) -> String {
    if number == 0 { "none".to_owned() } else { number.to_string() }
}

/// How many arguments a block takes.
pub(super) const fn wanted(number: usize) -> &'static str {
    if number == 0 { "no argument" } else { "one argument" }
}

/// The name of a block's tag.
pub(super) fn tag(name: &str, at: TagPlace) -> String {
    match at {
        TagPlace::Chained(..) => format!("else {name}"),
        TagPlace::At(_) | TagPlace::Unknown => format!("#{name}"),
    }
}

/// A block's tag with this in it.
pub(super) fn tagged(name: &str, rest: &str, at: TagPlace) -> String {
    let space = if rest.is_empty() { "" } else { " " };
    format!("`{{{{{}{space}{rest}}}}}`", tag(name, at))
}

/// A block's tag with one argument instead of those that it has; `None` where no such form is at hand.
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
    Some(tagged(name, &one, at)).filter(|form| form.chars().count() <= MAX_FORM)
}

/// What a block with several values probably means.
fn values(name: &str, words: &[Word]) -> Option<String> {
    let texts: Vec<&str> = words.iter().map(Word::text).collect();
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

/// A call in the place of a block, as the condition of one.
pub(super) fn as_condition(name: &str, params: &[Parameter], at: TagPlace) -> String {
    let mut all = vec![word(name, name.to_owned())];
    all.extend(words(params));
    let is_call = helpers::arity(name).is_some();
    let short =
        |form: String| if form.chars().count() <= MAX_FORM { form } else { tagged("if", "(helper …)", at) };
    match call(&all) {
        Some(call) => short(tagged("if", &call, at)),
        None if is_call => tagged("if", &format!("({name} …)"), at),
        None => short(format!("{} or {}", tagged("if", name, at), tagged("each", name, at))),
    }
}

/// A block without `#`, as a block.
pub(super) fn block_form(name: &str, params: &[Parameter], place: Place) -> String {
    if matches!(place, Place::Brackets) {
        return "`(ternary yes no condition)` for a choice within a tag".to_owned();
    }
    let at = TagPlace::Unknown;
    let form = if params.len() == 1 {
        params.first().map(|param| tagged(name, &shown(param), at))
    } else {
        one_argument(name, params, at)
    };
    let form = form.unwrap_or_else(|| tagged(name, "value", at));
    format!("{form} and `{{{{/{name}}}}}`")
}

/// A call whose helper is not in first place, with the helper there.
pub(super) fn reordered(name: &Parameter, params: &[Parameter], place: Place) -> Option<String> {
    let mut all = words(std::slice::from_ref(name));
    all.extend(words(params));
    let call = call(&all)?;
    let form = match place {
        Place::Brackets => format!("`{call}`"),
        Place::Tag => format!("`{{{{{}}}}}`", call.strip_prefix('(')?.strip_suffix(')')?),
    };
    Some(form).filter(|form| form.chars().count() <= MAX_FORM)
}

/// An argument as it is read in the place of another word.
enum Word {
    Helper(String),
    Value(String),
}

impl Word {
    fn text(&self) -> &str {
        match self {
            Self::Helper(text) | Self::Value(text) => text,
        }
    }
}

fn words(params: &[Parameter]) -> Vec<Word> {
    let shown = |param: &Parameter| word(param.as_name().unwrap_or_default(), shown(param));
    params.iter().take(MAX_WORDS + 1).map(shown).collect()
}

fn word(name: &str, text: String) -> Word {
    if helpers::arity(name).is_some() { Word::Helper(text) } else { Word::Value(text) }
}

/// The call that a row of words means, in brackets; `None` where no helper is among them.
fn call(words: &[Word]) -> Option<String> {
    let has_helper = words.len() <= MAX_WORDS && words.iter().any(|word| matches!(word, Word::Helper(_)));
    if !has_helper {
        return None;
    }
    let mut reader = Reader { words, at: 0 };
    let call = reader.expression()?;
    (reader.at == words.len()).then_some(call)
}

/// Reads words with helpers before their arguments, or between them.
struct Reader<'w> {
    words: &'w [Word],
    at: usize,
}

impl Reader<'_> {
    fn helper(&self) -> Option<&str> {
        match self.words.get(self.at)? {
            Word::Helper(name) => Some(name),
            Word::Value(_) => None,
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

/// An argument, as it is written.
fn shown(param: &Parameter) -> String {
    match param {
        Parameter::Literal(literal) => literal.to_string(),
        Parameter::Subexpression(call) => match call.as_element() {
            TemplateElement::Expression(call) => shown_call(call),
            _ => "(…)".to_owned(),
        },
        _ => param.as_name().unwrap_or_default().to_owned(),
    }
}

fn shown_call(call: &HelperTemplate) -> String {
    let mut by_name: Vec<String> =
        call.hash.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
    by_name.sort();
    let mut words = vec![shown(&call.name)];
    words.extend(call.params.iter().map(shown));
    words.append(&mut by_name);
    format!("({})", words.join(" "))
}
