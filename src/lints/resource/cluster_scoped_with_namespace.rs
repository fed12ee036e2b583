//! `resource/cluster-scoped-with-namespace`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/cluster-scoped-with-namespace",
        severity: Severity::Note,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an object of a kind without namespaces has one",
        explanation: "The API server ignores it for kinds of the whole cluster, so it does no harm by itself; kubectl and Argo CD \
                      leave it out. But whoever wrote it may take the object for one of that namespace: two environments in one \
                      cluster that both render it overwrite each other's.",
        example: "kind: ClusterRole\nmetadata: {name: reader, namespace: shop}\n",
        remedy: "Remove the namespace. Where each environment needs an object of its own, put its name into the object's, or use \
                 the namespaced kind (`Role`).",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
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
        reporter.report(Draft::new(&RULE, namespace.origin, message).hint("remove it"));
    }
}
