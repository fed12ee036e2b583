//! `config/unused-value`.

use crate::rules::{CheckedEnvironment, FindingDraft, Reporter, Rule, RuleCheck};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "config/unused-value",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a key in the values of an environment is not read by any template and not set anywhere else",
        page: include_str!("unused_value.md"),
    },
    check: RuleCheck::Environment(check),
};

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
