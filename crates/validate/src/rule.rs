//! A rule of `validate`: its traits and its check.
//!
//! A rule is a pure function from objects to findings. It reads trees, never files, and must never put the value of a
//! scalar into a message: a finding has a position, and other code decides whether an excerpt may be shown there.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::facts::scene::{CheckedApp, CheckedEnvironment};
use crate::reporter::Reporter;
use crate::{ApiRefusal, RuleInfo, RuleInput, RuleKind, RuleOverlap, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Manifest, Origin};

/// A rule of `validate`.
pub(crate) struct Rule {
    /// Id, severity and texts.
    pub info: RuleInfo,
    /// The check that finds violations.
    pub(crate) check: RuleCheck,
    /// Returns the positions in an object at which findings of stages only repeat those of the rule.
    pub(crate) explained: Option<fn(&Manifest) -> Vec<Origin>>,
}

impl Rule {
    /// Creates a rule that is enabled by default.
    pub(crate) const fn new(kind: RuleKind, page: RulePage, check: RuleCheck) -> Self {
        Self { info: RuleInfo::new(kind, page), check, explained: None }
    }

    /// Creates a rule under which earlier stages report; it is always enabled.
    pub(crate) const fn stage(
        kind: RuleKind,
        id: &'static str,
        severity: Severity,
        summary: &'static str,
        text: &'static str,
    ) -> Self {
        Self::new(kind, RulePage { id, severity, summary, text }, RuleCheck::Stage)
    }

    /// Disables the rule by default.
    pub(crate) const fn off_by_default(mut self) -> Self {
        self.info.enabled = false;
        self
    }

    /// Sets the objects with an error of the rule that the API server rejects.
    pub(crate) const fn refused(mut self, refusal: ApiRefusal) -> Self {
        self.info.refusal = refusal;
        self
    }

    /// Sets the input that the rule depends on.
    pub(crate) const fn depending_on(mut self, input: RuleInput) -> Self {
        self.info.input = input;
        self
    }

    /// Sets the findings that make those of the rule redundant.
    pub(crate) const fn yielding_to(mut self, overlap: RuleOverlap) -> Self {
        self.info.overlap = overlap;
        self
    }

    /// Sets the positions in an object at which findings of stages only repeat those of the rule.
    pub(crate) const fn explaining(mut self, positions: fn(&Manifest) -> Vec<Origin>) -> Self {
        self.explained = Some(positions);
        self
    }

    /// Sets the topic of its findings.
    pub(crate) const fn about(mut self, topic: RuleTopic) -> Self {
        self.info.topic = topic;
        self
    }

    /// Lets `--lenient` lower errors of the rule to warnings.
    pub(crate) const fn lenient(mut self) -> Self {
        self.info.is_lenient = true;
        self
    }
}

/// The check of a rule, by the scope that it needs.
pub(crate) enum RuleCheck {
    /// Checks one object with a pod template, also within a ConfigMap: it holds whatever a program adds to the pod.
    AnyPod(ObjectCheck),
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
            Self::AnyPod(check) | Self::Pod(check) => object.pod.is_some().then_some(*check),
            Self::App(_) | Self::Environment(_) | Self::Stage => None,
        }
    }

    /// Returns the check for an environment, if the rule has one.
    pub(crate) const fn environment_check(&self) -> Option<EnvironmentCheck> {
        match self {
            Self::Environment(check) | Self::ObjectAndEnvironment(_, check) => Some(*check),
            Self::AnyPod(_) | Self::App(_) | Self::Object(_) | Self::Pod(_) | Self::Stage => None,
        }
    }

    /// Returns whether the rule also checks pods within `ConfigMaps`.
    pub(crate) const fn is_for_embedded_pods(&self) -> bool {
        matches!(self, Self::AnyPod(_))
    }

    /// Returns whether the rule checks one object at a time.
    pub(crate) const fn is_per_object(&self) -> bool {
        matches!(self, Self::AnyPod(_) | Self::Object(_) | Self::ObjectAndEnvironment(..) | Self::Pod(_))
    }
}

/// Lets rules pass themselves where only their traits are needed.
impl From<&'static Rule> for &'static RuleInfo {
    fn from(rule: &'static Rule) -> Self {
        &rule.info
    }
}
