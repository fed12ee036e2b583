//! The login of a profile in the AWS configuration: a program of `credential_process`, or a session of a browser.
//!
//! The SDK reads the files, and this follows its rules for chains of profiles. Nothing is started or contacted. A command
//! may contain a credential, so only its first word is kept.

use std::path::PathBuf;
use std::time::{Duration, Instant};

#[expect(deprecated, reason = "see `profile_files`")]
use aws_config::profile::profile_file::ProfileFiles;
use aws_config::profile::{self, Profile, ProfileSet};

use super::profile_files::profile_files;
use crate::program::{LoginProgram, program_of_command};
use crate::remote::runtime;
use crate::{EnvLookup, OfflineProblem, ProviderError};

/// The time for reading the files.
const READ: Duration = Duration::from_secs(10);

/// The variables with credentials, which take precedence over a profile that the operator file does not set.
const CREDENTIAL_VARIABLES: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// Returns the problems of the profile that the settings of a provider select, and the programs that it logs in with.
pub(super) fn login(
    profile: Option<&str>,
    environment: &EnvLookup,
) -> (Vec<OfflineProblem>, Vec<LoginProgram>) {
    let ProfileLogin { problems, programs } = ProfileLogin::of(profile, environment);
    (problems, programs)
}

/// The login of a profile.
#[derive(Default)]
struct ProfileLogin {
    problems: Vec<OfflineProblem>,
    programs: Vec<LoginProgram>,
}

impl ProfileLogin {
    fn of(profile: Option<&str>, environment: &EnvLookup) -> Self {
        let mut login = Self::default();
        let is_set = |name: &str| environment(name).is_some_and(|value| !value.is_empty());
        if profile.is_none() && CREDENTIAL_VARIABLES.iter().all(|name| is_set(name)) {
            return login;
        }
        let from_variable = || environment("AWS_PROFILE")?.into_string().ok().filter(|name| !name.is_empty());
        let selected =
            profile.map(str::to_owned).or_else(from_variable).unwrap_or_else(|| "default".to_owned());
        let (files, paths) = profile_files(environment);
        match load(&files, &selected) {
            Some(profiles) => login.add(profile, &profiles, environment, &paths),
            None => login.problems.push(OfflineProblem::unusable(&unreadable())),
        }
        login
    }

    fn add(
        &mut self,
        profile: Option<&str>,
        profiles: &ProfileSet,
        environment: &EnvLookup,
        paths: &[PathBuf],
    ) {
        let selected = profiles.selected_profile();
        if profile.is_some() && profiles.get_profile(selected).is_none() {
            let files: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
            let files = if files.is_empty() { "none exists".to_owned() } else { files.join(", ") };
            self.problems.push(OfflineProblem::NoProfile { profile: selected.to_owned(), files });
            return;
        }
        let Some(base) = base_profile(profiles) else { return };
        let search_path = environment("PATH");
        let named_by = format!("`credential_process` in AWS profile `{}`", base.name());
        match login_method(base) {
            Some(LoginMethod::BrowserSession) => {
                self.problems.push(OfflineProblem::BrowserSession { profile: base.name().to_owned() });
            }
            Some(LoginMethod::Command(command)) => {
                let program = |name: &str| LoginProgram {
                    name: name.to_owned(),
                    named_by: named_by.clone(),
                    deciding_files: paths.to_owned(),
                    search_path: search_path.clone(),
                };
                // The SDK passes the command to a shell, which an image without a system does not have.
                self.programs.push(program("sh"));
                match program_of_command(command) {
                    Some(name) => self.programs.push(program(name)),
                    None => self.problems.push(OfflineProblem::ShellCommand { named_by }),
                }
            }
            None => {}
        }
    }
}

/// Reads the files; `None` if they cannot be parsed.
#[expect(deprecated, reason = "see `profile_files`")]
#[expect(clippy::default_trait_access, reason = "the types belong to a crate that is not used otherwise")]
fn load(files: &ProfileFiles, selected: &str) -> Option<ProfileSet> {
    let selected = Some(selected.to_owned().into());
    let (files_of_system, variables) = (Default::default(), Default::default());
    let load = profile::load(&files_of_system, &variables, files, selected);
    runtime::run(Instant::now() + READ, |_| load).ok()?.ok()
}

