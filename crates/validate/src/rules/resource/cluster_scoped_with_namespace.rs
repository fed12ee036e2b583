//! `resource/cluster-scoped-with-namespace`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/cluster-scoped-with-namespace",
        severity: Severity::Note,
        summary: "a cluster-scoped object has a namespace",
        text: include_str!("cluster_scoped_with_namespace.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if object.namespace.is_empty() || !context.scopes.is_cluster_scoped(object.group, object.kind) {
        return;
    }
    let metadata = object.manifest.root().get("metadata");
    // A namespace at the start of its metadata was not written: it is the app's, filled in.
    let written = metadata.and_then(|metadata| {
        metadata.get("namespace").filter(|namespace| namespace.origin != metadata.origin)
    });
    if let Some(namespace) = written {
        let message = format!("kind {} is cluster-scoped; its namespace is ignored", object.kind);
        reporter.report(FindingDraft::new(&RULE, namespace.origin, message).hint("remove it"));
    }
}
