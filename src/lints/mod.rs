//! What `validate` looks for: a table of rules, each in a file of its own.
//!
//! A rule is a pure function from objects to findings. It reads trees, never files, and puts no value of any scalar
//! into a message: positions say where to look, and whether an excerpt may be shown there is decided elsewhere.
//! A new rule is a file, a line in the [table](RULES), and a directory `testdata/lints/<group>-<name>` with a bad example
//! whose spans are marked, a good one, and a near miss.

pub(crate) mod app;
mod argocd;
mod config;
pub(crate) mod credential;
mod image;
mod metadata;
mod reporter;
mod resource;
mod scene;
mod secret;
pub(crate) mod suppression;
mod yaml;

use crate::diagnostic::RuleInfo;

pub(crate) use reporter::{Draft, Reporter};
pub use scene::Settings;
pub(crate) use scene::{App, Environment, Neighbours, Object, Scene};

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
    &argocd::annotation::RULE,
    &config::env_duplicate::RULE,
    &config::too_large::RULE,
    &image::digest::RULE,
    &image::latest::RULE,
    &metadata::annotation::RULE,
    &metadata::label::RULE,
    &metadata::name::RULE,
    &resource::duplicate_id::RULE,
    &secret::bad_base64::RULE,
    &secret::double_base64::RULE,
    &secret::encrypted_leftover::RULE,
    &secret::in_annotation::RULE,
    &secret::in_args::RULE,
    &secret::in_config_map::RULE,
    &secret::in_env::RULE,
    &secret::in_field::RULE,
    &secret::invalid_key::RULE,
    &secret::plaintext_in_git::RULE,
    &secret::shadowed_key::RULE,
    &secret::too_large::RULE,
    &secret::trailing_newline::RULE,
    &secret::type_keys::RULE,
    &suppression::EXPIRED,
    &suppression::MALFORMED,
    &suppression::UNUSED,
    &yaml::implicit_type::RULE,
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
            assert!(
                id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "/-".contains(c)),
                "{id}"
            );
            assert_eq!(id.matches('/').count(), 1, "{id}");
            for text in [rule.summary, rule.explanation, rule.example, rule.remedy] {
                assert!(!text.trim().is_empty(), "{id} leaves something unsaid");
            }
            assert!(!rule.summary.ends_with('.') && !rule.summary.contains('\n'), "{id}");
        }
    }
}
