//! `resource/duplicate-id`.

use std::collections::{BTreeMap, HashMap};

use crate::facts::checked_object::CheckedObject;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{ObjectId, Origin};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/duplicate-id",
        severity: Severity::Error,
        summary: "two manifests describe the same object",
        text: include_str!("duplicate_id.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut seen: HashMap<_, Origin> = HashMap::with_capacity(environment.objects.len());
    let mut pairs = DirectoryPairs::default();
    for (number, object) in environment.indexed_objects().filter(|(_, object)| !object.name.is_empty()) {
        let namespaced = !environment.context.scopes.is_cluster_scoped(object.group, object.kind);
        let namespace = if namespaced { object.namespace } else { "" };
        let key = (object.group, object.kind, namespace, object.name);
        let at = object.name_origin();
        if let Some(draft) = check_other_apps(environment, object, namespaced) {
            reporter.report(draft.about_object(number));
        }
        let Some(first) = seen.get(&key).copied() else {
            seen.insert(key, at);
            continue;
        };
        let draft = FindingDraft::new(&RULE, at, format!("{} is defined twice", object.manifest.id()))
            .about_object(number)
            .related(first, "it is first defined here")
            .hint("remove one; to change an object in one environment, use `patches`");
        if environment.may_be_apart(first, at) {
            let is_namespace = object.is("", "Namespace");
            let severity = if is_namespace { Severity::Note } else { Severity::Warning };
            let directories = (environment.directory(first), environment.directory(at));
            pairs.add(directories, draft.severity(severity));
        } else {
            reporter.report(draft);
        }
    }
    pairs.report(reporter);
}

/// Objects in common of two directories of plain manifests, by pair of directories.
#[derive(Default)]
struct DirectoryPairs<'a>(BTreeMap<(&'a str, &'a str), SharedObjects>);

/// Objects that two directories have in common.
struct SharedObjects {
    objects: usize,
    first: FindingDraft,
}

impl<'a> DirectoryPairs<'a> {
    fn add(&mut self, directories: (&'a str, &'a str), draft: FindingDraft) {
        let common = self.0.entry(directories).or_insert(SharedObjects { objects: 0, first: draft });
        common.objects += 1;
    }

    /// Reports a single object by itself. Several objects are variants (environments, clusters, editions) that are not
    /// applied together, so they give one note per pair of directories.
    fn report(self, reporter: &mut Reporter) {
        for ((one, other), SharedObjects { objects, first }) in self.0 {
            if objects == 1 {
                reporter.report(first);
                continue;
            }
            let name =
                |directory: &str| if directory.is_empty() { ".".to_owned() } else { directory.to_owned() };
            let message = format!(
                "`{}` and `{}` have {objects} objects in common; this is the first",
                name(one),
                name(other)
            );
            let hint = "if they are never applied to the same cluster, validate each directory separately";
            reporter.report(FindingDraft {
                message,
                hint: Some(hint.to_owned()),
                ..first.severity(Severity::Note)
            });
        }
    }
}

/// Reports the same object in another app. An unknown namespace is assumed to differ between apps.
fn check_other_apps(
    environment: &CheckedEnvironment<'_>,
    object: &CheckedObject<'_>,
    namespaced: bool,
) -> Option<FindingDraft> {
    let own = environment.app.as_ref()?;
    if namespaced && object.namespace.is_empty() {
        return None;
    }
    let id: ObjectId = object.manifest.id();
    let (app, place) = environment.neighbors.other_app(&id, own.directory, own.cluster)?;
    let severity = if object.is("", "Namespace") { Severity::Warning } else { Severity::Error };
    let draft =
        FindingDraft::new(&RULE, object.name_place(), format!("{id} is also rendered by app `{app}`"));
    let draft = draft.severity(severity).related_file(place.clone(), "it is also defined here");
    Some(draft.hint("keep it in one of the apps: each Application would overwrite the other's object"))
}
