//! The second stage: reads the inputs of one environment: values, manifests, templates, partials and patches.
//!
//! All files of the repository are read by code in this module, with limits, and never outside the repository. The only
//! later reading of the app is that of [`defined_values()`]: the values of other environments, when a name is undefined.

mod access;
mod defined;
mod files;
mod generated;
mod named_files;
mod template_files;
mod values;

use std::collections::BTreeMap;
use std::path::Path;

use super::discover::{AppSource, BASE, Discovery, ENVIRONMENTS};
pub(super) use access::FileError;
pub(crate) use access::normalize_lexically;
pub(super) use defined::defined_values;
use files::{FileReader, SourceFile};
pub use named_files::NamedFiles;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_core::document::{Manifest, Node, Origin, SourceId, Sources};
use sealwave_core::excerpts::STDIN;
use sealwave_core::yaml;
use sealwave_secrets::settings::{PatchEntry, PatchTarget, PatchType};
pub(super) use template_files::TemplateFiles;
use values::VALUES;
pub(super) use values::{LayeredValues, ValueGaps};

/// The directory of partials; partials may also be next to manifests.
const PARTIALS: &str = "partials";

/// The inputs of one environment, read and bounded, but not rendered.
pub struct LoadedApp<'a> {
    /// The app.
    pub(super) app: &'a Discovery,
    /// The app's values, overridden by those of the environment.
    pub(super) values: LayeredValues,
    /// The app's own manifests and templates in order: base before the environment, each sorted by path.
    pub(super) own_files: Vec<ManifestFile>,
    /// Partials by name.
    pub(super) partials: BTreeMap<String, PartialTemplate>,
    /// The ConfigMaps and Secrets that the app file makes.
    pub(super) generated: Vec<Manifest>,
    /// The files that templates can read.
    pub(super) template_files: Option<TemplateFiles>,
    /// The patches of the environment, in order.
    pub(super) patches: Vec<EnvironmentPatch>,
    /// Whether the environment may have no objects.
    pub(super) allow_empty: bool,
    /// The namespace from the app file for objects without one.
    pub(super) namespace: Option<String>,
    /// Notes about the files.
    pub(super) notes: Vec<Note>,
    /// The shared budget of all documents of the environment, after values and patches.
    pub(super) budget: yaml::YamlBudget,
}

/// The inputs of one environment with the manifests of all its sources, also of those that other tools render.
pub struct CompleteApp<'a> {
    /// The other inputs; its own files are in `files`.
    pub(super) loaded: LoadedApp<'a>,
    /// The files of all sources, in the order of the sources.
    pub(super) files: Vec<ManifestFile>,
}

/// A file whose documents become objects.
pub(super) struct ManifestFile {
    pub(super) source: SourceId,
    pub(super) text: String,
    pub(super) kind: FileKind,
}

/// The way in which a file's documents become objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// Its text is read.
    Plain,
    /// A program printed it; its text is read.
    ProgramOutput,
    /// It is rendered, and the result is read.
    Template,
}

/// A template that others include.
pub(super) struct PartialTemplate {
    pub(super) source: SourceId,
    pub(super) text: String,
}

/// A change to the matching objects.
pub(super) struct EnvironmentPatch {
    pub(super) target: PatchTarget,
    /// The type in the app file.
    pub(super) stated: Option<PatchType>,
    /// The patch content, with positions.
    pub(super) change: Node,
    /// The location of the entry in the app file.
    pub(super) origin: Origin,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("partial `{0}` is already defined in `{1}`")]
    PartialTwice(String, String),
    #[error("values file is not read: its name is not `{VALUES}`")]
    MisnamedValues,
    #[error("patch file holds {0} documents, not one")]
    PatchDocuments(usize),
    #[error("patch has {0}")]
    PatchSource(&'static str),
    #[error("patch has no `target`")]
    PatchTarget(String),
    #[error("`base/values.yaml` is ignored")]
    StrayValues,
    #[error("template is ignored: its name does not end with `.yaml.hbs` or `.json.hbs`")]
    StrayTemplate,
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::PatchSource(_) => Some("give either `file` or `patch`".to_owned()),
            Self::PatchTarget(target) => {
                Some(format!("add `target: {target}`, which selects the objects to change"))
            }
            Self::MisnamedValues => Some(format!("rename it to `{VALUES}`")),
            Self::StrayValues => Some(
                "move the values to `values.yaml` next to `sealwave.yaml`, and remove the file".to_owned(),
            ),
            Self::StrayTemplate => Some(
                "start its name with `_` if it is a partial; otherwise end it with `.yaml.hbs`".to_owned(),
            ),
            _ => None,
        }
    }
}

