//! `secret/invalid-key`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::metadata::noun_with_key;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::MappingEntry;
use sealwave_core::names::is_item_key;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/invalid-key",
        severity: Severity::Error,
        summary: "a Secret or a ConfigMap has an invalid key",
        text: include_str!("invalid_key.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let is_secret = object.is("", "Secret");
    // For Secrets of an app, the resolution of placeholders reports it.
    if is_secret && !context.is_plain || !is_secret && !object.is("", "ConfigMap") {
        return;
    }
    for field in ["binaryData", "data", "stringData"] {
        for located in object.located().entries_at(field).filter(|located| !is_item_key(&located.entry.key)) {
            let draft = FindingDraft::new(&RULE, located.key_place(), message(located.entry, is_secret));
            let draft = if is_secret { draft.confidential() } else { draft };
            reporter.report(draft.hint(
                "use letters, digits, `-`, `_` and `.`, at most 253 characters, without `..` in front",
            ));
        }
    }
}

/// Returns the message. A key of a Secret may be a misplaced secret value, so it is not shown.
fn message(entry: &MappingEntry, is_secret: bool) -> String {
    if entry.key.is_empty() {
        return "the key is empty".to_owned();
    }
    format!("{} is not valid", noun_with_key("the key", &entry.key, is_secret))
}
