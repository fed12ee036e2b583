//! The third stage: turns templates, plain documents and patches into objects.
//!
//! Depends on the app's files only. Secrets are not values: fetched data never reaches a template.

mod brackets;
mod built_in;
mod duplicate_keys;
mod engine;
mod errors;
mod fault;
mod forms;
mod helm;
mod helpers;
mod instrument;
#[cfg(test)]
mod limit_tests;
pub(crate) mod limits;
mod literals;
mod names;
pub mod namespaces;
mod outline;
mod patches;
mod price;
mod private_names;
mod reads;
mod rendered_text;
mod scope;
mod spelling;
mod state;
pub mod tags;
#[cfg(test)]
mod trace_tests;
mod tracer;
mod unused;
mod unused_value;
mod value_gaps;
mod wording;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

use super::discover::{BASE, Discovery, misnamed_directory};
use super::load::{CompleteApp, EnvironmentPatch, FileKind, LayeredValues, LoadedApp, ManifestFile};
use super::piped::CHECK_PIPE;
use super::template_text;
use built_in::{BUILT_IN_NAMES, VALUES};
use duplicate_keys::DuplicateKeys;
use engine::{RenderedText, TemplateEngine};
use limits::MAX_PROBLEMS;
use names::{CheckedTemplate, NameChecker};
use price::ValueWeight;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, ProblemKind, printable};
use sealwave_core::document::{
    Manifest, ManifestError, Node, NodeValue, ObjectId, Origin, SourceTexts, Sources,
};
use sealwave_core::yaml;
use sealwave_kube::{ForeignFile, KindScopes, configuration_reader};
use sealwave_secrets::settings::{API_GROUP, APP_FILE};
use tracer::EntryOrigins;
pub use unused_value::UnusedValue;
use value_gaps::ValueGapHints;

/// The maximum memory of the values in the form that templates see, which holds them twice.
const MAX_VALUES: u64 = 64 << 20;

/// The maximum size of a key of the values in bytes: YAML's limit for implicit keys.
const MAX_KEY: usize = 1024;

/// The objects of one environment. Strings of Secrets may still contain placeholders.
#[derive(Clone)]
pub struct RenderedApp {
    objects: Vec<Manifest>,
}

/// The context of a run besides the app's files, visible to templates.
#[derive(Clone, Debug, Default)]
pub struct RenderContext {
    /// The name of the environment.
    pub environment: String,
    /// The name of the app.
    pub app: String,
    /// The destination's namespace, used if neither the app nor the environment sets one.
    pub namespace: Option<String>,
    /// The name of the cluster.
    pub cluster: String,
    /// The Git revision.
    pub revision: String,
    /// The capabilities of the destination, which charts can ask for but templates cannot.
    pub capabilities: ClusterCapabilities,
}

impl RenderContext {
    /// Returns the name of the app without the namespace that Argo CD puts before the names of apps in other namespaces, as
    /// `<namespace>_<name>`.
    pub(crate) fn app_name(&self) -> &str {
        self.app.split_once('_').map_or(&self.app, |(_, name)| name)
    }
}

