//! Names, labels and annotations: what the API server asks of every object's metadata.

pub(super) mod annotation;
pub(super) mod finalizer;
pub(super) mod label;
pub(super) mod name;
pub(super) mod syntax;

use crate::lints::Object;
use crate::model::Node;

/// The metadata of an object, and of the templates in it that Kubernetes checks with it.
fn each_metadata<'a>(object: &Object<'a>, mut visit: impl FnMut(&'a Node)) {
    let root = object.manifest.root();
    let mut at = |node: Option<&'a Node>| {
        if let Some(metadata) = node.and_then(|node| node.get("metadata")) {
            visit(metadata);
        }
    };
    at(Some(root));
    if let Some(pod) = object.pod.as_ref().filter(|pod| !pod.path.is_empty()) {
        at(root.at(&pod.path));
    }
    if object.is("batch", "CronJob") {
        at(root.at(&["spec", "jobTemplate"]));
    } else if object.is("apps", "StatefulSet") {
        let claims = root.at(&["spec", "volumeClaimTemplates"]).map_or(&[][..], Node::items);
        for claim in claims {
            at(Some(claim));
        }
    }
}
