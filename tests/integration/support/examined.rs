//! Runs `validate` in the test's own process, for an app, files or a text.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser as _;
use sealwave::cli::{Cli, Command};
use sealwave::config::ValidationPlan;
use sealwave_core::diagnostic::ProblemPlace;
use sealwave_pipeline::{ArgoCdTool, Discovery, RenderContext};
use sealwave_programs::{RunHost, Toolbox};
use sealwave_secrets::policy::PolicySubject;
use sealwave_secrets::settings::{OperatorTools, ToolSettings, ValidationSettings};
use sealwave_validate::engine::{
    AppContext, PlainContext, PlainInput, RunSuppressions, SchemaContext, ValidateOptions,
};
use sealwave_validate::project::EarlierApp;
use sealwave_validate::rules::{EarlierBackends, KnownApp};
use sealwave_validate::{EnvironmentInput, Finding};

/// The app file of an example at an earlier revision.
pub const EARLIER_APP_FILE: &str = "earlier-sealwave.yaml";

/// Parses flags; `--config` is supported, and the date is 2026-01-01.
pub fn decided(flags: &[String]) -> ValidationPlan {
    let line = ["sealwave", "validate"].map(str::to_owned).into_iter().chain(flags.iter().cloned());
    let cli = Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{flags:?}: {error}"));
    let Command::Validate(args) = cli.command else { unreachable!("it is `validate`") };
    let variables = |name: &str| (name == "SOURCE_DATE_EPOCH").then(|| "1767225600".into());
    let decided = ValidationPlan::decide(&args.checks, variables);
    let decided = decided.unwrap_or_else(|failure| panic!("{flags:?}: {failure}"));
    let Some(project) = args.identity.project else { return decided };
    let namespace = args.identity.namespace.unwrap_or_default();
    let app = "example".to_owned();
    decided.with_policy_for(PolicySubject { project, namespace, app, ..PolicySubject::default() })
}

/// Returns the options of flags.
pub fn options(flags: &[&str]) -> ValidateOptions {
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    decided(&flags).into_options().expect("valid options")
}

/// Returns the options of a plan with the settings of an app, if any.
pub fn with_app(plan: &ValidationPlan, app: Option<&Path>) -> ValidateOptions {
    let discovery = app.and_then(|app| sealwave_pipeline::discover(app, None).ok());
    let settings =
        discovery.as_ref().map_or_else(ValidationSettings::default, |app| app.app().validate.clone());
    let boundary = discovery.as_ref().map_or(Path::new(""), |app| app.boundary());
    let directory = app.unwrap_or(Path::new(""));
    let own = plan.with_app(&settings, directory, boundary, &|_, _| ProblemPlace::Unknown);
    own.expect("settings that can be followed").into_options().expect("valid options")
}

/// Validates all environments of the app in a directory; `name` appears in messages.
pub fn app(
    directory: &Path,
    name: &str,
    options: &ValidateOptions,
    run_suppressions: &RunSuppressions,
) -> Vec<Finding> {
    let discovery = match sealwave_pipeline::discover(directory, None) {
        Ok(discovery) => discovery,
        Err(failure) => return sealwave_validate::engine::failed_examination(name, &failure).findings,
    };
    let context = |environment: &str| RenderContext {
        environment: environment.to_owned(),
        app: "example".to_owned(),
        cluster: discovery
            .environment(environment)
            .ok()
            .and_then(|environment| environment.cluster.clone())
            .unwrap_or_else(|| environment.to_owned()),
        ..RenderContext::default()
    };
    let toolbox = toolbox();
    let examinations: Vec<EnvironmentInput<'_>> = discovery
        .environments()
        .map(|name| EnvironmentInput {
            context: context(name),
            default_provider: None,
            toolbox: &toolbox,
            compares: true,
        })
        .collect();
    let mut examined = sealwave_validate::examine(&discovery, &examinations, name.to_owned(), &|_| ());
    examined.read_other_files(&discovery);
    let schemas = SchemaContext::extendable(options);
    // The app has the name of its directory, as if its parent were the root of a repository.
    let path = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let environments = Some(examined.environments().environments.into_iter().collect());
    let known = KnownApp { environments, tool: ArgoCdTool::of(directory) };
    let options = options.clone().with_known_apps(Arc::new([(path, known)].into()));
    let options = options.with_earlier_backends(earlier_backends(directory, &discovery));
    let context = AppContext::new(options, schemas, Arc::default(), Arc::default());
    sealwave_validate::engine::validate(&examined, &context, run_suppressions).findings
}

/// Returns the backends of an example that has an earlier app file. Its other files are those in `earlier`, else those of now.
fn earlier_backends(directory: &Path, discovery: &Discovery) -> EarlierBackends {
    let Ok(app_file) = fs_err::read(directory.join(EARLIER_APP_FILE)) else {
        return EarlierBackends::default();
    };
    let own = directory.join("earlier");
    let root = if own.is_dir() { own } else { directory.to_owned() };
    let files = walkdir::WalkDir::new(&root).into_iter().map(|entry| entry.expect("readable").into_path());
    let files = files.filter(|path| path.is_file()).map(|path| {
        let text = fs_err::read(&path).expect("readable");
        (path.strip_prefix(&root).expect("below").to_owned(), text)
    });
    let earlier = EarlierApp::from_files(&app_file, files.collect()).expect("an app file");
    let now = |name: &str| (name.to_owned(), discovery.backends(name).expect("valid backends"));
    earlier.backends(discovery.environments().map(now), [])
}

/// Returns the programs of the test run, which render sources.
fn toolbox() -> Toolbox {
    let helm = helm().map(|path| ToolSettings { path: Some(path), ..ToolSettings::default() });
    Toolbox::new(
        OperatorTools { helm, ..OperatorTools::default() },
        None,
        RunHost { temporary: std::env::temp_dir(), guard: Some(env!("CARGO_BIN_EXE_sealwave").into()) },
    )
}

/// Returns the Helm of the test run.
pub fn helm() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the environment of the test run, not of the program")]
    std::env::var_os("SEALWAVE_TEST_HELM").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Validates files of plain manifests.
pub fn files(
    paths: Vec<PathBuf>,
    options: &ValidateOptions,
    run_suppressions: &RunSuppressions,
) -> Vec<Finding> {
    let input = |path: PathBuf| PlainInput {
        name: path.display().to_string(),
        open: Box::new(move || Ok(Box::new(fs_err::File::open(path)?))),
    };
    plain(paths.into_iter().map(input).collect(), options, run_suppressions)
}

/// Validates a text of plain manifests, under the name `a.yaml`.
pub fn text(text: &str, options: &ValidateOptions) -> Vec<Finding> {
    let text = text.as_bytes().to_vec();
    let input =
        PlainInput { name: "a.yaml".to_owned(), open: Box::new(move || Ok(Box::new(Cursor::new(text)))) };
    plain(vec![input], options, &RunSuppressions::default())
}

fn plain(
    inputs: Vec<PlainInput>,
    options: &ValidateOptions,
    run_suppressions: &RunSuppressions,
) -> Vec<Finding> {
    let schemas = SchemaContext::extendable(options);
    let context = PlainContext::new(options.clone(), schemas, None, BTreeSet::new());
    sealwave_validate::engine::validate_plain(inputs, &context, run_suppressions)
        .expect("readable")
        .verdict
        .findings
}
