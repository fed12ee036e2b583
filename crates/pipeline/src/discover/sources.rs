//! The sources of an app: those that the app file states, or else those that the files beside it suggest.
//!
//! Names of files are looked at, within limits; nothing is read from them.

use std::path::Path;

use super::environment_paths::{PathPattern, names_for_pattern};
use super::error::{Error, whole};
use super::nearby::{self, BASE, CHART_FILE, KUSTOMIZATION_FILES};
use crate::boundary::Boundary;
use crate::piped::PipedManifests;
use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace};
use sealwave_core::names::dns;
use sealwave_secrets::settings::{
    App, ChartLocation, ChartLocationError, EnvironmentPath, HelmSource, KustomizeSource, SettingPath,
    SettingsFile, SourceEntry,
};

/// The overlays of environments, as Kustomize's own documentation lays them out.
const OVERLAYS: &str = "overlays/{{env}}";
/// The places in which charts have the values of an environment.
const VALUE_FILES: [&str; 3] = ["values-{{env}}.yaml", "values/{{env}}.yaml", "envs/{{env}}/values.yaml"];

/// A source of an app's objects.
#[derive(Clone, Debug)]
pub(crate) enum AppSource {
    /// The manifests and templates in `base/` and `envs/`.
    Files,
    /// A Helm chart.
    Helm(Box<ChartSource>),
    /// A directory of Kustomize.
    Kustomize(KustomizeSource),
    /// Manifests from standard input, instead of the app's own sources.
    Piped(PipedManifests),
}

/// A Helm chart, with the settings that it is rendered with.
#[derive(Clone, Debug)]
pub(crate) struct ChartSource {
    /// Its place.
    pub(crate) location: ChartLocation,
    /// The other settings.
    pub(crate) settings: HelmSource,
}

impl AppSource {
    /// Returns the paths that may differ between environments, from which environments get their names.
    pub(super) fn environment_paths(&self) -> impl Iterator<Item = PathPattern<'_>> {
        let (own, files) = match self {
            Self::Files | Self::Piped(_) => (None, [].as_slice()),
            Self::Helm(chart) => {
                let ChartSource { location, settings } = &**chart;
                let directory = match location {
                    ChartLocation::Directory(path) => Some(path),
                    ChartLocation::Pinned(_) | ChartLocation::Unpinned(_) => None,
                };
                (directory, settings.value_files.as_slice())
            }
            Self::Kustomize(kustomize) => (Some(&kustomize.path), [].as_slice()),
        };
        own.into_iter().map(PathPattern::Directory).chain(files.iter().map(PathPattern::File))
    }
}

/// Returns the sources of an app.
///
/// # Errors
/// An entry is not exactly one source, or the files suggest more than one.
pub(super) fn read(
    dir: &Path,
    boundary: &Boundary,
    app: &App,
    file: &SettingsFile<'_>,
) -> Result<Vec<AppSource>, Failure> {
    match &app.sources {
        Some(entries) => stated(entries, file),
        None => suggested(dir, boundary).map_err(|error| whole(file.name(), &error)),
    }
}

fn stated(entries: &[SourceEntry], file: &SettingsFile<'_>) -> Result<Vec<AppSource>, Failure> {
    let problem = |item: Option<usize>, error: &Error| {
        let at = ProblemPlace::Place(file.locate_setting(&["sources"], item));
        Problem { at, ..Problem::new(error) }
    };
    if entries.is_empty() {
        return Err(problem(None, &Error::NoSources).into());
    }
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        match entry.clone() {
            SourceEntry { files: Some(_), helm: None, kustomize: None } => sources.push(AppSource::Files),
            SourceEntry { files: None, helm: Some(settings), kustomize: None } => {
                if settings.namespace.as_deref().is_some_and(|name| !dns::is_label(name)) {
                    let setting = format!("sources[{index}].helm.namespace");
                    problems.push(problem(Some(index), &Error::Namespace { setting }));
                }
                match settings.location() {
                    Ok(location) => {
                        sources.push(AppSource::Helm(Box::new(ChartSource { location, settings })));
                    }
                    Err(error) => problems.push(location_problem(file, index, error)),
                }
            }
            SourceEntry { files: None, helm: None, kustomize: Some(kustomize) } => {
                sources.push(AppSource::Kustomize(kustomize));
            }
            _ => problems.push(problem(Some(index), &Error::SourceKinds)),
        }
    }
    let files = sources.iter().filter(|source| matches!(source, AppSource::Files)).count();
    if files > 1 {
        problems.push(problem(None, &Error::FilesTwice));
    }
    Failure::unless_empty(problems)?;
    Ok(sources)
}

/// Returns the error for a chart whose fields do not say where it is.
fn location_problem(file: &SettingsFile<'_>, index: usize, error: ChartLocationError) -> Problem {
    let setting = SettingPath::of_keys(&["sources"]).item(index).key("helm").key(error.field());
    let at = ProblemPlace::Place(file.locate(&setting));
    Problem { at, ..Problem::new(&Error::ChartLocation(error)) }
}

