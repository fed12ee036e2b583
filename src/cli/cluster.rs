//! Arguments of commands that access a cluster.

use std::path::PathBuf;

use clap::{Args, ValueHint};

/// The cluster, and the credentials that kubectl would use.
#[derive(Clone, Debug, Args)]
pub struct ClusterArgs {
    /// Kubeconfig context [default: the current context]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Kubeconfig [env: KUBECONFIG] [default: ~/.kube/config, else the service account of the pod]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
}

/// The sealed-secrets controller of the cluster.
#[derive(Clone, Debug, Args)]
pub struct ControllerArgs {
    /// Service of the sealed-secrets controller.
    #[arg(
        long,
        help = "Service of the sealed-secrets controller [env: SEALED_SECRETS_CONTROLLER_NAME] [default: sealed-secrets-controller or sealed-secrets]",
        value_name = "NAME"
    )]
    pub controller_name: Option<String>,
    /// Namespace of the sealed-secrets controller.
    #[arg(
        long,
        help = "Namespace of the sealed-secrets controller [env: SEALED_SECRETS_CONTROLLER_NAMESPACE] [default: kube-system]",
        value_name = "NAME"
    )]
    pub controller_namespace: Option<String>,
}
