//! The operator's policy: which app may use which references, and for which destinations. The default is to refuse.
//!
//! A rule applies to the apps that match all of its criteria; an omitted criterion matches all. Its patterns are
//! `provider:path` or `provider:path#key` (see the module `pattern`). A reference may be used for a destination (see
//! the module `destination`) if an applicable rule allows it there and none denies it there.
//!
//! **In doubt, refuse.** `allow` is interpreted narrowly: provider, path and key are each matched as the literal text
//! that the provider will be asked for; nothing is decoded, folded or normalized, so that `%2e`, glob characters and
//! look-alikes in a reference widen nothing. `deny` is interpreted broadly: it cannot be bypassed by case,
//! percent-encoding and spelling of a path, or by the many URLs of one repository. If Argo CD does not provide the
//! value of a criterion or a variable, the rule allows nothing and denies as if it matched.
//!
//! A path with a `..` segment is always refused. The version is ignored.
//!
//! The value of a criterion depends on who controls what it matches. Committers cannot change project, app, namespace
//! or repository, which come from Argo CD. Users who may create Applications in a project choose the other three within
//! the limits of that project. Committers choose the environment: it narrows a rule, and protects nothing. They also
//! choose cluster, namespace and scope of a Secret, so a rule lists those that it allows.

mod destination;
mod error;
mod pattern;
mod refusal;
mod repository;
mod review;
mod spelling;
mod subject;

use std::collections::BTreeSet;

use globset::GlobMatcher;

use self::destination::{BoundDestinations, RuleDestinations};
use self::pattern::{BoundPattern, ReferencePattern, compile_plain_glob};
use self::repository::RepositoryPatterns;
use self::spelling::Spellings;
use crate::placeholder::SecretReference;
use crate::settings::{OperatorConfig, PolicyRule, SettingPath};
use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace};

pub use self::destination::{Destination, DestinationMismatch};
pub use self::error::PolicyError;
pub use self::refusal::PolicyRefusal;
pub use self::repository::without_credentials;
pub use self::review::{PolicyWarning, review_policy};
pub use self::spelling::PathSpellings;
pub use self::subject::PolicySubject;

/// The operator's rules, compiled.
pub struct Policy {
    rules: Vec<CompiledRule>,
    spellings: Spellings,
    clusters: BTreeSet<String>,
}

/// The operator's rules for one app.
#[derive(Default)]
pub struct BoundPolicy {
    rules: Vec<BoundRule>,
    spellings: Spellings,
    clusters: BTreeSet<String>,
}

/// A decision about a reference for a destination. Rules count from 0; [`Policy::rule_name`] returns their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyDecision {
    /// Allowed by this rule, the first that allows it.
    Allowed {
        /// Number of the rule.
        rule: usize,
    },
    /// Denied by this rule, the first that denies it; `allow` of other rules is ignored.
    Denied {
        /// Number of the rule.
        rule: usize,
    },
    /// Allowed only for other destinations.
    Elsewhere {
        /// Number of the closest rule, or the first of several.
        rule: usize,
        /// The parts of the destination that the rule does not allow.
        mismatch: DestinationMismatch,
    },
    /// Not allowed by any rule for any destination.
    Refused,
}

