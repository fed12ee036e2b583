//! `secret/in-env`.

use super::show;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::credential;
use crate::lints::pods::containers;
use crate::lints::{Check, Object, Reporter, Rule, Scene};
use crate::model::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/in-env",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a container's environment variable holds a credential in plaintext",
        explanation: "The value is part of the workload: it is in the repository, in the Deployment, in every \
                      ReplicaSet and Pod, and everybody who may read one of these has it. Argo CD shows it in its \
                      interface. Tokens, private keys and URIs with a password are errors; a value that only the \
                      variable's name calls a credential is a warning.",
        example: "env:\n- name: DB_PASSWORD\n  value: Tr0ub4dor&3\n",
        remedy: "Take it from a Secret:\n\n\
                 ```yaml\nenv:\n- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: {name: db, key: password}\n\
                 - name: DATABASE_URL\n  value: postgres://app:$(DB_PASSWORD)@db/app\n```",
    },
    check: Check::Pod(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let Some(pod) = &object.pod else { return };
    for container in containers(pod.spec) {
        for variable in container.get("env").map_or(&[][..], Node::items) {
            let Some(value) = variable.get("value") else { continue };
            let Some(text) = value.as_str() else { continue };
            let name = variable.get("name").and_then(Node::as_str).unwrap_or_default();
            let single = Some(text).filter(|text| !text.trim_end().contains('\n'));
            // `JAVA_OPTS` and JSON are checked like files.
            let kind = single
                .and_then(|text| credential::detect(Some(name), text))
                .or_else(|| credential::detect_in_lines(text).map(|(_, kind)| kind));
            if let Some(kind) = kind {
                let place = format!("environment variable `{name}`");
                reporter.report(show::draft(&RULE, kind, value.origin, &place));
            }
        }
    }
}
