//! Review of a valid policy: rules and patterns that have no effect, which are probably mistakes.
//!
//! It reads rules as text and never decides about a reference. It reports only what is certain: patterns with variables,
//! and choices, are compared as text.

mod coverage;
mod names;

#[cfg(test)]
mod tests;

use super::pattern::build_glob;
use super::rule_name;
use crate::settings::{OperatorConfig, PolicyRule, SettingPath};
use coverage::RuleView;
use sealwave_core::diagnostic::{Explain, Severity};
use sealwave_core::text::closest_name;

/// Namespaces that Argo CD is usually installed in. The names of apps there have no prefix.
const ARGO_CD_NAMESPACES: [&str; 2] = ["argocd", "openshift-gitops"];

/// A part of a policy that has no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyWarning {
    /// Another rule already allows everything that a pattern allows.
    #[error("rule `{rule}`: pattern `{pattern}` adds nothing: rule `{by}` already allows all of it")]
    AlreadyAllowed {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// The name of the other rule.
        by: String,
    },
    /// Another rule denies everything that a pattern allows.
    #[error("rule `{rule}`: pattern `{pattern}` has no effect: rule `{by}` denies all of it")]
    DeniedEntirely {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// The name of the other rule.
        by: String,
    },
    /// No name has the characters of a pattern.
    #[error("rule `{rule}`: pattern `{pattern}` in `{field}` matches nothing: {why}")]
    ImpossibleName {
        /// The rule's name.
        rule: String,
        /// The field.
        field: &'static str,
        /// The pattern.
        pattern: String,
        /// The reason.
        why: &'static str,
    },
    /// The file has providers but no rules.
    #[error("the operator file has no `policy`, so every reference is refused")]
    NoPolicy,
    /// An app of Argo CD's own namespace, with the prefix that only apps of other namespaces have.
    #[error("rule `{rule}`: pattern `{pattern}` in `apps` matches no app of Argo CD's own namespace")]
    OwnNamespacePrefix {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// The pattern without the prefix.
        name: String,
    },
    /// A path with `..`, which is always refused.
    #[error("rule `{rule}`: pattern `{pattern}` has no effect: paths with `..` are always refused")]
    ParentSegment {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
    },
    /// No provider of the operator file has a matching name.
    #[error("rule `{rule}`: pattern `{pattern}` matches no provider of the operator file")]
    UnknownProvider {
        /// The rule's name.
        rule: String,
        /// The pattern.
        pattern: String,
        /// A provider with a similar name.
        similar: Option<String>,
    },
    /// No rule allows values for a cluster.
    #[error("no rule allows secrets for cluster `{name}`")]
    UnusedCluster {
        /// The cluster's name.
        name: String,
    },
    /// No rule allows references to a provider.
    #[error("no rule allows secrets of provider `{name}`")]
    UnusedProvider {
        /// The provider's name.
        name: String,
    },
}

impl PolicyWarning {
    /// Returns the severity: a note if everything works as the rule says.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::AlreadyAllowed { .. } | Self::UnusedCluster { .. } | Self::UnusedProvider { .. } => {
                Severity::Note
            }
            Self::DeniedEntirely { .. }
            | Self::ImpossibleName { .. }
            | Self::NoPolicy
            | Self::OwnNamespacePrefix { .. }
            | Self::ParentSegment { .. }
            | Self::UnknownProvider { .. } => Severity::Warning,
        }
    }
}

