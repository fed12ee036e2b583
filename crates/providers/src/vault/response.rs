//! Parses the server's responses. Errors never quote them.

use zeroize::Zeroizing;

use super::api::VaultResponse;
use super::path::{KvMount, SecretRequest};
use crate::{FetchResult, FetchedValue, ProviderError};
use sealwave_core::diagnostic::DUPLICATE_KEY;
use sealwave_core::time::Date;
use sealwave_secrets::values::json_text::{self, JsonTextError};
use sealwave_secrets::values::kv_path::KvVersion;
use sealwave_secrets::values::{KEY_HINT, KeyPath, SecretEntries, SecretValue, WalkError};

/// A secret: the JSON object of its fields.
pub(super) struct KvSecret {
    fields: Zeroizing<String>,
    /// The version number in version 2 of the engine.
    version: Option<String>,
    /// The day on which the version was created, in version 2 of the engine.
    changed: Option<Date>,
}

impl KvSecret {
    /// Reads the secret in a response.
    ///
    /// # Errors
    /// The response has no secret.
    pub(super) fn read(answer: &VaultResponse, request: &SecretRequest) -> Result<Self, ProviderError> {
        let path = request.path.as_str();
        match answer.status {
            200 => Self::parse(answer, request),
            404 if request.versioned
                && let Some(reason) = removed_version(answer) =>
            {
                Err(ProviderError::not_found(
                    reason,
                    "use another version, or restore it with `vault kv undelete`",
                ))
            }
            404 if has_error(answer, &["no handler for route", "unsupported path"]) => {
                Err(ProviderError::invalid(
                    format!("the server has no secrets engine at `{path}`"),
                    "correct the first part of the path, or `mounts` in the operator file",
                ))
            }
            404 => Err(ProviderError::not_found(
                format!("`{path}` does not exist"),
                "`vault kv list` shows the existing secrets",
            )),
            403 => Err(ProviderError::denied(
                format!("the token is not allowed to read `{path}`"),
                &format!("its policy needs: path \"{path}\" {{ capabilities = [\"read\"] }}"),
            )),
            status => Err(refused(status)),
        }
    }

    fn parse(answer: &VaultResponse, request: &SecretRequest) -> Result<Self, ProviderError> {
        let depth: &[&str] = if request.versioned { &["data", "data"] } else { &["data"] };
        let data = member(&answer.body, depth).map_err(malformed)?;
        let fields = data.filter(|data| data.starts_with('{')).ok_or_else(|| {
            ProviderError::invalid(
                "the server's response contains no secret",
                "check that `mounts` has the version of the mount's KV engine",
            )
        })?;
        let metadata = |field| {
            let found = request.versioned.then(|| member(&answer.body, &["data", "metadata", field]));
            found.transpose().map(Option::flatten).map_err(malformed)
        };
        let version = metadata("version")?.map(|number| number.as_str().to_owned());
        // A string in RFC 3339, with its quote.
        let changed = metadata("created_time")?.and_then(|time| time.get(1..11)?.parse().ok());
        Ok(Self { fields, version, changed })
    }

    /// Returns all fields, each with its value.
    pub(super) fn entries(&self) -> FetchResult {
        let entries = SecretEntries::from_json(&self.fields)?;
        Ok(FetchedValue::with_version(entries, self.version.as_deref()).changed_on(self.changed))
    }

    /// Returns one field, the value at a path within a field, or all fields.
    pub(super) fn value(&self, key: Option<&str>) -> FetchResult {
        let found = match key {
            None => json_text::text(json_text::parse(&self.fields).map_err(malformed)?).map_err(malformed)?,
            Some(key) => Some(self.lookup(&KeyPath::parse(key).map_err(ProviderError::bad_key)?)?),
        };
        let bytes = found.unwrap_or_default().as_bytes().to_vec();
        let value = FetchedValue::with_version(SecretValue::new(bytes), self.version.as_deref());
        Ok(value.changed_on(self.changed))
    }

    fn lookup(&self, path: &KeyPath) -> Result<Zeroizing<String>, ProviderError> {
        json_text::lookup(&self.fields, path).map_err(|error| match error {
            WalkError::Missing(step) => ProviderError::not_found(
                step.message("the secret"),
                &format!("`vault kv get` shows its keys; {KEY_HINT}"),
            ),
            WalkError::Structure(error) => malformed(error),
        })
    }
}

