//! The rule of each kind of problem that the stages of an app report.

use super::{argocd, resource, schema, secret, wave, yaml};
use crate::rule::Rule;
use sealwave_core::diagnostic::ProblemKind;

/// Returns the rule that a problem of a kind is reported under.
pub(crate) const fn rule_of(kind: ProblemKind) -> &'static Rule {
    match kind {
        ProblemKind::ArgoCdAnnotation => &argocd::annotation::RULE,
        ProblemKind::BadBase64 => &secret::bad_base64::RULE,
        ProblemKind::ClusterScopedWithNamespace => &resource::cluster_scoped_with_namespace::RULE,
        ProblemKind::Configuration => &schema::CONFIGURATION,
        ProblemKind::DuplicateKey | ProblemKind::MissingSeparator => &yaml::DUPLICATE_KEY,
        ProblemKind::EncryptedLeftover => &secret::encrypted_leftover::RULE,
        ProblemKind::InvalidKey => &secret::invalid_key::RULE,
        ProblemKind::LateConfiguration => &wave::late_configuration::RULE,
        ProblemKind::Manifest => &schema::MANIFEST,
        ProblemKind::PreSyncNeedsLater => &wave::presync_needs_sealed::RULE,
        ProblemKind::SecretIsHook => &wave::secret_is_hook::RULE,
        ProblemKind::ShadowedKey => &secret::shadowed_key::RULE,
        ProblemKind::Syntax => &yaml::SYNTAX,
        ProblemKind::TlsPair => &secret::tls_pair::RULE,
        ProblemKind::TypeKeys => &secret::type_keys::RULE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_rules_that_their_pages_name() {
        for (kind, id) in [
            (ProblemKind::ArgoCdAnnotation, "argocd/annotation"),
            (ProblemKind::BadBase64, "secret/bad-base64"),
            (ProblemKind::ClusterScopedWithNamespace, "resource/cluster-scoped-with-namespace"),
            (ProblemKind::Configuration, "schema/configuration"),
            (ProblemKind::DuplicateKey, "yaml/duplicate-key"),
            (ProblemKind::EncryptedLeftover, "secret/encrypted-leftover"),
            (ProblemKind::InvalidKey, "secret/invalid-key"),
            (ProblemKind::LateConfiguration, "wave/late-configuration"),
            (ProblemKind::Manifest, "schema/manifest"),
            (ProblemKind::MissingSeparator, "yaml/duplicate-key"),
            (ProblemKind::PreSyncNeedsLater, "wave/presync-needs-sealed"),
            (ProblemKind::SecretIsHook, "wave/secret-is-hook"),
            (ProblemKind::ShadowedKey, "secret/shadowed-key"),
            (ProblemKind::Syntax, "yaml/syntax"),
            (ProblemKind::TlsPair, "secret/tls-pair"),
            (ProblemKind::TypeKeys, "secret/type-keys"),
        ] {
            assert_eq!(rule_of(kind).info.id, id);
        }
    }
}
