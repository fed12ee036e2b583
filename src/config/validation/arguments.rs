//! Parses single arguments of `validate`, and the variable of a GitHub workflow.

use std::path::PathBuf;
use std::time::Duration;

use super::error::{ValidationError, problem};
use crate::cli::FailOn;
use crate::config::VariableReader;
use sealwave_core::diagnostic::{Failure, Severity};
use sealwave_core::names::dns;
use sealwave_core::time::duration;
use sealwave_secrets::settings::RuleLevel;
use sealwave_validate::rules;

/// Checks a namespace from a flag: a DNS label, or empty.
///
/// # Errors
/// The name is not valid.
pub(crate) fn check_namespace(namespace: Option<&str>) -> Result<(), Failure> {
    match namespace.filter(|name| !name.is_empty()) {
        Some(name) if !dns::is_label(name) => Err(problem(&ValidationError::Namespace(name.to_owned()))),
        _ => Ok(()),
    }
}

/// Parses the value of `--timeout`.
///
/// # Errors
/// The value is not a duration, or is shorter than a second.
pub(crate) fn parse_timeout(text: &str) -> Result<Duration, Failure> {
    duration::parse(text.trim()).ok_or_else(|| problem(&ValidationError::Timeout(text.to_owned())))
}

/// Returns the error for an unknown rule.
pub(crate) fn unknown_rule(id: &str) -> Failure {
    problem(&ValidationError::UnknownRule { name: id.to_owned(), closest: rules::closest_rule(id) })
}

/// Returns the lowest severity that causes exit code 1; `None` means never.
pub(crate) const fn failing_severity(fail_on: FailOn) -> Option<Severity> {
    match fail_on {
        FailOn::Error => Some(Severity::Error),
        FailOn::Never => None,
        FailOn::Note => Some(Severity::Note),
        FailOn::Warning => Some(Severity::Warning),
    }
}

/// Returns the summary file if this is a step of a GitHub workflow.
pub(crate) fn step_summary(variables: VariableReader) -> Option<PathBuf> {
    variables("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Returns the address of the repository's files at the checked commit, if this is a step of a GitHub workflow.
pub(crate) fn source_files(variables: VariableReader) -> Option<String> {
    let is_safe = |text: &String| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/-._~".contains(&byte))
    };
    let get = |name| variables(name)?.into_string().ok().filter(is_safe);
    let (server, repository) = (get("GITHUB_SERVER_URL")?, get("GITHUB_REPOSITORY")?);
    Some(format!("{server}/{repository}/blob/{}", get("GITHUB_SHA")?))
        .filter(|url| url.starts_with("https://"))
}

/// Reports whether the name of a rule is a glob.
pub(super) fn is_glob(name: &str) -> bool {
    name.contains(['*', '?', '[', '{'])
}

/// Parses the value of `--rule`: a rule and its severity.
pub(super) fn parse_rule(flag: &str) -> Option<(&str, RuleLevel)> {
    let (id, level) = flag.split_once('=')?;
    let level = match level {
        "error" => RuleLevel::Error,
        "note" => RuleLevel::Note,
        "off" => RuleLevel::Off,
        "warning" => RuleLevel::Warning,
        _ => return None,
    };
    Some((id, level))
}
