//! Downgrades errors in plain manifests that a later build fixes: fields set by Kustomize or patched by Flux.
//!
//! Only fields that the build is known to set count. Nothing is built here: such an error becomes a note, and remains
//! an error in the built manifests.

use super::kustomization::KustomizedFiles;
use crate::{Finding, rules};
use sealwave_core::diagnostic::Severity;

/// The later builds of a set of plain manifests.
pub(super) struct BuildCompletion<'a>(&'a KustomizedFiles);

impl<'a> BuildCompletion<'a> {
    pub(super) const fn new(kustomized: &'a KustomizedFiles) -> Self {
        Self(kustomized)
    }

    /// Downgrades a problem that a build fixes to a note.
    pub(super) fn soften(&self, finding: &mut Finding) {
        if finding.severity == Severity::Note {
            return;
        }
        let note = if self.is_set_by_kustomize(finding) {
            "a kustomization lists this file and may set the field; validate the output of Kustomize"
        } else if self.is_patched_by_flux(finding) {
            "a patch of a Flux Kustomization may set the field; validate the patched manifests"
        } else {
            return;
        };
        finding.severity = Severity::Note;
        finding.hint =
            Some(finding.hint.take().map_or_else(|| note.to_owned(), |hint| format!("{hint} ({note})")));
    }

    /// Reports whether the finding is about a field that `namespace` or `labels` of a kustomization sets, or a name.
    fn is_set_by_kustomize(&self, finding: &Finding) -> bool {
        let is_settable = match finding.rule.id {
            id if id == rules::schema::REQUIRED.info.id => {
                finding.pointer == "/spec/selector" || finding.pointer.ends_with("/service/namespace")
            }
            id if id == rules::resource::rbac::RULE.info.id => finding.missing_field == Some("namespace"),
            // `namespace` renames Namespaces too; other names are replaced if they contain a Kustomize variable.
            id if id == rules::metadata::name::RULE.info.id => finding
                .object
                .as_ref()
                .is_some_and(|object| object.kind == "Namespace" || object.name.contains("$(")),
            // A patch may add the variable, or the ConfigMap may be generated.
            id => id == rules::config::env_order::RULE.info.id,
        };
        is_settable && finding.span.as_ref().is_some_and(|span| self.0.resources.contains(&span.place.path))
    }

    /// Reports whether a patch for the kind sets the missing field.
    fn is_patched_by_flux(&self, finding: &Finding) -> bool {
        let (Some(object), Some((_, field))) = (&finding.object, finding.pointer.rsplit_once('/')) else {
            return false;
        };
        finding.rule.id == rules::schema::REQUIRED.info.id
            && self
                .0
                .flux_patches
                .iter()
                .any(|patch| has_entry(patch, "kind", Some(&object.kind)) && has_entry(patch, field, None))
    }
}

/// Reports whether a line of a YAML patch has a key and, if given, a value.
fn has_entry(patch: &str, key: &str, value: Option<&str>) -> bool {
    patch.lines().any(|line| {
        let line = line.trim_start().trim_start_matches("- ");
        line.strip_prefix(key)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|rest| value.is_none_or(|value| rest.trim() == value))
    })
}
