//! The expected state of a cluster: Secrets with their keys and sources, and workloads with their checksums, as rendered.

use std::collections::{BTreeMap, BTreeSet};

use sealwave_core::diagnostic::{Explain, Failure};
use sealwave_core::document::{Manifest, Node, Sources};
use sealwave_core::yaml::{self, Limits};

/// Annotations that contain checksums start with this.
const CHECKSUM_PREFIX: &str = "checksum/";

/// The way in which objects were rendered, which decides what can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenderedFrom {
    /// As for Argo CD: checksums and ciphertexts are those of the cluster.
    Generated,
    /// As a preview, without values: names and keys alone are those of the cluster.
    Preview,
}

/// The objects that should be in the cluster.
#[derive(Clone, Debug)]
pub struct ExpectedState {
    pub(super) secrets: Vec<ExpectedSecret>,
    pub(super) workloads: Vec<ExpectedWorkload>,
    pub(super) rendered: RenderedFrom,
}

/// An object's namespace, if it has one, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectName {
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

/// A Secret that should exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExpectedSecret {
    pub(super) id: ObjectName,
    /// The keys that it must have at least.
    pub(super) keys: BTreeSet<String>,
    pub(super) source: SecretSource,
}

/// The object that a Secret is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SecretSource {
    /// An `ExternalSecret` of this version.
    External { version: String, name: String },
    /// None: the Secret itself was rendered.
    Plain,
    /// A `SecretProviderClass` of this version.
    ProviderClass { version: String, name: String },
    /// A `SealedSecret` with these ciphertexts.
    Sealed { items: BTreeMap<String, String> },
}

/// A workload that should run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExpectedWorkload {
    pub(super) id: ObjectName,
    pub(super) kind: String,
    pub(super) group: String,
    /// The checksums in the annotations of its pods.
    pub(super) checksums: BTreeMap<String, String>,
    /// The `SecretProviderClasses` of its volumes.
    pub(super) provider_classes: BTreeSet<String>,
    pub(super) service_account: String,
    /// The kind and name of the workload that a Rollout takes its template from.
    pub(super) template_of: Option<(String, String)>,
}

/// A text that is not what `generate` prints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpectedError {
    /// The text has no object.
    #[error("rendered manifests contain no object")]
    Empty,
}

impl Explain for ExpectedError {
    fn hint(&self) -> Option<String> {
        Some("pass the output of `sealwave generate`".to_owned())
    }
}

impl ExpectedState {
    /// Reads manifests as `generate` or `render` print them. `name` is that of the file, for messages.
    ///
    /// # Errors
    /// The text is not a stream of manifests.
    pub fn read(name: &str, manifests: &[u8], rendered: RenderedFrom) -> Result<Self, Failure> {
        let mut sources = Sources::default();
        let source = sources.add(name);
        let documents =
            yaml::read(manifests, source, &Limits::default()).map_err(|failure| failure.located(&sources))?;
        let mut state = Self { secrets: Vec::new(), workloads: Vec::new(), rendered };
        let mut objects = 0;
        for root in yaml::flatten_lists(documents) {
            let Ok(manifest) = Manifest::new(root) else { continue };
            objects += 1;
            state.add(&manifest);
        }
        if objects == 0 {
            return Err(sealwave_core::diagnostic::Problem::new(&ExpectedError::Empty).into());
        }
        Ok(state)
    }

    /// Returns the number of Secrets and workloads.
    #[must_use]
    pub fn len(&self) -> usize {
        self.secrets.len() + self.workloads.len()
    }

