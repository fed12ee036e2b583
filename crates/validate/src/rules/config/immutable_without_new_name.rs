//! `config/immutable-without-new-name`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rollout::is_versioned;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::NodeValue;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "config/immutable-without-new-name",
        severity: Severity::Note,
        summary: "an immutable ConfigMap or Secret has a name without a hash or version",
        text: include_str!("immutable_without_new_name.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.group.is_empty() || !matches!(object.kind, "ConfigMap" | "Secret") {
        return;
    }
    let Some(flag) = object.manifest.root().get("immutable") else { return };
    if matches!(flag.value, NodeValue::Bool(true)) && !object.name.is_empty() && !is_versioned(object.name) {
        let message =
            format!("{} `{}` can never change, and its name has no version", object.kind, object.name);
        reporter.report(
            FindingDraft::new(&RULE, flag.origin, message)
                .hint("put a version or a hash at the end of the name, or omit `immutable`"),
        );
    }
}
