//! The operator's policy: which project may use which references. Default: refuse.
//!
//! A rule's patterns are `provider:path` or `provider:path#key`. `*` matches within one path segment, `**` as a whole
//! segment crosses `/`, case counts. Provider, path and key are matched each on its own, as the literal text that the
//! provider will be asked for: nothing is decoded, folded or normalised, so `%2e`, glob characters and look-alikes
//! in a reference widen nothing. A path with a `..` segment is refused whatever the rules say. A pattern with a key
//! allows that key only, never the whole value. The version does not count.

use globset::{GlobBuilder, GlobMatcher};

use super::{PolicyRule, Reference};
use crate::diagnostic::{Explain, Failure, Problem};

/// The operator's rules, compiled.
pub struct Policy {
    rules: Vec<Rule>,
}

/// What a policy says to a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// This rule allows it; rules count from 0.
    Allowed {
        /// Number of the rule.
        rule: usize,
    },
    /// No rule allows it.
    Refused,
}

struct Rule {
    projects: Vec<GlobMatcher>,
    allow: Vec<Pattern>,
}

struct Pattern {
    provider: GlobMatcher,
    path: GlobMatcher,
    key: Option<GlobMatcher>,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not a glob.
    #[error("`policy[{rule}]`: pattern `{pattern}` is no glob: {why}")]
    BadGlob {
        /// Number of the rule, from 0.
        rule: usize,
        /// The pattern.
        pattern: String,
        /// What the glob library says of it.
        why: String,
    },
    /// A list without an entry.
    #[error("`policy[{rule}].{field}` is empty")]
    Empty {
        /// Number of the rule, from 0.
        rule: usize,
        /// Which list.
        field: &'static str,
    },
    /// No colon in it.
    #[error("`policy[{rule}]`: pattern `{pattern}` names no provider")]
    NoProvider {
        /// Number of the rule, from 0.
        rule: usize,
        /// The pattern.
        pattern: String,
    },
}

impl Explain for PolicyError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::BadGlob { .. } => "`*` matches within a segment, `**` crosses `/`, `{a,b}` is a choice",
                Self::Empty { .. } => {
                    "a rule without projects or patterns allows nothing: remove it or fill it"
                }
                Self::NoProvider { .. } => "write `provider:path`, for example `file:shop/**`",
            }
            .to_owned(),
        )
    }
}

impl Policy {
    /// Compiles the rules of an operator file.
    ///
    /// # Errors
    /// All patterns that are not well formed.
    pub fn new(rules: &[PolicyRule]) -> Result<Self, Failure> {
        let mut problems = Vec::new();
        let rules =
            rules.iter().enumerate().map(|(index, rule)| Rule::new(index, rule, &mut problems)).collect();
        Failure::unless_empty(problems)?;
        Ok(Self { rules })
    }

    /// Whether an app of this project may use a reference. Without a project nothing is allowed.
    #[must_use]
    pub fn decide(&self, project: &str, reference: &Reference) -> Decision {
        if project.is_empty() || climbs(&reference.path) {
            return Decision::Refused;
        }
        self.rules
            .iter()
            .position(|rule| rule.allows(project, reference))
            .map_or(Decision::Refused, |rule| Decision::Allowed { rule })
    }
}

/// Whether a path has a segment `..`.
pub(crate) fn climbs(path: &str) -> bool {
    path.split(['/', '\\']).any(|segment| segment.trim() == "..")
}

impl Rule {
    fn new(index: usize, rule: &PolicyRule, problems: &mut Vec<Problem>) -> Self {
        for (field, list) in [("projects", &rule.projects), ("allow", &rule.allow)] {
            if list.is_empty() {
                problems.push(Problem::new(&PolicyError::Empty { rule: index, field }));
            }
        }
        let projects: Vec<_> = rule.projects.iter().map(|pattern| glob(index, pattern, pattern)).collect();
        let allow: Vec<_> = rule.allow.iter().map(|pattern| Pattern::new(index, pattern)).collect();
        Self { projects: valid(projects, problems), allow: valid(allow, problems) }
    }

    fn allows(&self, project: &str, reference: &Reference) -> bool {
        self.projects.iter().any(|glob| glob.is_match(project))
            && self.allow.iter().any(|pattern| pattern.matches(reference))
    }
}

impl Pattern {
    fn new(rule: usize, whole: &str) -> Result<Self, PolicyError> {
        let (provider, rest) = whole
            .split_once(':')
            .ok_or_else(|| PolicyError::NoProvider { rule, pattern: whole.to_owned() })?;
        let (path, key) = rest.split_once('#').map_or((rest, None), |(path, key)| (path, Some(key)));
        Ok(Self {
            provider: glob(rule, whole, provider)?,
            path: glob(rule, whole, path)?,
            key: key.map(|key| glob(rule, whole, key)).transpose()?,
        })
    }

    fn matches(&self, reference: &Reference) -> bool {
        self.provider.is_match(reference.provider.as_str())
            && self.path.is_match(&reference.path)
            && self
                .key
                .as_ref()
                .is_none_or(|glob| reference.key.as_ref().is_some_and(|key| glob.is_match(key)))
    }
}

