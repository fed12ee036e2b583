//! The metadata of objects and of their templates, and its names in messages.

use crate::facts::credential::looks_like_credential;
use crate::located::LocatedNode;
use sealwave_kube::catalog::CatalogObject;
use sealwave_kube::pods::PodTemplate;

/// Returns the metadata of an object, and of its templates of pods, Jobs and claims. `pod_spec` is the spec of `pod`.
pub(crate) fn all_metadata<'a>(
    object: &CatalogObject<'a>,
    pod: Option<&PodTemplate<'a>>,
    pod_spec: Option<&LocatedNode<'a>>,
) -> Vec<LocatedNode<'a>> {
    let root = LocatedNode::root(object.manifest);
    let mut found = Vec::new();
    let mut add = |node: Option<&LocatedNode<'a>>| {
        let metadata = node.and_then(|node| node.get("metadata"));
        found.extend(metadata.filter(|metadata| metadata.node.as_mapping().is_some()));
    };
    add(Some(&root));
    if object.is("batch", "CronJob") {
        add(root.at(&["spec", "jobTemplate"]).as_ref());
    }
    let Some(pod) = pod else { return found };
    if !pod.path.is_empty() {
        add(root.at(&pod.path).as_ref());
    }
    let claims = root.at(&["spec", "volumeClaimTemplates"]);
    for claim in claims.iter().flat_map(LocatedNode::items) {
        add(Some(&claim));
    }
    let volumes = pod_spec.and_then(|spec| spec.get("volumes"));
    for volume in volumes.iter().flat_map(LocatedNode::items) {
        add(volume.at(&["ephemeral", "volumeClaimTemplate"]).as_ref());
    }
    found
}

/// Shortens a name for a message. The printer escapes control characters.
pub(crate) fn shorten(name: &str) -> String {
    let mut shown: String = name.chars().take(80).map(|c| if c == '`' { '?' } else { c }).collect();
    if name.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

/// Appends a key to a noun like `the label key`, unless the key may be a secret value.
pub(crate) fn noun_with_key(noun: &str, key: &str, is_secret: bool) -> String {
    if is_secret || looks_like_credential(&[key.to_owned()], 0) {
        noun.to_owned()
    } else {
        format!("{noun} `{}`", shorten(key))
    }
}
