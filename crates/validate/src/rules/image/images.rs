//! Images of containers.

use crate::facts::checked_object::CheckedObject;
use sealwave_core::document::Node;

/// A parsed image reference.
pub(super) struct ImageReference<'a> {
    /// The tag, if any.
    pub(super) tag: Option<&'a str>,
    /// True if the reference has a digest.
    pub(super) has_digest: bool,
}

impl<'a> ImageReference<'a> {
    fn parse(reference: &'a str) -> Self {
        let (name, digest) =
            reference.split_once('@').map_or((reference, None), |(name, digest)| (name, Some(digest)));
        // The colon of a registry's port comes before a slash.
        let last = name.rsplit('/').next().unwrap_or(name);
        let tag = last.split_once(':').map(|(_, tag)| tag);
        Self { tag, has_digest: digest.is_some_and(|digest| digest.contains(':')) }
    }
}

/// Iterates over the images of an object's containers, without those that another tool still fills in.
pub(super) fn images<'a>(object: &CheckedObject<'a>) -> impl Iterator<Item = (&'a Node, ImageReference<'a>)> {
    object.containers().filter_map(|container| {
        let image = container.get("image")?;
        let text = image.as_str().filter(|text| !text.is_empty() && !text.contains(['$', '{', '<']))?;
        // Placeholder for an injected sidecar.
        (text != "auto").then(|| (image, ImageReference::parse(text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_parsed() {
        for (reference, tag, has_digest) in [
            ("nginx", None, false),
            ("nginx:1.27", Some("1.27"), false),
            ("registry:5000/nginx", None, false),
            ("registry:5000/a/nginx:latest", Some("latest"), false),
            ("nginx@sha256:abc", None, true),
            ("registry:5000/nginx:1@sha256:abc", Some("1"), true),
        ] {
            let image = ImageReference::parse(reference);
            assert_eq!((image.tag, image.has_digest), (tag, has_digest), "{reference}");
        }
    }
}
