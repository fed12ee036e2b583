//! The `validate` command: checks apps and plain manifests against schemas and rules.
//!
//! It fetches nothing and contacts no cluster. Apps are examined in parallel, and rules that resolve references see the
//! objects that the other apps render. A problem with an app is a finding; an error means that the command cannot run.

mod apps;

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
use sealwave_validate::Baseline;
use sealwave_validate::engine::{
    self, KnownDefinition, PlainInput, PlainResult, RunSuppressions, SchemaSet, ValidateOptions,
    ValidationResult,
};
use sealwave_validate::project::{
    CrdCache, CrdResolver, OutputPaths, ReadableFiles, ValidateTarget, ValidateTargets, WrittenPaths,
    from_root, shown,
};
use sealwave_validate::report::{
    self, Excerpts, PrintContext, ReportOutput, ReportOutputFormat, ReportOutputs, STDIN,
};
use sealwave_validate::{CheckedCounts, CheckedScope, Finding, Report, rules};

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
    let mut validation = ValidationPlan::decide(&args.checks, variables)?;
    validation.checking.gaps.parts |= !args.env.is_empty();
    config::check_namespace(args.identity.namespace.as_deref())?;
    // The operator file is read again for each app; an error in it ends the run.
    if let Some(path) = config::operator_path(args.checks.operator.clone(), variables) {
        OperatorFile::read(&path)?.certificates()?;
    }
    let targets = find(args, &written, watch)?;
    let standing = RunSuppressions::new(&validation.ignore);
    let mut run = ValidateRun {
        args,
        variables,
        watch,
        validation,
        standing,
        report: Report::default(),
        stdin: None,
        here: targets.working_directory_app(),
        readable: ReadableFiles::new(&targets),
        files: Vec::new(),
        output_paths: written,
        notes: targets.notes,
        crd_cache: Arc::default(),
        incomplete: false,
    };
    run.validate_apps(&targets.apps)?;
    run.validate_manifests(targets.files, targets.stdin, targets.places)?;
    run.notes.extend(run.crd_cache.notes());
    run.apply_baseline()?;
    run.finish(&outputs)
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

struct ValidateRun<'a> {
    args: &'a ValidateArgs,
    variables: VariableReader,
    watch: &'a RunWatch,
    validation: ValidationPlan,
    standing: RunSuppressions,
    report: Report,
    /// The text of standard input, if the report may show it.
    stdin: Option<Vec<u8>>,
    /// The files to write, with their contents.
    files: Vec<(PathBuf, Vec<u8>)>,
    output_paths: OutputPaths,
    notes: Vec<Note>,
    /// Custom resource definitions found in repositories.
    crd_cache: Arc<CrdCache>,
    /// The app in the working directory, which has no name.
    here: Option<PathBuf>,
    /// The files whose lines the report may show.
    readable: ReadableFiles,
    /// Whether part of the input could not be checked.
    incomplete: bool,
}

