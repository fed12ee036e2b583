//! Versions of APIs that are gone, or will be. What knows is [`sealwave_kube::schema`]; here are their pages.

use super::{Check, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

/// An API that a version of Kubernetes still has, and advises against.
pub(crate) static DEPRECATED: Rule = Rule {
    info: RuleInfo {
        id: "api/deprecated",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an object uses a deprecated API version",
        page: include_str!("deprecated.md"),
    },
    check: Check::Stage,
};

/// An API that a version of Kubernetes has no more.
pub(crate) static REMOVED: Rule = Rule {
    info: RuleInfo {
        id: "api/removed",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::EveryKind,
        summary: "an object uses an API version that Kubernetes has removed",
        page: include_str!("removed.md"),
    },
    check: Check::Stage,
};
