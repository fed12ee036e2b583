//! `yaml/implicit-type`.
//!
//! The tree knows what a scalar became, its width tells whether it can have been spelt so; only where it cannot is the
//! source's text looked at.

use crate::rules::{Check, Draft, Environment, Object, Reporter, Rule, Scene, credential};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Entry, Node, Number, Origin, Texts, Value, WrittenScalars};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "yaml/implicit-type",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "YAML reads a text as another value than it appears to be",
        page: include_str!("implicit_type.md"),
    },
    check: Check::ObjectAndEnvironment(check, check_values),
};

fn check(object: &Object<'_>, scene: &Scene<'_>, reporter: &mut Reporter) {
    // Nobody writes these by hand, and they are large.
    if object.is("apiextensions.k8s.io", "CustomResourceDefinition") {
        return;
    }
    of_value("", object.manifest.root(), scene.texts, reporter);
}

/// Looks at the values that templates see.
fn check_values(environment: &Environment<'_>, reporter: &mut Reporter) {
    if let Some(values) = environment.values {
        of_written("", values, environment.written, reporter);
    }
}

/// Looks at a value and what is in it, of a document whose texts are known where they are unusual.
fn of_written(key: &str, node: &Node, written: &WrittenScalars, reporter: &mut Reporter) {
    match &node.value {
        Value::Mapping(mapping) => {
            for entry in mapping.entries() {
                of_written(&entry.key, &entry.value, written, reporter);
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| of_written(key, item, written, reporter)),
        Value::Bool(flag) => {
            let text = written.text(node).filter(|text| is_word(text) && !is_switch(key));
            if text.is_some() {
                let message = format!("YAML reads this word as the boolean `{flag}`");
                reporter.report(guarded(Draft::new(&RULE, node.origin, message).hint(QUOTE_WORD), key));
            }
        }
        Value::Number(number) => {
            let oddity = written.text(node).and_then(|text| {
                oddity(text, key, matches!(number, Number::Float(_))).or_else(|| lost_zero(text, key))
            });
            if let Some((message, hint)) = oddity {
                reporter.report(guarded(Draft::new(&RULE, node.origin, message).hint(hint), key));
            }
        }
        Value::Null | Value::String(_) => {}
    }
}

/// A number with a zero at its end, which is a text more often than not: `1.10` is 1.1, and `1.0` is 1.
fn lost_zero(text: &str, key: &str) -> Option<(&'static str, &'static str)> {
    let is_fraction = text.contains('.') && text.ends_with('0') && !is_quantity(key);
    is_fraction.then_some(("YAML reads this as a number, without the zero at its end", QUOTE_OR_DECIMAL))
}

/// Looks at a value and what is in it: readers bound how deep that is.
fn of_value(key: &str, node: &Node, texts: &Texts, reporter: &mut Reporter) {
    match &node.value {
        Value::Bool(flag) if node.origin.width != if *flag { 4 } else { 5 } => {
            if let Some(draft) = of_bool(node.origin, key, texts) {
                reporter.report(guarded(draft, key));
            }
        }
        Value::Number(number) if !is_plain(*number, node.origin.width) => {
            if let Some(draft) = of_number(*number, node.origin, key, texts) {
                reporter.report(guarded(draft, key));
            }
        }
        Value::Mapping(mapping) => {
            for entry in mapping.entries() {
                if let Some(draft) = of_key(entry, texts) {
                    reporter.report(draft);
                }
                // Most are texts, of which nothing is to be said.
                if !matches!(entry.value.value, Value::String(_)) {
                    of_value(&entry.key, &entry.value, texts, reporter);
                }
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| of_value(key, item, texts, reporter)),
        _ => {}
    }
}

/// What may be a password is not shown.
fn guarded(draft: Draft, key: &str) -> Draft {
    if key == "value" || credential::is_named_so(key) { draft.confidential() } else { draft }
}

/// The text of a plain scalar; none where it is quoted, tagged, or an alias.
fn plain(texts: &Texts, origin: Origin) -> Option<&str> {
    let text = texts.spelling(origin)?;
    (!text.is_empty() && !text.starts_with(['"', '\'', '*', '&', '!', '|', '>', '?'])).then_some(text)
}

fn is_word(text: &str) -> bool {
    ["n", "no", "off", "on", "y", "yes"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn of_bool(at: Origin, key: &str, texts: &Texts) -> Option<Draft> {
    plain(texts, at).filter(|text| is_word(text) && !is_switch(key))?;
    Some(Draft::new(&RULE, at, "YAML reads this word as a boolean").hint(QUOTE_WORD))
}

/// Whether a field is surely meant to be a boolean.
fn is_switch(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["disable", "disabled", "enable", "enabled"].iter().any(|end| key.ends_with(end))
}

/// Whether a number can be spelt as everybody would spell it.
fn is_plain(number: Number, width: u32) -> bool {
    let digits = |magnitude: u64| magnitude.checked_ilog10().unwrap_or(0) + 1;
    match number {
        Number::Int(int) => width == digits(int.unsigned_abs()) + u32::from(int < 0),
        Number::Uint(uint) => width == digits(uint),
        Number::Float(_) => false,
    }
}

fn of_number(number: Number, at: Origin, key: &str, texts: &Texts) -> Option<Draft> {
    let text = plain(texts, at)?;
    let (message, hint) = oddity(text, key, matches!(number, Number::Float(_)))?;
    Some(Draft::new(&RULE, at, message).hint(hint))
}

const QUOTE_WORD: &str = "put it in quotes if it is a text; write `true` or `false` if it is a switch";
const QUOTE_OR_DECIMAL: &str =
    "put it in quotes if it is a text; write the number in decimal digits if it is one";

/// What is odd about the spelling of a number.
fn oddity(text: &str, key: &str, is_float: bool) -> Option<(&'static str, &'static str)> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let message = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => "YAML reads this as a hexadecimal number",
        [b'0', b'o' | b'O', ..] if !is_mode(key) => "YAML reads this as an octal number",
        [b'0', b'b' | b'B', ..] => "YAML reads this as a binary number",
        _ if unsigned.contains('_') => "YAML takes the underscores out of this number",
        [b'0', b'0'..=b'9', ..] if is_mode(key) => return None,
        [b'0', b'0'..=b'9', rest @ ..] if rest.iter().all(|byte| matches!(byte, b'0'..=b'7')) => {
            "YAML reads this as an octal number, since it starts with a zero"
        }
        [b'0', b'0'..=b'9', ..] => "YAML takes the zero in front of this number away",
        _ if unsigned.contains(['e', 'E']) && !unsigned.contains('.') && !is_quantity(key) => {
            "YAML reads this as a number with an exponent"
        }
        _ if text.starts_with('+') => "YAML takes the plus sign in front of this number away",
        _ if is_version(key) && unsigned.contains('.') && unsigned.ends_with('0') => {
            let hint = "put it in quotes: a version is a text";
            return Some(("YAML reads this version as a number, without the zero at its end", hint));
        }
        digits if is_float && digits.len() > 15 && digits.iter().all(u8::is_ascii_digit) => {
            "this number has more digits than Kubernetes keeps"
        }
        _ => return None,
    };
    Some((message, QUOTE_OR_DECIMAL))
}

/// Whether a field is for file modes, which everybody writes in octal.
fn is_mode(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["mode", "umask", "permission", "permissions"].iter().any(|end| key.ends_with(end))
}

/// Whether a field is for an amount, which may have an exponent.
fn is_quantity(key: &str) -> bool {
    matches!(key, "cpu" | "ephemeral-storage" | "memory" | "sizeLimit" | "storage") || key.contains('/')
}

fn is_version(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["release", "revision", "tag", "version"].iter().any(|end| key.ends_with(end))
}

fn of_key(entry: &Entry, texts: &Texts) -> Option<Draft> {
    let key = entry.key.as_str();
    // Only what is a boolean or a number now can have been spelt otherwise.
    if !matches!(key.as_bytes().first()?, b'-' | b'.' | b'0'..=b'9' | b'f' | b't')
        || entry.key_origin.width as usize == key.len()
    {
        return None;
    }
    let is_boolean = matches!(key, "false" | "true");
    if !is_boolean && key.starts_with(['f', 't']) {
        return None;
    }
    let text = plain(texts, entry.key_origin).filter(|text| *text != key)?;
    let draft = |message| Some(Draft::new(&RULE, entry.key_origin, message).hint("put the key in quotes"));
    if is_boolean {
        return if is_word(text) { draft("YAML reads this key as a boolean") } else { None };
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    if is_number { draft("YAML reads this key as a number, and spells it otherwise") } else { None }
}
