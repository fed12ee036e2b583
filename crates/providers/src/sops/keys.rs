//! The operator's keys, which decrypt a file's data key.
//!
//! A file lists its recipients; the operator configures keys. Only keys on both sides are tried, so that a file cannot
//! choose a key, a role or an address, or make sealwave send needless requests.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use super::error::SopsError;
#[cfg(feature = "aws")]
use super::kms::KmsKeys;
use super::metadata::{KmsKey, SopsMetadata};
use super::settings::SopsSettings;
#[cfg(not(feature = "aws"))]
use crate::not_built::NotBuilt;
use crate::{EnvLookup, Login, ProviderError, SettingsError};
use sealwave_core::bounded_file::{BoundedReadError, read_regular_file};
use sealwave_core::diagnostic::{Explain, NOT_REGULAR_FILE, io_reason};
use sealwave_secrets::crypto::{AgeIdentities, DataKey, is_age_recipient};
use sealwave_secrets::values::SecretValue;

/// The largest file with age identities, in bytes.
const MAX_KEY_FILE: u64 = 1 << 20;

/// The most recipients that a message lists.
const MAX_NAMED: usize = 5;

pub(super) struct DecryptionKeys {
    /// The paths as the operator wrote them, and resolved.
    age_files: Vec<(String, PathBuf)>,
    age: OnceLock<Result<AgeIdentities, SopsError>>,
    #[cfg(feature = "aws")]
    kms: Option<KmsKeys>,
    /// Whether the operator configures KMS keys, which this build does not support.
    #[cfg(not(feature = "aws"))]
    kms: bool,
}

/// No decryption key is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no decryption key is configured")]
struct NoKeys;

impl Explain for NoKeys {
    fn hint(&self) -> Option<String> {
        Some("set `ageKeyFiles` or `awsKms`".to_owned())
    }
}

impl DecryptionKeys {
    pub(super) fn new(
        settings: &SopsSettings,
        operator_dir: &Path,
        environment: &EnvLookup,
    ) -> Result<Self, SettingsError> {
        let (age_files, kms) = (&settings.age_key_files, settings.aws_kms.as_ref());
        #[cfg(not(feature = "aws"))]
        let _ = environment;
        if age_files.is_empty() && kms.is_none() {
            return Err(NoKeys.into());
        }
        Ok(Self {
            age_files: age_files
                .iter()
                .map(|file| (file.display().to_string(), operator_dir.join(file)))
                .collect(),
            age: OnceLock::new(),
            #[cfg(feature = "aws")]
            kms: kms.map(|kms| KmsKeys::new(kms, operator_dir, environment)).transpose()?,
            #[cfg(not(feature = "aws"))]
            kms: kms.is_some(),
        })
    }

    /// Reads the age identities, and logs in to AWS KMS if it is configured.
    ///
    /// # Errors
    /// The keys cannot be used.
    pub(super) fn try_login(&self, deadline: Instant) -> Result<Option<Login>, ProviderError> {
        self.identities()?;
        self.log_in_to_kms(deadline)
    }

    #[cfg(feature = "aws")]
    fn log_in_to_kms(&self, deadline: Instant) -> Result<Option<Login>, ProviderError> {
        self.kms.as_ref().map(|kms| kms.try_login(deadline)).transpose()
    }

    #[cfg(not(feature = "aws"))]
    fn log_in_to_kms(&self, _deadline: Instant) -> Result<Option<Login>, ProviderError> {
        if self.kms { Err(NotBuilt { what: "AWS KMS", feature: "aws" }.error()) } else { Ok(None) }
    }

