//! `seal/renamed`.

use std::collections::HashMap;

use super::sealed_secret::{is_sealed_secret, items};
use crate::facts::checked_object::CheckedObject;
use crate::facts::scene::CheckedApp;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_secrets::SealingScope;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "seal/renamed",
        severity: Severity::Warning,
        summary: "a SealedSecret has another name or namespace than it was sealed for",
        text: include_str!("renamed.md"),
    },
    RuleCheck::App(check),
);

/// Minimum length of a sealed value.
const SHORTEST: usize = 300;

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    let mut seen: HashMap<&str, SealedValue<'_>> = HashMap::new();
    for (index, environment) in app.environments.iter().enumerate() {
        for (number, object) in environment.indexed_objects().filter(|(_, object)| is_sealed_secret(object)) {
            let scope = SealingScope::from_annotation_map(object.manifest.annotations());
            if let Some(draft) = check_reuse(&mut seen, object, scope) {
                reporter.report(draft.about_object_in(index, number));
            } else if let Some(draft) = check_origin(object, scope) {
                reporter.report(draft.about_object_in(index, number));
            }
        }
    }
}

/// The label that a ciphertext is sealed for, as far as known, and its position.
struct SealedValue<'a> {
    label: (&'a str, &'a str),
    at: Origin,
}

/// Reports a ciphertext that also exists under another label.
fn check_reuse<'a>(
    seen: &mut HashMap<&'a str, SealedValue<'a>>,
    object: &CheckedObject<'a>,
    scope: SealingScope,
) -> Option<FindingDraft> {
    let label = match scope {
        SealingScope::ClusterWide => ("", ""),
        SealingScope::NamespaceWide => (object.namespace, ""),
        SealingScope::Strict => (object.namespace, object.name),
    };
    let mut first = None;
    for entry in items(object) {
        let Some(text) = entry.value.as_str().filter(|text| text.len() >= SHORTEST) else { continue };
        let known = seen.entry(text).or_insert(SealedValue { label, at: entry.key_origin });
        if known.label != label {
            first = first.or(Some(known.at));
        }
    }
    first.map(|first| {
        FindingDraft::new(
            &RULE,
            object.name_origin(),
            "the same ciphertext exists under another name or namespace, and can be opened under at most one of them",
        )
        .severity(Severity::Error)
        .related(first, "the other one is here")
        .hint("seal the values once for each name and namespace, or with a wider scope")
    })
}

/// Reports a name or namespace that comes from another file than the object.
fn check_origin(object: &CheckedObject<'_>, scope: SealingScope) -> Option<FindingDraft> {
    let source = object.manifest.origin().source;
    for (field, counts) in
        [("name", scope == SealingScope::Strict), ("namespace", scope != SealingScope::ClusterWide)]
    {
        let Some(at) = place(object, field).filter(|at| counts && at.source != source) else { continue };
        if is_sealed_for_it(object, field) {
            continue;
        }
        let message = format!("a patch changes the {field} that the values were sealed for");
        return Some(
            FindingDraft::new(&RULE, at, message)
                .related(object.manifest.origin(), "the SealedSecret is here")
                .hint("seal the values for the new name and namespace, or with a wider scope"),
        );
    }
    let metadata = object.manifest.root().get("metadata")?;
    let is_filled_in = metadata.get("namespace").is_some_and(|namespace| namespace.origin == metadata.origin);
    (is_filled_in && scope != SealingScope::ClusterWide && !is_sealed_for_it(object, "namespace")).then(
        || {
            FindingDraft::new(
                &RULE,
                object.name_origin(),
                "the SealedSecret has no namespace of its own and gets the app's",
            )
            .severity(Severity::Note)
            .hint("write the namespace that the values were sealed for")
        },
    )
}

fn place(object: &CheckedObject<'_>, field: &str) -> Option<Origin> {
    object.manifest.root().at(&["metadata", field]).map(|node| node.origin)
}

/// Returns whether the template, which kubeseal fills in, shows that the values were sealed for the current metadata.
fn is_sealed_for_it(object: &CheckedObject<'_>, field: &str) -> bool {
    let root = object.manifest.root();
    let non_empty =
        |path: &[&str]| root.at(path).filter(|node| node.as_str().is_some_and(|text| !text.is_empty()));
    let (Some(own), Some(there)) =
        (non_empty(&["metadata", field]), non_empty(&["spec", "template", "metadata", field]))
    else {
        return false;
    };
    own.as_str() == there.as_str() && there.origin.source == root.origin.source
}
