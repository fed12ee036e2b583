//! `wave/negative-without-prune-last`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Waves;
use crate::model::catalogue::{ESO, RBAC, SEALED, STORE_CSI};
use crate::model::names::ARGOCD_SYNC_OPTIONS;
use crate::model::sync::{PRUNE_LAST, Standing, has_entry, wave_at, with_option};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "wave/negative-without-prune-last",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "configuration in a negative sync wave would be pruned before its consumers move",
        explanation: "Argo CD also prunes an object in the wave of the object. When a Secret or ConfigMap of wave -1 is renamed or removed, Argo CD \
                      deletes the old one before the workloads of wave 0 use the new one. In between, pods that start fail; when a wave \
                      fails, the old object stays deleted until the sync is repaired. With `PruneLast=true` it is deleted after everything else \
                      is healthy. The option counts on the object in the cluster, so it must be synced once before the rename. \
                      sealwave sets it on what it puts into a negative wave itself. Secrets, ConfigMaps, what makes them, service accounts, roles and bindings \
                      are reported; hooks, and objects with `Prune=false` or `PruneLast=false`, are not.",
        example: "kind: ConfigMap\nmetadata:\n  name: web\n  annotations: {argocd.argoproj.io/sync-wave: \"-1\"}\n",
        remedy: "Leave the wave to sealwave, or add the option. With `syncOptions: [PruneLast=true]` in the Application it holds for \
                 all objects, and the rule can be switched off:\n\n\
                 ```yaml\nkind: ConfigMap\nmetadata:\n  name: web\n  annotations:\n    argocd.argoproj.io/sync-wave: \"-1\"\n    \
                 argocd.argoproj.io/sync-options: PruneLast=true\n```",
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
