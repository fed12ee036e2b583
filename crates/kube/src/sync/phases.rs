//! The sync phases in which Argo CD applies an object, from the annotations of Argo CD and Helm.
//!
//! Nothing is validated here. An object may be a hook of several phases, or of none: Argo CD does not apply it then.

use std::fmt;

use sealwave_core::document::Manifest;
use sealwave_core::names::{ARGOCD_HOOK, ARGOCD_HOOK_DELETE_POLICY, HELM_HOOK, HELM_HOOK_DELETE_POLICY};

/// A phase of a sync, in execution order. `SyncFail` replaces the remaining phases when a sync fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyncPhase {
    /// Before the Sync phase.
    PreSync,
    /// Applies all objects that are not hooks.
    Sync,
    /// After all objects of the Sync phase are healthy.
    PostSync,
    /// After a sync has failed.
    SyncFail,
}

impl fmt::Display for SyncPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreSync => "PreSync",
            Self::Sync => "Sync",
            Self::PostSync => "PostSync",
            Self::SyncFail => "SyncFail",
        })
    }
}

/// The time at which an object is first applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApplyTime {
    /// In this phase of every sync; in `SyncFail` only after a failure.
    In(SyncPhase),
    /// Never: Argo CD knows none of the phases in its annotation, such as Helm's `test`.
    Ignored,
    /// Only when the Application is deleted.
    OnDeletion,
    /// Never: it has a `Skip` annotation.
    Skipped,
}

/// The lifetime of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookLifetime {
    /// It is deleted after a successful sync.
    EndsWithSync,
    /// It is not deleted after success.
    Kept,
    /// It is deleted and created again by the next sync.
    Recreated,
}

/// The phases in which an object is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectPhases {
    /// True for a hook of any phase, even a skipped one.
    pub is_hook: bool,
    applied: [bool; 4],
    on_deletion: bool,
    skipped: bool,
}

impl ObjectPhases {
    /// Reads the annotations of an object.
    pub fn from_manifest(manifest: &Manifest) -> Self {
        let mut phases = Self { is_hook: true, applied: [false; 4], on_deletion: false, skipped: false };
        for entry in entries(manifest, ARGOCD_HOOK) {
            match entry {
                "PreSync" => phases.add(SyncPhase::PreSync),
                "Sync" => phases.add(SyncPhase::Sync),
                "PostSync" => phases.add(SyncPhase::PostSync),
                "SyncFail" => phases.add(SyncPhase::SyncFail),
                "PostDelete" | "PreDelete" => phases.on_deletion = true,
                "Skip" => phases.skipped = true,
                _ => {}
            }
        }
        if phases.is_known() {
            return phases;
        }
        // Argo CD treats `crd-install` as an ordinary object.
        let is_argocd_hook = has_annotation(manifest, ARGOCD_HOOK);
        if !is_argocd_hook && matches!(manifest.annotation(HELM_HOOK), None | Some("crd-install")) {
            phases.is_hook = false;
            phases.add(SyncPhase::Sync);
            return phases;
        }
        for entry in entries(manifest, HELM_HOOK) {
            match entry {
                "pre-install" | "pre-upgrade" => phases.add(SyncPhase::PreSync),
                "post-install" | "post-upgrade" => phases.add(SyncPhase::PostSync),
                "post-delete" | "pre-delete" => phases.on_deletion = true,
                _ => {}
            }
        }
        phases
    }

    fn add(&mut self, phase: SyncPhase) {
        self.applied[phase as usize] = true;
    }

    fn is_known(self) -> bool {
        self.applied.contains(&true) || self.on_deletion || self.skipped
    }

    /// Reports whether the object is applied in this phase.
    pub fn is_applied_in(self, phase: SyncPhase) -> bool {
        self.applied[phase as usize]
    }

    /// Returns when the object is first applied.
    pub(crate) fn apply_time(self) -> ApplyTime {
        let first = [SyncPhase::PreSync, SyncPhase::Sync, SyncPhase::PostSync, SyncPhase::SyncFail]
            .into_iter()
            .find(|phase| self.is_applied_in(*phase));
        match first {
            Some(phase) => ApplyTime::In(phase),
            None if self.on_deletion => ApplyTime::OnDeletion,
            None if self.skipped => ApplyTime::Skipped,
            None => ApplyTime::Ignored,
        }
    }
}

