//! Committed SealedSecrets and plain Secrets that change to another backend: the edits of their files for the first commit, and
//! the placeholder Secrets of the second one.
//!
//! The items of the first are not readable, and those of the second are not shown, so the second commit is a skeleton: a person writes where each value is.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use sealwave_core::diagnostic::{Failure, first_on_line};
use sealwave_core::document::{Manifest, Node, Origin, SourceLocation, Sources};
use sealwave_core::names::{
    ARGOCD_SYNC_OPTIONS, ARGOCD_SYNC_WAVE, KUBECTL_LAST_APPLIED, MANAGED_BY_CSI_DRIVER,
    MANAGED_BY_SEALED_SECRETS, SKIP_OWNER_REFERENCES,
};
use sealwave_core::yaml::write_yaml;
use sealwave_kube::catalog::ObjectCatalog;
use sealwave_kube::pods::WorkloadKind;
use sealwave_kube::sync::{PRUNE_LAST, with_option, without_pruning};
use sealwave_secrets::settings::BackendKind;

use super::request::SecretName;
use crate::sealed_files::{MetadataField, SealedFile, SealedFileEditor};
use crate::status::find_secrets;

/// The text for a reference that a person fills in.
const REFERENCE: &str = "<aws-sm:PATH#KEY>";

/// The provider of this text.
pub(super) const REFERENCE_PROVIDER: &str = "aws-sm";

/// A committed SealedSecret, as it is rendered, or a plain Secret, as it is in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedSecret {
    /// The Secret that it creates.
    pub secret: SecretName,
    /// Its file, as people see it.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// The keys of all items.
    pub keys: BTreeSet<String>,
    /// Whether it has the old form with one ciphertext, which hides the keys.
    pub has_blob: bool,
    /// The workloads that read the Secret, as `Kind/namespace/name`; unknown for a plain Secret.
    pub users: Vec<String>,
    /// Whether it is a plain Secret, which Argo CD itself applies.
    pub is_plain: bool,
    /// Whether its file has values in plaintext.
    pub has_values: bool,
    /// Its namespace as written.
    own_namespace: String,
    secret_type: Option<String>,
    own_annotations: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
}

/// A text that the first commit sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReleaseEdit {
    #[serde(skip)]
    field: MetadataField,
    /// The mapping.
    pub path: String,
    /// The name of the annotation or label.
    pub name: String,
    /// Its text for people. What else the file has there is left out, unless it certainly is not a secret.
    pub text: String,
    /// Its text.
    #[serde(skip)]
    written: String,
}

/// Finds the committed SealedSecrets among the rendered objects of an environment.
#[must_use]
pub fn find_committed(
    objects: &[Manifest],
    workloads: &[WorkloadKind],
    sources: &Sources,
) -> Vec<CommittedSecret> {
    let mut users: BTreeMap<SecretName, Vec<String>> = BTreeMap::new();
    for found in find_secrets(objects, &[], workloads, sources) {
        let with_namespace = |user: &String| {
            let (kind, name) = user.split_once('/')?;
            Some(format!("{kind}/{}/{name}", found.namespace))
        };
        let all = found.users.iter().filter_map(with_namespace).collect();
        users.insert((found.namespace.clone(), found.name.clone()), all);
    }
    let catalog = ObjectCatalog::new(objects);
    let mut committed = Vec::new();
    for ((namespace, name), suppliers) in catalog.supplied() {
        let secret = (namespace.to_owned(), name.to_owned());
        for object in suppliers.iter().filter_map(|index| catalog.object(*index)) {
            if object.kind == "SealedSecret" {
                let users = users.get(&secret).cloned().unwrap_or_default();
                committed.push(CommittedSecret::new(secret.clone(), users, object.manifest, sources));
            }
        }
    }
    committed
}

impl CommittedSecret {
    fn new(secret: SecretName, users: Vec<String>, manifest: &Manifest, sources: &Sources) -> Self {
        let root = manifest.root();
        let encrypted = root.entries_at(&["spec", "encryptedData"]).iter();
        let template = root.entries_at(&["spec", "template", "data"]).iter();
        let SourceLocation { path, line, .. } = sources.location(manifest.origin());
        Self {
            secret,
            file: path,
            line,
            keys: encrypted.chain(template).map(|entry| entry.key.to_string()).collect(),
            has_blob: root.at(&["spec", "data"]).is_some_and(|data| data.as_str().is_some()),
            users,
            is_plain: false,
            has_values: false,
            own_namespace: String::new(),
            secret_type: root.at(&["spec", "template", "type"]).and_then(Node::as_str).map(str::to_owned),
            own_annotations: texts(root, MetadataField::Annotations.path()),
            annotations: texts(root, MetadataField::TemplateAnnotations.path()),
            labels: texts(root, MetadataField::TemplateLabels.path()),
        }
    }

