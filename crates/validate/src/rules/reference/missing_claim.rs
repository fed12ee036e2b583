//! `reference/missing-claim`.

use super::missing;
use crate::rules::{Check, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::What;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-claim",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a pod mounts a PersistentVolumeClaim that nothing makes",
        explanation: "A pod with a claim that does not exist stays Pending: the scheduler waits for the claim, and Argo CD shows the \
                      workload as Progressing for ever. Claims from `volumeClaimTemplates` of a StatefulSet count as made.",
        example: "volumes:\n- name: data\n  persistentVolumeClaim: {claimName: dta}   # the claim is called `data`\n",
        remedy: "Add the claim or correct its name. For a claim that exists outside of the app, write \
                 `validate.external: [PersistentVolumeClaim/<namespace>/<name>]` into `sealwave.yaml`.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    missing::check(&RULE, What::PersistentVolumeClaim, environment, reporter);
}
