//! Reads the operator file and the keys and certificates that it names.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sealwave_core::bounded_file::{BoundedReadError, read_regular_file, read_stream};
use sealwave_core::diagnostic::{Explain, Failure, NOT_REGULAR_FILE, Note, Problem, ProblemPlace, io_reason};
use sealwave_core::document::{SourceLocation, display_path};
use sealwave_core::text::closest_name;
use sealwave_kube::schema::KubeVersion;
use sealwave_providers::ProviderConfig;
use sealwave_secrets::crypto::{Certificate, ChecksumKey, SealKey};
use sealwave_secrets::policy::Policy;
use sealwave_secrets::settings::{API_VERSION, ClusterConfig, OperatorConfig, read_config};
use sealwave_secrets::values::SecretValue;

use super::{ConfigError, OPERATOR_VARIABLE, OperatorPath, PathSource};

/// Maximum size of a key or certificate file.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A parsed operator file.
#[derive(Debug)]
pub struct OperatorFile {
    operator: OperatorConfig<ProviderConfig>,
    path: PathBuf,
    directory: PathBuf,
}

/// The reason why the operator file, or a file that it names, cannot be used.
#[derive(Debug, thiserror::Error)]
enum OperatorFileError {
    #[error("{}`{path}` cannot be read: {reason}", if .named_by.is_operator_file() { "operator file " } else { "" })]
    Unreadable { path: String, named_by: PathSource, reason: UnreadableReason },
    #[error("certificate `{path}` of cluster `{cluster}` cannot be read: {}", io_reason(ErrorKind::NotFound))]
    MissingCertificate { path: String, cluster: String },
    #[error("`{path}` is larger than {MAX_FILE_BYTES} bytes")]
    TooLarge { path: String },
    #[error("`{path}` has `apiVersion: {found}`, expected `{API_VERSION}`")]
    ApiVersion { path: String, found: String },
    #[error("`{path}` has `kind: {found}`, expected `Operator`")]
    Kind { path: String, found: String },
    #[error("`{path}`: {reason}")]
    Content { path: String, reason: String, hint: Option<String> },
}

/// The reason why a file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum UnreadableReason {
    #[error("{}", io_reason(*.0))]
    Io(ErrorKind),
    #[error("it {NOT_REGULAR_FILE}")]
    NotRegular,
}

impl From<std::io::Error> for UnreadableReason {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.kind())
    }
}

impl PathSource {
    const fn is_operator_file(self) -> bool {
        matches!(self, Self::Flag | Self::Variable)
    }

    fn hint(self) -> String {
        match self {
            Self::Argument => "the path is relative to the working directory".to_owned(),
            Self::Flag => "`--operator` takes the path of the file itself, for example `--operator /etc/sealwave/operator.yaml`".to_owned(),
            Self::OperatorFile => "paths in the operator file are relative to its directory".to_owned(),
            Self::Variable => format!(
                "`{OPERATOR_VARIABLE}` takes the path of the file itself, for example `/etc/sealwave/operator.yaml`; `--operator FILE` takes precedence"
            ),
        }
    }
}

impl Explain for OperatorFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { reason: UnreadableReason::Io(ErrorKind::PermissionDenied), .. } => {
                Some("the user that runs sealwave needs read permission".to_owned())
            }
            Self::MissingCertificate { path, .. } => Some(format!(
                "{}; `kubeseal --fetch-cert > {path}` saves the certificate of a cluster",
                PathSource::OperatorFile.hint()
            )),
            Self::Unreadable { named_by, .. } => Some(named_by.hint()),
            Self::Content { hint, .. } => hint.clone(),
            Self::ApiVersion { .. } | Self::Kind { .. } | Self::TooLarge { .. } => None,
        }
    }
}