    /// Decrypts a file's data key.
    pub(super) fn data_key(&self, metadata: &SopsMetadata, deadline: Instant) -> Result<DataKey, SopsError> {
        let mut failed = None;
        for attempt in [Self::decrypt_with_age, Self::decrypt_with_kms] {
            match attempt(self, metadata, deadline) {
                Ok(Some(key)) => return Ok(key),
                Ok(None) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(failed.unwrap_or_else(|| self.no_usable_key(metadata)))
    }

    /// Returns `None` if the provider has no identity for the file's age recipients.
    fn decrypt_with_age(
        &self,
        metadata: &SopsMetadata,
        _deadline: Instant,
    ) -> Result<Option<DataKey>, SopsError> {
        let identities = self.identities()?;
        let mut failed = None;
        for key in metadata.age.iter().filter(|key| identities.has_identity_for(&key.recipient)) {
            match identities.decrypt(&key.recipient, &key.armored).and_then(|bytes| DataKey::new(&bytes)) {
                Some(key) => return Ok(Some(key)),
                None => failed = Some(SopsError::DataKey(key.recipient.clone())),
            }
        }
        failed.map_or(Ok(None), Err)
    }

    /// Returns `None` if the operator allows none of the file's KMS keys.
    #[cfg(feature = "aws")]
    fn decrypt_with_kms(
        &self,
        metadata: &SopsMetadata,
        deadline: Instant,
    ) -> Result<Option<DataKey>, SopsError> {
        let Some(kms) = &self.kms else { return Ok(None) };
        let mut failed = None;
        for key in metadata.kms.iter().filter(|key| kms.allows(key)) {
            let opened = kms
                .decrypt(key, deadline)
                .and_then(|bytes| DataKey::new(&bytes).ok_or_else(|| SopsError::DataKey(key.arn.clone())));
            match opened {
                Ok(key) => return Ok(Some(key)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(None), Err)
    }

    #[cfg(not(feature = "aws"))]
    fn decrypt_with_kms(
        &self,
        metadata: &SopsMetadata,
        _deadline: Instant,
    ) -> Result<Option<DataKey>, SopsError> {
        if self.kms && !metadata.kms.is_empty() {
            return Err(SopsError::Aws(NotBuilt { what: "AWS KMS", feature: "aws" }.error()));
        }
        Ok(None)
    }

    fn identities(&self) -> Result<&AgeIdentities, SopsError> {
        self.age.get_or_init(|| read_identities(&self.age_files)).as_ref().map_err(SopsError::clone)
    }

    fn no_usable_key(&self, metadata: &SopsMetadata) -> SopsError {
        let file =
            metadata.age.iter().map(|key| key.recipient.as_str()).filter(|text| is_age_recipient(text));
        let file = file
            .chain(metadata.kms.iter().filter_map(KmsKey::shown_arn))
            .chain(metadata.skipped.iter().copied());
        let age = self.identities().map(|age| age.recipients().collect()).unwrap_or_default();
        let ours = self.key_list(age);
        let skipped = if metadata.skipped.is_empty() {
            String::new()
        } else {
            format!("; {} keys are not supported here", metadata.skipped.join(", "))
        };
        SopsError::NoUsableKey { file: quoted_list(&file.collect::<Vec<_>>()), ours, skipped }
    }

    #[cfg(feature = "aws")]
    fn key_list<'a>(&'a self, mut ours: Vec<&'a str>) -> String {
        ours.extend(self.kms.iter().flat_map(KmsKeys::patterns));
        quoted_list(&ours)
    }

    #[cfg(not(feature = "aws"))]
    #[expect(clippy::needless_pass_by_value, clippy::unused_self, reason = "the same as with AWS")]
    fn key_list(&self, ours: Vec<&str>) -> String {
        quoted_list(&ours)
    }
}

fn quoted_list(all: &[&str]) -> String {
    let mut list: Vec<String> = all.iter().take(MAX_NAMED).map(|name| format!("`{name}`")).collect();
    if all.len() > MAX_NAMED {
        list.push(format!("{} more", all.len() - MAX_NAMED));
    }
    if list.is_empty() { "no known key".to_owned() } else { list.join(", ") }
}

fn read_identities(files: &[(String, PathBuf)]) -> Result<AgeIdentities, SopsError> {
    let mut identities = AgeIdentities::default();
    for (name, path) in files {
        let failed = |why: String| SopsError::AgeKeyFile { what: format!("age key file `{name}`"), why };
        let mut bytes = read_regular_file(path, MAX_KEY_FILE).map_err(|error| {
            failed(match error {
                BoundedReadError::Io(error) => io_reason(error.kind()),
                BoundedReadError::NotRegular => format!("it {NOT_REGULAR_FILE}"),
                BoundedReadError::TooLarge => format!("it is larger than {} MiB", MAX_KEY_FILE >> 20),
            })
        })?;
        let bytes = SecretValue::new(std::mem::take(&mut *bytes));
        identities.add_file(bytes.expose()).map_err(|line| match line {
            0 => failed("it contains no identity".to_owned()),
            line => failed(format!("line {line} is not an X25519 identity")),
        })?;
    }
    Ok(identities)
}
