//! The destinations of a rule: the clusters, namespaces and scopes for which a value may be sealed.
//!
//! The author of an app chooses all three, so a rule allows a reference only for these destinations. As with
//! references, `allow` is interpreted narrowly and `deny` broadly:
//!
//! | | a rule that allows | a rule that denies |
//! |---|---|---|
//! | no `clusters` | any cluster (an error if the operator file has several) | any cluster |
//! | no `scopes` | strict | any scope |
//! | no `secretNamespaces` | the app's own namespace, from Argo CD | any namespace |
//! | a cluster that the operator file does not have | not one of `clusters` | one of `clusters` |
//! | scopes | the listed ones | the listed ones and wider ones |
//! | a namespace that is unknown or not valid | not one of them | one of them |
//! | a cluster-wide Secret | in a namespace of the list | in every namespace: it can be unsealed there |
//! | a pattern with a variable that has no value | matches nothing | matches everything |

use std::collections::BTreeSet;
use std::fmt;

use globset::GlobMatcher;

use super::pattern::{PatternTemplate, build_glob, compile_plain_glob};
use super::{PolicyError, PolicySubject};
use crate::SealingScope;
use crate::settings::PolicyRule;
use sealwave_core::names::dns;
use sealwave_core::text::closest_name;

/// The destination of a reference's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination<'a> {
    /// The cluster of the environment.
    pub cluster: &'a str,
    /// Namespace of the Secret, if it has one.
    pub namespace: Option<&'a str>,
    /// The scope in which it can be unsealed.
    pub scope: SealingScope,
}

impl<'a> Destination<'a> {
    /// Creates the destination of a Secret in a namespace, which is empty if the Secret has none.
    #[must_use]
    pub fn new(cluster: &'a str, namespace: &'a str, scope: SealingScope) -> Self {
        Self { cluster, namespace: Some(namespace).filter(|name| !name.is_empty()), scope }
    }
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cluster `{}`, ", self.cluster)?;
        match self.namespace {
            Some(namespace) => write!(f, "namespace `{namespace}`, ")?,
            None => f.write_str("no namespace, ")?,
        }
        write!(f, "scope {}", self.scope)
    }
}

/// The parts of a destination that a rule does not allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DestinationMismatch {
    /// The cluster is not one of `clusters`.
    pub cluster: bool,
    /// The namespace is not one of `secretNamespaces`.
    pub namespace: bool,
    /// The scope is not one of `scopes`.
    pub scope: bool,
}

impl DestinationMismatch {
    /// Returns the number of parts; 0 if the destination is allowed.
    pub(super) fn count(self) -> u8 {
        u8::from(self.cluster) + u8::from(self.namespace) + u8::from(self.scope)
    }

    /// Returns the fields of a rule that would have to include the destination.
    pub fn fields(self) -> impl Iterator<Item = &'static str> {
        let fields =
            [("clusters", self.cluster), ("scopes", self.scope), ("secretNamespaces", self.namespace)];
        fields.into_iter().filter(|(_, is_mismatch)| *is_mismatch).map(|(field, _)| field)
    }
}

/// The destinations of a rule; omitted fields are `None`.
pub(super) struct RuleDestinations {
    clusters: Option<BTreeSet<String>>,
    scopes: Option<Vec<SealingScope>>,
    namespaces: Option<Vec<PatternTemplate>>,
}

impl RuleDestinations {
    /// Compiles the destinations of a rule; `clusters` are those of the operator file.
    pub(super) fn new(
        name: &str,
        rule: &PolicyRule,
        clusters: &BTreeSet<String>,
        report: &mut impl FnMut(PolicyError),
    ) -> Self {
        for field in empty_lists(rule) {
            report(PolicyError::Empty { rule: name.to_owned(), field });
        }
        if !rule.allow.is_empty() && rule.clusters.is_none() && clusters.len() > 1 {
            report(PolicyError::NoClusters { rule: name.to_owned() });
        }
        let mut all = BTreeSet::new();
        for pattern in rule.clusters.iter().flatten() {
            match matching_clusters(name, pattern, clusters) {
                Ok(found) => all.extend(found),
                Err(error) => report(error),
            }
        }
        let mut template =
            |pattern: &String| PatternTemplate::new(name, pattern, pattern).map_err(&mut *report).ok();
        Self {
            clusters: rule.clusters.as_ref().map(|_| all),
            scopes: rule.scopes.clone(),
            namespaces: rule
                .secret_namespaces
                .as_ref()
                .map(|list| list.iter().filter_map(&mut template).collect()),
        }
    }

    /// Reports whether the rule sets any destinations.
    pub(super) const fn has_destinations(&self) -> bool {
        self.clusters.is_some() || self.scopes.is_some() || self.namespaces.is_some()
    }

