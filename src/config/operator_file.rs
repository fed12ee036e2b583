//! Reads the operator file and the keys and certificates that it names.

mod error;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sealwave_core::bounded_file::{BoundedReadError, read_regular_file, read_stream};
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, ProblemCollector, ProblemPlace};
use sealwave_core::text::closest_name;
use sealwave_core::yaml::Limits;
use sealwave_kube::schema::KubeVersion;
use sealwave_providers::{AppFiles, ProviderConfig, ProviderRegistry};
use sealwave_secrets::crypto::{Certificate, ChecksumKey, SealKey};
use sealwave_secrets::policy::Policy;
use sealwave_secrets::settings::{API_VERSION, OperatorConfig, SettingPath, SettingsFile};
use sealwave_secrets::values::SecretValue;

use super::{ConfigError, OperatorPath, PathSource, VariableReader};
use error::{MAX_FILE_BYTES, OperatorFileError, UnreadableReason};

/// A parsed operator file.
#[derive(Debug)]
pub struct OperatorFile {
    operator: OperatorConfig<ProviderConfig>,
    file: SettingsFile<'static>,
    path: PathBuf,
    directory: PathBuf,
}

impl OperatorFile {
    /// Reads an operator file.
    ///
    /// # Errors
    /// The file cannot be read, or is not an operator file.
    pub fn read(path: &OperatorPath) -> Result<Self, Failure> {
        let OperatorPath { path, named_by } = path;
        let shown = path.display().to_string();
        let bytes = read_bounded(path, *named_by).map_err(|error| Problem::new(&error))?;
        let file = SettingsFile::new(&shown, bytes.expose().to_vec(), Limits::default());
        let operator: OperatorConfig<ProviderConfig> =
            file.read().map_err(|failure| foreign_file(&file, &shown).unwrap_or(failure))?;
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let read = Self { operator, file, path: path.clone(), directory: directory.to_path_buf() };
        read.check_header(shown)?;
        read.check_versions()?;
        Ok(read)
    }

    /// Returns the content.
    #[must_use]
    pub const fn operator(&self) -> &OperatorConfig<ProviderConfig> {
        &self.operator
    }

    /// Returns the place of a setting.
    #[must_use]
    pub fn locate(&self, setting: &SettingPath) -> ProblemPlace {
        ProblemPlace::Place(self.file.locate(setting))
    }

    /// Returns the policy.
    ///
    /// # Errors
    /// Returns all problems of the rules, with their places.
    pub fn policy(&self) -> Result<Policy, Failure> {
        Policy::from_operator_file(&self.operator, &|setting| self.locate(setting))
    }

    /// Returns the providers for an app.
    ///
    /// # Errors
    /// Returns all settings that are not valid, with their places.
    pub fn providers(&self, app: &AppFiles, variables: VariableReader) -> Result<ProviderRegistry, Failure> {
        let (providers, protected) = (&self.operator.providers, self.protected_files());
        ProviderRegistry::from_operator_file(
            providers,
            &self.directory,
            &protected,
            app,
            variables,
            &|setting| self.locate(setting),
        )
    }

    /// Returns the directory that its paths are relative to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the files that providers must never read, regardless of their root: this file, the keys and credentials
    /// that it names, and the audit log.
    #[must_use]
    pub fn protected_files(&self) -> Vec<PathBuf> {
        let audit = self.operator.audit.as_ref().and_then(|audit| audit.file.as_ref());
        let named = [self.operator.seal_key_file.as_ref(), self.operator.checksum_key_file.as_ref(), audit];
        let credentials = self.operator.providers.values().flat_map(ProviderConfig::credential_files);
        let named = named.into_iter().flatten().map(PathBuf::as_path).chain(credentials);
        std::iter::once(self.path.clone()).chain(named.map(|file| self.resolve(file))).collect()
    }

    /// Returns where to record each use of a secret: the audit file, and whether to write to standard error.
    #[must_use]
    pub fn audit(&self) -> Option<(Option<PathBuf>, bool)> {
        let audit = self.operator.audit.as_ref()?;
        Some((audit.file.as_ref().map(|file| self.resolve(file)), audit.stderr))
    }

