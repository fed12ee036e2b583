//! The schemas that a run checks against: of each version of Kubernetes that is asked for, with custom resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;

use super::definitions::{Contenders, DefinitionRef, defined, fingerprint};
use sealwave_core::document::Node;
use sealwave_kube::schema::{KubeVersion, Schemas, Scope};

/// The schemas of each version that is asked for, custom resources included.
#[derive(Debug, Default)]
pub struct SchemaSet {
    pub(super) versions: Vec<Schemas>,
    /// The definitions that were added with their places, by group and kind.
    contenders: BTreeMap<CompactString, BTreeMap<CompactString, Contenders>>,
}

impl SchemaSet {
    /// Returns the schemas of these versions and definitions, of which each defines another kind.
    pub fn new<'c>(versions: &[KubeVersion], definitions: impl IntoIterator<Item = &'c Node>) -> Self {
        let mut set = Self {
            versions: versions.iter().copied().map(Schemas::new).collect(),
            contenders: BTreeMap::new(),
        };
        definitions.into_iter().for_each(|definition| set.define(definition));
        set
    }

    /// Returns the schemas of these versions and definitions; several may define one kind. No others are added later: of a
    /// kind with one definition there is nothing to choose.
    pub fn with_places<'c>(
        versions: &[KubeVersion],
        definitions: impl IntoIterator<Item = DefinitionRef<'c>>,
    ) -> Self {
        let mut set = Self::new(versions, []);
        let definitions: Vec<DefinitionRef<'c>> = definitions.into_iter().collect();
        let mut counts: BTreeMap<Option<(&str, &str)>, usize> = BTreeMap::new();
        for definition in &definitions {
            *counts.entry(defined(definition.object.root())).or_default() += 1;
        }
        for definition in &definitions {
            let root = definition.object.root();
            if counts.get(&defined(root)) == Some(&1) {
                set.define(root);
            } else {
                set.add(definition.clone());
            }
        }
        set
    }

    /// Returns the same for a set to which further definitions are added.
    pub fn growing<'c>(
        versions: &[KubeVersion],
        definitions: impl IntoIterator<Item = DefinitionRef<'c>>,
    ) -> Self {
        let mut set = Self::new(versions, []);
        definitions.into_iter().for_each(|definition| set.add(definition));
        set
    }

    /// Adds a definition, unless it is the same as one that is known.
    pub(super) fn add(&mut self, definition: DefinitionRef<'_>) {
        let root = definition.object.root();
        let Some((group, kind)) = defined(root) else { return };
        let fingerprint = fingerprint(root);
        let contenders = self.contenders.entry(group.into()).or_default().entry(kind.into()).or_default();
        if !contenders.wants(fingerprint) {
            return;
        }
        // The first is what is known of the kind; which one counts for an object is chosen for each.
        if contenders.is_empty() {
            contenders.add(definition, fingerprint, None);
            self.define(root);
        } else {
            let versions: Vec<KubeVersion> = self.versions.iter().map(Schemas::version).collect();
            contenders.add(definition, fingerprint, Some(Arc::new(Self::new(&versions, [root]))));
        }
    }

    fn define(&mut self, definition: &Node) {
        for schemas in &mut self.versions {
            // What is wrong with one is reported where it is an object itself.
            let _ = schemas.add_crd(definition);
        }
    }

    /// Returns the definitions of a kind, where several differ.
    pub(super) fn contenders(&self, group: &str, kind: &str) -> Option<&Contenders> {
        self.contenders.get(group)?.get(kind).filter(|contenders| contenders.differ())
    }

    /// Returns whether some version of a kind exists; `None` where no version of Kubernetes is asked for.
    pub(super) fn knows_kind(&self, group: &str, kind: &str) -> Option<bool> {
        self.versions.first().map(|schemas| schemas.knows_kind(group, kind))
    }

    /// Where objects of a kind live, as far as that is known.
    pub(super) fn scope(&self, group: &str, kind: &str) -> Option<Scope> {
        self.versions.first()?.scope(group, kind)
    }
}
