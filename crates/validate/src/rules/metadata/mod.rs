//! Rules about names, labels and annotations, which the API server checks for every object.

pub(super) mod annotation;
pub(super) mod finalizer;
pub(super) mod label;
pub(crate) mod name;
pub(super) mod syntax;

use crate::rules::CheckedObject;
use crate::rules::credential::looks_like_credential;
use sealwave_core::document::{Mapping, Node};

/// Visits the metadata of an object, and of its templates of pods, Jobs and claims.
pub(super) fn for_each_metadata<'a>(object: &CheckedObject<'a>, mut visit: impl FnMut(&'a Mapping)) {
    if let Some(metadata) = object.metadata {
        visit(metadata);
    }
    let root = object.manifest.root();
    let mut visit_template = |node: Option<&'a Node>| {
        if let Some(metadata) = node.and_then(|node| node.get("metadata")?.as_mapping()) {
            visit(metadata);
        }
    };
    if object.is("batch", "CronJob") {
        visit_template(root.at(&["spec", "jobTemplate"]));
    }
    let Some(pod) = &object.pod else { return };
    if !pod.path.is_empty() {
        visit_template(root.at(&pod.path));
    }
    let claims = root.items_at(&["spec", "volumeClaimTemplates"]);
    for claim in claims {
        visit_template(Some(claim));
    }
    let volumes = pod.spec.items_at(&["volumes"]);
    for volume in volumes {
        visit_template(volume.at(&["ephemeral", "volumeClaimTemplate"]));
    }
}

/// Shortens a name for a message. The printer escapes control characters.
pub fn shorten(name: &str) -> String {
    let mut shown: String = name.chars().take(80).map(|c| if c == '`' { '?' } else { c }).collect();
    if name.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

/// Appends a key to a noun like `the label key`, unless the key may be a secret value.
pub(in crate::rules) fn noun_with_key(noun: &str, key: &str, is_secret: bool) -> String {
    if is_secret || looks_like_credential(&[key.to_owned()], 0) {
        noun.to_owned()
    } else {
        format!("{noun} `{}`", shorten(key))
    }
}
