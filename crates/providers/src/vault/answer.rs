//! What the server's answers say: read piece by piece, never quoted.

use zeroize::Zeroizing;

use super::super::{FetchResult, Fetched, ProviderError};
use super::api::Answer;
use super::path::{Mount, SecretRequest};
use sealwave_secrets::settings::KvVersion;
use sealwave_secrets::values::json_text::{self, NotJson};
use sealwave_secrets::values::{KEY_HINT, KeyPath, SecretEntries, SecretValue, WalkError};

/// A secret: the JSON object of its fields.
pub(super) struct Document {
    fields: Zeroizing<String>,
    /// The number that version 2 of the engine gives it.
    version: Option<String>,
}

impl Document {
    /// The secret that an answer holds.
    ///
    /// # Errors
    /// It holds none; why.
    pub(super) fn read(answer: &Answer, request: &SecretRequest) -> Result<Self, ProviderError> {
        let path = request.path.as_str();
        match answer.status {
            200 => Self::parse(answer, request),
            404 if request.versioned
                && let Some(why) = gone(answer) =>
            {
                Err(ProviderError::not_found(why, "choose another version, or `vault kv undelete` it"))
            }
            404 if says(answer, &["no handler for route", "unsupported path"]) => {
                Err(ProviderError::invalid(
                    format!("the server has no secrets engine at `{path}`"),
                    "correct the first part of the path, or `mounts` in the operator file",
                ))
            }
            404 => Err(ProviderError::not_found(
                format!("there is nothing at `{path}`"),
                "`vault kv list` shows what there is",
            )),
            403 => Err(ProviderError::denied(
                format!("the token may not read `{path}`"),
                &format!("its policy needs: path \"{path}\" {{ capabilities = [\"read\"] }}"),
            )),
            status => Err(refused(status)),
        }
    }

    fn parse(answer: &Answer, request: &SecretRequest) -> Result<Self, ProviderError> {
        let depth: &[&str] = if request.versioned { &["data", "data"] } else { &["data"] };
        let data = member(&answer.body, depth).map_err(malformed)?;
        let fields = data.filter(|data| data.starts_with('{')).ok_or_else(|| {
            ProviderError::invalid(
                "the server's answer holds no secret",
                "see that the mount has the version of the KV engine that `mounts` says",
            )
        })?;
        let version = if request.versioned {
            member(&answer.body, &["data", "metadata", "version"]).map_err(malformed)?
        } else {
            None
        };
        Ok(Self { fields, version: version.map(|number| number.as_str().to_owned()) })
    }

    /// Returns all fields, each with its value.
    pub(super) fn entries(&self) -> FetchResult {
        Ok(Fetched::at_version(SecretEntries::from_json(&self.fields)?, self.version.as_deref()))
    }

