//! `config/env-from-invalid-key`.

use std::collections::HashMap;

use crate::facts::inventory::kind_name;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::names::is_item_key;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "config/env-from-invalid-key",
        severity: Severity::Note,
        summary: "`envFrom` uses keys that are not valid variable names",
        text: include_str!("env_from_invalid_key.md"),
    },
    RuleCheck::Environment(check),
);

/// Suffixes of keys that are file names.
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

/// Maximum number of keys that a message lists.
const NAMED: usize = 3;

/// The listed invalid keys of each object, taken with or without a prefix.
type OddKeysCache<'a> = HashMap<(ReferencedKind, &'a str, &'a str, bool), Option<String>>;

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut cache = OddKeysCache::new();
    for (number, object) in environment.indexed_objects() {
        let Some(pod) = &object.pod else { continue };
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for container in pod.spec.items_at(&[list]) {
                for source in container.items_at(&["envFrom"]) {
                    if let Some(draft) = check_source(environment, object.namespace, source, &mut cache) {
                        reporter.report(draft.about_object(number));
                    }
                }
            }
        }
    }
}

fn check_source<'a>(
    environment: &CheckedEnvironment<'_>,
    namespace: &'a str,
    source: &'a Node,
    cache: &mut OddKeysCache<'a>,
) -> Option<FindingDraft> {
    let (source_kind, reference) =
        [("configMapRef", ReferencedKind::ConfigMap), ("secretRef", ReferencedKind::Secret)]
            .into_iter()
            .find_map(|(field, source_kind)| Some((source_kind, source.get(field)?)))?;
    let name = reference.get("name")?;
    let text = name.as_str()?;
    let prefixed = source.get("prefix").and_then(Node::as_str).is_some_and(|prefix| !prefix.is_empty());
    let supplies = environment.inventory.producers(source_kind, namespace, text);
    let made = supplies.first().filter(|made| supplies.len() == 1 && made.may_show_keys)?;
    let odd = cache
        .entry((source_kind, namespace, text, prefixed))
        .or_insert_with(|| odd_keys(made.contents.known_keys(), prefixed))
        .as_deref()?;
    let kind = kind_name(source_kind);
    let message = format!("keys of {kind} `{text}` are not valid variable names: {odd}");
    let draft = FindingDraft::new(&RULE, name.origin, message)
        .related(made.at, format!("the {kind} is defined here"));
    let draft = draft.hint("mount files as a volume; start variable names with a letter");
    Some(if made.shares_lines { draft.confidential() } else { draft })
}

/// Lists the first keys that are not variable names. A key that is not valid at all may be a secret value and is not shown.
fn odd_keys<'a>(keys: impl Iterator<Item = &'a str>, prefixed: bool) -> Option<String> {
    let odd: Vec<&str> = keys.filter(|key| is_odd(key, prefixed)).take(NAMED + 1).collect();
    let named = odd.iter().filter(|key| is_item_key(key)).take(NAMED);
    let named: Vec<String> = named.map(|key| format!("`{key}`")).collect();
    let more = match (odd.len() > named.len(), named.is_empty()) {
        (false, _) => "",
        (true, false) => " and others",
        (true, true) => "(names withheld)",
    };
    (!odd.is_empty()).then(|| named.join(", ") + more)
}

fn is_odd(key: &str, prefixed: bool) -> bool {
    let is_file = FILES.iter().any(|end| key.len() > end.len() && key.ends_with(end));
    is_file || (!prefixed && (key.starts_with(|c: char| c.is_ascii_digit()) || key.starts_with("..")))
}