/// The capabilities of the destination that Argo CD states for a run.
#[derive(Clone, Debug, Default)]
pub struct ClusterCapabilities {
    /// The Kubernetes version.
    pub kube_version: Option<String>,
    /// The API versions, such as `apps/v1` or `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{id} is already defined at {first}")]
    Duplicate { id: ObjectId, first: String },
    #[error("environment `{environment}` renders no objects")]
    Empty { environment: String, hint: Option<String> },
    #[error("{} is not a manifest", .0.description)]
    Foreign(&'static ForeignFile),
    #[error("`{kind}` cannot be applied: it is a configuration file of {reader}")]
    Configuration { kind: String, reader: &'static str },
    #[error("document is not a Kubernetes object: {0}")]
    NotAManifest(ManifestError),
    #[error("object of `sealwave.dev` is not a manifest")]
    OwnKind,
    #[error("key of the values is longer than {MAX_KEY} bytes")]
    Key,
    #[error("values take more than {MAX_VALUES} bytes of memory")]
    Values,
    #[error("values key `{0}` is hidden by the built-in `{0}`")]
    Shadowed(String),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Duplicate { .. } => {
                Some("remove one; to change an object in one environment, use `patches`".to_owned())
            }
            Self::Foreign(file) => Some(file.remedy.to_owned()),
            Self::Configuration { reader, .. } => {
                Some(format!("move it out of the app, and pass it to {reader} as a file"))
            }
            Self::Key => Some("use a short key, and put the text in its value".to_owned()),
            Self::Empty { hint: Some(hint), .. } => Some(hint.clone()),
            Self::Empty { hint: None, .. } => {
                Some(format!("put manifests in `{BASE}/` or the environment's directory"))
            }
            Self::NotAManifest(error) => Some(error.hint().to_owned()),
            Self::OwnKind => Some(format!("`{APP_FILE}` belongs next to `base/`, not in it")),
            Self::Shadowed(key) => Some(format!("write `values.{key}`")),
            Self::Values => Some(
                "move data that no template reads out of values.yaml, for example to a separate manifest"
                    .to_owned(),
            ),
        }
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        matches!(self, Self::Configuration { .. } | Self::Foreign(_) | Self::NotAManifest(_))
            .then_some(ProblemKind::Manifest)
    }
}

impl RenderedApp {
    /// Returns the objects.
    #[must_use]
    pub fn objects(&self) -> &[Manifest] {
        &self.objects
    }

    pub(crate) fn into_objects(self) -> Vec<Manifest> {
        self.objects
    }

    /// Takes Secrets that were not rendered.
    ///
    /// # Errors
    /// Two of them have one identity.
    pub(crate) fn of_secrets(objects: Vec<Manifest>, sources: &Sources) -> Result<Self, Failure> {
        check_unique(&objects, sources)?;
        Ok(Self { objects })
    }

    #[cfg(test)]
    pub(crate) const fn for_tests(objects: Vec<Manifest>) -> Self {
        Self { objects }
    }
}

/// Renders the files of all sources: base before the environment, files by path, documents in order.
///
/// # Errors
/// Templates or documents that cannot be read, documents that are not objects, patches that do not apply, two objects
/// with one identity, or no objects.
pub fn render(
    complete: CompleteApp<'_>,
    context: &RenderContext,
    sources: &mut Sources,
    notes: &mut Vec<Note>,
) -> Result<RenderedApp, Failure> {
    let app = complete.loaded.app;
    let RenderAttempt { allow_empty, objects, problems, empty_hint, .. } =
        try_render(complete, context, sources, None, notes);
    Failure::unless_empty(problems)?;
    check_unique(&objects, sources)?;
    if allow_empty {
        return Ok(RenderedApp { objects });
    }
    require_objects(objects, &context.environment, empty_hint).map_err(|failure| app.at_app_file(failure))
}

/// Refuses an empty output, since Argo CD would delete everything.
fn require_objects(
    objects: Vec<Manifest>,
    environment: &str,
    hint: Option<String>,
) -> Result<RenderedApp, Failure> {
    if objects.is_empty() {
        return Err(Problem::new(&Error::Empty { environment: environment.to_owned(), hint }).into());
    }
    Ok(RenderedApp { objects })
}

/// The result of rendering as far as possible.
pub struct RenderAttempt {
    /// Whether the environment may have no objects.
    allow_empty: bool,
    /// The objects that were rendered; two may have one identity.
    pub objects: Vec<Manifest>,
    /// The values.
    pub values: LayeredValues,
    /// Keys of the environment's own values that nothing uses. Only determined if texts are requested.
    pub unused: Vec<UnusedValue>,
    /// The files that templates read with the helper `file`, relative to the app's directory.
    pub read_files: Vec<PathBuf>,
    /// All problems.
    pub(super) problems: Vec<Problem>,
    /// The hint for an empty output, if its cause is known.
    empty_hint: Option<String>,
}

