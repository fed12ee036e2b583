//! The limits of a run that Argo CD may call: memory, time and concurrency.
//!
//! Determined from the operator file and Argo CD's own variables, before anything from a repository is read.

use std::path::PathBuf;
use std::time::Duration;

use super::{OperatorFile, VariableReader, argocd, operator_path};
use crate::cli::Command;
use crate::deadline::DEFAULT_DEADLINE;
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_secrets::settings::{Concurrency, MemoryLimit};

/// The limits of one run.
#[derive(Clone, Debug)]
pub struct RunBounds {
    /// The memory limit.
    pub memory: MemoryLimit,
    /// The time limit, including waiting.
    pub deadline: Duration,
    /// The concurrency limit in the sidecar; `None` for runs that do not wait.
    pub turn: Option<SlotRequest>,
}

/// The concurrency limits of a sidecar's runs.
#[derive(Clone, Debug)]
pub struct SlotRequest {
    /// The Argo CD project, which has its own limit; apps without a known project share one.
    pub project: Option<String>,
    /// The maximum number of concurrent runs.
    pub concurrency: Concurrency,
    /// The directory for temporary files.
    pub directory: PathBuf,
}

impl RunBounds {
    /// Determines the limits of a command.
    ///
    /// `discover` reads one small file and does not wait: Argo CD treats a failed discovery as a directory of plain
    /// manifests.
    ///
    /// # Errors
    /// The operator file cannot be used, or one of Argo CD's variables cannot be read.
    pub fn decide(command: &Command, variables: VariableReader) -> Result<Self, Failure> {
        let operator = match command {
            Command::Discover(_) => {
                return Ok(Self { memory: MemoryLimit::MIN, deadline: DEFAULT_DEADLINE, turn: None });
            }
            Command::Generate(args) => args.app.operator.clone(),
            _ => None,
        };
        Self::from_operator(operator, variables)
    }

    fn from_operator(operator: Option<PathBuf>, variables: VariableReader) -> Result<Self, Failure> {
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
            turn: argocd::is_caller(&variables).then(|| SlotRequest {
                project,
                concurrency,
                directory: directory(),
            }),
        })
    }
}