fn valid<T>(results: Vec<Result<T, PolicyError>>, problems: &mut Vec<Problem>) -> Vec<T> {
    let keep =
        |result: Result<T, PolicyError>| result.map_err(|error| problems.push(Problem::new(&error))).ok();
    results.into_iter().filter_map(keep).collect()
}

fn glob(rule: usize, whole: &str, part: &str) -> Result<GlobMatcher, PolicyError> {
    let glob = GlobBuilder::new(part).literal_separator(true).backslash_escape(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| PolicyError::BadGlob {
        rule,
        pattern: whole.to_owned(),
        why: error.kind().to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Part, Text};

    fn policy(rules: &[(&[&str], &[&str])]) -> Policy {
        Policy::new(&rules.iter().map(|(projects, allow)| rule(projects, allow)).collect::<Vec<_>>())
            .expect("valid rules")
    }

    fn rule(projects: &[&str], allow: &[&str]) -> PolicyRule {
        let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        PolicyRule { projects: own(projects), allow: own(allow) }
    }

    fn reference(source: &str) -> Reference {
        let text = Text::parse(&format!("<{source}>")).expect("well formed");
        match text.parts() {
            [Part::Placeholder(placeholder)] => placeholder.reference.clone(),
            _ => panic!("no reference: {source}"),
        }
    }

    fn allows(pattern: &str, source: &str) -> bool {
        policy(&[(&["p"], &[pattern])]).decide("p", &reference(source)) != Decision::Refused
    }

    #[test]
    fn patterns() {
        for (pattern, allowed, refused) in [
            (
                "file:shop/**",
                &["file:shop/db.yaml", "file:shop/a/b#k", "file:shop/db.yaml#k#3"][..],
                &["file:shop", "file:shopping/x", "file:Shop/db", "vault:shop/db", "file:other/shop/x"][..],
            ),
            ("file:shop/*", &["file:shop/db"], &["file:shop/a/b"]),
            ("file:**", &["file:a", "file:a/b/c"], &["files:a", "env:A"]),
            ("file:*", &["file:a"], &["file:a/b"]),
            ("env:SHOP_*", &["env:SHOP_A"], &["env:shop_A", "env:XSHOP_A"]),
            ("vault-*:team/**", &["vault-eu:team/a"], &["vault:team/a", "vault-eu:teams/a"]),
            (
                "file:db.yaml#user",
                &["file:db.yaml#user", "file:db.yaml#user#2"],
                &["file:db.yaml", "file:db.yaml#users"],
            ),
            ("file:db.yaml#*", &["file:db.yaml#user"], &["file:db.yaml"]),
            ("file:{a,b}/x", &["file:a/x", "file:b/x"], &["file:c/x"]),
        ] {
            for source in allowed {
                assert!(allows(pattern, source), "{pattern} must allow {source}");
            }
            for source in refused {
                assert!(!allows(pattern, source), "{pattern} must refuse {source}");
            }
        }
    }

    #[test]
    fn hostile_paths_widen_nothing() {
        for source in [
            "file:shop/../admin/db",
            "file:shop/..",
            "file:../shop/x",
            "file:shop/.. /admin",
            "file:shop/..\\admin",
            "file:shop%2fdb",
            "file:%73hop/db",
            "file:*/db",
            "file:**",
            "file:sho?/db",
            "file:[s]hop/db",
            "file:{shop,admin}/db",
            "file:ѕhop/db",
            "file:sh\u{6f}\u{308}p/db",
            "file:SHOP/db",
            "file:/shop/db",
            "file:./shop/db",
            "file://shop/db",
            "file:admin/db#shop/db",
            "file:admin/db#x#shop/**",
        ] {
            assert!(!allows("file:shop/**", source), "{source}");
        }
        // Not decoded: it stays one literal segment below `shop`.
        assert!(allows("file:shop/*", "file:shop/%2e%2e"));
    }

    #[test]
    fn refuses_by_default_and_names_the_rule() {
        let source = reference("file:shop/db");
        assert_eq!(policy(&[]).decide("shop", &source), Decision::Refused);
        let policy = policy(&[(&["crm"], &["file:**"]), (&["shop-*", "shop"], &["env:*", "file:shop/*"])]);
        assert_eq!(policy.decide("shop", &source), Decision::Allowed { rule: 1 });
        assert_eq!(policy.decide("shop-eu", &source), Decision::Allowed { rule: 1 });
        assert_eq!(policy.decide("crm", &source), Decision::Allowed { rule: 0 });
        for project in ["", "Shop", "shopping", "default", "shop/x"] {
            assert_eq!(policy.decide(project, &source), Decision::Refused, "{project}");
        }
    }

    #[test]
    fn bad_rules_are_reported_together() {
        let rules = [rule(&["*"], &["file:[a", "shop/**"]), rule(&[], &["file:**"]), rule(&["{a"], &[])];
        let failure = Policy::new(&rules).err().expect("a failure");
        assert_eq!(failure.problems().len(), 5, "{failure}");
        assert!(failure.problems().iter().all(|problem| problem.hint.is_some()));
    }
}
