//! `secret/one-step-switch`.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::rule_context::BackendPair;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleInput, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::pods::ReferencedKind;
use sealwave_secrets::settings::BackendKind;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/one-step-switch",
        severity: Severity::Error,
        summary: "the backend of a Secret that pods use changes in one step",
        text: include_str!("one_step_switch.md"),
    },
    RuleCheck::Environment(check),
)
.depending_on(RuleInput::EarlierRevision);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let earlier = &environment.context.settings.earlier;
    let Some(pair) = environment.name().and_then(|name| earlier.environments.get(name)) else { return };
    let used = used_secrets(environment);
    let secrets: BTreeSet<ObjectIndex> = environment.secrets().iter().map(|one| one.object).collect();
    for number in secrets {
        let Some(secret) = environment.object(number) else { continue };
        let Some((before, now)) = one_step(pair, secret.namespace, secret.name) else { continue };
        let file = environment.context.sources.location(secret.name_origin()).path;
        let (Some(at), true) = (used.get(&(secret.namespace, secret.name)), earlier.files.contains(&file))
        else {
            continue;
        };
        let message =
            format!("backend changes from `{before}` to `{now}` in one step, and a pod uses the Secret");
        let hint = format!(
            "release the Secret first: `{{from: {before}, to: {now}}}` in one commit, and `{now}` in the next; `sealwave switch --to {now}` prints the lines"
        );
        let draft = FindingDraft::new(&RULE, secret.name_place(), message);
        reporter.report(draft.about_object(number).related(*at, "a pod uses it here").hint(hint));
    }
}

/// Returns the old and the new backend if one replaces the other without a release.
fn one_step(pair: &BackendPair, namespace: &str, name: &str) -> Option<(BackendKind, BackendKind)> {
    let (before, now) = (pair.before.choice_for(namespace, name), pair.now.choice_for(namespace, name));
    let is_released = before.release_to == Some(now.kind);
    (before.kind != now.kind && !is_released).then_some((before.kind, now.kind))
}

/// Returns the Secrets that pods use, by namespace and name, with the first use of each.
fn used_secrets<'a>(environment: &'a CheckedEnvironment<'_>) -> BTreeMap<(&'a str, &'a str), Origin> {
    let mut used = BTreeMap::new();
    for object in environment.objects.iter().filter(|object| object.pod.is_some()) {
        for located in object.references() {
            if located.reference.kind == ReferencedKind::Secret {
                used.entry((object.namespace, located.reference.name)).or_insert(located.origin);
            }
        }
    }
    used
}
