//! Looks at the cluster after the change: all SealedSecrets, and the Applications.

use serde_json::Value as Json;

use sealwave_core::diagnostic::printable;
use sealwave_core::text::{counted, quoted_list};
use sealwave_providers::{ApiObject, ApiResource, ClusterClient, ClusterError};

use crate::verify::{ApplicationName, check_applications};

/// The most names in a line.
const MAX_NAMED: usize = 10;

/// The state of the cluster after a change.
#[derive(Debug, Default)]
pub(super) struct WatchResult {
    /// The conditions that are not met yet.
    pub(super) wrong: Vec<String>,
    /// The checks that were made, and those that could not be.
    pub(super) lines: Vec<String>,
}

/// Looks at all SealedSecrets but those that were wrong before, and at the Applications.
pub(super) fn look(
    client: &ClusterClient,
    before: &[String],
    applications: &[ApplicationName],
) -> Result<WatchResult, ClusterError> {
    let mut result = WatchResult::default();
    sealed_secrets(client, before, &mut result)?;
    let report = check_applications(client, applications)?;
    for check in &report.checks {
        let line = format!("{}: {}", check.object, check.detail);
        match check.verdict {
            crate::verify::CheckVerdict::Wrong => result.wrong.push(line),
            crate::verify::CheckVerdict::NotChecked | crate::verify::CheckVerdict::Right => {
                result.lines.push(line);
            }
        }
    }
    Ok(result)
}

/// Returns the SealedSecrets that are not unsealed, as `NAMESPACE/NAME`; none if they cannot be listed.
pub(super) fn not_unsealed(client: &ClusterClient) -> Result<Vec<String>, ClusterError> {
    let all = match client.list(&ApiObject::all(ApiResource::SEALED_SECRETS), "") {
        Err(error) if error.is_denied() || error.is_not_found() => return Ok(Vec::new()),
        all => all?,
    };
    Ok(all.iter().filter(|sealed| !is_unsealed(sealed)).map(name).collect())
}

fn sealed_secrets(
    client: &ClusterClient,
    before: &[String],
    result: &mut WatchResult,
) -> Result<(), ClusterError> {
    let all = match client.list(&ApiObject::all(ApiResource::SEALED_SECRETS), "") {
        Err(error) if error.is_denied() || error.is_not_found() => {
            result.lines.push(format!("SealedSecrets are not checked: {error}"));
            return Ok(());
        }
        all => all?,
    };
    let wrong: Vec<String> = all.iter().filter(|sealed| !is_unsealed(sealed)).map(name).collect();
    let (old, new): (Vec<String>, Vec<String>) = wrong.into_iter().partition(|name| before.contains(name));
    if new.is_empty() {
        let right = all.len() - old.len();
        result.lines.push(format!("unsealed at the present generation: {}", counted(right, "SealedSecret")));
    } else {
        let named = quoted_list(new.get(..MAX_NAMED).unwrap_or(&new));
        result.wrong.push(format!(
            "not unsealed: {} of {}: {named}",
            new.len(),
            counted(all.len(), "SealedSecret")
        ));
    }
    if !old.is_empty() {
        let named = quoted_list(old.get(..MAX_NAMED).unwrap_or(&old));
        result
            .lines
            .push(format!("not unsealed before either: {}: {named}", counted(old.len(), "SealedSecret")));
    }
    Ok(())
}

/// Reports whether the controller unsealed the present generation.
fn is_unsealed(sealed: &Json) -> bool {
    let conditions = sealed.pointer("/status/conditions").and_then(Json::as_array);
    let is_synced = conditions.into_iter().flatten().any(|condition| {
        condition.get("type").and_then(Json::as_str) == Some("Synced")
            && condition.get("status").and_then(Json::as_str) == Some("True")
    });
    is_synced && sealed.pointer("/status/observedGeneration") == sealed.pointer("/metadata/generation")
}

fn name(object: &Json) -> String {
    let text = |path: &str| object.pointer(path).and_then(Json::as_str).unwrap_or_default().to_owned();
    printable(format!("{}/{}", text("/metadata/namespace"), text("/metadata/name")))
}
