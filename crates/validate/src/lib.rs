//! `sealwave validate`: the rules, the engine that runs them, and the reports.
//!
//! | module | holds |
//! |---|---|
//! | [`project`] | what to look at: targets, changes in Git, definitions in a repository |
//! | [`engine`] | schemas and rules over objects; suppressions, places, merging |
//! | [`rules`] | one rule per file, with its page |
//! | [`report`] | findings for people and for CI systems |
//!
//! Nothing here fetches a secret or asks a cluster, and no finding holds a value.

mod baseline;
pub mod engine;
mod examine;
mod finding;
mod fingerprint;
mod other_files;
pub mod project;
pub mod report;
pub mod rules;

pub use baseline::{Baseline, BaselineError, BaselineNote, CheckedScope};
pub use examine::{EnvironmentInput, ExaminedApp, examine};
pub use finding::{
    ApiRefusal, AppEnvironments, CheckedCounts, Finding, ObjectRef, RelatedLabel, RelatedPlace, Report,
    RuleInfo, Span,
};
