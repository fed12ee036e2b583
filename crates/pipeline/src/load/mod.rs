//! Second verb: read what one environment is made of: values, manifests, templates, partials and patches.
//!
//! Everything is read here, with bounds, and nothing outside the repository is; the later stages do no I/O.

mod defined;
mod files;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::discover::{Discovery, ENVIRONMENTS};
pub(super) use defined::DefinedValues;
use files::{Found, Reader};
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_core::document::{Node, Origin, SourceId, Sources};
use sealwave_core::yaml;
use sealwave_secrets::settings::{APP_FILE, PatchEntry, PatchType, Target};
pub(super) use values::Values;

/// Directory of the manifests that every environment has.
const BASE: &str = "base";
/// Directory of partials beside those among the manifests.
const PARTIALS: &str = "partials";
/// Name of the files with values.
const VALUES: &str = "values.yaml";

/// All that one environment is made of, read and bounded, not yet rendered.
pub struct Loaded<'a> {
    /// The app.
    pub(super) app: &'a Discovery,
    /// Values of the app under those of the environment.
    pub(super) values: Values,
    /// Manifests and templates in their order: base before the environment, each sorted by path.
    pub(super) files: Vec<ManifestFile>,
    /// Partials by name.
    pub(super) partials: BTreeMap<String, Partial>,
    /// Patches of the environment, in order.
    pub(super) patches: Vec<Patch>,
    /// Namespace that the app file gives for objects without one.
    pub(super) namespace: Option<String>,
    /// What is worth saying about what was found.
    pub(super) notes: Vec<Note>,
    /// What the documents of the environment may hold together; values and patches have spent of it.
    pub(super) budget: yaml::Budget,
}

/// A file whose documents become objects.
pub(super) struct ManifestFile {
    pub(super) source: SourceId,
    pub(super) text: String,
    pub(super) is_template: bool,
}

/// A template that others include.
pub(super) struct Partial {
    pub(super) source: SourceId,
    pub(super) text: String,
}

/// A change to the objects that match.
pub(super) struct Patch {
    pub(super) target: Target,
    /// The type that the app file states.
    pub(super) stated: Option<PatchType>,
    /// The patch itself, with positions.
    pub(super) change: Node,
    /// Where the app file names it.
    pub(super) origin: Origin,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("partial `{0}` is defined twice; the other one is `{1}`")]
    PartialTwice(String, String),
    #[error("patch file holds {0} documents, not one")]
    PatchDocuments(usize),
    #[error("patch has {0}")]
    PatchSource(&'static str),
    #[error("values of `base/values.yaml` are not read")]
    StrayValues,
    #[error("template is not rendered: its name ends neither with `.yaml.hbs` nor with `.json.hbs`")]
    StrayTemplate,
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::PatchSource(_) => Some("give either `file` or `patch`".to_owned()),
            Self::StrayValues => {
                Some("put them into `values.yaml` beside `sealwave.yaml`, and remove the file".to_owned())
            }
            Self::StrayTemplate => {
                Some("start its name with `_` if it is a partial, else end it with `.yaml.hbs`".to_owned())
            }
            _ => None,
        }
    }
}

