//! Errors in plain manifests that a later build removes: what Kustomize fills in, and what a Flux Kustomization patches.
//!
//! Only fields that the build is known to set count. Nothing is built here; such an error becomes a note, and the built
//! manifests are where it is an error.

use std::collections::HashSet;

use crate::{Finding, rules};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Manifest, Node, group_and_version};

/// The group of Flux Kustomizations.
const FLUX: &str = "kustomize.toolkit.fluxcd.io";

/// Patches that are compared; more of them are hardly written by people.
const MAX_PATCHES: usize = 1_000;

/// Builds of a set of plain manifests that complete its objects.
pub(super) struct Completion<'a> {
    /// Names of the files that a `kustomization.yaml` lists as resources.
    resources: &'a HashSet<String>,
    /// Texts of the patches of Flux Kustomizations.
    patches: Vec<&'a str>,
}

impl<'a> Completion<'a> {
    pub(super) fn new(resources: &'a HashSet<String>, objects: &'a [Manifest]) -> Self {
        let patches = objects.iter().flat_map(flux_patches).take(MAX_PATCHES).collect();
        Self { resources, patches }
    }

    /// Turns an error that a build removes into a note.
    pub(super) fn soften(&self, finding: &mut Finding) {
        if finding.severity != Severity::Error {
            return;
        }
        let remark = if self.is_set_by_kustomize(finding) {
            "a kustomization lists this file, and may set it; validate what Kustomize builds"
        } else if self.is_patched_by_flux(finding) {
            "a patch of a Flux Kustomization may set it; validate what Flux applies"
        } else {
            return;
        };
        finding.severity = Severity::Note;
        finding.hint =
            Some(finding.hint.take().map_or_else(|| remark.to_owned(), |hint| format!("{hint} ({remark})")));
    }

    /// Returns true for what the fields `namespace` and `labels` of a kustomization set, and for names.
    fn is_set_by_kustomize(&self, finding: &Finding) -> bool {
        let is_settable = match finding.rule.id {
            id if id == rules::schema::REQUIRED.info.id => {
                finding.pointer == "/spec/selector" || finding.pointer.ends_with("/service/namespace")
            }
            id if id == rules::resource::rbac::RULE.info.id => {
                finding.message.ends_with("has no `namespace`")
            }
            // `namespace` renames Namespaces as well; other names are replaced where they hold a variable of Kustomize.
            id if id == rules::metadata::name::RULE.info.id => finding
                .object
                .as_ref()
                .is_some_and(|object| object.kind == "Namespace" || object.name.contains("$(")),
            _ => false,
        };
        is_settable && finding.span.as_ref().is_some_and(|span| self.resources.contains(&span.place.path))
    }

    /// Returns true for a missing field that a patch for this kind names.
    fn is_patched_by_flux(&self, finding: &Finding) -> bool {
        let (Some(object), Some((_, field))) = (&finding.object, finding.pointer.rsplit_once('/')) else {
            return false;
        };
        finding.rule.id == rules::schema::REQUIRED.info.id
            && self
                .patches
                .iter()
                .any(|patch| has_entry(patch, "kind", Some(&object.kind)) && has_entry(patch, field, None))
    }
}

fn flux_patches(object: &Manifest) -> impl Iterator<Item = &str> {
    let root = object.root();
    let api_version = root.get("apiVersion").and_then(Node::as_str).unwrap_or_default();
    let is_flux = group_and_version(api_version).0 == FLUX;
    let patches = is_flux.then(|| root.get("spec")?.get("patches")).flatten();
    patches.map_or(&[][..], Node::items).iter().filter_map(|patch| patch.get("patch")?.as_str())
}

/// Returns whether a line of a patch in YAML has this key, and this value where one is asked for.
fn has_entry(patch: &str, key: &str, value: Option<&str>) -> bool {
    patch.lines().any(|line| {
        let line = line.trim_start().trim_start_matches("- ");
        line.strip_prefix(key)
            .and_then(|rest| rest.strip_prefix(':'))
            .is_some_and(|rest| value.is_none_or(|value| rest.trim() == value))
    })
}
