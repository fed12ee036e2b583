//! The operator's policy: which app may use which references, and for which destinations. Default: refuse.
//!
//! A rule applies to the apps that all its criteria match; a criterion that is left out matches all. Its patterns are
//! `provider:path` or `provider:path#key` (see [`mod@pattern`]). A reference may be used for a destination (see
//! [`mod@destination`]) if a rule that applies allows it there and none that applies denies it there.
//!
//! **In doubt, refuse.** What allows is taken to the letter: provider, path and key are matched each on its own, as the
//! literal text that the provider will be asked for; nothing is decoded, folded or normalised, so that `%2e`, glob
//! characters and look-alikes in a reference widen nothing. What denies is taken broadly: case, percent-encoding and
//! spelling of a path, and the many URLs of one repository, do not lead around it. Where Argo CD does not say what a
//! criterion or a pattern asks for, the rule allows nothing and denies as if it matched.
//!
//! A path with a `..` segment is refused whatever the rules say. The version does not count.
//!
//! What a criterion is worth depends on who can choose what it looks at. Nobody who only commits can change project,
//! app, namespace or repository: Argo CD says them. Whoever may create Applications in a project chooses the others
//! within what Argo CD allows that project. The environment is a committer's choice: it narrows, and protects nothing.
//! Cluster, namespace and scope of a Secret are a committer's choice as well, and that is why a rule names those it allows.

mod destination;
mod error;
mod pattern;
mod refusal;
mod repository;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobMatcher;

use self::destination::{BoundDestinations, Destinations};
use self::pattern::{Bound, Pattern, plain_glob};
use self::repository::Repositories;
use crate::placeholder::Reference;
use crate::settings::{Operator, PolicyRule, ProviderConfig};
use sealwave_core::diagnostic::{Failure, Problem};

pub use self::destination::{Destination, Mismatch};
pub use self::error::PolicyError;
pub use self::refusal::PolicyRefusal;
pub use self::repository::without_credentials;
pub use self::subject::Subject;

/// The operator's rules, compiled.
pub struct Policy {
    rules: Vec<Rule>,
    sources: BTreeMap<String, ProviderConfig>,
    clusters: BTreeSet<String>,
}

/// What the rules say to one app.
#[derive(Default)]
pub struct BoundPolicy {
    rules: Vec<BoundRule>,
    sources: BTreeMap<String, ProviderConfig>,
    clusters: BTreeSet<String>,
}

/// What a policy says to a reference for a destination. Rules count from 0; [`Policy::rule_name`] names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This rule allows it, the first of those that do.
    Allowed {
        /// Number of the rule.
        rule: usize,
    },
    /// This rule denies it, the first of those that do; what others allow does not count.
    Denied {
        /// Number of the rule.
        rule: usize,
    },
    /// Rules allow it for other destinations only.
    Elsewhere {
        /// Number of the rule that comes nearest, the first of those that do.
        rule: usize,
        /// What it would have to name as well.
        mismatch: Mismatch,
    },
    /// No rule allows it for any destination.
    Refused,
}

impl Policy {
    /// Compiles the policy of an operator file: the only way to have one, so that each policy knows the clusters there are
    /// and when two paths of a source are one secret.
    ///
    /// # Errors
    /// Everything that is wrong with the rules.
    pub fn of(operator: &Operator) -> Result<Self, Failure> {
        let clusters: BTreeSet<String> = operator.clusters.keys().cloned().collect();
        let mut problems = Vec::new();
        let mut rules: Vec<Rule> = Vec::new();
        for (index, rule) in operator.policy.iter().enumerate() {
            let rule = Rule::new(index, rule, &clusters, &mut problems);
            if rules.iter().any(|other| other.name == rule.name) {
                problems.push(Problem::new(&PolicyError::DuplicateName { rule: rule.name.clone() }));
            }
            rules.push(rule);
        }
        Failure::unless_empty(problems)?;
        Ok(Self { rules, sources: operator.providers.clone(), clusters })
    }