    /// Returns one field, what a path leads to within one, or all fields.
    pub(super) fn value(&self, key: Option<&str>) -> FetchResult {
        let found = match key {
            None => json_text::text(json_text::parse(&self.fields).map_err(malformed)?).map_err(malformed)?,
            Some(key) => Some(self.lookup(&KeyPath::parse(key).map_err(ProviderError::bad_key)?)?),
        };
        let bytes = found.unwrap_or_default().as_bytes().to_vec();
        Ok(Fetched::at_version(SecretValue::new(bytes), self.version.as_deref()))
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

/// The mount that serves a path.
///
/// # Errors
/// None does, or none that holds secrets.
pub(super) fn mount(answer: &Answer, path: &str) -> Result<Mount, ProviderError> {
    match answer.status {
        200 => {}
        403 | 404 => {
            return Err(ProviderError::denied(
                "the token may read nothing in a mount of this path, or there is none",
                "correct the first part of the path, or give the token's policy `read` on the path",
            ));
        }
        status => return Err(refused(status)),
    }
    let text = |path: &[&str]| -> Result<Option<Zeroizing<String>>, ProviderError> {
        let json = member(&answer.body, path).map_err(malformed)?;
        Ok(json.and_then(|json| serde_json::from_str(&json).ok().map(Zeroizing::new)))
    };
    let (Some(found), Some(kind)) = (text(&["data", "path"])?, text(&["data", "type"])?) else {
        return Err(malformed(NotJson::Syntax));
    };
    let version = match text(&["data", "options", "version"])?.as_deref().map(String::as_str) {
        Some("2") => KvVersion::Two,
        _ => KvVersion::One,
    };
    let mount = Mount::new(&found, version).ok().filter(|mount| mount.below(path).is_some());
    match mount {
        Some(mount) if matches!(kind.as_str(), "generic" | "kv") => Ok(mount),
        Some(_) => Err(ProviderError::denied(
            "the mount of this path is no KV engine",
            "only secrets of KV engines can be read: others make a new credential whenever they are asked",
        )),
        None => Err(ProviderError::invalid(
            "the path names a mount and no secret in it",
            "write the mount and the path below it, for example `secret/shop/db`",
        )),
    }
}

/// The token of a login.
///
/// # Errors
/// There is none.
pub(super) fn client_token(answer: &Answer, method: &str) -> Result<Zeroizing<String>, ProviderError> {
    match answer.status {
        200 => {
            let token = member(&answer.body, &["auth", "client_token"]).map_err(malformed)?;
            let token = token.and_then(|json| serde_json::from_str(&json).ok().map(Zeroizing::new));
            token.ok_or_else(|| malformed(NotJson::Syntax))
        }
        400 | 401 | 403 | 404 => Err(ProviderError::denied(
            format!("the login at `{method}` was refused ({})", answer.status),
            "compare `auth` in the operator file with the role, its bound service accounts and the auth mount",
        )),
        status => Err(refused(status)),
    }
}

/// Returns whether a login gave a batch token: the server keeps no record of it, so that it cannot be revoked.
pub(super) fn token_is_batch(answer: &Answer) -> bool {
    let kind = member(&answer.body, &["auth", "token_type"]).ok().flatten();
    kind.is_some_and(|json| json.as_str() == "\"batch\"")
}

/// Returns whether a login gave a token that ends after a number of requests.
pub(super) fn token_has_few_uses(answer: &Answer) -> bool {
    let uses = member(&answer.body, &["auth", "num_uses"]).ok().flatten();
    uses.is_some_and(|json| json.as_str() != "0")
}

/// Whether the token itself is no longer good, as opposed to not good enough.
pub(super) fn token_is_invalid(answer: &Answer) -> bool {
    answer.status == 403 && says(answer, &["invalid token", "bad token", "token expired", "token is expired"])
}

/// Returns whether the server says that a token is of a kind that cannot be revoked.
pub(super) fn token_cannot_be_revoked(answer: &Answer) -> bool {
    answer.status == 400 && says(answer, &["batch token"])
}

fn refused(status: u16) -> ProviderError {
    ProviderError::unreachable(
        format!("the server refused the question ({status})"),
        "see that `address` and `namespace` in the operator file are those of a Vault or OpenBao",
    )
}

fn malformed(why: NotJson) -> ProviderError {
    let (reason, hint) = match why {
        NotJson::Duplicate => ("the server's answer has a key twice", "remove one of them from the secret"),
        NotJson::Syntax => {
            ("the server's answer is not what Vault answers", "see that `address` is that of the API itself")
        }
    };
    ProviderError::invalid(reason, hint)
}

/// What stands at a path of fields.
fn member(body: &[u8], path: &[&str]) -> Result<Option<Zeroizing<String>>, NotJson> {
    let text = std::str::from_utf8(body).map_err(|_| NotJson::Syntax)?;
    let mut at = json_text::parse(text)?;
    for field in path {
        match json_text::member(at, field)? {
            Some(value) => at = value,
            None => return Ok(None),
        }
    }
    Ok(Some(Zeroizing::new(at.get().to_owned())))
}

/// Why version 2 of the engine has a version no more: that answer is a 404 with metadata.
fn gone(answer: &Answer) -> Option<&'static str> {
    let metadata = |field| member(&answer.body, &["data", "metadata", field]).ok().flatten();
    if metadata("destroyed").is_some_and(|json| json.as_str() == "true") {
        Some("this version was destroyed")
    } else if metadata("deletion_time").is_some_and(|json| json.as_str() != "\"\"") {
        Some("this version was deleted")
    } else {
        None
    }
}

/// Whether one of the server's errors is of this kind.
fn says(answer: &Answer, words: &[&str]) -> bool {
    let errors = member(&answer.body, &["errors"]).ok().flatten().unwrap_or_default();
    words.iter().any(|word| errors.contains(word))
}
