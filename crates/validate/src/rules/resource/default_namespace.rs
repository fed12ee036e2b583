//! `resource/default-namespace`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/default-namespace",
        severity: Severity::Warning,
        summary: "an object is in the namespace `default`",
        text: include_str!("default_namespace.md"),
    },
    RuleCheck::Object(check),
)
.off_by_default();

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if object.namespace != "default" || context.scopes.is_cluster_scoped(object.group, object.kind) {
        return;
    }
    // The Service of the API server is in that namespace.
    if object.is("", "Service") && object.name == "kubernetes" {
        return;
    }
    if let Some(namespace) = object.manifest.root().at(&["metadata", "namespace"]) {
        let message = format!("{} `{}` is in the namespace `default`", object.kind, object.name);
        reporter.report(
            FindingDraft::new(&RULE, namespace.origin, message).hint("give the app a namespace of its own"),
        );
    }
}
