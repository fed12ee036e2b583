//! `<sops:secrets/db.enc.yaml#password>`: files of the app's own repository, encrypted with SOPS.
//!
//! The path is taken literally, below the directory of the app file. What it leads to must, after all symbolic links,
//! still lie in the repository and be a regular file. A key is looked for as it is first, then as a way down joined
//! with dots, where items of lists count from 0; without a key, only a binary file has a value.
//!
//! Whoever can commit can also copy another team's encrypted file. What keeps teams apart is the key: give each an
//! instance of this provider with its own keys, and allow it to that team's projects alone.
//!
//! Anybody can encrypt to a public age recipient. A committer who may not decrypt could put a guess in the place of a
//! file and compare the sealed text with the one that is deployed; so the SHA-256 of the whole encrypted file is part of
//! what sealed texts and checksums are made from ([`Evidence`]). Nothing less will do: the MAC covers no keys,
//! and which values it covers is up to metadata that nothing covers. The price: where a file is edited, rotated or given
//! another recipient, all that is taken from it is sealed anew, and what reads that restarts once, even where the values
//! are the same. Values that change apart are better kept in files of their own.

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

use self::document::Document;
use self::keys::Keys;
use self::metadata::Metadata;
use super::fetched::from_file;
use super::file::{path_fault, read_regular};
use super::{
    AppFiles, Environment, Evidence, FetchResult, Fetched, Provider, ProviderConfigError, ProviderError,
};
use sealwave_secrets::placeholder::Reference;
use sealwave_secrets::settings::AwsKms;
use sealwave_secrets::values::SecretValue;

pub(super) struct Sops {
    app: AppFiles,
    keys: Keys,
}

/// A file that was decrypted, and the digest of its encrypted form.
struct Opened {
    document: Document,
    evidence: Evidence,
}

impl Sops {
    pub(super) fn new(
        provider: &str,
        age_key_files: &[PathBuf],
        aws_kms: Option<&AwsKms>,
        operator_dir: &Path,
        app: &AppFiles,
        environment: &Environment,
    ) -> Result<Self, ProviderConfigError> {
        Ok(Self {
            app: app.clone(),
            keys: Keys::new(provider, age_key_files, aws_kms, operator_dir, environment)?,
        })
    }

    fn open(&self, path: &str, deadline: Instant) -> Result<Opened, ProviderError> {
        let content = self.read(path)?;
        let parsed = format::parse(path, content.expose())?;
        let metadata = Metadata::read(&parsed.metadata)?;
        let key = self.keys.data_key(&metadata, deadline)?;
        let document = Document::open(&parsed, &metadata, &key)?;
        Ok(Opened { document, evidence: Evidence::of(content.expose()) })
    }

    fn read(&self, path: &str) -> Result<SecretValue, ProviderError> {
        if let Some(why) = path_fault(path) {
            return Err(ProviderError::invalid(
                why,
                "write the path below the app's directory, for example `secrets/db.enc.yaml`",
            ));
        }
        let directory = fs_err::canonicalize(&self.app.directory).map_err(|error| {
            ProviderError::unreachable(
                format!("the app cannot be opened ({})", error.kind()),
                "see to the file system",
            )
        })?;
        let real = fs_err::canonicalize(directory.join(path)).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => ProviderError::not_found(
                "there is no such file in the app",
                "the path is relative to the directory of `sealwave.yaml`",
            ),
            kind => ProviderError::unreachable(
                format!("the file cannot be read ({kind})"),
                "see to the file system",
            ),
        })?;
        if !real.starts_with(&self.app.boundary) {
            return Err(ProviderError::denied(
                "a symbolic link leads out of the repository",
                "put the file itself into the repository; where Argo CD sends only a part of it, name the file's directory in \
                 `argocd.argoproj.io/manifest-generate-paths`",
            ));
        }
        read_regular(&real)
    }
}

impl Provider for Sops {
    fn fetch(&self, references: &[&Reference], deadline: Instant) -> Vec<FetchResult> {
        let mut opened: BTreeMap<&str, Result<Opened, ProviderError>> = BTreeMap::new();
        let mut answers = Vec::with_capacity(references.len());
        for reference in references {
            if reference.version.is_some() {
                answers.push(Err(ProviderError::invalid(
                    "a file has no versions",
                    "leave the version out; the commit that is deployed says which one it is",
                )));
                continue;
            }
            let file = opened.entry(&reference.path).or_insert_with(|| self.open(&reference.path, deadline));
            answers.push(match file {
                Ok(Opened { document, evidence }) => {
                    let answer = if reference.all_keys {
                        document.entries().map(Fetched::from)
                    } else {
                        document
                            .value(reference.key.as_deref())
                            .map(Fetched::from)
                            .map_err(ProviderError::from)
                    };
                    from_file(answer, *evidence)
                }
                Err(error) => Err(error.clone()),
            });
        }
        answers
    }
}

#[cfg(test)]
mod tests;
