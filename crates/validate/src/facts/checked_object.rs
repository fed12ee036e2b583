//! The objects and placeholders that rules check.

use std::ops::Deref;

use crate::facts::metadata::all_metadata;
use crate::facts::pods::{Parts, containers};
use crate::located::{FindingPlace, LocatedNode, ObjectPath};
use sealwave_core::document::{Manifest, Node, Origin};
use sealwave_kube::catalog;
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::pods::{
    LocatedReference, PodTemplate, WorkloadKind, located_references, pod_template_for_kind,
};
use sealwave_secrets::SealingScope;
use sealwave_secrets::placeholder::SecretReference;

/// A rendered object with precomputed facts for rules. Strings of Secrets may contain placeholders or committed
/// values.
pub(crate) struct CheckedObject<'a> {
    entry: catalog::CatalogObject<'a>,
    /// The pod template of a workload.
    pub(crate) pod: Option<PodTemplate<'a>>,
    /// Parts of pods that another controller creates from the object.
    parts: Parts<'a>,
    /// The spec of the pods, and all metadata; they are found once, as several rules need them.
    located_pod_spec: Option<LocatedNode<'a>>,
    located_metadata: Vec<LocatedNode<'a>>,
}

impl<'a> Deref for CheckedObject<'a> {
    type Target = catalog::CatalogObject<'a>;

    fn deref(&self) -> &Self::Target {
        &self.entry
    }
}

impl<'a> CheckedObject<'a> {
    /// Wraps a manifest; `workloads` are kinds with pods beyond the built-in ones.
    pub(crate) fn new(manifest: &'a Manifest, workloads: &'a [WorkloadKind]) -> Self {
        let written = catalog::CatalogObject::as_written(manifest);
        let pod = pod_template_for_kind(manifest, (written.group, written.kind), workloads).ok().flatten();
        let parts = if pod.is_some() { Parts::default() } else { Parts::of(&written) };
        let root = LocatedNode::root(manifest);
        let located_pod_spec = pod.as_ref().and_then(|pod| root.at(&pod.path)?.get("spec"));
        let located_metadata = all_metadata(&written, pod.as_ref(), located_pod_spec.as_ref());
        Self { entry: written, pod, parts, located_pod_spec, located_metadata }
    }

    /// Returns the root of the object, with its path.
    pub(crate) fn located(&self) -> LocatedNode<'a> {
        LocatedNode::root(self.manifest)
    }

    /// Returns the place of the object's name, or of the object if it has none.
    pub(crate) fn name_place(&self) -> FindingPlace {
        let name = self.metadata.and_then(|metadata| metadata.get("name"));
        let path = name.map_or_else(ObjectPath::root, |_| ObjectPath::from_keys(["metadata", "name"]));
        FindingPlace::new(self.name_origin(), path)
    }

    /// Returns the spec of the object's pods, with its path.
    pub(crate) const fn located_pod_spec(&self) -> Option<&LocatedNode<'a>> {
        self.located_pod_spec.as_ref()
    }

    /// Returns the metadata of the object, and of its templates of pods, Jobs and claims, with their paths.
    pub(crate) fn located_metadata(&self) -> &[LocatedNode<'a>] {
        &self.located_metadata
    }

    /// Iterates over the containers of the object's pods, including those that another controller creates.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &'a Node> + use<'a> {
        let own = self.pod.as_ref().map(|pod| pod.spec).into_iter().flat_map(containers);
        own.chain(self.parts.containers())
    }

    /// Returns the references of the object's pods, with their positions.
    pub(crate) fn references(&self) -> Vec<LocatedReference<'a>> {
        match &self.pod {
            Some(pod) => located_references(pod.spec),
            None => self.parts.references(),
        }
    }
}

/// A placeholder in an item of a Secret.
#[derive(Clone, Debug)]
pub(crate) struct SecretUse {
    /// The reference; the provider `path` is already replaced by the app's default provider, if known.
    pub(crate) reference: SecretReference,
    /// Index of the Secret.
    pub(crate) object: ObjectIndex,
    /// Key of the item.
    pub(crate) item: String,
    /// Position of the item's value.
    pub(crate) origin: Origin,
    /// Sealing scope of the value.
    pub(crate) scope: SealingScope,
}
