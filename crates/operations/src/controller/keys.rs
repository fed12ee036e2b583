//! The keys of the controller: Secrets with its label.
//!
//! RBAC cannot grant `tls.crt` without `tls.key`. What is read is erased, and only the certificate is looked at, unless the caller
//! asks for the private keys, which are parsed and erased with the keys.

use base64::Engine as _;
use serde_json::Value as Json;
use zeroize::Zeroizing;

use sealwave_core::diagnostic::printable;
use sealwave_core::encoding::GO_BASE64;
use sealwave_core::text::ellipsize;
use sealwave_providers::{ApiObject, ApiResource, ClusterClient, ClusterError};
use sealwave_secrets::crypto::{CONTROLLER_KEY_LABEL, Certificate, UnsealKey, certificate_of_key_secret};
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

/// The longest name in Kubernetes.
const MAX_NAME: usize = 253;

/// The largest `tls.key`; that of the largest supported key has 7 KiB.
const MAX_PRIVATE_KEY: usize = 64 << 10;

/// A key of the controller with its private keys.
pub struct PrivateControllerKey {
    /// The key.
    pub key: ControllerKey,
    /// The private keys of its Secret, or why they are unknown.
    pub private: Result<Vec<UnsealKey>, String>,
}

/// Lists all keys of the controller in a namespace; the newest comes first, by the start of validity.
///
/// # Errors
/// The Secrets cannot be listed. Keys that cannot be read are in the list.
pub fn list_keys(client: &ClusterClient, namespace: &str) -> Result<Vec<ControllerKey>, ClusterError> {
    let mut keys = read_keys(client, namespace, |key, _| key)?;
    sort(&mut keys, |key| key);
    Ok(keys)
}

/// Lists all keys with their private keys, in the same order. These open everything that was ever sealed for the controller, so the
/// user must have consented.
///
/// # Errors
/// The Secrets cannot be listed. Keys that cannot be read are in the list.
pub fn list_private_keys(
    client: &ClusterClient,
    namespace: &str,
) -> Result<Vec<PrivateControllerKey>, ClusterError> {
    let mut keys = read_keys(client, namespace, |key, secret| {
        let unknown = || key.certificate.as_ref().err().cloned().unwrap_or_default();
        let private = secret.map_or_else(|| Err(unknown()), private_keys);
        PrivateControllerKey { key, private }
    })?;
    sort(&mut keys, |key| &key.key);
    Ok(keys)
}

/// Returns the key that the controller seals with: the newest active one.
#[must_use]
pub fn newest_key<'k>(keys: impl IntoIterator<Item = &'k ControllerKey>) -> Option<&'k ControllerKey> {
    keys.into_iter().find(|key| key.state == KeyState::Active && key.certificate.is_ok())
}

fn sort<T>(keys: &mut [T], key: impl Fn(&T) -> &ControllerKey) {
    keys.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        let start = |key: &ControllerKey| key.certificate.as_ref().ok().map(Certificate::not_before);
        start(b).cmp(&start(a)).then_with(|| a.name.cmp(&b.name))
    });
}

/// Reads the key Secrets, and passes each with its text on, which is erased then.
fn read_keys<T>(
    client: &ClusterClient,
    namespace: &str,
    take: impl Fn(ControllerKey, Option<&[u8]>) -> T,
) -> Result<Vec<T>, ClusterError> {
    let secrets = ApiObject::all_in(ApiResource::SECRETS, namespace);
    let listed = client.list_metadata(&secrets, CONTROLLER_KEY_LABEL)?;
    let mut keys = Vec::new();
    for secret in &listed {
        // A server that ignores the selector would have every Secret of the namespace read.
        let Some(label) = label(secret) else { continue };
        let text = |path: &str| secret.pointer(path).and_then(Json::as_str);
        let name = text("/metadata/name").unwrap_or_default();
        let state = if label == "active" { KeyState::Active } else { KeyState::Retired(shown(label)) };
        let created = text("/metadata/creationTimestamp").map(shown);
        let name_shown = shown(name);
        match client.secret(namespace, name) {
            Ok(secret) => {
                let certificate = certificate(&secret);
                keys.push(take(
                    ControllerKey { name: name_shown, state, created, certificate },
                    Some(&secret),
                ));
            }
            Err(error) if error.is_about_object() => {
                let certificate = Err(error.failure().to_string());
                keys.push(take(ControllerKey { name: name_shown, state, created, certificate }, None));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(keys)
}

fn certificate(secret: &[u8]) -> Result<Certificate, String> {
    let pem = item(secret, "tls.crt").ok_or_else(|| "it has no `tls.crt`".to_owned())?;
    certificate_of_key_secret(&pem).map_err(|error| error.to_string())
}

fn private_keys(secret: &[u8]) -> Result<Vec<UnsealKey>, String> {
    let text = item(secret, "tls.key").ok_or_else(|| "it has no `tls.key`".to_owned())?;
    if text.len() > MAX_PRIVATE_KEY {
        return Err(format!("its `tls.key` is larger than {} KiB", MAX_PRIVATE_KEY >> 10));
    }
    let pem = GO_BASE64.decode(text.as_bytes()).map(Zeroizing::new);
    let pem = pem.map_err(|_| "its `tls.key` is not base64".to_owned())?;
    UnsealKey::all_from_pem(&pem).map_err(|error| format!("its `tls.key` cannot be used: {error}"))
}

/// Returns a text of the cluster for messages. It can be of any length.
fn shown(text: &str) -> String {
    ellipsize(printable(text), MAX_NAME)
}

/// Returns the value of the label that makes a Secret a key of the controller.
fn label(secret: &Json) -> Option<&str> {
    secret.pointer("/metadata/labels")?.get(CONTROLLER_KEY_LABEL)?.as_str()
}

/// Returns the text of an item, without reading any other.
fn item(secret: &[u8], key: &str) -> Option<Zeroizing<String>> {
    let root = json_text::parse(std::str::from_utf8(secret).ok()?).ok()?;
    let data = json_text::member(root, "data").ok()??;
    json_text::text(json_text::member(data, key).ok()??).ok()?
}
