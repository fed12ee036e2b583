//! `seal/renamed`.

use std::collections::HashMap;

use super::{Scope, is_sealed_secret, items};
use crate::rules::{App, Check, Draft, Object, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "seal/renamed",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a SealedSecret has another name or namespace than it was sealed for",
        page: include_str!("renamed.md"),
    },
    check: Check::App(check),
};

/// Shorter texts are no sealed values.
const SHORTEST: usize = 300;

fn check(app: &App<'_>, reporter: &mut Reporter) {
    let mut seen: HashMap<&str, Sealed<'_>> = HashMap::new();
    for (environment, scene) in app.environments.iter().enumerate() {
        for (number, object) in
            scene.objects.iter().enumerate().filter(|(_, object)| is_sealed_secret(object))
        {
            let scope = Scope::of(object.manifest.annotations());
            if let Some(draft) = twice(&mut seen, object, scope) {
                reporter.report(draft.about_in(environment, number));
            } else if let Some(draft) = moved(object, scope) {
                reporter.report(draft.about_in(environment, number));
            }
        }
    }
}

/// What a ciphertext is sealed for, as far as that shows, and where.
struct Sealed<'a> {
    label: (&'a str, &'a str),
    at: Origin,
}

/// A ciphertext that was seen under another label.
fn twice<'a>(seen: &mut HashMap<&'a str, Sealed<'a>>, object: &Object<'a>, scope: Scope) -> Option<Draft> {
    let label = match scope {
        Scope::ClusterWide => ("", ""),
        Scope::NamespaceWide => (object.namespace, ""),
        Scope::Strict => (object.namespace, object.name),
    };
    let mut first = None;
    for entry in items(object) {
        let Some(text) = entry.value.as_str().filter(|text| text.len() >= SHORTEST) else { continue };
        let known = seen.entry(text).or_insert(Sealed { label, at: entry.key_origin });
        if known.label != label {
            first = first.or(Some(known.at));
        }
    }
    first.map(|first| {
        Draft::new(
            &RULE,
            object.name_at(),
            "its values also stand under another name or namespace, and open under one of them at most",
        )
        .severity(Severity::Error)
        .related(first, "the same ciphertext")
        .hint("seal the values once for each name and namespace, or with a wider scope")
    })
}

/// A name or namespace that comes from elsewhere than the object.
fn moved(object: &Object<'_>, scope: Scope) -> Option<Draft> {
    let source = object.manifest.origin().source;
    for (field, counts) in [("name", scope == Scope::Strict), ("namespace", scope != Scope::ClusterWide)] {
        let Some(at) = place(object, field).filter(|at| counts && at.source != source) else { continue };
        if is_sealed_for_it(object, field) {
            continue;
        }
        let message = format!("a patch changes the {field} that the values were sealed for");
        return Some(
            Draft::new(&RULE, at, message)
                .related(object.manifest.origin(), "the SealedSecret is here")
                .hint("seal the values for the new name and namespace, or with a wider scope"),
        );
    }
    let metadata = object.manifest.root().get("metadata")?;
    let given = metadata.get("namespace").is_some_and(|namespace| namespace.origin == metadata.origin);
    (given && scope != Scope::ClusterWide && !is_sealed_for_it(object, "namespace")).then(|| {
        Draft::new(&RULE, object.name_at(), "it has no namespace of its own, and gets the app's")
            .severity(Severity::Note)
            .hint("write the namespace that the values were sealed for")
    })
}

fn place(object: &Object<'_>, field: &str) -> Option<Origin> {
    object.manifest.root().at(&["metadata", field]).map(|node| node.origin)
}

/// Whether the template, which kubeseal fills, says that the values were sealed for what the metadata have now.
fn is_sealed_for_it(object: &Object<'_>, field: &str) -> bool {
    let root = object.manifest.root();
    let of = |path: &[&str]| root.at(path).filter(|node| node.as_str().is_some_and(|text| !text.is_empty()));
    let (Some(own), Some(there)) = (of(&["metadata", field]), of(&["spec", "template", "metadata", field]))
    else {
        return false;
    };
    own.as_str() == there.as_str() && there.origin.source == root.origin.source
}
