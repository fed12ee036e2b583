//! Rules about suppressions that have no effect.

use crate::RuleKind;
use crate::rule::Rule;
use sealwave_core::diagnostic::Severity;

rules! {
    static EXPIRED,
    static MALFORMED,
    static UNUSED,
}

/// Hint with the syntax of a suppression.
pub(crate) const FORM: &str = "write `# sealwave: ignore RULE [until YYYY-MM-DD] -- REASON`; `sealwave validate --explain RULE` describes each rule";

/// An expired suppression.
pub(crate) static EXPIRED: Rule = Rule::stage(
    RuleKind::Suppression,
    "suppression/expired",
    Severity::Warning,
    "a suppression has expired",
    include_str!("expired.md"),
);

/// A malformed suppression.
pub(crate) static MALFORMED: Rule = Rule::stage(
    RuleKind::Suppression,
    "suppression/malformed",
    Severity::Warning,
    "a suppression lacks a reason, names an unknown rule, or has an invalid date or format",
    include_str!("malformed.md"),
);

/// An unused suppression.
pub(crate) static UNUSED: Rule = Rule::stage(
    RuleKind::Suppression,
    "suppression/unused",
    Severity::Warning,
    "a suppression is unused",
    include_str!("unused.md"),
);
