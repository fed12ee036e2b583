//! The `validate` command: checks apps and plain manifests against schemas and rules.
//!
//! It fetches nothing and contacts no cluster. Apps are examined in parallel, and rules that resolve references see the
//! objects that the other apps render. A problem with an app is a finding; an error means that the command cannot run.

mod apps;
mod baseline;
mod manifests;

use std::cell::LazyCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::session::SharedToolbox;
use super::{CommandOutput, policy_not_checked};
use crate::cli::{ReportArgs, ValidateArgs};
use crate::config::{self, OperatorFile, ValidationPlan, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, NoteLevel, Problem};
use sealwave_core::excerpts::{Excerpts, STDIN};
use sealwave_core::text::{closest_choice, counted, quoted_list};
use sealwave_validate::engine::{self, RunSuppressions, ValidateOptions, ValidationResult};
use sealwave_validate::project::{
    CheckedInputs, CrdCache, CrdResolver, OutputPaths, ReadableFiles, RootNames, TargetSearch,
    ValidateTargets, WrittenPaths, from_root,
};
use sealwave_validate::report::{self, PrintContext, ReportOutput, ReportOutputFormat, ReportOutputs};
use sealwave_validate::{Finding, Report, rules};

/// An error that ends the command; problems with the input are findings.
#[derive(Debug, thiserror::Error)]
enum ValidateError {
    #[error("no app has an environment `{name}`")]
    NoEnvironment { name: String, known: Vec<String> },
}

impl Explain for ValidateError {
    fn hint(&self) -> Option<String> {
        let Self::NoEnvironment { name, known } = self;
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Some(match closest_choice(name, &known) {
            Some(closest) => format!("did you mean `{closest}`?"),
            None if known.is_empty() => return None,
            None => format!("known environments: {}", quoted_list(&known)),
        })
    }
}

/// A note about the run, printed besides the findings.
#[derive(Debug, thiserror::Error)]
enum ValidateNote {
    #[error("standard input holds no manifests")]
    EmptyInput,
    #[error("input is too large for cross-object checks; each object was checked on its own")]
    OneByOne,
    #[error("{} skipped: not Kubernetes objects, for example `{first}`", counted(*.count, "file"))]
    ForeignFiles { count: usize, first: String },
    #[error("{}", kustomizations_text(*.count, *.partial))]
    Kustomizations { count: usize, partial: usize },
    #[error("{}", policy_not_checked("project"))]
    PolicyNotAsked,
}

fn kustomizations_text(count: usize, partial: usize) -> String {
    let partial_text = match partial {
        0 => String::new(),
        _ => format!("; {} skipped: kustomization patches or configurations", counted(partial, "file")),
    };
    format!("{} not built{partial_text}", counted(count, "kustomization"))
}

impl Explain for ValidateNote {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::EmptyInput => {
                "check the command before the pipe; `set -o pipefail` makes its failure count"
            }
            Self::OneByOne => {
                "references between objects were not checked; validate smaller sets to check them"
            }
            Self::ForeignFiles { .. } => {
                "they have neither `apiVersion` nor `kind`; name a file to check it regardless, or use `--exclude`"
            }
            Self::Kustomizations { .. } => {
                "validate what each overlay builds: `kubectl kustomize DIR | sealwave validate -`"
            }
            Self::PolicyNotAsked => {
                "to check the policy, pass `--project` (and `--namespace`, as Argo CD sets it)"
            }
        };
        Some(text.to_owned())
    }
}

