//! The arguments of an app: its directory or standard input, its identity, and the operator file.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use sealwave_secrets::settings::RepositoryHost;

/// The argument that stands for standard input; a directory of this name is `./-`.
const STDIN_ARGUMENT: &str = "-";

pub(super) const OPERATOR_HELP: &str = "Operator file [env: SEALWAVE_OPERATOR]";

/// The app's directory.
#[derive(Clone, Debug, Args)]
pub struct DirArgs {
    /// Directory of the app, which contains sealwave.yaml
    #[arg(default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
}

/// The identity of the app, as Argo CD would set it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "App identity (set by Argo CD in the sidecar)")]
pub struct IdentityArgs {
    /// Argo CD project that the policy is applied to
    #[arg(long, value_name = "NAME")]
    pub project: Option<String>,
    /// App name [default: name of the directory]
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// Destination namespace, for objects without one
    #[arg(long, short = 'n', value_name = "NAME")]
    pub namespace: Option<String>,
    /// Repository URL, for policy rules with repositories
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub repository: Option<String>,
}

/// The app and its identity.
#[derive(Clone, Debug, Args)]
pub struct AppArgs {
    /// The app's directory.
    #[command(flatten)]
    pub dir: DirArgs,
    /// App file for the manifests of -
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(
        help = "App file with the settings for the manifests of - [default: sealwave.yaml in the working directory, if there is one]"
    )]
    pub app_file: Option<PathBuf>,
    /// Operator file
    #[arg(long, help = OPERATOR_HELP, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub operator: Option<PathBuf>,
    /// Hosts of repositories of charts.
    #[command(flatten)]
    pub charts: ChartArgs,
    /// The identity of the app.
    #[command(flatten)]
    pub identity: IdentityArgs,
}

impl AppArgs {
    /// Reports whether the manifests come from standard input.
    #[must_use]
    pub fn reads_stdin(&self) -> bool {
        self.dir.dir.as_os_str() == STDIN_ARGUMENT
    }

    /// Returns the directory of the app as given by the user; for manifests from standard input, that of their settings.
    #[must_use]
    pub fn directory(&self) -> &Path {
        match &self.app_file {
            _ if !self.reads_stdin() => &self.dir.dir,
            Some(file) => file,
            None => Path::new("."),
        }
    }
}

/// Repositories of charts that may be used besides those of the operator file.
#[derive(Clone, Debug, Default, Args)]
pub struct ChartArgs {
    /// Hosts that need no credentials.
    #[arg(
        long = "allow-host",
        help = "Host from which charts may be downloaded, without credentials: HOST or HOST:PORT; repeatable; not available in Argo CD",
        value_name = "HOST",
        value_hint = ValueHint::Hostname,
        value_parser = repository_host
    )]
    pub allowed_hosts: Vec<RepositoryHost>,
}

fn repository_host(text: &str) -> Result<RepositoryHost, &'static str> {
    RepositoryHost::parse(text).ok_or("write the host only, for example charts.example.com or localhost:5000")
}
