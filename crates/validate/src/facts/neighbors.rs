//! Objects that other apps of the repository render in an environment.
//!
//! If an app lacks an environment, the objects of all its environments count there: an app shared by several environments
//! often has none, or one of its own. All objects are stored once and shared by the views of the environments; a copy per
//! environment would grow with apps times environments.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use compact_str::CompactString;

use sealwave_core::document::{ObjectId, SourceLocation};

/// The path of a secret in a store: provider and path.
pub(crate) type SecretPath = (CompactString, String);

/// Maximum number of objects with one identity that are searched for a key; beyond it, no key is reported as missing.
const MAX_MAKERS: usize = 100;

/// Objects of all apps, and the Secrets and other objects that they create, as seen from one environment.
#[derive(Clone, Debug, Default)]
pub struct NeighborApps {
    environment: Arc<str>,
    /// Directories of the apps with this environment.
    apps: HashSet<Arc<str>>,
    all: Arc<BTreeMap<ObjectId, Vec<NeighborObject>>>,
    /// Apps that read the same path in production and elsewhere, by path, sorted.
    sharers: Arc<BTreeMap<SecretPath, Vec<Arc<str>>>>,
}

/// An object that an app creates.
#[derive(Clone, Debug)]
pub(crate) struct NeighborObject {
    /// Directory of the app.
    pub(crate) app: Arc<str>,
    /// Environment of the app.
    pub(crate) environment: Arc<str>,
    /// Cluster of the environment.
    pub(crate) cluster: Arc<str>,
    /// Keys of the object; `None` if further keys may exist, or if it has no keys.
    pub(crate) keys: Option<BTreeSet<String>>,
    /// Position of the object's name; `None` if another object creates it.
    pub(crate) object: Option<SourceLocation>,
}

impl NeighborApps {
    /// Returns a view for each environment of `apps`, which are directories with the names of their environments.
    pub(crate) fn views(
        apps: &[(Arc<str>, Vec<Arc<str>>)],
        made: impl IntoIterator<Item = (ObjectId, NeighborObject)>,
        shared: impl IntoIterator<Item = (SecretPath, Arc<str>)>,
    ) -> BTreeMap<String, Self> {
        let mut sharers: BTreeMap<SecretPath, Vec<Arc<str>>> = BTreeMap::new();
        for (path, app) in shared {
            sharers.entry(path).or_default().push(app);
        }
        for apps in sharers.values_mut() {
            apps.sort_unstable();
        }
        let sharers = Arc::new(sharers);
        let mut all: BTreeMap<ObjectId, Vec<NeighborObject>> = BTreeMap::new();
        for (id, made) in made {
            all.entry(id).or_default().push(made);
        }
        let all = Arc::new(all);
        let mut by_environment: HashMap<&Arc<str>, HashSet<Arc<str>>> = HashMap::new();
        for (app, environments) in apps {
            for environment in environments {
                by_environment.entry(environment).or_default().insert(Arc::clone(app));
            }
        }
        let view = |(environment, apps): (&Arc<str>, HashSet<Arc<str>>)| {
            let (all, sharers) = (Arc::clone(&all), Arc::clone(&sharers));
            let view = Self { environment: Arc::clone(environment), apps, all, sharers };
            (environment.to_string(), view)
        };
        by_environment.into_iter().map(view).collect()
    }

    /// Returns the directories of the apps that read a path in production and in another environment, sorted.
    pub(crate) fn apps_sharing(&self, path: &SecretPath) -> &[Arc<str>] {
        self.sharers.get(path).map_or(&[], Vec::as_slice)
    }

    /// Returns whether an object exists; a Secret may be created by any kind of object.
    pub(crate) fn has_object(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        self.visible(group, kind, namespace, name).next().is_some()
    }

    /// Returns whether some app creates an object, and none of these objects can have a key.
    pub(crate) fn is_key_missing(
        &self,
        (group, kind): (&str, &str),
        namespace: &str,
        name: &str,
        key: &str,
    ) -> bool {
        if namespace.is_empty() || self.visible(group, kind, "", name).next().is_some() {
            return false;
        }
        let may_have = |made: &NeighborObject| made.keys.as_ref().is_none_or(|keys| keys.contains(key));
        let here: Vec<&NeighborObject> =
            self.visible(group, kind, namespace, name).take(MAX_MAKERS).collect();
        // An object and its known keys are two entries.
        let known = || here.iter().filter(|made| made.keys.is_some() || made.object.is_none());
        here.len() < MAX_MAKERS && known().next().is_some() && !known().any(|made| may_have(made))
    }

    /// Returns the first other app that renders an object itself, for a cluster of this name.
    pub(crate) fn other_app(
        &self,
        id: &ObjectId,
        app: &str,
        cluster: &str,
    ) -> Option<(&str, &SourceLocation)> {
        let is_other = |made: &&NeighborObject| {
            *made.app != *app && made.environment == self.environment && *made.cluster == *cluster
        };
        let mut all = self.all.get(id)?.iter().filter(is_other);
        all.find_map(|made| Some((&*made.app, made.object.as_ref()?)))
    }

    fn visible(
        &self,
        group: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> impl Iterator<Item = &NeighborObject> {
        let id = ObjectId {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        let all = self.all.get(&id).map_or(&[][..], Vec::as_slice).iter();
        all.filter(|made| made.environment == self.environment || !self.apps.contains(&made.app))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_without_the_environment_counts_with_all_its_objects() {
        let id = |name: &str| ObjectId {
            group: "".into(),
            kind: "ConfigMap".into(),
            namespace: "shop".into(),
            name: name.into(),
        };
        let entry = |app: &str, environment: &str, name: &str| {
            let (app, environment) = (Arc::from(app), Arc::from(environment));
            (id(name), NeighborObject { app, environment, cluster: "c".into(), keys: None, object: None })
        };
        let apps = [("a", vec!["dev", "prod"]), ("b", vec!["shared"])];
        let apps = apps.map(|(app, names)| (Arc::from(app), names.into_iter().map(Arc::from).collect()));
        let all =
            [entry("a", "dev", "only-dev"), entry("a", "prod", "only-prod"), entry("b", "shared", "of-b")];
        let views = NeighborApps::views(&apps, all, []);
        let has =
            |environment: &str, name: &str| views[environment].has_object("", "ConfigMap", "shop", name);
        assert!(has("dev", "only-dev") && !has("dev", "only-prod") && has("dev", "of-b"));
        assert!(has("shared", "only-dev") && has("shared", "only-prod") && has("shared", "of-b"));
        // All views share one store of objects.
        assert!(views.values().all(|view| Arc::ptr_eq(&view.all, &views["dev"].all)));
    }
}
