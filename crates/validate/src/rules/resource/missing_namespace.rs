//! `resource/missing-namespace`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/missing-namespace",
        severity: Severity::Note,
        summary: "an object has no namespace",
        text: include_str!("missing_namespace.md"),
    },
    RuleCheck::Object(check),
)
.off_by_default();

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.namespace.is_empty() || context.scopes.may_lack_namespace(object.group, object.kind) {
        return;
    }
    let namespace = object.manifest.root().at(&["metadata", "namespace"]);
    // Another rule reports a namespace that is not a string.
    if namespace.and_then(Node::as_str).is_some() || namespace.is_none() {
        let message = format!("{} `{}` has no namespace", object.kind, object.name);
        reporter.report(
            FindingDraft::new(&RULE, object.name_place(), message)
                .hint("set `metadata.namespace`, or `namespace` in `sealwave.yaml`"),
        );
    }
}
