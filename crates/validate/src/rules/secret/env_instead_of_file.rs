//! `secret/env-instead-of-file`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_kube::pods::{PodUsage, ReferencedKind};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/env-instead-of-file",
        severity: Severity::Note,
        summary: "a Secret is passed to a program in environment variables",
        text: include_str!("env_instead_of_file.md"),
    },
    RuleCheck::Object(check),
)
.off_by_default();

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    for located in object.references() {
        if located.reference.kind == ReferencedKind::Secret
            && matches!(located.usage, PodUsage::Env | PodUsage::EnvFrom)
        {
            let message = format!("Secret `{}` is passed in environment variables", located.reference.name);
            reporter.report(
                FindingDraft::new(&RULE, located.origin, message)
                    .hint("mount it as a volume and have the program read the file"),
            );
        }
    }
}
