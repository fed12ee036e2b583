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
    let mut directories = SharingPairs::new(DIRECTORIES);
    let mut files = SharingPairs::new(FILES);
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
            let pair = (environment.directory(first), environment.directory(at));
            directories.add(pair, draft.severity(severity));
        } else if environment.is_plain() && first.source != at.source {
            files.add((environment.file(first), environment.file(at)), draft);
        } else {
            reporter.report(draft);
        }
    }
    directories.report(reporter);
    files.report(reporter);
}

/// The way in which two places of plain manifests that have objects in common are reported.
#[derive(Clone, Copy)]
struct SharingKind {
    /// The most objects that are reported one by one. More are variants (environments, clusters, versions) that are not
    /// applied together, and give one finding for both places.
    most_single: usize,
    severity: Severity,
    hint: &'static str,
}

const DIRECTORIES: SharingKind = SharingKind {
    most_single: 1,
    severity: Severity::Note,
    hint: "if they are never applied to the same cluster, validate each directory separately",
};

/// Files of one directory are more often applied together, so a few objects in common are errors.
const FILES: SharingKind = SharingKind {
    most_single: 2,
    severity: Severity::Warning,
    hint: "if they are versions or variants, validate one of them, and leave out the others with `--exclude`",
};

/// Objects in common of two places, by pair of places.
struct SharingPairs<'a> {
    kind: SharingKind,
    pairs: BTreeMap<(&'a str, &'a str), SharedObjects>,
}

/// Objects that two places have in common.
#[derive(Default)]
struct SharedObjects {
    objects: usize,
    /// The first ones.
    drafts: Vec<FindingDraft>,
}

impl<'a> SharingPairs<'a> {
    const fn new(kind: SharingKind) -> Self {
        Self { kind, pairs: BTreeMap::new() }
    }

    fn add(&mut self, places: (&'a str, &'a str), draft: FindingDraft) {
        let shared = self.pairs.entry(places).or_default();
        shared.objects += 1;
        if shared.drafts.len() < self.kind.most_single {
            shared.drafts.push(draft);
        }
    }

    fn report(self, reporter: &mut Reporter) {
        let Self { kind, pairs } = self;
        for ((one, other), SharedObjects { objects, drafts }) in pairs {
            if objects <= kind.most_single {
                for draft in drafts {
                    reporter.report(draft);
                }
                continue;
            }
            let name = |place: &str| if place.is_empty() { ".".to_owned() } else { place.to_owned() };
            let message = format!(
                "`{}` and `{}` have {objects} objects in common; this is the first",
                name(one),
                name(other)
            );
            if let Some(first) = drafts.into_iter().next() {
                let hint = Some(kind.hint.to_owned());
                reporter.report(FindingDraft { message, hint, ..first.severity(kind.severity) });
            }
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
