//! A place in Secrets Manager or Parameter Store that holds the access key.

use sealwave_core::diagnostic::Explain;
use sealwave_core::sha256_hex;
use sealwave_core::text::shell_quoted;
use sealwave_providers::aws_account::NewAccessKey;
use sealwave_secrets::values::SecretValue;

use super::sink::{CredentialSink, PresentKey, SinkError};
use crate::aws_store::{AwsStore, StoreError, StoreKind, StoredValue};
use crate::secret_document::{DocumentError, read_key, replace_keys};

/// Two keys of a JSON document, or two parameters.
pub struct StoreSink {
    store: AwsStore,
    location: KeyLocation,
}

/// The location of the two parts of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLocation {
    /// In two keys of one JSON document.
    Document {
        /// The name of the secret or parameter.
        path: String,
        /// The key with the id.
        id: String,
        /// The key with the secret.
        secret: String,
    },
    /// In two parameters or secrets, whose whole value is that part.
    Values {
        /// The one with the id.
        id: String,
        /// The one with the secret.
        secret: String,
    },
}

/// A location that cannot be used.
#[derive(Debug, thiserror::Error)]
enum LocationError {
    #[error("`{0}` does not exist")]
    Missing(String),
    #[error("key `{0}` is missing")]
    NoKey(String),
}

impl Explain for LocationError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing(reference) => {
                format!(
                    "correct `--write`, or create it first: `sealwave put --create {}`",
                    shell_quoted(reference)
                )
            }
            Self::NoKey(_) => {
                "correct the key in `--write`; the rotation adds none, since nothing would read it".to_owned()
            }
        })
    }
}

impl KeyLocation {
    /// Parses the part of `--write` after the provider: `PATH#ID,SECRET`, or `PATH,PATH`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let part = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        if let Some((path, keys)) = text.split_once('#') {
            let (id, secret) = keys.split_once(',').filter(|(id, secret)| id != secret)?;
            return Some(Self::Document { path: part(path)?, id: part(id)?, secret: part(secret)? });
        }
        let (id, secret) = text.split_once(',').filter(|(id, secret)| id != secret)?;
        Some(Self::Values { id: part(id)?, secret: part(secret)? })
    }

    /// Returns the names of the secrets or parameters.
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Self::Document { path, .. } => vec![path],
            Self::Values { id, secret } => vec![id, secret],
        }
    }
}

impl StoreSink {
    /// Creates a sink.
    #[must_use]
    pub const fn new(store: AwsStore, location: KeyLocation) -> Self {
        Self { store, location }
    }

    fn read(&self, path: &str) -> Result<StoredValue, SinkError> {
        let reference = self.store.reference(path);
        let read = self.store.read(path).map_err(|error| self.failed(&error))?;
        read.ok_or_else(|| SinkError::new(&LocationError::Missing(reference)))
    }

    fn failed(&self, error: &StoreError) -> SinkError {
        SinkError::new(error).at(&self.name())
    }

    fn bad_document(&self, error: &DocumentError) -> SinkError {
        SinkError::new(error).at(&self.name())
    }

    fn text_at(&self, path: &str, key: &str) -> Result<SecretValue, SinkError> {
        let document = self.read(path)?;
        let found = read_key(&document.value, key).map_err(|error| self.bad_document(&error))?;
        let found =
            found.ok_or_else(|| SinkError::new(&LocationError::NoKey(key.to_owned())).at(&self.name()))?;
        Ok(SecretValue::new(found.as_bytes().to_vec()))
    }

    fn replace(
        &self,
        path: &str,
        before: &StoredValue,
        value: &SecretValue,
        key: &str,
    ) -> Result<String, SinkError> {
        let token = sha256_hex(format!("sealwave\n{path}\n{key}\n{}", before.version).as_bytes());
        let after = self.store.write(path, value, before.binary, Some(before), Some(&token));
        let after = after.map_err(|error| self.failed(&error))?;
        Ok(format!("`{}`: version `{}` before, `{after}` now", self.store.reference(path), before.version))
    }
}

impl CredentialSink for StoreSink {
    fn name(&self) -> String {
        match &self.location {
            KeyLocation::Document { path, id, secret } => {
                format!("`{}` (keys `{id}` and `{secret}`)", self.store.reference(path))
            }
            KeyLocation::Values { id, secret } => {
                format!("`{}` and `{}`", self.store.reference(id), self.store.reference(secret))
            }
        }
    }

    fn undo(&self) -> String {
        match self.store.kind() {
            StoreKind::SecretsManager => {
                "move the stage `AWSCURRENT` back to the version before (`aws secretsmanager update-secret-version-stage`)".to_owned()
            }
            StoreKind::ParameterStore => {
                "write the value of the version before again (`aws ssm get-parameter --name NAME:VERSION`)".to_owned()
            }
        }
    }

    fn present_key(&self) -> Result<PresentKey, SinkError> {
        let value = match &self.location {
            KeyLocation::Document { path, id, secret } => {
                // Both must be there before anything is created.
                self.text_at(path, secret)?;
                self.text_at(path, id)?
            }
            KeyLocation::Values { id, secret } => {
                self.read(secret)?;
                self.read(id)?.value
            }
        };
        Ok(match value.expose_str().map(str::trim) {
            Some("") => PresentKey::Empty,
            Some(text) if is_key_id(text) => PresentKey::Id(text.to_owned()),
            _ => PresentKey::NotAKey,
        })
    }

    fn secret_of(&self, id: &str) -> Option<SecretValue> {
        if self.present_key().ok()? != PresentKey::Id(id.to_owned()) {
            return None;
        }
        match &self.location {
            KeyLocation::Document { path, secret, .. } => self.text_at(path, secret).ok(),
            // The other parameter may still hold the old secret.
            KeyLocation::Values { .. } => None,
        }
    }

    fn write(&self, key: &NewAccessKey) -> Result<String, SinkError> {
        let new_id = SecretValue::new(key.id.clone().into_bytes());
        match &self.location {
            KeyLocation::Document { path, id, secret } => {
                let before = self.read(path)?;
                let changes = [(id.as_str(), &new_id), (secret.as_str(), &key.secret)];
                let after = replace_keys(&before.value, &changes, false);
                let after = after.map_err(|error| self.bad_document(&error))?;
                Ok(format!("wrote {}", self.replace(path, &before, &after, &key.id)?))
            }
            KeyLocation::Values { id, secret } => {
                // The id last: as long as it is the old one, an interrupted run writes both again.
                let written = self.replace(secret, &self.read(secret)?, &key.secret, &key.id)?;
                let id = self.replace(id, &self.read(id)?, &new_id, &key.id)?;
                Ok(format!("wrote {written}; {id}"))
            }
        }
    }
}

/// Reports whether a text has the form of an access key's id.
pub(super) fn is_key_id(text: &str) -> bool {
    (16..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