impl OperatorFile {
    /// Reads an operator file.
    ///
    /// # Errors
    /// The file cannot be read, or is not an operator file.
    pub fn read(path: &OperatorPath) -> Result<Self, Failure> {
        let OperatorPath { path, named_by } = path;
        let shown = path.display().to_string();
        let bytes = read_bounded(path, *named_by)?;
        let operator: OperatorConfig<ProviderConfig> = read_config(bytes.expose(), &shown)?;
        let failure = |error: OperatorFileError| Failure::from(Problem::new(&error));
        if operator.api_version != API_VERSION {
            return Err(failure(OperatorFileError::ApiVersion { path: shown, found: operator.api_version }));
        }
        if operator.kind != "Operator" {
            return Err(failure(OperatorFileError::Kind { path: shown, found: operator.kind }));
        }
        check_versions(&operator, path)?;
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Self { operator, path: path.clone(), directory: directory.to_path_buf() })
    }

    /// Returns the content.
    #[must_use]
    pub const fn operator(&self) -> &OperatorConfig<ProviderConfig> {
        &self.operator
    }

    /// Returns the policy.
    ///
    /// # Errors
    /// A rule is not valid.
    pub fn policy(&self) -> Result<Policy, Failure> {
        Policy::from_operator(&self.operator).map_err(|failure| self.located(failure))
    }

    /// Sets the operator file as the place of problems that have none.
    #[must_use]
    pub fn located(&self, failure: Failure) -> Failure {
        let path = display_path(&self.path);
        failure.or_with_place(&ProblemPlace::Place(SourceLocation {
            path,
            line: 0,
            column: 0,
            rendered: None,
        }))
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
        std::iter::once(self.path.clone()).chain(named.map(|file| self.directory.join(file))).collect()
    }

    /// Returns where to record each use of a secret: the audit file, and whether to write to standard error.
    #[must_use]
    pub fn audit(&self) -> Option<(Option<PathBuf>, bool)> {
        let audit = self.operator.audit.as_ref()?;
        Some((audit.file.as_ref().map(|file| self.directory.join(file)), audit.stderr))
    }

    /// Returns the seal key.
    ///
    /// # Errors
    /// No seal key is configured, or its file is not valid.
    pub fn seal_key(&self) -> Result<SealKey, Failure> {
        let Some(file) = &self.operator.seal_key_file else {
            return Err(self.located(Problem::new(&ConfigError::NoSealKey).into()));
        };
        let path = self.directory.join(file);
        SealKey::from_file(read_bounded(&path, PathSource::OperatorFile)?.expose())
            .map_err(|error| content(&path, &error))
    }

    /// Returns the checksum key from its own file, or else derived from the seal key.
    ///
    /// # Errors
    /// The file is not valid.
    pub fn checksum_key(&self, seal_key: &SealKey) -> Result<ChecksumKey, Failure> {
        let Some(file) = &self.operator.checksum_key_file else { return Ok(seal_key.checksum_key()) };
        let path = self.directory.join(file);
        ChecksumKey::from_key_file(read_bounded(&path, PathSource::OperatorFile)?.expose())
            .map_err(|error| content(&path, &error))
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
        let (path, allow_expired) = self.certificate_source(cluster)?;
        let certificate = certificate_of(cluster, &path)?;
        let mut new_notes = Vec::new();
        certificate
            .check_validity(now, allow_expired, &mut new_notes)
            .map_err(|error| content(&path, &error))?;
        for note in &mut new_notes {
            note.problem.message = format!("`{}`: {}", path.display(), note.problem.message);
        }
        notes.append(&mut new_notes);
        Ok(certificate)
    }

    /// Returns the certificate of each cluster with its file.
    ///
    /// # Errors
    /// A certificate cannot be read or used.
    pub fn certificates(&self) -> Result<Vec<(&str, PathBuf, Certificate)>, Failure> {
        let clusters = self.operator.clusters.iter();
        let each = clusters.map(|(name, cluster)| {
            let path = self.directory.join(&cluster.certificate.file);
            let certificate = certificate_of(name, &path)?;
            Ok((name.as_str(), path, certificate))
        });
        each.collect()
    }

    /// Returns the Kubernetes version of a cluster, or the nearest one with known schemas.
    #[must_use]
    pub fn kube_version(&self, cluster: &str) -> Option<KubeVersion> {
        // Validated when the file was read.
        KubeVersion::parse_nearest(self.operator.clusters.get(cluster)?.kube_version.as_deref()?).ok()
    }

    fn certificate_source(&self, cluster: &str) -> Result<(PathBuf, bool), Failure> {
        let clusters = &self.operator.clusters;
        let Some(ClusterConfig { certificate, .. }) = clusters.get(cluster) else {
            let similar = closest_name(cluster, clusters.keys().map(String::as_str)).map(str::to_owned);
            return Err(
                Problem::new(&ConfigError::ClusterUnknown { name: cluster.to_owned(), similar }).into()
            );
        };
        Ok((self.directory.join(&certificate.file), certificate.allow_expired))
    }
}

