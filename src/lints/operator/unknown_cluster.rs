//! `operator/unknown-cluster`.

use super::view;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Environment, Reporter, Rule};
use crate::model::closest;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "operator/unknown-cluster",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an environment is for a cluster that the operator file does not have",
        explanation: "Secrets are sealed for the certificate of the environment's cluster: the one that `cluster` names, else \
                      the one of the environment's own name. `sealwave generate` refuses the environment where the operator \
                      file has no such cluster. This rule looks only where `--operator` or `SEALWAVE_OPERATOR` names the \
                      file, and not at environments whose backends need no certificate.",
        example: "environments:\n  dev: {cluster: devel}   # the operator file has `dev` and `prod`\n",
        remedy: "Correct `cluster` of the environment in `sealwave.yaml`, or ask the operator to add it under `clusters` with \
                 its sealing certificate.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let Some(operator) = view(environment) else { return };
    let name = environment.cluster;
    let Some(at) = environment.sealed_for.filter(|_| !operator.clusters.contains(name)) else { return };
    let message = format!("cluster `{name}` is not in the operator file");
    let hint = match closest(name, operator.clusters.iter().map(String::as_str)) {
        Some(close) => format!("did you mean `{close}`? it is set by `cluster` of the environment"),
        None => {
            "correct `cluster` of the environment, or ask the operator to add it under `clusters`".to_owned()
        }
    };
    reporter.report(Draft::new(&RULE, at, message).about_environment().hint(hint));
}