/// Returns the lifetime of a hook, by its deletion policies.
pub(super) fn hook_lifetime(manifest: &Manifest) -> HookLifetime {
    let argocd = |policy: &str| entries(manifest, ARGOCD_HOOK_DELETE_POLICY).any(|entry| entry == policy);
    let helm = |policy: &str| entries(manifest, HELM_HOOK_DELETE_POLICY).any(|entry| entry == policy);
    if argocd("HookSucceeded") || helm("hook-succeeded") {
        HookLifetime::EndsWithSync
    } else if argocd("BeforeHookCreation") || helm("before-hook-creation") {
        HookLifetime::Recreated
    } else if argocd("HookFailed") || argocd("Never") || helm("hook-failed") {
        HookLifetime::Kept
    } else {
        HookLifetime::Recreated
    }
}

fn has_annotation(manifest: &Manifest, annotation: &str) -> bool {
    manifest.annotations().is_some_and(|annotations| annotations.get(annotation).is_some())
}

fn entries<'a>(manifest: &'a Manifest, annotation: &str) -> impl Iterator<Item = &'a str> {
    manifest.annotation(annotation).unwrap_or_default().split(',').map(str::trim)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use sealwave_testkit::manifest;

    fn job(annotations: &Json) -> Manifest {
        manifest(&json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "annotations": annotations}
        }))
    }

    #[test]
    fn hooks_have_phases() {
        use ApplyTime::{Ignored, In, OnDeletion, Skipped};
        use SyncPhase::{PostSync, PreSync, Sync, SyncFail};
        for (annotations, hook, arrival) in [
            (json!({}), false, In(Sync)),
            (json!({ARGOCD_HOOK: "PreSync"}), true, In(PreSync)),
            (json!({ARGOCD_HOOK: "Sync"}), true, In(Sync)),
            (json!({ARGOCD_HOOK: "PostSync, Sync"}), true, In(Sync)),
            (json!({ARGOCD_HOOK: "PostSync"}), true, In(PostSync)),
            (json!({ARGOCD_HOOK: "SyncFail"}), true, In(SyncFail)),
            (json!({ARGOCD_HOOK: "Skip"}), true, Skipped),
            (json!({ARGOCD_HOOK: "Skip,PostSync"}), true, In(PostSync)),
            (json!({ARGOCD_HOOK: "PostDelete"}), true, OnDeletion),
            (json!({ARGOCD_HOOK: "PreDelete,PostSync"}), true, In(PostSync)),
            (json!({ARGOCD_HOOK: "presync"}), true, Ignored),
            (json!({ARGOCD_HOOK: ""}), true, Ignored),
            (json!({ARGOCD_HOOK: "", HELM_HOOK: "pre-install"}), true, In(PreSync)),
            (json!({HELM_HOOK: "pre-install,pre-upgrade"}), true, In(PreSync)),
            (json!({HELM_HOOK: "post-install , pre-upgrade"}), true, In(PreSync)),
            (json!({HELM_HOOK: "post-upgrade"}), true, In(PostSync)),
            (json!({HELM_HOOK: "pre-delete"}), true, OnDeletion),
            (json!({HELM_HOOK: "test"}), true, Ignored),
            (json!({HELM_HOOK: "pre-rollback"}), true, Ignored),
            (json!({HELM_HOOK: "crd-install"}), false, In(Sync)),
            (json!({ARGOCD_HOOK: "Sync", HELM_HOOK: "pre-install"}), true, In(Sync)),
        ] {
            let phases = ObjectPhases::from_manifest(&job(&annotations));
            assert_eq!((phases.is_hook, phases.apply_time()), (hook, arrival), "{annotations}");
        }
    }

    #[test]
    fn hooks_are_recreated_unless_a_policy_prevents_it() {
        for (annotations, life) in [
            (json!({}), HookLifetime::Recreated),
            (json!({ARGOCD_HOOK_DELETE_POLICY: "sometimes"}), HookLifetime::Recreated),
            (json!({ARGOCD_HOOK_DELETE_POLICY: "HookSucceeded"}), HookLifetime::EndsWithSync),
            (json!({ARGOCD_HOOK_DELETE_POLICY: "HookFailed, HookSucceeded"}), HookLifetime::EndsWithSync),
            (json!({ARGOCD_HOOK_DELETE_POLICY: "HookFailed"}), HookLifetime::Kept),
            (json!({HELM_HOOK_DELETE_POLICY: "hook-failed"}), HookLifetime::Kept),
            (json!({HELM_HOOK_DELETE_POLICY: "before-hook-creation,hook-failed"}), HookLifetime::Recreated),
            (json!({HELM_HOOK_DELETE_POLICY: "hook-succeeded"}), HookLifetime::EndsWithSync),
        ] {
            assert_eq!(hook_lifetime(&job(&annotations)), life, "{annotations}");
        }
    }
}