impl Explain for PolicyWarning {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::AlreadyAllowed { .. } => "remove it, or narrow the other rule".to_owned(),
            Self::DeniedEntirely { .. } => {
                "`deny` takes precedence over every `allow`: narrow the `deny`, or remove this pattern"
                    .to_owned()
            }
            Self::ImpossibleName { field: "repositories", .. } => {
                "write the URL as Argo CD uses it, for example `https://git.example.com/shop/*`".to_owned()
            }
            Self::ImpossibleName { field: "apps", .. } => {
                "an app in another namespace than Argo CD's is named `NAMESPACE_NAME`".to_owned()
            }
            Self::ImpossibleName { .. } => "write a name or a glob over names".to_owned(),
            Self::NoPolicy => {
                "add a rule such as `policy: [{projects: [shop], allow: [\"file:shop/**\"]}]`".to_owned()
            }
            Self::OwnNamespacePrefix { name, .. } => {
                format!("write `{name}`; only apps of other namespaces have their namespace as a prefix")
            }
            Self::ParentSegment { .. } => "write the path without `..`".to_owned(),
            Self::UnknownProvider { similar: Some(similar), .. } => format!("did you mean `{similar}`?"),
            Self::UnknownProvider { similar: None, .. } => {
                "write `NAME:path` with a name from `providers`, or remove the pattern".to_owned()
            }
            Self::UnusedCluster { .. } | Self::UnusedProvider { .. } => {
                "add a rule with `allow`, or remove it from the operator file".to_owned()
            }
        })
    }
}

/// Returns the parts of a policy that have no effect, in the order of the rules.
#[must_use]
pub fn review_policy<P>(operator: &OperatorConfig<P>) -> Vec<(SettingPath, PolicyWarning)> {
    if operator.policy.is_empty() {
        let needed = !operator.providers.is_empty();
        return needed.then(|| (SettingPath::default(), PolicyWarning::NoPolicy)).into_iter().collect();
    }
    let rules: Vec<RuleView<'_>> =
        operator.policy.iter().map(|rule| RuleView::new(rule, &operator.clusters)).collect();
    let mut warnings = Vec::new();
    for (index, rule) in operator.policy.iter().enumerate() {
        let review = RuleReview { operator, index, rule, name: rule_name(index, rule) };
        review.criteria(&mut warnings);
        review.patterns(&rules, &mut warnings);
    }
    unused(operator, &rules, &mut warnings);
    warnings
}

/// One rule and its surroundings.
struct RuleReview<'a, P> {
    operator: &'a OperatorConfig<P>,
    index: usize,
    rule: &'a PolicyRule,
    name: String,
}

