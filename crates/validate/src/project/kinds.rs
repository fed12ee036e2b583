//! Kinds that a flag selects: `Kind`, `version/Kind` or `group/version/Kind`.
//!
//! A misspelled kind would select nothing, and a check that selects nothing accepts everything, so it is an error.

use crate::engine::{KindFilter, KnownDefinition};
use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_kube::schema;

#[derive(Debug, thiserror::Error)]
enum KindError {
    #[error("`--{flag}` has kind `{given}`, which differs from a known kind only in case")]
    Case { flag: &'static str, given: String, known: String },
    #[error("`--{flag}` has an empty kind")]
    Empty { flag: &'static str },
    #[error("`--{flag}` has a malformed kind: `{given}`")]
    Malformed { flag: &'static str, given: String },
}

impl Explain for KindError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Case { known, .. } => format!("did you mean `{known}`?"),
            Self::Empty { .. } | Self::Malformed { .. } => {
                "write `Kind`, `version/Kind` or `group/version/Kind`, for example `Secret` or `apps/v1/Deployment`; several are separated by commas"
                    .to_owned()
            }
        })
    }
}

/// Parses the kinds given to a flag, with the definitions known to the run.
///
/// # Errors
/// A kind is empty, malformed, or differs from a known one only in case.
pub fn parse_kinds(
    flag: &'static str,
    texts: &[String],
    definitions: &[KnownDefinition],
) -> Result<KindFilter, Failure> {
    let mut kinds = Vec::new();
    let mut problems = Vec::new();
    for text in texts {
        match kind(flag, text.trim(), definitions) {
            Ok(kind) => kinds.push(kind),
            Err(error) => problems.push(Problem::new(&error)),
        }
    }
    Failure::unless_empty(problems)?;
    Ok(KindFilter::new(kinds))
}

fn kind(flag: &'static str, text: &str, definitions: &[KnownDefinition]) -> Result<String, KindError> {
    if text.is_empty() {
        return Err(KindError::Empty { flag });
    }
    let parts: Vec<&str> = text.split('/').collect();
    let (is_well_formed, name) = match parts[..] {
        [kind] => (is_kind(kind), kind),
        [version, kind] => (is_core_version(version) && is_kind(kind), kind),
        [group, version, kind] => (is_label(group) && is_label(version) && is_kind(kind), kind),
        _ => (false, ""),
    };
    if !is_well_formed {
        return Err(KindError::Malformed { flag, given: text.to_owned() });
    }
    match in_another_case(name, definitions) {
        None => Ok(text.to_owned()),
        Some(known) => {
            let prefix = text.strip_suffix(name).unwrap_or_default();
            Err(KindError::Case { flag, given: text.to_owned(), known: format!("{prefix}{known}") })
        }
    }
}

/// Returns the known kind that differs from a name only in case, if the name itself is not known.
fn in_another_case<'a>(name: &str, definitions: &'a [KnownDefinition]) -> Option<&'a str> {
    let own =
        || definitions.iter().filter_map(|one| one.object.root().at(&["spec", "names", "kind"])?.as_str());
    if own().any(|known| known == name) || schema::kinds().any(|known| known == name) {
        return None;
    }
    let equals_ignoring_case = |known: &&str| known.eq_ignore_ascii_case(name);
    own().find(equals_ignoring_case).or_else(|| schema::kinds().find(equals_ignoring_case))
}

fn is_kind(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Reports whether a text is a version of the core group, which has no name; group names do not look like versions.
fn is_core_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        && is_label(text)
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<KindFilter, (String, Option<String>)> {
        parse_kinds("reject", &[text.to_owned()], &[])
            .map_err(|failure| (failure.to_string(), failure.problems()[0].hint.clone()))
    }

    #[test]
    fn every_form_is_accepted_and_trimmed() {
        for text in ["Secret", "v1/Secret", "apps/v1/Deployment", "example.org/v1alpha1/Widget", "Widget"] {
            assert_eq!(read(&format!(" {text} ")), Ok(KindFilter::new(vec![text.to_owned()])));
        }
    }

    #[test]
    fn selecting_nothing_is_an_error() {
        assert_eq!(read(" ").unwrap_err().0, "`--reject` has an empty kind");
        for text in ["/v1/Secret", "a/b/c/d", "apps/Deployment", "Secret/", "*", "Secret ConfigMap"] {
            let (message, hint) = read(text).unwrap_err();
            assert_eq!(message, format!("`--reject` has a malformed kind: `{text}`"));
            assert!(hint.unwrap().contains("group/version/Kind"));
        }
        for (text, meant) in
            [("secret", "Secret"), ("v1/SECRET", "v1/Secret"), ("apps/v1/deployment", "apps/v1/Deployment")]
        {
            assert_eq!(read(text).unwrap_err().1, Some(format!("did you mean `{meant}`?")));
        }
    }
}
