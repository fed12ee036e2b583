//! `init`: writes the app file of a directory that another tool renders today.
//!
//! Writes one new file. The check afterwards renders each environment as `render` does, without credentials.

mod human;

use std::io::Write as _;
use std::path::Path;

use super::CommandOutput;
use super::session::AppSession;
use crate::cli::{AppArgs, ChartArgs, DirArgs, IdentityArgs, InitArgs};
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use human::{CheckedEnvironment, namespace_of};
use sealwave_adopt::{AdoptionRequest, DeployedEnvironment, NextSteps, adopt};
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, write_error_reason};
use sealwave_core::document::display_path;
use sealwave_core::output_path::check_output_path;
use sealwave_pipeline::ManifestFormat;
use sealwave_programs::{Tool, ToolError, Toolbox};
use sealwave_secrets::settings::APP_FILE;

/// The reason why an app file is not written.
#[derive(Debug, thiserror::Error)]
enum InitError {
    #[error("`{0}` already exists")]
    Exists(String),
    #[error("`{path}` cannot be written: {reason}")]
    Unwritable { path: String, reason: String },
}

impl Explain for InitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Exists(_) => {
                Some("it is never replaced; `--dry-run` prints what would be written, to compare".to_owned())
            }
            Self::Unwritable { .. } => None,
        }
    }
}

/// A note about the check.
#[derive(Debug, thiserror::Error)]
enum InitNote {
    #[error("app was not rendered: `{0}` is not installed")]
    NotRendered(&'static str),
}

impl Explain for InitNote {
    fn hint(&self) -> Option<String> {
        Some("install it, and run `sealwave render`".to_owned())
    }
}

pub(super) fn run(
    args: &InitArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let dir = super::directory(&args.dir);
    let file = dir.join(APP_FILE);
    let name = display_path(&file);
    if !args.dry_run && file.symlink_metadata().is_ok() {
        return Err(Problem::new(&InitError::Exists(name)).into());
    }
    if !args.dry_run {
        check_output_path(&file).map_err(|error| Problem::new(&error))?;
    }
    let adoption = adopt(&AdoptionRequest { directory: &dir, applications: &args.application })?;
    let mut notes = adoption.left;
    let mut findings = !notes.is_empty();
    if args.dry_run {
        return Ok(CommandOutput {
            stdout: adoption.text.into_bytes(),
            findings,
            notes,
            ..CommandOutput::default()
        });
    }
    write_new(&file, &name, &adoption.text)?;
    let checked = check(&dir, &adoption.next, variables, watch, &mut notes);
    findings |= checked.iter().any(|environment| environment.objects.is_none());
    let stdout = human::write(&display_path(&dir), &adoption.found, &adoption.next, &checked);
    Ok(CommandOutput {
        stdout: stdout.into_bytes(),
        styled: true,
        findings,
        notes,
        ..CommandOutput::default()
    })
}

/// Writes a file that does not exist yet.
fn write_new(file: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let written = fs_err::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let path = name.to_owned();
        let error = match error.kind() {
            std::io::ErrorKind::AlreadyExists => InitError::Exists(path),
            kind => InitError::Unwritable { path, reason: write_error_reason(kind) },
        };
        Problem::new(&error).into()
    })
}

/// Renders each environment, and counts its objects. Problems become warnings, once each.
fn check(
    dir: &Path,
    next: &NextSteps,
    variables: VariableReader,
    watch: &RunWatch,
    notes: &mut Vec<Note>,
) -> Vec<CheckedEnvironment> {
    let mut checked = Vec::new();
    if !next.can_render {
        return checked;
    }
    for deployed in &next.deployed {
        match count_objects(dir, deployed, next, variables, watch) {
            Ok(Ok(objects)) => {
                checked
                    .push(CheckedEnvironment { name: deployed.environment.clone(), objects: Some(objects) });
            }
            Ok(Err(note)) => {
                notes.push(Note::info(Problem::new(&note)));
                return Vec::new();
            }
            Err(failure) => {
                for problem in failure.problems() {
                    if !notes.iter().any(|note| note.problem == *problem) {
                        notes.push(Note::warning(problem.clone()));
                    }
                }
                checked.push(CheckedEnvironment { name: deployed.environment.clone(), objects: None });
            }
        }
    }
    checked
}

/// Renders an environment like `render`, as the Application that deploys it.
fn count_objects(
    dir: &Path,
    deployed: &DeployedEnvironment,
    next: &NextSteps,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<Result<usize, InitNote>, Failure> {
    let identity = IdentityArgs {
        app: deployed.application.clone(),
        namespace: Some(namespace_of(deployed).to_owned()),
        ..IdentityArgs::default()
    };
    let dir = DirArgs { dir: dir.to_owned() };
    let app = AppArgs { dir, app_file: None, operator: None, charts: ChartArgs::default(), identity };
    let (app, environment) = AppSession::open(&app, Some(deployed.environment.clone()), variables)?;
    if let Some(missing) = missing_tool(next, &app.toolbox) {
        return Ok(Err(InitNote::NotRendered(missing)));
    }
    let session = app.environment(&environment);
    let output = session.preview(ManifestFormat::Json, Vec::new(), watch)?;
    Ok(Ok(output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count()))
}

/// Returns the name of a program that the app needs and that is not installed.
fn missing_tool(next: &NextSteps, toolbox: &Toolbox) -> Option<&'static str> {
    let is_missing = |tool: Tool| matches!(toolbox.locate(tool), Err(ToolError::Missing(_)));
    if next.needs_helm && is_missing(Tool::Helm) {
        return Some(Tool::Helm.name());
    }
    let has_none = next.needs_kustomize && is_missing(Tool::Kustomize) && is_missing(Tool::Kubectl);
    has_none.then_some(Tool::Kustomize.name())
}
