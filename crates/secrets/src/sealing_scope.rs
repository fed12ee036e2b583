//! How far a sealed item may travel.

use std::fmt;

use serde::Deserialize;

use sealwave_core::document::{Mapping, Node};
use sealwave_core::names;

/// Where the controller accepts a sealed item, from the narrowest scope to the widest.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Under its name in its namespace.
    #[default]
    Strict,
    /// Under any name in its namespace.
    NamespaceWide,
    /// Under any name in any namespace.
    ClusterWide,
}

impl Scope {
    /// The scope that the controller reads from annotations: only the exact text `true` counts, and cluster-wide
    /// goes before namespace-wide.
    pub fn from_annotations<'a>(annotation: impl Fn(&str) -> Option<&'a str>) -> Self {
        if annotation(names::CLUSTER_WIDE) == Some("true") {
            Self::ClusterWide
        } else if annotation(names::NAMESPACE_WIDE) == Some("true") {
            Self::NamespaceWide
        } else {
            Self::Strict
        }
    }

    /// Reads the scope from `metadata.annotations` of an object, as the controller does.
    #[must_use]
    pub fn of(annotations: Option<&Mapping>) -> Self {
        Self::from_annotations(|name| annotations?.get(name).and_then(Node::as_str))
    }

    /// The annotation that says so; strict has none.
    #[must_use]
    pub const fn annotation(self) -> Option<&'static str> {
        match self {
            Self::ClusterWide => Some(names::CLUSTER_WIDE),
            Self::NamespaceWide => Some(names::NAMESPACE_WIDE),
            Self::Strict => None,
        }
    }

    /// Its name, as people write it and as it goes into the derivation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClusterWide => "cluster-wide",
            Self::NamespaceWide => "namespace-wide",
            Self::Strict => "strict",
        }
    }

    /// The OAEP label: the controller can decrypt only what it itself would label so.
    #[must_use]
    pub fn label(self, namespace: &str, name: &str) -> Vec<u8> {
        match self {
            Self::ClusterWide => Vec::new(),
            Self::NamespaceWide => namespace.as_bytes().to_vec(),
            Self::Strict => format!("{namespace}/{name}").into_bytes(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(annotations: &[(&str, &'static str)]) -> Scope {
        Scope::from_annotations(|name| {
            annotations.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
        })
    }

    #[test]
    fn only_the_exact_text_true_counts_and_the_widest_wins() {
        assert_eq!(scope(&[]), Scope::Strict);
        for text in ["True", "TRUE", "1", "yes", "true ", " true", ""] {
            assert_eq!(scope(&[(names::CLUSTER_WIDE, text)]), Scope::Strict, "{text:?}");
        }
        assert_eq!(scope(&[(names::NAMESPACE_WIDE, "true")]), Scope::NamespaceWide);
        assert_eq!(
            scope(&[(names::NAMESPACE_WIDE, "true"), (names::CLUSTER_WIDE, "true")]),
            Scope::ClusterWide
        );
        assert_eq!(
            scope(&[(names::CLUSTER_WIDE, "false"), (names::NAMESPACE_WIDE, "true")]),
            Scope::NamespaceWide
        );
    }
}
