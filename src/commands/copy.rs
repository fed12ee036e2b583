//! `copy`: copies the program and its plugin.yaml into a directory.
//!
//! For an init container: the image has no shell, and so no `cp`. The directory comes from the pod, never from a repository.

use std::env;
use std::io;
use std::path::Path;

use super::CommandOutput;
use crate::cli::CopyArgs;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, write_error_reason};

/// The file that tells Argo CD how to call this version of the program.
const PLUGIN: &str = include_str!("../../plugin.yaml");

/// The reason why a file cannot be copied.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error("`{0}` is not a directory")]
    NoDirectory(String),
    #[error("the program cannot find its own file")]
    NoProgram,
    #[error("`{path}` cannot be written: {reason}")]
    Unwritable { path: String, reason: String },
}

impl Explain for CopyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoProgram => None,
            Self::NoDirectory(_) | Self::Unwritable { .. } => Some(
                "name an existing directory that this user can write to, such as an `emptyDir` volume"
                    .to_owned(),
            ),
        }
    }
}

/// The note about the copied files.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` contains sealwave {version} and its plugin.yaml", version = env!("CARGO_PKG_VERSION"))]
struct CopiedNote(String);

impl Explain for CopiedNote {}

pub(super) fn run(args: &CopyArgs) -> Result<CommandOutput, Failure> {
    if !args.dir.is_dir() {
        return Err(Problem::new(&CopyError::NoDirectory(args.dir.display().to_string())).into());
    }
    let program = env::current_exe().map_err(|_| Problem::new(&CopyError::NoProgram))?;
    replace(&args.dir.join("sealwave"), |file| fs_err::copy(&program, file).map(drop))?;
    replace(&args.dir.join("plugin.yaml"), |file| fs_err::write(file, PLUGIN))?;
    let note = CopiedNote(args.dir.display().to_string());
    Ok(CommandOutput { notes: vec![Note::info(Problem::new(&note))], ..CommandOutput::default() })
}

/// Replaces a file at once, so that no process ever sees a part of it, even if the container is started again.
fn replace(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), Failure> {
    let new = path.with_added_extension("new");
    let _ = fs_err::remove_file(&new);
    write(&new).and_then(|()| fs_err::rename(&new, path)).map_err(|error| {
        let _ = fs_err::remove_file(&new);
        let (path, reason) = (path.display().to_string(), write_error_reason(error.kind()));
        Problem::new(&CopyError::Unwritable { path, reason }).into()
    })
}
