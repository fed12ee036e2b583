//! The rules of `validate`, each in a file of its own.
//!
//! A rule is a pure function from objects to findings. It reads trees, never files, and must never put the value of a
//! scalar into a message: a finding has a position, and other code decides whether an excerpt may be shown there.
//! A new rule needs a file, a line in the table, and a directory `testdata/lints/<group>-<name>` with a bad example
//! whose spans are marked, a good one, and a near miss.

pub(crate) mod api;
pub(crate) mod app;
mod argocd;
mod cert_manager;
mod config;
pub(crate) mod credential;
mod csi;
pub(crate) mod document;
mod embedded;
pub(crate) mod embedded_pods;
mod environment;
mod external_secrets;
mod field_checks;
mod fields;
mod go_template;
mod image;
mod inventory;
mod later_stage;
pub(crate) mod metadata;
mod neighbors;
mod operator;
mod pages;
mod placement;
mod pods;
mod policy;
mod ports;
mod presence;
mod problem_kinds;
mod rbac;
mod reference;
mod reporter;
pub(crate) mod resource;
mod rollout;
mod scene;
pub(crate) mod schema;
pub(crate) mod seal;
mod secret;
mod selectors;
pub(crate) mod suppression;
mod wave;
mod workload;
mod yaml;

use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

pub(crate) use credential::files::{CredentialFileFormat, credential_file_format as form_of_file};
pub use credential::looks_like_credential;
pub(crate) use embedded_pods::{EmbeddedObject, EmbeddedPod};
pub(crate) use environment::same_secret::{EnvironmentSecrets, SecretPath, shared_paths};
pub(crate) use inventory::Inventory;
pub(crate) use later_stage::LaterStage;
pub use neighbors::NeighborApps;
pub(crate) use neighbors::NeighborObject;
pub use operator::OperatorView;
pub use pages::{explain_rule, format_list, format_rules_page, rules_matching};
pub(crate) use problem_kinds::rule_of;
pub(crate) use reporter::{FindingDraft, FindingSubject, Reporter};
pub use scene::RuleSettings;
pub(crate) use scene::{CheckedApp, CheckedEnvironment, CheckedObject, RuleContext, SecretUse, TrackedFile};
pub(crate) use secret::encrypted_leftover::{RULE as ENCRYPTED_LEFTOVER, encrypted_by_sops};

/// The rule about definitions of custom resources that cannot be used.
pub const DEFINITION: &RuleInfo = &schema::DEFINITION.info;

/// The rule about objects that another tool completes later.
pub const UNFILLED: &RuleInfo = &resource::unfilled::RULE.info;

/// A rule of `validate`.
pub(crate) struct Rule {
    /// Id, severity and texts.
    pub info: RuleInfo,
    /// The check that finds violations.
    pub(crate) check: RuleCheck,
}

impl Rule {
    /// Creates a rule under which earlier stages report; it is always enabled.
    const fn stage(id: &'static str, severity: Severity, summary: &'static str, page: &'static str) -> Self {
        let info = RuleInfo { id, severity, enabled: true, refusal: ApiRefusal::Never, summary, page };
        Self { info, check: RuleCheck::Stage }
    }

    /// Marks the rule as one for objects that the API server rejects.
    const fn refused(mut self) -> Self {
        self.info.refusal = ApiRefusal::EveryKind;
        self
    }
}

