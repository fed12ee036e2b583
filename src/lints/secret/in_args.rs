//! `secret/in-args`.

use super::show;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::credential::{self, Kind};
use crate::lints::metadata::syntax::has_blank;
use crate::lints::pods::containers;
use crate::lints::{Check, Object, Reporter, Rule, Scene};
use crate::model::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/in-args",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a container's command line holds a credential in plaintext",
        explanation: "The command line is part of the workload, so that everybody who may read the repository, the \
                      Deployment or the Pod has it; besides, every process on the node that may read `/proc` sees \
                      it. Tokens, private keys and URIs with a password are errors; the value of an option that only \
                      its name calls a credential is a warning.",
        example: "args:\n- --db-password=Tr0ub4dor&3\n",
        remedy: "Let Kubernetes put it in from a variable, which comes from a Secret:\n\n\
                 ```yaml\nenv:\n- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: {name: db, key: password}\n\
                 args:\n- --db-password=$(DB_PASSWORD)\n```\n\n\
                 Better still, mount the Secret and use the option that takes a file, if there is one.",
    },
    check: Check::Pod(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let Some(pod) = &object.pod else { return };
    for container in containers(pod.spec) {
        for (list, line) in super::command_lines(container) {
            let words = line.items();
            for (number, word) in words.iter().enumerate() {
                let before = number.checked_sub(1).and_then(|at| words.get(at)).and_then(Node::as_str);
                let Some(kind) = word.as_str().and_then(|text| detect_in_word(text, before)) else {
                    continue;
                };
                reporter.report(show::draft(&RULE, kind, word.origin, &format!("`{list}` of a container")));
            }
        }
    }
}

/// Returns the kind of credential in a word of a command line; the word before may be its option.
fn detect_in_word(text: &str, before: Option<&str>) -> Option<Kind> {
    if has_blank(text) {
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
fn detect_in_script(text: &str) -> Option<Kind> {
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
fn detect_in_login(option: &str, word: &str) -> Option<Kind> {
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
