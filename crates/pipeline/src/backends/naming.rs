//! Checks the name and namespace of a Secret. Sealing binds a Secret to both, so that a name with `/` or another character
//! that is not allowed could be sealed for another object.

use sealwave_core::diagnostic::Explain;
use sealwave_core::document::{Manifest, Node, Origin};
use sealwave_core::names::dns;

/// A name that Kubernetes rejects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NamingError {
    #[error("`generateName: {0}` does not begin a valid Secret name")]
    GenerateName(String),
    #[error("`{0}` is not a valid Secret name")]
    Name(String),
    #[error("`{0}` is not a valid namespace name")]
    Namespace(String),
}

impl Explain for NamingError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::GenerateName(_) | Self::Name(_) => {
                "use lower-case letters, digits, `-` and `.`, at most 253 characters, with a letter or digit at both ends of each part"
            }
            Self::Namespace(_) => dns::LABEL_HINT,
        };
        Some(hint.to_owned())
    }
}

/// Finds the names of a Secret that are not valid. Missing names are not checked here.
pub(super) fn naming_errors(secret: &Manifest) -> Vec<(Origin, NamingError)> {
    type Check = (&'static str, fn(&str) -> bool, fn(String) -> NamingError);
    let generate_name: Check =
        ("generateName", |text| dns::is_subdomain(&format!("{text}a")), NamingError::GenerateName);
    let checks: [Check; 3] = [
        ("name", dns::is_subdomain, NamingError::Name),
        ("namespace", dns::is_label, NamingError::Namespace),
        generate_name,
    ];
    let mut found = Vec::new();
    for (field, is_valid, error) in checks {
        let node = secret.root().at(&["metadata", field]);
        let text = node.and_then(Node::as_str).filter(|text| !text.is_empty());
        if let (Some(node), Some(text)) = (node, text)
            && !is_valid(text)
            && (field != "generateName" || secret.name().is_empty())
        {
            found.push((node.origin, error(text.to_owned())));
        }
    }
    found
}
