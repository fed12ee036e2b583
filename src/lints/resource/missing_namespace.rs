//! `resource/missing-namespace`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/missing-namespace",
        severity: Severity::Note,
        enabled: false,
        refusal: ApiRefusal::Never,
        summary: "an object has no namespace",
        explanation: "Argo CD puts it into the namespace of the application's destination, kubectl into the one of the current \
                      context: where it ends depends on who applies it. A value that is sealed in the strict scope needs to \
                      know.",
        example: "kind: ConfigMap\nmetadata: {name: web}\n",
        remedy: "Write `metadata.namespace`, or `namespace` in `sealwave.yaml`, for the app or for an environment.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    if !object.namespace.is_empty() || context.scopes.may_lack_namespace(object.group, object.kind) {
        return;
    }
    let namespace = object.manifest.root().at(&["metadata", "namespace"]);
    // Another rule reports a namespace that is not a string.
    if namespace.and_then(Node::as_str).is_some() || namespace.is_none() {
        let message = format!("{} `{}` has no namespace", object.kind, object.name);
        reporter.report(
            Draft::new(&RULE, object.name_at(), message)
                .hint("set `metadata.namespace`, or `namespace` in `sealwave.yaml`"),
        );
    }
}
