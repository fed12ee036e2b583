//! Suppressions that do not do what their author thinks.

use super::Rule;
use sealwave_core::diagnostic::Severity;

/// How to write a suppression.
pub(crate) const FORM: &str = "write `# sealwave: ignore RULE [until YYYY-MM-DD] -- REASON`; `sealwave validate --explain RULE` knows each rule";

/// The day has passed.
pub(crate) static EXPIRED: Rule = Rule::stage(
    "suppression/expired",
    Severity::Warning,
    "a suppression's last day has passed",
    include_str!("expired.md"),
);

/// It cannot be followed.
pub(crate) static MALFORMED: Rule = Rule::stage(
    "suppression/malformed",
    Severity::Warning,
    "a suppression lacks a reason, names an unknown rule, or has an invalid date or format",
    include_str!("malformed.md"),
);

/// Nothing to silence.
pub(crate) static UNUSED: Rule = Rule::stage(
    "suppression/unused",
    Severity::Warning,
    "a suppression has no effect",
    include_str!("unused.md"),
);
