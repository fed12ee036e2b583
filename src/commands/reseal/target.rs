//! The certificate that items are sealed for: from a file, from the operator file, or as the controller publishes it.

use std::time::Instant;

use crate::cli::{ResealArgs, SealCertificateArgs};
use crate::commands::cert::controller_names;
use crate::commands::seal::certificate::SealingCertificate;
use crate::config::{self, VariableReader};
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_operations::controller::{Controller, ControllerNames};
use sealwave_operations::reseal::{NamedCluster, SealedTree, named_cluster};
use sealwave_providers::ClusterAccess;
use sealwave_secrets::crypto::Certificate;

/// An error of the certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    /// The repository names the cluster, and key files would open the items for it.
    #[error("app file names cluster `{cluster}` for environment `{environment}`")]
    ClusterOfRepository { environment: String, cluster: String },
    /// Neither keys nor a controller are there.
    #[error("neither key files nor a controller can seal the items again")]
    NoEngine,
    /// The controller would seal for another certificate than the pinned one.
    #[error("controller publishes the public key {published}, but the certificate has {pinned}")]
    OtherKey { published: String, pinned: String },
}

impl Explain for TargetError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::ClusterOfRepository { cluster, .. } => {
                format!("everyone who can read secrets there can read the items then; if that is right, pass `--cluster {cluster}`")
            }
            Self::NoEngine => "give key files with `--key`, or a context with `--context`".to_owned(),
            Self::OtherKey { .. } => {
                "check `--context`; if the controller has a new key, pin its certificate with `sealwave cert fetch`"
                    .to_owned()
            }
        })
    }
}

/// The certificate, and the controller if it is needed.
pub(super) struct ResealTarget {
    pinned: Option<Certificate>,
    controller: Option<(ClusterAccess, ControllerNames)>,
}

impl ResealTarget {
    /// Decides the certificate. The controller is needed if it seals the items (`online`), or if no certificate is given.
    ///
    /// # Errors
    /// The given certificate cannot be read or used.
    pub(super) fn decide(
        args: &ResealArgs,
        access: ClusterAccess,
        tree: &SealedTree,
        online: bool,
        variables: VariableReader,
        notes: &mut Vec<Note>,
    ) -> Result<Self, Failure> {
        let given = &args.certificate;
        let named = match &given.cluster {
            Some(_) => None,
            None => named_cluster(&tree.root, tree.paths(), &args.env)?,
        };
        let operator = config::operator_path(given.operator.clone(), variables);
        let pinned = if given.cert.is_some() || operator.is_some() {
            let cluster = match &given.cluster {
                // The certificate of a file is of whatever cluster the user names.
                _ if given.cert.is_some() => None,
                Some(cluster) => Some(cluster.clone()),
                None => named.map(|named| cluster_name(named, online || args.check)).transpose()?,
            };
            let certificate = SealCertificateArgs { cluster, ..given.clone() };
            Some(SealingCertificate::read(&certificate, variables, notes)?.certificate)
        } else {
            None
        };
        let is_needed = online || pinned.is_none() || !args.check && names_cluster(args);
        let controller = is_needed.then(|| (access, controller_names(&args.controller)));
        Ok(Self { pinned, controller })
    }

    /// Passes the certificate and the controller on.
    ///
    /// # Errors
    /// The controller cannot be reached, it publishes another key than the given one, or `work` fails.
    pub(super) fn with_certificate<T>(
        &self,
        deadline: Instant,
        work: impl FnOnce(&Certificate, Option<&Controller<'_>>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Some((access, names)) = &self.controller else {
            return match &self.pinned {
                Some(certificate) => work(certificate, None),
                None => Err(Problem::new(&TargetError::NoEngine).into()),
            };
        };
        let offline = |failure: Failure| {
            failure.with_advice("with `--key FILE` and `--cert FILE`, no cluster is needed")
        };
        let client = access.connect(deadline).map_err(|error| offline(Problem::new(&error).into()))?;
        let controller = names.find(&client).map_err(|error| offline(Problem::new(&error).into()))?;
        let published = controller.certificate().map_err(|error| offline(Problem::new(&error).into()))?;
        if let Some(pinned) = &self.pinned
            && pinned.public_key_sha256() != published.public_key_sha256()
        {
            let [published, pinned] =
                [&published, pinned].map(|certificate| certificate.details().public_key_sha256.clone());
            return Err(Problem::new(&TargetError::OtherKey { published, pinned }).into());
        }
        work(&published, Some(&controller))
    }
}

/// Reports whether the user names a cluster to ask.
pub(super) const fn names_cluster(args: &ResealArgs) -> bool {
    args.cluster.context.is_some()
        || args.cluster.kubeconfig.is_some()
        || args.controller.controller_name.is_some()
        || args.controller.controller_namespace.is_some()
}

/// Returns the cluster of files: that of their app files, by default the name of the environment.
///
/// A controller seals for its own cluster only. With key files, another cluster must be named by a flag if files may change:
/// otherwise, a commit could have the items sealed for a cluster whose secrets others can read.
fn cluster_name(named: NamedCluster, is_safe: bool) -> Result<String, Failure> {
    let NamedCluster { cluster, environment, .. } = named;
    if cluster != environment && !is_safe {
        return Err(Problem::new(&TargetError::ClusterOfRepository { environment, cluster }).into());
    }
    Ok(cluster)
}
