//! `secret/too-large`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::{SecretItem, items};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/too-large",
        severity: Severity::Error,
        summary: "a Secret is larger than Kubernetes allows",
        text: include_str!("too_large.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Kubernetes' `MaxSecretSize`.
const MAX: usize = 1024 * 1024;

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let items = items(object);
    let written: usize = items.iter().map(|item| item.raw_value().len()).sum();
    if written <= MAX {
        return;
    }
    let size: usize = items.iter().filter_map(SecretItem::bytes).map(<[u8]>::len).sum();
    if size > MAX {
        let at = object.name_origin();
        reporter.report(
            FindingDraft::new(&RULE, at, "the values of this Secret exceed 1 MiB in total").hint(
                "spread the items over several Secrets, and mount them together as a `projected` volume",
            ),
        );
    }
}