    /// Reports whether there is nothing to look at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add(&mut self, manifest: &Manifest) {
        let root = manifest.root();
        match (manifest.group(), manifest.kind()) {
            ("", "Secret") => {
                let mut keys = keys_at(root, &["data"]);
                keys.extend(keys_at(root, &["stringData"]));
                self.secret(manifest, manifest.name(), keys, SecretSource::Plain);
            }
            ("bitnami.com", "SealedSecret") => {
                let mut keys = keys_at(root, &["spec", "encryptedData"]);
                keys.extend(keys_at(root, &["spec", "template", "data"]));
                let items = texts_at(root, &["spec", "encryptedData"]);
                self.secret(manifest, manifest.name(), keys, SecretSource::Sealed { items });
            }
            ("external-secrets.io", "ExternalSecret") => self.external_secret(manifest),
            ("secrets-store.csi.x-k8s.io", "SecretProviderClass") => self.provider_class(manifest),
            _ => self.workload(manifest),
        }
    }

    fn external_secret(&mut self, manifest: &Manifest) {
        let root = manifest.root();
        let template = keys_at(root, &["spec", "target", "template", "data"]);
        let items = root.items_at(&["spec", "data"]);
        let keys = if template.is_empty() { named(items, "secretKey") } else { template };
        let target = root.at(&["spec", "target", "name"]).and_then(Node::as_str);
        let target = target.unwrap_or_else(|| manifest.name()).to_owned();
        let source = SecretSource::External { version: version(manifest), name: manifest.name().to_owned() };
        self.secret(manifest, &target, keys, source);
    }

    fn provider_class(&mut self, manifest: &Manifest) {
        for object in manifest.root().items_at(&["spec", "secretObjects"]) {
            let Some(name) = object.get("secretName").and_then(Node::as_str) else { continue };
            let keys = named(object.items_at(&["data"]), "key");
            let source =
                SecretSource::ProviderClass { version: version(manifest), name: manifest.name().to_owned() };
            self.secret(manifest, name, keys, source);
        }
    }

    fn secret(&mut self, manifest: &Manifest, name: &str, keys: BTreeSet<String>, source: SecretSource) {
        let id = ObjectName { namespace: namespace(manifest), name: name.to_owned() };
        self.secrets.push(ExpectedSecret { id, keys, source });
    }

    fn workload(&mut self, manifest: &Manifest) {
        let root = manifest.root();
        let is_template = |node: &&Node| !node.items_at(&["spec", "containers"]).is_empty();
        let paths: [&[&str]; 2] = [&["spec", "template"], &["spec", "jobTemplate", "spec", "template"]];
        let is_pod = (manifest.group(), manifest.kind()) == ("", "Pod");
        let template = if is_pod {
            Some(root).filter(is_template)
        } else {
            paths.into_iter().find_map(|path| root.at(path).filter(is_template))
        };
        let template_of = template_of(manifest).filter(|_| template.is_none());
        if template.is_none() && template_of.is_none() {
            return;
        }
        let volumes = template.map(|template| template.items_at(&["spec", "volumes"])).unwrap_or_default();
        let classes = volumes.iter().filter_map(|volume| {
            volume.at(&["csi", "volumeAttributes", "secretProviderClass"])?.as_str().map(str::to_owned)
        });
        let mut checksums =
            template.map(|template| texts_at(template, &["metadata", "annotations"])).unwrap_or_default();
        checksums.retain(|name, _| name.starts_with(CHECKSUM_PREFIX));
        let account = template.and_then(|template| template.at(&["spec", "serviceAccountName"])?.as_str());
        self.workloads.push(ExpectedWorkload {
            id: ObjectName { namespace: namespace(manifest), name: manifest.name().to_owned() },
            kind: manifest.kind().to_owned(),
            group: manifest.group().to_owned(),
            checksums,
            provider_classes: classes.collect(),
            service_account: account.unwrap_or("default").to_owned(),
            template_of,
        });
    }
}

/// Returns the workload that a Rollout takes its template from.
fn template_of(manifest: &Manifest) -> Option<(String, String)> {
    if (manifest.group(), manifest.kind()) != ("argoproj.io", "Rollout") {
        return None;
    }
    let text = |field: &str| manifest.root().at(&["spec", "workloadRef", field])?.as_str().map(str::to_owned);
    Some((text("kind")?, text("name")?))
}

fn namespace(manifest: &Manifest) -> Option<String> {
    Some(manifest.namespace()).filter(|namespace| !namespace.is_empty()).map(str::to_owned)
}

fn version(manifest: &Manifest) -> String {
    sealwave_core::document::group_and_version(manifest.api_version()).1.to_owned()
}

fn keys_at(root: &Node, path: &[&str]) -> BTreeSet<String> {
    root.entries_at(path).iter().map(|entry| entry.key.to_string()).collect()
}

fn texts_at(root: &Node, path: &[&str]) -> BTreeMap<String, String> {
    let entries = root.entries_at(path).iter();
    entries.filter_map(|entry| Some((entry.key.to_string(), entry.value.as_str()?.to_owned()))).collect()
}

fn named(items: &[Node], field: &str) -> BTreeSet<String> {
    items.iter().filter_map(|item| item.get(field)?.as_str().map(str::to_owned)).collect()
}