impl RenderAttempt {
    /// Returns the input of the next stage.
    ///
    /// # Errors
    /// All problems, or no objects.
    pub fn to_rendered(&self, environment: &str) -> Result<RenderedApp, Failure> {
        Failure::unless_empty(self.problems.clone())?;
        if self.allow_empty {
            return Ok(RenderedApp { objects: self.objects.clone() });
        }
        require_objects(self.objects.clone(), environment, self.empty_hint.clone())
    }
}

/// Renders as much as possible. Stores the texts of manifests and templates in `texts`, for checks of the spelling of
/// scalars.
pub fn try_render(
    complete: CompleteApp<'_>,
    context: &RenderContext,
    sources: &mut Sources,
    mut texts: Option<&mut SourceTexts>,
    notes: &mut Vec<Note>,
) -> RenderAttempt {
    let CompleteApp { loaded, files } = complete;
    let LoadedApp { app, values, partials, patches, namespace, notes: found, budget, .. } = loaded;
    let LoadedApp { generated, template_files, allow_empty, .. } = loaded;
    notes.extend(found);
    let namespace = namespace.or_else(|| context.namespace.clone()).filter(|name| !name.is_empty());
    if let Err(problem) = check_values(&values) {
        return RenderAttempt {
            allow_empty,
            objects: Vec::new(),
            values,
            unused: Vec::new(),
            read_files: Vec::new(),
            problems: vec![problem],
            empty_hint: None,
        };
    }
    let data = template_data(&values, context, namespace.as_deref(), notes);
    if let Some(texts) = &mut texts {
        let partials = partials.values().map(|partial| (partial.source, &partial.text));
        let files = files.iter().map(|file| (file.source, &file.text));
        files.chain(partials).for_each(|(source, text)| texts.add(source, text.as_str().into()));
    }
    let templates =
        files.iter().filter(|file| file.kind == FileKind::Template).map(|file| file.text.as_str());
    let names = templates.chain(partials.values().map(|partial| partial.text.as_str()));
    let names = NameChecker::new(app, &values.merged, names);
    let mut reader = DocumentReader { budget, objects: Vec::new(), problems: Vec::new(), names };
    let mut read_files = Vec::new();
    let entries = texts.is_some().then_some(|data: &Json| entries(data, &values.merged));
    match TemplateEngine::new(partials, data, entries) {
        Ok(mut engine) => {
            engine.set_gap_hints(ValueGapHints::new(&values.gaps, sources));
            engine.set_files(template_files);
            for file in files {
                reader.documents(&file, &mut engine, sources, texts.as_deref_mut(), notes);
                if reader.is_done() {
                    break;
                }
            }
            read_files = engine.read_files();
        }
        Err(failure) => reader.problems.extend_from_slice(failure.problems()),
    }
    let DocumentReader { mut objects, mut problems, names, .. } = reader;
    // If a template could not be read, or a chart gets the values, their uses are unknown.
    let is_wanted = texts.is_some() && problems.is_empty() && !app.passes_values_on();
    let unused = if is_wanted {
        unused::find_unused(app, &context.environment, &values, &names.reads)
    } else {
        Vec::new()
    };
    if let Some(texts) = texts {
        values.texts.iter().for_each(|(source, text)| texts.add(*source, text.as_str().into()));
    }
    objects.extend(generated);
    finish(&mut objects, &mut problems, &patches, namespace.as_deref(), notes);
    let empty_hint = if objects.is_empty() { empty_hint(app) } else { None };
    RenderAttempt { allow_empty, objects, values, unused, read_files, problems, empty_hint }
}

