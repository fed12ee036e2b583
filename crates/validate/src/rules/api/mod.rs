//! Rules about deprecated and removed API versions. [`sealwave_kube::schema`] finds them; this module only holds their pages.

use super::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

/// A deprecated API: Kubernetes still serves it.
pub(crate) static DEPRECATED: Rule = Rule {
    info: RuleInfo {
        id: "api/deprecated",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an object uses a deprecated API version",
        page: include_str!("deprecated.md"),
    },
    check: RuleCheck::Stage,
};

/// A removed API: Kubernetes no longer serves it.
pub(crate) static REMOVED: Rule = Rule {
    info: RuleInfo {
        id: "api/removed",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::EveryKind,
        summary: "an object uses an API version that Kubernetes has removed",
        page: include_str!("removed.md"),
    },
    check: RuleCheck::Stage,
};
