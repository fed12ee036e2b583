//! `secret/bad-base64`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::leftover::is_variable;
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::{SecretContent, SecretItem, items};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/bad-base64",
        severity: Severity::Error,
        summary: "a value under a Secret's `data` is not base64",
        text: include_str!("bad_base64.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    // For an app, the resolution of placeholders reports it.
    if !context.is_plain {
        return;
    }
    for item in items(object).iter().filter(|item| is_bad(item)) {
        let message = format!("{} is not base64", item.display_name());
        reporter.report(
            FindingDraft::new(&RULE, item.place(), message)
                .hint("`data` holds base64; write plaintext and placeholders under `stringData`")
                .confidential(),
        );
    }
}

/// Returns whether an item is not base64. Another rule reports variables that another tool fills in.
fn is_bad(item: &SecretItem<'_>) -> bool {
    matches!(item.content, SecretContent::Broken) && !is_variable(item.raw_value())
}
