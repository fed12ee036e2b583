//! Name, namespace and scope of flags, which are set on Secrets before they are sealed.

use super::error::SealInputError;
use super::naming::secret_name;
use sealwave_core::diagnostic::{Failure, Problem, ProblemCollector};
use sealwave_core::document::{Manifest, Node, Origin};
use sealwave_core::names::{CLUSTER_WIDE, LITERAL, NAMESPACE_WIDE};
use sealwave_secrets::SealingScope;

/// The origin of a Secret: only an input can be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SecretOrigin {
    /// A file or standard input.
    Input,
    /// Values of flags.
    Values,
}

/// Name, namespace, scope and type of flags. `None` keeps what the Secret has.
#[derive(Clone, Debug, Default)]
pub struct SealTarget {
    /// The name.
    pub name: Option<String>,
    /// The namespace. A Secret that is in another one is refused.
    pub namespace: Option<String>,
    /// The scope; takes precedence over the annotations of the Secret, also if it is strict.
    pub scope: Option<SealingScope>,
    /// Whether texts that only look like placeholders are sealed as they are.
    pub literal: bool,
    /// The type of a Secret that is made from values.
    pub secret_type: Option<String>,
}

impl SealTarget {
    /// Sets what the flags say on all Secrets.
    ///
    /// # Errors
    /// All Secrets that contradict the flags, or lack what their scope needs.
    pub(super) fn apply_to_all(
        &self,
        roots: Vec<Node>,
        origin: SecretOrigin,
    ) -> Result<Vec<Manifest>, Failure> {
        self.require_one_name(&roots)?;
        let (mut objects, mut problems) = (Vec::new(), ProblemCollector::default());
        for root in roots {
            match self.apply(root, origin) {
                Ok(object) => objects.push(object),
                Err((origin, error)) => problems.push(Problem::at(origin, &error)),
            }
        }
        problems.check().map(|()| objects)
    }

    /// Refuses a name for several Secrets.
    pub(super) fn require_one_name(&self, roots: &[Node]) -> Result<(), Failure> {
        match roots {
            [_, second, ..] if self.name.is_some() => {
                let error = SealInputError::OneNameForSeveral(roots.len());
                Err(Problem::at(second.display_origin(), &error).into())
            }
            _ => Ok(()),
        }
    }

    fn apply(&self, mut root: Node, from: SecretOrigin) -> Result<Manifest, (Origin, SealInputError)> {
        // Other objects are refused later, whatever they are named.
        let is_secret = root.get("kind").and_then(Node::as_str) == Some("Secret");
        if is_secret {
            self.set_names(&mut root)?;
            self.set_scope(&mut root);
            self.set_literal(&mut root);
            require_names(&root, from)?;
        }
        Manifest::new(root).map_err(|(error, origin, _)| (origin, SealInputError::NotAManifest(error)))
    }

    fn set_names(&self, root: &mut Node) -> Result<(), (Origin, SealInputError)> {
        let (origin, secret) = (root.origin, secret_name(root));
        let Some(metadata) = root.mapping_at_mut(&["metadata"]) else { return Ok(()) };
        if let Some(name) = &self.name {
            metadata.insert("name", origin, Node::string(name.as_str(), origin));
            metadata.remove("generateName");
        }
        let Some(given) = &self.namespace else { return Ok(()) };
        match metadata.get("namespace").and_then(|node| Some((node.as_str()?, node.origin))) {
            Some((found, at)) if !found.is_empty() && found != given => {
                let (found, given) = (found.to_owned(), given.clone());
                Err((at, SealInputError::Namespace { secret, found, given }))
            }
            _ => {
                metadata.insert("namespace", origin, Node::string(given.as_str(), origin));
                Ok(())
            }
        }
    }

    fn set_literal(&self, root: &mut Node) {
        let origin = root.origin;
        if !self.literal {
            return;
        }
        if let Some(annotations) = root.mapping_at_mut(&["metadata", "annotations"]) {
            annotations.insert(LITERAL, origin, Node::string("true", origin));
        }
    }

    fn set_scope(&self, root: &mut Node) {
        let (Some(scope), origin) = (self.scope, root.origin) else { return };
        let has_annotations = root.at(&["metadata", "annotations"]).is_some();
        if scope == SealingScope::Strict && !has_annotations {
            return;
        }
        // Annotations of another type are refused later.
        let Some(annotations) = root.mapping_at_mut(&["metadata", "annotations"]) else { return };
        for name in [CLUSTER_WIDE, NAMESPACE_WIDE] {
            annotations.remove(name);
        }
        if let Some(name) = scope.annotation() {
            annotations.insert(name, origin, Node::string("true", origin));
        }
    }
}

/// Checks that a Secret has the names that its scope binds it to.
fn require_names(root: &Node, from: SecretOrigin) -> Result<(), (Origin, SealInputError)> {
    let annotations = root.at(&["metadata", "annotations"]).and_then(Node::as_mapping);
    let scope = SealingScope::from_annotation_map(annotations);
    // A field of another type is refused later.
    let is_missing = |field| {
        root.at(&["metadata", field])
            .is_none_or(|node| node.as_str() == Some("") || node.type_name() == "null")
    };
    let at = root.display_origin();
    let is_from_values = from == SecretOrigin::Values;
    if is_missing("name") && (scope == SealingScope::Strict || is_missing("generateName")) {
        return Err((at, SealInputError::NoName { scope, is_from_values }));
    }
    if scope != SealingScope::ClusterWide && is_missing("namespace") {
        return Err((at, SealInputError::NoNamespace { secret: secret_name(root), scope, is_from_values }));
    }
    Ok(())
}
