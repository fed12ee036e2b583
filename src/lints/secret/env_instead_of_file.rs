//! `secret/env-instead-of-file`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::pods::{Via, What};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/env-instead-of-file",
        severity: Severity::Note,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "a Secret is handed to a program as environment variables",
        explanation: "Variables are inherited by every child process, and they end up in crash reports, in debug pages and in \
                      `/proc/<pid>/environ`; they do not change while the program runs. A file of a volume is read by whom it \
                      is for and follows the Secret. CIS benchmark 5.4.1 asks for files.",
        example: "env:\n- name: PASSWORD\n  valueFrom:\n    secretKeyRef: {name: db, key: password}\n",
        remedy: "Mount the Secret as a volume and have the program read the file; many images take `…_FILE` variables.\n\
                 volumes:\n- name: db\n  secret: {secretName: db}\n",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    for located in object.references() {
        if located.reference.what == What::Secret && matches!(located.via, Via::Env | Via::EnvFrom) {
            let message = format!("Secret `{}` is passed in environment variables", located.reference.name);
            reporter.report(
                Draft::new(&RULE, located.at, message)
                    .hint("mount it as a volume and have the program read the file"),
            );
        }
    }
}