/// A secret as the server has it now.
pub(super) struct KvState {
    /// Its fields, a JSON object; `None` if it does not exist, or if its latest version was removed.
    pub(super) fields: Option<SecretValue>,
    /// The number of its latest version, 0 without one; `None` in version 1 of the engine.
    pub(super) version: Option<u64>,
    /// The fate of its latest version, as a sentence.
    pub(super) removed: Option<&'static str>,
}

/// Reads a secret that may not exist.
///
/// # Errors
/// The response has no secret, and does not say that it does not exist.
pub(super) fn read_state(answer: &VaultResponse, request: &SecretRequest) -> Result<KvState, ProviderError> {
    let numbered = |answer: &VaultResponse| {
        let number = member(&answer.body, &["data", "metadata", "version"]).ok().flatten();
        number.and_then(|number| number.parse().ok())
    };
    let removed = removed_version(answer).filter(|_| request.versioned && answer.status == 404);
    if removed.is_some() {
        let version = numbered(answer).ok_or_else(|| malformed(JsonTextError::Syntax))?;
        return Ok(KvState { fields: None, version: Some(version), removed });
    }
    match KvSecret::read(answer, request) {
        Ok(secret) => {
            let version = request
                .versioned
                .then(|| numbered(answer))
                .map(|number| number.ok_or_else(|| malformed(JsonTextError::Syntax)));
            let fields = Some(SecretValue::new(secret.fields.as_bytes().to_vec()));
            Ok(KvState { fields, version: version.transpose()?, removed: None })
        }
        Err(ProviderError::NotFound { .. }) => {
            Ok(KvState { fields: None, version: request.versioned.then_some(0), removed: None })
        }
        Err(error) => Err(error),
    }
}

/// Reports whether version 2 of the engine did not write because the latest version is another one.
pub(super) fn is_version_conflict(answer: &VaultResponse) -> bool {
    answer.status == 400 && has_error(answer, &["check-and-set parameter did not match"])
}

/// Reads the version in the response to a write; `None` in version 1 of the engine.
///
/// # Errors
/// The server did not write.
pub(super) fn read_written_version(
    answer: &VaultResponse,
    request: &SecretRequest,
) -> Result<Option<u64>, ProviderError> {
    let path = request.path.as_str();
    match answer.status {
        200 if request.versioned => {
            let version = member(&answer.body, &["data", "version"]).map_err(malformed)?;
            let version = version.and_then(|number| number.parse().ok());
            Ok(Some(version.ok_or_else(|| malformed(JsonTextError::Syntax))?))
        }
        200 | 204 => Ok(None),
        403 => Err(ProviderError::denied(
            format!("the token is not allowed to write `{path}`"),
            &format!(
                "its policy needs: path \"{path}\" {{ capabilities = [\"create\", \"read\", \"update\"] }}"
            ),
        )),
        400 | 413 => Err(ProviderError::invalid(
            format!("the server does not accept the secret ({})", answer.status),
            "check its size, and the settings of the mount: `vault read MOUNT/config` shows them",
        )),
        status => Err(refused(status)),
    }
}

/// Reads the mount of a path.
///
/// # Errors
/// The path has no mount, or the mount is not a KV engine.
pub(super) fn read_mount(answer: &VaultResponse, path: &str) -> Result<KvMount, ProviderError> {
    match answer.status {
        200 => {}
        403 | 404 => {
            return Err(ProviderError::denied(
                "the mount of this path does not exist, or the token is not allowed to read it",
                "correct the first part of the path, or give the token's policy `read` on the path",
            ));
        }
        status => return Err(refused(status)),
    }
    let string_at = |path: &[&str]| -> Result<Option<Zeroizing<String>>, ProviderError> {
        let json = member(&answer.body, path).map_err(malformed)?;
        Ok(json.and_then(|json| serde_json::from_str(&json).ok().map(Zeroizing::new)))
    };
    let (Some(found), Some(kind)) = (string_at(&["data", "path"])?, string_at(&["data", "type"])?) else {
        return Err(malformed(JsonTextError::Syntax));
    };
    let version = match string_at(&["data", "options", "version"])?.as_deref().map(String::as_str) {
        Some("2") => KvVersion::Two,
        _ => KvVersion::One,
    };
    let mount = KvMount::new(&found, version).ok().filter(|mount| mount.below(path).is_some());
    match mount {
        Some(mount) if matches!(kind.as_str(), "generic" | "kv") => Ok(mount),
        Some(_) => Err(ProviderError::denied(
            "the mount of this path is not a KV engine",
            "only secrets in KV engines can be read: other engines create a new credential for each request",
        )),
        None => Err(ProviderError::invalid(
            "the path is a mount and not a secret",
            "write the mount and the path below it, for example `secret/shop/db`",
        )),
    }
}

