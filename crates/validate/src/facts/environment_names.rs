//! Finds environment names as words of a text: `prod` is in `secret/prod/db`, but not in `secret/products`.

use std::collections::HashMap;

use compact_str::CompactString;

use crate::facts::scene::{CheckedApp, CheckedEnvironment};

/// The most bytes of a word that may be an environment name.
const MAX_WORD: usize = 64;

/// Synonyms that secret stores may use.
const ALIASES: &[(&str, &str)] = &[
    ("devel", "dev"),
    ("development", "dev"),
    ("prd", "prod"),
    ("production", "prod"),
    ("staging", "stage"),
    ("stg", "stage"),
    ("testing", "test"),
    ("tst", "test"),
];

/// The names of an app's environments.
pub(crate) struct EnvironmentNames {
    names: Vec<NameWords>,
    /// Environments by the first word of their names, normalized.
    by_first: HashMap<CompactString, Vec<usize>>,
}

struct NameWords {
    words: Vec<CompactString>,
    is_prod: bool,
}

/// The comparison of words of a text with environment names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameMatching {
    /// Without aliases.
    Exact,
    /// With aliases: `production` equals `prod`.
    WithAliases,
}

impl EnvironmentNames {
    /// Returns the names of an app's environments; `None` if there are fewer than two.
    pub(crate) fn from_app(app: &CheckedApp<'_>) -> Option<Self> {
        Self::new(app.environments.iter().filter_map(CheckedEnvironment::name))
    }

    /// Returns the names of the given environments; `None` if there are fewer than two.
    pub(crate) fn new<'n>(environments: impl IntoIterator<Item = &'n str>) -> Option<Self> {
        let names: Vec<NameWords> = environments.into_iter().map(name).collect();
        if names.len() < 2 {
            return None;
        }
        let mut by_first: HashMap<CompactString, Vec<usize>> = HashMap::new();
        for (number, name) in names.iter().enumerate() {
            if let Some(first) = name.words.first() {
                by_first.entry(normalize(first)).or_default().push(number);
            }
        }
        Some(Self { names, by_first })
    }

    /// Reports whether an environment is production.
    pub(crate) fn is_prod(&self, environment: usize) -> bool {
        self.names.get(environment).is_some_and(|name| name.is_prod)
    }

    /// Replaces the environment's name in a text, so that the text is the same in all environments.
    pub(crate) fn without_environment(&self, environment: usize, text: &str) -> CompactString {
        let mut out = CompactString::default();
        let mut from = 0;
        for found in self
            .matches_in(environment, text, NameMatching::Exact)
            .filter(|found| found.environment == environment)
        {
            out.push_str(text.get(from..found.start).unwrap_or_default());
            out.push('*');
            from = found.end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }

    /// Reports whether the environment's own name is a word of a text.
    pub(crate) fn contains_own_name(&self, environment: usize, text: &str) -> bool {
        self.matches_in(environment, text, NameMatching::WithAliases)
            .any(|found| found.environment == environment)
    }

    /// Returns the other environment that a text names; `None` if the text also contains its own name, or the name is
    /// part of its own (`prod` in `prod-eu`).
    pub(crate) fn foreign_environment(
        &self,
        environment: usize,
        text: &str,
        reading: NameMatching,
    ) -> Option<usize> {
        let mut other = None;
        for found in self.matches_in(environment, text, reading) {
            if found.environment == environment {
                return None;
            }
            if !self.are_related(environment, found.environment) {
                other = other.or(Some(found.environment));
            }
        }
        other
    }

    fn are_related(&self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.names.get(one), self.names.get(other)) else { return true };
        let contains_all = |a: &NameWords, b: &NameWords| a.words.iter().all(|word| b.words.contains(word));
        one.is_prod == other.is_prod && (contains_all(one, other) || contains_all(other, one))
    }

    /// Returns the environment names in a text; the longest one at each word, and the environment's own first.
    fn matches_in<'n>(
        &'n self,
        environment: usize,
        text: &'n str,
        reading: NameMatching,
    ) -> impl Iterator<Item = NameMatch> + use<'n> {
        let mut rest = 0;
        std::iter::from_fn(move || {
            loop {
                let (start, word) = next_word(text, rest)?;
                rest = start + word.len();
                let best = self
                    .candidates(word)
                    .filter_map(|number| {
                        let (end, exact) = self.match_at(number, text, start, reading)?;
                        Some(((end, exact, number == environment), number))
                    })
                    .max_by_key(|(key, number)| (*key, std::cmp::Reverse(*number)));
                if let Some(((end, ..), environment)) = best {
                    rest = end;
                    return Some(NameMatch { environment, start, end });
                }
            }
        })
    }

    fn candidates(&self, word: &str) -> impl Iterator<Item = usize> + '_ {
        let key = (word.len() <= MAX_WORD).then(|| normalize(word));
        key.and_then(|key| self.by_first.get(&key)).into_iter().flatten().copied()
    }

    /// Returns the end of a name that starts at a word, and whether it matches without aliases.
    fn match_at(
        &self,
        number: usize,
        text: &str,
        start: usize,
        reading: NameMatching,
    ) -> Option<(usize, bool)> {
        let mut at = start;
        let mut exact = true;
        for (index, wanted) in self.names.get(number)?.words.iter().enumerate() {
            let (from, word) = next_word(text, at)?;
            // Exactly one character separates the words of a name.
            if index > 0 && from != at + 1 {
                return None;
            }
            let same = word.eq_ignore_ascii_case(wanted);
            let alias = reading == NameMatching::WithAliases && normalize(word) == normalize(wanted);
            if !same && !alias {
                return None;
            }
            exact &= same;
            at = from + word.len();
        }
        Some((at, exact))
    }
}

/// Reports whether two names of environments have the same words, with aliases: `production-eu` and `prod-eu`.
pub(crate) fn are_synonyms(one: &str, other: &str) -> bool {
    let normalized = |text: &str| name(text).words.iter().map(|word| normalize(word)).collect::<Vec<_>>();
    one != other && normalized(one) == normalized(other)
}

struct NameMatch {
    environment: usize,
    start: usize,
    end: usize,
}

fn name(environment: &str) -> NameWords {
    let words: Vec<CompactString> = environment
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(CompactString::from)
        .collect();
    let has = |wanted: &[&str]| {
        words.iter().any(|word| wanted.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
    };
    let is_prod = has(&["live", "prd", "prod", "production"]) && !has(&["no", "non", "not", "pre"]);
    NameWords { words, is_prod }
}

/// Normalizes a word: lower case, aliases replaced.
fn normalize(word: &str) -> CompactString {
    let lower = CompactString::from(word).to_ascii_lowercase();
    match ALIASES.binary_search_by(|(alias, _)| (*alias).cmp(lower.as_str())) {
        Ok(at) => ALIASES.get(at).map_or(lower, |(_, word)| CompactString::from(*word)),
        Err(_) => lower,
    }
}

/// Returns the next run of letters and digits.
fn next_word(text: &str, from: usize) -> Option<(usize, &str)> {
    let rest = text.get(from..)?;
    let start = rest.find(char::is_alphanumeric)?;
    let rest = rest.get(start..)?;
    let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    Some((from + start, rest.get(..end)?))
}
