//! Errors in the policy of an operator file.

use crate::settings::{PolicyRule, SettingPath};
use sealwave_core::diagnostic::Explain;

/// An error in a policy rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A pattern is not a valid glob.
    #[error("rule `{rule}`: pattern `{pattern}` is not a valid glob: {why}")]
    BadGlob {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// The error of the glob library.
        why: String,
    },
    /// A key that no reference can have.
    #[error("rule `{rule}`: the key of pattern `{pattern}` {why}")]
    BadKey {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// The problem.
        why: String,
    },
    /// Braces that are not a variable, or in the wrong place.
    #[error("rule `{rule}`: pattern `{pattern}` has `{found}`, which {why}")]
    BadVariable {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// The braces with their content.
        found: String,
        /// The problem.
        why: &'static str,
    },
    /// Two rules have the same name.
    #[error("policy has two rules named `{rule}`")]
    DuplicateName {
        /// The name.
        rule: String,
    },
    /// An empty list or name.
    #[error("rule `{rule}`: `{field}` is empty")]
    Empty {
        /// The rule's name.
        rule: String,
        /// The field.
        field: &'static str,
    },
    /// `allow` implicitly applies to every cluster.
    #[error("rule `{rule}` has `allow` but no `clusters`, and the operator file has more than one cluster")]
    NoClusters {
        /// The rule's name.
        rule: String,
    },
    /// `allow` implicitly applies to every project.
    #[error("rule `{rule}` has `allow` but no `projects`")]
    NoProjects {
        /// The rule's name.
        rule: String,
    },
    /// The pattern has no colon, or an impossible provider.
    #[error("rule `{rule}`: pattern `{pattern}` does not name a provider")]
    NoProvider {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
    },
    /// The rule has neither `allow` nor `deny`.
    #[error("rule `{rule}` has neither `allow` nor `deny`")]
    NoPurpose {
        /// The rule's name.
        rule: String,
    },
    /// The cluster does not exist.
    #[error("rule `{rule}`: `{pattern}` in `clusters` matches no cluster of the operator file")]
    UnknownCluster {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// A cluster with a similar name.
        similar: Option<String>,
    },
}

impl PolicyError {
    /// Returns the path to the setting that is wrong, in the rule with this index.
    pub(super) fn setting(&self, index: usize, rule: &PolicyRule) -> SettingPath {
        let path = SettingPath::of_keys(&["policy"]).item(index);
        match self {
            Self::BadGlob { pattern, .. }
            | Self::BadKey { pattern, .. }
            | Self::BadVariable { pattern, .. }
            | Self::NoProvider { pattern, .. }
            | Self::UnknownCluster { pattern, .. } => match position(rule, pattern) {
                Some((field, item)) => path.key(field).item(item),
                None => path,
            },
            Self::DuplicateName { .. } => path.key("name"),
            Self::Empty { field, .. } => path.key(field),
            Self::NoClusters { .. } | Self::NoProjects { .. } | Self::NoPurpose { .. } => path,
        }
    }
}

/// Returns the first field of a rule that holds a pattern, and its index there.
fn position(rule: &PolicyRule, pattern: &str) -> Option<(&'static str, usize)> {
    let lists = [
        ("projects", rule.projects.as_ref()),
        ("apps", rule.apps.as_ref()),
        ("namespaces", rule.namespaces.as_ref()),
        ("environments", rule.environments.as_ref()),
        ("repositories", rule.repositories.as_ref()),
        ("clusters", rule.clusters.as_ref()),
        ("secretNamespaces", rule.secret_namespaces.as_ref()),
        ("allow", Some(&rule.allow)),
        ("deny", Some(&rule.deny)),
    ];
    lists
        .into_iter()
        .find_map(|(field, list)| list?.iter().position(|listed| listed == pattern).map(|item| (field, item)))
}

impl Explain for PolicyError {
    fn hint(&self) -> Option<String> {
        if let Self::UnknownCluster { similar: Some(similar), .. } = self {
            return Some(format!("did you mean `{similar}`?"));
        }
        Some(
            match self {
                Self::BadGlob { .. } => {
                    "`*` matches within a segment of the path, `**` across segments, `{a,b}` is a choice"
                }
                Self::BadKey { .. } => {
                    "quote only names that contain a dot (`\"a.b\".c`); `sealwave refs` shows references as patterns match them"
                }
                Self::BadVariable { .. } => {
                    "`allow`, `deny` and `secretNamespaces` support `{project}`, `{namespace}`, `{app}` and `{env}`; a choice has a comma: `{a,b}`"
                }
                Self::DuplicateName { .. } => "messages and the audit log identify rules by name",
                Self::Empty { .. } => "an empty list matches nothing: remove it or fill it",
                Self::NoClusters { .. } => {
                    "add a line such as `clusters: [NAME]` with the clusters that this rule's values may be sealed for; `[\"*\"]` means all of them"
                }
                Self::NoProjects { .. } => "to match every project, write `projects: [\"*\"]`",
                Self::NoProvider { .. } => {
                    "write `provider:path` with a provider of the operator file, for example `file:shop/**`; `path` is available only in apps"
                }
                Self::NoPurpose { .. } => "add `allow` or `deny`",
                Self::UnknownCluster { .. } => "`clusters` lists names or patterns of the clusters in the operator file",
            }
            .to_owned(),
        )
    }
}