/// Checks that the `kubeVersion` of each cluster is a version of Kubernetes.
fn check_versions(operator: &OperatorConfig<ProviderConfig>, path: &Path) -> Result<(), Failure> {
    for (name, cluster) in &operator.clusters {
        let Some(text) = &cluster.kube_version else { continue };
        if let Err(error) = KubeVersion::parse_nearest(text) {
            let error = OperatorFileError::Content {
                path: path.display().to_string(),
                reason: format!("`clusters.{name}.kubeVersion`: {error}"),
                hint: error.hint(),
            };
            return Err(Problem::new(&error).into());
        }
    }
    Ok(())
}

/// Reads a PEM certificate from a file given as an argument; `-` means standard input.
///
/// # Errors
/// The file cannot be read, or has no usable certificate.
pub(crate) fn read_certificate(path: &Path) -> Result<Certificate, Failure> {
    if path != Path::new("-") {
        return certificate_in(path, PathSource::Argument);
    }
    let pem = read_stream(std::io::stdin(), MAX_FILE_BYTES)
        .map_err(|error| refused(path, PathSource::Argument, error))?;
    Certificate::from_pem(&pem).map_err(|error| content(path, &error))
}

/// Reads the certificate of a cluster in the operator file.
fn certificate_of(cluster: &str, path: &Path) -> Result<Certificate, Failure> {
    let is_missing = fs_err::metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound);
    if is_missing {
        let error = OperatorFileError::MissingCertificate {
            path: path.display().to_string(),
            cluster: cluster.to_owned(),
        };
        return Err(Problem::new(&error).into());
    }
    certificate_in(path, PathSource::OperatorFile)
}

fn certificate_in(path: &Path, named_by: PathSource) -> Result<Certificate, Failure> {
    Certificate::from_pem(read_bounded(path, named_by)?.expose()).map_err(|error| content(path, &error))
}

fn content(path: &Path, error: &dyn Explain) -> Failure {
    let error = OperatorFileError::Content {
        path: path.display().to_string(),
        reason: error.to_string(),
        hint: error.hint(),
    };
    Problem::new(&error).into()
}

fn read_bounded(path: &Path, named_by: PathSource) -> Result<SecretValue, Failure> {
    let bytes = read_regular_file(path, MAX_FILE_BYTES);
    let mut bytes = bytes.map_err(|error| refused(path, named_by, error))?;
    Ok(SecretValue::new(std::mem::take(&mut *bytes)))
}

fn refused(path: &Path, named_by: PathSource, error: BoundedReadError) -> Failure {
    match error {
        BoundedReadError::Io(error) => unreadable(path, named_by, error.into()),
        BoundedReadError::NotRegular => unreadable(path, named_by, UnreadableReason::NotRegular),
        BoundedReadError::TooLarge => {
            Problem::new(&OperatorFileError::TooLarge { path: path.display().to_string() }).into()
        }
    }
}

fn unreadable(path: &Path, named_by: PathSource, reason: UnreadableReason) -> Failure {
    let path = path.display().to_string();
    Problem::new(&OperatorFileError::Unreadable { path, named_by, reason }).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_errors_differ_from_missing_files() {
        let failure = |kind| {
            let reason = UnreadableReason::from(std::io::Error::from(kind));
            unreadable(Path::new("key"), PathSource::OperatorFile, reason).problems()[0].clone()
        };
        let denied = failure(ErrorKind::PermissionDenied);
        assert_eq!(denied.message, "`key` cannot be read: permission denied");
        assert_eq!(denied.hint.as_deref(), Some("the user that runs sealwave needs read permission"));
        let missing = failure(ErrorKind::NotFound);
        assert_eq!(missing.message, "`key` cannot be read: file not found");
        assert_eq!(missing.hint, Some(PathSource::OperatorFile.hint()));
    }
}
