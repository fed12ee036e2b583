//! What `generate` and `render` decide alike before the pipeline runs.

use std::path::{Path, PathBuf};

use crate::cli::IdentityArgs;
use crate::config::{self, ArgoCd, ConfigError, Identity, OperatorFile, Variables};
use crate::diagnostic::{Failure, Problem};
use crate::pipeline::{self, Discovery, RenderContext};

/// An app, one of its environments, and who the app is.
pub(super) struct Session {
    pub(super) discovery: Discovery,
    pub(super) environment: String,
    pub(super) identity: Identity,
    pub(super) operator: Option<OperatorFile>,
}

/// Flags that both commands have.
pub(super) struct Flags {
    pub(super) dir: PathBuf,
    pub(super) environment: Option<String>,
    pub(super) operator: Option<PathBuf>,
    pub(super) identity: IdentityArgs,
}

impl Session {
    /// Finds the app, its environment, who it is, and the operator file if there is one.
    pub(super) fn open(flags: Flags, variables: Variables) -> Result<Self, Failure> {
        let dir = super::directory(&flags.dir);
        let argocd = ArgoCd::read(&variables).map_err(|error| Problem::new(&error))?;
        let identity =
            Identity::decide(argocd.as_ref(), &flags.identity, &dir).map_err(|error| Problem::new(&error))?;
        let operator = config::operator_path(flags.operator, variables)
            .map(|path| OperatorFile::read(&path))
            .transpose()?;
        let discovery = discover(&dir, argocd.as_ref())?;
        let environment = choose(&discovery, flags.environment, argocd.as_ref())?;
        discovery.environment(&environment)?;
        Ok(Self { discovery, environment, identity, operator })
    }

    /// The cluster that the environment names; by default one of the environment's own name.
    pub(super) fn cluster(&self) -> Result<String, Failure> {
        let environment = self.discovery.environment(&self.environment)?;
        Ok(environment.cluster.clone().unwrap_or_else(|| self.environment.clone()))
    }

    /// The provider that `<path:…>` means.
    pub(super) fn default_provider(&self) -> Result<Option<&str>, Failure> {
        let environment = self.discovery.environment(&self.environment)?;
        Ok(environment.provider.as_deref().or(self.discovery.app().provider.as_deref()))
    }

    /// What templates may know.
    pub(super) fn context(&self) -> Result<RenderContext, Failure> {
        Ok(RenderContext {
            environment: self.environment.clone(),
            app: self.identity.app.clone(),
            namespace: self.identity.namespace.clone(),
            cluster: self.cluster()?,
            revision: self.identity.revision.clone(),
        })
    }
}

fn discover(dir: &Path, argocd: Option<&ArgoCd>) -> Result<Discovery, Failure> {
    pipeline::discover(dir, argocd.and_then(|argocd| argocd.source_path.as_deref()))
}

fn choose(discovery: &Discovery, flag: Option<String>, argocd: Option<&ArgoCd>) -> Result<String, Failure> {
    if let Some(environment) = flag {
        return Ok(environment);
    }
    if let Some(argocd) = argocd
        && let Some(environment) = argocd.environment().map_err(|error| Problem::new(&error))?
    {
        return Ok(environment.to_owned());
    }
    let names: Vec<String> = discovery.environments().map(str::to_owned).collect();
    match &names[..] {
        [only] => Ok(only.clone()),
        _ => Err(Problem::new(&ConfigError::AmbiguousEnvironment(config::name_list(&names))).into()),
    }
}
