//! `secret/env-instead-of-file`.

use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::{Via, What};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/env-instead-of-file",
        severity: Severity::Note,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "a Secret is passed to a program in environment variables",
        page: include_str!("env_instead_of_file.md"),
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
