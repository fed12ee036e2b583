//! The sources of an app: those that the app file states, or else those that the files beside it suggest.
//!
//! Names of files are looked at, within limits; nothing is read from them.

use std::path::Path;

use super::environment_paths::names_for_pattern;
use super::error::{Error, whole};
use super::nearby::{self, BASE, CHART_FILE, KUSTOMIZATION_FILES};
use crate::boundary::Boundary;
use crate::piped::PipedManifests;
use sealwave_core::diagnostic::{Failure, Problem, ProblemPlace};
use sealwave_core::names::dns;
use sealwave_secrets::settings::{
    App, EnvironmentPath, HelmSource, KustomizeSource, SettingsFile, SourceEntry,
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
    Helm(HelmSource),
    /// A directory of Kustomize.
    Kustomize(KustomizeSource),
    /// Manifests from standard input, instead of the app's own sources.
    Piped(PipedManifests),
}

impl AppSource {
    /// Returns the paths that may differ between environments, from which environments get their names.
    pub(super) fn environment_paths(&self) -> impl Iterator<Item = &EnvironmentPath> {
        let (own, files) = match self {
            Self::Files | Self::Piped(_) => (None, [].as_slice()),
            Self::Helm(helm) => (Some(&helm.chart), helm.value_files.as_slice()),
            Self::Kustomize(kustomize) => (Some(&kustomize.path), [].as_slice()),
        };
        own.into_iter().chain(files)
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
            SourceEntry { files: None, helm: Some(helm), kustomize: None } => {
                if helm.namespace.as_deref().is_some_and(|name| !dns::is_label(name)) {
                    let setting = format!("sources[{index}].helm.namespace");
                    problems.push(problem(Some(index), &Error::Namespace { setting }));
                }
                sources.push(AppSource::Helm(helm));
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

/// Returns the source that the files beside the app file suggest.
fn suggested(dir: &Path, boundary: &Boundary) -> Result<Vec<AppSource>, Error> {
    let is_chart = nearby::has_file(dir, &[CHART_FILE]);
    let overlays = EnvironmentPath::from(OVERLAYS);
    let has_overlays = !environments_of(dir, boundary, &overlays).is_empty();
    let is_kustomized = has_overlays || nearby::has_file(dir, &KUSTOMIZATION_FILES);
    let base = dir.join(BASE);
    // Overlays usually have a base of this name.
    let has_files = nearby::is_directory(&base) && !nearby::has_file(&base, &KUSTOMIZATION_FILES);
    let kustomize =
        || KustomizeSource { path: if has_overlays { overlays.clone() } else { EnvironmentPath::here() } };
    match (is_chart, is_kustomized, has_files) {
        (false, false, _) => Ok(vec![AppSource::Files]),
        (true, false, false) => Ok(vec![AppSource::Helm(suggested_chart(dir, boundary)?)]),
        (false, true, false) => Ok(vec![AppSource::Kustomize(kustomize())]),
        _ => {
            let path = kustomize().path.as_written().to_owned();
            let kinds = [
                (is_chart, "helm: {chart: .}".to_owned()),
                (is_kustomized, format!("kustomize: {{path: \"{path}\"}}")),
                (has_files, "files: {}".to_owned()),
            ];
            let choices = kinds.into_iter().filter(|(is_here, _)| *is_here).map(|(_, line)| line).collect();
            Err(Error::AmbiguousSources(choices))
        }
    }
}

/// Returns the source for the chart beside the app file, with the values of its environments.
fn suggested_chart(dir: &Path, boundary: &Boundary) -> Result<HelmSource, Error> {
    let patterns = VALUE_FILES.map(EnvironmentPath::from);
    let used: Vec<EnvironmentPath> =
        patterns.into_iter().filter(|pattern| !environments_of(dir, boundary, pattern).is_empty()).collect();
    if used.len() > 1 {
        let patterns = used.iter().map(|pattern| pattern.as_written().to_owned()).collect();
        return Err(Error::AmbiguousValueFiles(patterns));
    }
    Ok(HelmSource { value_files: used, ..HelmSource::default() })
}

/// Returns the environments that a pattern of paths suggests; none if its directory cannot be read.
fn environments_of(dir: &Path, boundary: &Boundary, pattern: &EnvironmentPath) -> Vec<String> {
    names_for_pattern(dir, boundary, pattern).unwrap_or_default()
}
