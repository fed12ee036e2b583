//! What the rules `reference/missing-…` have in common: something is wanted that nothing makes.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::inventory::{Want, Weight, kind, named_by_programs};
use crate::rules::later_stage::is_template;
use crate::rules::rbac::allows;
use crate::rules::{Draft, Environment, Reporter, Rule};
use sealwave_kube::pods::What;

/// Reports what is wanted of a kind and nowhere made, once for each object that wants it.
pub fn check(rule: &'static Rule, what: What, environment: &Environment<'_>, reporter: &mut Reporter) {
    let missing = missing(what, environment);
    let names: BTreeSet<&str> = missing.iter().map(|want| want.name).collect();
    let programs = named_by_programs(&environment.objects, &names);
    let mut seen: BTreeMap<(usize, &str, &str), (&Want<'_>, Weight)> = BTreeMap::new();
    for want in missing {
        let by_another = |by: &BTreeSet<usize>| by.iter().any(|object| *object != want.object);
        if programs.get(want.name).is_some_and(by_another) {
            continue;
        }
        let found = seen.entry((want.object, want.namespace, want.name)).or_insert((want, want.weight));
        if want.weight == Weight::Needed {
            found.1 = Weight::Needed;
        }
    }
    // A program that may make such objects may make this one.
    let made_later = !seen.is_empty() && allows(&environment.objects, what, &["create"]);
    for (want, weight) in seen.into_values() {
        let weight = if made_later { Weight::Wanted } else { weight };
        let message = format!("there is no {} `{}`", kind(what), want.name);
        reporter.report(
            Draft::new(rule, want.at, message)
                .about(want.object)
                .severity(environment.severity_of_missing(what, weight))
                .hint(hint(what, want, environment)),
        );
    }
}

fn missing<'b, 'a>(what: What, environment: &'b Environment<'a>) -> Vec<&'b Want<'a>> {
    let inventory = &environment.inventory;
    let wants = inventory.wants().iter().filter(|want| want.what == what && !want.optional);
    wants
        // A name that is still a template says nothing.
        .filter(|want| !is_template(want.name) && !want.name.contains("$("))
        .filter(|want| !inventory.has(what, want.namespace, want.name))
        .filter(|want| !environment.exists_elsewhere("", kind(what), want.namespace, want.name))
        .collect()
}

/// The kind of a thing of that name that is made where this kind is wanted.
fn other_kind(what: What, want: &Want<'_>, environment: &Environment<'_>) -> Option<&'static str> {
    let other = match what {
        What::ConfigMap => What::Secret,
        What::Secret => What::ConfigMap,
        _ => return None,
    };
    let made = !environment.inventory.supplies(other, want.namespace, want.name).is_empty();
    made.then(|| kind(other))
}

fn hint(what: What, want: &Want<'_>, environment: &Environment<'_>) -> String {
    let (kind, name) = (kind(what), want.name);
    let namespace = if want.namespace.is_empty() { "*" } else { want.namespace };
    let known = if environment.is_plain() {
        format!(
            "validate it together with what makes it, or say that it exists: `--external {kind}/{namespace}/{name}`"
        )
    } else {
        format!(
            "if it exists anyway, say so: `validate.external: [{kind}/{namespace}/{name}]` in `sealwave.yaml`, or \
             `--external {kind}/{namespace}/{name}`"
        )
    };
    if let Some(other) = environment.inventory.namespace_of(what, name) {
        return format!(
            "there is one in namespace `{other}`, and only those of the own namespace count; {known}"
        );
    }
    if let Some(other) = other_kind(what, want, environment) {
        return format!("there is a {other} of that name: refer to it as one, or correct the name; {known}");
    }
    match environment.inventory.meant(what, want.namespace, name) {
        Some(meant) => format!("did you mean `{meant}`? {known}"),
        None => known,
    }
}
