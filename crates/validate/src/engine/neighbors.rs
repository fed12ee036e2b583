//! The objects that the apps of a repository render, as seen by each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::examine::{ExaminedApp, ExaminedEnvironment};
use crate::facts::checked_object::CheckedObject;
use crate::facts::inventory::Inventory;
use crate::facts::neighbors::{NeighborApps, NeighborObject, SecretPath};
use crate::facts::shared_paths::{self, EnvironmentSecrets};
use sealwave_core::document::ObjectId;
use sealwave_kube::catalog::{ObjectCatalog, ObjectIndex};

/// Returns the objects of each environment of a repository's apps, as seen by the others.
#[must_use]
pub fn neighbors(apps: &[&ExaminedApp]) -> BTreeMap<String, NeighborApps> {
    let name = |environment: &ExaminedEnvironment| Arc::from(environment.name.as_str());
    let environments = |app: &&ExaminedApp| {
        (Arc::from(app.directory.as_str()), app.environments.iter().map(name).collect::<Vec<Arc<str>>>())
    };
    let named: Vec<(Arc<str>, Vec<Arc<str>>)> = apps.iter().map(environments).collect();
    let made =
        apps.iter().flat_map(|app| app.environments.iter().flat_map(|environment| exports(app, environment)));
    let shared = apps.iter().flat_map(|app| {
        let directory: Arc<str> = app.directory.as_str().into();
        shared_paths(app).into_iter().map(move |path| (path, Arc::clone(&directory)))
    });
    NeighborApps::views(&named, made, shared)
}

/// Returns the secret paths that production shares with another environment of an app.
fn shared_paths(app: &ExaminedApp) -> BTreeSet<SecretPath> {
    let all = app.environments.iter();
    let environments: Vec<_> = all
        .map(|environment| {
            let object = |index: ObjectIndex| index.of(&environment.objects);
            EnvironmentSecrets::new(&environment.name, &environment.secrets, object)
        })
        .collect();
    shared_paths::shared_paths(&environments)
}

/// Returns the objects of an environment and the objects that they create.
fn exports(app: &ExaminedApp, environment: &ExaminedEnvironment) -> Vec<(ObjectId, NeighborObject)> {
    let objects: Vec<CheckedObject<'_>> =
        environment.objects.iter().map(|manifest| CheckedObject::new(manifest, &app.workloads)).collect();
    let inventory = Inventory::new(&ObjectCatalog::new(&environment.objects), &objects, &[]);
    let directory: Arc<str> = app.directory.as_str().into();
    let (name, cluster): (Arc<str>, Arc<str>) =
        (environment.name.as_str().into(), environment.cluster.as_str().into());
    let made = |keys, object| NeighborObject {
        app: Arc::clone(&directory),
        environment: Arc::clone(&name),
        cluster: Arc::clone(&cluster),
        keys,
        object,
    };
    let supplied = inventory.created_objects().map(|(id, contents)| (id, made(contents.all_keys(), None)));
    let itself = objects
        .iter()
        .map(|object| (object.manifest.id(), made(None, Some(app.sources.location(object.name_origin())))));
    supplied.chain(itself).collect()
}
