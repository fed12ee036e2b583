//! `config/unused-value`.

use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "config/unused-value",
        severity: Severity::Warning,
        summary: "a key in the values of an environment is not read by any template and not set anywhere else",
        text: include_str!("unused_value.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    for unused in environment.app.iter().flat_map(|app| app.unused_values) {
        let message =
            format!("value `{}` is unused: no template reads it, and no other values define it", unused.key);
        let draft = FindingDraft::new(&RULE, unused.origin, message);
        reporter.report(match &unused.closest {
            Some(name) => draft.hint(format!("did you mean `{name}`?")),
            None => draft.hint("remove it, or read it in a template"),
        });
    }
}
