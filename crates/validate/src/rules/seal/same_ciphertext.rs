//! `seal/same-ciphertext`.

use std::collections::HashMap;

use super::sealed_secret::{is_sealed_secret, items};
use crate::facts::checked_object::CheckedObject;
use crate::facts::scene::{AppEnvironment, CheckedApp, CheckedEnvironment};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_core::names::{SEALED_FOR, item_label};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "seal/same-ciphertext",
        severity: Severity::Error,
        summary: "the same ciphertext is used in two clusters, and can be opened in at most one of them",
        text: include_str!("same_ciphertext.md"),
    },
    RuleCheck::App(check),
)
.about(RuleTopic::Security);

/// Minimum length of a sealed value.
const SHORTEST: usize = 300;
/// Maximum number of uses kept per ciphertext.
const PLACES: usize = 8;

/// A use of a ciphertext.
struct SealedUse<'a> {
    environment: usize,
    certificate: Option<&'a str>,
    label: (&'a str, &'a str),
    at: Origin,
}

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    let mut seen: HashMap<&str, Vec<SealedUse<'_>>> = HashMap::new();
    for (number, environment) in app.environments.iter().enumerate() {
        for (object_number, object) in
            environment.indexed_objects().filter(|(_, object)| is_sealed_secret(object))
        {
            if let Some(draft) = first_clash(app, &mut seen, number, object) {
                reporter.report(draft.about_object_in(number, object_number));
            }
        }
    }
}

/// Records the items of an object, and reports the first that is used in another cluster.
fn first_clash<'a>(
    app: &CheckedApp<'a>,
    seen: &mut HashMap<&'a str, Vec<SealedUse<'a>>>,
    environment: usize,
    object: &CheckedObject<'a>,
) -> Option<FindingDraft> {
    let certificate = certificate(app.environments.get(environment)?, object);
    // The same object in two environments belongs to two clusters.
    let label = (object.namespace, object.name);
    let mut found = None;
    for entry in items(object) {
        let Some(text) = entry.value.as_str().filter(|text| text.len() >= SHORTEST) else { continue };
        let used = SealedUse { environment, certificate, label, at: entry.key_origin };
        let known = seen.entry(text).or_default();
        if found.is_none() {
            let clash = |other: &SealedUse<'a>| Some((other.at, severity(app, other, &used)?));
            found = known.iter().find_map(clash).map(|clash| (clash, entry));
        }
        if known.len() < PLACES && !known.iter().any(|other| other.environment == environment) {
            known.push(used);
        }
    }
    let ((first, severity), entry) = found?;
    let message = format!("{} has the ciphertext of another cluster", item_label(&entry.key));
    Some(
        FindingDraft::new(&RULE, entry.key_origin, message)
            .severity(severity)
            .related(first, "the same ciphertext, in another cluster")
            .hint("seal the value for each cluster; environments of one cluster have the same `cluster` in `sealwave.yaml`"),
    )
}

/// Returns the certificate of an object: that of the environment's cluster, or else the one in its annotation.
fn certificate<'a>(environment: &CheckedEnvironment<'a>, object: &CheckedObject<'a>) -> Option<&'a str> {
    environment.certificate().or_else(|| object.manifest.annotation(SEALED_FOR))
}

/// Returns the severity of a ciphertext used in two clusters; `None` if both uses may be in one cluster.
fn severity(app: &CheckedApp<'_>, one: &SealedUse<'_>, other: &SealedUse<'_>) -> Option<Severity> {
    if let (Some(first), Some(second)) = (one.certificate, other.certificate) {
        return (first != second).then_some(Severity::Error);
    }
    let (first, second) = (app.environments.get(one.environment)?, app.environments.get(other.environment)?);
    // Plain manifests may all be for one cluster.
    let (first, second) = (first.app.as_ref()?, second.app.as_ref()?);
    if first.cluster == second.cluster {
        return None;
    }
    let is_named = |environment: &AppEnvironment<'_>| environment.cluster != environment.name;
    let is_known = is_named(first) || is_named(second) || one.label == other.label;
    is_known.then_some(Severity::Warning)
}
