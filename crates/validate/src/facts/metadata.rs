//! The metadata of objects and of their templates, and its names in messages.

use crate::facts::checked_object::CheckedObject;
use crate::facts::credential::looks_like_credential;
use crate::located::LocatedNode;

/// Visits the metadata of an object, and of its templates of pods, Jobs and claims.
pub(crate) fn for_each_metadata<'a>(object: &CheckedObject<'a>, mut visit: impl FnMut(&LocatedNode<'a>)) {
    let root = object.located();
    let mut visit_template = |node: Option<&LocatedNode<'a>>| {
        if let Some(metadata) = node.and_then(|node| node.get("metadata"))
            && metadata.node.as_mapping().is_some()
        {
            visit(&metadata);
        }
    };
    visit_template(Some(&root));
    if object.is("batch", "CronJob") {
        visit_template(root.at(&["spec", "jobTemplate"]).as_ref());
    }
    let Some(pod) = &object.pod else { return };
    if !pod.path.is_empty() {
        visit_template(root.at(&pod.path).as_ref());
    }
    let claims = root.at(&["spec", "volumeClaimTemplates"]);
    for claim in claims.iter().flat_map(LocatedNode::items) {
        visit_template(Some(&claim));
    }
    let volumes = object.located_pod_spec().and_then(|spec| spec.get("volumes"));
    for volume in volumes.iter().flat_map(LocatedNode::items) {
        visit_template(volume.at(&["ephemeral", "volumeClaimTemplate"]).as_ref());
    }
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
