//! An `ExternalSecret`: what it asks for, and what its template makes of that.

use std::collections::BTreeSet;

use super::{Digests, Item, Wanted, combined};
use crate::crypto::Digest;
use crate::model::Node;
use crate::model::pods::{Keys, Reference, What};

const SOURCE: &str = "ExternalSecret";

impl<'a> Digests<'a> {
    pub(super) fn external_secret(&mut self, wanted: &Wanted<'_, 'a>) -> Vec<Item<'a>> {
        let data = wanted.at(&["spec", "data"]);
        let template = wanted.at(&["spec", "target", "template"]);
        if let (Keys::Only(keys), None) = (wanted.keys, template) {
            let asked = keys.iter().filter_map(|key| Some((*key, self.lookup(data?, "secretKey", key)?)));
            let asked: Vec<_> = asked.collect();
            if asked.len() == keys.len() {
                let store = wanted.at(&["spec", "secretStoreRef"]);
                let digests = asked.into_iter().map(|(key, entry)| (key, self.entry(SOURCE, entry, store)));
                return digests.map(|(key, digest)| wanted.item(SOURCE, key, digest)).collect();
            }
        }
        vec![wanted.item(SOURCE, "", self.external_whole(wanted))]
    }

    /// All that decides the values, with what the template takes from other objects.
    fn external_whole(&mut self, wanted: &Wanted<'_, 'a>) -> Digest {
        if let Some(digest) = self.whole.get(&(SOURCE, wanted.number)) {
            return *digest;
        }
        let asked = ["secretStoreRef", "data", "dataFrom"].map(|field| wanted.at(&["spec", field]));
        let made = ["data", "templateFrom", "mergePolicy", "engineVersion"]
            .map(|field| wanted.at(&["spec", "target", "template", field]));
        let own = self.nodes(SOURCE, &[asked.as_slice(), &made].concat());
        let mut items = BTreeSet::from([wanted.item(SOURCE, "", own)]);
        let namespace = wanted.object.namespace;
        for from in wanted.at(&["spec", "target", "template", "templateFrom"]).map_or(&[][..], Node::items) {
            let name = |field: &str| from.at(&[field, "name"]).and_then(Node::as_str);
            let whole = |what, name| Reference { what, name, keys: Keys::All, optional: false };
            if let Some(name) = name("configMap") {
                self.collect(namespace, &whole(What::ConfigMap, name), &mut items);
            }
            if let Some(name) = name("secret") {
                // Not one that another `ExternalSecret` makes: they could go round in a circle.
                self.sealed_now(namespace, &whole(What::Secret, name), &mut items);
            }
        }
        let digest = combined(self.key, "annotate/external", &items);
        self.whole.insert((SOURCE, wanted.number), digest);
        digest
    }
}
