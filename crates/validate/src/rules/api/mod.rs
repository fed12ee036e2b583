//! Rules about deprecated and removed API versions. [`sealwave_kube::schema`] finds them; this module only holds their pages.

use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

rules! {
    static DEPRECATED,
    static REMOVED,
}

/// A deprecated API: Kubernetes still serves it.
pub(crate) static DEPRECATED: Rule = Rule::new(
    RuleKind::Schema,
    RulePage {
        id: "api/deprecated",
        severity: Severity::Warning,
        summary: "an object uses a deprecated API version",
        text: include_str!("deprecated.md"),
    },
    RuleCheck::Stage,
);

/// A removed API: Kubernetes no longer serves it.
pub(crate) static REMOVED: Rule = Rule::new(
    RuleKind::Schema,
    RulePage {
        id: "api/removed",
        severity: Severity::Error,
        summary: "an object uses an API version that Kubernetes has removed",
        text: include_str!("removed.md"),
    },
    RuleCheck::Stage,
)
.refused(ApiRefusal::EveryKind);
