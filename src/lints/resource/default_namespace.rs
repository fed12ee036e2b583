//! `resource/default-namespace`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/default-namespace",
        severity: Severity::Warning,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "an object is in the namespace `default`",
        explanation: "Everybody's leftovers are in `default`. It cannot be deleted, so what is in it is cleaned up by hand, and \
                      quotas, network policies and rights that are set by namespace do not tell apps apart there.",
        example: "kind: Deployment\nmetadata: {name: web, namespace: default}\n",
        remedy: "Give the app a namespace of its own.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    if object.namespace != "default" || context.scopes.is_cluster_scoped(object.group, object.kind) {
        return;
    }
    // The Service of the API server is in that namespace.
    if object.is("", "Service") && object.name == "kubernetes" {
        return;
    }
    if let Some(namespace) = object.manifest.root().at(&["metadata", "namespace"]) {
        let message = format!("{} `{}` is in the namespace `default`", object.kind, object.name);
        reporter
            .report(Draft::new(&RULE, namespace.origin, message).hint("give the app a namespace of its own"));
    }
}
