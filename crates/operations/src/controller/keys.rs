//! The keys of the controller: Secrets with its label.
//!
//! RBAC cannot grant `tls.crt` without `tls.key`. What is read is erased, and only the certificate is looked at.

use serde_json::Value as Json;
use zeroize::Zeroizing;

use sealwave_core::diagnostic::printable;
use sealwave_providers::{ApiObject, ApiResource, ClusterClient, ClusterError};
use sealwave_secrets::crypto::{CONTROLLER_KEY_LABEL, Certificate, certificate_of_key_secret};
use sealwave_secrets::values::json_text;

/// A key of the controller.
#[derive(Debug)]
pub struct ControllerKey {
    /// The name of its Secret.
    pub name: String,
    /// Whether the controller uses it.
    pub state: KeyState,
    /// The time at which the Secret was created (RFC 3339).
    pub created: Option<String>,
    /// Its certificate, or why it is unknown.
    pub certificate: Result<Certificate, String>,
}

/// Whether the controller uses a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It decrypts with it, and seals with it if it is the newest.
    Active,
    /// It ignores the key: the label has another value.
    Retired(String),
}

/// Lists all keys of the controller in a namespace; the newest comes first, by the start of validity.
///
/// # Errors
/// The Secrets cannot be listed. Keys that cannot be read are in the list.
pub fn list_keys(client: &ClusterClient, namespace: &str) -> Result<Vec<ControllerKey>, ClusterError> {
    let secrets = ApiObject::all_in(ApiResource::SECRETS, namespace);
    let listed = client.list_metadata(&secrets, CONTROLLER_KEY_LABEL)?;
    // A server that ignores the selector would have every Secret of the namespace read.
    let labelled = listed.iter().filter(|secret| label(secret).is_some());
    let mut keys =
        labelled.map(|secret| read_key(client, namespace, secret)).collect::<Result<Vec<_>, _>>()?;
    keys.sort_by(|a, b| {
        let start = |key: &ControllerKey| key.certificate.as_ref().ok().map(Certificate::not_before);
        start(b).cmp(&start(a)).then_with(|| a.name.cmp(&b.name))
    });
    Ok(keys)
}

fn read_key(client: &ClusterClient, namespace: &str, secret: &Json) -> Result<ControllerKey, ClusterError> {
    let text = |path: &str| secret.pointer(path).and_then(Json::as_str);
    let name = text("/metadata/name").unwrap_or_default();
    let label = label(secret).unwrap_or_default();
    let state = if label == "active" { KeyState::Active } else { KeyState::Retired(printable(label)) };
    let certificate = match client.secret(namespace, name) {
        Ok(secret) => {
            let pem = tls_crt(&secret).ok_or_else(|| "it has no `tls.crt`".to_owned());
            pem.and_then(|pem| certificate_of_key_secret(&pem).map_err(|error| error.to_string()))
        }
        Err(error) if error.is_about_object() => Err(error.failure().to_string()),
        Err(error) => return Err(error),
    };
    let created = text("/metadata/creationTimestamp").map(printable);
    Ok(ControllerKey { name: printable(name), state, created, certificate })
}

/// Returns the value of the label that makes a Secret a key of the controller.
fn label(secret: &Json) -> Option<&str> {
    secret.pointer("/metadata/labels")?.get(CONTROLLER_KEY_LABEL)?.as_str()
}

/// Returns the text of `tls.crt`, without reading `tls.key`.
fn tls_crt(secret: &[u8]) -> Option<Zeroizing<String>> {
    let root = json_text::parse(std::str::from_utf8(secret).ok()?).ok()?;
    let data = json_text::member(root, "data").ok()??;
    json_text::text(json_text::member(data, "tls.crt").ok()??).ok()?
}
