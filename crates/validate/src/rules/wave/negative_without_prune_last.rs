//! `wave/negative-without-prune-last`.

use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::names::ARGOCD_SYNC_OPTIONS;
use sealwave_kube::catalogue::{ESO, RBAC, SEALED, STORE_CSI};
use sealwave_kube::sync::{PRUNE_LAST, Standing, Waves, has_entry, wave_at, with_option};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "wave/negative-without-prune-last",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "configuration in a negative sync wave would be pruned before its consumers are updated",
        page: include_str!("negative_without_prune_last.md"),
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if !is_configuration(object) {
        return;
    }
    let standing = Standing::of(object.manifest, &Waves::default(), &mut |_, _| {});
    let Some(wave) = standing.wave.filter(|wave| *wave < 0 && !standing.phases.hook) else { return };
    let options = object.manifest.annotation(ARGOCD_SYNC_OPTIONS).unwrap_or_default();
    if has_entry(options, "Prune=false") {
        return;
    }
    let Some(options) = with_option(options, PRUNE_LAST) else { return };
    let at = wave_at(object.manifest).unwrap_or(object.manifest.origin());
    let message = format!("{} is in sync wave {wave}, in which Argo CD also prunes it", object.manifest.id());
    let hint = if options == "PruneLast=true" {
        "add the annotation `argocd.argoproj.io/sync-options: PruneLast=true`"
    } else {
        "add `PruneLast=true` to its `argocd.argoproj.io/sync-options`"
    };
    reporter.report(Draft::new(&RULE, at, message).hint(hint));
}

/// Returns whether running pods read or use the object. Deleting a Namespace or a definition deletes its content at any
/// time.
fn is_configuration(object: &Object<'_>) -> bool {
    matches!(
        (object.group, object.kind),
        ("", "ConfigMap" | "Secret" | "ServiceAccount")
            | (SEALED, "SealedSecret")
            | (ESO, "ClusterExternalSecret" | "ClusterSecretStore" | "ExternalSecret" | "SecretStore")
            | (STORE_CSI, "SecretProviderClass")
            | (RBAC, "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding")
    )
}
