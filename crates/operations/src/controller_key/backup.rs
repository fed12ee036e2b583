//! The backup of all key Secrets: a list that `kubectl apply` and `kubeseal --recovery-private-key` read.

use std::path::{Path, PathBuf};

use sealwave_providers::ClusterClient;
use sealwave_secrets::values::{SecretBuffer, SecretValue, json_text};

use super::error::KeyRotationError;
use crate::controller::ControllerKey;

/// Returns a list of the complete Secrets, as JSON.
pub(super) fn document(
    client: &ClusterClient,
    namespace: &str,
    keys: &[&ControllerKey],
) -> Result<SecretValue, KeyRotationError> {
    let mut out = SecretBuffer::with_capacity(64 << 10);
    out.push(b"{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[");
    for (index, key) in keys.iter().enumerate() {
        if index > 0 {
            out.push(b",");
        }
        let secret = client.secret(namespace, &key.name)?;
        add(&mut out, namespace, &key.name, &secret).ok_or_else(|| KeyRotationError::KeyUnreadable {
            name: key.name.clone(),
            reason: "the cluster's response is not a Secret".to_owned(),
        })?;
    }
    out.push(b"]}\n");
    Ok(out.into_value())
}

/// Returns a free path beside the first backup for that of the new key. One that an interrupted run left is not replaced.
pub(super) fn beside(first: &Path, attempt: u64) -> PathBuf {
    let name = first.file_name().unwrap_or_default().to_string_lossy();
    let (stem, end) = name.split_once('.').map_or((&*name, ""), |(stem, end)| (stem, end));
    let path = |suffix: &str| {
        let dot = if end.is_empty() { "" } else { "." };
        first.with_file_name(format!("{stem}-{suffix}{dot}{end}"))
    };
    let usual = path("new");
    if usual.symlink_metadata().is_err() { usual } else { path(&format!("new-{attempt}")) }
}

/// Adds what a controller needs of a Secret. Its data is copied as it is.
fn add(out: &mut SecretBuffer, namespace: &str, name: &str, secret: &[u8]) -> Option<()> {
    let root = json_text::parse(std::str::from_utf8(secret).ok()?).ok()?;
    let member = |name| json_text::member(root, name).ok().flatten();
    let labels = json_text::member(member("metadata")?, "labels").ok()??;
    let names = serde_json::json!({"name": name, "namespace": namespace}).to_string();
    let parts = [
        "\n{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":",
        names.trim_end_matches('}'),
        ",\"labels\":",
        labels.get(),
        "},\"type\":",
        member("type")?.get(),
        ",\"data\":",
        member("data")?.get(),
        "}",
    ];
    for part in parts {
        out.push(part.as_bytes());
    }
    Some(())
}
