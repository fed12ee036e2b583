//! The `validate` command: checks apps and plain manifests against schemas and rules.
//!
//! It fetches nothing and contacts no cluster. Apps are examined in parallel, and rules that resolve references see the
//! objects that the other apps render. A problem with an app is a finding; an error means that the command cannot run.

mod apps;
mod baseline;

use std::cell::LazyCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{CommandOutput, policy_not_checked};
use crate::cli::{ReportArgs, ValidateArgs};
use crate::config::{self, OperatorFile, ValidationPlan, VariableReader};
use crate::deadline::{Activity, RunWatch};
use sealwave_core::diagnostic::{BROKEN_LINK, Explain, Failure, Note, Problem, io_reason};
use sealwave_core::reach::PathReach;
use sealwave_validate::engine::{
    self, PlainContext, PlainInput, PlainResult, RunSuppressions, SchemaContext, ValidateOptions,
    ValidationResult,
};
use sealwave_validate::project::{
    CheckedInputs, CrdCache, CrdResolver, OutputPaths, ReadableFiles, RootNames, ValidateTarget,
    ValidateTargets, WrittenPaths, from_root, shown,
};
use sealwave_validate::report::{
    self, Excerpts, PrintContext, ReportOutput, ReportOutputFormat, ReportOutputs, STDIN,
};
use sealwave_validate::{CheckedCounts, Finding, Report, rules};

/// An error that ends the command; problems with the input are findings.
#[derive(Debug, thiserror::Error)]
enum ValidateError {
    #[error("no app has an environment `{0}`")]
    NoEnvironment(String),
    #[error("app has no environments, so there is nothing to check")]
    NoEnvironments,
    #[error("`{path}` {}", if *.is_link { BROKEN_LINK.to_owned() } else { format!("cannot be read: {}", io_reason(*.reason)) })]
    Unreadable { path: String, reason: std::io::ErrorKind, is_link: bool },
}

impl Explain for ValidateError {}

/// A note about the run, printed besides the findings.
#[derive(Debug, thiserror::Error)]
enum ValidateNote {
    #[error("input is too large for cross-object checks; each object was checked on its own")]
    OneByOne,
    #[error("{count} file{} skipped: kustomization patches or configurations", if *.count == 1 { "" } else { "s" })]
    PartialFiles { count: usize },
    #[error("{}", policy_not_checked("project"))]
    PolicyNotAsked,
}

