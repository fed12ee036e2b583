//! `reference/missing-config-map`.

use super::missing;
use crate::rules::{Check, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::What;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-config-map",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a pod needs a ConfigMap that nothing makes",
        explanation: "The container stays in CreateContainerConfigError (variables), or the pod in ContainerCreating (volumes), until \
                      somebody makes the ConfigMap. Argo CD applies the workload all the same and shows it as \
                      Progressing, then Degraded. References with `optional: true` are let be.",
        example: "envFrom:\n- configMapRef: {name: settings}   # no manifest makes it\n",
        remedy: "Add the ConfigMap or correct its name; pods read those of their own namespace alone. If the pod may start \
                 without it, say `optional: true`. For one that something outside of the app makes, write \
                 `validate.external: [ConfigMap/<namespace>/<name>]` into `sealwave.yaml`.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    missing::check(&RULE, What::ConfigMap, environment, reporter);
}
