//! `secret/in-args`.

use super::credential_drafts;
use crate::facts::checked_object::CheckedObject;
use crate::facts::credential::{self, CredentialKind};
use crate::facts::name_syntax::has_whitespace;
use crate::facts::pods::containers;
use crate::facts::rule_context::RuleContext;
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/in-args",
        severity: Severity::Warning,
        summary: "a container's command line holds a credential in plaintext",
        text: include_str!("in_args.md"),
    },
    RuleCheck::Pod(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(pod) = &object.pod else { return };
    for container in containers(pod.spec) {
        for (list, line) in super::command_lines::command_lines(container) {
            let words = line.items();
            for (number, word) in words.iter().enumerate() {
                let before = number.checked_sub(1).and_then(|at| words.get(at)).and_then(Node::as_str);
                let Some(kind) = word.as_str().and_then(|text| detect_in_word(text, before)) else {
                    continue;
                };
                reporter.report(credential_drafts::credential_draft(
                    &RULE,
                    kind,
                    word.origin,
                    &format!("`{list}` of a container"),
                ));
            }
        }
    }
}

/// Returns the kind of credential in a word of a command line; the word before may be its option.
fn detect_in_word(text: &str, before: Option<&str>) -> Option<CredentialKind> {
    if has_whitespace(text) {
        return credential::detect_in_lines(text).map(|(_, kind)| kind).or_else(|| detect_in_script(text));
    }
    let (name, value) = match assignment(text) {
        Some((name, value)) => (Some(name), value),
        None => (before.filter(|word| is_option(word)).map(|word| word.trim_start_matches('-')), text),
    };
    credential::detect(None, text)
        .or_else(|| credential::detect(name, value))
        .or_else(|| before.and_then(|before| detect_in_login(before, text)))
        // `--set=auth.password=…`, JSON
        .or_else(|| credential::detect_in_lines(text).map(|(_, kind)| kind))
}

/// Returns the kind of credential in the options and assignments of a script, where plain words are rarely credentials.
fn detect_in_script(text: &str) -> Option<CredentialKind> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ';' | '|' | '&' | '(' | ')'));
    let words: Vec<&str> =
        words.map(|word| word.trim_matches(QUOTES)).filter(|word| !word.is_empty()).collect();
    let mut assignments = words.iter().filter_map(|word| assignment(word));
    assignments
        .find_map(|(name, value)| credential::detect_strictly(name, value.trim_matches(QUOTES)))
        .or_else(|| words.array_windows().find_map(|[before, word]| detect_in_login(before, word)))
}

const QUOTES: [char; 2] = ['"', '\''];

/// Returns the kind of credential in `-u user:password`, an option of curl.
fn detect_in_login(option: &str, word: &str) -> Option<CredentialKind> {
    let (_, password) = word.split_once(':').filter(|_| matches!(option, "-u" | "--user"))?;
    credential::detect_strictly("password", password)
}

fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let name = name.trim_start_matches('-');
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!name.is_empty() && name.chars().all(is_name_char)).then_some((name, value))
}

fn is_option(word: &str) -> bool {
    word.starts_with("--") && !word.contains('=')
}
