//! Errors in the settings of a Kubernetes provider, found before any request is sent.

use sealwave_core::diagnostic::Explain;

/// An error in the settings of a Kubernetes provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum K8sSettingsError {
    /// A namespace is malformed.
    #[error("a name in `namespace` or `namespaces` is not a valid namespace name")]
    BadNamespace,
    /// `context` is set without `kubeconfig`.
    #[error("`context` needs `kubeconfig`")]
    ContextWithoutKubeconfig,
    /// No namespace is set, or both fields are.
    #[error("either `namespace` or `namespaces` is required")]
    NoNamespace,
}

impl Explain for K8sSettingsError {
    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::BadNamespace | Self::NoNamespace => {
                    "`namespace: shop-secrets` reads Secrets from one namespace, `namespaces: [a, b]` from several"
                }
                Self::ContextWithoutKubeconfig => "set `kubeconfig`, or remove `context`",
            }
            .to_owned(),
        )
    }
}
