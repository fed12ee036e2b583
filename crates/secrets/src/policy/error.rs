//! Why the rules of an operator file cannot be used.

use sealwave_core::diagnostic::Explain;

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not a glob.
    #[error("rule `{rule}`: pattern `{pattern}` is not a valid glob: {why}")]
    BadGlob {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// What the glob library says of it.
        why: String,
    },
    /// A key that no reference has.
    #[error("rule `{rule}`: the key of pattern `{pattern}` {why}")]
    BadKey {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// `{…}` where it cannot be filled in.
    #[error("rule `{rule}`: pattern `{pattern}` has `{found}`, which {why}")]
    BadVariable {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// The braces and what is in them.
        found: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The name of another rule.
    #[error("two rules of the policy are called `{rule}`")]
    DuplicateName {
        /// The name.
        rule: String,
    },
    /// A list without an entry, or a name without a character.
    #[error("rule `{rule}`: `{field}` is empty")]
    Empty {
        /// The rule's name.
        rule: String,
        /// Which field.
        field: &'static str,
    },
    /// It allows for every cluster, without saying so.
    #[error(
        "rule `{rule}` allows something, but names no `clusters`, and the operator file has more than one"
    )]
    NoClusters {
        /// The rule's name.
        rule: String,
    },
    /// It allows to everybody, without saying so.
    #[error("rule `{rule}` allows something, but names no `projects`")]
    NoProjects {
        /// The rule's name.
        rule: String,
    },
    /// No colon in it, or a provider that cannot be.
    #[error("rule `{rule}`: pattern `{pattern}` names no provider")]
    NoProvider {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
    },
    /// Neither allows nor denies.
    #[error("rule `{rule}` neither allows nor denies anything")]
    NoPurpose {
        /// The rule's name.
        rule: String,
    },
    /// It names a cluster that does not exist.
    #[error("rule `{rule}`: `{pattern}` in `clusters` matches no cluster of the operator file")]
    UnknownCluster {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// A cluster with nearly that name.
        similar: Option<String>,
    },
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
                    "a key has quotes only where a name holds a dot (`\"a.b\".c`); `sealwave refs` shows references as patterns match them"
                }
                Self::BadVariable { .. } => {
                    "`allow`, `deny` and `secretNamespaces` know `{project}`, `{namespace}`, `{app}` and `{env}`; a choice has a comma: `{a,b}`"
                }
                Self::DuplicateName { .. } => "messages and the audit tell rules apart by their names",
                Self::Empty { .. } => "an empty list matches nothing: remove it or fill it",
                Self::NoClusters { .. } => {
                    "add a line such as `clusters: [NAME]` with the clusters that this rule's values may be sealed for; `[\"*\"]` means all of them"
                }
                Self::NoProjects { .. } => "write `projects: [\"*\"]` if every project is meant",
                Self::NoProvider { .. } => {
                    "write `provider:path` with a provider of the operator file, for example `file:shop/**`; `path` is a name of the app file's"
                }
                Self::NoPurpose { .. } => "give it `allow` or `deny`",
                Self::UnknownCluster { .. } => "`clusters` lists names or patterns of what stands under `clusters` in the operator file",
            }
            .to_owned(),
        )
    }
}
