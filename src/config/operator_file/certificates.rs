//! Certificates: those of the clusters of the operator file, and those in files given as arguments.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::bounded::read_bounded;
use super::error::{MAX_FILE_BYTES, OperatorFileError};
use super::file::OperatorFile;
use crate::config::{ConfigError, PathSource};
use sealwave_core::bounded_file::read_stream;
use sealwave_core::diagnostic::{Failure, Note, Problem, ProblemCollector};
use sealwave_core::text::closest_name;
use sealwave_secrets::crypto::Certificate;
use sealwave_secrets::settings::SettingPath;

impl OperatorFile {
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
        let Some(config) = self.operator().clusters.get(cluster) else { return Ok(()) };
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
        let clusters = &self.operator().clusters;
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
        self.operator().clusters.iter().map(|(name, cluster)| {
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

    fn certificate_failure(&self, cluster: &str, error: OperatorFileError) -> Failure {
        let error = OperatorFileError::Certificate { cluster: cluster.to_owned(), error: Box::new(error) };
        self.failure(&error, &SettingPath::of_keys(&["clusters", cluster, "certificate", "file"]))
    }
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
