//! Which object of one environment is which of another.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use compact_str::CompactString;

use super::words::Names;
use crate::rules::{App, Environment, Object};
use sealwave_core::document::{Node, Origin};
use sealwave_kube::catalogue::{ESO, SEALED};

/// What an object is, in whatever environment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape<'a> {
    /// Its group; of kinds that take each other's place, the one that stands for all.
    pub(super) group: &'a str,
    /// Its kind; of kinds that take each other's place, the one that stands for all.
    pub(super) kind: &'a str,
    /// Its name without the environment's.
    pub(super) name: CompactString,
}

/// An object of an environment, both by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) environment: usize,
    pub(super) object: usize,
}

/// The kind that stands for all that keep pods running.
pub(super) const WORKLOAD: &str = "workload";

/// The objects of all environments that could be rendered, each beside its counterparts.
pub(super) struct Counterparts<'a> {
    /// The environments that take part.
    environments: Vec<usize>,
    shapes: BTreeMap<Shape<'a>, Vec<Place>>,
}

impl<'a> Counterparts<'a> {
    pub(super) fn new(app: &App<'a>, names: &Names) -> Self {
        // Of one that could not be rendered as a whole, nobody knows what is missing.
        let rendered =
            |number: &usize| app.environments.get(*number).is_some_and(|one| one.emitted.is_some());
        let environments: Vec<usize> = (0..app.environments.len()).filter(rendered).collect();
        let mut shapes: BTreeMap<Shape<'a>, Vec<Place>> = BTreeMap::new();
        for number in &environments {
            let Some(environment) = app.environments.get(*number) else { continue };
            for (object, view) in
                environment.objects.iter().enumerate().filter(|(_, view)| !view.name.is_empty())
            {
                let places = shapes.entry(shape(view, *number, names)).or_default();
                if places.last().is_none_or(|last| last.environment != *number) {
                    places.push(Place { environment: *number, object });
                }
            }
        }
        Self { environments, shapes }
    }

    /// How many environments take part.
    pub(super) const fn count(&self) -> usize {
        self.environments.len()
    }

    /// Each shape and its objects, at most one of each environment, in their order.
    pub(super) fn shapes(&self) -> impl Iterator<Item = (&Shape<'a>, &[Place])> {
        self.shapes.iter().map(|(shape, places)| (shape, places.as_slice()))
    }

    /// The object of a shape in an environment.
    pub(super) fn find(&self, shape: &Shape<'_>, environment: usize) -> Option<Place> {
        let places = self.shapes.get(shape)?;
        places.iter().find(|place| place.environment == environment).copied()
    }

    /// The one environment that has none, where all others have.
    pub(super) fn missing_in_one(&self, places: &[Place]) -> Option<usize> {
        if places.len() + 1 != self.environments.len() {
            return None;
        }
        let has = |number: &usize| places.iter().any(|place| place.environment == *number);
        self.environments.iter().copied().find(|number| !has(number))
    }
}

fn shape<'a>(object: &Object<'a>, environment: usize, names: &Names) -> Shape<'a> {
    let neutral = |name| names.neutral(environment, name);
    let (group, kind, name) = match (object.group, object.kind) {
        (SEALED, "SealedSecret") => ("", "Secret", object.name),
        (ESO, "ExternalSecret") => {
            let target = object.manifest.root().at(&["spec", "target", "name"]).and_then(Node::as_str);
            ("", "Secret", target.filter(|name| !name.is_empty()).unwrap_or(object.name))
        }
        (_, "CronJob" | "Job" | "Pod") => (object.group, object.kind, object.name),
        _ if object.pod.is_some() => ("", WORKLOAD, object.name),
        _ => (object.group, object.kind, object.name),
    };
    Shape { group, kind, name: neutral(name) }
}

impl Place {
    /// The object.
    pub(super) fn object<'e, 'a>(self, app: &App<'e>) -> Option<&'e Object<'a>>
    where
        'e: 'a,
        'a: 'e,
    {
        app.environments.get(self.environment)?.objects.get(self.object)
    }
}

/// What is found out about an environment when it is first asked for.
pub(super) struct ByEnvironment<T>(Vec<OnceCell<T>>);

impl<T> ByEnvironment<T> {
    pub(super) fn new(app: &App<'_>) -> Self {
        Self(app.environments.iter().map(|_| OnceCell::new()).collect())
    }

    /// What is known of an environment, by its number.
    pub fn of(&self, number: usize, find_out: impl FnOnce() -> T) -> Option<&T> {
        Some(self.0.get(number)?.get_or_init(find_out))
    }
}

/// Whether a position is in a file that only this environment has.
pub(super) fn is_own(environment: &Environment<'_>, at: Origin) -> bool {
    let path = environment.scene.sources.name(at.source);
    let mut steps = path.split(['/', '\\']).peekable();
    while let Some(step) = steps.next() {
        if step == "envs" && steps.peek() == Some(&environment.name) {
            return true;
        }
    }
    false
}

/// The line of a template that a position was made by: path and line.
pub(super) fn made_by<'s>(environment: &Environment<'s>, at: Origin) -> Option<(&'s str, u32)> {
    let sources = environment.scene.sources;
    sources.made_by(at).map(|template| (sources.name(template.source), template.line))
}
