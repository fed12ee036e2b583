//! `secret/shadowed-key`.

use std::collections::HashMap;

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::entries;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::names::item_label;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/shadowed-key",
        severity: Severity::Warning,
        summary: "a key is in two sections of a Secret or a ConfigMap",
        text: include_str!("shadowed_key.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if object.is("", "ConfigMap") {
        let hint = "remove one of them: the API server refuses the ConfigMap";
        compare(object, ["binaryData", "data"], hint, Severity::Error, reporter);
    // For Secrets of an app, the resolution of placeholders reports it.
    } else if context.is_plain && object.is("", "Secret") {
        let hint = "remove one of them: `stringData` takes precedence";
        compare(object, ["data", "stringData"], hint, Severity::Warning, reporter);
    }
}

fn compare(
    object: &CheckedObject<'_>,
    [first, second]: [&str; 2],
    hint: &str,
    severity: Severity,
    reporter: &mut Reporter,
) {
    let root = object.manifest.root();
    let (one, other) = (entries(root, first), entries(root, second));
    if one.is_empty() || other.is_empty() {
        return;
    }
    let seen: HashMap<&str, _> = one.iter().map(|entry| (entry.key.as_str(), entry.key_origin)).collect();
    for located in object.located().entries_at(second) {
        let entry = located.entry;
        if entry.value.as_str().is_none() {
            continue;
        }
        if let Some(at) = seen.get(entry.key.as_str()) {
            let message = format!("{} is in both `{first}` and `{second}`", item_label(&entry.key));
            reporter.report(
                FindingDraft::new(&RULE, located.key_place(), message)
                    .severity(severity)
                    .related(*at, "it is also here")
                    .hint(hint),
            );
        }
    }
}
