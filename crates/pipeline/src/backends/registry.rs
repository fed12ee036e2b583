//! The registry of backends, by their kind in the app file.

use std::collections::BTreeMap;

use super::backend::{Backend, ReplacedSecret, UnresolvedSecret};
use super::external_secrets::ExternalSecretsBackend;
use super::sealed_secrets::SealedSecretsBackend;
use super::secrets_store_csi::SecretsStoreCsiBackend;
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::Manifest;
use sealwave_kube::pods::WorkloadKind;
use sealwave_secrets::settings::BackendKind;

/// A backend that stores references. It sees Secrets as committed, without any value.
pub(crate) type ReferenceBackend = dyn Backend<Secret = UnresolvedSecret, Object = Manifest>;

/// A backend, by what it stores.
pub(crate) enum RegisteredBackend {
    /// References; nothing is fetched for it.
    References(&'static ReferenceBackend),
    /// Sealed values. Sealing happens in its stage; the backend sees only the sizes of values.
    SealedValues(&'static SealedSecretsBackend),
}

/// Secrets by the backend that replaced them.
pub(crate) type ReplacedSecrets = BTreeMap<BackendKind, Vec<ReplacedSecret>>;

/// Returns the backend of a kind.
pub(crate) const fn backend(kind: BackendKind) -> RegisteredBackend {
    match kind {
        BackendKind::ExternalSecrets => RegisteredBackend::References(&ExternalSecretsBackend),
        BackendKind::SealedSecrets => RegisteredBackend::SealedValues(&SealedSecretsBackend),
        BackendKind::SecretsStoreCsi => RegisteredBackend::References(&SecretsStoreCsiBackend),
    }
}

/// Lets each backend change the other objects for the Secrets that it replaced, and returns all problems.
pub(crate) fn after_build(
    replaced: &ReplacedSecrets,
    objects: &mut [Manifest],
    workloads: &[WorkloadKind],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (kind, secrets) in replaced {
        let result = match backend(*kind) {
            RegisteredBackend::References(backend) => backend.after(secrets, objects, workloads),
            RegisteredBackend::SealedValues(backend) => backend.after(secrets, objects, workloads),
        };
        problems.extend(result.err().into_iter().flatten());
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_fetched_exactly_for_backends_that_store_them() {
        for kind in BackendKind::ALL {
            let stores_values = matches!(backend(kind), RegisteredBackend::SealedValues(_));
            assert_eq!(kind.needs_values(), stores_values, "{kind}");
        }
    }
}
