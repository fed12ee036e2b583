//! Targets of `put` in AWS.

use sealwave_secrets::values::SecretValue;

use super::{PutError, PutTarget};
use crate::aws_store::{AwsStore, StoreError, StoreKind, StoredValue};

/// A secret of Secrets Manager, or a parameter of Parameter Store.
pub struct AwsTarget {
    store: AwsStore,
    path: String,
    reference: String,
    before: Option<StoredValue>,
}

impl AwsTarget {
    /// Reads the present value.
    ///
    /// # Errors
    /// AWS does not show it.
    pub fn read(store: AwsStore, path: &str) -> Result<Self, PutError> {
        let reference = store.reference(path);
        let before = store.read(path).map_err(|error| failed(&reference, &error))?;
        Ok(Self { store, path: path.to_owned(), reference, before })
    }
}

impl PutTarget for AwsTarget {
    fn reference(&self) -> &str {
        &self.reference
    }

    fn value(&self) -> Option<&SecretValue> {
        self.before.as_ref().map(|before| &before.value)
    }

    fn version(&self) -> Option<String> {
        self.before.as_ref().map(|before| before.version.clone())
    }

    fn check(&self, value: &SecretValue) -> Result<(), PutError> {
        let checked = self.store.check(&self.path, value, self.before.as_ref());
        checked.map_err(|error| failed(&self.reference, &error))
    }

    fn undo(&self) -> Option<String> {
        let undo = match (self.store.kind(), &self.before) {
            (_, None) => "delete it with AWS' own tools",
            (StoreKind::SecretsManager, _) => "move the stage `AWSCURRENT` back to the version before",
            (StoreKind::ParameterStore, _) => "write the value of the version before again",
        };
        Some(undo.to_owned())
    }

    fn write(&self, value: &SecretValue) -> Result<Option<String>, PutError> {
        let binary = self.before.as_ref().is_some_and(|before| before.binary) || value.expose_str().is_none();
        let written = self.store.write(&self.path, value, binary, self.before.as_ref(), None);
        written.map(Some).map_err(|error| failed(&self.reference, &error))
    }
}

fn failed(reference: &str, error: &StoreError) -> PutError {
    PutError::of_store(format!("`{reference}`: {error}"), error)
}