/// Returns what to do about the cause of an empty output: a directory that is meant to be `base`, or an app file below it.
fn empty_hint(app: &Discovery) -> Option<String> {
    if app.is_piped() {
        return Some(CHECK_PIPE.to_owned());
    }
    if let Some(misnamed) = misnamed_directory(app.root(), BASE) {
        let misnamed = app.name_of(Path::new(&misnamed));
        return Some(format!("`{misnamed}/` is not read: rename it to `{BASE}/`"));
    }
    let parent = app.parent_with(BASE)?;
    Some(format!("move `{}` to `{parent}/`, next to `{BASE}/`", app.name_of(Path::new(APP_FILE))))
}

/// Sets the namespaces of objects and applies the patches.
fn finish(
    objects: &mut Vec<Manifest>,
    problems: &mut Vec<Problem>,
    patches: &[EnvironmentPatch],
    namespace: Option<&str>,
    notes: &mut Vec<Note>,
) {
    let mut scopes = KindScopes::from_objects(objects);
    namespaces::apply(&scopes, objects, namespace, notes);
    // Objects that could not be rendered are missing, so a patch for one of them would be reported wrongly.
    if !patches.is_empty() && problems.is_empty() && !objects.is_empty() {
        match patches::apply(patches, objects) {
            Ok(()) => {
                // A definition that a patch deletes still describes its kind: the cluster gets it from elsewhere.
                for object in objects.iter() {
                    scopes.add_definition(object);
                }
                namespaces::apply(&scopes, objects, namespace, notes);
            }
            Err(failure) => problems.extend_from_slice(failure.problems()),
        }
    }
}

/// Checks that templates can use the values: each loop and each name copies the keys of its path.
fn check_values(values: &LayeredValues) -> Result<(), Problem> {
    let LayeredValues { merged, written, .. } = values;
    if let Some(at) = find_long_key(merged) {
        return Err(Problem::at(at, &Error::Key));
    }
    if ValueWeight::from_node(merged, written).memory > MAX_VALUES {
        return Err(Problem::at(Origin::whole(merged.origin.source), &Error::Values));
    }
    Ok(())
}

/// Finds the first key that is too long. The reader bounds the depth.
fn find_long_key(node: &Node) -> Option<Origin> {
    match &node.value {
        NodeValue::Mapping(mapping) => mapping.entries().iter().find_map(|entry| {
            if entry.key.len() > MAX_KEY { Some(entry.key_origin) } else { find_long_key(&entry.value) }
        }),
        NodeValue::Sequence(items) => items.iter().find_map(find_long_key),
        _ => None,
    }
}

