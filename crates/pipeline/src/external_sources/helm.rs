//! Renders a Helm chart.

use std::ffi::OsString;
use std::path::Path;

use sealwave_core::diagnostic::{Failure, Note, Problem};
use sealwave_core::document::Sources;
use sealwave_programs::{ProgramRun, Tool, check_links};
use sealwave_secrets::settings::{ChartLocation, EnvironmentPath, HelmSource};

use super::capabilities::Capabilities;
use super::error::Error;
use super::failed_run::helm_failed;
use super::input::SourceInput;
use super::output;
use super::paths::SourcePath;
use crate::discover::{CHART_FILE, ChartSource};
use crate::load::ManifestFile;

/// The namespace that Helm uses if none is given.
const DEFAULT_NAMESPACE: &str = "default";

/// Renders a chart for the environment of the run.
///
/// # Errors
/// The chart or a file with values is missing or leads out of the repository, Helm is not installed, or it fails.
pub(super) fn render(
    chart: &ChartSource,
    input: &SourceInput<'_>,
    sources: &mut Sources,
    notes: &mut Vec<Note>,
) -> Result<ManifestFile, Failure> {
    let source = &chart.settings;
    let chart = FoundChart::find(&chart.location, input)?;
    let program = input.toolbox.locate(Tool::Helm).map_err(|error| input.problem(&error))?;
    let run = ProgramRun::new(&program, chart.directory(input))
        .args(["template"])
        .args(options(source, input, notes))
        .readable(input.app.boundary());
    let run = with_values(input.with_time(run), source, input)?;
    // After `--`, no name can be read as an option.
    let name = source.release_name.as_deref().unwrap_or_else(|| input.context.app_name());
    let run = chart.as_argument(run.args(["--", name]));
    let name_of = |inside: &Path| input.name_of(&chart.relative().join(inside));
    let output = input.toolbox.run(Tool::Helm, &run).map_err(|error| input.problem(error))?;
    let output = output.map_err(|error| helm_failed(&error, &name_of, input))?;
    let text = String::from_utf8(output.stdout)
        .map_err(|_| -> Problem { input.problem(&Error::Output { program: Tool::Helm.name() }) })?;
    Ok(output::from_helm(text, &name_of(Path::new(CHART_FILE)), name_of, sources))
}

/// A chart that may be rendered.
enum FoundChart {
    /// A directory of the repository, whose links stay in it.
    Directory(SourcePath),
    /// An archive with the digest that the app file states.
    Archive { name: String, content: Vec<u8> },
}

impl FoundChart {
    fn find(location: &ChartLocation, input: &SourceInput<'_>) -> Result<Self, Problem> {
        match location {
            ChartLocation::Directory(path) => Self::directory_at(path, input),
            ChartLocation::Pinned(chart) => {
                let content = input.toolbox.chart(chart).map_err(|error| input.problem(&error))?;
                Ok(Self::Archive { name: chart.id.archive_name(), content })
            }
            ChartLocation::Unpinned(chart) => Err(input.problem(&input.toolbox.missing_digest(chart))),
        }
    }

    fn directory_at(path: &EnvironmentPath, input: &SourceInput<'_>) -> Result<Self, Problem> {
        let chart = SourcePath::directory(path, input).map_err(|error| input.problem(&error))?;
        if !chart.full.join(CHART_FILE).is_file() {
            return Err(input.problem(&Error::NotAChart(chart.name(input))));
        }
        check_links(&chart.full, &input.app.reach()).map_err(|error| input.problem(&error))?;
        Ok(Self::Directory(chart))
    }

    /// Returns the working directory of Helm.
    fn directory<'a>(&'a self, input: &'a SourceInput<'_>) -> &'a Path {
        match self {
            Self::Directory(chart) => &chart.full,
            Self::Archive { .. } => input.app.root(),
        }
    }

    /// Adds the chart as the last argument.
    fn as_argument(&self, run: ProgramRun) -> ProgramRun {
        match self {
            Self::Directory(_) => run.args(["."]),
            Self::Archive { content, .. } => run.file_arg("", content.clone()),
        }
    }

    /// Returns the path relative to the app's directory. An archive is named as if it were there.
    fn relative(&self) -> &Path {
        match self {
            Self::Directory(chart) => &chart.relative,
            Self::Archive { name, .. } => Path::new(name),
        }
    }
}

/// Returns the options besides values, as Argo CD sets them.
fn options(source: &HelmSource, input: &SourceInput<'_>, notes: &mut Vec<Note>) -> Vec<OsString> {
    let namespace = source.namespace.as_deref().or(input.namespace).unwrap_or(DEFAULT_NAMESPACE);
    let mut all = vec![format!("--namespace={namespace}")];
    if !source.skip_crds {
        all.push("--include-crds".to_owned());
    }
    if source.skip_tests {
        all.push("--skip-tests".to_owned());
    }
    let Capabilities { kube_version, api_versions } = Capabilities::decide(input, notes);
    all.extend(kube_version.map(|version| format!("--kube-version={version}")));
    all.extend(api_versions.iter().map(|version| format!("--api-versions={version}")));
    all.into_iter().map(OsString::from).collect()
}

/// Adds the values: those of the app, of files, and of the app file, in this order.
fn with_values(run: ProgramRun, source: &HelmSource, input: &SourceInput<'_>) -> Result<ProgramRun, Failure> {
    let mut run = run;
    if source.layered_values {
        run = run.file_arg("--values=", input.values.merged.to_json().to_string().into_bytes());
    }
    let mut problems = Vec::new();
    for path in &source.value_files {
        match SourcePath::file(path, input) {
            Ok(Some(file)) => run = run.args([values_option(&file.full)]),
            Ok(None) if source.ignore_missing_value_files => {}
            Ok(None) => {
                let path = path.in_environment(&input.context.environment);
                problems.push(input.problem(&Error::MissingValues { path: input.name_of(&path) }));
            }
            Err(error) => problems.push(input.problem(&error)),
        }
    }
    Failure::unless_empty(problems)?;
    if !source.values.is_empty() {
        let values = serde_json::Value::Object(source.values.clone());
        run = run.file_arg("--values=", values.to_string().into_bytes());
    }
    Ok(run)
}

/// Returns the option for a file with values. Helm reads its argument as a line of CSV.
fn values_option(file: &Path) -> OsString {
    let quoted = file.to_string_lossy().replace('"', "\"\"");
    format!("--values=\"{quoted}\"").into()
}
