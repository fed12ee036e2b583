//! `put`: writes a value to a secret of a store: Secrets Manager, Parameter Store, or a KV engine of Vault.
//!
//! The value comes from a file or standard input. With a key, one key of a JSON document changes, and the rest of the
//! document stays as it is.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "vault")]
mod vault;

use sealwave_core::diagnostic::{Explain, Note};
use sealwave_secrets::values::SecretValue;

use crate::plan::{Plan, StepUndo};
use crate::secret_document::{DocumentError, new_document, replace_keys};

#[cfg(feature = "aws")]
pub use self::aws::AwsTarget;
#[cfg(feature = "vault")]
pub use self::vault::VaultTarget;

/// A value to write.
pub struct PutRequest {
    /// The key of a JSON document.
    pub key: Option<String>,
    /// The value.
    pub value: SecretValue,
    /// Whether a secret, parameter or key that does not exist is created.
    pub create: bool,
}

/// A secret of a store, as it was read.
pub trait PutTarget {
    /// Returns its reference, as in a placeholder without a key.
    fn reference(&self) -> &str;

    /// Returns its value; `None` if it does not exist.
    fn value(&self) -> Option<&SecretValue>;

    /// Returns its version; `None` if the store has no versions, or if it does not exist.
    fn version(&self) -> Option<String>;

    /// Returns why it has no value, if it exists without one.
    fn removed(&self) -> Option<&'static str> {
        None
    }

    /// Reports whether it has a value already.
    fn has(&self, value: &SecretValue) -> bool {
        self.value() == Some(value)
    }

    /// Takes the notes of requests.
    fn take_notes(&self) -> Vec<Note> {
        Vec::new()
    }

    /// Returns a remark about how it is written.
    fn caution(&self) -> Option<&'static str> {
        None
    }

    /// Checks that it can hold a value, without sending it.
    ///
    /// # Errors
    /// The store would refuse the value.
    fn check(&self, value: &SecretValue) -> Result<(), PutError>;

    /// Returns the way back to the present value, if it has one.
    fn undo(&self) -> Option<String>;

    /// Writes a value, and returns the new version, if the store has versions.
    ///
    /// # Errors
    /// The store refuses, or something else wrote the secret since it was read.
    fn write(&self, value: &SecretValue) -> Result<Option<String>, PutError>;
}

/// An error of `put`. It contains no value.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// The document cannot be changed.
    #[error("`{reference}`: {error}")]
    Document {
        /// The secret or parameter.
        reference: String,
        /// The cause.
        error: DocumentError,
    },
    /// The value is empty.
    #[error("the value is empty, so nothing is written")]
    Empty,
    /// The secret or parameter does not exist.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// The latest version was deleted or destroyed.
    #[error("`{reference}` has no value: {reason}")]
    Removed {
        /// The secret.
        reference: String,
        /// The fate of the version, as a sentence.
        reason: &'static str,
    },
    /// The store refuses.
    #[error("{message}")]
    Store {
        /// The cause, with the secret or parameter.
        message: String,
        /// The advice of the store.
        hint: Option<String>,
    },
}

impl PutError {
    /// Returns the refusal of a store. `message` names the secret.
    #[cfg(any(feature = "aws", feature = "vault"))]
    fn of_store(message: String, error: &dyn Explain) -> Self {
        Self::Store { message, hint: error.hint() }
    }
}

impl Explain for PutError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Document { error, .. } => error.hint(),
            Self::Empty => Some("check the file, or the command before the pipe".to_owned()),
            Self::Missing(_) => Some("check the spelling of the full path; `--create` creates it".to_owned()),
            Self::Removed { .. } => Some(
                "`--create` writes a new version; `vault kv undelete` restores a version that was only deleted"
                    .to_owned(),
            ),
            Self::Store { hint, .. } => hint.clone(),
        }
    }
}

/// A change that is ready to be written.
pub struct PreparedPut<'a> {
    target: &'a dyn PutTarget,
    key: Option<String>,
    after: SecretValue,
}