/// Reads the inputs of `environment`.
///
/// Values: `envs/<environment>/values.yaml` overrides `values.yaml`. Mappings are merged key by key, a list replaces a
/// list, and `null` removes a key, as in Helm. Manifests: `*.yaml`, `*.yml` and `*.json` of `base/` and
/// `envs/<environment>/`, and templates with the additional extension `.hbs`. Partials: `partials/**/*.hbs`, and files
/// next to manifests whose names start with `_` and end with `.hbs`. A partial's name is its path without `_` and
/// extensions; the environment's partial replaces the app's. ConfigMaps and Secrets: those that the app file makes.
///
/// # Errors
/// The environment is unknown, or inputs cannot be read: invalid paths and links, files that are too many or too large,
/// text that is not UTF-8, invalid values and patches. All problems are reported together.
pub fn load<'a>(
    discovery: &'a Discovery,
    environment: &str,
    sources: &mut Sources,
) -> Result<LoadedApp<'a>, Failure> {
    let settings = discovery.environment(environment)?;
    let own = Path::new(ENVIRONMENTS).join(environment);
    let mut problems = Vec::new();
    let mut reader = FileReader::new(discovery);
    let values = if reads_values(discovery.sources()) {
        values::load(&mut reader, &own, sources)
    } else {
        Ok(LayeredValues::empty(sources))
    };
    let patches = patches(discovery, environment, &mut reader, sources, &mut problems);
    let generated = generated::load(discovery, environment, &mut reader, sources, &mut problems);
    let named = NamedFiles::of_app(discovery);
    let mut loaded = LoadedApp {
        app: discovery,
        values: values.unwrap_or_else(|failure| {
            problems.extend_from_slice(failure.problems());
            LayeredValues::empty(sources)
        }),
        own_files: Vec::new(),
        partials: BTreeMap::new(),
        generated,
        template_files: None,
        patches,
        allow_empty: settings.allow_empty,
        namespace: settings.namespace.clone().or_else(|| discovery.app().namespace.clone()),
        notes: Vec::new(),
        budget: yaml::YamlBudget::default(),
    };
    let directories = [(Path::new(PARTIALS), true), (Path::new(BASE), false), (&own, false)];
    let has_files = discovery.has_own_files();
    for (directory, all_partials) in directories.into_iter().filter(|_| has_files) {
        let found = reader.read_directory(directory, &named, sources, &mut problems);
        let mut layer = FileLayer { directory, all_partials, own_partials: BTreeMap::new() };
        for file in found {
            layer.take(file, &mut loaded, sources, &mut problems);
        }
        loaded.partials.append(&mut layer.own_partials);
    }
    loaded.own_files.extend(discovery.sources().iter().filter_map(|source| piped_file(source, sources)));
    Failure::unless_empty(problems)?;
    let (budget, template_files) = reader.finish();
    loaded.budget = budget;
    loaded.template_files = Some(template_files);
    Ok(loaded)
}

/// Returns the manifests from standard input as a file.
fn piped_file(source: &AppSource, sources: &mut Sources) -> Option<ManifestFile> {
    let AppSource::Piped(manifests) = source else { return None };
    let (source, text) = (sources.add(STDIN), manifests.text().to_owned());
    Some(ManifestFile { source, text, kind: FileKind::ProgramOutput })
}

/// Reports whether a source uses the values of the app and of its environments.
fn reads_values(sources: &[AppSource]) -> bool {
    sources.iter().any(|source| match source {
        AppSource::Files => true,
        AppSource::Helm(chart) => chart.settings.layered_values,
        AppSource::Kustomize(_) | AppSource::Piped(_) => false,
    })
}

