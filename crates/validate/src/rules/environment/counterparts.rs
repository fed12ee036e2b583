//! Matches the objects of one environment with those of the others.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use compact_str::CompactString;

use crate::facts::checked_object::CheckedObject;
use crate::facts::environment_names::EnvironmentNames;
use crate::facts::scene::{CheckedApp, CheckedEnvironment};
use sealwave_core::document::{Node, Origin};
use sealwave_kube::catalog::{ESO_GROUP, ObjectIndex, SEALED_SECRETS_GROUP};

/// The identity of an object across environments.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CounterpartKey<'a> {
    /// The group; interchangeable kinds share one.
    pub(super) group: &'a str,
    /// The kind; interchangeable kinds share one.
    pub(super) kind: &'a str,
    /// The name without the name of the environment.
    pub(super) name: CompactString,
}

/// The indices of an object and its environment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectInEnvironment {
    pub(super) environment: usize,
    pub(super) object: ObjectIndex,
}

/// The kind shared by all workloads that keep pods running.
pub(super) const WORKLOAD: &str = "workload";

/// The objects of all rendered environments, grouped with their counterparts.
pub(super) struct Counterparts<'a> {
    /// The compared environments.
    environments: Vec<usize>,
    shapes: BTreeMap<CounterpartKey<'a>, Vec<ObjectInEnvironment>>,
}

impl<'a> Counterparts<'a> {
    pub(super) fn new(app: &CheckedApp<'a>, names: &EnvironmentNames) -> Self {
        // If an environment failed to render completely, it is unknown what is missing.
        let rendered =
            |number: &usize| app.environments.get(*number).is_some_and(|one| one.emitted().is_some());
        let environments: Vec<usize> = (0..app.environments.len()).filter(rendered).collect();
        let mut shapes: BTreeMap<CounterpartKey<'a>, Vec<ObjectInEnvironment>> = BTreeMap::new();
        for number in &environments {
            let Some(environment) = app.environments.get(*number) else { continue };
            for (object, view) in environment.indexed_objects().filter(|(_, view)| !view.name.is_empty()) {
                let places = shapes.entry(shape(view, *number, names)).or_default();
                if places.last().is_none_or(|last| last.environment != *number) {
                    places.push(ObjectInEnvironment { environment: *number, object });
                }
            }
        }
        Self { environments, shapes }
    }

    /// Returns the number of compared environments.
    pub(super) const fn count(&self) -> usize {
        self.environments.len()
    }

    /// Returns each key with its objects, at most one per environment, in order.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (&CounterpartKey<'a>, &[ObjectInEnvironment])> {
        self.shapes.iter().map(|(shape, places)| (shape, places.as_slice()))
    }

    /// Returns the object with a key in an environment.
    pub(super) fn find(&self, shape: &CounterpartKey<'_>, environment: usize) -> Option<ObjectInEnvironment> {
        let places = self.shapes.get(shape)?;
        places.iter().find(|place| place.environment == environment).copied()
    }

    /// Returns the environment that lacks the object, if it is the only one.
    pub(super) fn missing_in_one(&self, places: &[ObjectInEnvironment]) -> Option<usize> {
        if places.len() + 1 != self.environments.len() {
            return None;
        }
        let has = |number: &usize| places.iter().any(|place| place.environment == *number);
        self.environments.iter().copied().find(|number| !has(number))
    }
}

fn shape<'a>(object: &CheckedObject<'a>, environment: usize, names: &EnvironmentNames) -> CounterpartKey<'a> {
    let neutral = |name| names.without_environment(environment, name);
    let (group, kind, name) = match (object.group, object.kind) {
        (SEALED_SECRETS_GROUP, "SealedSecret") => ("", "Secret", object.name),
        (ESO_GROUP, "ExternalSecret") => {
            let target = object.manifest.root().at(&["spec", "target", "name"]).and_then(Node::as_str);
            ("", "Secret", target.filter(|name| !name.is_empty()).unwrap_or(object.name))
        }
        (_, "CronJob" | "Job" | "Pod") => (object.group, object.kind, object.name),
        _ if object.pod.is_some() => ("", WORKLOAD, object.name),
        _ => (object.group, object.kind, object.name),
    };
    CounterpartKey { group, kind, name: neutral(name) }
}

impl ObjectInEnvironment {
    /// Returns the object.
    pub(super) fn object<'e, 'a>(self, app: &CheckedApp<'e>) -> Option<&'e CheckedObject<'a>>
    where
        'e: 'a,
        'a: 'e,
    {
        app.environments.get(self.environment)?.object(self.object)
    }
}

/// A value for each environment, computed on first use.
pub(super) struct ByEnvironment<T>(Vec<OnceCell<T>>);

impl<T> ByEnvironment<T> {
    pub(super) fn new(app: &CheckedApp<'_>) -> Self {
        Self(app.environments.iter().map(|_| OnceCell::new()).collect())
    }

    /// Returns the value for an environment, computing it if needed.
    pub(super) fn get_or_compute(&self, number: usize, compute: impl FnOnce() -> T) -> Option<&T> {
        Some(self.0.get(number)?.get_or_init(compute))
    }
}

/// Reports whether a position is in a file of this environment only.
pub(super) fn is_environment_file(environment: &CheckedEnvironment<'_>, at: Origin) -> bool {
    let path = environment.context.sources.name(at.source);
    let mut steps = path.split(['/', '\\']).peekable();
    while let Some(step) = steps.next() {
        if step == "envs" && environment.name().is_some_and(|name| steps.peek() == Some(&name)) {
            return true;
        }
    }
    false
}

/// Returns path and line of the template that rendered a position.
pub(super) fn template_line<'s>(environment: &CheckedEnvironment<'s>, at: Origin) -> Option<(&'s str, u32)> {
    let sources = environment.context.sources;
    sources.template_line(at).map(|template| (sources.name(template.source), template.line))
}
