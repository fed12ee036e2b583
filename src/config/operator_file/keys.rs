//! The keys that the operator file names.

use super::bounded::read_bounded;
use super::error::OperatorFileError;
use super::file::OperatorFile;
use crate::config::{ConfigError, PathSource};
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_secrets::crypto::{ChecksumKey, SealKey};
use sealwave_secrets::settings::SettingPath;

impl OperatorFile {
    /// Returns the seal key.
    ///
    /// # Errors
    /// No seal key is configured, or its file is not valid.
    pub fn seal_key(&self) -> Result<SealKey, Failure> {
        let Some(file) = &self.operator().seal_key_file else {
            let problem = Problem::new(&ConfigError::NoSealKey);
            return Err(Failure::from(problem).with_place(&self.locate(&SettingPath::default())));
        };
        let path = self.resolve(file);
        let key = read_bounded(&path, PathSource::OperatorFile).and_then(|bytes| {
            SealKey::from_file(bytes.expose()).map_err(|error| OperatorFileError::content(&path, &error))
        });
        key.map_err(|error| self.failure(&error, &SettingPath::of_keys(&["sealKeyFile"])))
    }

    /// Returns the checksum key from its own file, or else derived from the seal key.
    ///
    /// # Errors
    /// The file is not valid.
    pub fn checksum_key(&self, seal_key: &SealKey) -> Result<ChecksumKey, Failure> {
        Ok(self.own_checksum_key()?.unwrap_or_else(|| seal_key.checksum_key()))
    }

    /// Returns the checksum key from its own file, if there is one.
    ///
    /// # Errors
    /// The file is not valid.
    pub fn own_checksum_key(&self) -> Result<Option<ChecksumKey>, Failure> {
        let Some(file) = &self.operator().checksum_key_file else { return Ok(None) };
        let path = self.resolve(file);
        let key = read_bounded(&path, PathSource::OperatorFile).and_then(|bytes| {
            ChecksumKey::from_key_file(bytes.expose())
                .map_err(|error| OperatorFileError::content(&path, &error))
        });
        key.map(Some).map_err(|error| self.failure(&error, &SettingPath::of_keys(&["checksumKeyFile"])))
    }
}
