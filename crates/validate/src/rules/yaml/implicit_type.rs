//! `yaml/implicit-type`.
//!
//! The tree has the parsed value of a scalar, and the width of the scalar shows whether the value has its usual spelling.
//! Only otherwise is the source text read.

use crate::facts::checked_object::CheckedObject;
use crate::facts::credential;
use crate::facts::rule_context::RuleContext;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{
    Mapping, MappingEntry, Node, NodeValue, Number, Origin, SourceTexts, WrittenScalars,
};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Document,
    RulePage {
        id: "yaml/implicit-type",
        severity: Severity::Warning,
        summary: "YAML reads a text as another value than it appears to be",
        text: include_str!("implicit_type.md"),
    },
    RuleCheck::ObjectAndEnvironment(check, check_values),
);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    // These objects are generated and large.
    if object.is("apiextensions.k8s.io", "CustomResourceDefinition") {
        return;
    }
    check_value("", object.manifest.root(), context.texts, reporter);
}

/// Checks the values that templates see.
fn check_values(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    if let Some(app) = &environment.app
        && let Some(values) = app.values
    {
        check_written("", values, app.unusual_spellings, reporter);
    }
}

/// Checks a value and its children in a document; only its unusual spellings are known.
fn check_written(key: &str, node: &Node, written: &WrittenScalars, reporter: &mut Reporter) {
    match &node.value {
        NodeValue::Mapping(mapping) => {
            for entry in mapping.entries() {
                check_written(&entry.key, &entry.value, written, reporter);
            }
        }
        NodeValue::Sequence(items) => {
            for item in items {
                check_written(key, item, written, reporter);
            }
        }
        NodeValue::Bool(flag) => {
            let text = written.text(node).filter(|text| is_word(text) && !is_switch(key));
            if text.is_some() {
                let message = format!("YAML reads this word as the boolean `{flag}`");
                reporter.report(confidential_if_secret(
                    FindingDraft::new(&RULE, node.origin, message).hint(QUOTE_WORD),
                    key,
                ));
            }
        }
        NodeValue::Number(number) => {
            let finding = written.text(node).and_then(|text| {
                unusual_spelling(text, key, matches!(number, Number::Float(_)))
                    .or_else(|| trailing_zero(text, key))
            });
            if let Some((message, hint)) = finding {
                reporter.report(confidential_if_secret(
                    FindingDraft::new(&RULE, node.origin, message).hint(hint),
                    key,
                ));
            }
        }
        NodeValue::Null | NodeValue::String(_) => {}
    }
}

/// Returns message and hint for a number with a trailing zero, which is usually meant as a string: `1.10` is read as 1.1.
fn trailing_zero(text: &str, key: &str) -> Option<(&'static str, &'static str)> {
    let is_fraction = text.contains('.') && text.ends_with('0') && !is_quantity(key);
    is_fraction.then_some(("YAML reads this as a number and drops the trailing zero", QUOTE_OR_DECIMAL))
}

/// Checks a value and its children; parsers bound the depth.
fn check_value(key: &str, node: &Node, texts: &SourceTexts, reporter: &mut Reporter) {
    match &node.value {
        NodeValue::Bool(flag) if node.origin.width != if *flag { 4 } else { 5 } => {
            if let Some(draft) = check_bool(node.origin, key, texts) {
                reporter.report(confidential_if_secret(draft, key));
            }
        }
        NodeValue::Number(number) if !is_plain(*number, node.origin.width) => {
            if let Some(draft) = check_number(*number, node.origin, key, texts) {
                reporter.report(confidential_if_secret(draft, key));
            }
        }
        NodeValue::Mapping(mapping) => {
            for entry in mapping.entries() {
                if let Some(draft) = check_key(entry, texts) {
                    reporter.report(draft);
                }
                if let Some(draft) = check_decimal_mode(mapping, entry) {
                    reporter.report(draft);
                }
                // Most values are strings, which need no check.
                if !matches!(entry.value.value, NodeValue::String(_)) {
                    check_value(&entry.key, &entry.value, texts, reporter);
                }
            }
        }
        NodeValue::Sequence(items) => items.iter().for_each(|item| check_value(key, item, texts, reporter)),
        _ => {}
    }
}

/// Makes a finding confidential if the value may be a password.
fn confidential_if_secret(draft: FindingDraft, key: &str) -> FindingDraft {
    if key == "value" || credential::is_credential_name(key) { draft.confidential() } else { draft }
}

/// Returns the text of a plain scalar; `None` if it is quoted, tagged or an alias.
fn plain(texts: &SourceTexts, origin: Origin) -> Option<&str> {
    let text = texts.spelling(origin)?;
    (!text.is_empty() && !text.starts_with(['"', '\'', '*', '&', '!', '|', '>', '?'])).then_some(text)
}

