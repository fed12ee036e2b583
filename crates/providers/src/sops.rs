//! `<sops:secrets/db.enc.yaml#password>`: files in the app's own repository, encrypted with SOPS.
//!
//! The path is literal, below the directory of the app file. Its target must, after all symbolic links, still be in the
//! repository and be a regular file. A key is first looked up as one key, then as a path joined with dots, in which list
//! items count from 0; without a key, only a binary file has a value.
//!
//! Committers can copy another team's encrypted file. Keys keep teams apart: give each team an instance of this provider
//! with its own keys, and allow only that team's projects to use it.
//!
//! Anyone can encrypt to a public age recipient. A committer who may not decrypt could replace a file by a guess and
//! compare the sealed text with the deployed one. So the SHA-256 of the whole encrypted file is an input of sealed texts
//! and checksums ([`Evidence`]). Less is not enough: the MAC does not cover keys, and unauthenticated metadata determines
//! the values that it covers. The cost: when a file is edited, rotated or gets another recipient, all values from it are
//! sealed again, and their consumers restart once, even if the values are the same. Keep values that change independently
//! in separate files.

mod document;
mod error;
mod format;
mod ini;
mod keys;
#[cfg(feature = "aws")]
mod kms;
mod metadata;
mod value;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Instant;

use self::document::SopsDocument;
use self::keys::DecryptionKeys;
use self::metadata::SopsMetadata;
use super::fetched::with_evidence;
use super::file::{path_problem, read_regular};
use super::{
    AppFiles, EnvLookup, Evidence, FetchResult, FetchedValue, Provider, ProviderConfigError, ProviderError,
};
use sealwave_core::diagnostic::{LEAVES_REPOSITORY, io_reason};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::settings::AwsKms;
use sealwave_secrets::values::SecretValue;

pub(super) struct SopsProvider {
    app: AppFiles,
    keys: DecryptionKeys,
}

/// A decrypted file and the digest of its encrypted form.
struct DecryptedFile {
    document: SopsDocument,
    evidence: Evidence,
}

impl SopsProvider {
    pub(super) fn new(
        provider: &str,
        age_key_files: &[PathBuf],
        aws_kms: Option<&AwsKms>,
        operator_dir: &Path,
        app: &AppFiles,
        environment: &EnvLookup,
    ) -> Result<Self, ProviderConfigError> {
        Ok(Self {
            app: app.clone(),
            keys: DecryptionKeys::new(provider, age_key_files, aws_kms, operator_dir, environment)?,
        })
    }

    fn open(&self, path: &str, deadline: Instant) -> Result<DecryptedFile, ProviderError> {
        let content = self.read(path)?;
        let parsed = format::parse(path, content.expose())?;
        let metadata = SopsMetadata::read(&parsed.metadata)?;
        let key = self.keys.data_key(&metadata, deadline)?;
        let document = SopsDocument::open(&parsed, &metadata, &key)?;
        Ok(DecryptedFile { document, evidence: Evidence::from_content(content.expose()) })
    }

    fn read(&self, path: &str) -> Result<SecretValue, ProviderError> {
        if let Some(why) = path_problem(path) {
            return Err(ProviderError::invalid(
                why,
                "write the path below the app's directory, for example `secrets/db.enc.yaml`",
            ));
        }
        let directory = fs_err::canonicalize(&self.app.directory).map_err(|error| {
            ProviderError::unreachable(
                format!("the app directory cannot be opened ({})", io_reason(error.kind())),
                "check the file system",
            )
        })?;
        let real = fs_err::canonicalize(directory.join(path)).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => ProviderError::not_found(
                io_reason(ErrorKind::NotFound),
                "the path is relative to the directory of `sealwave.yaml`",
            ),
            kind => ProviderError::unreachable(
                format!("the file cannot be read ({})", io_reason(kind)),
                "check the file system",
            ),
        })?;
        if !real.starts_with(&self.app.boundary) {
            return Err(ProviderError::denied(
                format!("a symbolic link {LEAVES_REPOSITORY}"),
                "put the file itself into the repository; if Argo CD sends only a part of it, add the file's directory to \
                 `argocd.argoproj.io/manifest-generate-paths`",
            ));
        }
        read_regular(&real)
    }
}

impl Provider for SopsProvider {
    fn fetch(&self, references: &[&SecretReference], deadline: Instant) -> Vec<FetchResult> {
        let mut opened: BTreeMap<&str, Result<DecryptedFile, ProviderError>> = BTreeMap::new();
        let mut answers = Vec::with_capacity(references.len());
        for reference in references {
            if reference.version.is_some() {
                answers.push(Err(ProviderError::invalid(
                    "a file has no versions",
                    "omit the version; the deployed commit determines it",
                )));
                continue;
            }
            let file = opened.entry(&reference.path).or_insert_with(|| self.open(&reference.path, deadline));
            answers.push(match file {
                Ok(DecryptedFile { document, evidence }) => {
                    let answer = if reference.all_keys {
                        document.entries().map(FetchedValue::from)
                    } else {
                        document
                            .value(reference.key.as_deref())
                            .map(FetchedValue::from)
                            .map_err(ProviderError::from)
                    };
                    with_evidence(answer, *evidence)
                }
                Err(error) => Err(error.clone()),
            });
        }
        answers
    }
}

#[cfg(test)]
mod tests;
