//! `resource/default-namespace`.

use crate::rules::{CheckedObject, FindingDraft, Reporter, Rule, RuleCheck, RuleContext};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/default-namespace",
        severity: Severity::Warning,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "an object is in the namespace `default`",
        page: include_str!("default_namespace.md"),
    },
    check: RuleCheck::Object(check),
};

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
