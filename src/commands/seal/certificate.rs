//! The certificate that `seal` uses: the only place that decides it.

use super::error::SealError;
use crate::cli::SealCertificateArgs;
use crate::config::{self, OperatorFile, VariableReader};
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_core::document::display_path;
use sealwave_core::text::closest_name;
use sealwave_secrets::crypto::{Certificate, CertificateError};

/// A certificate that may be used now.
pub(in crate::commands) struct SealingCertificate {
    pub(in crate::commands) certificate: Certificate,
    /// The operator file and the name of the cluster, if the certificate is from there. Values of placeholders may be sealed for
    /// no other certificate: the policy decides by the cluster.
    pub(super) operator: Option<(OperatorFile, String)>,
}

impl SealingCertificate {
    /// Reads the certificate of a file or of a cluster of the operator file.
    ///
    /// # Errors
    /// None is given, it cannot be read, or it has expired.
    pub(in crate::commands) fn read(
        args: &SealCertificateArgs,
        variables: VariableReader,
        notes: &mut Vec<Note>,
    ) -> Result<Self, Failure> {
        let now = config::now(variables)?;
        if let Some(path) = &args.cert {
            let certificate = config::read_certificate(path)?;
            let mut new_notes = Vec::new();
            certificate.check_validity(now, args.allow_expired, &mut new_notes).map_err(
                |error| match error {
                    CertificateError::Expired(not_after) => {
                        Problem::new(&SealError::Expired { file: display_path(path), not_after })
                    }
                    error => Problem::new(&error),
                },
            )?;
            for note in &mut new_notes {
                note.problem.message = format!("`{}`: {}", display_path(path), note.problem.message);
            }
            notes.append(&mut new_notes);
            return Ok(Self { certificate, operator: None });
        }
        let path = config::operator_path(args.operator.clone(), variables);
        let operator = OperatorFile::read(&path.ok_or_else(|| Problem::new(&SealError::NoCertificate))?)?;
        let cluster = select_cluster(&operator, args.cluster.as_deref())?;
        let certificate = operator.any_certificate(&cluster)?;
        if args.allow_expired {
            certificate.check_validity(now, true, notes).map_err(|error| Problem::new(&error))?;
        } else {
            operator.check_validity(&cluster, &certificate, now, notes)?;
        }
        Ok(Self { certificate, operator: Some((operator, cluster)) })
    }
}

fn select_cluster(operator: &OperatorFile, flag: Option<&str>) -> Result<String, Failure> {
    let clusters: Vec<&String> = operator.operator().clusters.keys().collect();
    let known = || config::name_list(clusters.iter().copied());
    match (flag, clusters.as_slice()) {
        (Some(name), all) if all.iter().any(|known| *known == name) => Ok(name.to_owned()),
        (Some(name), all) => {
            let similar = closest_name(name, all.iter().map(|name| name.as_str())).map(str::to_owned);
            let error = SealError::UnknownCluster { name: name.to_owned(), similar, known: known() };
            Err(Problem::new(&error).into())
        }
        (None, [only]) => Ok((*only).clone()),
        (None, _) => Err(Problem::new(&SealError::AmbiguousCluster(known())).into()),
    }
}
