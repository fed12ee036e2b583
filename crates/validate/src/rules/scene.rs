//! What rules look at: objects, the environment that they make up, the app of the environments.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use zeroize::Zeroizing;

use super::credential::files::FileForm;
use super::embedded_pods::EmbeddedObject;
use super::inventory::Inventory;
use super::neighbours::Neighbours;
use super::pods::{Parts, containers};
use sealwave_core::document::{Manifest, Node, Origin, SourceId, Sources, Texts, WrittenScalars};
use sealwave_core::time::Date;
use sealwave_kube::Scopes;
use sealwave_kube::catalogue::{self, Catalogue};
use sealwave_kube::pods::{Located, PodTemplate, WorkloadKind, located_references, pod_template_of};
use sealwave_kube::sync::{Found as Conflicting, Use};
use sealwave_pipeline::render::UnusedValue;
use sealwave_secrets::Scope as SealingScope;
use sealwave_secrets::placeholder::Reference;

/// One object as it was rendered, and what every rule asks of it: strings of Secrets may hold placeholders, or values
/// that somebody committed.
pub(crate) struct Object<'a> {
    written: catalogue::Object<'a>,
    /// Its pod template, where it is a workload.
    pub(crate) pod: Option<PodTemplate<'a>>,
    /// Parts of pods that others make of it.
    parts: Parts<'a>,
}

impl<'a> Deref for Object<'a> {
    type Target = catalogue::Object<'a>;

    fn deref(&self) -> &Self::Target {
        &self.written
    }
}

impl<'a> Object<'a> {
    /// Looks at an object; `workloads` are kinds beyond the built-in ones that have pods.
    pub(crate) fn new(manifest: &'a Manifest, workloads: &'a [WorkloadKind]) -> Self {
        let written = catalogue::Object::as_written(manifest);
        let pod = pod_template_of(manifest, (written.group, written.kind), workloads).ok().flatten();
        let parts = if pod.is_some() { Parts::default() } else { Parts::of(&written) };
        Self { written, pod, parts }
    }

    /// The containers of its pods, whoever makes them; none where it has no pods.
    pub fn containers(&self) -> impl Iterator<Item = &'a Node> + use<'a> {
        let own = self.pod.as_ref().map(|pod| pod.spec).into_iter().flat_map(containers);
        own.chain(self.parts.containers())
    }

    /// What its pods refer to, each with its place; nothing where it has no pods.
    pub fn references(&self) -> Vec<Located<'a>> {
        match &self.pod {
            Some(pod) => located_references(pod.spec),
            None => self.parts.references(),
        }
    }
}

/// What all rules may know beside the objects.
pub(crate) struct Scene<'a> {
    /// Whether these are plain manifests: what stages find in an app is for rules to find.
    pub(crate) is_plain: bool,
    /// The sources' texts, for rules about how a scalar is spelt.
    pub(crate) texts: &'a Texts,
    /// The names of sources, and what rendered text was made by.
    pub(crate) sources: &'a Sources,
    /// Which kinds have a namespace.
    pub(crate) scopes: &'a Scopes,
    /// What the run was told.
    pub(crate) settings: &'a Settings,
}

/// What a run was told: what exists elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Patterns `Kind/namespace/name` of objects that exist elsewhere.
    pub external: Vec<globset::GlobMatcher>,
    /// Today's date; `None` disables what depends on it.
    pub today: Option<Date>,
    /// The operator file that apps are checked against, where it is known.
    pub operator: Option<super::OperatorView>,
    /// Fingerprints of the keys that the environments' clusters seal for, by environment, as far as they are known.
    pub certificates: BTreeMap<String, String>,
}

impl Settings {
    /// Whether an object is known to exist outside of what is looked at.
    pub(crate) fn is_external(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let path = format!("{kind}/{namespace}/{name}");
        self.external.iter().any(|pattern| pattern.is_match(&path))
    }
}

/// One environment of an app, or a set of plain manifests.
pub(crate) struct Environment<'a> {
    /// Its name; empty for plain manifests.
    pub(crate) name: &'a str,
    /// What all rules may know.
    pub(crate) scene: Scene<'a>,
    /// The objects as they were rendered, before anything was done with Secrets.
    pub(crate) objects: Vec<Object<'a>>,
    /// Pods that stand in its `ConfigMaps`.
    pub(crate) embedded: Vec<EmbeddedObject<'a>>,
    /// The same objects by what they are and by the Secrets that they supply.
    pub(crate) catalogue: Catalogue<'a>,
    /// Who makes which Secret and `ConfigMap`, with which keys, and who wants which.
    pub(crate) inventory: Inventory<'a>,
    /// Every use of a secret in an item of a Secret, in the order of objects, items and placeholders.
    pub(crate) secrets: &'a [SecretUse],
    /// What Argo CD would get: Secrets sealed or referred, waves and checksums set. None for plain manifests.
    pub(crate) emitted: Option<&'a [Manifest]>,
    /// The merged values; none of plain manifests, and where they could not be read.
    pub(crate) values: Option<&'a Node>,
    /// The texts of their scalars that are not written in their usual form.
    pub(crate) written: &'a WrittenScalars,
    /// Keys of its own values that nothing uses.
    pub(crate) unused: &'a [UnusedValue],
    /// The directory of its app.
    pub(crate) app: &'a str,
    /// The cluster that it is for, as far as the app says.
    pub(crate) cluster: &'a str,
    /// Where the app says so, if values are sealed for that cluster.
    pub(crate) sealed_for: Option<Origin>,
    /// Objects that other apps of the repository render in an environment of this name.
    pub(crate) neighbours: &'a Neighbours,
    /// Which object uses which, found when a rule first asks.
    pub(crate) uses: OnceCell<BTreeSet<Use>>,
    /// Conflicts of waves and phases, found when a rule first asks.
    pub(crate) conflicts: OnceCell<Vec<Conflicting>>,
}

impl Environment<'_> {
    /// Whether these are plain manifests: other halves of what they refer to may be anywhere.
    pub(crate) const fn is_plain(&self) -> bool {
        self.name.is_empty()
    }
}

/// A placeholder in an item of a Secret.
#[derive(Clone, Debug)]
pub(crate) struct SecretUse {
    /// What it refers to; `path` is already the provider that it means, where that is known.
    pub(crate) reference: Reference,
    /// Number of the Secret.
    pub(crate) object: usize,
    /// The item's key.
    pub(crate) item: String,
    /// Where the item's value stands.
    pub(crate) origin: Origin,
    /// Where in the cluster the value can be opened.
    pub(crate) scope: SealingScope,
}

/// All environments of an app.
pub(crate) struct App<'a> {
    /// In the order of their names.
    pub(crate) environments: &'a [Environment<'a>],
    /// Files beside the app that Git takes and that may hold credentials.
    pub(crate) files: &'a [FileBeside],
}

/// A file beside an app. Nothing prints it, and its content is zeroed when it is dropped.
pub(crate) struct FileBeside {
    pub(crate) source: SourceId,
    /// How it is read.
    pub(crate) form: FileForm,
    pub(crate) content: Zeroizing<Vec<u8>>,
    /// Whether it is a seal key or a checksum key.
    pub(crate) is_own_key: bool,
}
