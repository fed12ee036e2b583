//! `environment/misspelled-name`.

use crate::facts::environment_names::are_synonyms;
use crate::facts::scene::CheckedApp;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::text::closest_name;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "environment/misspelled-name",
        severity: Severity::Warning,
        summary: "the app file declares an environment whose name is almost that of a directory under `envs/`",
        text: include_str!("misspelled_name.md"),
    },
    RuleCheck::App(check),
);

/// The shortest name that may be a typo of another one: `eu` and `us` are two regions.
const MIN_TYPO: usize = 3;

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    let directories = &app.settings.only_directories;
    for (name, at) in &app.settings.without_directory {
        let Some(meant) = meant_directory(name, directories) else { continue };
        let message = format!(
            "environment `{name}` has no directory, and `envs/{meant}/` is an environment without settings"
        );
        reporter.report(FindingDraft::new(&RULE, *at, message).hint(format!("did you mean `{meant}`?")));
    }
}

/// Returns the directory of an environment that a name probably means.
fn meant_directory<'a>(name: &str, directories: &'a [String]) -> Option<&'a str> {
    let all = || directories.iter().map(String::as_str);
    // Numbers distinguish environments: `test1` is not a typo of `test2`.
    let letters = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let own = letters(name);
    let others = all().filter(|other| name.len() >= MIN_TYPO && letters(other) != own);
    all().find(|other| are_synonyms(name, other)).or_else(|| closest_name(name, others))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_and_synonyms_are_recognized_and_other_environments_are_not() {
        for (name, directories, meant) in [
            ("prd", &["dev", "prod"][..], Some("prod")),
            ("production", &["dev", "prod"], Some("prod")),
            ("stagging", &["staging"], Some("staging")),
            ("stg-eu", &["stage-eu"], Some("stage-eu")),
            ("prod-eu", &["prod-eu1"], None),
            ("test1", &["test2"], None),
            ("eu", &["us"], None),
            ("dev", &["prod"], None),
            ("dev", &["dev-eu"], None),
            ("dev", &[], None),
        ] {
            let directories: Vec<String> = directories.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(meant_directory(name, &directories), meant, "{name}");
        }
    }
}