pub(super) fn run(
    args: &ValidateArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    watch.set_timeout(config::parse_timeout(&args.timeout)?);
    if let Some(id) = &args.explain {
        return explain(id);
    }
    let outputs = outputs(&args.report)?;
    let written = OutputPaths::decide(&outputs, written_paths(args))?;
    let plan = ValidationPlan::decide(&args.checks, variables)?
        .with_excludes(&args.exclude)?
        .with_unchecked_parts(!args.env.is_empty());
    config::check_namespace(args.identity.namespace.as_deref())?;
    // The operator file is read again for each app; an error in it ends the run.
    if let Some(path) = config::operator_path(args.checks.operator.clone(), variables) {
        OperatorFile::read(&path)?.check_certificates()?;
    }
    let mut targets = find(args, &plan, &written, watch)?;
    let app_without_name = targets.working_directory_app();
    let has_baseline = args.report.baseline.is_some() || args.report.write_baseline.is_some();
    let names = RootNames::new(app_without_name.as_deref());
    let run = ValidateRun {
        toolbox: SharedToolbox::default(),
        args,
        variables,
        watch,
        suppressions: RunSuppressions::new(plan.ignored()),
        crd_cache: Arc::new(CrdCache::new(plan.scope().excludes.clone())),
        plan,
        output_paths: written,
        checked_inputs: has_baseline.then(|| CheckedInputs::new(&targets, &args.paths, &names)),
        app_without_name: app_without_name.clone(),
        readable: ReadableFiles::new(&targets),
    };
    let manifests = run.take_manifests(&mut targets);
    let mut outcome = RunOutcome { notes: targets.notes, ..RunOutcome::default() };
    let from_apps = run.validate_apps(&targets.apps, manifests.definitions(), &mut outcome)?;
    run.validate_manifests(&manifests, from_apps, &mut outcome)?;
    outcome.notes.extend(run.plan.scope().excludes.unused());
    outcome.notes.extend(run.crd_cache.notes());
    run.apply_baseline(&mut outcome)?;
    run.finish(outcome, &outputs)
}

fn written_paths(args: &ValidateArgs) -> WrittenPaths<'_> {
    WrittenPaths {
        baseline: args.report.baseline.as_deref(),
        write_baseline: args.report.write_baseline.as_deref(),
        config: args.checks.config.as_deref(),
        operator: args.checks.operator.as_deref(),
        crds: &args.checks.crds,
    }
}

/// Finds the apps and files to check.
fn find(
    args: &ValidateArgs,
    plan: &ValidationPlan,
    written: &OutputPaths,
    watch: &RunWatch,
) -> Result<ValidateTargets, Failure> {
    let activity = watch.begin_activity("searching for manifests");
    let mut targets = ValidateTargets::find(TargetSearch {
        paths: &args.paths,
        only_apps: args.all,
        excludes: &plan.scope().excludes,
        written,
    })?;
    if let Some(revision) = &args.changed_since {
        activity.set_description("asking `git` for changes");
        targets.restrict_to_changes(revision, &args.paths)?;
    }
    Ok(targets)
}

/// Returns the page of a rule, or a list of the rules that match a group or a glob.
fn explain(id: &str) -> Result<CommandOutput, Failure> {
    let width = config::terminal_width();
    let rules = rules::rules_matching(id);
    let text = match (rules::rule(id), &rules[..]) {
        (Some(rule), _) => rules::explain_rule(rule, width),
        (None, []) => return Err(config::unknown_rule(id)),
        (None, rules) => rules::format_list(rules),
    };
    Ok(CommandOutput { stdout: text.into_bytes(), styled: true, ..CommandOutput::default() })
}

/// The input of a run.
struct ValidateRun<'a> {
    toolbox: SharedToolbox,
    args: &'a ValidateArgs,
    variables: VariableReader,
    watch: &'a RunWatch,
    plan: ValidationPlan,
    suppressions: RunSuppressions,
    output_paths: OutputPaths,
    /// Custom resource definitions found in repositories.
    crd_cache: Arc<CrdCache>,
    /// The inputs, if a baseline is read or written.
    checked_inputs: Option<CheckedInputs>,
    /// The app in the working directory, which has no name.
    app_without_name: Option<PathBuf>,
    /// The files whose lines the report may show.
    readable: ReadableFiles,
}

/// The results of a run so far.
#[derive(Default)]
struct RunOutcome {
    report: Report,
    /// The text of standard input, if the report may show it.
    stdin: Option<Vec<u8>>,
    /// The files to write, with their contents.
    files: Vec<(PathBuf, Vec<u8>)>,
    notes: Vec<Note>,
    /// The apps, for rules about Applications.
    known_apps: Arc<rules::KnownApps>,
    /// Whether part of the input could not be checked.
    is_incomplete: bool,
}

