//! The pinned certificates, compared with those in use, where the command line names a context or an address for a cluster.

use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

use super::clusters::certificate_setting;
use super::findings::CheckResults;
use crate::cli::CheckOperatorArgs;
use crate::commands::cert::controller_names;
use crate::config::{self, OperatorFile, VariableReader};
use sealwave_core::diagnostic::{Explain, Failure, Problem, Severity};
use sealwave_core::text::closest_name;
use sealwave_operations::certificates::{CertificateSource, PinFinding, UnprotectedFetch, compare};
use sealwave_providers::ClusterAccess;

/// The time for one cluster.
const PATIENCE: Duration = Duration::from_secs(30);

/// A value of `--live` that cannot be used.
#[derive(Debug, thiserror::Error)]
enum LiveArgumentError {
    #[error("`{0}` of `--live` does not name a cluster and a context or an address")]
    Form(String),
    #[error("cluster `{name}` of `--live` is not in the operator file")]
    Unknown { name: String, similar: Option<String> },
    #[error("cluster `{0}` is given twice with `--live`")]
    Twice(String),
}

impl Explain for LiveArgumentError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Form(_) => Some(
                "write `CLUSTER=CONTEXT` with a context of the kubeconfig, or `CLUSTER=https://…`".to_owned(),
            ),
            Self::Unknown { similar, .. } => similar.as_ref().map(|name| format!("did you mean `{name}`?")),
            Self::Twice(_) => Some("give it once".to_owned()),
        }
    }
}

/// A cluster of the operator file, and where its certificate in use is.
pub(super) struct LiveCluster {
    name: String,
    source: CertificateSource,
}

/// Reads the values of `--live`.
///
/// # Errors
/// A value is malformed, or names another cluster than those of the operator file.
pub(super) fn parse(
    args: &CheckOperatorArgs,
    file: &OperatorFile,
    variables: VariableReader,
) -> Result<Vec<LiveCluster>, Failure> {
    let mut seen = BTreeSet::new();
    let live = args.live.iter().map(|text| {
        let (name, place) = text
            .split_once('=')
            .filter(|(name, place)| !name.is_empty() && !place.is_empty())
            .ok_or_else(|| Problem::new(&LiveArgumentError::Form(text.clone())))?;
        let clusters = &file.operator().clusters;
        if !clusters.contains_key(name) {
            let similar = closest_name(name, clusters.keys().map(String::as_str)).map(str::to_owned);
            return Err(Problem::new(&LiveArgumentError::Unknown { name: name.to_owned(), similar }).into());
        }
        if !seen.insert(name) {
            return Err(Problem::new(&LiveArgumentError::Twice(name.to_owned())).into());
        }
        let source = match CertificateSource::parse(place) {
            url @ CertificateSource::Url(_) => url,
            CertificateSource::File(_) | CertificateSource::Controller(..) => {
                let access = ClusterAccess {
                    kubeconfigs: config::kubeconfigs(args.kubeconfig.as_deref(), variables),
                    context: Some(place.to_owned()),
                };
                CertificateSource::Controller(access, controller_names(&args.controller))
            }
        };
        Ok(LiveCluster { name: name.to_owned(), source })
    });
    live.collect()
}

/// Compares the certificates.
pub(super) fn check(results: &mut CheckResults, file: &OperatorFile, live: &[LiveCluster], now: SystemTime) {
    for LiveCluster { name, source } in live {
        // That it cannot be read is reported already.
        let Ok(pinned) = file.any_certificate(name) else { continue };
        let setting = certificate_setting(name);
        let deadline = Instant::now() + PATIENCE;
        let fetched = match source.fetch(deadline) {
            Ok(fetched) => fetched,
            Err(error) => {
                results.find(file, &setting, Severity::Error, &error);
                continue;
            }
        };
        if fetched.is_unprotected {
            results.find(file, &setting, Severity::Warning, &UnprotectedFetch);
        }
        let findings = compare(&pinned, &fetched.certificate, now);
        for finding in findings.iter().filter(|finding| !finding.is_about_pinned_dates()) {
            results.find(file, &setting, severity(finding), finding);
        }
        if !findings.iter().any(PinFinding::is_problem) {
            results.healthy(format!(
                "cluster `{name}`: the certificate is for the key that its controller seals with"
            ));
        }
    }
}

const fn severity(finding: &PinFinding) -> Severity {
    match finding {
        PinFinding::Reissued => Severity::Note,
        // The controller keeps its older keys.
        PinFinding::OtherKey { live_is_newer: true } | PinFinding::ExpiresSoon { .. } => Severity::Warning,
        PinFinding::OtherKey { live_is_newer: false } | PinFinding::Expired { .. } => Severity::Error,
    }
}
