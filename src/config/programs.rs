//! The programs that a run may start to render sources, and the repositories of charts that they may use.

use std::path::PathBuf;

use sealwave_programs::{ChartAccess, DigestUse, RunHost, Toolbox};
use sealwave_secrets::settings::{OperatorCharts, RepositoryHost};

use super::{Caller, OperatorFile, VariableReader};

/// Returns the programs of a run: those of the operator file, and outside of the sidecar those on `PATH`.
///
/// In the sidecar, `PATH` is not used: the operator decides which programs see repositories. The same holds for repositories
/// of charts: `hosts` are those of a flag, which the sidecar does not have.
#[must_use]
pub fn toolbox(
    caller: &Caller,
    operator: Option<&OperatorFile>,
    hosts: &[RepositoryHost],
    variables: VariableReader,
) -> Toolbox {
    let settings = operator.map(OperatorFile::tools).unwrap_or_default();
    let search_path = match caller {
        Caller::ArgoCd(_) => None,
        Caller::Local => variables("PATH"),
    };
    let temporary = directory("TMPDIR", variables).unwrap_or_else(|| PathBuf::from("/tmp"));
    let OperatorCharts { cache_directory, repositories } =
        operator.map(OperatorFile::charts).unwrap_or_default();
    let (own_cache, digests) = match caller {
        Caller::ArgoCd(_) => (Some(temporary.join("sealwave-charts")), DigestUse::Required),
        Caller::Local => (user_cache(variables), DigestUse::Shown),
    };
    let cache = cache_directory.or(own_cache);
    let charts = ChartAccess { repositories, hosts: hosts.to_vec(), cache, digests };
    Toolbox::new(settings, search_path, RunHost { temporary, guard: None }).with_charts(charts)
}

/// Returns the user's directory for charts.
fn user_cache(variables: VariableReader) -> Option<PathBuf> {
    let home = || directory("HOME", variables).map(|home| home.join(".cache"));
    let caches = directory("XDG_CACHE_HOME", variables).or_else(home)?;
    // Relative ones could lead into a repository.
    caches.is_absolute().then(|| caches.join("sealwave/charts"))
}

fn directory(name: &str, variables: VariableReader) -> Option<PathBuf> {
    variables(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}
