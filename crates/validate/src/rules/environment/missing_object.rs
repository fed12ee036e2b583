//! `environment/missing-object`.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::counterparts::{ByEnvironment, Counterparts, Place, Shape, WORKLOAD, is_own};
use super::words::Names;
use crate::rules::{App, Check, Draft, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_kube::catalogue::STORE_CSI;
use sealwave_kube::is_secret_like;
use sealwave_kube::pods::What;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "environment/missing-object",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an object is missing in one environment",
        page: include_str!("missing_object.md"),
    },
    check: Check::App(check),
};

fn check(app: &App<'_>, reporter: &mut Reporter) {
    let Some(names) = Names::of(app) else { return };
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
        let draft = |at, object| {
            let message = format!("{} `{}` exists in every other environment", there.kind, there.name);
            Draft::new(&RULE, at, message).about_in(missing, object)
        };
        let draft = if let Some((object, at)) = dangling.find(missing, shape) {
            draft(at, object).related(there.name_at(), "it is here in another environment")
        } else if !own {
            continue;
        } else if counterparts.count() > 2 {
            let confidential = is_secret_like(there.manifest.root());
            let draft = draft(there.name_at(), usize::MAX);
            if confidential { draft.confidential() } else { draft }
        } else if let Some(workload) = workload_of(&counterparts, shape, *first, missing) {
            let at = workload.object(app).map_or_else(|| there.name_at(), |workload| workload.name_at());
            draft(at, workload.object).related(there.name_at(), "it is here in another environment")
        } else {
            continue;
        };
        reporter
            .report(draft.hint(
                "add it to this environment too, or exclude it with a condition in a `base/` template",
            ));
    }
}

fn is_provided_elsewhere(environment: &Environment<'_>, shape: &Shape<'_>, name: &str) -> bool {
    let mut namespaces =
        environment.objects.iter().map(|object| object.namespace).filter(|namespace| !namespace.is_empty());
    let namespace = namespaces.next().unwrap_or_default();
    let supplied = (shape.group, shape.kind) == ("", "Secret")
        && !environment.catalogue.suppliers(namespace, name).is_empty();
    supplied
        || environment.scene.settings.is_external(shape.kind, namespace, name)
        || environment.neighbours.has(shape.group, shape.kind, namespace, name)
}

fn is_from_environment_files(app: &App<'_>, place: Place) -> bool {
    let environment = app.environments.get(place.environment);
    environment
        .zip(place.object(app))
        .is_some_and(|(environment, object)| is_own(environment, object.manifest.origin()))
}

/// Returns the workload with the name of the configuration, if both environments have it.
fn workload_of(
    counterparts: &Counterparts<'_>,
    shape: &Shape<'_>,
    there: Place,
    missing: usize,
) -> Option<Place> {
    if !matches!((shape.group, shape.kind), ("", "ConfigMap" | "Secret")) {
        return None;
    }
    let workload = Shape { group: "", kind: WORKLOAD, name: shape.name.clone() };
    counterparts.find(&workload, there.environment)?;
    counterparts.find(&workload, missing)
}

/// Missing objects that are referenced: the index of the referrer and the position.
type UnmetReferences = BTreeMap<(What, CompactString), (usize, Origin)>;

/// Dangling references by environment, computed on first use.
struct DanglingReferences<'a> {
    app: &'a App<'a>,
    names: &'a Names,
    found: ByEnvironment<UnmetReferences>,
}

impl DanglingReferences<'_> {
    /// Returns a reference to a missing object: the index of the referrer and the position.
    fn find(&self, number: usize, shape: &Shape<'_>) -> Option<(usize, Origin)> {
        let what = match (shape.group, shape.kind) {
            ("", "ConfigMap") => What::ConfigMap,
            ("", "PersistentVolumeClaim") => What::PersistentVolumeClaim,
            ("", "Secret") => What::Secret,
            ("", "ServiceAccount") => What::ServiceAccount,
            (STORE_CSI, "SecretProviderClass") => What::SecretProviderClass,
            _ => return None,
        };
        let environment = self.app.environments.get(number)?;
        let found = self.found.of(number, || self.all(number, environment))?;
        found.get(&(what, shape.name.clone())).copied()
    }

    fn all(&self, number: usize, environment: &Environment<'_>) -> UnmetReferences {
        let mut all = BTreeMap::new();
        for (object, view) in environment.objects.iter().enumerate() {
            for located in view.references().into_iter().filter(|located| !located.reference.optional) {
                let (what, name) = (located.reference.what, located.reference.name);
                if environment.catalogue.meant(what, view.namespace, name).is_empty() {
                    all.entry((what, self.names.neutral(number, name))).or_insert((object, located.at));
                }
            }
        }
        all
    }
}
