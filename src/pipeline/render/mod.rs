//! Third verb: templates, plain documents and patches become objects.
//!
//! A pure function of what was loaded. Secrets are not values: nothing that is fetched ever comes near a template.

mod engine;
mod errors;
mod helpers;
mod instrument;
mod namespaces;
mod patches;

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::load::{Loaded, ManifestFile};
use crate::diagnostic::{Explain, Failure, Note, Problem};
use crate::model::{APP_FILE, Manifest, NotAManifest, ObjectId, Origin, Scopes, Sources};
use crate::yaml;
use engine::Engine;

/// The objects of one environment; strings of Secrets may still hold placeholders.
pub struct Rendered {
    objects: Vec<Manifest>,
}

/// What a run knows beside the app's own files; templates see it.
#[derive(Clone, Debug, Default)]
pub struct RenderContext {
    /// Name of the environment.
    pub environment: String,
    /// Name of the app.
    pub app: String,
    /// The destination's namespace, where neither the app nor the environment gives one.
    pub namespace: Option<String>,
    /// Name of the cluster.
    pub cluster: String,
    /// Git revision.
    pub revision: String,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{id} is defined twice; the other one is at {first}")]
    Duplicate { id: ObjectId, first: String },
    #[error("environment `{0}` renders no object")]
    Empty(String),
    #[error("document is no Kubernetes object: {0}")]
    NotAManifest(NotAManifest),
    #[error("an object of `sealwave.dev` is no manifest")]
    OwnKind,
    #[error("values key `{0}` is hidden by sealwave's own `{0}`")]
    Shadowed(String),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Duplicate { .. } => {
                Some("remove one; to change an object in one environment, use `patches`".to_owned())
            }
            Self::Empty(_) => Some("put manifests into `base/` or the environment's directory".to_owned()),
            Self::NotAManifest(error) => Some(error.hint().to_owned()),
            Self::OwnKind => Some(format!("`{APP_FILE}` stands beside `base/`, not in it")),
            Self::Shadowed(key) => Some(format!("write `values.{key}`")),
        }
    }
}

impl Rendered {
    /// The objects.
    #[must_use]
    pub fn objects(&self) -> &[Manifest] {
        &self.objects
    }

    pub(crate) fn into_objects(self) -> Vec<Manifest> {
        self.objects
    }

    #[cfg(test)]
    pub(crate) const fn for_tests(objects: Vec<Manifest>) -> Self {
        Self { objects }
    }
}

/// Renders what was loaded: base before the environment, files by their paths, documents in their order.
///
/// # Errors
/// Templates and documents that cannot be read, documents that are no objects, patches that do not fit, two objects
/// with one identity, and no object at all.
pub fn render(
    loaded: Loaded,
    context: &RenderContext,
    sources: &mut Sources,
    notes: &mut Vec<Note>,
) -> Result<Rendered, Failure> {
    let Loaded { values, files, partials, patches, namespace, notes: found } = loaded;
    notes.extend(found);
    let namespace = namespace.or_else(|| context.namespace.clone()).filter(|name| !name.is_empty());
    let data = template_data(&values, context, namespace.as_deref(), notes);
    let mut engine = Engine::new(partials, data)?;
    let mut problems = Vec::new();
    let mut objects = Vec::new();
    for file in files {
        match documents(&file, &mut engine, sources) {
            Ok(documents) => documents.into_iter().for_each(|document| match manifest(document) {
                Ok(object) => objects.push(object),
                Err(problem) => problems.push(problem),
            }),
            Err(failure) => problems.extend_from_slice(failure.problems()),
        }
    }
    Failure::unless_empty(problems)?;
    finish(&mut objects, &patches, namespace.as_deref(), sources, notes)?;
    if objects.is_empty() {
        return Err(Problem::new(&Error::Empty(context.environment.clone())).into());
    }
    Ok(Rendered { objects })
}

/// The merged values, and over them what sealwave itself says.
fn template_data(
    values: &crate::model::Node,
    context: &RenderContext,
    namespace: Option<&str>,
    notes: &mut Vec<Note>,
) -> Json {
    let merged = values.to_json();
    let mut data = merged.as_object().cloned().unwrap_or_default();
    let own = [
        ("env", Some(context.environment.as_str().into())),
        ("app", Some(context.app.as_str().into())),
        ("namespace", namespace.map(Json::from)),
        ("cluster", Some(context.cluster.as_str().into())),
        ("revision", Some(context.revision.as_str().into())),
        ("values", Some(merged)),
    ];
    for (key, value) in own {
        let hidden = values.as_mapping().and_then(|mapping| mapping.entry(key));
        if let Some(entry) = hidden {
            notes.push(Note::warning(Problem::at(entry.key_origin, &Error::Shadowed(key.to_owned()))));
            data.remove(key);
        }
        if let Some(value) = value {
            data.insert(key.to_owned(), value);
        }
    }
    Json::Object(Map::from_iter(data))
}

fn documents(
    file: &ManifestFile,
    engine: &mut Engine,
    sources: &mut Sources,
) -> Result<Vec<crate::model::Node>, Failure> {
    let limits = yaml::Limits::default();
    let nodes = if file.is_template {
        let rendered = engine.render(file.source, &file.text)?;
        let name = sources.name(file.source).to_owned();
        let source = sources.add_rendered(name, rendered.lines);
        yaml::read(rendered.text.as_bytes(), source, &limits)?
    } else {
        yaml::read(file.text.as_bytes(), file.source, &limits)?
    };
    Ok(yaml::flatten_lists(nodes))
}

fn manifest(document: crate::model::Node) -> Result<Manifest, Problem> {
    let object =
        Manifest::new(document).map_err(|(error, at)| Problem::at(at, &Error::NotAManifest(error)))?;
    if object.group() == "sealwave.dev" {
        return Err(Problem::at(object.origin(), &Error::OwnKind));
    }
    Ok(object)
}

/// Namespaces and patches, then the check of identities. Namespaces come first, so that patches can match them, and
/// again after the patches, which may take them away.
fn finish(
    objects: &mut [Manifest],
    patches: &[super::load::Patch],
    namespace: Option<&str>,
    sources: &Sources,
    notes: &mut Vec<Note>,
) -> Result<(), Failure> {
    namespaces::apply(&Scopes::of(objects), objects, namespace, notes);
    if !patches.is_empty() {
        patches::apply(patches, objects)?;
        namespaces::apply(&Scopes::of(objects), objects, namespace, notes);
    }
    unique(objects, sources)
}

fn unique(objects: &[Manifest], sources: &Sources) -> Result<(), Failure> {
    let mut seen: HashMap<ObjectId, Origin> = HashMap::with_capacity(objects.len());
    let mut problems = Vec::new();
    // An object with `generateName` only gets a name of its own each time.
    for object in objects.iter().filter(|object| !object.name().is_empty()) {
        let id = object.id();
        if let Some(first) = seen.get(&id) {
            let first = sources.place(*first).to_string();
            problems.push(Problem::at(object.origin(), &Error::Duplicate { id, first }));
        } else {
            seen.insert(id, object.origin());
        }
    }
    Failure::unless_empty(problems)
}