    /// Describes a plain Secret of a file. `namespace` is that of objects without one.
    #[must_use]
    pub(super) fn plain(node: &Node, place: (String, u32), namespace: &str) -> Self {
        let text = |path: &[&str]| node.at(path).and_then(Node::as_str).unwrap_or_default().to_owned();
        let items = || ["data", "stringData"].into_iter().flat_map(|field| node.entries_at(&[field]));
        let has_value =
            |value: &Node| value.as_str().is_none_or(|text| !(text.contains('<') && text.contains('>')));
        let own_namespace = text(&["metadata", "namespace"]);
        let namespace = if own_namespace.is_empty() { namespace.to_owned() } else { own_namespace.clone() };
        Self {
            secret: (namespace, text(&["metadata", "name"])),
            file: place.0,
            line: place.1,
            keys: items().map(|entry| entry.key.to_string()).collect(),
            has_blob: false,
            users: Vec::new(),
            is_plain: true,
            has_values: items().any(|entry| has_value(&entry.value)),
            own_namespace,
            secret_type: node.get("type").and_then(Node::as_str).map(str::to_owned),
            own_annotations: texts(node, MetadataField::Annotations.path()),
            annotations: BTreeMap::new(),
            labels: texts(node, MetadataField::Labels.path()),
        }
    }

    /// Returns the kind of the object in the file.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        if self.is_plain { "Secret" } else { "SealedSecret" }
    }

    /// Returns the Secret as `namespace/name`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.secret.0, self.secret.1)
    }

    /// Returns the texts that are missing for the release of the Secret to another backend; none if it is released.
    #[must_use]
    pub fn release_edits(&self, to: BackendKind) -> Vec<ReleaseEdit> {
        let mut edits = Vec::new();
        let mut set = |field: MetadataField, name: &str, written: String| {
            let path = field.path().join(".");
            let text = shown_options(&written);
            edits.push(ReleaseEdit { field, path, name: name.to_owned(), text, written });
        };
        let options = self.own_annotations.get(ARGOCD_SYNC_OPTIONS).map_or("", String::as_str);
        let options = if self.is_plain { without_pruning(options) } else { with_option(options, PRUNE_LAST) };
        if let Some(options) = options {
            set(MetadataField::Annotations, ARGOCD_SYNC_OPTIONS, options);
        }
        let is_missing =
            |texts: &BTreeMap<String, String>, name: &str| texts.get(name).is_none_or(|text| text != "true");
        let (field, present, names) = if self.is_plain {
            let names: &[&str] =
                if to == BackendKind::SealedSecrets { &[MANAGED_BY_SEALED_SECRETS] } else { &[] };
            (MetadataField::Annotations, &self.own_annotations, names)
        } else {
            let names: &[&str] = &[MANAGED_BY_SEALED_SECRETS, SKIP_OWNER_REFERENCES];
            (MetadataField::TemplateAnnotations, &self.annotations, names)
        };
        for name in names.iter().filter(|name| is_missing(present, name)) {
            set(field, name, "true".to_owned());
        }
        if to == BackendKind::SecretsStoreCsi && is_missing(&self.labels, MANAGED_BY_CSI_DRIVER) {
            let field = if self.is_plain { MetadataField::Labels } else { MetadataField::TemplateLabels };
            set(field, MANAGED_BY_CSI_DRIVER, "true".to_owned());
        }
        edits
    }

    /// Returns the placeholder Secret that replaces the object, with a reference to fill in for each item.
    #[must_use]
    pub fn skeleton(&self, to: BackendKind) -> String {
        if self.is_plain {
            return self.plain_skeleton(to);
        }
        let (namespace, name) = &self.secret;
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), json!(name));
        metadata.insert("namespace".to_owned(), json!(namespace));
        let wave = self.own_annotations.get_key_value(ARGOCD_SYNC_WAVE);
        let released = [MANAGED_BY_SEALED_SECRETS, SKIP_OWNER_REFERENCES];
        let annotations = self.annotations.iter().filter(|(name, _)| !released.contains(&name.as_str()));
        let annotations: BTreeMap<&String, &String> = annotations.chain(wave).collect();
        let labels: BTreeMap<&String, &String> =
            self.labels.iter().filter(|(name, _)| *name != MANAGED_BY_CSI_DRIVER).collect();
        for (field, texts) in [("labels", labels), ("annotations", annotations)] {
            if !texts.is_empty() {
                metadata.insert(field.to_owned(), json!(texts));
            }
        }
        let comment = if self.has_blob { "# Add the items: `spec.data` hides their keys.\n" } else { "" };
        format!("{comment}{}", self.placeholder_secret(metadata))
    }

    /// Returns what a plain Secret becomes. Its file may hold a secret anywhere, so no text of it is repeated but names.
    fn plain_skeleton(&self, to: BackendKind) -> String {
        let (_, name) = &self.secret;
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), json!(name));
        if !self.own_namespace.is_empty() {
            metadata.insert("namespace".to_owned(), json!(self.own_namespace));
        }
        let mut annotations = BTreeMap::new();
        if to == BackendKind::SealedSecrets {
            annotations.insert(MANAGED_BY_SEALED_SECRETS, "true");
        }
        let wave = self.own_annotations.get(ARGOCD_SYNC_WAVE).filter(|wave| wave.parse::<i32>().is_ok());
        annotations.extend(wave.map(|wave| (ARGOCD_SYNC_WAVE, wave.as_str())));
        if !annotations.is_empty() {
            metadata.insert("annotations".to_owned(), json!(annotations));
        }
        let released =
            [MANAGED_BY_SEALED_SECRETS, ARGOCD_SYNC_OPTIONS, ARGOCD_SYNC_WAVE, KUBECTL_LAST_APPLIED];
        let own = self.own_annotations.keys().filter(|name| !released.contains(&name.as_str()));
        let labels = self.labels.keys().filter(|name| *name != MANAGED_BY_CSI_DRIVER);
        let kept: Vec<String> = own.chain(labels).map(|name| format!("`{}`", first_on_line(name))).collect();
        let comment = if kept.is_empty() {
            String::new()
        } else {
            format!("# Copy {} from the old manifest.\n", kept.join(", "))
        };
        format!("{comment}{}", self.placeholder_secret(metadata))
    }

    fn placeholder_secret(&self, metadata: Map<String, Json>) -> String {
        let mut secret = Map::new();
        secret.insert("apiVersion".to_owned(), json!("v1"));
        secret.insert("kind".to_owned(), json!("Secret"));
        secret.insert("metadata".to_owned(), Json::Object(metadata));
        secret.extend(self.secret_type.iter().map(|text| ("type".to_owned(), json!(text))));
        let items = self.keys.iter().map(|key| (key.clone(), json!(REFERENCE)));
        secret.insert("stringData".to_owned(), Json::Object(items.collect()));
        to_yaml(&Json::Object(secret))
    }
}

