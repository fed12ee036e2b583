//! Renders a directory of Kustomize.

use std::ffi::OsString;
use std::path::PathBuf;

use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_core::document::{Origin, Sources};
use sealwave_programs::{ProgramRun, Tool, ToolError};
use sealwave_secrets::settings::KustomizeSource;

use super::error::Error;
use super::failed_run::kustomize_failed as failed;
use super::input::{RenderPurpose, SourceInput};
use super::kustomization;
use super::origins::ObjectOrigins;
use super::output;
use super::paths::SourcePath;
use crate::discover::KUSTOMIZATION_FILES;
use crate::load::ManifestFile;

/// Renders a directory for the environment of the run.
///
/// # Errors
/// The directory is missing or leads out of the repository, no program is installed, or the program fails.
pub(super) fn render(
    directory: &KustomizeSource,
    input: &SourceInput<'_>,
    sources: &mut Sources,
) -> Result<ManifestFile, Failure> {
    let found = SourcePath::directory(&directory.path, input).map_err(|error| input.problem(&error))?;
    let file = KUSTOMIZATION_FILES.into_iter().find(|name| found.full.join(name).is_file());
    let Some(file) = file else {
        return Err(input.problem(&Error::NotKustomized(found.name(input))).into());
    };
    let needs = kustomization::read(&found.full, input, sources)?;
    let (tool, program, command) = command(input).map_err(|error| input.problem(&error))?;
    let run = ProgramRun::new(&program, &found.full).args([command]).readable(input.app.boundary());
    let mut run = input.with_time(run);
    if let Some(at) = needs.charts {
        run = with_charts(run, at, input)?;
    }
    let shown = input.name_of(&found.relative.join(file));
    let output = input.toolbox.run(tool, &run.clone().args(["."])).map_err(|error| input.problem(error))?;
    let output = output.map_err(|error| failed(&error, &shown, input))?;
    let text = String::from_utf8(output.stdout)
        .map_err(|_| -> Problem { input.problem(&Error::Output { program: "kustomize" }) })?;
    let origins = if input.purpose == RenderPurpose::Check {
        ObjectOrigins::find(run, &found.full, input)
    } else {
        None
    };
    Ok(match origins.and_then(|origins| origins.lines(&text, &shown, input, sources)) {
        Some(lines) => output::with_lines(text, &shown, lines, sources),
        None => output::from_one_file(text, &shown, sources),
    })
}

/// Allows Kustomize to run Helm on charts in the repository, if the operator allows it.
fn with_charts(run: ProgramRun, at: Origin, input: &SourceInput<'_>) -> Result<ProgramRun, Failure> {
    if !input.toolbox.allows_kustomize_charts() {
        return Err(Problem::at(at, &Error::ChartsInKustomization).into());
    }
    let helm = input.toolbox.find(Tool::Helm).map_err(|error| input.problem(error))?;
    let mut command = OsString::from("--helm-command=");
    command.push(&helm.path);
    Ok(run.args(["--enable-helm".into(), command]).executable(&helm.path))
}

/// Returns the program and its command: Kustomize, or else the one that is built into `kubectl`.
fn command(input: &SourceInput<'_>) -> Result<(Tool, PathBuf, &'static str), ToolError> {
    let missing = match input.toolbox.locate(Tool::Kustomize) {
        Ok(path) => return Ok((Tool::Kustomize, path, "build")),
        Err(error) => error,
    };
    match input.toolbox.locate(Tool::Kubectl) {
        Ok(path) if matches!(missing, ToolError::Missing(_)) => Ok((Tool::Kubectl, path, "kustomize")),
        _ => Err(missing),
    }
}
