//! `wave/secret-is-hook`.

use crate::rules::{Check, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::sync::SECRET_IS_HOOK;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: SECRET_IS_HOOK,
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a Secret is a hook, and what needs it comes earlier or stays longer",
        explanation: "Argo CD applies a hook in its own phase only, and by default deletes it and creates it again at each sync. \
                      A Secret, SealedSecret or ExternalSecret that is a `PostSync` hook comes after the workloads that wait for it, so that \
                      the first sync never ends; a `SyncFail` hook comes only after a failure; a `Skip` hook and Helm's `test` never come; with \
                      `HookSucceeded` it is gone when the sync has succeeded, and pods that start later fail. All of these are errors. A `PreSync` or `Sync` \
                      hook is there in time, but for a moment at each sync it is not, and with a SealedSecret or an ExternalSecret \
                      the Secret that its controller made is deleted as well (warning). Hooks are also not compared with the cluster and not \
                      pruned. A Secret that only hooks of the same or a later phase read is not reported. Charts that were rendered \
                      into files often bring such Secrets (`helm.sh/hook: pre-install`).",
        example: "kind: Secret\nmetadata:\n  name: db\n  annotations: {argocd.argoproj.io/hook: PostSync}\n---\nkind: Deployment\n…\n        \
                  envFrom: [{secretRef: {name: db}}]\n",
        remedy: "Remove the hook annotation. As an ordinary object in an earlier sync wave the Secret is there in time and stays; in an app, \
                 sealwave chooses the wave:\n\n\
                 ```yaml\nkind: Secret\nmetadata:\n  name: db\n  annotations: {argocd.argoproj.io/sync-wave: \"-1\"}\n```",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    super::report(&RULE, environment, reporter);
}