/// Reads the token in the response to a login.
///
/// # Errors
/// The response has no token.
pub(super) fn read_token(answer: &VaultResponse, method: &str) -> Result<Zeroizing<String>, ProviderError> {
    match answer.status {
        200 => {
            let token = member(&answer.body, &["auth", "client_token"]).map_err(malformed)?;
            let token = token.and_then(|json| serde_json::from_str(&json).ok().map(Zeroizing::new));
            token.ok_or_else(|| malformed(JsonTextError::Syntax))
        }
        400 | 401 | 403 | 404 => Err(ProviderError::denied(
            format!("the login at `{method}` was refused ({})", answer.status),
            "check `auth` in the operator file against the role, its bound service accounts and the auth mount",
        )),
        status => Err(refused(status)),
    }
}

/// Reads the name of a token's identity. A policy may forbid the request, so that the name is unknown.
///
/// # Errors
/// The response is not one to such a request.
pub(super) fn read_display_name(answer: &VaultResponse) -> Result<Option<String>, ProviderError> {
    match answer.status {
        200 => {
            let name = member(&answer.body, &["data", "display_name"]).map_err(malformed)?;
            Ok(name.and_then(|json| serde_json::from_str(&json).ok()))
        }
        403 => Ok(None),
        status => Err(refused(status)),
    }
}

/// Reports whether a login returned a batch token. The server does not store it, so it cannot be revoked.
pub(super) fn is_batch_token(answer: &VaultResponse) -> bool {
    let kind = member(&answer.body, &["auth", "token_type"]).ok().flatten();
    kind.is_some_and(|json| json.as_str() == "\"batch\"")
}

/// Reports whether a login returned a token with a limited number of uses.
pub(super) fn has_limited_uses(answer: &VaultResponse) -> bool {
    let uses = member(&answer.body, &["auth", "num_uses"]).ok().flatten();
    uses.is_some_and(|json| json.as_str() != "0")
}

/// Reports whether the token itself is not valid, as opposed to lacking permissions.
pub(super) fn is_invalid_token(answer: &VaultResponse) -> bool {
    answer.status == 403
        && has_error(answer, &["invalid token", "bad token", "token expired", "token is expired"])
}

/// Reports whether the server rejects a revocation because of the token's type.
pub(super) fn is_irrevocable_token(answer: &VaultResponse) -> bool {
    answer.status == 400 && has_error(answer, &["batch token"])
}

fn refused(status: u16) -> ProviderError {
    ProviderError::unreachable(
        format!("the server rejected the request ({status})"),
        "check that `address` and `namespace` in the operator file belong to a Vault or OpenBao server",
    )
}

fn malformed(why: JsonTextError) -> ProviderError {
    let (reason, hint) = match why {
        JsonTextError::Duplicate => (DUPLICATE_KEY, "remove one of them from the secret"),
        JsonTextError::Syntax => (
            "the server's response is not a Vault response",
            "check that `address` is the address of the API",
        ),
    };
    ProviderError::invalid(reason, hint)
}

/// Returns the JSON at a path of fields.
fn member(body: &[u8], path: &[&str]) -> Result<Option<Zeroizing<String>>, JsonTextError> {
    let text = std::str::from_utf8(body).map_err(|_| JsonTextError::Syntax)?;
    let mut at = json_text::parse(text)?;
    for field in path {
        match json_text::member(at, field)? {
            Some(value) => at = value,
            None => return Ok(None),
        }
    }
    Ok(Some(Zeroizing::new(at.get().to_owned())))
}

/// Returns why version 2 of the engine no longer has a version: the response is a 404 with metadata.
fn removed_version(answer: &VaultResponse) -> Option<&'static str> {
    let metadata = |field| member(&answer.body, &["data", "metadata", field]).ok().flatten();
    if metadata("destroyed").is_some_and(|json| json.as_str() == "true") {
        Some("this version was destroyed")
    } else if metadata("deletion_time").is_some_and(|json| json.as_str() != "\"\"") {
        Some("this version was deleted")
    } else {
        None
    }
}

/// Reports whether one of the server's errors contains one of these texts.
fn has_error(answer: &VaultResponse, words: &[&str]) -> bool {
    let errors = member(&answer.body, &["errors"]).ok().flatten().unwrap_or_default();
    words.iter().any(|word| errors.contains(word))
}
