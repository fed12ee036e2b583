//! Checks the Application of Argo CD: synced, healthy, and at which revision.

use sealwave_core::text::shell_quoted;
use sealwave_providers::{ApiResource, ClusterError};
use serde_json::Value as Json;

use super::live::{LiveReader, text};
use super::next_command::kubectl;
use super::report::VerificationReport;

/// The name of an Application.
#[derive(Clone, Debug)]
pub struct ApplicationName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The commit that it must be synced to, or the start of it.
    pub revision: Option<String>,
}

pub(super) fn check(
    reader: &LiveReader<'_>,
    application: &ApplicationName,
    report: &mut VerificationReport,
) -> Result<(), ClusterError> {
    let ApplicationName { namespace, name, revision } = application;
    let mut checks = report.object(format!("Application {namespace}/{name}"));
    let argocd = |action: &str| format!("argocd app {action} {}", shell_quoted(name));
    let answer = reader.get(ApiResource::APPLICATIONS, namespace, name);
    let next = "set its namespace with `--argocd-namespace`: kubectl get applications -A";
    let Some(live) = checks.readable("exists", answer, "it does not exist", next)? else { return Ok(()) };
    let describe = kubectl(namespace, "describe application", name);
    let revisions = revisions(&live);
    match text(&live, "/status/sync/status") {
        "Synced" => checks.right("synced", format!("at {}", shown(&revisions))),
        "OutOfSync" => {
            checks.wrong("synced", "it is OutOfSync", argocd("diff"));
        }
        _ if has_error(&live) => {
            checks.wrong("synced", "its manifests cannot be generated or compared", describe.clone());
        }
        _ => checks.wrong("synced", "Argo CD has not compared it", describe.clone()),
    }
    if let Some(wanted) = revision {
        if revisions.iter().any(|found| !wanted.is_empty() && found.starts_with(wanted.as_str())) {
            checks.right("revision", "it is the wanted one");
        } else {
            checks.wrong("revision", "it is another one than wanted", argocd("get --refresh"));
        }
    }
    match text(&live, "/status/health/status") {
        "Healthy" => checks.right("healthy", "it is Healthy"),
        "Progressing" => checks.wrong("healthy", "it is Progressing", describe),
        "Degraded" => checks.wrong("healthy", "it is Degraded", describe),
        "Missing" => checks.wrong("healthy", "objects are missing", argocd("sync")),
        "Suspended" => checks.wrong("healthy", "it is Suspended", describe),
        _ => checks.wrong("healthy", "its health is unknown", describe),
    }
    Ok(())
}

fn revisions(live: &Json) -> Vec<String> {
    let several = live.pointer("/status/sync/revisions").and_then(Json::as_array);
    let several = several.into_iter().flatten().filter_map(Json::as_str);
    let one = Some(text(live, "/status/sync/revision")).filter(|one| !one.is_empty());
    several.chain(one).map(str::to_owned).collect()
}

/// Returns commits; anything else, such as the version of a chart, is not shown if it is long.
fn shown(revisions: &[String]) -> String {
    let short: Vec<&str> =
        revisions.iter().map(|text| text.get(..text.len().min(40)).unwrap_or_default()).collect();
    if short.is_empty() { "an unknown revision".to_owned() } else { short.join(", ") }
}

fn has_error(live: &Json) -> bool {
    let conditions = live.pointer("/status/conditions").and_then(Json::as_array);
    conditions.into_iter().flatten().any(|condition| text(condition, "/type").ends_with("Error"))
}
