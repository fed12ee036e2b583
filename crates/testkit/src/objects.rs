//! Objects for tests, created from JSON.

use serde_json::Value as Json;

use sealwave_core::document::{Manifest, Node, Origin, Sources};

fn origin() -> Origin {
    Origin::point(Sources::default().add("test.yaml"), 1, 1)
}

/// Returns a tree.
#[must_use]
pub fn node(json: &Json) -> Node {
    Node::from_json(json, origin())
}

/// Returns an object.
#[must_use]
pub fn manifest(json: &Json) -> Manifest {
    Manifest::new(node(json)).expect("an object")
}

/// Returns objects.
#[must_use]
pub fn manifests(all: &[Json]) -> Vec<Manifest> {
    all.iter().map(manifest).collect()
}
