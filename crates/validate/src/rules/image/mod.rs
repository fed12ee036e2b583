//! Which image a container runs.

pub(super) mod digest;
pub(super) mod latest;
pub(super) mod missing;
pub(super) mod reference;

use crate::rules::Object;
use sealwave_core::document::Node;

/// An image reference, taken apart.
struct Image<'a> {
    /// Its tag, where it has one.
    tag: Option<&'a str>,
    /// Whether it names its content.
    has_digest: bool,
}

impl<'a> Image<'a> {
    fn of(reference: &'a str) -> Self {
        let (name, digest) =
            reference.split_once('@').map_or((reference, None), |(name, digest)| (name, Some(digest)));
        // The colon of a registry's port stands before a slash.
        let last = name.rsplit('/').next().unwrap_or(name);
        let tag = last.split_once(':').map(|(_, tag)| tag);
        Self { tag, has_digest: digest.is_some_and(|digest| digest.contains(':')) }
    }
}

/// Images of an object's containers; those that another tool still fills in are left out.
fn images<'a>(object: &Object<'a>) -> impl Iterator<Item = (&'a Node, Image<'a>)> {
    object.containers().filter_map(|container| {
        let image = container.get("image")?;
        let text = image.as_str().filter(|text| !text.is_empty() && !text.contains(['$', '{', '<']))?;
        // Written in an injected sidecar's place.
        (text != "auto").then(|| (image, Image::of(text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        for (reference, tag, has_digest) in [
            ("nginx", None, false),
            ("nginx:1.27", Some("1.27"), false),
            ("registry:5000/nginx", None, false),
            ("registry:5000/a/nginx:latest", Some("latest"), false),
            ("nginx@sha256:abc", None, true),
            ("registry:5000/nginx:1@sha256:abc", Some("1"), true),
        ] {
            let image = Image::of(reference);
            assert_eq!((image.tag, image.has_digest), (tag, has_digest), "{reference}");
        }
    }
}
