//! The common part of the rules `reference/missing-…`: a required object that nothing creates.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::grants::allows;
use crate::facts::inventory::{MissingImpact, Requirement, kind_name, named_by_programs};
use crate::facts::later_stage::is_template;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::Rule;
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::pods::ReferencedKind;

/// Reports the missing objects of a kind, once for each object that requires them.
pub(super) fn check(
    rule: &'static Rule,
    wanted_kind: ReferencedKind,
    environment: &CheckedEnvironment<'_>,
    reporter: &mut Reporter,
) {
    let missing = missing(wanted_kind, environment);
    let names: BTreeSet<&str> = missing.iter().map(|want| want.name).collect();
    let programs = named_by_programs(&environment.objects, &names);
    let mut seen: BTreeMap<(ObjectIndex, &str, &str), (&Requirement<'_>, MissingImpact)> = BTreeMap::new();
    for want in missing {
        let by_another = |by: &BTreeSet<ObjectIndex>| by.iter().any(|object| *object != want.object);
        if programs.get(want.name).is_some_and(by_another) {
            continue;
        }
        let found = seen.entry((want.object, want.namespace, want.name)).or_insert((want, want.impact));
        if want.impact == MissingImpact::NoPodStarts {
            found.1 = MissingImpact::NoPodStarts;
        }
    }
    // A program that may create such objects may create this one.
    let made_later = !seen.is_empty() && allows(&environment.objects, wanted_kind, &["create"]);
    for (want, weight) in seen.into_values() {
        let weight = if made_later { MissingImpact::Degraded } else { weight };
        let message = format!("{} `{}` does not exist", kind_name(wanted_kind), want.name);
        reporter.report(
            FindingDraft::new(rule, want.at, message)
                .about_object(want.object)
                .severity(environment.severity_of_missing(wanted_kind, weight))
                .hint(hint(wanted_kind, want, environment)),
        );
    }
}

fn missing<'b, 'a>(
    wanted_kind: ReferencedKind,
    environment: &'b CheckedEnvironment<'a>,
) -> Vec<&'b Requirement<'a>> {
    let inventory = &environment.inventory;
    let wants = inventory.requirements().iter().filter(|want| want.kind == wanted_kind && !want.optional);
    wants
        // The name of a template is unknown.
        .filter(|want| !is_template(want.name) && !want.name.contains("$("))
        .filter(|want| !inventory.has(wanted_kind, want.namespace, want.name))
        .filter(|want| !environment.exists_elsewhere("", kind_name(wanted_kind), want.namespace, want.name))
        .collect()
}

/// Returns the other kind, if an object with that name and kind exists.
fn other_kind(
    wanted_kind: ReferencedKind,
    want: &Requirement<'_>,
    environment: &CheckedEnvironment<'_>,
) -> Option<&'static str> {
    let other = match wanted_kind {
        ReferencedKind::ConfigMap => ReferencedKind::Secret,
        ReferencedKind::Secret => ReferencedKind::ConfigMap,
        _ => return None,
    };
    let made = !environment.inventory.producers(other, want.namespace, want.name).is_empty();
    made.then(|| kind_name(other))
}

fn hint(wanted_kind: ReferencedKind, want: &Requirement<'_>, environment: &CheckedEnvironment<'_>) -> String {
    let (kind, name) = (kind_name(wanted_kind), want.name);
    let namespace = if want.namespace.is_empty() { "*" } else { want.namespace };
    let declare = if environment.is_plain() {
        format!(
            "validate it together with the object that creates it, or declare it as existing elsewhere: \
            `--external {kind}/{namespace}/{name}`"
        )
    } else {
        format!(
            "if it exists elsewhere, declare it: `validate.external: [{kind}/{namespace}/{name}]` in `sealwave.yaml`, or \
             `--external {kind}/{namespace}/{name}`"
        )
    };
    if let Some(other) = environment.inventory.namespace_of(wanted_kind, name) {
        return format!(
            "one exists in namespace `{other}`, but only those in the same namespace count; {declare}"
        );
    }
    if let Some(other) = other_kind(wanted_kind, want, environment) {
        return format!("a {other} of this name exists: refer to that kind, or correct the name; {declare}");
    }
    match environment.inventory.similar_name(wanted_kind, want.namespace, name) {
        Some(meant) => format!("did you mean `{meant}`? {declare}"),
        None => declare,
    }
}
