//! The download of a chart by Helm, in runs of its own: they reach the network, but see no repository of an app.
//!
//! Helm rather than an own client, because the process that holds keys then parses nothing that servers send, except for the
//! digest of a file. Credentials are in files of Helm's private directory; Helm sends them to the host of the repository only.
//! A run is limited to the port of the URL, not to its host: the digest decides about the content that other servers send.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fs_err as fs;
use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::io_reason;
use sealwave_secrets::settings::{ChartId, ChartRepository, RepositoryScheme, RepositoryUrl};
use serde_json::json;

use super::ChartError;
use super::credentials::Credentials;
use super::limits::{MAX_ARCHIVE, MAX_INDEX};
use crate::private_directory::PrivateDirectory;
use crate::{FoundProgram, NetworkAccess, ProgramError, ProgramRun, RunHost, RunLimits};

/// The name of the repository in Helm's configuration.
const NAME: &str = "repository";
/// Directories within the directory of a download.
const CACHE: &str = "cache";
const TARGET: &str = "data";

/// The files in its private directory that Helm reads.
const REPOSITORIES: &str = "config/helm/repositories.yaml";
const REGISTRIES: &str = "config/helm/registry.json";

/// The starts of lines around the reason why an index cannot be fetched.
const INDEX_NOISE: &[&str] = &[
    "Hang tight",
    "...Unable to get an update",
    "Error: Failed to update",
    "Error: failed to update",
    "Update Complete",
];

/// Downloads the archive of a chart.
///
/// # Errors
/// Helm fails or reaches a limit, or the result is not one file.
pub(super) fn archive(
    chart: &ChartId,
    settings: Option<&ChartRepository>,
    helm: &FoundProgram,
    host: &RunHost,
) -> Result<Vec<u8>, ChartError> {
    let source = ChartServer::new(&chart.repository, settings, helm)?;
    let directory = temporary(host)?;
    let failed = |reason| ChartError::Download { chart: Box::new(chart.clone()), reason };
    let name = match chart.repository.scheme() {
        RepositoryScheme::Oci => format!("{}/{}", chart.repository, chart.name),
        RepositoryScheme::Http | RepositoryScheme::Https => {
            source.fetch_index(directory.path(), host).map_err(failed)?;
            format!("{NAME}/{}", chart.name)
        }
    };
    let limits = RunLimits { file_size: MAX_ARCHIVE, ..RunLimits::default() };
    let run = source
        .run("pull", directory.path())
        .limits(limits)
        .args([format!("--version={}", chart.version)])
        .args([option("--destination=", &directory.path().join(TARGET))])
        .args(["--", &name]);
    run.run(host).map_err(failed)?;
    read_only_file(&directory.path().join(TARGET))
        .ok_or_else(|| ChartError::NotAnArchive(Box::new(chart.clone())))
}

/// Fetches the index of a repository, and nothing from a registry.
///
/// # Errors
/// Helm fails or reaches a limit.
pub(super) fn try_index(
    repository: &ChartRepository,
    helm: &FoundProgram,
    host: &RunHost,
) -> Result<(), ChartError> {
    let source = ChartServer::new(&repository.url, Some(repository), helm)?;
    if repository.url.scheme() == RepositoryScheme::Oci {
        return Ok(());
    }
    let directory = temporary(host)?;
    let fetched = source.fetch_index(directory.path(), host);
    fetched.map_err(|reason| ChartError::Index { repository: Box::new(repository.url.clone()), reason })
}

/// Returns a directory that is removed with all that a program leaves in it.
fn temporary(host: &RunHost) -> Result<PrivateDirectory, ChartError> {
    PrivateDirectory::new(&host.temporary).map_err(|error| ChartError::Temporary(io_reason(error.kind())))
}

/// A repository or registry, and how to ask it.
struct ChartServer<'a> {
    url: &'a RepositoryUrl,
    credentials: Option<Credentials>,
    /// A full path: Helm works in another directory.
    ca_file: Option<PathBuf>,
    helm: &'a FoundProgram,
}

