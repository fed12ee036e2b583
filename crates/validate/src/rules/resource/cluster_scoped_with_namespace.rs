//! `resource/cluster-scoped-with-namespace`.

use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

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

fn check(object: &Object<'_>, scene: &Scene<'_>, reporter: &mut Reporter) {
    if object.namespace.is_empty() || !scene.scopes.is_cluster_scoped(object.group, object.kind) {
        return;
    }
    let metadata = object.manifest.root().get("metadata");
    // One that stands where its metadata starts was not written: the app's own was filled in.
    let written = metadata.and_then(|metadata| {
        metadata.get("namespace").filter(|namespace| namespace.origin != metadata.origin)
    });
    if let Some(namespace) = written {
        let message = format!("kind {} has no namespace; the one given does not count", object.kind);
        reporter.report(Draft::new(&RULE, namespace.origin, message).hint("remove it"));
    }
}
