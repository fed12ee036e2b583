//! `config/env-from-invalid-key`.

use std::collections::HashMap;

use crate::rules::inventory::kind;
use crate::rules::{Check, Draft, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::names::is_item_key;
use sealwave_kube::pods::What;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "config/env-from-invalid-key",
        severity: Severity::Note,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "`envFrom` uses keys that are not valid variable names",
        page: include_str!("env_from_invalid_key.md"),
    },
    check: Check::Environment(check),
};

/// How a key ends that is the name of a file.
const FILES: &[&str] = &[
    ".cfg",
    ".conf",
    ".crt",
    ".ini",
    ".jks",
    ".json",
    ".key",
    ".p12",
    ".pem",
    ".properties",
    ".sh",
    ".sql",
    ".toml",
    ".txt",
    ".xml",
    ".yaml",
    ".yml",
];

/// How many keys a message names.
const NAMED: usize = 3;

/// What is said of an object that is taken with or without a prefix.
type Said<'a> = HashMap<(What, &'a str, &'a str, bool), Option<String>>;

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let mut said = Said::new();
    for (number, object) in environment.objects.iter().enumerate() {
        let Some(pod) = &object.pod else { continue };
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for container in pod.spec.get(list).map_or(&[][..], Node::items) {
                for source in container.get("envFrom").map_or(&[][..], Node::items) {
                    if let Some(draft) = source_of(environment, object.namespace, source, &mut said) {
                        reporter.report(draft.about(number));
                    }
                }
            }
        }
    }
}

fn source_of<'a>(
    environment: &Environment<'_>,
    namespace: &'a str,
    source: &'a Node,
    said: &mut Said<'a>,
) -> Option<Draft> {
    let (what, reference) = [("configMapRef", What::ConfigMap), ("secretRef", What::Secret)]
        .into_iter()
        .find_map(|(field, what)| Some((what, source.get(field)?)))?;
    let name = reference.get("name")?;
    let text = name.as_str()?;
    let prefixed = source.get("prefix").and_then(Node::as_str).is_some_and(|prefix| !prefix.is_empty());
    let supplies = environment.inventory.supplies(what, namespace, text);
    let made = supplies.first().filter(|made| supplies.len() == 1 && made.may_name_keys)?;
    let odd = said
        .entry((what, namespace, text, prefixed))
        .or_insert_with(|| odd_keys(made.contents.known(), prefixed))
        .as_deref()?;
    let kind = kind(what);
    let message = format!("keys of {kind} `{text}` are no names of variables: {odd}");
    let draft = Draft::new(&RULE, name.origin, message).related(made.at, format!("the {kind} is made here"));
    let draft = draft.hint("mount files as a volume; start names of variables with a letter");
    Some(if made.shares_lines { draft.confidential() } else { draft })
}

/// The first of the keys that are no names of variables. What is no key at all may be a value, and is not named.
fn odd_keys<'a>(keys: impl Iterator<Item = &'a str>, prefixed: bool) -> Option<String> {
    let odd: Vec<&str> = keys.filter(|key| is_odd(key, prefixed)).take(NAMED + 1).collect();
    let named = odd.iter().filter(|key| is_item_key(key)).take(NAMED);
    let named: Vec<String> = named.map(|key| format!("`{key}`")).collect();
    let more = match (odd.len() > named.len(), named.is_empty()) {
        (false, _) => "",
        (true, false) => " and others",
        (true, true) => "those that are not valid",
    };
    (!odd.is_empty()).then(|| named.join(", ") + more)
}

fn is_odd(key: &str, prefixed: bool) -> bool {
    let is_file = FILES.iter().any(|end| key.len() > end.len() && key.ends_with(end));
    is_file || (!prefixed && (key.starts_with(|c: char| c.is_ascii_digit()) || key.starts_with("..")))
}
