//! Objects for tests, created from JSON.

use serde_json::Value as Json;

use super::{Manifest, Node, Origin, Sources};

fn origin() -> Origin {
    Origin::point(Sources::default().add("test.yaml"), 1, 1)
}

/// Returns a tree.
pub(crate) fn node(json: &Json) -> Node {
    Node::from_json(json, origin())
}

/// Returns an object.
pub(crate) fn manifest(json: &Json) -> Manifest {
    Manifest::new(node(json)).expect("an object")
}

/// Returns objects.
pub(crate) fn manifests(all: &[Json]) -> Vec<Manifest> {
    all.iter().map(manifest).collect()
}
