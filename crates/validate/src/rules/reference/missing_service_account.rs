//! `reference/missing-service-account`.

use super::missing;
use crate::rules::{Check, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::What;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-service-account",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an object acts as a ServiceAccount that nothing makes",
        explanation: "The API server refuses every pod with an account that does not exist: a Deployment shows no pods at all, \
                      only the event FailedCreate of its ReplicaSet. The token controller deletes a Secret of type \
                      `kubernetes.io/service-account-token` whose account does not exist. `default` is in every namespace.",
        example: "spec:\n  serviceAccountName: shop   # no manifest makes it\n",
        remedy: "Add the ServiceAccount or correct its name. For one that something outside of the app makes (`eksctl`, \
                 Terraform, an operator), write `validate.external: [ServiceAccount/<namespace>/<name>]` into `sealwave.yaml`.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    missing::check(&RULE, What::ServiceAccount, environment, reporter);
}
