//! The provider: files of the app, decrypted and checked.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Instant;

use super::document::SopsDocument;
use super::format;
use super::keys::DecryptionKeys;
use super::metadata::SopsMetadata;
use super::settings::SopsSettings;
use crate::fetched::with_evidence;
use crate::file::{path_problem, read_regular};
use crate::{
    AppDetails, CreateProvider, Evidence, FetchResult, FetchedValue, Login, Provider, ProviderContext,
    ProviderError, SettingsError,
};
use sealwave_core::diagnostic::{LEAVES_REPOSITORY, io_reason};
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::values::SecretValue;

impl CreateProvider for SopsSettings {
    fn create(&self, _name: &str, context: &ProviderContext<'_>) -> Result<Box<dyn Provider>, SettingsError> {
        let keys = DecryptionKeys::new(self, context.operator_dir, context.environment)?;
        Ok(Box::new(SopsProvider { app: context.app.clone(), keys }))
    }
}

struct SopsProvider {
    app: AppDetails,
    keys: DecryptionKeys,
}

/// A decrypted file and the digest of its encrypted form.
struct DecryptedFile {
    document: SopsDocument,
    evidence: Evidence,
}

impl SopsProvider {
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
    fn try_login(&self, deadline: Instant) -> Result<Option<Login>, ProviderError> {
        self.keys.try_login(deadline)
    }

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
