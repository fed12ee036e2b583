//! `environment/missing-object`.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::counterparts::{
    ByEnvironment, CounterpartKey, Counterparts, ObjectInEnvironment, WORKLOAD, is_environment_file,
};
use crate::facts::environment_names::EnvironmentNames;
use crate::facts::scene::{CheckedApp, CheckedEnvironment};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_kube::catalog::{ObjectIndex, STORE_CSI_GROUP};
use sealwave_kube::is_secret_like;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "environment/missing-object",
        severity: Severity::Warning,
        summary: "an object is missing in one environment",
        text: include_str!("missing_object.md"),
    },
    RuleCheck::App(check),
)
.about(RuleTopic::Absence);

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    let Some(names) = EnvironmentNames::from_app(app) else { return };
    let counterparts = Counterparts::new(app, &names);
    let dangling = DanglingReferences { app, names: &names, found: ByEnvironment::new(app) };
    for (shape, places) in counterparts.shapes() {
        let Some(missing) = counterparts.missing_in_one(places) else { continue };
        let (Some(environment), Some(first)) = (app.environments.get(missing), places.first()) else {
            continue;
        };
        let Some(there) = first.object(app) else { continue };
        if is_provided_elsewhere(environment, shape, there.name) {
            continue;
        }
        let own = places.iter().all(|place| is_from_environment_files(app, *place));
        let draft = |at| {
            let message = format!("{} `{}` exists in every other environment", there.kind, there.name);
            FindingDraft::new(&RULE, at, message)
        };
        let draft = if let Some((object, at)) = dangling.find(missing, shape) {
            draft(at)
                .about_object_in(missing, object)
                .related(there.name_origin(), "it is here in another environment")
        } else if !own {
            continue;
        } else if counterparts.count() > 2 {
            let confidential = is_secret_like(there.manifest.root());
            let draft = draft(there.name_origin()).about_environment_at(missing);
            if confidential { draft.confidential() } else { draft }
        } else if let Some(workload) = workload_of(&counterparts, shape, *first, missing) {
            let at =
                workload.object(app).map_or_else(|| there.name_origin(), |workload| workload.name_origin());
            draft(at)
                .about_object_in(missing, workload.object)
                .related(there.name_origin(), "it is here in another environment")
        } else {
            continue;
        };
        reporter
            .report(draft.hint(
                "add it to this environment too, or exclude it with a condition in a `base/` template",
            ));
    }
}

fn is_provided_elsewhere(
    environment: &CheckedEnvironment<'_>,
    shape: &CounterpartKey<'_>,
    name: &str,
) -> bool {
    let mut namespaces =
        environment.objects.iter().map(|object| object.namespace).filter(|namespace| !namespace.is_empty());
    let namespace = namespaces.next().unwrap_or_default();
    let supplied = (shape.group, shape.kind) == ("", "Secret")
        && !environment.catalog.suppliers(namespace, name).is_empty();
    supplied
        || environment.context.settings.is_external(shape.kind, namespace, name)
        || environment.neighbors.has_object(shape.group, shape.kind, namespace, name)
}

fn is_from_environment_files(app: &CheckedApp<'_>, place: ObjectInEnvironment) -> bool {
    let environment = app.environments.get(place.environment);
    environment
        .zip(place.object(app))
        .is_some_and(|(environment, object)| is_environment_file(environment, object.manifest.origin()))
}

/// Returns the workload with the name of the configuration, if both environments have it.
fn workload_of(
    counterparts: &Counterparts<'_>,
    shape: &CounterpartKey<'_>,
    there: ObjectInEnvironment,
    missing: usize,
) -> Option<ObjectInEnvironment> {
    if !matches!((shape.group, shape.kind), ("", "ConfigMap" | "Secret")) {
        return None;
    }
    let workload = CounterpartKey { group: "", kind: WORKLOAD, name: shape.name.clone() };
    counterparts.find(&workload, there.environment)?;
    counterparts.find(&workload, missing)
}

/// Missing objects that are referenced: the index of the referrer and the position.
type UnmetReferences = BTreeMap<(ReferencedKind, CompactString), (ObjectIndex, Origin)>;

/// Dangling references by environment, computed on first use.
struct DanglingReferences<'a> {
    app: &'a CheckedApp<'a>,
    names: &'a EnvironmentNames,
    found: ByEnvironment<UnmetReferences>,
}

impl DanglingReferences<'_> {
    /// Returns a reference to a missing object: the index of the referrer and the position.
    fn find(&self, number: usize, shape: &CounterpartKey<'_>) -> Option<(ObjectIndex, Origin)> {
        let what = match (shape.group, shape.kind) {
            ("", "ConfigMap") => ReferencedKind::ConfigMap,
            ("", "PersistentVolumeClaim") => ReferencedKind::PersistentVolumeClaim,
            ("", "Secret") => ReferencedKind::Secret,
            ("", "ServiceAccount") => ReferencedKind::ServiceAccount,
            (STORE_CSI_GROUP, "SecretProviderClass") => ReferencedKind::SecretProviderClass,
            _ => return None,
        };
        let environment = self.app.environments.get(number)?;
        let found = self.found.get_or_compute(number, || self.all(number, environment))?;
        found.get(&(what, shape.name.clone())).copied()
    }

    fn all(&self, number: usize, environment: &CheckedEnvironment<'_>) -> UnmetReferences {
        let mut all = BTreeMap::new();
        for (object, view) in environment.indexed_objects() {
            for located in view.references().into_iter().filter(|located| !located.reference.optional) {
                let (what, name) = (located.reference.kind, located.reference.name);
                if environment.catalog.resolve_reference(what, view.namespace, name).is_empty() {
                    all.entry((what, self.names.without_environment(number, name)))
                        .or_insert((object, located.origin));
                }
            }
        }
        all
    }
}
