//! The schemas of a run: for each requested Kubernetes version, including custom resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use compact_str::CompactString;

use crate::definitions::{CrdCandidates, DefinitionRef, defined_kind, fingerprint};
use sealwave_core::document::Node;
use sealwave_kube::schema::{KubeVersion, ResourceScope, Schemas};

/// The schemas of each requested version, including custom resources.
#[derive(Debug, Default)]
pub struct SchemaSet {
    pub(super) versions: Vec<Schemas>,
    /// The definitions added with their places, by group and kind.
    contenders: BTreeMap<CompactString, BTreeMap<CompactString, CrdCandidates<Arc<Self>>>>,
}

impl SchemaSet {
    /// Returns the schemas of the given versions and definitions, which define different kinds.
    pub fn new<'c>(versions: &[KubeVersion], definitions: impl IntoIterator<Item = &'c Node>) -> Self {
        let mut set = Self {
            versions: versions.iter().copied().map(Schemas::new).collect(),
            contenders: BTreeMap::new(),
        };
        definitions.into_iter().for_each(|definition| set.define(definition));
        set
    }

    /// Returns the schemas of the given versions and definitions; several may define one kind. No definitions may be
    /// added later, as kinds with a single definition are not tracked.
    pub fn with_places<'c>(
        versions: &[KubeVersion],
        definitions: impl IntoIterator<Item = DefinitionRef<'c>>,
    ) -> Self {
        let mut set = Self::new(versions, []);
        let definitions: Vec<DefinitionRef<'c>> = definitions.into_iter().collect();
        let mut counts: BTreeMap<Option<(&str, &str)>, usize> = BTreeMap::new();
        for definition in &definitions {
            *counts.entry(defined_kind(definition.object.root())).or_default() += 1;
        }
        for definition in &definitions {
            let root = definition.object.root();
            if counts.get(&defined_kind(root)) == Some(&1) {
                set.define(root);
            } else {
                set.add(definition.clone());
            }
        }
        set
    }

    /// Like [`with_places`](Self::with_places), for a set that further definitions are added to.
    pub fn extendable<'c>(
        versions: &[KubeVersion],
        definitions: impl IntoIterator<Item = DefinitionRef<'c>>,
    ) -> Self {
        let mut set = Self::new(versions, []);
        definitions.into_iter().for_each(|definition| set.add(definition));
        set
    }

    /// Adds a definition, unless it equals a known one.
    pub(super) fn add(&mut self, definition: DefinitionRef<'_>) {
        let root = definition.object.root();
        let Some((group, kind)) = defined_kind(root) else { return };
        let fingerprint = fingerprint(root);
        let contenders = self.contenders.entry(group.into()).or_default().entry(kind.into()).or_default();
        if !contenders.is_new(fingerprint) {
            return;
        }
        // The first definition is in the set itself; the one for an object is chosen per object.
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
            // Errors in a definition are reported for the definition as an object.
            let _ = schemas.add_crd(definition);
        }
    }

    /// Returns the definitions of a kind, if several differ.
    pub(super) fn contenders(&self, group: &str, kind: &str) -> Option<&CrdCandidates<Arc<Self>>> {
        self.contenders.get(group)?.get(kind).filter(|contenders| contenders.has_conflict())
    }

    /// Reports whether any version of a kind exists; `None` if no Kubernetes version is requested.
    pub(super) fn has_kind(&self, group: &str, kind: &str) -> Option<bool> {
        self.versions.first().map(|schemas| schemas.knows_kind(group, kind))
    }

    /// Returns the scope of a kind, if known.
    pub(super) fn scope(&self, group: &str, kind: &str) -> Option<ResourceScope> {
        self.versions.first()?.scope(group, kind)
    }
}
