//! `sealwave validate`: the rules, the engine that runs them, and the reports.
//!
//! | module | holds |
//! |---|---|
//! | [`project`] | the input of a run: targets, changes in Git, definitions in a repository |
//! | [`engine`] | schemas and rules over objects; suppressions, places, merging |
//! | [`rules`] | one rule per file, with its page |
//! | [`report`] | findings for people and for CI systems |
//!
//! Nothing here fetches a secret or asks a cluster, and no finding holds a value.

mod counts;
mod definitions;
pub mod engine;
mod examine;
mod facts;
mod field_checks;
mod finding;
mod fingerprint;
mod index;
mod located;
mod other_files;
pub mod project;
pub mod report;
mod reporter;
mod rule;
mod rule_info;
pub mod rules;

pub use examine::{EnvironmentInput, ExaminedApp, examine};
pub use finding::{
    AppEnvironments, CheckedCounts, Finding, ObjectRef, RelatedLabel, RelatedPlace, Report, Span,
};
pub use report::{Baseline, BaselineError, BaselineNote, CheckedScope};
pub use rule_info::{ApiRefusal, ExcerptPolicy, RuleInfo, RuleInput, RuleKind, RuleOverlap, RuleTopic};
pub(crate) use rule_info::{RULE_PAGES, RulePage};
