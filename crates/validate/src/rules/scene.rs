//! The input of rules: objects, environments and apps.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use zeroize::Zeroizing;

use super::credential::files::CredentialFileFormat;
use super::embedded_pods::EmbeddedObject;
use super::inventory::Inventory;
use super::neighbors::NeighborApps;
use super::pods::{Parts, containers};
use sealwave_core::document::{Manifest, Node, Origin, SourceId, SourceTexts, Sources, WrittenScalars};
use sealwave_core::time::Date;
use sealwave_kube::KindScopes;
use sealwave_kube::catalog::{self, ObjectCatalog};
use sealwave_kube::pods::{
    LocatedReference, PodTemplate, WorkloadKind, located_references, pod_template_for_kind,
};
use sealwave_kube::sync::{DependencyEdge, LocatedConflict as Conflicting};
use sealwave_pipeline::render::UnusedValue;
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
        Self { entry: written, pod, parts }
    }

    /// Iterates over the containers of the object's pods, including those that another controller creates.
    pub fn containers(&self) -> impl Iterator<Item = &'a Node> + use<'a> {
        let own = self.pod.as_ref().map(|pod| pod.spec).into_iter().flat_map(containers);
        own.chain(self.parts.containers())
    }

    /// Returns the references of the object's pods, with their positions.
    pub fn references(&self) -> Vec<LocatedReference<'a>> {
        match &self.pod {
            Some(pod) => located_references(pod.spec),
            None => self.parts.references(),
        }
    }
}

/// Context that all rules share.
pub(crate) struct RuleContext<'a> {
    /// True for plain manifests, where rules report what the pipeline reports for an app.
    pub(crate) is_plain: bool,
    /// Texts of the sources, for rules about the spelling of scalars.
    pub(crate) texts: &'a SourceTexts,
    /// Names of the sources, and the origins of rendered text.
    pub(crate) sources: &'a Sources,
    /// Scopes of kinds: namespaced or cluster-scoped.
    pub(crate) scopes: &'a KindScopes,
    /// Settings of the run.
    pub(crate) settings: &'a RuleSettings,
}

/// Settings of a run that rules depend on.
#[derive(Clone, Debug, Default)]
pub struct RuleSettings {
    /// Patterns `Kind/namespace/name` of objects that exist elsewhere.
    pub external: Vec<globset::GlobMatcher>,
    /// Today's date; `None` disables what depends on it.
    pub today: Option<Date>,
    /// The operator file that apps are checked against, if known.
    pub operator: Option<super::OperatorView>,
    /// Known fingerprints of the sealing certificates of the clusters, by environment.
    pub certificates: BTreeMap<String, String>,
}

impl RuleSettings {
    /// Returns whether an object is declared as existing elsewhere.
    pub(crate) fn is_external(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let path = format!("{kind}/{namespace}/{name}");
        self.external.iter().any(|pattern| pattern.is_match(&path))
    }
}

/// One environment of an app, or a set of plain manifests.
pub(crate) struct CheckedEnvironment<'a> {
    /// The environment of an app; `None` for plain manifests.
    pub(crate) app: Option<AppEnvironment<'a>>,
    /// Shared context.
    pub(crate) context: RuleContext<'a>,
    /// The rendered objects, before Secrets are processed.
    pub(crate) objects: Vec<CheckedObject<'a>>,
    /// Pods within its `ConfigMaps`.
    pub(crate) embedded: Vec<EmbeddedObject<'a>>,
    /// The objects by identity and by the Secrets that they create.
    pub(crate) catalogue: ObjectCatalog<'a>,
    /// Created and required objects, with their known keys.
    pub(crate) inventory: Inventory<'a>,
    /// Objects that other apps of the repository render in the environment of this name.
    pub(crate) neighbors: &'a NeighborApps,
    /// Uses of objects by other objects, computed on first access.
    pub(crate) uses: OnceCell<BTreeSet<DependencyEdge>>,
    /// Conflicts of waves and phases, computed on first access.
    pub(crate) conflicts: OnceCell<Vec<Conflicting>>,
}

/// What is known of an environment besides its objects.
pub(crate) struct AppEnvironment<'a> {
    /// Name of the environment.
    pub(crate) name: &'a str,
    /// Directory of the app.
    pub(crate) directory: &'a str,
    /// Target cluster, as far as the app defines it.
    pub(crate) cluster: &'a str,
    /// Position of the cluster in the app file, if values are sealed for that cluster.
    pub(crate) sealed_for: Option<Origin>,
    /// Placeholders in items of Secrets, in the order of objects, items and placeholders.
    pub(crate) secrets: &'a [SecretUse],
    /// The objects that Argo CD would get, with processed Secrets, waves and checksums; `None` if a stage failed.
    pub(crate) emitted: Option<&'a [Manifest]>,
    /// The merged values; `None` if they could not be read.
    pub(crate) values: Option<&'a Node>,
    /// Source texts of values with an unusual spelling.
    pub(crate) unusual_spellings: &'a WrittenScalars,
    /// Unused keys of its own values.
    pub(crate) unused_values: &'a [UnusedValue],
}

impl<'a> CheckedEnvironment<'a> {
    /// Returns whether these are plain manifests, whose references may point outside of the set.
    pub(crate) const fn is_plain(&self) -> bool {
        self.app.is_none()
    }

    /// Returns the name of the environment; `None` for plain manifests.
    pub(crate) fn name(&self) -> Option<&'a str> {
        Some(self.app.as_ref()?.name)
    }

    /// Returns the placeholders in Secrets; plain manifests have none.
    pub(crate) fn secrets(&self) -> &'a [SecretUse] {
        self.app.as_ref().map_or(&[], |app| app.secrets)
    }

    /// Returns the objects that Argo CD would get; `None` for plain manifests, or if a stage failed.
    pub(crate) fn emitted(&self) -> Option<&'a [Manifest]> {
        self.app.as_ref()?.emitted
    }

    /// Returns the merged values; `None` for plain manifests, or if they could not be read.
    pub(crate) fn values(&self) -> Option<&'a Node> {
        self.app.as_ref()?.values
    }

    /// Returns the fingerprint of the cluster's sealing certificate, if known.
    pub(crate) fn certificate(&self) -> Option<&'a str> {
        self.context.settings.certificates.get(self.name()?).map(String::as_str)
    }
}

/// A placeholder in an item of a Secret.
#[derive(Clone, Debug)]
pub(crate) struct SecretUse {
    /// The reference; the provider `path` is already replaced by the app's default provider, if known.
    pub(crate) reference: SecretReference,
    /// Index of the Secret.
    pub(crate) object: usize,
    /// Key of the item.
    pub(crate) item: String,
    /// Position of the item's value.
    pub(crate) origin: Origin,
    /// Sealing scope of the value.
    pub(crate) scope: SealingScope,
}

/// All environments of an app.
pub(crate) struct CheckedApp<'a> {
    /// Environments, sorted by name.
    pub(crate) environments: &'a [CheckedEnvironment<'a>],
    /// Files next to the app that are not ignored by Git and may contain credentials.
    pub(crate) files: &'a [TrackedFile],
}

/// A file next to an app. Must never be printed; its content is zeroed on drop.
pub(crate) struct TrackedFile {
    pub(crate) source: SourceId,
    /// Format of the file.
    pub(crate) form: CredentialFileFormat,
    pub(crate) content: Zeroizing<Vec<u8>>,
    /// True if it is a seal key or a checksum key.
    pub(crate) is_own_key: bool,
}