impl<'a> ChartServer<'a> {
    fn new(
        url: &'a RepositoryUrl,
        settings: Option<&'a ChartRepository>,
        helm: &'a FoundProgram,
    ) -> Result<Self, ChartError> {
        let credentials = settings.map(Credentials::read).transpose()?.flatten();
        let ca_file = settings.and_then(|settings| settings.ca_file.as_deref()).map(fs::canonicalize);
        let ca_file = ca_file.transpose().map_err(|error| ChartError::Certificates {
            repository: url.clone(),
            reason: io_reason(error.kind()),
        })?;
        Ok(Self { url, credentials, ca_file, helm })
    }

    fn fetch_index(&self, directory: &Path, host: &RunHost) -> Result<(), ProgramError> {
        let limits = RunLimits { file_size: MAX_INDEX, ..RunLimits::default() };
        let run = self.run("repo", directory).limits(limits).errors_in_output().args(["update", NAME]);
        // Newer versions always fail.
        let fail: &[&str] = if self.helm.version.major < 4 { &["--fail-on-repo-update-fail"] } else { &[] };
        run.args(fail.iter().copied()).run(host).map(|_| ()).map_err(|mut error| {
            if let ProgramError::Failed { text, .. } = &mut error {
                text.retain(|line| !INDEX_NOISE.iter().any(|noise| line.starts_with(noise)));
            }
            error
        })
    }

    /// Returns a run of a command that may use the network and write the directory of the download.
    fn run(&self, command: &str, directory: &Path) -> ProgramRun {
        let mut run = ProgramRun::without_files(&self.helm.path)
            .args([command])
            .args([option("--repository-cache=", &directory.join(CACHE))])
            .network(NetworkAccess::Ports(vec![self.url.port()]))
            .temporary(directory);
        if let Some(file) = &self.ca_file {
            run = run.readable(file);
        }
        if let Some(Credentials { username, password }) = &self.credentials {
            run = run.hidden(username).hidden(password).hidden(&basic(username, password));
        }
        match self.url.scheme() {
            RepositoryScheme::Oci => self.with_registry(run),
            RepositoryScheme::Http | RepositoryScheme::Https => {
                run.private_file(REPOSITORIES, self.repositories().to_string().into_bytes())
            }
        }
    }

    fn with_registry(&self, mut run: ProgramRun) -> ProgramRun {
        if let Some(Credentials { username, password }) = &self.credentials {
            let host = self.url.host().to_string();
            let registries = json!({"auths": {host: {"auth": basic(username, password)}}});
            run = run.private_file(REGISTRIES, registries.to_string().into_bytes());
        }
        if let Some(file) = &self.ca_file {
            run = run.args([option("--ca-file=", file)]);
        }
        if self.url.is_plain() { run.args(["--plain-http"]) } else { run }
    }

    fn repositories(&self) -> serde_json::Value {
        let mut entry = json!({"name": NAME, "url": self.url.to_string()});
        if let Some(Credentials { username, password }) = &self.credentials {
            entry["username"] = username.as_str().into();
            entry["password"] = password.as_str().into();
        }
        if let Some(file) = &self.ca_file {
            entry["caFile"] = file.to_string_lossy().into();
        }
        json!({"apiVersion": "", "generated": "0001-01-01T00:00:00Z", "repositories": [entry]})
    }
}

fn basic(username: &str, password: &str) -> String {
    STANDARD.encode(format!("{username}:{password}"))
}

fn option(prefix: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(prefix);
    option.push(path);
    option
}

/// Returns the content of a regular file that is alone in its directory.
fn read_only_file(directory: &Path) -> Option<Vec<u8>> {
    let mut entries = fs::read_dir(directory).ok()?;
    let entry = entries.next()?.ok()?;
    let is_alone = entries.next().is_none();
    if !is_alone || !entry.file_type().ok()?.is_file() {
        return None;
    }
    let mut content = read_regular_file(&entry.path(), MAX_ARCHIVE).ok()?;
    Some(std::mem::take(&mut *content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_regular_file_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        assert_eq!(read_only_file(directory), None);
        fs::write(directory.join("a"), "chart").unwrap();
        assert_eq!(read_only_file(directory).as_deref(), Some(b"chart".as_slice()));
        fs::write(directory.join("b"), "").unwrap();
        assert_eq!(read_only_file(directory), None);
        fs::remove_file(directory.join("a")).unwrap();
        fs::remove_file(directory.join("b")).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", directory.join("a")).unwrap();
        assert_eq!(read_only_file(directory), None);
    }
}
