//! Common steps of `generate`, `refs` and `render` before the pipeline runs.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::CommandOutput;
use crate::cli::AppArgs;
use crate::config::{
    self, AppIdentity, ArgoCdContext, Caller, ConfigError, OperatorFile, OperatorPath, VariableReader,
};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Failure, Note, Problem, ProblemPlace};
use sealwave_core::document::{SourceTexts, Sources};
use sealwave_pipeline::{
    self, CollectedRender, Discovery, ManifestFormat, PipedManifests, RenderContext, RunPlan, SealMode,
    SealedApp, StageFailure, StageInput, ValueSource,
};
use sealwave_programs::Toolbox;
use sealwave_secrets::crypto::ChecksumKey;
use sealwave_secrets::policy::PolicySubject;

/// An app with its identity.
pub(super) struct AppSession {
    pub(super) discovery: Discovery,
    pub(super) identity: AppIdentity,
    pub(super) operator: Option<OperatorFile>,
    pub(super) caller: Caller,
    /// The path of the operator file, and its origin.
    pub(super) operator_path: Option<OperatorPath>,
    /// The programs that render sources.
    pub(super) toolbox: Arc<Toolbox>,
}

/// The programs of a run with several apps: they are searched for once.
#[derive(Default)]
pub(super) struct SharedToolbox(OnceLock<Arc<Toolbox>>);

/// One environment of an app.
pub(super) struct EnvironmentSession<'a> {
    app: &'a AppSession,
    pub(super) name: &'a str,
}

/// Gives access to the app of the environment.
impl Deref for EnvironmentSession<'_> {
    type Target = AppSession;

    fn deref(&self) -> &AppSession {
        self.app
    }
}

impl AppSession {
    /// Finds the app, its identity, the operator file, if any, and the environment of the run.
    pub(super) fn open(
        app: &AppArgs,
        environment: Option<String>,
        variables: VariableReader,
    ) -> Result<(Self, String), Failure> {
        let session =
            Self::without_environment(app, environment.as_deref(), variables, &SharedToolbox::default())?;
        let environment = select_environment(&session.discovery, environment, session.caller.argocd())?;
        session.discovery.environment(&environment)?;
        Ok((session, environment))
    }

    /// Like [`Self::open`], but returns all environments, or the one given by a flag or parameter.
    pub(super) fn open_all(
        app: &AppArgs,
        environment: Option<String>,
        variables: VariableReader,
        toolbox: &SharedToolbox,
    ) -> Result<(Self, Vec<String>), Failure> {
        let session = Self::without_environment(app, environment.as_deref(), variables, toolbox)?;
        let discovery = &session.discovery;
        let named = named(environment, session.caller.argocd())?;
        let environments =
            named.map_or_else(|| discovery.environments().map(str::to_owned).collect(), |name| vec![name]);
        for environment in &environments {
            discovery.environment(environment)?;
        }
        Ok((session, environments))
    }

    fn without_environment(
        app: &AppArgs,
        environment: Option<&str>,
        variables: VariableReader,
        toolbox: &SharedToolbox,
    ) -> Result<Self, Failure> {
        let dir = super::directory(app.directory());
        let caller = Caller::detect(variables).map_err(|error| Problem::new(&error))?;
        check_pipe(app, &caller).map_err(|error| Problem::new(&error))?;
        let identity =
            AppIdentity::decide(&caller, &app.identity, &dir).map_err(|error| Problem::new(&error))?;
        let operator_path = config::operator_path(app.operator.clone(), variables);
        let operator = operator_path.as_ref().map(OperatorFile::read).transpose()?;
        let hosts = &app.charts.allowed_hosts;
        if caller.argocd().is_some() && !hosts.is_empty() {
            return Err(Problem::new(&ConfigError::FlagInSidecar("--allow-host")).into());
        }
        let discovery = if app.reads_stdin() {
            let read = || PipedManifests::read(std::io::stdin().lock());
            sealwave_pipeline::discover_for_pipe(&dir, environment, app.app_file.is_some(), read)?
        } else {
            discover(&dir, caller.argocd())?
        };
        let find = || Arc::new(config::toolbox(&caller, operator.as_ref(), hosts, variables));
        let toolbox = Arc::clone(toolbox.0.get_or_init(find));
        Ok(Self { discovery, identity, operator, caller, operator_path, toolbox })
    }

    /// Returns the session for one of the app's environments.
    pub(super) const fn environment<'a>(&'a self, name: &'a str) -> EnvironmentSession<'a> {
        EnvironmentSession { app: self, name }
    }

    /// Returns the names of the operator's providers if there is an operator file.
    pub(super) fn known_providers(&self) -> Option<BTreeSet<String>> {
        Some(self.operator.as_ref()?.operator().providers.keys().cloned().collect())
    }
}

impl<'a> EnvironmentSession<'a> {
    /// Returns the subject for the operator's policy.
    pub(super) fn subject(&self) -> PolicySubject {
        self.identity.subject(self.name)
    }

    /// Returns the environment's cluster; defaults to the environment's name.
    pub(super) fn cluster(&self) -> Result<String, Failure> {
        let environment = self.discovery.environment(self.name)?;
        Ok(environment.cluster.clone().unwrap_or_else(|| self.name.to_owned()))
    }

