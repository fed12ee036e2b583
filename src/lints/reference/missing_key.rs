//! `reference/missing-key`.

use std::collections::BTreeSet;

use super::files::mounted;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::inventory::{Contents, Supply, Want, kind};
use crate::lints::{Check, Draft, Environment, Reporter, Rule};
use crate::model::pods::What;
use crate::model::{Origin, is_item_key};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-key",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a key is read of a Secret or ConfigMap that does not have it",
        explanation: "The object is there, the key is not: a container with such a variable stays in \
                      CreateContainerConfigError, a pod with such a file in ContainerCreating. It often comes from renaming a \
                      key in one place only. A `subPath` that is no key, nor a path of the volume's `items`, mounts an empty directory where \
                      the program looks for a file. Of an object whose keys are not known here (an ExternalSecret with `dataFrom`, \
                      a Secret that a controller fills) nothing is reported. Among plain manifests, an object of another \
                      directory may be that of another cluster; the finding is a warning then.",
        example: "kind: ConfigMap\nmetadata: {name: settings}\ndata: {logLevel: info}\n---\n…\n\
                  configMapKeyRef: {name: settings, key: log-level}\n",
        remedy: "Correct the key, or add it to the object. If the pod may start without it, say `optional: true`.",
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