/// The check of a rule, by the scope that it needs.
pub(crate) enum RuleCheck {
    /// Checks all environments of an app.
    App(fn(&CheckedApp<'_>, &mut Reporter)),
    /// Checks all objects of one environment.
    Environment(EnvironmentCheck),
    /// Checks one object.
    Object(ObjectCheck),
    /// Checks one object, and the rest of an environment.
    ObjectAndEnvironment(ObjectCheck, EnvironmentCheck),
    /// Checks one object with a pod template.
    Pod(ObjectCheck),
    /// Has no check: earlier stages report it.
    Stage,
}

/// A check of one environment.
pub(crate) type EnvironmentCheck = fn(&CheckedEnvironment<'_>, &mut Reporter);

/// A check of one object.
pub(crate) type ObjectCheck = fn(&CheckedObject<'_>, &RuleContext<'_>, &mut Reporter);

impl RuleCheck {
    /// Returns the check for an object, if the rule applies to it.
    pub(crate) fn object_check(&self, object: &CheckedObject<'_>) -> Option<ObjectCheck> {
        match self {
            Self::Object(check) | Self::ObjectAndEnvironment(check, _) => Some(*check),
            Self::Pod(check) => object.pod.is_some().then_some(*check),
            Self::App(_) | Self::Environment(_) | Self::Stage => None,
        }
    }

    /// Returns the check for an environment, if the rule has one.
    pub(crate) const fn environment_check(&self) -> Option<EnvironmentCheck> {
        match self {
            Self::Environment(check) | Self::ObjectAndEnvironment(_, check) => Some(*check),
            Self::App(_) | Self::Object(_) | Self::Pod(_) | Self::Stage => None,
        }
    }

    /// Returns whether the rule checks one object at a time.
    pub(crate) const fn is_per_object(&self) -> bool {
        matches!(self, Self::Object(_) | Self::ObjectAndEnvironment(..) | Self::Pod(_))
    }
}

/// All rules, sorted by id.
pub(crate) static RULES: &[&Rule] = &[
    &api::DEPRECATED,
    &api::REMOVED,
    &app::ANNOTATE,
    &app::BACKEND,
    &app::LOAD,
    &app::PLACEHOLDER,
    &app::RENDER,
    &argocd::annotation::RULE,
    &cert_manager::duplicate_secret::RULE,
    &cert_manager::missing_issuer::RULE,
    &config::env_duplicate::RULE,
    &config::env_from_invalid_key::RULE,
    &config::env_order::RULE,
    &config::immutable_without_new_name::RULE,
    &config::no_rollout_trigger::RULE,
    &config::subpath_no_reload::RULE,
    &config::too_large::RULE,
    &config::unused_value::RULE,
    &csi::missing_class::RULE,
    &csi::objects::RULE,
    &csi::unmounted_class::RULE,
    &environment::foreign_path::RULE,
    &environment::missing_key::RULE,
    &environment::missing_object::RULE,
    &environment::missing_placeholder::RULE,
    &environment::same_secret::RULE,
    &external_secrets::data::RULE,
    &external_secrets::duplicate_target::RULE,
    &external_secrets::missing_store::RULE,
    &external_secrets::refresh::RULE,
    &external_secrets::store::RULE,
    &external_secrets::template::RULE,
    &image::digest::RULE,
    &image::latest::RULE,
    &image::missing::RULE,
    &image::reference::RULE,
    &metadata::annotation::RULE,
    &metadata::finalizer::RULE,
    &metadata::label::RULE,
    &metadata::name::RULE,
    &operator::policy::RULE,
    &operator::unknown_cluster::RULE,
    &operator::unknown_provider::RULE,
    &policy::admission::RULE,
    &policy::definition::RULE,
    &rbac::cluster_admin::RULE,
    &rbac::escalation::RULE,
    &rbac::read_secrets::RULE,
    &rbac::wildcard::RULE,
    &reference::dangling_gateway::RULE,
    &reference::dangling_ingress::RULE,
    &reference::dangling_monitor::RULE,
    &reference::dangling_network_policy::RULE,
    &reference::dangling_role::RULE,
    &reference::dangling_scale_target::RULE,
    &reference::dangling_service::RULE,
    &reference::missing_claim::RULE,
    &reference::missing_config_map::RULE,
    &reference::missing_file::RULE,
    &reference::missing_governing_service::RULE,
    &reference::missing_key::RULE,
    &reference::missing_secret::RULE,
    &reference::missing_service_account::RULE,
    &reference::unused::RULE,
    &resource::admission_policy::RULE,
    &resource::autoscaler::RULE,
    &resource::blocking_budget::RULE,
    &resource::claim::RULE,
    &resource::cluster_scoped_with_namespace::RULE,
    &resource::default_namespace::RULE,
    &resource::disruption_budget::RULE,
    &resource::duplicate_id::RULE,
    &resource::field::RULE,
    &resource::fractional_bytes::RULE,
    &resource::incomplete::RULE,
    &resource::ingress::RULE,
    &resource::missing_namespace::RULE,
    &resource::network_policy::RULE,
    &resource::quota::RULE,
    &resource::rbac::RULE,
    &resource::service::RULE,
    &resource::unfilled::RULE,
    &resource::volume::RULE,
    &resource::webhook::RULE,
    &schema::CEL,
    &schema::CONFIGURATION,
    &schema::DEFINITION,
    &schema::ENUM,
    &schema::FORMAT,
    &schema::LIST_KEY,
    &document::MANIFEST,
    &schema::REJECTED_KIND,
    &schema::REQUIRED,
    &schema::SEVERAL_DEFINITIONS,
    &schema::TOO_COMPLEX,
    &schema::TYPE,
    &schema::UNEVALUATED,
    &schema::UNKNOWN_FIELD,
    &schema::UNKNOWN_KIND,
    &schema::VALUE,
    &seal::duplicate_target::RULE,
    &seal::foreign_certificate::RULE,
    &seal::renamed::RULE,
    &seal::same_ciphertext::RULE,
    &seal::scope_mismatch::RULE,
    &seal::template::RULE,
    &seal::undecodable::RULE,
    &secret::bad_base64::RULE,
    &secret::double_base64::RULE,
    &secret::encrypted_leftover::RULE,
    &secret::env_instead_of_file::RULE,
    &secret::in_annotation::RULE,
    &secret::in_args::RULE,
    &secret::in_config_map::RULE,
    &secret::in_env::RULE,
    &secret::in_field::RULE,
    &secret::in_file::RULE,
    &secret::in_values::RULE,
    &secret::invalid_key::RULE,
    &secret::plaintext_in_git::RULE,
    &secret::shadowed_key::RULE,
    &secret::tls_pair::RULE,
    &secret::too_large::RULE,
    &secret::trailing_newline::RULE,
    &secret::type_keys::RULE,
    &suppression::EXPIRED,
    &suppression::MALFORMED,
    &suppression::UNUSED,
    &wave::LATE_CONFIGURATION,
    &wave::LATE_DEFINITION,
    &wave::negative_without_prune_last::RULE,
    &wave::PRESYNC_NEEDS_SEALED,
    &wave::secret_is_hook::RULE,
    &workload::automount_token::RULE,
    &workload::container_name::RULE,
    &workload::container_port::RULE,
    &workload::env_source::RULE,
    &workload::job::RULE,
    &workload::missing_volume::RULE,
    &workload::mount::RULE,
    &workload::pod_settings::RULE,
    &workload::probe::RULE,
    &workload::probe_port::RULE,
    &workload::resources::RULE,
    &workload::restart_policy::RULE,
    &workload::schedule::RULE,
    &workload::scheduling::RULE,
    &workload::security_context::RULE,
    &workload::selector_mismatch::RULE,
    &workload::strategy::RULE,
    &workload::volume_source::RULE,
    &document::DUPLICATE_KEY,
    &yaml::implicit_type::RULE,
    &document::SYNTAX,
];

/// Returns all rules, sorted by id.
pub fn rules() -> impl Iterator<Item = &'static RuleInfo> {
    RULES.iter().map(|rule| &rule.info)
}

/// Returns the rule with an id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static RuleInfo> {
    rules().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_rule_has_all_texts() {
        assert!(RULES.is_sorted_by(|a, b| a.info.id < b.info.id));
        for rule in rules() {
            let id = rule.id;
            assert!(
                id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "/-".contains(c)),
                "{id}"
            );
            assert_eq!(id.matches('/').count(), 1, "{id}");
            for text in [rule.summary, rule.explanation(), rule.example(), rule.remedy()] {
                assert!(!text.trim().is_empty(), "{id} has an empty text");
            }
            assert!(!rule.summary.ends_with('.') && !rule.summary.contains('\n'), "{id}");
        }
    }
}
