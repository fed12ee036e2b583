//! Reading the operator file and the keys and certificates that it names.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::crypto::{Certificate, ChecksumKey, SealKey};
use crate::diagnostic::{Explain, Failure, Note, Problem};
use crate::model::{API_VERSION, Cluster, Operator, ProviderConfig, SecretValue};
use crate::yaml;

use super::ConfigError;

/// Keys and certificates are small; whatever is larger is something else.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// An operator file that was read.
#[derive(Debug)]
pub struct OperatorFile {
    operator: Operator,
    path: PathBuf,
    directory: PathBuf,
}

/// Why the operator file, or a file that it names, cannot be used.
#[derive(Debug, thiserror::Error)]
enum OperatorFileError {
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("`{path}` is larger than {MAX_FILE_BYTES} bytes")]
    TooLarge { path: String },
    #[error("`{path}` has `apiVersion: {found}`, expected `{API_VERSION}`")]
    ApiVersion { path: String, found: String },
    #[error("`{path}` has `kind: {found}`, expected `Operator`")]
    Kind { path: String, found: String },
    #[error("`{path}`: {reason}")]
    Content { path: String, reason: String, hint: Option<String> },
}

impl Explain for OperatorFileError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => {
                Some("paths in the operator file are relative to its directory".to_owned())
            }
            Self::Content { hint, .. } => hint.clone(),
            Self::ApiVersion { .. } | Self::Kind { .. } | Self::TooLarge { .. } => None,
        }
    }
}

impl OperatorFile {
    /// Reads an operator file.
    ///
    /// # Errors
    /// It cannot be read, or is not an operator file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let bytes = bounded(path)?;
        let operator: Operator = yaml::read_config(bytes.expose(), &shown)?;
        let wrong = |error: OperatorFileError| Failure::from(Problem::new(&error));
        if operator.api_version != API_VERSION {
            return Err(wrong(OperatorFileError::ApiVersion { path: shown, found: operator.api_version }));
        }
        if operator.kind != "Operator" {
            return Err(wrong(OperatorFileError::Kind { path: shown, found: operator.kind }));
        }
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok(Self { operator, path: path.to_path_buf(), directory: directory.to_path_buf() })
    }

    /// What it says.
    #[must_use]
    pub const fn operator(&self) -> &Operator {
        &self.operator
    }

    /// The directory that its paths are relative to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The files that no provider may read, whatever its root: this file, the keys and credentials that it names, and the
    /// audit.
    #[must_use]
    pub fn protected_files(&self) -> Vec<PathBuf> {
        let audit = self.operator.audit.as_ref().and_then(|audit| audit.file.as_ref());
        let named = [self.operator.seal_key_file.as_ref(), self.operator.checksum_key_file.as_ref(), audit];
        let credentials = self.operator.providers.values().flat_map(ProviderConfig::credential_files);
        let named = named.into_iter().flatten().map(PathBuf::as_path).chain(credentials);
        std::iter::once(self.path.clone()).chain(named.map(|file| self.directory.join(file))).collect()
    }

    /// Where each use of a secret is to be written down: the file, and whether on standard error.
    #[must_use]
    pub fn audit(&self) -> Option<(Option<PathBuf>, bool)> {
        let audit = self.operator.audit.as_ref()?;
        Some((audit.file.as_ref().map(|file| self.directory.join(file)), audit.stderr))
    }

    /// The seal key.
    ///
    /// # Errors
    /// None is named, or its file does not hold one.
    pub fn seal_key(&self) -> Result<SealKey, Failure> {
        let Some(file) = &self.operator.seal_key_file else {
            return Err(Problem::new(&ConfigError::NoSealKey).into());
        };
        let path = self.directory.join(file);
        SealKey::from_file(bounded(&path)?.expose()).map_err(|error| content(&path, &error))
    }

    /// The key of checksums: the one in a file of its own, else derived from the seal key.
    ///
    /// # Errors
    /// The file does not hold a key.
    pub fn checksum_key(&self, seal_key: &SealKey) -> Result<ChecksumKey, Failure> {
        let Some(file) = &self.operator.checksum_key_file else { return Ok(seal_key.checksum_key()) };
        let path = self.directory.join(file);
        ChecksumKey::from_key_file(bounded(&path)?.expose()).map_err(|error| content(&path, &error))
    }

    /// The certificate of a cluster, if it may be used at `now`.
    ///
    /// # Errors
    /// The cluster is unknown; the certificate cannot be read or used.
    pub fn certificate(
        &self,
        cluster: &str,
        now: SystemTime,
        notes: &mut Vec<Note>,
    ) -> Result<Certificate, Failure> {
        let (path, allow_expired) = self.certificate_source(cluster)?;
        let certificate = read_certificate(&path)?;
        let mut said = Vec::new();
        certificate.check_validity(now, allow_expired, &mut said).map_err(|error| content(&path, &error))?;
        for note in &mut said {
            note.problem.message = format!("`{}`: {}", path.display(), note.problem.message);
        }
        notes.append(&mut said);
        Ok(certificate)
    }

    /// The certificate file of each cluster.
    pub fn certificate_files(&self) -> impl Iterator<Item = (&str, PathBuf)> {
        let clusters = self.operator.clusters.iter();
        clusters.map(|(name, cluster)| (name.as_str(), self.directory.join(&cluster.certificate.file)))
    }

    fn certificate_source(&self, cluster: &str) -> Result<(PathBuf, bool), Failure> {
        let clusters = &self.operator.clusters;
        let Some(Cluster { certificate }) = clusters.get(cluster) else {
            let known = super::name_list(clusters.keys());
            return Err(Problem::new(&ConfigError::ClusterUnknown { name: cluster.to_owned(), known }).into());
        };
        Ok((self.directory.join(&certificate.file), certificate.allow_expired))
    }
}

/// Reads a PEM certificate from a file.
///
/// # Errors
/// It cannot be read, or holds no usable certificate.
pub(crate) fn read_certificate(path: &Path) -> Result<Certificate, Failure> {
    Certificate::from_pem(bounded(path)?.expose()).map_err(|error| content(path, &error))
}

fn content(path: &Path, error: &dyn Explain) -> Failure {
    let error = OperatorFileError::Content {
        path: path.display().to_string(),
        reason: error.to_string(),
        hint: error.hint(),
    };
    Problem::new(&error).into()
}

fn bounded(path: &Path) -> Result<SecretValue, Failure> {
    use std::io::Read as _;

    let shown = || path.display().to_string();
    let failed = |error: std::io::Error| {
        let reason = error.kind().to_string();
        Failure::from(Problem::new(&OperatorFileError::Unreadable { path: shown(), reason }))
    };
    let file = fs_err::File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        let reason = "not a regular file".to_owned();
        return Err(Problem::new(&OperatorFileError::Unreadable { path: shown(), reason }).into());
    }
    let mut bytes = Vec::with_capacity(8192);
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    let bytes = SecretValue::new(bytes);
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Problem::new(&OperatorFileError::TooLarge { path: shown() }).into());
    }
    Ok(bytes)
}
