//! Names of environments as words of a text: `prod` is one of `secret/prod/db` and none of `secret/products`.

use std::collections::HashMap;

use compact_str::CompactString;

use crate::rules::App;

/// Words longer than this are no environment's name.
const MAX_WORD: usize = 64;

/// Other words for the same thing, which secret stores may use where the app says it otherwise.
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
pub(super) struct Names {
    names: Vec<Name>,
    /// Environments by the first words of their names, in plain spelling.
    by_first: HashMap<CompactString, Vec<usize>>,
}

struct Name {
    words: Vec<CompactString>,
    is_prod: bool,
}

/// How the words of a text are compared with names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As they are.
    Exact,
    /// `production` is `prod`.
    WithAliases,
}

impl Names {
    /// None where there is one environment alone, which nothing can be compared with.
    pub fn of(app: &App<'_>) -> Option<Self> {
        Self::new(app.environments.iter().map(|environment| environment.name))
    }

    /// The same, from the names of all environments of an app.
    pub(super) fn new<'n>(environments: impl IntoIterator<Item = &'n str>) -> Option<Self> {
        let names: Vec<Name> = environments.into_iter().map(name).collect();
        if names.len() < 2 {
            return None;
        }
        let mut by_first: HashMap<CompactString, Vec<usize>> = HashMap::new();
        for (number, name) in names.iter().enumerate() {
            if let Some(first) = name.words.first() {
                by_first.entry(plain(first)).or_default().push(number);
            }
        }
        Some(Self { names, by_first })
    }

    /// Whether an environment is one that people outside depend on.
    pub(super) fn is_prod(&self, environment: usize) -> bool {
        self.names.get(environment).is_some_and(|name| name.is_prod)
    }

    /// A text without the name of its environment: the same in all of them.
    pub(super) fn neutral(&self, environment: usize, text: &str) -> CompactString {
        let mut out = CompactString::default();
        let mut from = 0;
        for found in
            self.found(environment, text, Reading::Exact).filter(|found| found.environment == environment)
        {
            out.push_str(text.get(from..found.start).unwrap_or_default());
            out.push('*');
            from = found.end;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }

    /// Whether the environment's own name is a word of a text.
    pub(super) fn has_own(&self, environment: usize, text: &str) -> bool {
        self.found(environment, text, Reading::WithAliases).any(|found| found.environment == environment)
    }

    /// The environment that a text names, where it is another one for certain: one that names its own as well says
    /// nothing, and neither does a name that is a part of its own (`prod` in `prod-eu`).
    pub(super) fn foreign(&self, environment: usize, text: &str, reading: Reading) -> Option<usize> {
        let mut other = None;
        for found in self.found(environment, text, reading) {
            if found.environment == environment {
                return None;
            }
            if !self.are_akin(environment, found.environment) {
                other = other.or(Some(found.environment));
            }
        }
        other
    }

    fn are_akin(&self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.names.get(one), self.names.get(other)) else { return true };
        let within = |a: &Name, b: &Name| a.words.iter().all(|word| b.words.contains(word));
        one.is_prod == other.is_prod && (within(one, other) || within(other, one))
    }

    /// The names in a text, the longest where several start at one word; the environment's own before others.
    fn found<'n>(
        &'n self,
        environment: usize,
        text: &'n str,
        reading: Reading,
    ) -> impl Iterator<Item = Found> + use<'n> {
        let mut rest = 0;
        std::iter::from_fn(move || {
            loop {
                let (start, word) = next_word(text, rest)?;
                rest = start + word.len();
                let best = self
                    .candidates(word)
                    .filter_map(|number| {
                        let (end, exact) = self.matches(number, text, start, reading)?;
                        Some(((end, exact, number == environment), number))
                    })
                    .max_by_key(|(key, number)| (*key, std::cmp::Reverse(*number)));
                if let Some(((end, ..), environment)) = best {
                    rest = end;
                    return Some(Found { environment, start, end });
                }
            }
        })
    }

    fn candidates(&self, word: &str) -> impl Iterator<Item = usize> + '_ {
        let key = (word.len() <= MAX_WORD).then(|| plain(word));
        key.and_then(|key| self.by_first.get(&key)).into_iter().flatten().copied()
    }

    /// Where a name that starts at a word ends, and whether it is spelt as the environment is.
    fn matches(&self, number: usize, text: &str, start: usize, reading: Reading) -> Option<(usize, bool)> {
        let mut at = start;
        let mut exact = true;
        for (index, wanted) in self.names.get(number)?.words.iter().enumerate() {
            let (from, word) = next_word(text, at)?;
            // The words of one name have one character between them.
            if index > 0 && from != at + 1 {
                return None;
            }
            let same = word.eq_ignore_ascii_case(wanted);
            let alias = reading == Reading::WithAliases && plain(word) == plain(wanted);
            if !same && !alias {
                return None;
            }
            exact &= same;
            at = from + word.len();
        }
        Some((at, exact))
    }
}

struct Found {
    environment: usize,
    start: usize,
    end: usize,
}

fn name(environment: &str) -> Name {
    let words: Vec<CompactString> = environment
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(CompactString::from)
        .collect();
    let has = |wanted: &[&str]| {
        words.iter().any(|word| wanted.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
    };
    let is_prod = has(&["live", "prd", "prod", "production"]) && !has(&["no", "non", "not", "pre"]);
    Name { words, is_prod }
}

/// A word in lower case, and in the app's usual spelling.
fn plain(word: &str) -> CompactString {
    let lower = CompactString::from(word).to_ascii_lowercase();
    match ALIASES.binary_search_by(|(alias, _)| (*alias).cmp(lower.as_str())) {
        Ok(at) => ALIASES.get(at).map_or(lower, |(_, word)| CompactString::from(*word)),
        Err(_) => lower,
    }
}

/// The next run of letters and digits.
fn next_word(text: &str, from: usize) -> Option<(usize, &str)> {
    let rest = text.get(from..)?;
    let start = rest.find(char::is_alphanumeric)?;
    let rest = rest.get(start..)?;
    let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    Some((from + start, rest.get(..end)?))
}
