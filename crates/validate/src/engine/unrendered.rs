//! The names of objects that an input lacks because a file does not render or parse.
//!
//! They are found in the text, as its structure is not known.

use std::collections::{BTreeMap, BTreeSet};

use crate::examine::{ExaminedApp, ExaminedEnvironment, StageProblem};
use crate::rules;
use sealwave_core::diagnostic::{ProblemKind, ProblemPlace, Severity};
use sealwave_core::document::{SourceId, SourceText, SourceTexts, Sources};

/// The most names that are remembered; with more, every name counts.
const MAX_NAMES: usize = 10_000;

/// The names that objects of unrendered files may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnrenderedNames {
    /// Whether any name is possible.
    is_any: bool,
    /// Names, as the texts before and after an expression; the second is `None` for a complete name.
    names: BTreeSet<(String, Option<String>)>,
}

/// The names for each environment of a run, from all of its apps.
pub type UnrenderedApps = BTreeMap<String, UnrenderedNames>;

/// Returns the names that the apps of a run may render in each environment. Any name is possible if an app was refused.
#[must_use]
pub fn unrendered_names(apps: &[&ExaminedApp], is_any_refused: bool) -> UnrenderedApps {
    let all: BTreeSet<&str> =
        apps.iter().flat_map(|app| &app.environments).map(|environment| environment.name.as_str()).collect();
    let in_app = |app: &&ExaminedApp, name: &str| {
        let own: Vec<&ExaminedEnvironment> =
            app.environments.iter().filter(|environment| environment.name == name).collect();
        // All objects of an app without the environment are visible in it.
        let counted = if own.is_empty() { app.environments.iter().collect() } else { own };
        let names = counted
            .into_iter()
            .map(|environment| UnrenderedNames::of_app(&environment.problems, &app.sources, &app.texts));
        UnrenderedNames::union(names)
    };
    let names = |name: &str| {
        let refused = UnrenderedNames { is_any: is_any_refused, ..UnrenderedNames::default() };
        UnrenderedNames::union(apps.iter().map(|app| in_app(app, name)).chain([refused]))
    };
    all.into_iter().map(|name| (name.to_owned(), names(name))).collect()
}

impl UnrenderedNames {
    /// Returns the names in the files of an environment that do not render.
    pub(super) fn of_app(problems: &[StageProblem], sources: &Sources, texts: &SourceTexts) -> Self {
        let failed = sources_of(problems, sources, |reported| {
            [rules::app::LOAD.info.id, rules::app::RENDER.info.id].contains(&reported.rule.info.id)
        });
        let names = |source: Option<SourceId>| {
            let text = source.and_then(|source| texts.text(source)).map(SourceText::content);
            // A patch or a values file has no kind; what it would change is unknown.
            text.filter(|text| text.contains("kind:"))
                .map_or_else(Self::any, |text| Self::in_text(text, true))
        };
        Self::union(failed.into_iter().map(names))
    }

    /// Returns the names in plain manifests that do not parse. A computed name is not filled in before another tool does,
    /// and a file without a kind is not a manifest.
    pub(super) fn of_plain(problems: &[StageProblem], sources: &Sources, texts: &SourceTexts) -> Self {
        let failed = sources_of(problems, sources, |reported| {
            !matches!(reported.problem.kind, Some(ProblemKind::Configuration | ProblemKind::Manifest))
        });
        let texts = failed.into_iter().flatten().filter_map(|source| texts.text(source));
        let manifests = texts.map(SourceText::content).filter(|text| text.contains("kind:"));
        Self::union(manifests.map(|text| Self::in_text(text, false)))
    }

    fn any() -> Self {
        Self { is_any: true, ..Self::default() }
    }

    fn union(all: impl Iterator<Item = Self>) -> Self {
        all.fold(Self::default(), |mut union, other| {
            union.is_any |= other.is_any || union.names.len() + other.names.len() > MAX_NAMES;
            if !union.is_any {
                union.names.extend(other.names);
            }
            union
        })
    }

    /// Returns the values of all keys that end in `name`, as in `secretName`.
    fn in_text(text: &str, is_template: bool) -> Self {
        let mut found = Self::default();
        for (at, key) in text.match_indices("ame:") {
            let line = text.get(at + key.len()..).and_then(|rest| rest.lines().next()).unwrap_or_default();
            let (before, after) = match line.split_once("{{") {
                Some((before, rest)) => (before, rest.rsplit_once("}}").map(|(_, after)| after)),
                None => (line, None),
            };
            let is_complete = !line.contains("{{");
            let before = before.trim().trim_start_matches(['"', '\'']);
            let word = |text: &str| {
                text.split([',', '}', '"', '\'', '#', ' ', '\t']).next().unwrap_or_default().to_owned()
            };
            let name = if is_complete {
                (word(before), None)
            } else {
                (before.to_owned(), Some(word(after.unwrap_or_default())))
            };
            let is_computed = name.0.is_empty() && name.1.as_deref().is_some_and(str::is_empty);
            found.is_any |= is_computed && is_template || found.names.len() > MAX_NAMES;
            if !is_computed && !found.is_any {
                found.names.insert(name);
            }
        }
        // A partial may print whole objects.
        found.is_any |= is_template && text.contains("{{>");
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.is_any && self.names.is_empty()
    }

    pub(super) fn may_have(&self, name: &str) -> bool {
        self.is_any
            || self.names.contains(&(name.to_owned(), None))
            || self.names.iter().any(|(start, end)| {
                end.as_ref()
                    .is_some_and(|end| name.starts_with(start.as_str()) && name.ends_with(end.as_str()))
            })
    }
}

/// Returns the sources of errors, each once: for rendered text, its template, and `None` if a source is unknown.
fn sources_of(
    problems: &[StageProblem],
    sources: &Sources,
    counts: impl Fn(&StageProblem) -> bool,
) -> BTreeSet<Option<SourceId>> {
    let errors = problems.iter().filter(|reported| reported.severity == Severity::Error && counts(reported));
    let source = |reported: &StageProblem| {
        let ProblemPlace::Origin(origin) = &reported.problem.at else { return None };
        Some(sources.template_line(*origin).unwrap_or(*origin).source)
    };
    errors.map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> UnrenderedNames {
        UnrenderedNames::in_text(text, true)
    }

    #[test]
    fn names_are_found_in_text_that_does_not_parse() {
        let found =
            names("kind: ConfigMap\nmetadata: {name: web, namespace: shop}\n\tsecretName: \"tls\" # x\n");
        assert!(found.may_have("web") && found.may_have("tls") && !found.may_have("db"));
        assert!(!names("kind: ConfigMap\nmetadata:\n  namespace: shop\n").may_have("shop-2"));
        assert!(!found.is_any);
    }

    #[test]
    fn a_computed_name_matches_by_the_text_around_it() {
        let found = names("  name: web-{{env}}-config\n");
        assert!(
            found.may_have("web-dev-config") && !found.may_have("web-dev") && !found.may_have("api-config")
        );
        assert!(names("  name: {{ name }}\n").is_any);
        assert!(names("  name: web\n{{> labels}}\n").is_any);
        assert!(!UnrenderedNames::in_text("  name: {{ name }}\n", false).is_any);
        assert!(names("  name: web-{{env\n").may_have("web-x"));
    }

    #[test]
    fn many_names_are_not_remembered() {
        let lines: Vec<String> = (0..MAX_NAMES + 2).map(|number| format!("name: n{number}")).collect();
        let text = lines.join("\n");
        assert!(names(&text).is_any);
    }
}
