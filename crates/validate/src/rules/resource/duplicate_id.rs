//! `resource/duplicate-id`.

use std::collections::{BTreeMap, HashMap};

use crate::rules::{Check, Draft, Environment, Object, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{ObjectId, Origin};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/duplicate-id",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "two manifests describe the same object",
        page: include_str!("duplicate_id.md"),
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let mut seen: HashMap<_, Origin> = HashMap::with_capacity(environment.objects.len());
    let mut variants = Variants::default();
    for (number, object) in
        environment.objects.iter().enumerate().filter(|(_, object)| !object.name.is_empty())
    {
        let namespaced = !environment.scene.scopes.is_cluster_scoped(object.group, object.kind);
        let namespace = if namespaced { object.namespace } else { "" };
        let key = (object.group, object.kind, namespace, object.name);
        let at = object.name_at();
        if let Some(draft) = of_another_app(environment, object, namespaced) {
            reporter.report(draft.about(number));
        }
        let Some(first) = seen.get(&key).copied() else {
            seen.insert(key, at);
            continue;
        };
        let draft = Draft::new(&RULE, at, format!("{} is defined twice", object.manifest.id()))
            .about(number)
            .related(first, "it is defined here first")
            .hint("remove one; to change an object in one environment, use `patches`");
        if environment.may_be_apart(first, at) {
            let is_namespace = object.is("", "Namespace");
            let severity = if is_namespace { Severity::Note } else { Severity::Warning };
            let directories = (environment.directory_of(first), environment.directory_of(at));
            variants.add(directories, draft.severity(severity));
        } else {
            reporter.report(draft);
        }
    }
    variants.report(reporter);
}

/// Objects that two directories of plain manifests have in common, by the two directories.
#[derive(Default)]
struct Variants<'a>(BTreeMap<(&'a str, &'a str), Common>);

/// The objects that two directories have in common.
struct Common {
    objects: usize,
    first: Draft,
}

impl<'a> Variants<'a> {
    fn add(&mut self, directories: (&'a str, &'a str), draft: Draft) {
        let common = self.0.entry(directories).or_insert(Common { objects: 0, first: draft });
        common.objects += 1;
    }

    /// Reports one object by itself; several are variants of one thing (environments, clusters, editions), which nobody
    /// applies together, and give one note for both directories.
    fn report(self, reporter: &mut Reporter) {
        for ((one, other), Common { objects, first }) in self.0 {
            if objects == 1 {
                reporter.report(first);
                continue;
            }
            let name =
                |directory: &str| if directory.is_empty() { ".".to_owned() } else { directory.to_owned() };
            let message = format!(
                "{objects} objects are in `{}` and in `{}`, of which this is the first",
                name(one),
                name(other)
            );
            let hint = "if both are never applied to one cluster, validate each directory by itself";
            reporter.report(Draft { message, hint: Some(hint.to_owned()), ..first.severity(Severity::Note) });
        }
    }
}

/// The same object in another app. Where a namespace is not known, it is each app's own.
fn of_another_app(environment: &Environment<'_>, object: &Object<'_>, namespaced: bool) -> Option<Draft> {
    if environment.is_plain() || (namespaced && object.namespace.is_empty()) {
        return None;
    }
    let id: ObjectId = object.manifest.id();
    let (app, place) = environment.neighbours.other(&id, environment.app, environment.cluster)?;
    let severity = if object.is("", "Namespace") { Severity::Warning } else { Severity::Error };
    let draft = Draft::new(&RULE, object.name_at(), format!("{id} is rendered by app `{app}` too"));
    let draft = draft.severity(severity).elsewhere(place.clone(), "it is defined here too");
    Some(draft.hint("keep it in one of the two apps: each Application would overwrite the other's"))
}
