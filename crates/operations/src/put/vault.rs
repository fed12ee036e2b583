//! Targets of `put` in a KV engine of Vault or OpenBao. A secret is a JSON object of fields.

use sealwave_core::diagnostic::Note;
use sealwave_core::text::shell_quoted;
use sealwave_providers::vault_store::{VaultSecret, VaultStore};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::values::SecretValue;

use super::{PutError, PutTarget};
use crate::secret_document::{DocumentError, require_object};

/// A secret of a KV engine.
pub struct VaultTarget {
    store: VaultStore,
    reference: String,
    path: String,
    secret: VaultSecret,
}

impl VaultTarget {
    /// Reads the present value.
    ///
    /// # Errors
    /// The server does not show it.
    pub fn read(store: VaultStore, reference: &SecretReference) -> Result<Self, PutError> {
        let name = format!("{}:{}", reference.provider, reference.path);
        let secret = store.read(reference);
        let secret = secret.map_err(|error| PutError::of_store(format!("`{name}` {error}"), &error))?;
        Ok(Self { store, reference: name, path: reference.path.clone(), secret })
    }
}

impl PutTarget for VaultTarget {
    fn reference(&self) -> &str {
        &self.reference
    }

    fn value(&self) -> Option<&SecretValue> {
        self.secret.fields()
    }

    fn version(&self) -> Option<String> {
        self.secret.version().filter(|version| *version > 0).map(|version| version.to_string())
    }

    fn has(&self, value: &SecretValue) -> bool {
        self.secret.has(value)
    }

    fn take_notes(&self) -> Vec<Note> {
        self.store.take_notes()
    }

    fn removed(&self) -> Option<&'static str> {
        self.secret.removed()
    }

    fn caution(&self) -> Option<&'static str> {
        let text =
            "version 1 of the KV engine cannot refuse a write: a change at the same moment would be lost";
        self.secret.version().is_none().then_some(text)
    }

    fn check(&self, value: &SecretValue) -> Result<(), PutError> {
        require_object(value).map_err(|error| match error {
            DocumentError::NotAnObject => PutError::Store {
                message: format!(
                    "`{}`: the value is not a JSON object, and Vault holds only those",
                    self.reference
                ),
                hint: Some(format!("name the key: `{}#KEY`", self.reference)),
            },
            error => PutError::Document { reference: self.reference.clone(), error },
        })
    }

    fn undo(&self) -> Option<String> {
        match self.secret.version() {
            Some(0) => Some(format!("`vault kv metadata delete {}`", self.path)),
            Some(version) if self.secret.fields().is_some() => {
                Some(format!("`vault kv rollback -version={version} {}`", shell_quoted(&self.path)))
            }
            Some(_) => Some(format!("`vault kv delete {}`", self.path)),
            None if self.secret.fields().is_none() => Some(format!("`vault kv delete {}`", self.path)),
            None => None,
        }
    }

    fn write(&self, value: &SecretValue) -> Result<Option<String>, PutError> {
        let written =
            self.store.write(&self.secret, value).map(|version| version.map(|number| number.to_string()));
        written.map_err(|error| PutError::of_store(format!("`{}` {error}", self.reference), &error))
    }
}