/// Returns the merged values, overridden by the built-in names.
fn template_data(
    values: &LayeredValues,
    context: &RenderContext,
    namespace: Option<&str>,
    notes: &mut Vec<Note>,
) -> Json {
    let merged = spelling::to_template_value(&values.merged, &values.written);
    let mut data = merged.as_object().cloned().unwrap_or_default();
    let own = [
        Some(context.environment.as_str().into()),
        Some(context.app.as_str().into()),
        namespace.map(Json::from),
        Some(context.cluster.as_str().into()),
        Some(context.revision.as_str().into()),
        Some(merged),
    ];
    for (key, value) in BUILT_IN_NAMES.into_iter().zip(own) {
        let hidden = values.merged.as_mapping().and_then(|mapping| mapping.entry(key));
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

/// Locates the entries of the values in the data of templates.
fn entries(data: &Json, values: &Node) -> EntryOrigins {
    let mut entries = EntryOrigins::default();
    if let Some(fields) = data.as_object() {
        entries.add_fields(fields, values, |key| !BUILT_IN_NAMES.contains(&key));
        if let Some(all) = fields.get(VALUES) {
            entries.add(all, values, None);
        }
    }
    entries
}

/// A reader of documents from manifest files and rendered templates.
struct DocumentReader<'a> {
    budget: yaml::YamlBudget,
    objects: Vec<Manifest>,
    problems: Vec<Problem>,
    names: NameChecker<'a>,
}

impl DocumentReader<'_> {
    /// Reports whether reading should stop.
    fn is_done(&self) -> bool {
        self.budget.is_exhausted() || self.problems.len() >= MAX_PROBLEMS
    }

    fn documents(
        &mut self,
        file: &ManifestFile,
        engine: &mut TemplateEngine,
        sources: &mut Sources,
        texts: Option<&mut SourceTexts>,
        notes: &mut Vec<Note>,
    ) {
        let is_validated = texts.is_some();
        let is_output = file.kind == FileKind::ProgramOutput;
        let limits =
            if is_validated || is_output { yaml::Limits::lenient() } else { yaml::Limits::default() };
        let read = if file.kind == FileKind::Template {
            let Some(rendered) = self.rendered(file, engine, notes) else { return };
            let name = sources.name(file.source).to_owned();
            let source = sources.add_rendered(name, rendered.lines);
            let read = yaml::read_each(rendered.text.as_bytes(), source, &limits, &self.budget);
            if let Some(texts) = texts {
                texts.add_rendered(source, rendered.text.into(), rendered.stretches);
            }
            read
        } else {
            yaml::read_each(file.text.as_bytes(), file.source, &limits, &self.budget)
        };
        let mut trees = Vec::with_capacity(read.len());
        let mut duplicates = DuplicateKeys::default();
        for document in read {
            match document {
                Ok(node) => trees.push(node),
                Err(problem) => match file.kind {
                    FileKind::Plain => self.problems.push(name_plain_text(problem, file, sources)),
                    FileKind::ProgramOutput => self.problems.extend(duplicates.take(problem)),
                    FileKind::Template => {
                        self.problems.extend(rendered_text::explain(problem, file, sources));
                    }
                },
            }
        }
        notes.extend(duplicates.into_notes(is_validated));
        let name = sources.name(file.source);
        for document in yaml::flatten_lists(trees) {
            if self.problems.len() >= MAX_PROBLEMS {
                break;
            }
            match parse_manifest(document, name) {
                Ok(object) => self.objects.push(object),
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    /// Renders a template, or returns `None` if it has problems.
    fn rendered(
        &mut self,
        file: &ManifestFile,
        engine: &mut TemplateEngine,
        notes: &mut Vec<Note>,
    ) -> Option<RenderedText> {
        let ManifestFile { source, text, .. } = file;
        let prepared = engine.prepare(*source, text).map_err(|found| self.problems.extend(found)).ok()?;
        let looked = CheckedTemplate { text, outline: &prepared.outline };
        let unknown = self.names.check(&looked, engine, notes);
        if !unknown.is_empty() {
            self.problems.extend(unknown);
            return None;
        }
        engine.render(prepared, text).map_err(|problem| self.problems.push(problem)).ok()
    }
}

/// Converts a document of a file to an object.
///
/// # Errors
/// The document is not an object: required fields are missing, or it belongs to another tool or to sealwave itself.
pub fn parse_manifest(document: Node, path: &str) -> Result<Manifest, Problem> {
    let foreign_problem = |file, root: &Node| Problem::at(root.display_origin(), &Error::Foreign(file));
    if let Some(file) = ForeignFile::recognize_object(&document) {
        return Err(foreign_problem(file, &document));
    }
    if let Some((kind, reader)) = configuration_reader(&document) {
        let kind = printable(kind);
        return Err(Problem::at(document.display_origin(), &Error::Configuration { kind, reader }));
    }
    let object = match Manifest::new(document) {
        Ok(object) => object,
        Err((error, at, document)) => {
            return Err(match ForeignFile::recognize(&document, path) {
                Some(file) => foreign_problem(file, &document),
                None => Problem::at(at, &Error::NotAManifest(error)),
            });
        }
    };
    if object.group() == API_GROUP {
        return Err(Problem::at(object.origin(), &Error::OwnKind));
    }
    Ok(object)
}

/// Names the cause if a manifest that is not a template is invalid YAML.
fn name_plain_text(problem: Problem, file: &ManifestFile, sources: &Sources) -> Problem {
    let is_marked = ForeignFile::recognize_marker(&file.text).is_some();
    let tags = template_text::explain_manifest(&problem, &file.text, sources.name(file.source));
    tags.filter(|_| !is_marked).unwrap_or_else(|| name_foreign_text(problem, &file.text))
}

/// Names the kind of file if invalid YAML is another tool's template, encrypted, or has merge conflicts.
#[must_use]
pub fn name_foreign_text(problem: Problem, text: &str) -> Problem {
    let is_syntax = problem.kind == Some(ProblemKind::Syntax);
    let foreign_template = || ForeignFile::recognize_template(text).filter(|_| is_syntax);
    match ForeignFile::recognize_marker(text).or_else(foreign_template) {
        Some(file) => {
            let Problem { message, hint, .. } = Problem::new(&Error::Foreign(file));
            Problem { message, hint, ..problem }
        }
        None => problem,
    }
}

fn check_unique(objects: &[Manifest], sources: &Sources) -> Result<(), Failure> {
    let mut seen: HashMap<ObjectId, Origin> = HashMap::with_capacity(objects.len());
    let mut problems = Vec::new();
    // An object with only `generateName` gets a new name each time.
    for object in objects.iter().filter(|object| !object.name().is_empty()) {
        let id = object.id();
        if let Some(first) = seen.get(&id) {
            let first = sources.location(*first).to_string();
            problems.push(Problem::at(object.origin(), &Error::Duplicate { id, first }));
            if problems.len() >= MAX_PROBLEMS {
                break;
            }
        } else {
            seen.insert(id, object.origin());
        }
    }
    Failure::unless_empty(problems)
}

#[cfg(test)]
mod tests {
    use walkdir::WalkDir;

    use super::*;
    use crate::{discover, load};

    /// Returns the result of an environment as text: its objects or its problems.
    fn describe_result(directory: &Path, environment: &str, traced: bool) -> Option<String> {
        let mut sources = Sources::default();
        let found = discover(directory, None).ok()?;
        let mut loaded = load(&found, environment, &mut sources).ok()?;
        let context = RenderContext { environment: environment.to_owned(), ..RenderContext::default() };
        let mut texts = traced.then(SourceTexts::default);
        let mut notes = Vec::new();
        let complete = CompleteApp { files: std::mem::take(&mut loaded.own_files), loaded };
        let attempt = try_render(complete, &context, &mut sources, texts.as_mut(), &mut notes);
        if !attempt.problems.is_empty() {
            // Tracing uses lenient limits, which continue after an error.
            return Some(format!("{:?}", attempt.problems));
        }
        let objects: Vec<Json> = attempt.objects.iter().map(|object| object.root().to_json()).collect();
        let places: Vec<Origin> = attempt.objects.iter().map(Manifest::origin).collect();
        Some(format!("{objects:?} {places:?}"))
    }

    #[test]
    fn tracing_does_not_change_the_result() {
        let mut count = 0;
        for part in ["examples", "testdata"] {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(part);
            for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok) {
                if entry.file_name() != APP_FILE {
                    continue;
                }
                let directory = entry.path().parent().unwrap();
                let names: Vec<String> = discover(directory, None)
                    .map(|found| found.environments().map(str::to_owned).collect())
                    .unwrap_or_default();
                for name in names {
                    let plain = describe_result(directory, &name, false);
                    count += usize::from(plain.is_some());
                    assert_eq!(
                        plain,
                        describe_result(directory, &name, true),
                        "{} {name}",
                        directory.display()
                    );
                }
            }
        }
        assert!(count > 50, "{count} environments");
    }
}