impl Explain for ValidateNote {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::OneByOne => {
                "references between objects were not checked; validate smaller sets to check them"
            }
            Self::PartialFiles { .. } => {
                "validate the output of Kustomize: `kubectl kustomize … | sealwave validate -`"
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
    let plan = ValidationPlan::decide(&args.checks, variables)?.with_unchecked_parts(!args.env.is_empty());
    config::check_namespace(args.identity.namespace.as_deref())?;
    // The operator file is read again for each app; an error in it ends the run.
    if let Some(path) = config::operator_path(args.checks.operator.clone(), variables) {
        OperatorFile::read(&path)?.certificates()?;
    }
    let targets = find(args, &written, watch)?;
    let app_without_name = targets.working_directory_app();
    let has_baseline = args.report.baseline.is_some() || args.report.write_baseline.is_some();
    let names = RootNames::new(app_without_name.as_deref());
    let run = ValidateRun {
        args,
        variables,
        watch,
        suppressions: RunSuppressions::new(plan.ignored()),
        plan,
        output_paths: written,
        crd_cache: Arc::default(),
        checked_inputs: has_baseline.then(|| CheckedInputs::new(&targets, &args.paths, &names)),
        app_without_name: app_without_name.clone(),
        readable: ReadableFiles::new(&targets),
    };
    let mut outcome = RunOutcome { notes: targets.notes, ..RunOutcome::default() };
    run.validate_apps(&targets.apps, &mut outcome)?;
    run.validate_manifests(targets.files, targets.stdin, targets.places, &mut outcome)?;
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
fn find(args: &ValidateArgs, written: &OutputPaths, watch: &RunWatch) -> Result<ValidateTargets, Failure> {
    let activity = watch.begin_activity("searching for manifests");
    let mut targets = ValidateTargets::find(&args.paths, args.all, written)?;
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
    /// The environments of the apps, by their paths from the root of the repository.
    app_environments: Arc<rules::AppEnvironmentNames>,
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

    fn validate_manifests(
        &self,
        files: Vec<ValidateTarget>,
        stdin: bool,
        places: Vec<PathBuf>,
        outcome: &mut RunOutcome,
    ) -> Result<(), Failure> {
        let context_files =
            files.iter().filter(|file| !file.is_checked).map(|file| shown(&file.path)).collect();
        let activity = Arc::new(self.watch.begin_activity("checking manifests"));
        let mut inputs: Vec<PlainInput> = files.into_iter().map(|file| file_input(file, &activity)).collect();
        if stdin {
            inputs.push(stdin_input(&activity));
        }
        if inputs.is_empty() {
            return Ok(());
        }
        let plan = self.plan.clone().with_unchecked_parts(self.args.changed_since.is_some());
        let options = plan.into_options()?.with_app_environments(Arc::clone(&outcome.app_environments));
        let schemas = SchemaContext::extendable(&options).with_fallback(self.crd_resolver(&options, places));
        let namespace = self.args.identity.namespace.clone().filter(|name| !name.is_empty());
        let context = PlainContext::new(options, schemas, namespace, context_files);
        let result = engine::validate_plain(inputs, &context, &self.suppressions);
        let PlainResult { verdict, checked, was_streamed, partial_files, texts } =
            result.map_err(|(path, error)| {
                let is_link = error.kind() == std::io::ErrorKind::NotFound && Path::new(&path).is_symlink();
                Problem::new(&ValidateError::Unreadable { path, reason: error.kind(), is_link })
            })?;
        outcome.add_result(verdict);
        self.report_definition_faults(context.options(), outcome);
        let all = &mut outcome.report.checked;
        *all = CheckedCounts {
            files: all.files + checked.files,
            objects: all.objects + checked.objects,
            ..*all
        };
        outcome.stdin = texts.into_iter().find(|(name, _)| name == STDIN).map(|(_, text)| text);
        if partial_files > 0 {
            let note = ValidateNote::PartialFiles { count: partial_files };
            outcome.notes.push(Note::info(Problem::new(&note)));
        }
        if was_streamed {
            outcome.notes.push(Note::info(Problem::new(&ValidateNote::OneByOne)));
        }
        Ok(())
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
    fn covers_everything(&self, report: &Report) -> bool {
        let Some(file) = &self.args.checks.config else { return true };
        let directory = file.canonicalize().ok();
        let directory = directory.as_deref().and_then(Path::parent);
        let covers_config = |path: &PathBuf| {
            path.canonicalize().is_ok_and(|path| directory.is_some_and(|dir| dir.starts_with(path)))
        };
        let has_apps = report.checked.apps > 0;
        self.args.changed_since.is_none()
            && !self.plan.has_unchecked_parts()
            && self.args.paths.iter().any(covers_config)
            && (self.args.all || !has_apps)
    }

    fn finish(self, outcome: RunOutcome, outputs: &ReportOutputs) -> Result<CommandOutput, Failure> {
        let fail_on = config::failing_severity(self.args.report.fail_on);
        let RunOutcome { report: mut full_report, stdin, mut files, notes, .. } = outcome;
        full_report.limit_size();
        let readable = self.readable;
        let mut excerpts = Excerpts::new(move |path| readable.open(path));
        if let Some(text) = stdin {
            excerpts.preload(STDIN, text);
        }
        let context = PrintContext {
            version: env!("CARGO_PKG_VERSION"),
            fail_on,
            excerpts: &excerpts,
            looks_like_credential: &rules::looks_like_credential,
            width: config::terminal_width(),
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
        })
    }
}

fn outputs(args: &ReportArgs) -> Result<ReportOutputs, Failure> {
    let parsed: Result<Vec<ReportOutput>, _> = args.output.iter().map(|text| text.parse()).collect();
    parsed.and_then(ReportOutputs::new).map_err(|error| Problem::new(&error).into())
}

fn stdin_input(activity: &Arc<Activity>) -> PlainInput {
    let activity = Arc::clone(activity);
    let open = move || -> std::io::Result<Box<dyn std::io::Read>> {
        activity.set_description("checking standard input");
        Ok(Box::new(std::io::stdin().lock()))
    };
    PlainInput { name: STDIN.to_owned(), open: Box::new(open) }
}

fn file_input(file: ValidateTarget, activity: &Arc<Activity>) -> PlainInput {
    let ValidateTarget { path, reach, .. } = file;
    let (name, activity) = (shown(&path), Arc::clone(activity));
    let open = move || -> std::io::Result<Box<dyn std::io::Read>> {
        activity.set_description(format!("checking `{}`", shown(&path)));
        Ok(match &*reach {
            // It may be a process substitution of the shell, which is not a regular file.
            PathReach::Anywhere => Box::new(fs_err::File::open(path)?),
            reach @ PathReach::Below(_) => Box::new(reach.open(&path)?),
        })
    };
    PlainInput { name, open: Box::new(open) }
}