/// Returns the texts of a mapping.
fn texts(node: &Node, path: &[&str]) -> BTreeMap<String, String> {
    let entries = node.entries_at(path).iter();
    entries.filter_map(|entry| Some((entry.key.to_string(), entry.value.as_str()?.to_owned()))).collect()
}

/// Returns sync options for people, with `…` for what is not an option: an alias can put any text of a file there.
fn shown_options(text: &str) -> String {
    const VALUES: [&str; 4] = ["true", "false", "confirm", "foreground"];
    let is_option = |entry: &str| {
        let (name, value) = entry.split_once('=').unwrap_or(("", entry));
        name.bytes().all(|byte| byte.is_ascii_alphabetic()) && VALUES.contains(&value)
    };
    let entries = text.split(',').map(|entry| if is_option(entry.trim()) { entry } else { "…" });
    entries.collect::<Vec<_>>().join(",")
}

/// Returns an object in YAML.
pub(super) fn to_yaml(root: &Json) -> String {
    let mut text = Vec::new();
    let source = Sources::default().add("sealwave.yaml");
    write_yaml(&Node::from_json(root, Origin::whole(source)), &mut text);
    let text = String::from_utf8(text).unwrap_or_default();
    text.strip_prefix("---\n").unwrap_or(&text).to_owned()
}

/// Returns a file with the edits of its objects; `None` if it is not a manifest that has them, such as a template.
///
/// # Errors
/// An edit cannot be made without a change of something else.
pub fn release_file(
    path: &str,
    bytes: &[u8],
    secrets: &[(&CommittedSecret, Vec<ReleaseEdit>)],
) -> Result<Option<Vec<u8>>, Failure> {
    // Two steps: the labels may be below a mapping that the annotations create.
    let labels =
        |edit: &&ReleaseEdit| matches!(edit.field, MetadataField::Labels | MetadataField::TemplateLabels);
    let first = |edit: &&ReleaseEdit| !labels(edit);
    let Some(annotated) = edited(path, bytes, secrets, &first)? else { return Ok(None) };
    edited(path, &annotated, secrets, &labels)
}

fn edited(
    path: &str,
    bytes: &[u8],
    secrets: &[(&CommittedSecret, Vec<ReleaseEdit>)],
    is_wanted: &dyn Fn(&&ReleaseEdit) -> bool,
) -> Result<Option<Vec<u8>>, Failure> {
    let is_plain = secrets.first().is_some_and(|(secret, _)| secret.is_plain);
    let read = if is_plain { SealedFile::read_secrets } else { SealedFile::read };
    let Ok(file) = read(path, bytes.to_vec()) else { return Ok(None) };
    let mut editor = SealedFileEditor::new(&file);
    for (secret, edits) in secrets {
        let (namespace, name) = &secret.secret;
        let mut own = file.objects().iter().enumerate().filter(|(_, object)| {
            object.name == *name && (object.namespace.is_empty() || object.namespace == *namespace)
        });
        let (Some((index, _)), None) = (own.next(), own.next()) else { return Ok(None) };
        for edit in edits.iter().filter(|edit| is_wanted(edit)) {
            editor
                .set_metadata(index, edit.field, &edit.name, &edit.written)
                .map_err(sealwave_core::diagnostic::Problem::from)?;
        }
    }
    Ok(Some(editor.finish().map_err(sealwave_core::diagnostic::Problem::from)?))
}