/// Removes the line break at the end of a value of one line, which `echo` and editors add. Returns whether there was one.
///
/// A value of several lines is a file, and keeps all its bytes.
#[must_use]
pub fn without_line_break(value: SecretValue) -> (SecretValue, bool) {
    let bytes = value.expose();
    let line = bytes.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    match line {
        Some(line) if !line.contains(&b'\n') => (SecretValue::new(line.to_vec()), true),
        _ => (value, false),
    }
}

impl<'a> PreparedPut<'a> {
    /// Prepares the new value. Changes nothing.
    ///
    /// # Errors
    /// There is nothing to replace and `create` is not set, or the store cannot hold the value.
    pub fn new(target: &'a dyn PutTarget, request: PutRequest) -> Result<Self, PutError> {
        let reference = target.reference().to_owned();
        let PutRequest { key, value, create } = request;
        if value.is_empty() {
            return Err(PutError::Empty);
        }
        if target.value().is_none() && !create {
            return Err(match target.removed() {
                Some(reason) => PutError::Removed { reference, reason },
                None => PutError::Missing(reference),
            });
        }
        let changed = match (&key, target.value()) {
            (None, _) => Ok(value),
            (Some(key), None) => new_document(key, &value),
            (Some(key), Some(before)) => replace_keys(before, &[(key, &value)], create),
        };
        let after = changed.map_err(|error| PutError::Document { reference, error })?;
        target.check(&after)?;
        Ok(Self { target, key, after })
    }

    /// Reports whether the store holds the value already.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.target.has(&self.after)
    }

    /// Returns the plan.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let (target, reference) = (self.target, self.target.reference());
        let version = target.version().unwrap_or_else(|| "none".to_owned());
        let mut plan = Plan::new("put").with_fact("target", reference).with_fact("version", version);
        if self.is_unchanged() {
            return plan;
        }
        if let Some(reason) = target.removed() {
            plan = plan.with_fact("present value", format!("none: {reason}"));
        }
        if let Some(caution) = target.caution() {
            plan = plan.with_fact("caution", caution);
        }
        let what = match (&self.key, target.value()) {
            (Some(key), Some(_)) => {
                format!("write key `{key}` of `{reference}`; its other keys stay as they are")
            }
            (Some(key), None) => format!("create `{reference}` as a JSON document with key `{key}`"),
            (None, Some(_)) => format!("replace the value of `{reference}`"),
            (None, None) => format!("create `{reference}`"),
        };
        plan.with_step("write", what, target.undo().map_or(StepUndo::Impossible, StepUndo::By))
    }

    /// Writes the value, and returns a sentence with the versions.
    ///
    /// # Errors
    /// The call fails, or something else was written in between.
    pub fn apply(&self) -> Result<String, PutError> {
        let reference = self.target.reference();
        let before = self.target.version();
        if self.is_unchanged() {
            let version = before.map(|version| format!(", in version `{version}`")).unwrap_or_default();
            return Ok(format!("`{reference}` has this value already{version}"));
        }
        let after = self.target.write(&self.after)?;
        let is_new = self.target.value().is_none();
        Ok(match (before, after) {
            (Some(before), Some(after)) => {
                format!("wrote `{reference}`: version `{before}` before, `{after}` now")
            }
            (None, Some(after)) if is_new => format!("created `{reference}`: version `{after}`"),
            (_, Some(after)) => format!("wrote `{reference}`: version `{after}`"),
            (_, None) if is_new => format!("created `{reference}`"),
            (_, None) => format!("wrote `{reference}`, which has no versions"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_line_loses_its_line_break() {
        for (given, kept, had) in [
            ("word\n", "word", true),
            ("word\r\n", "word", true),
            ("word", "word", false),
            ("\n", "", true),
            ("a=1\nb=2\n", "a=1\nb=2\n", false),
            ("word\n\n", "word\n\n", false),
        ] {
            let (value, removed) = without_line_break(SecretValue::new(given.as_bytes().to_vec()));
            assert_eq!((value.expose(), removed), (kept.as_bytes(), had), "{given:?}");
        }
    }
}