/// One directory of files. The partials of a later directory replace those of an earlier one.
struct FileLayer<'a> {
    directory: &'a Path,
    all_partials: bool,
    own_partials: BTreeMap<String, PartialTemplate>,
}

/// The role of a file, decided by its name.
#[derive(Debug, PartialEq, Eq)]
enum FileRole {
    Manifest,
    MisnamedValues,
    Other,
    Partial(String),
    StrayTemplate,
    Template,
    Values,
}

impl FileLayer<'_> {
    fn take(
        &mut self,
        file: SourceFile,
        loaded: &mut LoadedApp<'_>,
        sources: &mut Sources,
        problems: &mut Vec<Problem>,
    ) {
        let relative = file.relative.strip_prefix(self.directory).unwrap_or(&file.relative).to_owned();
        match file_role(&relative, self.all_partials) {
            // Objects may be in a file of any name.
            FileRole::MisnamedValues if !file.text.contains("apiVersion") => {
                problems.push(Problem::at(Origin::whole(file.source), &Error::MisnamedValues));
            }
            FileRole::Manifest | FileRole::MisnamedValues => {
                loaded.own_files.push(ManifestFile {
                    source: file.source,
                    text: file.text,
                    kind: FileKind::Plain,
                });
            }
            FileRole::Values if self.directory == Path::new(BASE) => {
                loaded
                    .notes
                    .push(Note::warning(Problem::at(Origin::whole(file.source), &Error::StrayValues)));
            }
            FileRole::Other | FileRole::Values => {}
            FileRole::Partial(name) => {
                if let Some(first) = self.own_partials.get(&name) {
                    let error = Error::PartialTwice(name, sources.name(first.source).to_owned());
                    problems.push(Problem::at(Origin::whole(file.source), &error));
                } else {
                    self.own_partials.insert(name, PartialTemplate { source: file.source, text: file.text });
                }
            }
            FileRole::StrayTemplate => loaded
                .notes
                .push(Note::warning(Problem::at(Origin::whole(file.source), &Error::StrayTemplate))),
            FileRole::Template => {
                loaded.own_files.push(ManifestFile {
                    source: file.source,
                    text: file.text,
                    kind: FileKind::Template,
                });
            }
        }
    }
}

/// Decides by the name only; `relative` is below the layer's directory.
fn file_role(relative: &Path, all_partials: bool) -> FileRole {
    let path = relative.to_string_lossy().replace('\\', "/");
    let file = path.rsplit('/').next().unwrap_or(&path);
    let is_document = |name: &str| {
        [".yaml", ".yml", ".json"]
            .iter()
            .any(|extension| name.len() > extension.len() && name.ends_with(extension))
    };
    if let Some(stem) = path.strip_suffix(".hbs") {
        if all_partials || file.starts_with('_') {
            return FileRole::Partial(partial_name(stem));
        }
        return if is_document(stem) { FileRole::Template } else { FileRole::StrayTemplate };
    }
    match path.as_str() {
        _ if all_partials => FileRole::Other,
        VALUES => FileRole::Values,
        "values.json" | "values.yml" => FileRole::MisnamedValues,
        // Kustomize reads its file under this name too; as a manifest it gets the error that names it.
        _ if is_document(file) || file == "Kustomization" => FileRole::Manifest,
        _ => FileRole::Other,
    }
}

fn partial_name(stem: &str) -> String {
    let stem =
        [".yaml", ".yml", ".json"].iter().find_map(|extension| stem.strip_suffix(extension)).unwrap_or(stem);
    match stem.rsplit_once('/') {
        Some((directory, name)) => format!("{directory}/{}", name.strip_prefix('_').unwrap_or(name)),
        None => stem.strip_prefix('_').unwrap_or(stem).to_owned(),
    }
}

