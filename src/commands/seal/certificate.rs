//! The certificate that `seal` uses: the only place that decides it.

use std::time::{Duration, Instant};

use super::error::SealError;
use crate::cli::{SealArgs, SealCertificateArgs};
use crate::commands::cert::controller_names;
use crate::commands::cluster_access;
use crate::config::{self, OperatorFile, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_core::text::closest_name;
use sealwave_operations::certificates::{CertificateSource, FetchedCertificate, UnprotectedFetch};
use sealwave_secrets::crypto::{Certificate, CertificateError};

/// The time that a download may take.
const DOWNLOAD: Duration = Duration::from_secs(30);

/// A certificate that may be used now.
pub(in crate::commands) struct SealingCertificate {
    pub(in crate::commands) certificate: Certificate,
    /// The operator file and the name of the cluster, if the certificate is from there. Values of placeholders may be sealed for
    /// no other certificate: the policy decides by the cluster.
    pub(super) operator: Option<(OperatorFile, String)>,
}

impl SealingCertificate {
    /// Decides the certificate for `seal`: that of the flags; else that of the operator file; else the one that the controller
    /// publishes.
    ///
    /// # Errors
    /// It cannot be read or fetched, or it has expired.
    pub(super) fn decide(
        args: &SealArgs,
        variables: VariableReader,
        watch: &RunWatch,
        notes: &mut Vec<Note>,
    ) -> Result<Self, Failure> {
        let given = &args.certificate;
        let names_controller = args.kube.context.is_some()
            || args.kube.kubeconfig.is_some()
            || args.controller.controller_name.is_some()
            || args.controller.controller_namespace.is_some();
        let has_operator = config::operator_path(given.operator.clone(), variables).is_some();
        if given.cert.is_some() || (has_operator && !names_controller) {
            return Self::read(given, variables, notes);
        }
        if let Some(cluster) = &given.cluster {
            return Err(Problem::new(&SealError::ClusterWithoutOperator(cluster.clone())).into());
        }
        let access = cluster_access(&args.kube, variables);
        let source = CertificateSource::Controller(access, controller_names(&args.controller));
        let fetched = Self::fetch(&source, given.allow_expired, variables, watch.deadline(), notes);
        fetched
            .map_err(|failure| failure.with_advice("`--cert FILE` names a certificate that is already there"))
    }

    /// Fetches a certificate.
    fn fetch(
        source: &CertificateSource,
        allow_expired: bool,
        variables: VariableReader,
        deadline: Instant,
        notes: &mut Vec<Note>,
    ) -> Result<Self, Failure> {
        let FetchedCertificate { certificate, origin, is_unprotected } =
            source.fetch(deadline).map_err(|error| Problem::new(&error))?;
        if is_unprotected {
            notes.push(Note::warning(Problem::new(&UnprotectedFetch)));
        }
        let mut new_notes = Vec::new();
        let valid = certificate.check_validity(config::now(variables)?, allow_expired, &mut new_notes);
        valid.map_err(|error| match error {
            CertificateError::Expired(not_after) => {
                Problem::new(&SealError::Expired { origin: origin.clone(), not_after })
            }
            error => Problem::new(&error),
        })?;
        for note in &mut new_notes {
            note.problem.message = format!("`{origin}`: {}", note.problem.message);
        }
        notes.append(&mut new_notes);
        Ok(Self { certificate, operator: None })
    }

    /// Reads the certificate of a file, an address, or a cluster of the operator file.
    ///
    /// # Errors
    /// None is given, it cannot be read or fetched, or it has expired.
    pub(in crate::commands) fn read(
        args: &SealCertificateArgs,
        variables: VariableReader,
        notes: &mut Vec<Note>,
    ) -> Result<Self, Failure> {
        if let Some(cert) = &args.cert {
            let deadline = Instant::now() + DOWNLOAD;
            let source = CertificateSource::parse(cert);
            return Self::fetch(&source, args.allow_expired, variables, deadline, notes);
        }
        let now = config::now(variables)?;
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
