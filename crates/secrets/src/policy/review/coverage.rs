//! Whether a rule or pattern certainly includes all that another one matches.

use std::collections::{BTreeMap, BTreeSet};

use super::super::pattern::build_glob;
use crate::SealingScope;
use crate::settings::{ClusterConfig, PolicyRule};

/// A rule with the clusters that it means.
pub(super) struct RuleView<'a> {
    rule: &'a PolicyRule,
    clusters: BTreeSet<&'a str>,
}

impl<'a> RuleView<'a> {
    pub(super) fn new(rule: &'a PolicyRule, clusters: &'a BTreeMap<String, ClusterConfig>) -> Self {
        let is_meant = |name: &str| {
            rule.clusters.as_ref().is_none_or(|list| {
                list.iter().any(|glob| build_glob(glob, false).is_ok_and(|glob| glob.is_match(name)))
            })
        };
        Self { rule, clusters: clusters.keys().map(String::as_str).filter(|name| is_meant(name)).collect() }
    }

    /// Reports whether the rule allows values for a cluster.
    pub(super) fn allows_cluster(&self, name: &str) -> bool {
        !self.rule.allow.is_empty() && self.clusters.contains(name)
    }

    /// Reports whether the rule denies all that a pattern of another rule allows.
    pub(super) fn denies_all(&self, other: &Self, pattern: &str) -> bool {
        let (deny, allow) = (self.rule, other.rule);
        let scopes = deny.scopes.as_ref().is_none_or(|denied| {
            scopes(allow).iter().all(|scope| denied.iter().any(|denied| denied <= scope))
        });
        let namespaces = deny.secret_namespaces.as_ref().is_none_or(|denied| {
            allow.secret_namespaces.as_ref().is_some_and(|allowed| covers_list(denied, allowed))
        });
        deny.deny.iter().any(|denied| covers_pattern(denied, pattern))
            && covers_criteria(deny, allow)
            && self.clusters.is_superset(&other.clusters)
            && scopes
            && namespaces
    }

    /// Returns the patterns of this rule, with their indexes, that allow all that a pattern of another rule allows.
    pub(super) fn allowing(&self, other: &Self, pattern: &str) -> impl Iterator<Item = (usize, &'a str)> {
        let (rule, allow) = (self.rule, other.rule);
        let namespaces = match (&rule.secret_namespaces, &allow.secret_namespaces) {
            (None, None) => true,
            (Some(own), Some(others)) => covers_list(own, others),
            _ => false,
        };
        let is_wide = namespaces
            && covers_criteria(rule, allow)
            && self.clusters.is_superset(&other.clusters)
            && scopes(allow).iter().all(|scope| scopes(rule).contains(scope));
        let all = rule.allow.iter().enumerate().filter(move |_| is_wide);
        all.filter(move |(_, own)| covers_pattern(own, pattern)).map(|(at, own)| (at, own.as_str()))
    }
}

/// Returns the scopes that a rule allows.
fn scopes(rule: &PolicyRule) -> &[SealingScope] {
    rule.scopes.as_deref().unwrap_or(&[SealingScope::Strict])
}

/// Returns the criteria of a rule.
const fn lists(rule: &PolicyRule) -> [Option<&Vec<String>>; 5] {
    [
        rule.projects.as_ref(),
        rule.apps.as_ref(),
        rule.namespaces.as_ref(),
        rule.environments.as_ref(),
        rule.repositories.as_ref(),
    ]
}

/// Reports whether a rule applies to every app that another one applies to.
fn covers_criteria(rule: &PolicyRule, other: &PolicyRule) -> bool {
    lists(rule).into_iter().zip(lists(other)).all(|(own, others)| match (own, others) {
        (None, _) => true,
        (Some(own), Some(others)) => covers_list(own, others),
        (Some(_), None) => false,
    })
}

/// Reports whether each name that matches one list matches another one.
fn covers_list(own: &[String], others: &[String]) -> bool {
    others.iter().all(|other| own.iter().any(|own| covers_text(own, other)))
}

/// Reports whether a pattern matches every reference that another one matches.
fn covers_pattern(own: &str, other: &str) -> bool {
    fn split(pattern: &str) -> Option<(&str, &str, Option<&str>)> {
        let (provider, rest) = pattern.split_once(':')?;
        let (path, key) = rest.split_once('#').map_or((rest, None), |(path, key)| (path, Some(key)));
        Some((provider, path, key))
    }
    let (Some(own), Some(other)) = (split(own), split(other)) else { return false };
    let keys = own.2.is_none() || own.2 == other.2;
    keys && covers_text(own.0, other.0) && covers_text(own.1, other.1)
}

/// Reports whether a glob certainly matches every text that another one matches.
fn covers_text(own: &str, other: &str) -> bool {
    let is_literal = |glob: &str| !glob.contains(['*', '?', '[', '{', '\\']);
    let is_below = || {
        let below = own.strip_suffix("/**").filter(|prefix| is_literal(prefix));
        below.is_some_and(|prefix| {
            other
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|rest| !rest.is_empty())
        })
    };
    let is_name =
        || own == "*" && !other.is_empty() && !other.contains(['/', '{', '[', '\\']) && other != "**";
    let matches = || {
        is_literal(other)
            && !own.contains('{')
            && build_glob(own, false).is_ok_and(|glob| glob.is_match(other))
    };
    own == other || own == "**" || is_below() || is_name() || matches()
}
