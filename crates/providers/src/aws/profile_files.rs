//! The files that AWS profiles are read from.
//!
//! They are opened only by absolute paths: without `HOME`, the SDK resolves `~/.aws/config` to a directory named `~` below
//! the working directory, which is the app's, and a profile can contain a command to run.

use std::path::PathBuf;

#[expect(deprecated, reason = "the crate that these moved to is not part of the SDK's public API")]
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};

use crate::EnvLookup;

#[expect(deprecated, reason = "see the import")]
/// Returns the files with profiles, and the paths of those that exist.
pub(super) fn profile_files(environment: &EnvLookup) -> (ProfileFiles, Vec<PathBuf>) {
    let files = [
        (ProfileFileKind::Config, "AWS_CONFIG_FILE", ".aws/config"),
        (ProfileFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
    ];
    let mut builder = ProfileFiles::builder();
    let mut paths = Vec::new();
    for (kind, variable, below_home) in files {
        builder = match profile_file(environment, variable, below_home) {
            Some(path) => {
                paths.push(path.clone());
                builder.with_file(kind, path)
            }
            None => builder.with_contents(kind, ""),
        };
    }
    (builder.build(), paths)
}

/// Returns the path of an existing profile file, if it is absolute.
fn profile_file(environment: &EnvLookup, variable: &str, below_home: &str) -> Option<PathBuf> {
    let home = environment("HOME").map(PathBuf::from);
    let path = match environment(variable).filter(|value| !value.is_empty()).map(PathBuf::from) {
        Some(path) => match path.strip_prefix("~") {
            Ok(rest) => home?.join(rest),
            Err(_) => path,
        },
        None => home?.join(below_home),
    };
    (path.is_absolute() && path.is_file()).then_some(path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsString;
    use std::sync::Arc;

    use super::*;

    fn found_file(dir: &str, variables: &[(&str, String)]) -> Option<PathBuf> {
        let variables: BTreeMap<String, OsString> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
        let environment: EnvLookup = Arc::new(move |name| variables.get(name).cloned());
        let path = profile_file(&environment, "AWS_CONFIG_FILE", ".aws/config");
        path.map(|path| path.strip_prefix(dir).unwrap_or(&path).to_owned())
    }

    #[test]
    fn profiles_are_read_only_from_absolute_paths() {
        let dir = tempfile::tempdir().expect("a directory");
        let home = dir.path().to_str().expect("UTF-8").to_owned();
        fs_err::create_dir(dir.path().join(".aws")).expect("made");
        fs_err::write(dir.path().join(".aws/config"), "").expect("written");
        fs_err::write(dir.path().join("other"), "").expect("written");
        let found = |variables: &[(&str, String)]| found_file(&home, variables);
        let at_home = ("HOME", home.clone());
        assert_eq!(found(std::slice::from_ref(&at_home)), Some(".aws/config".into()));
        let named = |path: &str| ("AWS_CONFIG_FILE", path.to_owned());
        assert_eq!(found(&[named(&format!("{home}/other"))]), Some("other".into()));
        assert_eq!(found(&[named("~/other"), at_home.clone()]), Some("other".into()));
        assert_eq!(found(&[named(""), at_home.clone()]), Some(".aws/config".into()));
        assert_eq!(found(&[named("~/missing"), at_home]), None);
        // `Cargo.toml` exists in the working directory, which is the app's in a run.
        assert_eq!(found(&[named("Cargo.toml")]), None);
        assert_eq!(found(&[]), None);
        for relative in ["", ".", "~", "src"] {
            let here = ("HOME", relative.to_owned());
            assert_eq!(found(std::slice::from_ref(&here)), None, "{relative}");
            assert_eq!(found(&[here, named("~/lib.rs")]), None, "{relative}");
        }
    }
}
