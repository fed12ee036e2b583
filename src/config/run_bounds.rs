//! How a run that Argo CD may call is bounded: in memory, in time, and in how many work at once.
//!
//! Decided from the operator file and Argo CD's own variables, before anything of a repository is read.

use std::path::PathBuf;
use std::time::Duration;

use super::{OperatorFile, Variables, argocd, operator_path};
use crate::cli::Command;
use crate::deadline::DEFAULT_DEADLINE;
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_secrets::settings::{Concurrency, MemoryLimit};

/// The bounds of one run.
#[derive(Clone, Debug)]
pub struct RunBounds {
    /// What it may allocate.
    pub memory: MemoryLimit,
    /// How long it may take, waiting included.
    pub deadline: Duration,
    /// What it waits for in the sidecar. `None` for runs that do not wait.
    pub turn: Option<Turn>,
}

/// Waiting for a turn among the runs of a sidecar.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Argo CD's project, which may have a part of the runs; apps whose project Argo CD does not say share one.
    pub project: Option<String>,
    /// How many may work at once.
    pub concurrency: Concurrency,
    /// The directory for temporary files.
    pub directory: PathBuf,
}

impl RunBounds {
    /// Decides the bounds of a command.
    ///
    /// `discover` reads one small file, and does not wait: Argo CD takes a failure of discovery for a directory of plain
    /// manifests.
    ///
    /// # Errors
    /// The operator file cannot be used, or a variable of Argo CD's cannot be read.
    pub fn decide(command: &Command, variables: Variables) -> Result<Self, Failure> {
        let operator = match command {
            Command::Discover(_) => {
                return Ok(Self { memory: MemoryLimit::MIN, deadline: DEFAULT_DEADLINE, turn: None });
            }
            Command::Generate(args) => args.app.operator.clone(),
            _ => None,
        };
        Self::of_operator(operator, variables)
    }

    fn of_operator(operator: Option<PathBuf>, variables: Variables) -> Result<Self, Failure> {
        let project = argocd::project(&variables).map_err(|error| Problem::new(&error))?;
        let file = operator_path(operator, variables).map(|path| OperatorFile::read(&path)).transpose()?;
        let operator = file.as_ref().map(OperatorFile::operator);
        let concurrency = operator.map_or_else(Concurrency::default, |operator| operator.concurrency);
        let directory = || {
            let named = variables("TMPDIR").filter(|path| !path.is_empty());
            named.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from)
        };
        Ok(Self {
            memory: operator.map_or_else(MemoryLimit::default, |operator| operator.memory_limit),
            deadline: operator
                .map_or(DEFAULT_DEADLINE, |operator| Duration::from_secs(operator.deadline_seconds)),
            turn: argocd::is_caller(&variables).then(|| Turn {
                project,
                concurrency,
                directory: directory(),
            }),
        })
    }
}
