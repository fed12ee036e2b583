//! Reading and writing one secret of Secrets Manager or one parameter of Parameter Store.
//!
//! A value that AWS would refuse is refused before it is sent. Neither service can write only if nothing else wrote in
//! between, so a write checks afterwards what it replaced.

use std::rc::Rc;

use sealwave_core::diagnostic::Explain;
use sealwave_providers::aws_account::{
    AwsAccount, AwsError, AwsErrorKind, ParameterDescription, VersionStage, check_parameter_name,
    check_secret_name,
};
use sealwave_secrets::values::SecretValue;

/// The most bytes of a secret.
const SECRET_LIMIT: usize = 64 << 10;

/// A service that holds values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// Parameter Store.
    ParameterStore,
    /// Secrets Manager.
    SecretsManager,
}

impl StoreKind {
    /// Checks a name or an ARN, without a request.
    ///
    /// # Errors
    /// Nothing of this service can have it.
    pub fn check_name(self, path: &str) -> Result<(), StoreError> {
        Ok(match self {
            Self::SecretsManager => check_secret_name(path),
            Self::ParameterStore => check_parameter_name(path),
        }?)
    }
}

/// A store in a logged-in account, under the name of its provider.
#[derive(Clone)]
pub struct AwsStore {
    account: Rc<AwsAccount>,
    kind: StoreKind,
    provider: String,
}

/// A value with its version.
pub struct StoredValue {
    /// The value.
    pub value: SecretValue,
    /// Whether it was stored as bytes.
    pub binary: bool,
    /// The version, as AWS numbers it.
    pub version: String,
}

/// An error of a store. It contains no value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The value is empty.
    #[error("the value is empty, which AWS does not store")]
    Empty,
    /// Parameter Store does not hold bytes.
    #[error("the value is not UTF-8 text, and Parameter Store holds only text")]
    NotText,
    /// Something else wrote a version between reading and writing.
    #[error(
        "`{path}` was changed elsewhere between reading version `{read}` and writing version `{written}`"
    )]
    Overtaken {
        /// The path.
        path: String,
        /// The version that was read.
        read: String,
        /// The version that was written.
        written: String,
    },
    /// The value is too large.
    #[error("the value has {size} bytes, and `{path}` can hold {limit}")]
    TooLarge {
        /// The path.
        path: String,
        /// The size.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

impl Explain for StoreError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Aws(error) => return error.hint(),
            Self::Empty => "pass a value, or delete the secret with AWS' own tools".to_owned(),
            Self::NotText => "encode it, for example as base64, or use Secrets Manager".to_owned(),
            Self::Overtaken { path, .. } => format!(
                "the other change is replaced: compare the versions of `{path}`, and write what is missing"
            ),
            Self::TooLarge { limit: SECRET_LIMIT, .. } => {
                "split the value into several secrets, or store a large file elsewhere".to_owned()
            }
            Self::TooLarge { limit: ParameterDescription::STANDARD_LIMIT, .. } => {
                "give the parameter the advanced tier, which holds 8 KiB and has a price, or use Secrets Manager".to_owned()
            }
            Self::TooLarge { .. } => "use Secrets Manager, which holds 64 KiB".to_owned(),
        })
    }
}

impl AwsStore {
    /// Creates a store. `provider` is its name in placeholders.
    #[must_use]
    pub fn new(account: Rc<AwsAccount>, kind: StoreKind, provider: &str) -> Self {
        Self { account, kind, provider: provider.to_owned() }
    }

    /// Returns the service.
    #[must_use]
    pub const fn kind(&self) -> StoreKind {
        self.kind
    }

    /// Names a path, as placeholders do.
    #[must_use]
    pub fn reference(&self, path: &str) -> String {
        format!("{}:{path}", self.provider)
    }

    /// Reads the current value; `None` if it does not exist.
    ///
    /// # Errors
    /// The call fails.
    pub fn read(&self, path: &str) -> Result<Option<StoredValue>, StoreError> {
        let read = match self.kind {
            StoreKind::SecretsManager => self.account.secret(path, VersionStage::Current).map(|secret| {
                StoredValue { value: secret.value, binary: secret.binary, version: secret.version }
            }),
            StoreKind::ParameterStore => self.account.parameter(path).map(|parameter| StoredValue {
                value: parameter.value,
                binary: false,
                version: parameter.version.to_string(),
            }),
        };
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks that the service can hold a value, without sending it.
    ///
    /// # Errors
    /// The value is empty, too large, or bytes where only text is held; or the call fails.
    pub fn check(
        &self,
        path: &str,
        value: &SecretValue,
        before: Option<&StoredValue>,
    ) -> Result<(), StoreError> {
        if value.is_empty() {
            return Err(StoreError::Empty);
        }
        let limit = match self.kind {
            StoreKind::SecretsManager => SECRET_LIMIT,
            StoreKind::ParameterStore if value.expose_str().is_none() => return Err(StoreError::NotText),
            StoreKind::ParameterStore => self.parameter_settings(path, before)?.limit(),
        };
        if value.len() > limit {
            return Err(StoreError::TooLarge { path: path.to_owned(), size: value.len(), limit });
        }
        Ok(())
    }

    /// Writes a value that replaces `before`, or creates it if there was none. Returns the new version.
    ///
    /// The same `token` writes the same value once; without one, each call writes.
    ///
    /// # Errors
    /// The service cannot hold the value, the call fails, or something else was written in between.
    pub fn write(
        &self,
        path: &str,
        value: &SecretValue,
        binary: bool,
        before: Option<&StoredValue>,
        token: Option<&str>,
    ) -> Result<String, StoreError> {
        self.check(path, value, before)?;
        let Some(before) = before else {
            return Ok(match self.kind {
                StoreKind::SecretsManager => self.account.create_secret(path, value, binary, token)?,
                StoreKind::ParameterStore => {
                    let settings = ParameterDescription::new_secure();
                    self.account.put_parameter(path, value, &settings, false)?.to_string()
                }
            });
        };
        let (written, replaced) = match self.kind {
            StoreKind::SecretsManager => {
                let written = self.account.put_secret(path, value, binary, token)?;
                let previous = self.account.secret(path, VersionStage::Previous)?;
                (written, previous.version)
            }
            StoreKind::ParameterStore => {
                let settings = self.account.describe_parameter(path)?;
                let written = self.account.put_parameter(path, value, &settings, true)?;
                (written.to_string(), written.saturating_sub(1).to_string())
            }
        };
        if replaced == before.version {
            Ok(written)
        } else {
            Err(StoreError::Overtaken { path: path.to_owned(), read: before.version.clone(), written })
        }
    }

    fn parameter_settings(
        &self,
        path: &str,
        before: Option<&StoredValue>,
    ) -> Result<ParameterDescription, StoreError> {
        match before {
            Some(_) => Ok(self.account.describe_parameter(path)?),
            None => Ok(ParameterDescription::new_secure()),
        }
    }
}
