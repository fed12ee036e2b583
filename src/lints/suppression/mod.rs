//! Rules about suppressions that have no effect.

use super::Rule;
use crate::diagnostic::Severity;

/// Hint with the syntax of a suppression.
pub(crate) const FORM: &str = "write `# sealwave: ignore RULE [until YYYY-MM-DD] -- REASON`; `sealwave validate --explain RULE` describes each rule";

/// An expired suppression.
pub(crate) static EXPIRED: Rule = Rule::stage(
    "suppression/expired",
    Severity::Warning,
    "a suppression's last day has passed",
    "Since that day it silences nothing. Whoever set the day meant to have the fault repaired by then.",
    "# sealwave: ignore secret/in-env until 2024-01-31 -- moves to Vault in January\n",
    "Repair what it silences and remove it, or give it a later day and a reason that still holds.",
);

/// A malformed suppression.
pub(crate) static MALFORMED: Rule = Rule::stage(
    "suppression/malformed",
    Severity::Warning,
    "a suppression has no reason, no rule that there is, a date that is none, or another form",
    "It silences nothing: a suppression without a reason is one that nobody can judge later. The form counts to the letter: \
     `# sealwave: ignore`, and ` -- ` before the reason. An annotation takes no last day.",
    "# sealwave: ignore secret/in-env\n",
    "Write `# sealwave: ignore RULE [until YYYY-MM-DD] -- REASON`, or the annotation `ignore.sealwave.dev/GROUP.NAME: REASON`.",
);

/// An unused suppression.
pub(crate) static UNUSED: Rule = Rule::stage(
    "suppression/unused",
    Severity::Warning,
    "a suppression silences nothing",
    "What it was written for is gone, or stands elsewhere now. Left alone, it would hide the next fault of its kind. \
     It is said only where the run could see all that it may be for: not with `--env`, not of an app that does not render, \
     not of rules that are off or that ask for other Kubernetes versions.",
    "replicas: 2 # sealwave: ignore schema/type -- it was a string once\n",
    "Remove it.",
);
