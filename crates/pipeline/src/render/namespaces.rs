//! Gives objects the default namespace, and removes the namespace of cluster-scoped objects.
//!
//! A namespace from the author is removed only if the kind is known to be cluster-scoped. It must never be removed on a
//! guess: the object would move to another namespace, and Argo CD would prune the one in the right place.

use sealwave_core::diagnostic::{Explain, Note, Problem, ProblemKind};
use sealwave_core::document::{Manifest, NodeValue};
use sealwave_kube::KindScopes;

#[derive(Debug, thiserror::Error)]
enum NamespaceRemark {
    #[error("kind {0} is cluster-scoped; its namespace is removed")]
    Dropped(String),
}

impl Explain for NamespaceRemark {
    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(ProblemKind::ClusterScopedWithNamespace)
    }
}

/// Sets the default namespace of namespaced objects, and removes the namespace of cluster-scoped ones, as Argo CD does.
pub(super) fn apply(
    scopes: &KindScopes,
    objects: &mut [Manifest],
    default: Option<&str>,
    notes: &mut Vec<Note>,
) {
    for object in objects {
        if scopes.is_cluster_scoped(object.group(), object.kind()) {
            drop_namespace(object, notes);
        } else if let Some(default) = default {
            fill(scopes, object, default);
        }
    }
}

/// Sets the default namespace of namespaced objects, and leaves other objects unchanged.
pub fn complete(scopes: &KindScopes, objects: &mut [Manifest], default: &str) {
    for object in objects {
        fill(scopes, object, default);
    }
}

fn fill(scopes: &KindScopes, object: &mut Manifest, default: &str) {
    if lacks_namespace(object) && !scopes.may_lack_namespace(object.group(), object.kind()) {
        object.set_namespace(default);
    }
}

fn lacks_namespace(object: &Manifest) -> bool {
    match object.root().at(&["metadata", "namespace"]).map(|node| &node.value) {
        None | Some(NodeValue::Null) => true,
        Some(NodeValue::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

fn drop_namespace(object: &mut Manifest, notes: &mut Vec<Note>) {
    if let Some(namespace) = object.remove(&["metadata", "namespace"])
        && !matches!(namespace.value, NodeValue::Null)
    {
        let at = if namespace.origin.line == 0 { object.origin() } else { namespace.origin };
        notes.push(Note::info(Problem::at(at, &NamespaceRemark::Dropped(object.kind().to_owned()))));
    }
}