/// Reads the environment's patches. Their places are needed even if nothing is wrong: each inline patch is a tree with
/// positions, and later problems point at the entry.
fn patches(
    discovery: &Discovery,
    environment: &str,
    reader: &mut FileReader<'_>,
    sources: &mut Sources,
    problems: &mut Vec<Problem>,
) -> Vec<EnvironmentPatch> {
    let source = sources.add(discovery.app_file_name());
    let entries =
        discovery.environment(environment).map(|settings| settings.patches.as_slice()).unwrap_or_default();
    if entries.is_empty() {
        return Vec::new();
    }
    let tree = discovery.app_tree(source);
    let own = Path::new(ENVIRONMENTS).join(environment);
    let places = tree.items_at(&["environments", environment, "patches"]);
    let mut patches = Vec::new();
    for (entry, place) in entries.iter().zip(places) {
        let origin = place.display_origin();
        match (read_change(entry, place, &own, reader, sources), entry.target.clone()) {
            (Ok(change), Some(target)) => {
                patches.push(EnvironmentPatch { target, stated: entry.patch_type, change, origin });
            }
            (Ok(change), None) => {
                let error = Error::PatchTarget(suggested_target(&change));
                problems.push(Problem::at(origin, &error));
            }
            (Err(failure), _) => problems.extend_from_slice(failure.problems()),
        }
    }
    patches
}

/// Returns the target for the object that a patch names itself, as patches of Kustomize do.
fn suggested_target(change: &Node) -> String {
    let named = |path: &[&str]| {
        let text = change.at(path).and_then(Node::as_str).unwrap_or_default();
        let is_plain = text.len() <= 63
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        Some(text).filter(|text| is_plain && !text.is_empty())
    };
    let kind = named(&["kind"]).unwrap_or("KIND");
    let name = named(&["metadata", "name"]).unwrap_or("NAME");
    format!("{{kind: {kind}, name: {name}}}")
}

/// Returns the content of a patch, from its file or from the app file.
fn read_change(
    entry: &PatchEntry,
    place: &Node,
    own: &Path,
    reader: &mut FileReader<'_>,
    sources: &mut Sources,
) -> Result<Node, Failure> {
    let invalid_source = |what| Err(Problem::at(place.display_origin(), &Error::PatchSource(what)).into());
    match (&entry.file, place.get("patch")) {
        (Some(file), None) => {
            let at = place.get("file").map_or(place.origin, |node| node.origin);
            let found = reader.read_patch_file(file, own, at, sources)?;
            single_document(&found, reader.budget())
        }
        (None, Some(inline)) => Ok(inline.clone()),
        (None, None) => invalid_source("neither `file` nor `patch`"),
        (Some(_), Some(_)) => invalid_source("both `file` and `patch`"),
    }
}

fn single_document(found: &SourceFile, budget: &yaml::YamlBudget) -> Result<Node, Failure> {
    let limits = yaml::Limits::default();
    let mut documents = yaml::read_with_budget(found.text.as_bytes(), found.source, &limits, budget)?;
    if documents.len() == 1 {
        return Ok(documents.remove(0));
    }
    Err(Problem::at(Origin::whole(found.source), &Error::PatchDocuments(documents.len())).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_decides_the_role_of_a_file() {
        let role_of = |path: &str| file_role(Path::new(path), false);
        assert_eq!(role_of("a.yaml"), FileRole::Manifest);
        assert_eq!(role_of("sub/values.yaml"), FileRole::Manifest);
        assert_eq!(role_of("values.yaml"), FileRole::Values);
        assert_eq!(role_of("values.yml"), FileRole::MisnamedValues);
        assert_eq!(role_of("sub/values.yml"), FileRole::Manifest);
        assert_eq!(role_of("a.json.hbs"), FileRole::Template);
        assert_eq!(role_of("notes.md"), FileRole::Other);
        assert_eq!(role_of("web/Kustomization"), FileRole::Manifest);
        assert_eq!(role_of("nginx.conf.hbs"), FileRole::StrayTemplate);
        assert_eq!(role_of("_labels.hbs"), FileRole::Partial("labels".into()));
        assert_eq!(role_of("web/_labels.yaml.hbs"), FileRole::Partial("web/labels".into()));
        assert_eq!(file_role(Path::new("web/labels.hbs"), true), FileRole::Partial("web/labels".into()));
        assert_eq!(file_role(Path::new("README.md"), true), FileRole::Other);
    }
}
