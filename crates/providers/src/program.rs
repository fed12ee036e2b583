//! Programs that a login starts, such as an exec plugin of a kubeconfig. They are searched for as a run would, and never
//! started.
//!
//! A run starts in the directory of an app, whose content is hostile. So a program must not depend on the working directory
//! or be in a repository. Arguments of a program may contain credentials and are not kept.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use sealwave_core::diagnostic::{Explain, NOT_REGULAR_FILE, Severity, io_reason};
use sealwave_core::reach::repository_root;

/// The directories in which the system searches without `PATH`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// A program that a login may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoginProgram {
    /// The path or name of the program, as the file has it.
    pub(crate) name: String,
    /// The file and the place in it that name the program.
    pub(crate) named_by: String,
    /// The files that decide which program is started.
    pub(crate) deciding_files: Vec<PathBuf>,
    /// The directories in which a name is searched; `None` for those of the system.
    pub(crate) search_path: Option<OsString>,
}

/// A problem of a program that a login starts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("program `{name}` of {named_by} {fault}")]
pub(crate) struct ProgramProblem {
    name: String,
    named_by: String,
    pub(crate) fault: ProgramFault,
}

/// The reason why a program should not be started, or cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProgramFault {
    #[error("can be replaced: `{}` can be changed by every user", .0.display())]
    Changeable(PathBuf),
    #[error("is chosen by a repository: `{}` is in `{}`", file.display(), repository.display())]
    ChosenByRepository { file: PathBuf, repository: PathBuf },
    #[error("is in the repository `{}`", .0.display())]
    InRepository(PathBuf),
    #[error("is not executable")]
    NotExecutable,
    #[error("is in none of the directories of `PATH`")]
    NotOnPath,
    #[error("{NOT_REGULAR_FILE}")]
    NotRegular,
    #[error("has a path that is relative to the directory of the app")]
    Relative,
    #[error("is searched for in the directory of the app: `PATH` has a directory that is not absolute")]
    RelativeSearch,
    #[error("cannot be found: {0}")]
    Unreadable(String),
}

