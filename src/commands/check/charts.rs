//! The repositories of charts: the files with their credentials, and the cache. Without `--connect`, nothing is contacted and
//! no program is started.

use std::path::{Path, PathBuf};

use super::findings::CheckResults;
use crate::config::{self, Caller, OperatorFile, VariableReader};
use sealwave_core::bounded_file::read_regular_file;
use sealwave_core::diagnostic::{Explain, Severity, io_reason};
use sealwave_secrets::settings::{ChartRepository, OperatorCharts, RepositoryScheme, SettingPath};

/// The largest file with a credential or certificates.
const MAX_FILE: u64 = 1 << 20;

/// A finding about charts.
#[derive(Debug, thiserror::Error)]
enum ChartFinding {
    #[error("`{}` is not a directory", .0.display())]
    Cache(PathBuf),
    #[error("`{}` cannot be read: {reason}", .path.display())]
    Unreadable { path: PathBuf, reason: String },
}

impl Explain for ChartFinding {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Cache(_) => {
                "create it, writable for the user of sealwave, or remove `cacheDirectory`".to_owned()
            }
            Self::Unreadable { .. } => {
                "paths are relative to the operator file; the user that runs sealwave needs read permission"
                    .to_owned()
            }
        })
    }
}

pub(super) fn check(file: &OperatorFile, variables: VariableReader, connect: bool) -> CheckResults {
    let mut results = CheckResults::default();
    let OperatorCharts { cache_directory, repositories } = file.charts();
    let toolbox = connect.then(|| config::toolbox(&Caller::Local, Some(file), &[], variables));
    for (index, repository) in repositories.iter().enumerate() {
        let setting = SettingPath::of_keys(&["charts", "repositories"]).item(index);
        let has_errors = check_files(&mut results, file, &setting, repository);
        let subject = format!("repository of charts `{}`", repository.url);
        match &toolbox {
            _ if has_errors => {}
            Some(toolbox) if repository.url.scheme() != RepositoryScheme::Oci => {
                match toolbox.try_repository(repository) {
                    Ok(()) => results.healthy(format!("{subject}, index fetched")),
                    Err(error) => results.find(file, &setting.key("url"), Severity::Error, &error),
                }
            }
            _ => results.healthy(format!("{subject}, not contacted")),
        }
    }
    if let Some(cache) = cache_directory.filter(|cache| !cache.is_dir()) {
        let setting = SettingPath::of_keys(&["charts", "cacheDirectory"]);
        results.find(file, &setting, Severity::Error, &ChartFinding::Cache(cache));
    }
    results
}

/// Reports the files of a repository that cannot be read, and returns whether there are any.
fn check_files(
    results: &mut CheckResults,
    file: &OperatorFile,
    setting: &SettingPath,
    repository: &ChartRepository,
) -> bool {
    let ChartRepository { username_file, password_file, ca_file, .. } = repository;
    let named = [("usernameFile", username_file), ("passwordFile", password_file), ("caFile", ca_file)];
    let mut has_errors = false;
    for (field, path) in named.into_iter().filter_map(|(field, path)| Some((field, path.as_deref()?))) {
        if let Err(finding) = try_read(path) {
            results.find(file, &setting.clone().key(field), Severity::Error, &finding);
            has_errors = true;
        }
    }
    has_errors
}

fn try_read(path: &Path) -> Result<(), ChartFinding> {
    let unreadable = |reason| ChartFinding::Unreadable { path: path.to_owned(), reason };
    read_regular_file(path, MAX_FILE).map(|_| ()).map_err(|error| unreadable(io_reason(error.kind())))
}
