//! Reasons for which a `SecretProviderClass` cannot express a Secret or an item.

use crate::backends::refusal::{Advice, CommonReason, RefusalReason};

/// A reason of this backend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ProviderClassReason {
    #[error(transparent)]
    Common(#[from] CommonReason),
    #[error("it takes all keys of `{reference}`, but the driver reads keys only by name")]
    AllKeys { reference: String },
    #[error("the ARN in `{reference}` does not belong to {expected}")]
    Arn { reference: String, expected: String },
    #[error("the driver cannot create an immutable Secret")]
    Immutable,
    #[error("the version of the KV engine for `{reference}` is unknown")]
    KvVersion { reference: String },
    #[error(
        "its placeholders read `{first}` and `{second}`, but text can be joined from only one remote object"
    )]
    ManyObjects { first: String, second: String },
    #[error("its placeholders need different providers or regions of the driver: `{first}` and `{second}`")]
    ManyProviders { first: String, second: String },
    #[error("`{reference}` has no `#key`, but the driver reads only single keys from Vault")]
    NoKey { reference: String },
    #[error("no pod in this output uses it, but the driver creates a Secret only while a pod mounts it")]
    NoPod,
    #[error("the driver splits PEM text of type `{0}` in its own way")]
    PemType(String),
    #[error("the volume cannot be added to the pod spec of {workload}")]
    PodSpec { workload: String },
    #[error("{workload} pulls its image with it before the pod can mount volumes")]
    PullSecret { workload: String },
    #[error("the text around a value from Vault cannot be joined with it")]
    TextAroundVault,
    #[error("the whole value of `{reference}` cannot be part of a longer text")]
    WholeInText { reference: String },
    #[error("`{reference}` is a path into a field, but the driver reads only whole fields from Vault")]
    WithinField { reference: String },
}

impl RefusalReason for ProviderClassReason {
    fn advice(&self) -> Advice {
        Advice::FixOrSeal(match self {
            Self::Common(reason) => return reason.advice(),
            Self::AllKeys { .. } => "name each key in `stringData`, or use the backend `external-secrets`",
            Self::Arn { .. } => {
                return Advice::Fix("correct the ARN, or the settings in sealwave.yaml".to_owned());
            }
            Self::Immutable => "remove `immutable`",
            Self::KvVersion { .. } => {
                return Advice::Fix(
                    "set `kvVersion`, or `mounts` such as `{secret: 2, team/kv: 1}`, for this provider under `secretsStoreCsi.providers` in sealwave.yaml"
                        .to_owned(),
                );
            }
            Self::ManyObjects { .. } => {
                "keep both values in one JSON secret, or use the backend `external-secrets`"
            }
            Self::ManyProviders { .. } => "split the Secret",
            Self::NoKey { .. } => "add `#key`",
            Self::NoPod | Self::PemType(_) | Self::PullSecret { .. } => {
                "use the backend `external-secrets` for it"
            }
            Self::PodSpec { .. } => {
                return Advice::Fix("`volumes`, `containers` and `volumeMounts` must be lists".to_owned());
            }
            Self::TextAroundVault => {
                "store the whole text under one key, or use the backend `external-secrets`"
            }
            Self::WholeInText { .. } => {
                "keep the value under a key of a JSON secret, or use the backend `external-secrets`"
            }
            Self::WithinField { .. } => {
                "store the value as a field of its own, or use the backend `external-secrets`"
            }
        })
    }
}