impl<P> RuleReview<'_, P> {
    fn path(&self, field: &str, item: usize) -> SettingPath {
        SettingPath::of_keys(&["policy"]).item(self.index).key(field).item(item)
    }

    /// Finds patterns that no name matches.
    fn criteria(&self, warnings: &mut Vec<(SettingPath, PolicyWarning)>) {
        let rule = self.rule;
        let lists = [
            ("projects", &rule.projects, names::NAME_OF_PROJECT),
            ("apps", &rule.apps, names::NAME_OF_APP),
            ("namespaces", &rule.namespaces, names::LABEL),
            ("secretNamespaces", &rule.secret_namespaces, names::LABEL),
        ];
        for (field, list, form) in lists {
            for (item, pattern) in list.iter().flatten().enumerate() {
                if let Some(why) = form.problem(pattern) {
                    warnings.push((self.path(field, item), self.impossible(field, pattern, why)));
                }
            }
        }
        for (item, pattern) in rule.apps.iter().flatten().enumerate() {
            let own = |namespace| pattern.strip_prefix(namespace)?.strip_prefix('_');
            if let Some(name) = ARGO_CD_NAMESPACES.into_iter().find_map(own) {
                let warning = PolicyWarning::OwnNamespacePrefix {
                    rule: self.name.clone(),
                    pattern: pattern.clone(),
                    name: name.to_owned(),
                };
                warnings.push((self.path("apps", item), warning));
            }
        }
        for (item, pattern) in rule.repositories.iter().flatten().enumerate() {
            if let Some(why) = names::repository_problem(pattern) {
                warnings
                    .push((self.path("repositories", item), self.impossible("repositories", pattern, why)));
            }
        }
    }

    fn impossible(&self, field: &'static str, pattern: &str, why: &'static str) -> PolicyWarning {
        PolicyWarning::ImpossibleName { rule: self.name.clone(), field, pattern: pattern.to_owned(), why }
    }

    /// Finds patterns that no reference matches, or that change nothing.
    fn patterns(&self, rules: &[RuleView<'_>], warnings: &mut Vec<(SettingPath, PolicyWarning)>) {
        for (field, list) in [("allow", &self.rule.allow), ("deny", &self.rule.deny)] {
            for (item, pattern) in list.iter().enumerate() {
                let warning = self
                    .unmatched(pattern)
                    .or_else(|| (field == "allow").then(|| self.superfluous(item, pattern, rules)).flatten());
                warnings.extend(warning.map(|warning| (self.path(field, item), warning)));
            }
        }
    }

    fn unmatched(&self, pattern: &str) -> Option<PolicyWarning> {
        let (rule, whole) = (self.name.clone(), pattern.to_owned());
        let (provider, path) = pattern.split_once(':')?;
        if !matches_provider(self.operator, provider) {
            let names = self.operator.providers.keys().map(String::as_str);
            let similar = closest_name(provider, names).map(str::to_owned);
            return Some(PolicyWarning::UnknownProvider { rule, pattern: whole, similar });
        }
        let path = path.split('#').next().unwrap_or(path);
        super::has_parent_segment(path).then_some(PolicyWarning::ParentSegment { rule, pattern: whole })
    }

    fn superfluous(&self, item: usize, pattern: &str, rules: &[RuleView<'_>]) -> Option<PolicyWarning> {
        let own = rules.get(self.index)?;
        let name = |index: usize| {
            self.operator.policy.get(index).map_or_else(String::new, |rule| rule_name(index, rule))
        };
        let (rule, whole) = (self.name.clone(), pattern.to_owned());
        if let Some(by) = rules.iter().position(|other| other.denies_all(own, pattern)) {
            return Some(PolicyWarning::DeniedEntirely { rule, pattern: whole, by: name(by) });
        }
        let covering = rules.iter().enumerate().find(|(index, other)| {
            other.allowing(own, pattern).any(|(at, listed)| {
                // If two are equal, the later one is superfluous.
                let is_earlier = (*index, at) < (self.index, item);
                let is_other = (*index, at) != (self.index, item);
                is_other && (is_earlier || own.allowing(other, listed).all(|(at, _)| at != item))
            })
        });
        covering.map(|(by, _)| PolicyWarning::AlreadyAllowed { rule, pattern: whole, by: name(by) })
    }
}

/// Reports whether the provider part of a pattern may match a provider of the operator file.
fn matches_provider<P>(operator: &OperatorConfig<P>, provider: &str) -> bool {
    let has_variable = provider.contains('{');
    has_variable
        || build_glob(provider, false)
            .map_or(true, |glob| operator.providers.keys().any(|name| glob.is_match(name)))
}

/// Finds providers and clusters that no rule allows.
fn unused<P>(
    operator: &OperatorConfig<P>,
    rules: &[RuleView<'_>],
    warnings: &mut Vec<(SettingPath, PolicyWarning)>,
) {
    let patterns = || operator.policy.iter().flat_map(|rule| &rule.allow);
    for name in operator.providers.keys() {
        let is_allowed = patterns().any(|pattern| {
            let provider = pattern.split(':').next().unwrap_or_default();
            provider.contains('{') || build_glob(provider, false).map_or(true, |glob| glob.is_match(name))
        });
        if !is_allowed {
            let path = SettingPath::of_keys(&["providers", name]);
            warnings.push((path, PolicyWarning::UnusedProvider { name: name.clone() }));
        }
    }
    for name in operator.clusters.keys() {
        if !rules.iter().any(|rule| rule.allows_cluster(name)) {
            let path = SettingPath::of_keys(&["clusters", name]);
            warnings.push((path, PolicyWarning::UnusedCluster { name: name.clone() }));
        }
    }
}
