//! The programs of a process: each one is searched for, and asked for its version, at most once.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::thread;

use sealwave_secrets::settings::{ChartId, ChartRepository, OperatorTools, PinnedChart, ToolSettings};

use crate::charts::ChartFetcher;
use crate::tool::locate_program;
use crate::{
    ChartAccess, ChartError, FoundProgram, ProgramError, ProgramOutput, ProgramRun, RunHost, Tool, ToolError,
    find_program,
};

/// The programs that render sources. Nothing is searched for until a source needs it.
#[derive(Debug)]
pub struct Toolbox {
    settings: OperatorTools,
    search_path: Option<OsString>,
    host: RunHost,
    charts: ChartAccess,
    helm: OnceLock<Result<FoundProgram, ToolError>>,
    kubectl: OnceLock<Result<FoundProgram, ToolError>>,
    kustomize: OnceLock<Result<FoundProgram, ToolError>>,
}

impl Toolbox {
    /// Creates the programs of a process: those that the operator file names, and others on a search path, if it has one.
    #[must_use]
    pub fn new(settings: OperatorTools, search_path: Option<OsString>, host: RunHost) -> Self {
        Self {
            settings,
            search_path,
            host,
            charts: ChartAccess::default(),
            helm: OnceLock::new(),
            kubectl: OnceLock::new(),
            kustomize: OnceLock::new(),
        }
    }

    /// Sets the repositories of charts that may be used; by default none.
    #[must_use]
    pub fn with_charts(self, charts: ChartAccess) -> Self {
        Self { charts, ..self }
    }

    /// Returns the archive of a chart, from the cache or from its repository.
    ///
    /// # Errors
    /// The repository is not allowed, the chart cannot be downloaded, or its digest is another one.
    pub fn chart(&self, chart: &PinnedChart) -> Result<Vec<u8>, ChartError> {
        self.with_fetcher(|fetcher| fetcher.fetch(chart))
    }

    /// Returns the error for a chart without a digest. Where people work, it shows the digest to write.
    pub fn missing_digest(&self, chart: &ChartId) -> ChartError {
        self.with_fetcher(|fetcher| fetcher.missing_digest(chart))
    }

    /// Fetches the index of a repository of charts, to show that it can be reached. Registries have none.
    ///
    /// # Errors
    /// The repository cannot be reached, or refuses the credentials.
    pub fn try_repository(&self, repository: &ChartRepository) -> Result<(), ChartError> {
        self.with_fetcher(|fetcher| fetcher.try_index(repository))
    }

    fn with_fetcher<T>(&self, work: impl FnOnce(&ChartFetcher<'_>) -> T) -> T {
        let find_helm = || self.find(Tool::Helm);
        work(&ChartFetcher { access: &self.charts, find_helm: &find_helm, host: &self.host })
    }

    /// Returns the surroundings of runs.
    pub const fn host(&self) -> &RunHost {
        &self.host
    }

    /// Reports whether Kustomize may run Helm.
    pub const fn allows_kustomize_charts(&self) -> bool {
        self.settings.kustomize_helm_charts
    }

    /// Returns the full path of a program, whose version is not known yet.
    ///
    /// # Errors
    /// The program is missing, or is not one that can be started.
    pub fn locate(&self, tool: Tool) -> Result<PathBuf, ToolError> {
        locate_program(tool, self.settings_of(tool), self.search_path.as_deref())
    }

    /// Runs a program, and asks it for its version at the same time, which takes as long as a small chart. Without a supported
    /// version, the output is not returned.
    ///
    /// # Errors
    /// As [`Self::find`]; the result of the run itself is within.
    pub fn run(
        &self,
        tool: Tool,
        run: &ProgramRun,
    ) -> Result<Result<ProgramOutput, ProgramError>, &ToolError> {
        let output = thread::scope(|scope| {
            // If no thread can be started, or one fails, the version is asked for afterwards.
            let _ = thread::Builder::new().spawn_scoped(scope, || self.find(tool).is_ok());
            run.run(&self.host)
        });
        self.find(tool).map(|_| output)
    }

    const fn settings_of(&self, tool: Tool) -> Option<&ToolSettings> {
        match tool {
            Tool::Helm => self.settings.helm.as_ref(),
            Tool::Kubectl => self.settings.kubectl.as_ref(),
            Tool::Kustomize => self.settings.kustomize.as_ref(),
        }
    }

    /// Finds a program.
    ///
    /// # Errors
    /// The program is missing, or its version is not supported or not allowed.
    pub fn find(&self, tool: Tool) -> Result<&FoundProgram, &ToolError> {
        let found = match tool {
            Tool::Helm => &self.helm,
            Tool::Kubectl => &self.kubectl,
            Tool::Kustomize => &self.kustomize,
        };
        let (settings, search_path) = (self.settings_of(tool), self.search_path.as_deref());
        let find = || find_program(tool, settings, search_path, &self.host);
        found.get_or_init(find).as_ref()
    }
}
