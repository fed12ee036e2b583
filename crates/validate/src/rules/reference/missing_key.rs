//! `reference/missing-key`.

use std::collections::BTreeSet;

use super::files::mounted;
use crate::rules::inventory::{Contents, Supply, Want, kind};
use crate::rules::{Check, Draft, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_core::names::is_item_key;
use sealwave_kube::pods::What;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-key",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an object reads a key that the Secret or ConfigMap does not have",
        page: include_str!("missing_key.md"),
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let mut seen: BTreeSet<(usize, Origin)> = BTreeSet::new();
    for want in environment.inventory.wants().iter().filter(|want| !want.optional && !want.keys.is_empty()) {
        if !matches!(want.what, What::ConfigMap | What::Secret) {
            continue;
        }
        let supplies = environment.inventory.supplies(want.what, want.namespace, want.name);
        for (key, at) in &want.keys {
            let absent = match supplies.first() {
                Some(_) => !supplies.iter().any(|supply| supply.contents.may_have(key)),
                None => environment.neighbours.lacks(want.what.kind(), want.namespace, want.name, key),
            };
            if absent && seen.insert((want.object, *at)) {
                reporter.report(draft(environment, want, (key, *at), supplies.first().copied()));
            }
        }
    }
    check_files(environment, reporter);
}

/// Checks single files that are mounted; a missing one becomes an empty directory.
fn check_files(environment: &Environment<'_>, reporter: &mut Reporter) {
    for (number, object) in environment.objects.iter().enumerate() {
        for mounted in mounted(object) {
            if !mounted.is_absent(environment, object.namespace) {
                continue;
            }
            let volume_kind = kind(mounted.volume.what);
            let message = format!("`{}` is not a file of this {volume_kind} volume", mounted.text);
            reporter.report(
                Draft::new(&RULE, mounted.path.origin, message)
                    .about(number)
                    .related(mounted.volume.name.origin, "the volume uses this object")
                    .hint("use one of its keys or `items` paths; otherwise, an empty directory is mounted"),
            );
        }
    }
}

fn draft(
    environment: &Environment<'_>,
    want: &Want<'_>,
    (key, at): (&str, Origin),
    made: Option<&Supply<'_>>,
) -> Draft {
    let shown = if is_item_key(key) { format!("key `{key}`") } else { "such key".to_owned() };
    let message = format!("{} `{}` has no {shown}", kind(want.what), want.name);
    let meant = made.and_then(|made| environment.inventory.closest(key, nameable(made)));
    let hint = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "correct the key or add it; with `optional: true` the pod starts without it".to_owned(),
    };
    let draft = Draft::new(&RULE, at, message).about(want.object).hint(hint);
    let Some(made) = made else { return draft };
    // An object in another directory may be for another cluster.
    let severity = if environment.may_be_apart(made.at, at) { Severity::Warning } else { RULE.info.severity };
    let draft = draft.severity(severity).related(made.at, format!("the {} is defined here", kind(want.what)));
    if made.shares_lines { draft.confidential() } else { draft }
}

/// Iterates over the keys that a message may show.
fn nameable<'b>(made: &'b Supply<'_>) -> impl Iterator<Item = &'b str> {
    let known = match &made.contents {
        Contents::Keys(_) if made.may_name_keys => Some(made.contents.known()),
        _ => None,
    };
    known.into_iter().flatten().filter(|key| is_item_key(key))
}
