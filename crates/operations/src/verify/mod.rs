//! Compares a cluster with what sealwave rendered: Secrets and their sources, checksums, rollouts, pods, the Application.
//!
//! Nothing is changed. Of Secrets, only metadata is requested, so no value leaves the API server. Texts of the cluster, such as
//! messages of conditions, are not shown: some controllers put values into them. What can be told from them is told in
//! sealwave's own words.

mod application;
mod expected;
mod identity;
mod live;
mod next_command;
mod pods;
mod report;
mod secret_sources;
mod secrets;
mod workloads;

use sealwave_core::text::counted;
use std::time::{Duration, Instant};

use sealwave_providers::{ClusterClient, ClusterError};

pub use application::ApplicationName;
pub use expected::{ExpectedError, ExpectedState, RenderedFrom};
pub use report::{CheckVerdict, VerificationCheck, VerificationReport};

use crate::progress::Progress;
use live::LiveReader;

/// The pause between two looks at the cluster.
const PAUSE: Duration = Duration::from_secs(2);

/// The scope of a verification.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// The Application that deploys the objects.
    pub application: Option<ApplicationName>,
    /// The namespace of objects without one.
    pub namespace: Option<String>,
    /// The time to wait until everything is right.
    pub wait: Duration,
}

/// Compares a cluster with what was rendered, until everything is right or the time is over.
///
/// # Errors
/// The cluster cannot be asked. What is not right is in the report.
pub fn verify(
    client: &ClusterClient,
    expected: &ExpectedState,
    options: &VerifyOptions,
    progress: &dyn Progress,
) -> Result<VerificationReport, ClusterError> {
    let end = Instant::now().checked_add(options.wait);
    loop {
        let report = verify_once(client, expected, options)?;
        let is_over = end.is_none_or(|end| Instant::now() >= end);
        if report.is_right() || is_over {
            return Ok(report);
        }
        progress.phase(&format!("waiting for {} to be right", counted(report.wrong().count(), "check")));
        if !client.pause(PAUSE) {
            return Ok(report);
        }
    }
}

/// Looks at Applications alone.
///
/// # Errors
/// The cluster cannot be asked. What is not right is in the report.
pub fn check_applications(
    client: &ClusterClient,
    applications: &[ApplicationName],
) -> Result<VerificationReport, ClusterError> {
    let reader = LiveReader { client, namespace: None };
    let mut report = VerificationReport::of(client);
    for application in applications {
        application::check(&reader, application, &mut report)?;
    }
    Ok(report)
}

fn verify_once(
    client: &ClusterClient,
    expected: &ExpectedState,
    options: &VerifyOptions,
) -> Result<VerificationReport, ClusterError> {
    let reader = LiveReader { client, namespace: options.namespace.as_deref() };
    let mut report = VerificationReport::of(client);
    secrets::check(&reader, expected, &mut report)?;
    workloads::check(&reader, expected, &mut report)?;
    if let Some(application) = &options.application {
        application::check(&reader, application, &mut report)?;
    }
    Ok(report)
}

#[cfg(all(test, feature = "k8s"))]
mod tests;
