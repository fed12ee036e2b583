//! The programs of a process: each one is searched for, and asked for its version, at most once.

use std::ffi::OsString;
use std::sync::OnceLock;

use sealwave_secrets::settings::OperatorTools;

use crate::{FoundProgram, RunHost, Tool, ToolError, find_program};

/// The programs that render sources. Nothing is searched for until a source needs it.
#[derive(Debug)]
pub struct Toolbox {
    settings: OperatorTools,
    search_path: Option<OsString>,
    host: RunHost,
    helm: OnceLock<Result<FoundProgram, ToolError>>,
    kubectl: OnceLock<Result<FoundProgram, ToolError>>,
    kustomize: OnceLock<Result<FoundProgram, ToolError>>,
}

impl Toolbox {
    /// Creates the programs of a process: those that the operator file names, and others on a search path, if it has one.
    #[must_use]
    pub const fn new(settings: OperatorTools, search_path: Option<OsString>, host: RunHost) -> Self {
        Self {
            settings,
            search_path,
            host,
            helm: OnceLock::new(),
            kubectl: OnceLock::new(),
            kustomize: OnceLock::new(),
        }
    }

    /// Returns the surroundings of runs.
    pub const fn host(&self) -> &RunHost {
        &self.host
    }

    /// Reports whether Kustomize may run Helm.
    pub const fn allows_kustomize_charts(&self) -> bool {
        self.settings.kustomize_helm_charts
    }

    /// Finds a program.
    ///
    /// # Errors
    /// The program is missing, or its version is not supported or not allowed.
    pub fn find(&self, tool: Tool) -> Result<&FoundProgram, &ToolError> {
        let (found, settings) = match tool {
            Tool::Helm => (&self.helm, &self.settings.helm),
            Tool::Kubectl => (&self.kubectl, &self.settings.kubectl),
            Tool::Kustomize => (&self.kustomize, &self.settings.kustomize),
        };
        let find = || find_program(tool, settings.as_ref(), self.search_path.as_deref(), &self.host);
        found.get_or_init(find).as_ref()
    }
}