impl Policy {
    /// Compiles the policy of an operator file whose places are unknown.
    ///
    /// # Errors
    /// Returns all problems of the rules.
    pub fn from_operator<P: PathSpellings + Clone + 'static>(
        operator: &OperatorConfig<P>,
    ) -> Result<Self, Failure> {
        Self::from_operator_file(operator, &|_| ProblemPlace::Unknown)
    }

    /// Compiles the policy of an operator file. There is no other constructor, so every policy knows the existing
    /// clusters and when two paths of a source are the same secret. `locate` returns the place of a setting.
    ///
    /// # Errors
    /// Returns all problems of the rules.
    pub fn from_operator_file<P: PathSpellings + Clone + 'static>(
        operator: &OperatorConfig<P>,
        locate: &dyn Fn(&SettingPath) -> ProblemPlace,
    ) -> Result<Self, Failure> {
        let clusters: BTreeSet<String> = operator.clusters.keys().cloned().collect();
        let mut problems = Vec::new();
        let mut rules: Vec<CompiledRule> = Vec::new();
        for (index, rule) in operator.policy.iter().enumerate() {
            let mut report = |error: PolicyError| {
                problems.push(Problem { at: locate(&error.setting(index, rule)), ..Problem::new(&error) });
            };
            let compiled = CompiledRule::new(index, rule, &clusters, &mut report);
            if rules.iter().any(|other| other.name == compiled.name) {
                report(PolicyError::DuplicateName { rule: compiled.name.clone() });
            }
            rules.push(compiled);
        }
        Failure::unless_empty(problems)?;
        Ok(Self { rules, spellings: Spellings::new(&operator.providers), clusters })
    }

    /// Returns the rules for one app. Without a project, nothing is allowed.
    #[must_use]
    pub fn bind(&self, subject: &PolicySubject) -> BoundPolicy {
        if subject.project.is_empty() {
            return BoundPolicy::default();
        }
        let rules = self.rules.iter().map(|rule| rule.bind(subject)).collect();
        BoundPolicy { rules, spellings: self.spellings.clone(), clusters: self.clusters.clone() }
    }

    /// Decides whether an app may use a reference for a destination; for many references, [`Self::bind`] once.
    #[must_use]
    pub fn decide(
        &self,
        subject: &PolicySubject,
        reference: &SecretReference,
        destination: &Destination<'_>,
    ) -> PolicyDecision {
        self.bind(subject).decide(reference, destination)
    }

    /// Returns the name of a rule: the name given by the operator, or `policy[0]`.
    #[must_use]
    pub fn rule_name(&self, rule: usize) -> &str {
        self.rules.get(rule).map_or("", |rule| rule.name.as_str())
    }

    fn has_cluster(&self, name: &str) -> bool {
        self.clusters.contains(name)
    }

    fn names_destinations(&self, rule: usize) -> bool {
        self.rules.get(rule).is_some_and(|rule| rule.destinations.has_destinations())
    }

    fn has_namespaces(&self, rule: usize) -> bool {
        self.rules.get(rule).is_some_and(|rule| rule.destinations.has_namespaces())
    }

    fn has_scopes(&self, rule: usize) -> bool {
        self.rules.get(rule).is_some_and(|rule| rule.destinations.has_scopes())
    }
}

impl BoundPolicy {
    /// Decides whether the app may use a reference for a destination.
    #[must_use]
    pub fn decide(&self, reference: &SecretReference, destination: &Destination<'_>) -> PolicyDecision {
        if has_parent_segment(&reference.path) {
            return PolicyDecision::Refused;
        }
        let spellings = self.spellings.of_reference(reference);
        let denies = |rule: &BoundRule| {
            rule.destinations.may_reach(destination, &self.clusters)
                && spellings.iter().any(|spelling| rule.deny.iter().any(|pattern| pattern.denies(spelling)))
        };
        match self.rules.iter().position(denies) {
            Some(rule) => PolicyDecision::Denied { rule },
            None => self.allowed(reference, destination),
        }
    }

    /// Decides about a reference that no rule denies.
    fn allowed(&self, reference: &SecretReference, destination: &Destination<'_>) -> PolicyDecision {
        let allowing = self.rules.iter().enumerate();
        let allowing =
            allowing.filter(|(_, rule)| rule.allow.iter().any(|pattern| pattern.allows(reference)));
        let nearest = allowing
            .map(|(number, rule)| (number, rule.destinations.mismatch(destination)))
            .min_by_key(|(_, mismatch)| mismatch.count());
        match nearest {
            None => PolicyDecision::Refused,
            Some((rule, mismatch)) if mismatch == DestinationMismatch::default() => {
                PolicyDecision::Allowed { rule }
            }
            Some((rule, mismatch)) => PolicyDecision::Elsewhere { rule, mismatch },
        }
    }
}

/// Reports whether a path has a segment `..`.
#[must_use]
pub fn has_parent_segment(path: &str) -> bool {
    path.split(['/', '\\']).any(|segment| segment.trim() == "..")
}

/// Returns the name of a rule in messages.
fn rule_name(index: usize, rule: &PolicyRule) -> String {
    rule.name.clone().unwrap_or_else(|| format!("policy[{index}]"))
}

struct CompiledRule {
    name: String,
    criteria: Vec<RuleCriterion>,
    destinations: RuleDestinations,
    allow: Vec<ReferencePattern>,
    deny: Vec<ReferencePattern>,
}

/// A condition that a rule imposes on an app.
struct RuleCriterion {
    subject_field: fn(&PolicySubject) -> &str,
    globs: CriterionGlobs,
}

enum CriterionGlobs {
    Names(Vec<GlobMatcher>),
    Repositories(RepositoryPatterns),
}

