//! Names, labels and annotations: what the API server asks of every object's metadata.

pub(super) mod annotation;
pub(super) mod finalizer;
pub(super) mod label;
pub(crate) mod name;
pub(super) mod syntax;

use crate::rules::Object;
use crate::rules::credential::looks_like_credential;
use sealwave_core::document::{Mapping, Node};

/// The metadata of an object, and of the templates in it: of its pods, Jobs and claims.
pub(super) fn each_metadata<'a>(object: &Object<'a>, mut visit: impl FnMut(&'a Mapping)) {
    if let Some(metadata) = object.metadata {
        visit(metadata);
    }
    let root = object.manifest.root();
    let mut at = |node: Option<&'a Node>| {
        if let Some(metadata) = node.and_then(|node| node.get("metadata")?.as_mapping()) {
            visit(metadata);
        }
    };
    if object.is("batch", "CronJob") {
        at(root.at(&["spec", "jobTemplate"]));
    }
    let Some(pod) = &object.pod else { return };
    if !pod.path.is_empty() {
        at(root.at(&pod.path));
    }
    let claims = root.at(&["spec", "volumeClaimTemplates"]).map_or(&[][..], Node::items);
    for claim in claims {
        at(Some(claim));
    }
    let volumes = pod.spec.get("volumes").map_or(&[][..], Node::items);
    for volume in volumes {
        at(volume.at(&["ephemeral", "volumeClaimTemplate"]));
    }
}

/// A name that is short enough for a message; whoever prints it sees to what would drive a terminal.
pub fn shown(name: &str) -> String {
    let mut shown: String = name.chars().take(80).map(|c| if c == '`' { '?' } else { c }).collect();
    if name.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

/// `the key of a label`, and the key itself where it is no value that slipped into its place.
pub(in crate::rules) fn named_key(what: &str, key: &str, is_secret: bool) -> String {
    if is_secret || looks_like_credential(&[key.to_owned()], 0) {
        what.to_owned()
    } else {
        format!("{what}, `{}`,", shown(key))
    }
}
