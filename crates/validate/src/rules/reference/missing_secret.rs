//! `reference/missing-secret`.

use super::missing;
use crate::rules::{Check, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::What;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-secret",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an object needs a Secret that nothing makes",
        explanation: "A container with such a variable stays in CreateContainerConfigError, a pod with such a volume in \
                      ContainerCreating, and an Ingress serves the controller's own certificate. What makes a Secret counts: \
                      SealedSecret, ExternalSecret, Certificate, SecretProviderClass, SopsSecret, and objects of other \
                      operators that name it. For pull secrets and the credentials of stores it is a warning: the \
                      kubelet pulls without, and such credentials are often put there by hand.",
        example: "env:\n- name: PASSWORD\n  valueFrom:\n    secretKeyRef: {name: db, key: password}   # nothing makes `db`\n",
        remedy: "Add what makes it, for example a Secret with placeholders, or correct its name; pods read those of their own \
                 namespace alone. If the pod may start without it, say `optional: true`. For one that something outside of \
                 the app makes, write `validate.external: [Secret/<namespace>/<name>]` into `sealwave.yaml`, or pass \
                 `--external`; `*` stands for any part.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    missing::check(&RULE, What::Secret, environment, reporter);
}
