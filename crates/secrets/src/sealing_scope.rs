//! The scope of a sealed item: where it may be unsealed.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use sealwave_core::document::{Mapping, Node};
use sealwave_core::names;

/// The scope in which the controller accepts a sealed item, from narrowest to widest.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum SealingScope {
    /// Only under its name, in its namespace.
    #[default]
    Strict,
    /// Under any name, in its namespace.
    NamespaceWide,
    /// Under any name, in any namespace.
    ClusterWide,
}

impl SealingScope {
    /// Returns the scope that the controller derives from annotations: only the exact text `true` counts, and
    /// cluster-wide takes precedence over namespace-wide.
    pub fn from_annotations<'a>(annotation: impl Fn(&str) -> Option<&'a str>) -> Self {
        if annotation(names::CLUSTER_WIDE) == Some("true") {
            Self::ClusterWide
        } else if annotation(names::NAMESPACE_WIDE) == Some("true") {
            Self::NamespaceWide
        } else {
            Self::Strict
        }
    }

    /// Returns the scope from `metadata.annotations` of an object, like the controller.
    #[must_use]
    pub fn from_annotation_map(annotations: Option<&Mapping>) -> Self {
        Self::from_annotations(|name| annotations?.get(name).and_then(Node::as_str))
    }

    /// Returns the annotation for the scope; strict has none.
    #[must_use]
    pub const fn annotation(self) -> Option<&'static str> {
        match self {
            Self::ClusterWide => Some(names::CLUSTER_WIDE),
            Self::NamespaceWide => Some(names::NAMESPACE_WIDE),
            Self::Strict => None,
        }
    }

    /// Returns the name of the scope, as written by people and used in the derivation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClusterWide => "cluster-wide",
            Self::NamespaceWide => "namespace-wide",
            Self::Strict => "strict",
        }
    }

    /// Names the objects whose Secrets can get an item of an object with this name and namespace, for plans.
    #[must_use]
    pub fn destination(self, namespace: &str, name: &str) -> String {
        match self {
            Self::ClusterWide => format!("any namespace (cluster-wide), as `{name}`"),
            Self::NamespaceWide => format!("any Secret of namespace `{namespace}`, as `{name}`"),
            Self::Strict => format!("`{namespace}/{name}`"),
        }
    }

    /// Returns the OAEP label: the controller can decrypt an item only with the label that it computes itself.
    #[must_use]
    pub fn label(self, namespace: &str, name: &str) -> Vec<u8> {
        match self {
            Self::ClusterWide => Vec::new(),
            Self::NamespaceWide => namespace.as_bytes().to_vec(),
            Self::Strict => format!("{namespace}/{name}").into_bytes(),
        }
    }
}

impl fmt::Display for SealingScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(annotations: &[(&str, &'static str)]) -> SealingScope {
        SealingScope::from_annotations(|name| {
            annotations.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
        })
    }

    #[test]
    fn only_the_exact_text_true_counts_and_the_widest_takes_precedence() {
        assert_eq!(scope(&[]), SealingScope::Strict);
        for text in ["True", "TRUE", "1", "yes", "true ", " true", ""] {
            assert_eq!(scope(&[(names::CLUSTER_WIDE, text)]), SealingScope::Strict, "{text:?}");
        }
        assert_eq!(scope(&[(names::NAMESPACE_WIDE, "true")]), SealingScope::NamespaceWide);
        assert_eq!(
            scope(&[(names::NAMESPACE_WIDE, "true"), (names::CLUSTER_WIDE, "true")]),
            SealingScope::ClusterWide
        );
        assert_eq!(
            scope(&[(names::CLUSTER_WIDE, "false"), (names::NAMESPACE_WIDE, "true")]),
            SealingScope::NamespaceWide
        );
    }
}
