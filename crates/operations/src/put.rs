//! `put`: writes a value to a secret of Secrets Manager or a parameter of Parameter Store.
//!
//! The value comes from a file or standard input. With a key, one key of a JSON document changes, and the rest of the
//! document stays as it is.

use sealwave_core::diagnostic::Explain;
use sealwave_secrets::values::SecretValue;

use crate::aws_store::{AwsStore, StoreError, StoreKind, StoredValue};
use crate::plan::{Plan, StepUndo};
use crate::secret_document::{DocumentError, new_document, replace_keys};

/// A value to write.
pub struct PutRequest {
    /// The name of the secret or parameter.
    pub path: String,
    /// The key of a JSON document.
    pub key: Option<String>,
    /// The value.
    pub value: SecretValue,
    /// Whether a secret, parameter or key that does not exist is created.
    pub create: bool,
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
    /// The secret or parameter does not exist.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// The store refuses.
    #[error("`{reference}`: {error}")]
    Store {
        /// The secret or parameter.
        reference: String,
        /// The cause.
        error: StoreError,
    },
}

impl Explain for PutError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Document { error, .. } => error.hint(),
            Self::Missing(_) => {
                Some("names are full paths, and each region has its own; `--create` creates it".to_owned())
            }
            Self::Store { error, .. } => error.hint(),
        }
    }
}

/// A change that is ready to be written.
pub struct PreparedPut {
    reference: String,
    path: String,
    key: Option<String>,
    before: Option<StoredValue>,
    after: SecretValue,
    binary: bool,
    kind: StoreKind,
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

impl PreparedPut {
    /// Reads the present value and prepares the new one. Changes nothing.
    ///
    /// # Errors
    /// There is nothing to replace and `create` is not set, or the service cannot hold the value.
    pub fn new(store: &AwsStore, request: PutRequest) -> Result<Self, PutError> {
        let reference = store.reference(&request.path);
        let failed = |error: StoreError| PutError::Store { reference: reference.clone(), error };
        let before = store.read(&request.path).map_err(failed)?;
        if before.is_none() && !request.create {
            return Err(PutError::Missing(reference));
        }
        let changed = match (&request.key, &before) {
            (None, _) => Ok(request.value),
            (Some(key), None) => new_document(key, &request.value),
            (Some(key), Some(before)) => {
                replace_keys(&before.value, &[(key, &request.value)], request.create)
            }
        };
        let after = changed.map_err(|error| PutError::Document { reference: reference.clone(), error })?;
        store.check(&request.path, &after, before.as_ref()).map_err(failed)?;
        let binary = before.as_ref().is_some_and(|before| before.binary) || after.expose_str().is_none();
        let (path, key, kind) = (request.path, request.key, store.kind());
        Ok(Self { reference, path, key, before, after, binary, kind })
    }

    /// Reports whether the store holds the value already.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.value == self.after)
    }

    /// Returns the plan.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let version = self.before.as_ref().map_or("none", |before| &before.version);
        let plan = Plan::new("put").with_fact("target", &self.reference).with_fact("version", version);
        if self.is_unchanged() {
            return plan;
        }
        let what = match (&self.key, &self.before) {
            (Some(key), Some(_)) => {
                format!("write key `{key}` of `{}`; its other keys stay as they are", self.reference)
            }
            (Some(key), None) => format!("create `{}` as a JSON document with key `{key}`", self.reference),
            (None, Some(_)) => format!("replace the value of `{}`", self.reference),
            (None, None) => format!("create `{}`", self.reference),
        };
        let undo = match (self.kind, &self.before) {
            (_, None) => "delete it with AWS' own tools",
            (StoreKind::SecretsManager, _) => "move the stage `AWSCURRENT` back to the version before",
            (StoreKind::ParameterStore, _) => "write the value of the version before again",
        };
        plan.with_step("write", what, StepUndo::By(undo.to_owned()))
    }

    /// Writes the value, and returns a sentence with the versions.
    ///
    /// # Errors
    /// The call fails, or something else was written in between.
    pub fn apply(self, store: &AwsStore) -> Result<String, PutError> {
        if let Some(before) = self.before.as_ref().filter(|_| self.is_unchanged()) {
            return Ok(format!(
                "`{}` has this value already, in version `{}`",
                self.reference, before.version
            ));
        }
        let written = store.write(&self.path, &self.after, self.binary, self.before.as_ref(), None);
        let after = written.map_err(|error| PutError::Store { reference: self.reference.clone(), error })?;
        Ok(match &self.before {
            Some(before) => {
                format!("wrote `{}`: version `{}` before, `{after}` now", self.reference, before.version)
            }
            None => format!("created `{}`: version `{after}`", self.reference),
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