/// The sources that the names of files beside an app file suggest, if it states none.
#[derive(Clone, Debug)]
pub struct AppConvention {
    /// Whether the directory is a chart.
    pub is_chart: bool,
    /// The places of values of environments in which there are files; more than one is ambiguous.
    pub value_files: Vec<EnvironmentPath>,
    /// The directories of Kustomize, if there are some.
    pub kustomize: Option<EnvironmentPath>,
    /// Whether there are manifests in `base/`.
    pub has_files: bool,
}

/// A tool of Argo CD that renders a directory unless an Application names a plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgoCdTool {
    /// The tool for a directory with a `Chart.yaml`.
    Helm,
    /// The tool for a directory with a `kustomization.yaml`.
    Kustomize,
}

impl ArgoCdTool {
    /// Returns the tool for a directory, by the order in which Argo CD looks.
    #[must_use]
    pub fn of(dir: &Path) -> Option<Self> {
        if nearby::has_file(dir, &[CHART_FILE]) {
            Some(Self::Helm)
        } else if nearby::has_file(dir, &KUSTOMIZATION_FILES) {
            Some(Self::Kustomize)
        } else {
            None
        }
    }

    /// Returns the name for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Helm => "Helm",
            Self::Kustomize => "Kustomize",
        }
    }
}

impl AppConvention {
    /// Looks at the files of a directory, which may have no app file yet.
    ///
    /// # Errors
    /// The directory does not exist.
    pub fn of(dir: &Path) -> std::io::Result<Self> {
        let root = fs_err::canonicalize(dir)?;
        Ok(Self::within(&root, &Boundary::for_app(&root, None)))
    }

    fn within(dir: &Path, boundary: &Boundary) -> Self {
        let overlays = EnvironmentPath::from(OVERLAYS);
        let kustomize = if environments_of(dir, boundary, PathPattern::Directory(&overlays)).is_empty() {
            nearby::has_file(dir, &KUSTOMIZATION_FILES).then(EnvironmentPath::here)
        } else {
            Some(overlays)
        };
        let is_used = |pattern: &EnvironmentPath| {
            !environments_of(dir, boundary, PathPattern::File(pattern)).is_empty()
        };
        let base = dir.join(BASE);
        Self {
            is_chart: nearby::has_file(dir, &[CHART_FILE]),
            value_files: VALUE_FILES.map(EnvironmentPath::from).into_iter().filter(is_used).collect(),
            kustomize,
            // Overlays usually have a base of this name.
            has_files: nearby::is_directory(&base) && !nearby::has_file(&base, &KUSTOMIZATION_FILES),
        }
    }
}

/// Returns the names that stand for the environment in existing paths of a pattern, relative to `dir`; none if its directory
/// cannot be read or is outside of the repository.
#[must_use]
pub fn environment_names(dir: &Path, pattern: &EnvironmentPath) -> Vec<String> {
    let root = fs_err::canonicalize(dir);
    let all = root.map(|root| {
        let boundary = Boundary::for_app(&root, None);
        let patterns = [PathPattern::Directory(pattern), PathPattern::File(pattern)];
        patterns.into_iter().flat_map(|pattern| environments_of(&root, &boundary, pattern)).collect()
    });
    all.unwrap_or_default()
}

/// Returns the source that the files beside the app file suggest.
fn suggested(dir: &Path, boundary: &Boundary) -> Result<Vec<AppSource>, Error> {
    let AppConvention { is_chart, value_files, kustomize, has_files } = AppConvention::within(dir, boundary);
    match (is_chart, kustomize, has_files) {
        (false, None, _) => Ok(vec![AppSource::Files]),
        (true, None, false) => {
            let settings = suggested_chart(value_files)?;
            let location = ChartLocation::Directory(settings.chart.clone());
            Ok(vec![AppSource::Helm(Box::new(ChartSource { location, settings }))])
        }
        (false, Some(path), false) => Ok(vec![AppSource::Kustomize(KustomizeSource { path })]),
        (_, kustomize, _) => {
            let overlays = kustomize.map(|path| format!("kustomize: {{path: \"{}\"}}", path.as_written()));
            let chart = is_chart.then(|| "helm: {chart: .}".to_owned());
            let files = has_files.then(|| "files: {}".to_owned());
            Err(Error::AmbiguousSources(chart.into_iter().chain(overlays).chain(files).collect()))
        }
    }
}

/// Returns the source for the chart beside the app file, with the values of its environments.
fn suggested_chart(value_files: Vec<EnvironmentPath>) -> Result<HelmSource, Error> {
    if value_files.len() > 1 {
        let patterns = value_files.iter().map(|pattern| pattern.as_written().to_owned()).collect();
        return Err(Error::AmbiguousValueFiles(patterns));
    }
    Ok(HelmSource { value_files, ..HelmSource::default() })
}

/// Returns the environments that a pattern of paths suggests; none if its directory cannot be read.
fn environments_of(dir: &Path, boundary: &Boundary, pattern: PathPattern<'_>) -> Vec<String> {
    names_for_pattern(dir, boundary, pattern).unwrap_or_default()
}
