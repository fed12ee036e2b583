//! `operator/policy`.

use super::view;
use crate::diagnostic::{ApiRefusal, Explain as _, RuleInfo, Severity};
use crate::lints::{Check, Draft, Environment, Reporter, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "operator/policy",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "the operator's policy does not let the app use a reference",
        explanation: "In the sidecar a secret is fetched only if a rule of the operator's policy allows the reference to the \
                      app's Argo CD project, for the cluster, the namespace and the scope that the Secret is sealed for. \
                      `sealwave generate` refuses the app otherwise. The policy is asked only where `--operator` (or \
                      `SEALWAVE_OPERATOR`) and `--project` are given; `--app`, `--namespace` and `--repository` say what else \
                      Argo CD knows of the app. `sealwave refs` lists all references with the decision on each.",
        example: "stringData:\n  password: <vault:payments/db#password>   # the policy lets the project read `vault:shop/**`\n",
        remedy: "Use a reference that the project may read, or ask the operator for the rule that the hint of the message names.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let Some(operator) = view(environment) else { return };
    let Some(policy) = operator.bind(environment.name) else { return };
    for used in environment.secrets {
        // Another rule reports unknown providers.
        if !operator.providers.contains(used.reference.provider.as_str()) {
            continue;
        }
        let Some(secret) = environment.objects.get(used.object) else { continue };
        let Some(refusal) = policy.refusal(used, secret, environment.cluster) else { continue };
        let draft = Draft::new(&RULE, used.origin, refusal.to_string()).about(used.object);
        reporter.report(match refusal.hint() {
            Some(hint) => draft.hint(hint),
            None => draft,
        });
    }
}