impl ProgramProblem {
    /// Returns the severity: an error if a run should not start the program, or cannot.
    pub(crate) const fn severity(&self) -> Severity {
        match self.fault {
            ProgramFault::Changeable(_) => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl Explain for ProgramProblem {
    fn hint(&self) -> Option<String> {
        Some(
            match &self.fault {
                ProgramFault::Changeable(_) => {
                    "run `chmod o-w` on it"
                }
                ProgramFault::ChosenByRepository { .. } => {
                    "move the file next to the operator file, and correct its path"
                }
                ProgramFault::InRepository(_) => {
                    "install the program in the image of the sidecar, for example in `/usr/local/bin`"
                }
                ProgramFault::NotExecutable => "run `chmod 0755` on it",
                ProgramFault::NotOnPath => {
                    "install it in the image of the sidecar, or write its absolute path"
                }
                ProgramFault::NotRegular | ProgramFault::Unreadable(_) => {
                    "install it in the image of the sidecar, and correct its path"
                }
                ProgramFault::Relative => "write its absolute path",
                ProgramFault::RelativeSearch => {
                    "remove empty and relative directories from `PATH`, or write the absolute path of the program"
                }
            }
            .to_owned(),
        )
    }
}

impl LoginProgram {
    /// Finds the program as a run would. Returns its description, and a problem that is only a warning.
    ///
    /// # Errors
    /// A run should not start the program, or cannot.
    pub(crate) fn check(
        &self,
        operator_dir: &Path,
    ) -> Result<(String, Option<ProgramProblem>), ProgramProblem> {
        let problem =
            |fault| ProgramProblem { name: self.name.clone(), named_by: self.named_by.clone(), fault };
        let found = self.find().map_err(problem)?;
        check_file(&found).map_err(problem)?;
        if let Some(repository) = repository_of(&found) {
            return Err(problem(ProgramFault::InRepository(repository)));
        }
        // The operator file may be in a repository of its own, which is as trusted as the file.
        let own = fs_err::canonicalize(operator_dir).ok();
        let own = own.as_deref().and_then(repository_root);
        let foreign = self.deciding_files.iter().find_map(|file| {
            let repository = repository_of(file).filter(|repository| Some(&**repository) != own)?;
            Some(ProgramFault::ChosenByRepository { file: file.clone(), repository })
        });
        if let Some(fault) = foreign {
            return Err(problem(fault));
        }
        let origin = if self.is_name() { ", found on `PATH`" } else { "" };
        let description = format!("{} starts `{}`{origin}", self.named_by, found.display());
        Ok((description, changeable_part(&found).map(ProgramFault::Changeable).map(problem)))
    }

    /// Reports whether the program is searched for by its name.
    fn is_name(&self) -> bool {
        !self.name.contains('/')
    }

    fn find(&self) -> Result<PathBuf, ProgramFault> {
        if !self.is_name() {
            let path = PathBuf::from(&self.name);
            return if path.is_absolute() { Ok(path) } else { Err(ProgramFault::Relative) };
        }
        let search_path = self.search_path.as_deref().unwrap_or(OsStr::new(DEFAULT_PATH));
        let mut not_executable = None;
        for directory in std::env::split_paths(search_path) {
            if !directory.is_absolute() {
                return Err(ProgramFault::RelativeSearch);
            }
            let candidate = directory.join(&self.name);
            match check_file(&candidate) {
                Ok(()) => return Ok(candidate),
                Err(ProgramFault::NotExecutable) => not_executable = Some(candidate),
                Err(_) => {}
            }
        }
        not_executable.ok_or(ProgramFault::NotOnPath)
    }
}

/// Checks that a file can be started.
fn check_file(path: &Path) -> Result<(), ProgramFault> {
    let metadata =
        fs_err::metadata(path).map_err(|error| ProgramFault::Unreadable(io_reason(error.kind())))?;
    if !metadata.is_file() {
        return Err(ProgramFault::NotRegular);
    }
    if is_executable(&metadata) { Ok(()) } else { Err(ProgramFault::NotExecutable) }
}

/// Returns the repository that contains a file, or the link to it.
fn repository_of(path: &Path) -> Option<PathBuf> {
    let link = path.parent().and_then(|parent| fs_err::canonicalize(parent).ok());
    let target = fs_err::canonicalize(path).ok();
    let target = target.as_deref().and_then(Path::parent).map(Path::to_owned);
    [link, target].into_iter().flatten().find_map(|place| repository_root(&place).map(Path::to_owned))
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;

    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &std::fs::Metadata) -> bool {
    true
}

/// Returns the file, or the directory above it, that every user can change.
#[cfg(unix)]
fn changeable_part(path: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;

    /// In a directory with this mode, users can replace only their own files.
    const STICKY: u32 = 0o1000;

    let is_changeable = |part: &&Path| {
        fs_err::metadata(part).is_ok_and(|metadata| {
            let mode = metadata.permissions().mode();
            mode & 0o002 != 0 && !(metadata.is_dir() && mode & STICKY != 0)
        })
    };
    let link = path.parent().and_then(|parent| fs_err::canonicalize(parent).ok());
    let target = fs_err::canonicalize(path).ok();
    let places = [target, link];
    places.iter().flatten().find_map(|place| place.ancestors().find(is_changeable)).map(Path::to_owned)
}

#[cfg(not(unix))]
fn changeable_part(_path: &Path) -> Option<PathBuf> {
    None
}

/// Returns the program that a shell command starts; `None` if only the shell can tell.
#[cfg(any(feature = "aws", test))]
pub(crate) fn program_of_command(command: &str) -> Option<&str> {
    let command = command.trim_start();
    let first = match command.chars().next()? {
        quote @ ('"' | '\'') => {
            let (first, rest) = command.get(1..)?.split_once(quote)?;
            rest.chars().next().is_none_or(char::is_whitespace).then_some(first)?
        }
        _ => command.split_whitespace().next()?,
    };
    // Anything that a shell expands, assigns or groups, and line breaks, which end a command.
    let is_plain = |c: char| !c.is_control() && !"\"'`$\\;&|<>(){}[]*?!#~=".contains(c);
    (!first.is_empty() && first.chars().all(is_plain)).then_some(first)
}

#[cfg(all(test, unix))]
mod tests;