/// A way to log in that is not a credential in a file.
enum LoginMethod<'a> {
    BrowserSession,
    Command(&'a str),
}

/// Returns how the last profile of a chain logs in, by the precedence of the SDK.
fn login_method(profile: &Profile) -> Option<LoginMethod<'_>> {
    let has = |name| profile.get(name).is_some();
    if has("credential_source") || has("web_identity_token_file") {
        None
    } else if has("sso_session") || has("sso_start_url") || has("login_session") {
        Some(LoginMethod::BrowserSession)
    } else {
        profile.get("credential_process").map(LoginMethod::Command)
    }
}

/// Returns the profile that the selected one gets its first credentials from. Returns `None` if they are in a file, or if
/// the profiles form a loop.
fn base_profile(profiles: &ProfileSet) -> Option<&Profile> {
    let mut visited = Vec::new();
    let mut name = profiles.selected_profile();
    loop {
        let profile = profiles.get_profile(name)?;
        if visited.contains(&name) || !visited.is_empty() && profile.get("aws_access_key_id").is_some() {
            return None;
        }
        visited.push(name);
        let has_role = profile.get("role_arn").is_some() && profile.get("web_identity_token_file").is_none();
        match profile.get("source_profile").filter(|source| has_role && *source != name) {
            Some(source) => name = source,
            None => return Some(profile),
        }
    }
}

fn unreadable() -> ProviderError {
    ProviderError::denied(
        "the files with AWS profiles cannot be parsed",
        "check `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`, or `.aws` in `HOME`, with `aws configure list`",
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::sync::Arc;

    use super::*;

    const CONFIG: &str = "\
[default]
credential_process = /opt/default --secret CANARY
[profile chain]
role_arn = arn:aws:iam::123456789012:role/shop
source_profile = base
[profile base]
credential_process = creds
[profile keys]
role_arn = arn:aws:iam::123456789012:role/shop
source_profile = static
[profile static]
aws_access_key_id = AKIA
aws_secret_access_key = CANARY
credential_process = never
[profile loop]
role_arn = arn:aws:iam::123456789012:role/shop
source_profile = loop2
[profile loop2]
role_arn = arn:aws:iam::123456789012:role/shop
source_profile = loop
[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = reader
credential_process = never
[profile shell]
credential_process = TOKEN=CANARY creds
";

    fn found(profile: Option<&str>, variables: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("config");
        fs_err::write(&file, CONFIG).expect("written");
        let mut all: BTreeMap<String, OsString> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
        all.insert("AWS_CONFIG_FILE".to_owned(), file.into());
        let environment: EnvLookup = Arc::new(move |name| all.get(name).cloned());
        let login = ProfileLogin::of(profile, &environment);
        let problems: Vec<String> = login.problems.iter().map(ToString::to_string).collect();
        assert!(!format!("{problems:?} {:?}", login.programs).contains("CANARY"));
        (login.programs.into_iter().map(|program| program.name).collect(), problems)
    }

    #[test]
    fn the_program_of_a_profile_is_found_by_the_rules_of_the_sdk() {
        for (profile, expected) in [
            (None, &["sh", "/opt/default"][..]),
            (Some("chain"), &["sh", "creds"]),
            (Some("base"), &["sh", "creds"]),
            (Some("keys"), &[]),
            (Some("loop"), &[]),
        ] {
            let (programs, problems) = found(profile, &[]);
            assert_eq!(
                (&programs[..], &problems[..]),
                (&expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..], &[][..]),
                "{profile:?}"
            );
        }
        assert_eq!(found(None, &[("AWS_PROFILE", "base")]).0, ["sh", "creds"]);
        let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "CANARY")];
        assert_eq!(found(None, &keys), (vec![], vec![]));
        assert_eq!(found(Some("base"), &keys).0, ["sh", "creds"]);
    }

    #[test]
    fn other_logins_have_findings() {
        for (profile, programs, word) in [
            ("sso", 0, "browser"),
            ("shell", 1, "only a shell can tell"),
            ("none", 0, "is in none of the files"),
        ] {
            let (found, problems) = found(Some(profile), &[]);
            assert_eq!(found.len(), programs, "{profile}");
            assert!(problems.len() == 1 && problems[0].contains(word), "{profile}: {problems:?}");
        }
    }
}
