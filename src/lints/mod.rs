//! What `validate` looks for: a table of rules, each in a file of its own.
//!
//! A rule is a pure function from objects to findings. It reads trees, never files, and puts no value of any scalar
//! into a message: positions say where to look, and whether an excerpt may be shown there is decided elsewhere.
//! A new rule is a file, a line in the [table](RULES), and a directory `testdata/lints/<group>-<name>` with a bad example
//! whose spans are marked, a good one, and a near miss.

pub(crate) mod app;
mod config;
mod csi;
pub(crate) mod document;
mod environment;
mod external_secrets;
mod reporter;
pub(crate) mod resource;
mod scene;
mod seal;
pub(crate) mod suppression;
mod wave;

use crate::diagnostic::RuleInfo;

pub(crate) use reporter::{Draft, Reporter};
pub use scene::Settings;
pub(crate) use scene::{App, Environment, Neighbours, Object, Scene, SecretUse};

/// One rule.
pub(crate) struct Rule {
    /// What it looks for.
    pub(crate) info: RuleInfo,
    /// How.
    pub(crate) check: Check,
}

/// How a rule looks for what it looks for.
pub(crate) enum Check {
    /// Across the environments of an app.
    App(fn(&App<'_>, &mut Reporter)),
    /// Across the objects of one environment.
    Environment(fn(&Environment<'_>, &mut Reporter)),
    /// At one object.
    Object(fn(&Object<'_>, &Scene<'_>, &mut Reporter)),
    /// Elsewhere: the stages before report it.
    Stage,
}

/// All rules, by their ids.
pub(crate) static RULES: &[&Rule] = &[
    &app::ANNOTATE,
    &app::BACKEND,
    &app::LOAD,
    &app::PLACEHOLDER,
    &app::RENDER,
    &config::env_duplicate::RULE,
    &csi::missing_class::RULE,
    &csi::unmounted_class::RULE,
    &environment::foreign_path::RULE,
    &environment::missing_key::RULE,
    &environment::missing_object::RULE,
    &environment::missing_placeholder::RULE,
    &environment::same_secret::RULE,
    &external_secrets::duplicate_target::RULE,
    &external_secrets::missing_store::RULE,
    &external_secrets::refresh::RULE,
    &resource::duplicate_id::RULE,
    &document::MANIFEST,
    &seal::duplicate_target::RULE,
    &seal::foreign_certificate::RULE,
    &seal::renamed::RULE,
    &seal::scope_mismatch::RULE,
    &seal::undecodable::RULE,
    &suppression::EXPIRED,
    &suppression::MALFORMED,
    &suppression::UNUSED,
    &wave::LATE_CONFIGURATION,
    &wave::PRESYNC_NEEDS_SEALED,
    &document::DUPLICATE_KEY,
    &document::SYNTAX,
];

/// All rules that there are, by their ids.
pub fn rules() -> impl Iterator<Item = &'static RuleInfo> {
    RULES.iter().map(|rule| &rule.info)
}

/// A rule by its id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static RuleInfo> {
    rules().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_rule_explains_itself() {
        assert!(RULES.is_sorted_by(|a, b| a.info.id < b.info.id));
        for rule in rules() {
            let id = rule.id;
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || "/-".contains(c)), "{id}");
            assert_eq!(id.matches('/').count(), 1, "{id}");
            for text in [rule.summary, rule.explanation, rule.example, rule.remedy] {
                assert!(!text.trim().is_empty(), "{id} leaves something unsaid");
            }
            assert!(!rule.summary.ends_with('.') && !rule.summary.contains('\n'), "{id}");
        }
    }
}
