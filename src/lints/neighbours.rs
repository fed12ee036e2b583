//! What other apps of the repository render in an environment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{ObjectId, Place};

/// Objects of all apps, and the Secrets and the like that they supply.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    made: BTreeMap<ObjectId, Vec<Made>>,
}

/// One thing that an app makes.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// The directory of the app.
    pub(crate) app: Arc<str>,
    /// The cluster of the environment; none where the app has no environment of this name.
    pub(crate) cluster: Option<Arc<str>>,
    /// Its keys; none where others may be there, or where it has none.
    pub(crate) keys: Option<BTreeSet<String>>,
    /// Where an object of this identity is named; none where another object supplies it.
    pub(crate) object: Option<Place>,
}

impl Neighbours {
    /// Adds what an app makes.
    pub(crate) fn extend(&mut self, made: impl IntoIterator<Item = (ObjectId, Made)>) {
        for (id, made) in made {
            self.made.entry(id).or_default().push(made);
        }
    }

    /// Whether there is such an object; a Secret whatever object supplies it.
    pub(crate) fn has(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        !self.of(group, kind, namespace, name).is_empty()
    }

    /// Whether some app makes such a thing, and none of those that do may have a key in it.
    pub(crate) fn lacks(&self, (group, kind): (&str, &str), namespace: &str, name: &str, key: &str) -> bool {
        let here = self.of(group, kind, namespace, name);
        let anywhere = self.of(group, kind, "", name);
        let may_have = |made: &Made| made.keys.as_ref().is_none_or(|keys| keys.contains(key));
        // The object that is the thing itself and what is said of its keys are two entries.
        let known = || here.iter().filter(|made| made.keys.is_some() || made.object.is_none());
        !namespace.is_empty() && anywhere.is_empty() && known().next().is_some() && !known().any(may_have)
    }

    /// The first app beside one that renders an object itself, into a cluster of this name.
    pub(crate) fn other(&self, id: &ObjectId, app: &str, cluster: &str) -> Option<(&str, &Place)> {
        let other = |made: &&Made| &*made.app != app && made.cluster.as_deref() == Some(cluster);
        let mut all = self.made.get(id)?.iter().filter(other);
        all.find_map(|made| Some((&*made.app, made.object.as_ref()?)))
    }

    fn of(&self, group: &str, kind: &str, namespace: &str, name: &str) -> &[Made] {
        let id = ObjectId {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        self.made.get(&id).map_or(&[], Vec::as_slice)
    }
}
