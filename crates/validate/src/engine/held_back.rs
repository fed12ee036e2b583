//! Holds back findings about absent objects that may be in files that do not render or parse: repairing the file may be
//! enough.

use super::input::{CheckedInput, ObjectSet};
use super::unrendered::UnrenderedNames;
use crate::reporter::FindingDraft;

/// The words in the message of a finding that names the absent object.
const DOES_NOT_EXIST: &str = "does not exist";

/// The unrendered names that count for each set of an input.
pub(super) struct HeldBack<'a> {
    /// The names for the set itself.
    own: Vec<UnrenderedNames>,
    /// The names for all apps of the run.
    apps: Vec<Option<&'a UnrenderedNames>>,
}

impl<'a> HeldBack<'a> {
    pub(super) fn new(input: CheckedInput<'a>) -> Self {
        let (sources, texts) = (input.sources(), input.texts());
        let own = |set: ObjectSet<'a>| match set {
            ObjectSet::Environment(environment) => {
                UnrenderedNames::of_app(&environment.problems, sources, texts)
            }
            ObjectSet::Plain(manifests) => UnrenderedNames::of_plain(&manifests.problems, sources, texts),
        };
        let apps = |set: ObjectSet<'a>| match input {
            CheckedInput::App(_, context) => context.unrendered.get(&set.environment()?.name),
            CheckedInput::Plain(..) => None,
        };
        Self { own: input.sets().map(own).collect(), apps: input.sets().map(apps).collect() }
    }

    /// Reports whether a finding may be caused by what does not render.
    pub(super) fn contains(&self, draft: &FindingDraft) -> bool {
        if !draft.rule.reports_absence() {
            return false;
        }
        let Some(environment) = draft.subject.environment() else {
            return self.own.iter().any(|names| !names.is_empty());
        };
        let own = environment.of(&self.own);
        match absent_name(&draft.message) {
            Some(name) => {
                let apps = environment.of(&self.apps).copied().flatten();
                own.into_iter().chain(apps).any(|names| names.may_have(name))
            }
            None => own.is_some_and(|names| !names.is_empty()),
        }
    }
}

/// Returns the name of the object that does not exist, if the message has one.
fn absent_name(message: &str) -> Option<&str> {
    let (before, _) = message.split_once(DOES_NOT_EXIST)?;
    before.split('`').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_absent_name_is_the_first_literal() {
        assert_eq!(absent_name("Secret `db` does not exist"), Some("db"));
        assert_eq!(absent_name("Role `r` does not exist in the namespace of the binding"), Some("r"));
        assert_eq!(absent_name("Service `web` selects no pod"), None);
    }
}
