//! Objects for this stage's tests, made from JSON.

use serde_json::Value as Json;

use crate::model::{Manifest, Node, Origin, Sources};

fn origin() -> Origin {
    Origin::point(Sources::default().add("test.yaml"), 1, 1)
}

/// A tree.
pub(super) fn node(json: &Json) -> Node {
    Node::from_json(json, origin())
}

/// An object.
pub(super) fn manifest(json: &Json) -> Manifest {
    Manifest::new(node(json)).expect("an object")
}

/// Objects.
pub(super) fn manifests(all: &[Json]) -> Vec<Manifest> {
    all.iter().map(manifest).collect()
}