impl RunOutcome {
    fn add_result(&mut self, verdict: ValidationResult) {
        self.is_incomplete |= verdict.is_incomplete;
        self.report.findings.extend(verdict.findings);
        self.report.suppressed += verdict.suppressed.len();
        self.report.held_back += verdict.held_back.len();
        for finding in verdict.suppressed.iter().chain(&verdict.held_back).chain(&verdict.out_of_scope) {
            self.report.withhold(finding);
        }
    }
}

impl ValidateRun<'_> {
    /// Returns a resolver for the definitions in the repositories of `places`.
    fn crd_resolver(&self, options: &ValidateOptions, places: Vec<PathBuf>) -> Arc<CrdResolver> {
        Arc::new(CrdResolver::new(Arc::clone(&self.crd_cache), options.kube_versions.clone(), places))
    }

    /// Reports the faults of definitions, each only once in a run.
    fn report_definition_faults(&self, options: &ValidateOptions, outcome: &mut RunOutcome) {
        let mut verdict = engine::definition_faults(options, &self.suppressions);
        if !verdict.findings.is_empty() {
            let reported = outcome.report.findings.iter().map(Finding::identity);
            let mut reported: HashSet<_> = reported.collect();
            verdict.findings.retain(|finding| reported.insert(finding.identity()));
        }
        outcome.add_result(verdict);
    }

    /// Reports whether the run covers everything below the directory of the `--config` file.
    fn covers_everything(&self) -> bool {
        let Some(file) = &self.args.checks.config else { return true };
        let directory = file.canonicalize().ok();
        let directory = directory.as_deref().and_then(Path::parent);
        let covers_config = |path: &PathBuf| {
            path.canonicalize().is_ok_and(|path| directory.is_some_and(|dir| dir.starts_with(path)))
        };
        self.args.changed_since.is_none()
            && !self.plan.has_unchecked_parts()
            && self.args.paths.iter().any(covers_config)
    }

    fn finish(self, outcome: RunOutcome, outputs: &ReportOutputs) -> Result<CommandOutput, Failure> {
        let fail_on = config::failing_severity(self.args.report.fail_on);
        let RunOutcome { report: mut full_report, stdin, mut files, mut notes, .. } = outcome;
        if self.args.report.quiet {
            notes.retain(|note| note.level == NoteLevel::Warning);
        }
        full_report.limit_size();
        let readable = self.readable;
        let mut excerpts = Excerpts::new(rules::SECRET_SIGNS, move |path| readable.open(path));
        if let Some(text) = stdin {
            excerpts.preload(STDIN, text);
        }
        let context = PrintContext {
            version: env!("CARGO_PKG_VERSION"),
            fail_on,
            excerpts: &excerpts,
            width: config::terminal_width(),
            quiet: self.args.report.quiet,
        };
        let for_services =
            LazyCell::new(|| from_root(&full_report, &RootNames::new(self.app_without_name.as_deref())));
        let report =
            |format: ReportOutputFormat| if format.is_for_services() { &*for_services } else { &full_report };
        for (format, path) in outputs.files() {
            files.push((path.to_owned(), report::write_file(format, report(format), &context)));
        }
        self.watch.start_writing().map_err(|error| Problem::new(&error))?;
        report::write_reports(&files).map_err(|error| Problem::new(&error))?;
        if outputs.has(ReportOutputFormat::Github)
            && let Some(path) = config::step_summary(self.variables)
        {
            let summary = report::github::summary(
                report(ReportOutputFormat::Github),
                &context,
                config::source_files(self.variables).as_deref(),
            );
            report::append_summary(&path, &summary).map_err(|error| Problem::new(&error))?;
        }
        let stdout = outputs.stdout().map(|format| report::write(format, report(format), &context));
        Ok(CommandOutput {
            stdout: stdout.unwrap_or_default(),
            styled: outputs.stdout().is_some_and(ReportOutputFormat::is_styled),
            findings: full_report.fails(fail_on),
            notes,
            ..CommandOutput::default()
        })
    }
}

fn outputs(args: &ReportArgs) -> Result<ReportOutputs, Failure> {
    let parsed: Result<Vec<ReportOutput>, _> = args.output.iter().map(|text| text.parse()).collect();
    parsed.and_then(ReportOutputs::new).map_err(|error| Problem::new(&error).into())
}
