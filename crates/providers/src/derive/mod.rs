//! `<derive:db/password#alnum:32>`: secrets that the operator's derivation key determines, and that are stored nowhere.
//!
//! The path comes from Git, and so do alphabet and length. Project, namespace and app come from Argo CD and are inputs of the
//! derivation, so a committer cannot get a secret of another app by any spelling of its path. Only plain ASCII paths in their
//! shortest form are accepted: two paths that look alike would be two secrets.

mod epochs;
mod key_file;
mod request;
mod settings;

use std::path::PathBuf;
use std::time::Instant;

use self::epochs::Epochs;
use self::key_file::read_key;
use self::request::{DeriveRequest, check_owner};
use crate::{
    CreateProvider, FetchResult, FetchedValue, ProtectedFiles, Provider, ProviderContext, ProviderError,
    SettingsError,
};
use sealwave_secrets::crypto::{DerivationKey, DerivedSecret};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::policy::PolicySubject;

pub(crate) use settings::DeriveSettings;

impl CreateProvider for DeriveSettings {
    fn create(&self, _name: &str, context: &ProviderContext<'_>) -> Result<Box<dyn Provider>, SettingsError> {
        Ok(Box::new(DeriveProvider {
            operator_dir: context.operator_dir.to_owned(),
            key_file: self.key_file.clone(),
            protected: context.protected.clone(),
            epochs: Epochs::new(&self.epochs)?,
            owner: context.app.subject.clone(),
        }))
    }
}

struct DeriveProvider {
    operator_dir: PathBuf,
    /// As the operator wrote it.
    key_file: PathBuf,
    protected: ProtectedFiles,
    epochs: Epochs,
    owner: PolicySubject,
}

impl DeriveProvider {
    fn derive(&self, key: &DerivationKey, reference: &SecretReference) -> FetchResult {
        let DeriveRequest { path, alphabet, length } = DeriveRequest::read(reference)?;
        let PolicySubject { project, app, namespace, environment, .. } = &self.owner;
        let epoch = self.epochs.of_path(path);
        let secret = DerivedSecret { project, namespace, app, environment, path, alphabet, length, epoch };
        Ok(FetchedValue::with_version(key.derive(&secret), Some(&epoch.to_string())))
    }
}

impl Provider for DeriveProvider {
    fn fetch(&self, references: &[&SecretReference], _deadline: Instant) -> Vec<FetchResult> {
        let key = check_owner(&self.owner).and_then(|()| {
            let read = read_key(&self.operator_dir, &self.key_file, &self.protected);
            read.map_err(|error| ProviderError::from(&error))
        });
        let answer = |reference: &&SecretReference| {
            let key = key.as_ref().map_err(ProviderError::clone)?;
            self.derive(key, reference)
        };
        references.iter().map(answer).collect()
    }
}

#[cfg(test)]
mod tests;
