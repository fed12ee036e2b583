//! Objects for tests, made from JSON.

use serde_json::Value as Json;

use super::{Manifest, Node, Origin, Sources};

fn origin() -> Origin {
    Origin::point(Sources::default().add("test.yaml"), 1, 1)
}

/// A tree.
pub(crate) fn node(json: &Json) -> Node {
    Node::from_json(json, origin())
}

/// An object.
pub(crate) fn manifest(json: &Json) -> Manifest {
    Manifest::new(node(json)).expect("an object")
}

/// Objects.
pub(crate) fn manifests(all: &[Json]) -> Vec<Manifest> {
    all.iter().map(manifest).collect()
}
