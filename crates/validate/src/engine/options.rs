//! The options of a run, decided once from flags and settings.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use super::kind_filter::KindFilter;
use super::packed::PackedSchemas;
use crate::definitions::KnownDefinition;
use crate::facts::rule_context::{EarlierBackends, KnownApps, RuleSettings};
use crate::reporter::FindingDraft;
use crate::rule::Rule;
use crate::{RuleInfo, RuleInput, RuleKind, rules};
use sealwave_core::diagnostic::{Problem, Severity};
use sealwave_core::document::{Manifest, Origin};
use sealwave_core::time::Date;
use sealwave_kube::schema::KubeVersion;

/// The options for one input: an app, or a set of plain manifests.
///
/// They are complete when an input is checked, and nothing changes them afterwards.
#[derive(Clone, Debug)]
pub struct ValidateOptions(OptionValues);

/// The values of [`ValidateOptions`], all of which must be given.
#[derive(Clone, Debug)]
pub struct OptionValues {
    /// The Kubernetes versions to check against; empty if schemas are not checked.
    pub kube_versions: Vec<KubeVersion>,
    /// The definitions that settings and flags name.
    pub definitions: Arc<Vec<KnownDefinition>>,
    /// Problems of these definitions.
    pub definition_faults: Vec<Problem>,
    /// The built-in definitions; `None` if disabled.
    pub packed: Option<Arc<PackedSchemas>>,
    /// Settings of the rules.
    pub settings: RuleSettings,
    /// Whether an object of a kind without a schema is an error.
    pub strict_kinds: bool,
    /// Whether unknown fields and duplicate keys are warnings.
    pub lenient: bool,
    /// Kinds that are not checked.
    pub skip: KindFilter,
    /// Kinds that are errors.
    pub reject: KindFilter,
    /// Today's date, which expires suppressions; `None` disables expiry.
    pub today: Option<Date>,
    /// Parts of the input that the run does not cover.
    pub gaps: CoverageGaps,
    /// Overridden severities of rules; `None` disables a rule.
    pub levels: BTreeMap<String, Option<Severity>>,
}

/// Parts of the input that a run does not cover. Suppressions for them are not reported as unused.
#[derive(Clone, Copy, Debug, Default)]
pub struct CoverageGaps {
    /// Environments, files or objects are excluded by flags.
    pub parts: bool,
    /// Sealing certificates are unknown, as there is no operator file.
    pub seals: bool,
    /// A flag or variable restricts the Kubernetes versions.
    pub versions: bool,
}

/// Gives read access to the values; there is no way to change them.
impl Deref for ValidateOptions {
    type Target = OptionValues;

    fn deref(&self) -> &OptionValues {
        &self.0
    }
}

impl From<OptionValues> for ValidateOptions {
    fn from(values: OptionValues) -> Self {
        Self(values)
    }
}

impl ValidateOptions {
    /// Returns the options with the run's apps, which are known after all apps are examined.
    #[must_use]
    pub fn with_known_apps(mut self, apps: Arc<KnownApps>) -> Self {
        self.0.settings.known_apps = apps;
        self
    }

    /// Returns the options with the backends of the app at an earlier revision.
    #[must_use]
    pub fn with_earlier_backends(mut self, earlier: EarlierBackends) -> Self {
        self.0.settings.earlier = earlier;
        self
    }

    /// Reports whether the run finds all violations of a rule.
    pub(super) fn covers_rule(&self, rule: &RuleInfo) -> bool {
        let has_input = match rule.input {
            RuleInput::EarlierRevision => !self.settings.earlier.environments.is_empty(),
            RuleInput::Objects => true,
            RuleInput::RejectedKinds => !self.reject.is_empty(),
            RuleInput::SealingCertificates => !self.gaps.seals,
        };
        self.level(rule).is_some() && has_input && !(self.gaps.versions && rule.kind == RuleKind::Schema)
    }

    /// Reports whether a setting disables a rule that is enabled by default.
    #[must_use]
    pub fn is_turned_off(&self, rule: &RuleInfo) -> bool {
        rule.enabled && self.level(rule).is_none()
    }

    /// Returns the severity of a rule in this run; `None` if it is disabled.
    pub(super) fn level(&self, rule: &RuleInfo) -> Option<Severity> {
        match self.levels.get(rule.id) {
            Some(level) => *level,
            None => rule.enabled.then_some(rule.severity),
        }
    }

    /// Returns the positions in an object at which findings of stages only repeat those of an enabled rule.
    pub(super) fn explained_positions(&self, object: &Manifest) -> impl Iterator<Item = Origin> {
        let enabled = rules::RULES.iter().filter(|rule| self.level(&rule.info).is_some());
        enabled.filter_map(|rule| rule.explained).flat_map(|positions| positions(object))
    }

    /// Applies the severity of the draft's rule in this run.
    pub(super) fn with_level(&self, draft: FindingDraft) -> FindingDraft {
        match self.levels.get(draft.rule.id) {
            Some(Some(level)) => draft.severity(*level),
            _ => draft,
        }
    }

    /// Returns the severity of a stage's problem under a rule; `None` if the rule is disabled.
    pub(super) fn stage_level(&self, rule: &RuleInfo, reported: Severity) -> Option<Severity> {
        match self.levels.get(rule.id) {
            Some(level) if rule.is_adjustable() => *level,
            _ if self.lenient && rule.is_lenient => Some(Severity::Warning),
            _ => Some(reported),
        }
    }

    /// Returns the enabled rules that check one object at a time.
    pub(super) fn object_rules(&self) -> impl Iterator<Item = &'static Rule> {
        let rules = rules::RULES.iter().copied().filter(|rule| rule.check.is_per_object());
        rules.filter(|rule| self.level(&rule.info).is_some())
    }
}