/// Reads what `environment` is made of.
///
/// Values: `values.yaml` under `envs/<environment>/values.yaml`; mappings are merged key by key, a list replaces a
/// list, and `null` takes a key away, as in Helm. Manifests: `*.yaml`, `*.yml` and `*.json` as they are, and templates
/// where `.hbs` follows, of `base/` and `envs/<environment>/`. Partials: `partials/**/*.hbs`, and files among the
/// manifests whose names start with `_` and end with `.hbs`; a partial's name is its path without `_` and extensions,
/// and the environment's partial takes the place of the app's.
///
/// # Errors
/// An unknown environment, and everything that cannot be read: wrong paths and links, too much or too large files,
/// text that is not UTF-8, unusable values and patches. All of them together.
pub fn load<'a>(
    discovery: &'a Discovery,
    environment: &str,
    sources: &mut Sources,
) -> Result<Loaded<'a>, Failure> {
    let settings = discovery.environment(environment)?;
    let own = Path::new(ENVIRONMENTS).join(environment);
    let mut problems = Vec::new();
    let mut reader = Reader::new(discovery);
    let values = values::load(&mut reader, &own, sources);
    let patches = patches(discovery, environment, &mut reader, sources, &mut problems);
    let patch_files = patch_files(discovery);
    let mut loaded = Loaded {
        app: discovery,
        values: values.unwrap_or_else(|failure| {
            problems.extend_from_slice(failure.problems());
            Values::none(sources)
        }),
        files: Vec::new(),
        partials: BTreeMap::new(),
        patches,
        namespace: settings.namespace.clone().or_else(|| discovery.app().namespace.clone()),
        notes: Vec::new(),
        budget: yaml::Budget::default(),
    };
    for (directory, all_partials) in [(Path::new(PARTIALS), true), (Path::new(BASE), false), (&own, false)] {
        let found = reader.walk(directory, sources, &mut problems);
        let mut layer = Layer { directory, all_partials, own_partials: BTreeMap::new() };
        for file in found.into_iter().filter(|file| !patch_files.contains(&file.relative)) {
            layer.take(file, &mut loaded, sources, &mut problems);
        }
        loaded.partials.append(&mut layer.own_partials);
    }
    Failure::unless_empty(problems)?;
    loaded.budget = reader.into_budget();
    Ok(loaded)
}

/// One directory of files; a later one's partials take the place of an earlier one's.
struct Layer<'a> {
    directory: &'a Path,
    all_partials: bool,
    own_partials: BTreeMap<String, Partial>,
}

/// What a file's name says that it is.
#[derive(Debug, PartialEq, Eq)]
enum Role {
    Manifest,
    Other,
    Partial(String),
    StrayTemplate,
    Template,
    Values,
}

impl Layer<'_> {
    fn take(
        &mut self,
        file: Found,
        loaded: &mut Loaded<'_>,
        sources: &mut Sources,
        problems: &mut Vec<Problem>,
    ) {
        let relative = file.relative.strip_prefix(self.directory).unwrap_or(&file.relative).to_owned();
        match role(&relative, self.all_partials) {
            Role::Manifest => {
                loaded.files.push(ManifestFile { source: file.source, text: file.text, is_template: false });
            }
            Role::Values if self.directory == Path::new(BASE) => {
                loaded
                    .notes
                    .push(Note::warning(Problem::at(Origin::whole(file.source), &Error::StrayValues)));
            }
            Role::Other | Role::Values => {}
            Role::Partial(name) => {
                if let Some(first) = self.own_partials.get(&name) {
                    let error = Error::PartialTwice(name, sources.name(first.source).to_owned());
                    problems.push(Problem::at(Origin::whole(file.source), &error));
                } else {
                    self.own_partials.insert(name, Partial { source: file.source, text: file.text });
                }
            }
            Role::StrayTemplate => loaded
                .notes
                .push(Note::warning(Problem::at(Origin::whole(file.source), &Error::StrayTemplate))),
            Role::Template => {
                loaded.files.push(ManifestFile { source: file.source, text: file.text, is_template: true });
            }
        }
    }
}

