//! `reference/missing-key`.

use std::collections::BTreeSet;

use super::files::sub_path_mounts;
use crate::facts::inventory::{ObjectKeys, Producer, Requirement, kind_name};
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_core::names::is_item_key;
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/missing-key",
        severity: Severity::Error,
        summary: "an object reads a key that the Secret or ConfigMap does not have",
        text: include_str!("missing_key.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut seen: BTreeSet<(ObjectIndex, Origin)> = BTreeSet::new();
    for want in
        environment.inventory.requirements().iter().filter(|want| !want.optional && !want.keys.is_empty())
    {
        if !matches!(want.kind, ReferencedKind::ConfigMap | ReferencedKind::Secret) {
            continue;
        }
        let supplies = environment.inventory.producers(want.kind, want.namespace, want.name);
        for (key, at) in &want.keys {
            let absent = match supplies.first() {
                Some(_) => !supplies.iter().any(|supply| supply.contents.may_have(key)),
                None => environment.neighbors.is_key_missing(
                    want.kind.group_and_kind(),
                    want.namespace,
                    want.name,
                    key,
                ),
            };
            if absent && seen.insert((want.object, *at)) {
                reporter.report(draft(environment, want, (key, *at), supplies.first().copied()));
            }
        }
    }
    check_files(environment, reporter);
}

/// Checks single files that are mounted; a missing one becomes an empty directory.
fn check_files(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    for (number, object) in environment.indexed_objects() {
        for mounted in sub_path_mounts(object) {
            if !mounted.is_missing(environment, object.namespace) {
                continue;
            }
            let volume_kind = kind_name(mounted.volume.kind);
            let message = format!("`{}` is not a file of this {volume_kind} volume", mounted.text);
            reporter.report(
                FindingDraft::new(&RULE, mounted.path.origin, message)
                    .about_object(number)
                    .related(mounted.volume.name.origin, "the volume uses this object")
                    .hint("use one of its keys or `items` paths; otherwise, an empty directory is mounted"),
            );
        }
    }
}

fn draft(
    environment: &CheckedEnvironment<'_>,
    want: &Requirement<'_>,
    (key, at): (&str, Origin),
    made: Option<&Producer<'_>>,
) -> FindingDraft {
    let shown = if is_item_key(key) { format!("key `{key}`") } else { "such key".to_owned() };
    let message = format!("{} `{}` has no {shown}", kind_name(want.kind), want.name);
    let meant = made.and_then(|made| environment.inventory.closest(key, nameable(made)));
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "correct the key or add it; with `optional: true` the pod starts without it".to_owned(),
    };
    let draft = FindingDraft::new(&RULE, at, message).about_object(want.object).hint(hint);
    let Some(made) = made else { return draft };
    // An object in another directory may be for another cluster.
    let severity = if environment.may_be_apart(made.at, at) { Severity::Warning } else { RULE.info.severity };
    let draft =
        draft.severity(severity).related(made.at, format!("the {} is defined here", kind_name(want.kind)));
    if made.shares_lines { draft.confidential() } else { draft }
}

/// Iterates over the keys that a message may show.
fn nameable<'b>(made: &'b Producer<'_>) -> impl Iterator<Item = &'b str> {
    let known = match &made.contents {
        ObjectKeys::Known(_) if made.may_show_keys => Some(made.contents.known_keys()),
        _ => None,
    };
    known.into_iter().flatten().filter(|key| is_item_key(key))
}