fn is_word(text: &str) -> bool {
    ["n", "no", "off", "on", "y", "yes"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn check_bool(at: Origin, key: &str, texts: &SourceTexts) -> Option<FindingDraft> {
    plain(texts, at).filter(|text| is_word(text) && !is_switch(key))?;
    Some(FindingDraft::new(&RULE, at, "YAML reads this word as a boolean").hint(QUOTE_WORD))
}

/// Returns whether a field is certainly meant to be a boolean.
fn is_switch(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["disable", "disabled", "enable", "enabled"].iter().any(|end| key.ends_with(end))
}

/// Returns whether the width of a number matches its usual spelling.
fn is_plain(number: Number, width: u32) -> bool {
    let digits = |magnitude: u64| magnitude.checked_ilog10().unwrap_or(0) + 1;
    match number {
        Number::Int(int) => width == digits(int.unsigned_abs()) + u32::from(int < 0),
        Number::Uint(uint) => width == digits(uint),
        Number::Float(_) => false,
    }
}

fn check_number(number: Number, at: Origin, key: &str, texts: &SourceTexts) -> Option<FindingDraft> {
    let text = plain(texts, at)?;
    let (message, hint) = unusual_spelling(text, key, matches!(number, Number::Float(_)))?;
    Some(FindingDraft::new(&RULE, at, message).hint(hint))
}

const QUOTE_WORD: &str = "quote it if it is a string; write `true` or `false` if it is a boolean";
const QUOTE_OR_DECIMAL: &str = "quote it if it is a string; write a decimal number if it is a number";

/// Returns message and hint for an unusual spelling of a number.
fn unusual_spelling(text: &str, key: &str, is_float: bool) -> Option<(&'static str, &'static str)> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let message = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => "YAML reads this as a hexadecimal number",
        [b'0', b'o' | b'O', ..] if !is_mode(key) => "YAML reads this as an octal number",
        [b'0', b'b' | b'B', ..] => "YAML reads this as a binary number",
        _ if unsigned.contains('_') => "YAML drops the underscores of this number",
        [b'0', b'0'..=b'9', ..] if is_mode(key) => return None,
        [b'0', b'0'..=b'9', rest @ ..] if rest.iter().all(|byte| matches!(byte, b'0'..=b'7')) => {
            "YAML reads this as an octal number, since it starts with a zero"
        }
        [b'0', b'0'..=b'9', ..] => "YAML drops the leading zero of this number",
        _ if unsigned.contains(['e', 'E']) && !unsigned.contains('.') && !is_quantity(key) => {
            "YAML reads this as a number with an exponent"
        }
        _ if text.starts_with('+') => "YAML drops the plus sign of this number",
        _ if is_version(key) && unsigned.contains('.') && unsigned.ends_with('0') => {
            let hint = "quote it: a version is a string";
            return Some(("YAML reads this version as a number and drops the trailing zero", hint));
        }
        digits if is_float && digits.len() > 15 && digits.iter().all(u8::is_ascii_digit) => {
            "this number has more digits than Kubernetes keeps"
        }
        _ => return None,
    };
    Some((message, QUOTE_OR_DECIMAL))
}

/// Returns whether a field is for file modes, which are usually octal.
fn is_mode(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["mode", "umask", "permission", "permissions"].iter().any(|end| key.ends_with(end))
}

/// Decimal numbers that look like usual octal modes, and can be modes: the API server refuses those above 511.
const DECIMAL_MODES: &[(i64, &str)] = &[(400, "0620"), (440, "0670"), (444, "0674"), (500, "0764")];

/// Checks the mode of a volume's files.
fn check_decimal_mode(mapping: &Mapping, entry: &MappingEntry) -> Option<FindingDraft> {
    let NodeValue::Number(number @ Number::Int(mode)) = entry.value.value else { return None };
    let is_mode = match entry.key.as_str() {
        "defaultMode" => true,
        "mode" => mapping.get("path").is_some(),
        _ => return None,
    };
    let (_, meaning) = DECIMAL_MODES.iter().find(|(decimal, _)| *decimal == mode)?;
    let message = format!("YAML reads this as a decimal number, which is the file mode {meaning}");
    let draft = FindingDraft::new(&RULE, entry.value.origin, message);
    (is_mode && is_plain(number, entry.value.origin.width))
        .then(|| draft.hint("write the mode with a leading zero"))
}

/// Returns whether a field is for a quantity, which may have an exponent.
fn is_quantity(key: &str) -> bool {
    matches!(key, "cpu" | "ephemeral-storage" | "memory" | "sizeLimit" | "storage") || key.contains('/')
}

fn is_version(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["release", "revision", "tag", "version"].iter().any(|end| key.ends_with(end))
}

fn check_key(entry: &MappingEntry, texts: &SourceTexts) -> Option<FindingDraft> {
    let key = entry.key.as_str();
    // Only booleans and numbers can have another spelling.
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
    let draft = |message| Some(FindingDraft::new(&RULE, entry.key_origin, message).hint("quote the key"));
    if is_boolean {
        return if is_word(text) { draft("YAML reads this key as a boolean") } else { None };
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    if is_number { draft("YAML reads this key as a number and changes its spelling") } else { None }
}