impl ValidateRun<'_> {
    /// Returns a resolver for the definitions in the repositories of `places`.
    fn crd_resolver(&self, checking: &ValidateOptions, places: Vec<PathBuf>) -> Arc<CrdResolver> {
        Arc::new(CrdResolver::new(Arc::clone(&self.crd_cache), checking.kube_versions.clone(), places))
    }

    fn validate_manifests(
        &mut self,
        files: Vec<ValidateTarget>,
        stdin: bool,
        places: Vec<PathBuf>,
    ) -> Result<(), Failure> {
        let context_only =
            files.iter().filter(|file| !file.is_checked).map(|file| shown(&file.path)).collect();
        let activity = Arc::new(self.watch.begin_activity("checking manifests"));
        let mut inputs: Vec<PlainInput> = files.into_iter().map(|file| file_input(file, &activity)).collect();
        if stdin {
            let activity = Arc::clone(&activity);
            let open = move || -> std::io::Result<Box<dyn std::io::Read>> {
                activity.set_description("checking standard input");
                Ok(Box::new(std::io::stdin().lock()))
            };
            inputs.push(PlainInput { name: STDIN.to_owned(), open: Box::new(open) });
        }
        if inputs.is_empty() {
            return Ok(());
        }
        let mut checking = self.validation.clone().into_options()?;
        checking.gaps.parts |= self.args.changed_since.is_some();
        checking.context_files = Arc::new(context_only);
        checking.namespace = self.args.identity.namespace.clone().filter(|name| !name.is_empty());
        let definitions = checking.definitions.iter().map(KnownDefinition::view);
        checking.schemas = Arc::new(SchemaSet::extendable(&checking.kube_versions, definitions));
        checking.fallback = Some(self.crd_resolver(&checking, places));
        let result = engine::validate_plain(inputs, &checking, &self.standing);
        let PlainResult { verdict, checked: looked_at, was_streamed: one_by_one, partial_files, texts } =
            result.map_err(|(path, error)| {
                let is_link = error.kind() == std::io::ErrorKind::NotFound && Path::new(&path).is_symlink();
                Problem::new(&ValidateError::Unreadable { path, reason: error.kind(), is_link })
            })?;
        self.add_result(verdict);
        self.report_definition_faults(&checking);
        let all = &mut self.report.checked;
        *all = CheckedCounts {
            files: all.files + looked_at.files,
            objects: all.objects + looked_at.objects,
            ..*all
        };
        self.stdin = texts.into_iter().find(|(name, _)| name == STDIN).map(|(_, text)| text);
        if partial_files > 0 {
            self.notes.push(Note::info(Problem::new(&ValidateNote::PartialFiles { count: partial_files })));
        }
        if one_by_one {
            self.notes.push(Note::info(Problem::new(&ValidateNote::OneByOne)));
        }
        Ok(())
    }

    /// Reports the faults of definitions, each only once in a run.
    fn report_definition_faults(&mut self, checking: &ValidateOptions) {
        let mut verdict = engine::definition_faults(checking, &self.standing);
        if !verdict.findings.is_empty() {
            let reported = self.report.findings.iter().map(Finding::identity);
            let mut reported: HashSet<_> = reported.collect();
            verdict.findings.retain(|finding| reported.insert(finding.identity()));
        }
        self.add_result(verdict);
    }

    fn add_result(&mut self, verdict: ValidationResult) {
        self.incomplete |= verdict.is_incomplete;
        self.report.findings.extend(verdict.findings);
        self.report.suppressed += verdict.suppressed.len();
        for finding in verdict.suppressed.iter().chain(&verdict.out_of_scope) {
            self.report.withhold(finding);
        }
    }

    /// Reports whether the run covers everything below the directory of the `--config` file.
    fn covers_everything(&self) -> bool {
        let Some(file) = &self.args.checks.config else { return true };
        let directory = file.canonicalize().ok();
        let directory = directory.as_deref().and_then(Path::parent);
        let covers_config = |path: &PathBuf| {
            path.canonicalize().is_ok_and(|path| directory.is_some_and(|dir| dir.starts_with(path)))
        };
        let has_apps = self.report.checked.apps > 0;
        self.args.changed_since.is_none()
            && !self.validation.checking.gaps.parts
            && self.args.paths.iter().any(covers_config)
            && (self.args.all || !has_apps)
    }

    /// Sorts the findings, writes a new baseline, and removes the findings that a given baseline lists.
    fn apply_baseline(&mut self) -> Result<(), Failure> {
        let everything = !self.incomplete && self.covers_everything();
        self.report.findings.extend(self.standing.findings(&self.validation.checking, everything));
        self.report.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        if let Some(path) = &self.args.report.write_baseline {
            let baseline = Baseline::from_report(&self.report);
            self.files.push((path.clone(), baseline.to_json()));
        }
        if let Some(path) = &self.args.report.baseline {
            let baseline = report::read_baseline(path).map_err(|error| Problem::new(&error))?;
            let selection = CheckedScope {
                environments: &self.args.env,
                only_changed: self.args.changed_since.is_some(),
            };
            let resolved = baseline.remove_known(&mut self.report, &selection);
            self.notes.extend(resolved.map(|remark| Note::info(Problem::new(&remark))));
        }
        Ok(())
    }

    fn finish(mut self, outputs: &ReportOutputs) -> Result<CommandOutput, Failure> {
        let fail_on = config::failing_severity(self.args.report.fail_on);
        self.report.limit_size();
        let readable = self.readable;
        let mut excerpts = Excerpts::new(move |path| readable.open(path));
        if let Some(text) = self.stdin {
            excerpts.preload(STDIN, text);
        }
        let context = PrintContext {
            version: env!("CARGO_PKG_VERSION"),
            fail_on,
            excerpts: &excerpts,
            looks_like_credential: &rules::looks_like_credential,
            width: config::terminal_width(),
        };
        let for_services = LazyCell::new(|| from_root(&self.report, self.here.as_deref()));
        let report =
            |format: ReportOutputFormat| if format.is_for_services() { &*for_services } else { &self.report };
        for (format, path) in outputs.files() {
            self.files.push((path.to_owned(), report::write_file(format, report(format), &context)));
        }
        self.watch.start_writing().map_err(|error| Problem::new(&error))?;
        report::write_reports(&self.files).map_err(|error| Problem::new(&error))?;
        if outputs.has(ReportOutputFormat::Github)
            && let Some(path) = config::step_summary(self.variables)
        {
            let summary = report::github::summary(report(ReportOutputFormat::Github), &context);
            report::append_summary(&path, &summary).map_err(|error| Problem::new(&error))?;
        }
        let stdout = outputs.stdout().map(|format| report::write(format, report(format), &context));
        Ok(CommandOutput {
            stdout: stdout.unwrap_or_default(),
            styled: outputs.stdout().is_some_and(ReportOutputFormat::is_styled),
            findings: self.report.fails(fail_on),
            notes: self.notes,
        })
    }
}

fn outputs(args: &ReportArgs) -> Result<ReportOutputs, Failure> {
    let parsed: Result<Vec<ReportOutput>, _> = args.output.iter().map(|text| text.parse()).collect();
    parsed.and_then(ReportOutputs::new).map_err(|error| Problem::new(&error).into())
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