    /// Returns the provider for `<path:…>`.
    pub(super) fn default_provider(&self) -> Result<Option<&'a str>, Failure> {
        let environment = self.app.discovery.environment(self.name)?;
        Ok(environment.provider.as_deref().or(self.app.discovery.app().provider.as_deref()))
    }

    /// Runs all stages without fetching a value, and returns the output with values redacted.
    pub(super) fn preview(
        &self,
        format: ManifestFormat,
        mut notes: Vec<Note>,
        watch: &RunWatch,
    ) -> Result<CommandOutput, Failure> {
        let known = self.known_providers();
        let plan = RunPlan {
            context: self.context()?,
            source: ValueSource::Withhold {
                known: known.as_ref(),
                default_provider: self.default_provider()?,
            },
            backends: self.discovery.backends(self.name)?,
            kept_checksums: None,
            sealing: SealMode::Redacted,
            checksums: ChecksumKey::preview(),
            today: None,
            toolbox: &self.toolbox,
        };
        let sealed = self.seal(&plan, &mut notes, watch)?;
        emit(sealed, format, notes)
    }

    /// Renders the environment without values; `None` if it has no objects to render. Also returns the sources of the objects.
    pub(super) fn collected(&self) -> Result<Option<(CollectedRender, Sources)>, Failure> {
        let context = self.context()?;
        let input = StageInput {
            discovery: &self.discovery,
            context: &context,
            toolbox: &self.toolbox,
            compares: false,
        };
        let (mut sources, mut texts) = (Sources::default(), SourceTexts::default());
        let place = |_: &[&str]| ProblemPlace::Unknown;
        let default_provider = self.default_provider()?;
        let stages = sealwave_pipeline::collect(input, default_provider, &mut sources, &mut texts, &place);
        if let Err(StageFailure { failure, .. }) = stages.result {
            return Err(failure.located(&sources));
        }
        Ok(stages.rendered.map(|rendered| (rendered, sources)))
    }

    /// Runs all stages.
    pub(super) fn seal(
        &self,
        plan: &RunPlan<'_>,
        notes: &mut Vec<Note>,
        watch: &RunWatch,
    ) -> Result<SealedApp, Failure> {
        let progress = |stage| watch.enter_stage(stage);
        sealwave_pipeline::run(&self.discovery, plan, notes, &progress)
    }

    /// Returns the data that templates may use.
    pub(super) fn context(&self) -> Result<RenderContext, Failure> {
        Ok(RenderContext {
            environment: self.name.to_owned(),
            app: self.identity.app.clone(),
            namespace: self.identity.namespace.clone(),
            cluster: self.cluster()?,
            revision: self.identity.revision.clone(),
            capabilities: self.caller.argocd().map(|argocd| argocd.capabilities.clone()).unwrap_or_default(),
        })
    }
}

/// Checks that the app can come from standard input.
///
/// In the sidecar, it cannot: a program before the pipe would run unconfined beside the operator's keys, where a chart can
/// read them through a link, and part of its output would pass for all of it.
fn check_pipe(app: &AppArgs, caller: &Caller) -> Result<(), ConfigError> {
    match app.reads_stdin() {
        true if caller.argocd().is_some() => Err(ConfigError::PipeInSidecar),
        false if app.app_file.is_some() => Err(ConfigError::AppFileWithoutPipe),
        _ => Ok(()),
    }
}

fn discover(dir: &Path, argocd: Option<&ArgoCdContext>) -> Result<Discovery, Failure> {
    sealwave_pipeline::discover(dir, argocd.map(|argocd| &argocd.checkout))
}

fn select_environment(
    discovery: &Discovery,
    flag: Option<String>,
    argocd: Option<&ArgoCdContext>,
) -> Result<String, Failure> {
    if let Some(environment) = named(flag, argocd)? {
        return Ok(environment);
    }
    let names: Vec<String> = discovery.environments().map(str::to_owned).collect();
    match &names[..] {
        [] => Err(discovery.no_environments()),
        [only] => Ok(only.clone()),
        _ => Err(Problem::new(&ConfigError::AmbiguousEnvironment(config::name_list(&names))).into()),
    }
}

/// Returns the environment given by a flag or Argo CD's parameter.
fn named(flag: Option<String>, argocd: Option<&ArgoCdContext>) -> Result<Option<String>, Failure> {
    match (flag, argocd) {
        (Some(environment), _) => Ok(Some(environment)),
        (None, None) => Ok(None),
        (None, Some(argocd)) => {
            let parameter = argocd.environment().map_err(|error| Problem::new(&error))?;
            Ok(parameter.map(str::to_owned))
        }
    }
}

/// Returns the output of a sealed app.
pub(super) fn emit(
    sealed: SealedApp,
    format: ManifestFormat,
    notes: Vec<Note>,
) -> Result<CommandOutput, Failure> {
    let stdout = sealwave_pipeline::emit(&sealed, format)?;
    // The process ends soon, and dropping a large tree takes longer. It contains no secrets.
    std::mem::forget(sealed);
    Ok(CommandOutput { stdout, notes, ..CommandOutput::default() })
}