    /// Returns the seal key.
    ///
    /// # Errors
    /// No seal key is configured, or its file is not valid.
    pub fn seal_key(&self) -> Result<SealKey, Failure> {
        let Some(file) = &self.operator.seal_key_file else {
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
        let Some(file) = &self.operator.checksum_key_file else { return Ok(None) };
        let path = self.resolve(file);
        let key = read_bounded(&path, PathSource::OperatorFile).and_then(|bytes| {
            ChecksumKey::from_key_file(bytes.expose())
                .map_err(|error| OperatorFileError::content(&path, &error))
        });
        key.map(Some).map_err(|error| self.failure(&error, &SettingPath::of_keys(&["checksumKeyFile"])))
    }

    /// Returns the certificate of a cluster if it may be used at `now`.
    ///
    /// # Errors
    /// The cluster is unknown, or the certificate cannot be read or used.
    pub fn certificate(
        &self,
        cluster: &str,
        now: SystemTime,
        notes: &mut Vec<Note>,
    ) -> Result<Certificate, Failure> {
        let certificate = self.any_certificate(cluster)?;
        self.check_validity(cluster, &certificate, now, notes)?;
        Ok(certificate)
    }

    /// Checks that the certificate of a cluster may be used at `now`; adds a note about anything unusual that is allowed.
    ///
    /// # Errors
    /// The certificate has expired, and that is not allowed.
    pub fn check_validity(
        &self,
        cluster: &str,
        certificate: &Certificate,
        now: SystemTime,
        notes: &mut Vec<Note>,
    ) -> Result<(), Failure> {
        let Some(config) = self.operator.clusters.get(cluster) else { return Ok(()) };
        let path = self.resolve(&config.certificate.file);
        let mut new_notes = Vec::new();
        certificate
            .check_validity(now, config.certificate.allow_expired, &mut new_notes)
            .map_err(|error| self.certificate_failure(cluster, OperatorFileError::content(&path, &error)))?;
        for note in &mut new_notes {
            note.problem.message = format!("`{}`: {}", path.display(), note.problem.message);
        }
        notes.append(&mut new_notes);
        Ok(())
    }

    /// Returns the certificate of a cluster, whether or not it is valid now.
    ///
    /// # Errors
    /// The cluster is unknown, or the certificate cannot be read.
    pub fn any_certificate(&self, cluster: &str) -> Result<Certificate, Failure> {
        let clusters = &self.operator.clusters;
        let Some(config) = clusters.get(cluster) else {
            let similar = closest_name(cluster, clusters.keys().map(String::as_str)).map(str::to_owned);
            return Err(
                Problem::new(&ConfigError::ClusterUnknown { name: cluster.to_owned(), similar }).into()
            );
        };
        let path = self.resolve(&config.certificate.file);
        certificate_in(&path, PathSource::OperatorFile)
            .map_err(|error| self.certificate_failure(cluster, error))
    }

    /// Returns the certificate of each cluster with its file.
    pub fn certificates(&self) -> impl Iterator<Item = (&str, PathBuf, Result<Certificate, Failure>)> {
        self.operator.clusters.iter().map(|(name, cluster)| {
            (name.as_str(), self.resolve(&cluster.certificate.file), self.any_certificate(name))
        })
    }

    /// Checks that the certificates of all clusters can be read.
    ///
    /// # Errors
    /// Returns the problems of all certificates.
    pub fn check_certificates(&self) -> Result<(), Failure> {
        let mut problems = ProblemCollector::default();
        let failed = self.certificates().filter_map(|(.., certificate)| certificate.err());
        failed.for_each(|failure| problems.absorb(failure));
        problems.check()
    }

    /// Returns the Kubernetes version of a cluster, or the nearest one with known schemas.
    #[must_use]
    pub fn kube_version(&self, cluster: &str) -> Option<KubeVersion> {
        // Validated when the file was read.
        KubeVersion::parse_nearest(self.operator.clusters.get(cluster)?.kube_version.as_deref()?).ok()
    }

    /// Returns the path of a file that the operator file names.
    fn resolve(&self, file: &Path) -> PathBuf {
        if self.directory == Path::new(".") { file.to_owned() } else { self.directory.join(file) }
    }

    fn check_header(&self, path: String) -> Result<(), Failure> {
        let OperatorConfig { api_version, kind, .. } = &self.operator;
        let (key, error) = if api_version != API_VERSION {
            ("apiVersion", OperatorFileError::ApiVersion { path, found: api_version.clone() })
        } else if kind != "Operator" {
            ("kind", OperatorFileError::Kind { path, found: kind.clone() })
        } else {
            return Ok(());
        };
        Err(self.failure(&error, &SettingPath::of_keys(&[key])))
    }

    /// Checks that the `kubeVersion` of each cluster is a version of Kubernetes.
    fn check_versions(&self) -> Result<(), Failure> {
        for (name, cluster) in &self.operator.clusters {
            let Some(text) = &cluster.kube_version else { continue };
            if let Err(error) = KubeVersion::parse_nearest(text) {
                let (reason, hint) = (error.to_string(), error.hint());
                let error = OperatorFileError::KubeVersion { cluster: name.clone(), reason, hint };
                return Err(self.failure(&error, &SettingPath::of_keys(&["clusters", name, "kubeVersion"])));
            }
        }
        Ok(())
    }

    fn certificate_failure(&self, cluster: &str, error: OperatorFileError) -> Failure {
        let error = OperatorFileError::Certificate { cluster: cluster.to_owned(), error: Box::new(error) };
        self.failure(&error, &SettingPath::of_keys(&["clusters", cluster, "certificate", "file"]))
    }

    fn failure(&self, error: &OperatorFileError, setting: &SettingPath) -> Failure {
        Problem { at: self.locate(setting), ..Problem::new(error) }.into()
    }
}

/// Returns the error for a file of another kind, whose unknown fields would hide it.
fn foreign_file(file: &SettingsFile<'_>, path: &str) -> Option<Failure> {
    let [root] = file.documents().ok()? else { return None };
    let kind = root.get("kind")?;
    let found = kind.as_str().filter(|found| *found != "Operator")?.to_owned();
    let at = ProblemPlace::Place(file.location(kind.origin));
    Some(Problem { at, ..Problem::new(&OperatorFileError::Kind { path: path.to_owned(), found }) }.into())
}

/// Reads a PEM certificate from a file given as an argument; `-` means standard input.
///
/// # Errors
/// The file cannot be read, or has no usable certificate.
pub(crate) fn read_certificate(path: &Path) -> Result<Certificate, Failure> {
    let certificate = if path == Path::new("-") {
        read_stream(std::io::stdin(), MAX_FILE_BYTES)
            .map_err(|error| OperatorFileError::refused(path, PathSource::Argument, error))
            .and_then(|pem| {
                Certificate::from_pem(&pem).map_err(|error| OperatorFileError::content(path, &error))
            })
    } else {
        certificate_in(path, PathSource::Argument)
    };
    certificate.map_err(|error| Problem::new(&error).into())
}

fn certificate_in(path: &Path, named_by: PathSource) -> Result<Certificate, OperatorFileError> {
    Certificate::from_pem(read_bounded(path, named_by)?.expose())
        .map_err(|error| OperatorFileError::content(path, &error))
}

fn read_bounded(path: &Path, named_by: PathSource) -> Result<SecretValue, OperatorFileError> {
    let bytes = read_regular_file(path, MAX_FILE_BYTES);
    let mut bytes = bytes.map_err(|error| OperatorFileError::refused(path, named_by, error))?;
    Ok(SecretValue::new(std::mem::take(&mut *bytes)))
}

impl OperatorFileError {
    fn content(path: &Path, error: &dyn Explain) -> Self {
        Self::Content { path: path.display().to_string(), reason: error.to_string(), hint: error.hint() }
    }

    fn refused(path: &Path, named_by: PathSource, error: BoundedReadError) -> Self {
        let path = path.display().to_string();
        match error {
            BoundedReadError::Io(error) => Self::Unreadable { path, named_by, reason: error.into() },
            BoundedReadError::NotRegular => {
                Self::Unreadable { path, named_by, reason: UnreadableReason::NotRegular }
            }
            BoundedReadError::TooLarge => Self::TooLarge { path },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn permission_errors_differ_from_missing_files() {
        let failure = |kind| {
            let error = BoundedReadError::Io(std::io::Error::from(kind));
            Problem::new(&OperatorFileError::refused(Path::new("key"), PathSource::OperatorFile, error))
        };
        let denied = failure(ErrorKind::PermissionDenied);
        assert_eq!(denied.message, "`key` cannot be read: permission denied");
        assert_eq!(denied.hint.as_deref(), Some("the user that runs sealwave needs read permission"));
        let missing = failure(ErrorKind::NotFound);
        assert_eq!(missing.message, "`key` cannot be read: file not found");
        assert_eq!(missing.hint, Some(PathSource::OperatorFile.hint()));
    }
}