/// Decides by the name alone; `relative` is below the layer's directory.
fn role(relative: &Path, all_partials: bool) -> Role {
    let path = relative.to_string_lossy().replace('\\', "/");
    let file = path.rsplit('/').next().unwrap_or(&path);
    let is_document = |name: &str| {
        [".yaml", ".yml", ".json"]
            .iter()
            .any(|extension| name.len() > extension.len() && name.ends_with(extension))
    };
    if let Some(stem) = path.strip_suffix(".hbs") {
        if all_partials || file.starts_with('_') {
            return Role::Partial(partial_name(stem));
        }
        return if is_document(stem) { Role::Template } else { Role::StrayTemplate };
    }
    match path.as_str() {
        _ if all_partials => Role::Other,
        VALUES => Role::Values,
        // Kustomize reads its file under this name too; as a manifest it gets the error that names it.
        _ if is_document(file) || file == "Kustomization" => Role::Manifest,
        _ => Role::Other,
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

/// Files that some environment uses as patches: no manifests, wherever they lie.
fn patch_files(discovery: &Discovery) -> BTreeSet<PathBuf> {
    let entries = discovery.app().environments.values().flat_map(|settings| &settings.patches);
    entries.filter_map(|entry| entry.file.as_deref()).map(files::lexical).collect()
}

/// The environment's patches.
fn patches(
    discovery: &Discovery,
    environment: &str,
    reader: &mut Reader<'_>,
    sources: &mut Sources,
    problems: &mut Vec<Problem>,
) -> Vec<Patch> {
    let source = sources.add(discovery.name_of(Path::new(APP_FILE)));
    // It was read before, so it can be read.
    let tree = yaml::read(discovery.app_text(), source, &yaml::Limits::default()).unwrap_or_default();
    let places = tree
        .first()
        .and_then(|tree| tree.at(&["environments", environment, "patches"]))
        .map_or(&[][..], Node::items);
    let entries =
        discovery.environment(environment).map(|settings| settings.patches.as_slice()).unwrap_or_default();
    let mut patches = Vec::new();
    for (entry, place) in entries.iter().zip(places) {
        match change(entry, place, reader, sources) {
            Ok(change) => {
                let PatchEntry { target, patch_type, .. } = entry;
                let origin = place.shown_at();
                patches.push(Patch { target: target.clone(), stated: *patch_type, change, origin });
            }
            Err(failure) => problems.extend_from_slice(failure.problems()),
        }
    }
    patches
}

/// What a patch says, from its file or from the app file itself.
fn change(
    entry: &PatchEntry,
    place: &Node,
    reader: &mut Reader<'_>,
    sources: &mut Sources,
) -> Result<Node, Failure> {
    let wrong = |what| Err(Problem::at(place.shown_at(), &Error::PatchSource(what)).into());
    match (&entry.file, place.get("patch")) {
        (Some(file), None) => {
            let at = place.get("file").map_or(place.origin, |node| node.origin);
            let found = reader.patch_file(file, at, sources)?;
            single_document(&found, reader.budget())
        }
        (None, Some(inline)) => Ok(inline.clone()),
        (None, None) => wrong("neither `file` nor `patch`"),
        (Some(_), Some(_)) => wrong("both `file` and `patch`"),
    }
}

fn single_document(found: &Found, budget: &yaml::Budget) -> Result<Node, Failure> {
    let limits = yaml::Limits::default();
    let mut documents = yaml::read_within(found.text.as_bytes(), found.source, &limits, budget)?;
    if documents.len() == 1 {
        return Ok(documents.remove(0));
    }
    Err(Problem::at(Origin::whole(found.source), &Error::PatchDocuments(documents.len())).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_a_file_is() {
        let of = |path: &str| role(Path::new(path), false);
        assert_eq!(of("a.yaml"), Role::Manifest);
        assert_eq!(of("sub/values.yaml"), Role::Manifest);
        assert_eq!(of("values.yaml"), Role::Values);
        assert_eq!(of("a.json.hbs"), Role::Template);
        assert_eq!(of("notes.md"), Role::Other);
        assert_eq!(of("web/Kustomization"), Role::Manifest);
        assert_eq!(of("nginx.conf.hbs"), Role::StrayTemplate);
        assert_eq!(of("_labels.hbs"), Role::Partial("labels".into()));
        assert_eq!(of("web/_labels.yaml.hbs"), Role::Partial("web/labels".into()));
        assert_eq!(role(Path::new("web/labels.hbs"), true), Role::Partial("web/labels".into()));
        assert_eq!(role(Path::new("README.md"), true), Role::Other);
    }
}
