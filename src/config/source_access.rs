//! Decides which files' lines messages may show: those of the app that the user named, in its repository.
//!
//! Argo CD gets no lines: it keeps messages in the status of the Application, where more people can read them than the
//! repository. The operator's files are never shown. Whether a line of a file may be shown is decided when it is printed,
//! by the text of the file.

use std::path::{Component, Path, PathBuf};

use super::{OperatorPath, VariableReader, argocd, operator_path};
use crate::cli::Command;
use sealwave_core::document::display_path;
use sealwave_core::reach::PathReach;

/// The files whose lines messages may show.
#[derive(Clone, Debug, Default)]
pub struct SourceAccess {
    /// The directories of the apps, as given by the user.
    directories: Vec<PathBuf>,
    operator: Option<OperatorPath>,
}

impl SourceAccess {
    /// Decides by the arguments of a command, and by its caller.
    #[must_use]
    pub fn decide(command: &Command, variables: VariableReader) -> Self {
        if argocd::is_caller(&variables) {
            return Self::default();
        }
        let (directories, operator) = match command {
            Command::Generate(args) => (vec![args.app.directory().to_owned()], args.app.operator.clone()),
            Command::Refs(args) => (vec![args.app.directory().to_owned()], args.app.operator.clone()),
            Command::Render(args) => (vec![args.app.directory().to_owned()], args.app.operator.clone()),
            Command::Status(args) => (args.dirs.clone(), args.operator.clone()),
            Command::Switch(args) => (vec![args.app.directory().to_owned()], args.app.operator.clone()),
            Command::Validate(args) => (args.paths.clone(), args.checks.operator.clone()),
            Command::Verify(args) if args.rendered.is_none() => {
                (vec![args.app.directory().to_owned()], args.app.operator.clone())
            }
            // Argo CD may call `discover` and `parameters` without the variables that it sets for an app.
            // Lines of the operator file are never shown.
            Command::Cert(_)
            | Command::Check(_)
            | Command::Completions(_)
            | Command::Copy(_)
            | Command::Discover(_)
            // Applications may have inline values.
            | Command::Init(_)
            | Command::Key(_)
            | Command::Parameters(_)
            | Command::Put(_)
            | Command::Rotate(_)
            // It reads private keys.
            | Command::Reseal(_)
            | Command::Schemas(_)
            // They read Secrets, and private keys.
            | Command::Seal(_)
            | Command::Unseal(_)
            // Rendered manifests are not files of the app.
            | Command::Verify(_) => (vec![], None),
        };
        Self { directories, operator: operator_path(operator, variables) }
    }

    /// Reports whether no file may be shown.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.directories.is_empty()
    }

    /// Opens a regular file by the path in a message; `None` if it may not be shown or cannot be read.
    #[must_use]
    pub fn open(&self, path: &Path) -> Option<fs_err::File> {
        self.directories.iter().find_map(|given| {
            let directory = directory_of_app(given);
            if !is_below(directory, path) {
                return None;
            }
            let reach = PathReach::for_directory(directory).ok()?;
            let real = reach.resolve(path).ok()?;
            if self.is_operator_file(&real) { None } else { reach.open(path).ok() }
        })
    }

    fn is_operator_file(&self, real: &Path) -> bool {
        let operator = self.operator.as_ref().map(|operator| fs_err::canonicalize(&operator.path));
        // A file that cannot be found now may be the one that was read.
        operator.is_some_and(|operator| operator.is_ok_and(|operator| operator == real))
    }
}

/// Returns the directory of an app that may be given by its app file.
fn directory_of_app(given: &Path) -> &Path {
    let parent = given.parent().filter(|_| given.is_file()).unwrap_or(given);
    if parent.as_os_str().is_empty() { Path::new(".") } else { parent }
}

/// Reports whether a path in a message starts with a directory and leads into it.
fn is_below(directory: &Path, path: &Path) -> bool {
    let directory = display_path(directory);
    let inside = if directory == "." { Some(path) } else { path.strip_prefix(&directory).ok() };
    inside.is_some_and(|inside| inside.components().all(|part| matches!(part, Component::Normal(_))))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::config::PathSource;

    struct Repository(tempfile::TempDir);

    impl Repository {
        fn new() -> Self {
            let repository = Self(tempfile::tempdir().unwrap());
            for (path, text) in [
                ("repo/.git/config", "git"),
                ("repo/app/base/a.yaml", "a"),
                ("repo/app/operator.yaml", "operator"),
                ("repo/shared/b.yaml", "b"),
                ("outside/c.yaml", "c"),
            ] {
                let file = repository.at(path);
                fs_err::create_dir_all(file.parent().unwrap()).unwrap();
                fs_err::write(file, text).unwrap();
            }
            symlink("../../shared/b.yaml", repository.at("repo/app/base/b.yaml")).unwrap();
            symlink("../../../outside/c.yaml", repository.at("repo/app/base/c.yaml")).unwrap();
            symlink("../../.git/config", repository.at("repo/app/base/git.yaml")).unwrap();
            symlink("../operator.yaml", repository.at("repo/app/base/operator.yaml")).unwrap();
            repository
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(path)
        }

        fn opens(&self, directory: &str, path: &str) -> bool {
            let operator =
                OperatorPath { path: self.at("repo/app/operator.yaml"), named_by: PathSource::Flag };
            let access = SourceAccess { directories: vec![self.at(directory)], operator: Some(operator) };
            access.open(&self.at(path)).is_some()
        }
    }

    #[test]
    fn only_files_of_the_app_in_its_repository_are_opened() {
        let repository = Repository::new();
        assert!(repository.opens("repo/app", "repo/app/base/a.yaml"));
        assert!(repository.opens("repo/app", "repo/app/base/b.yaml"), "a link inside the repository");
        assert!(repository.opens("repo/app/base/a.yaml", "repo/app/base/a.yaml"), "given by a file");
        for path in [
            "repo/app/base",
            "repo/app/base/c.yaml",
            "repo/app/base/git.yaml",
            "repo/app/base/missing.yaml",
            "repo/app/base/operator.yaml",
            "repo/app/operator.yaml",
            "repo/app/../shared/b.yaml",
            "repo/shared/b.yaml",
            "outside/c.yaml",
        ] {
            assert!(!repository.opens("repo/app", path), "{path}");
        }
        assert!(SourceAccess::default().open(&repository.at("repo/app/base/a.yaml")).is_none());
    }

    #[test]
    fn a_path_is_below_the_directory_that_it_was_shown_with() {
        for (directory, path, expected) in [
            (".", "base/a.yaml", true),
            (".", "/base/a.yaml", false),
            (".", "../a.yaml", false),
            ("./app/", "app/base/a.yaml", true),
            ("app", "application/a.yaml", false),
            ("../app", "../app/a.yaml", true),
            ("../app", "../app/../b/a.yaml", false),
        ] {
            assert_eq!(is_below(Path::new(directory), Path::new(path)), expected, "{directory} {path}");
        }
    }
}
