//! Checks kinds that only a built-in definition defines.
//!
//! The built-in release often differs from the cluster's. Anything that another release may allow (a field, an enum
//! value, a version) is a warning, unless its name is similar to a known one; other violations are errors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::schema_set::SchemaSet;
use crate::facts::checked_object::CheckedObject;
use crate::reporter::FindingDraft;
use crate::rule::Rule;
use crate::rules::{api, schema as rules};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_kube::schema::{KubeVersion, PackedDefinition, Violation, ViolationKind};

/// Kubernetes versions, group and kind.
type PackedSetKey = (Vec<KubeVersion>, &'static str, &'static str);

/// The schemas of built-in definitions, each created on first use of its kind.
#[derive(Debug, Default)]
pub struct PackedSchemas {
    sets: Mutex<BTreeMap<PackedSetKey, Arc<SchemaSet>>>,
}

impl PackedSchemas {
    /// Returns the built-in definition of a kind, and its schemas for the given Kubernetes versions.
    pub(super) fn look_up(
        &self,
        kube_versions: &[KubeVersion],
        group: &str,
        kind: &str,
    ) -> Option<(PackedDefinition, Arc<SchemaSet>)> {
        let definition = PackedDefinition::find(group, kind)?;
        let key = (kube_versions.to_vec(), definition.kind.group.as_str(), definition.kind.kind.as_str());
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let set = sets
            .entry(key)
            .or_insert_with(|| Arc::new(SchemaSet::new(kube_versions, definition.object().iter())));
        Some((definition, Arc::clone(set)))
    }
}

/// Lowers the severity of a finding if another release may allow it.
pub(super) fn soften(violation: &Violation<'_>, draft: FindingDraft) -> FindingDraft {
    let severity = match violation.kind {
        // Distributions, for example of Flux, add their own kinds to such a list.
        ViolationKind::NotInEnum { closest: None, .. } if violation.pointer.as_str().ends_with("/kind") => {
            Severity::Note
        }
        ViolationKind::NotInEnum { closest: None, .. }
        | ViolationKind::UnknownField { closest: None, .. } => Severity::Warning,
        _ => return draft,
    };
    if draft.severity == Severity::Error { draft.severity(severity) } else { draft }
}

/// Adds the release that an object was checked against.
pub(super) fn name_release(definition: PackedDefinition, mut draft: FindingDraft) -> FindingDraft {
    let release = release(definition);
    let checked = format!(
        "checked against {release}, which is built in; pass the definitions of another release with `--crds`"
    );
    draft.hint = Some(draft.hint.map_or_else(|| checked.clone(), |hint| format!("{hint} ({checked})")));
    draft
}

/// Returns the draft for an object in a version that the release does not serve.
pub(super) fn other_version(
    definition: PackedDefinition,
    object: &CheckedObject<'_>,
    at: Origin,
) -> (&'static Rule, FindingDraft) {
    let release = release(definition);
    let what = format!("{} of `{}`", object.kind, object.api_version);
    if definition.kind.is_superseded(object.version) {
        let hint = definition.kind.preferred().map_or_else(
            || "remove the object".to_owned(),
            |preferred| format!("write `{preferred}`, and compare the fields"),
        );
        let draft = FindingDraft::new(&api::REMOVED, at, format!("{what} is not served by {release}"));
        return (&api::REMOVED, draft.severity(Severity::Warning).hint(hint));
    }
    let message = format!("{what} is not known to {release}; fields of its objects were not checked");
    (&rules::UNKNOWN_KIND, FindingDraft::new(&rules::UNKNOWN_KIND, at, message))
}

fn release(PackedDefinition { release, .. }: PackedDefinition) -> String {
    format!("{} {}", release.project, release.release)
}
