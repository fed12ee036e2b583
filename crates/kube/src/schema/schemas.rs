//! The schemas of one version of Kubernetes: their data, and how kinds are found.

use super::crd::{self, Crds, RuleCount};
use super::node::{NodeId, SchemaNode};
use super::pack::{self, DecodedPack};
use super::version::KubeVersion;
use sealwave_core::document::{Node, group_and_version};
use sealwave_core::pattern::GoPattern;

pub(super) const CRD_GROUP: &str = "apiextensions.k8s.io";
pub(super) const CRD_KIND: &str = "CustomResourceDefinition";

/// The schemas of one version of Kubernetes, and of the custom resources that were added.
#[derive(Debug)]
pub struct Schemas {
    pub(super) version: KubeVersion,
    pub(super) built_in: &'static DecodedPack,
    pub(super) crds: Crds,
}

/// The schema of a kind in the [`Schemas`] that returned it.
#[derive(Clone, Copy, Debug)]
pub struct KindSchema {
    pub(super) root: NodeId,
    /// Whether objects of this kind define custom resources.
    pub(super) defines: bool,
    /// Whether a check depends on what the API server fills in or drops.
    pub(super) alternatives: bool,
}

impl Schemas {
    /// Returns the schemas of a version. Built-in schemas are decoded on first use.
    #[must_use]
    pub fn new(version: KubeVersion) -> Self {
        Self { version, built_in: DecodedPack::for_version(version), crds: Crds::default() }
    }

    /// Returns the version of Kubernetes.
    #[must_use]
    pub const fn version(&self) -> KubeVersion {
        self.version
    }

    /// Returns the schema of a kind, or `None` if it has none.
    #[must_use]
    pub fn kind(&self, group: &str, version: &str, kind: &str) -> Option<KindSchema> {
        let root = self.root(group, version, kind)?;
        let alternatives = root.is_custom()
            && self
                .crds
                .kind(group, kind)
                .and_then(|kind| kind.served(version))
                .is_some_and(|own| own.alternatives);
        Some(KindSchema { root, defines: group == CRD_GROUP && kind == CRD_KIND, alternatives })
    }

    /// Returns the number of CEL rules of a custom resource's version, which [`Schemas::check`] does not evaluate.
    #[must_use]
    pub fn rule_count(&self, group: &str, version: &str, kind: &str) -> usize {
        self.rules_of(group, version, kind).all
    }

    pub(super) fn rules_of(&self, group: &str, version: &str, kind: &str) -> RuleCount {
        let version = self.crds.kind(group, kind).and_then(|kind| kind.served(version));
        version.map_or_else(RuleCount::default, |version| version.rules)
    }

    /// Returns the root node of a kind's schema.
    pub(super) fn root(&self, group: &str, version: &str, kind: &str) -> Option<NodeId> {
        let built_in = pack::EMBEDDED
            .versions(group, kind)
            .find(|entry| entry.version == version && entry.minors & self.version.bit() != 0);
        match built_in {
            Some(entry) => Some(entry.id),
            None => self.crds.kind(group, kind)?.served(version)?.root.or(Some(crd::FREE)),
        }
    }

    pub(super) fn node(&self, id: NodeId) -> &SchemaNode {
        if id.is_custom() { self.crds.node(id) } else { self.built_in.node(id) }
    }

    pub(super) fn pattern(&self, index: usize) -> Option<(&str, &GoPattern)> {
        self.crds.pattern(index)
    }

    /// Returns the node of `metadata`, which all objects share.
    pub(super) fn metadata(&self) -> NodeId {
        let field = |root| self.node(root).fields.find("metadata").map(|field| field.id);
        self.root("", "v1", "ConfigMap").and_then(field).unwrap_or(crd::FREE)
    }
}

/// Returns group, version and kind of an object.
pub(super) fn gvk(object: &Node) -> Option<(&str, &str, &str)> {
    let (group, version) = group_and_version(object.get("apiVersion")?.as_str()?);
    Some((group, version, object.get("kind")?.as_str()?))
}