/// A rule for one app; empty if it does not apply.
struct BoundRule {
    destinations: BoundDestinations,
    allow: Vec<BoundPattern>,
    deny: Vec<BoundPattern>,
}

impl CompiledRule {
    fn new(
        index: usize,
        rule: &PolicyRule,
        clusters: &BTreeSet<String>,
        report: &mut impl FnMut(PolicyError),
    ) -> Self {
        let name = rule_name(index, rule);
        if name.trim().is_empty() {
            report(PolicyError::Empty { rule: format!("policy[{index}]"), field: "name" });
        }
        if rule.allow.is_empty() && rule.deny.is_empty() {
            report(PolicyError::NoPurpose { rule: name.clone() });
        }
        if !rule.allow.is_empty() && rule.projects.is_none() {
            report(PolicyError::NoProjects { rule: name.clone() });
        }
        let criteria = criteria(&name, rule, report);
        let destinations = RuleDestinations::new(&name, rule, clusters, report);
        let mut patterns = |list: &[String]| {
            let compiled = list.iter().map(|pattern| ReferencePattern::new(&name, pattern));
            compiled.filter_map(|pattern| pattern.map_err(&mut *report).ok()).collect()
        };
        let (allow, deny) = (patterns(&rule.allow), patterns(&rule.deny));
        Self { name, criteria, destinations, allow, deny }
    }

    fn bind(&self, subject: &PolicySubject) -> BoundRule {
        let destinations = self.destinations.bind(subject);
        let mut bound = BoundRule { destinations, allow: Vec::new(), deny: Vec::new() };
        if self.criteria.iter().all(|criterion| criterion.matches(subject)) {
            bound.allow = self.allow.iter().filter_map(|pattern| pattern.to_allow(subject)).collect();
        }
        if self.criteria.iter().all(|criterion| criterion.may_match(subject)) {
            bound.deny = self.deny.iter().map(|pattern| pattern.to_deny(subject)).collect();
        }
        bound
    }
}

fn criteria(name: &str, rule: &PolicyRule, report: &mut impl FnMut(PolicyError)) -> Vec<RuleCriterion> {
    type Field = (&'static str, fn(&PolicyRule) -> &Option<Vec<String>>, fn(&PolicySubject) -> &str);
    const NAMES: [Field; 4] = [
        ("projects", |rule| &rule.projects, |subject| &subject.project),
        ("apps", |rule| &rule.apps, |subject| &subject.app),
        ("namespaces", |rule| &rule.namespaces, |subject| &subject.namespace),
        ("environments", |rule| &rule.environments, |subject| &subject.environment),
    ];
    let mut criteria = Vec::new();
    let mut check_not_empty = |field, list: &Vec<String>| {
        if list.is_empty() {
            report(PolicyError::Empty { rule: name.to_owned(), field });
        }
    };
    for (field, list, subject_field) in NAMES {
        let Some(list) = list(rule) else { continue };
        check_not_empty(field, list);
        criteria.push((
            subject_field,
            list.iter()
                .map(|pattern| compile_plain_glob(name, pattern))
                .collect::<Result<_, _>>()
                .map(CriterionGlobs::Names),
        ));
    }
    if let Some(list) = &rule.repositories {
        check_not_empty("repositories", list);
        criteria.push((
            |subject| &subject.repository,
            RepositoryPatterns::new(name, list).map(CriterionGlobs::Repositories),
        ));
    }
    let compiled = criteria.into_iter().map(|(subject_field, globs): (fn(&PolicySubject) -> &str, _)| {
        globs.map(|globs| RuleCriterion { subject_field, globs })
    });
    compiled.filter_map(|criterion| criterion.map_err(&mut *report).ok()).collect()
}

impl RuleCriterion {
    /// Reports whether it certainly matches; unknown values do not.
    fn matches(&self, subject: &PolicySubject) -> bool {
        let value = (self.subject_field)(subject);
        !value.is_empty()
            && match &self.globs {
                CriterionGlobs::Names(globs) => globs.iter().any(|glob| glob.is_match(value)),
                CriterionGlobs::Repositories(repositories) => repositories.matches(value),
            }
    }

    /// Reports whether it may match; unknown values do.
    fn may_match(&self, subject: &PolicySubject) -> bool {
        let value = (self.subject_field)(subject);
        match &self.globs {
            _ if value.is_empty() => true,
            CriterionGlobs::Names(_) => self.matches(subject),
            CriterionGlobs::Repositories(repositories) => repositories.may_match(value),
        }
    }
}

#[cfg(test)]
mod tests;