    /// What the rules say to one app. Without a project nothing is allowed to it.
    #[must_use]
    pub fn bind(&self, subject: &Subject) -> BoundPolicy {
        if subject.project.is_empty() {
            return BoundPolicy::default();
        }
        let rules = self.rules.iter().map(|rule| rule.bind(subject)).collect();
        BoundPolicy { rules, sources: self.sources.clone(), clusters: self.clusters.clone() }
    }

    /// Decides whether an app may use a reference for a destination; for many references, [`Self::bind`] once.
    #[must_use]
    pub fn decide(
        &self,
        subject: &Subject,
        reference: &Reference,
        destination: &Destination<'_>,
    ) -> Decision {
        self.bind(subject).decide(reference, destination)
    }

    /// What people call a rule: the name that the operator gave it, or `policy[0]`.
    #[must_use]
    pub fn rule_name(&self, rule: usize) -> &str {
        self.rules.get(rule).map_or("", |rule| rule.name.as_str())
    }

    fn has_cluster(&self, name: &str) -> bool {
        self.clusters.contains(name)
    }

    fn names_destinations(&self, rule: usize) -> bool {
        self.rules.get(rule).is_some_and(|rule| rule.destinations.are_named())
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
    pub fn decide(&self, reference: &Reference, destination: &Destination<'_>) -> Decision {
        if climbs(&reference.path) {
            return Decision::Refused;
        }
        let spellings = self.spellings(reference);
        let denies = |rule: &BoundRule| {
            rule.destinations.may_reach(destination, &self.clusters)
                && spellings.iter().any(|spelling| rule.deny.iter().any(|pattern| pattern.denies(spelling)))
        };
        match self.rules.iter().position(denies) {
            Some(rule) => Decision::Denied { rule },
            None => self.allowed(reference, destination),
        }
    }

    /// The decision on a reference that no rule denies.
    fn allowed(&self, reference: &Reference, destination: &Destination<'_>) -> Decision {
        let allowing = self.rules.iter().enumerate();
        let allowing =
            allowing.filter(|(_, rule)| rule.allow.iter().any(|pattern| pattern.allows(reference)));
        let nearest = allowing
            .map(|(number, rule)| (number, rule.destinations.mismatch(destination)))
            .min_by_key(|(_, mismatch)| mismatch.count());
        match nearest {
            None => Decision::Refused,
            Some((rule, mismatch)) if mismatch == Mismatch::default() => Decision::Allowed { rule },
            Some((rule, mismatch)) => Decision::Elsewhere { rule, mismatch },
        }
    }

    /// The reference, and the others that lead to the same secret: none of them may lead around a `deny`.
    fn spellings(&self, reference: &Reference) -> Vec<Reference> {
        let source = self.sources.get(reference.provider.as_str());
        let others = source.map_or_else(Vec::new, |source| source.other_spellings(&reference.path));
        let others = others.into_iter().map(|path| Reference { path, ..reference.clone() });
        std::iter::once(reference.clone()).chain(others).collect()
    }
}

/// Whether a path has a segment `..`.
pub fn climbs(path: &str) -> bool {
    path.split(['/', '\\']).any(|segment| segment.trim() == "..")
}

struct Rule {
    name: String,
    criteria: Vec<Criterion>,
    destinations: Destinations,
    allow: Vec<Pattern>,
    deny: Vec<Pattern>,
}

/// One thing that a rule asks of an app.
struct Criterion {
    of: fn(&Subject) -> &str,
    globs: Globs,
}

enum Globs {
    Names(Vec<GlobMatcher>),
    Repositories(Repositories),
}

/// A rule as it is for one app: empty where it does not apply.
struct BoundRule {
    destinations: BoundDestinations,
    allow: Vec<Bound>,
    deny: Vec<Bound>,
}

impl Rule {
    fn new(
        index: usize,
        rule: &PolicyRule,
        clusters: &BTreeSet<String>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let name = rule.name.clone().unwrap_or_else(|| format!("policy[{index}]"));
        let mut report = |error: PolicyError| problems.push(Problem::new(&error));
        if name.trim().is_empty() {
            report(PolicyError::Empty { rule: format!("policy[{index}]"), field: "name" });
        }
        if rule.allow.is_empty() && rule.deny.is_empty() {
            report(PolicyError::NoPurpose { rule: name.clone() });
        }
        if !rule.allow.is_empty() && rule.projects.is_none() {
            report(PolicyError::NoProjects { rule: name.clone() });
        }
        let criteria = criteria(&name, rule, &mut report);
        let destinations = Destinations::new(&name, rule, clusters, &mut report);
        let mut patterns = |list: &[String]| {
            let compiled = list.iter().map(|pattern| Pattern::new(&name, pattern));
            compiled.filter_map(|pattern| pattern.map_err(&mut report).ok()).collect()
        };
        let (allow, deny) = (patterns(&rule.allow), patterns(&rule.deny));
        Self { name, criteria, destinations, allow, deny }
    }

