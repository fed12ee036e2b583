//! `wave/negative-without-prune-last`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::names::ARGOCD_SYNC_OPTIONS;
use sealwave_kube::catalog::{ESO_GROUP, RBAC_GROUP, SEALED_SECRETS_GROUP, STORE_CSI_GROUP};
use sealwave_kube::sync::{PRUNE_LAST, SyncPlacement, WaveSettings, has_entry, wave_origin, with_option};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "wave/negative-without-prune-last",
        severity: Severity::Warning,
        summary: "configuration in a negative sync wave would be pruned before its consumers are updated",
        text: include_str!("negative_without_prune_last.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    if !is_configuration(object) {
        return;
    }
    let placement = SyncPlacement::from_manifest(object.manifest, &WaveSettings::default(), &mut |_, _| {});
    let Some(wave) = placement.wave.filter(|wave| *wave < 0 && !placement.phases.is_hook) else { return };
    let options = object.manifest.annotation(ARGOCD_SYNC_OPTIONS).unwrap_or_default();
    if has_entry(options, "Prune=false") {
        return;
    }
    let Some(options) = with_option(options, PRUNE_LAST) else { return };
    let at = wave_origin(object.manifest).unwrap_or(object.manifest.origin());
    let message = format!("{} is in sync wave {wave}, in which Argo CD also prunes it", object.manifest.id());
    let hint = if options == "PruneLast=true" {
        "add the annotation `argocd.argoproj.io/sync-options: PruneLast=true`"
    } else {
        "add `PruneLast=true` to its `argocd.argoproj.io/sync-options`"
    };
    reporter.report(FindingDraft::new(&RULE, at, message).hint(hint));
}

/// Returns whether running pods read or use the object. Deleting a Namespace or a definition deletes its content at any
/// time.
fn is_configuration(object: &CheckedObject<'_>) -> bool {
    matches!(
        (object.group, object.kind),
        ("", "ConfigMap" | "Secret" | "ServiceAccount")
            | (SEALED_SECRETS_GROUP, "SealedSecret")
            | (ESO_GROUP, "ClusterExternalSecret" | "ClusterSecretStore" | "ExternalSecret" | "SecretStore")
            | (STORE_CSI_GROUP, "SecretProviderClass")
            | (RBAC_GROUP, "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding")
    )
}