    /// Reports whether the rule lists namespaces instead of using the app's own.
    pub(super) const fn has_namespaces(&self) -> bool {
        self.namespaces.is_some()
    }

    /// Reports whether the rule lists scopes instead of allowing only strict.
    pub(super) const fn has_scopes(&self) -> bool {
        self.scopes.is_some()
    }

    /// Returns the destinations for one app.
    pub(super) fn bind(&self, subject: &PolicySubject) -> BoundDestinations {
        BoundDestinations {
            clusters: self.clusters.clone(),
            scopes: self.scopes.clone(),
            namespaces: match &self.namespaces {
                None => NamespacePatterns::Own(subject.namespace.clone()),
                Some(list) => {
                    NamespacePatterns::Listed(list.iter().map(|one| NamePattern::new(one, subject)).collect())
                }
            },
        }
    }
}

/// Returns the fields of a rule that are set to an empty list.
fn empty_lists(rule: &PolicyRule) -> impl Iterator<Item = &'static str> {
    let is_empty = |list: &Option<Vec<String>>| list.as_ref().is_some_and(Vec::is_empty);
    let fields = [
        ("clusters", is_empty(&rule.clusters)),
        ("scopes", rule.scopes.as_ref().is_some_and(Vec::is_empty)),
        ("secretNamespaces", is_empty(&rule.secret_namespaces)),
    ];
    fields.into_iter().filter(|(_, is_empty)| *is_empty).map(|(field, _)| field)
}

/// Returns the clusters of the operator file that match a pattern.
fn matching_clusters(
    rule: &str,
    pattern: &str,
    clusters: &BTreeSet<String>,
) -> Result<BTreeSet<String>, PolicyError> {
    let matcher = compile_plain_glob(rule, pattern)?;
    let named: BTreeSet<String> = clusters.iter().filter(|name| matcher.is_match(name)).cloned().collect();
    if named.is_empty() {
        return Err(PolicyError::UnknownCluster {
            rule: rule.to_owned(),
            pattern: pattern.to_owned(),
            similar: closest_name(pattern, clusters.iter().map(String::as_str)).map(str::to_owned),
        });
    }
    Ok(named)
}

/// The destinations of a rule, for one app.
pub(super) struct BoundDestinations {
    clusters: Option<BTreeSet<String>>,
    scopes: Option<Vec<SealingScope>>,
    namespaces: NamespacePatterns,
}

enum NamespacePatterns {
    Listed(Vec<NamePattern>),
    /// The app's own, which is empty if Argo CD does not provide it.
    Own(String),
}

/// A pattern for one app; `None` if a variable has no value.
struct NamePattern {
    exact: Option<GlobMatcher>,
    any_case: Option<GlobMatcher>,
}

impl NamePattern {
    fn new(template: &PatternTemplate, subject: &PolicySubject) -> Self {
        let filled = template.fill(subject);
        let glob = |any_case| filled.as_ref().and_then(|text| build_glob(text, any_case).ok());
        Self { exact: glob(false), any_case: glob(true) }
    }
}

impl BoundDestinations {
    /// Returns the parts of a destination that `allow` does not match exactly.
    pub(super) fn mismatch(&self, destination: &Destination<'_>) -> DestinationMismatch {
        DestinationMismatch {
            cluster: self.clusters.as_ref().is_some_and(|names| !names.contains(destination.cluster)),
            namespace: !destination.namespace.is_some_and(|name| self.allows_namespace(name)),
            scope: !self.scopes.as_deref().unwrap_or(&[SealingScope::Strict]).contains(&destination.scope),
        }
    }

    /// Reports whether a value for this destination could be unsealed at a destination that `deny` matches. `clusters`
    /// are those of the operator file.
    pub(super) fn may_reach(&self, destination: &Destination<'_>, clusters: &BTreeSet<String>) -> bool {
        let cluster = self.clusters.as_ref().is_none_or(|names| {
            names.contains(destination.cluster) || !clusters.contains(destination.cluster)
        });
        let scope =
            self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|scope| *scope <= destination.scope));
        cluster && scope && self.may_reach_namespace(destination)
    }

    fn allows_namespace(&self, name: &str) -> bool {
        dns::is_label(name)
            && match &self.namespaces {
                NamespacePatterns::Own(own) => own == name,
                NamespacePatterns::Listed(list) => {
                    list.iter().any(|one| one.exact.as_ref().is_some_and(|glob| glob.is_match(name)))
                }
            }
    }

    fn may_reach_namespace(&self, destination: &Destination<'_>) -> bool {
        let NamespacePatterns::Listed(list) = &self.namespaces else { return true };
        let known = destination.namespace.filter(|name| dns::is_label(name));
        let Some(name) = known.filter(|_| destination.scope != SealingScope::ClusterWide) else {
            return true;
        };
        list.iter().any(|one| one.any_case.as_ref().is_none_or(|glob| glob.is_match(name)))
    }
}