    fn bind(&self, subject: &Subject) -> BoundRule {
        let destinations = self.destinations.bind(subject);
        let mut bound = BoundRule { destinations, allow: Vec::new(), deny: Vec::new() };
        if self.criteria.iter().all(|criterion| criterion.surely(subject)) {
            bound.allow = self.allow.iter().filter_map(|pattern| pattern.to_allow(subject)).collect();
        }
        if self.criteria.iter().all(|criterion| criterion.perhaps(subject)) {
            bound.deny = self.deny.iter().map(|pattern| pattern.to_deny(subject)).collect();
        }
        bound
    }
}

fn criteria(name: &str, rule: &PolicyRule, report: &mut impl FnMut(PolicyError)) -> Vec<Criterion> {
    type Field = (&'static str, fn(&PolicyRule) -> &Option<Vec<String>>, fn(&Subject) -> &str);
    const NAMES: [Field; 4] = [
        ("projects", |rule| &rule.projects, |subject| &subject.project),
        ("apps", |rule| &rule.apps, |subject| &subject.app),
        ("namespaces", |rule| &rule.namespaces, |subject| &subject.namespace),
        ("environments", |rule| &rule.environments, |subject| &subject.environment),
    ];
    let mut criteria = Vec::new();
    let mut filled = |field, list: &Vec<String>| {
        if list.is_empty() {
            report(PolicyError::Empty { rule: name.to_owned(), field });
        }
    };
    for (field, list, of) in NAMES {
        let Some(list) = list(rule) else { continue };
        filled(field, list);
        criteria.push((
            of,
            list.iter().map(|pattern| plain_glob(name, pattern)).collect::<Result<_, _>>().map(Globs::Names),
        ));
    }
    if let Some(list) = &rule.repositories {
        filled("repositories", list);
        criteria
            .push((|subject| &subject.repository, Repositories::new(name, list).map(Globs::Repositories)));
    }
    let compiled = criteria
        .into_iter()
        .map(|(of, globs): (fn(&Subject) -> &str, _)| globs.map(|globs| Criterion { of, globs }));
    compiled.filter_map(|criterion| criterion.map_err(&mut *report).ok()).collect()
}

impl Criterion {
    /// Whether it matches for certain: what is not known does not.
    fn surely(&self, subject: &Subject) -> bool {
        let value = (self.of)(subject);
        !value.is_empty()
            && match &self.globs {
                Globs::Names(globs) => globs.iter().any(|glob| glob.is_match(value)),
                Globs::Repositories(repositories) => repositories.surely(value),
            }
    }

    /// Whether it may match: what is not known does.
    fn perhaps(&self, subject: &Subject) -> bool {
        let value = (self.of)(subject);
        match &self.globs {
            _ if value.is_empty() => true,
            Globs::Names(_) => self.surely(subject),
            Globs::Repositories(repositories) => repositories.perhaps(value),
        }
    }
}

#[cfg(test)]
mod tests;
