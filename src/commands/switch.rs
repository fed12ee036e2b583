//! `switch`: plans the change of the backend of Secrets that are in use, and says which commit comes next.
//!
//! Changes nothing without `--write`, and then only files of committed SealedSecrets. Checksums are computed as `generate` does it, which fetches values if an operator file is given.

mod committed;
mod plain;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use self::committed::CommittedSwitch;
use super::CommandOutput;
use super::generate::{self, OutputSettings};
use super::operation::refuse_in_sidecar;
use super::session::{AppSession, EnvironmentSession};
use crate::cli::{ReportFormat, SwitchArgs};
use crate::config::{self, PolicyUse, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, printable};
use sealwave_operations::json_document::json_document;
use sealwave_operations::plan::{Plan, StepUndo};
use sealwave_operations::state::{OperationId, StateDirectory};
use sealwave_operations::switch::{
    CommittedSecret, KubernetesState, RecordedUids, SecretName, Switch, SwitchError, SwitchFinding,
    SwitchRequest, SwitchScope, SwitchStep, kept_checksums, live_findings, secret_checksums,
};
use sealwave_pipeline::{self, ManifestFormat, ValueSource};
use sealwave_providers::ClusterAccess;
use sealwave_secrets::settings::{APP_FILE, EnvironmentBackends, ExternalSecretVersion, KeptChecksum};

/// The deadline of a run.
const DEADLINE: Duration = Duration::from_mins(5);

#[derive(Debug, thiserror::Error)]
enum SwitchCommandError {
    #[error("neither a cluster nor `--no-cluster` was given")]
    NoCluster,
    #[error("`switch` needs the directory of an app, not manifests from standard input")]
    StandardInput,
}

impl Explain for SwitchCommandError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoCluster => {
                "set `--context` to check the cluster before each step, or `--no-cluster` to plan without it"
            }
            Self::StandardInput => "change the backend in the app file that describes the pipe",
        };
        Some(hint.to_owned())
    }
}

/// A remark about a plan.
#[derive(Debug, thiserror::Error)]
enum SwitchNote {
    #[error("cluster was not checked")]
    NotChecked,
    #[error("checksums were not compared: no operator file was given")]
    NoChecksums,
    #[error("committed SealedSecrets stay as they are: {0}")]
    Committed(String),
    #[error("nothing was written: {0}")]
    NothingWritten(&'static str),
    #[error("{file} was not read: {reason}")]
    NotRead { file: String, reason: String },
    #[error("values of these Secrets are in Git's history and stay there: {0}")]
    InHistory(String),
}

impl Explain for SwitchNote {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotChecked => {
                "before the next commit, `sealwave switch --context NAME` shows whether the last one has its effect"
            }
            Self::NoChecksums => {
                "without `keptChecksums`, pods that read these Secrets restart once; set `--operator`, and `--project`, `--app` and `--namespace` as in the Application"
            }
            Self::Committed(_) => "`sealwave switch --secret NAME` plans the change of one",
            Self::NothingWritten(_) => return None,
            Self::NotRead { .. } => {
                "if it has one of the Secrets, release that by hand: docs/backends/switching.md"
            }
            Self::InHistory(_) => {
                "after the second commit, change each of them where the placeholder reads it; everyone who can read the repository has the old ones"
            }
        };
        Some(hint.to_owned())
    }
}

/// A plan with everything that is printed.
struct SwitchReport {
    switch: Switch,
    lines: String,
    kept: usize,
    findings: Vec<SwitchFinding>,
    committed: Option<CommittedSwitch>,
}

pub(super) fn run(
    args: &SwitchArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    refuse_in_sidecar("switch", variables)?;
    let is_offline = args.no_cluster;
    if !is_offline && args.context.is_none() && args.kubeconfig.is_none() {
        return Err(Problem::new(&SwitchCommandError::NoCluster).into());
    }
    if args.app.reads_stdin() {
        return Err(Problem::new(&SwitchCommandError::StandardInput).into());
    }
    watch.set_time_limit(DEADLINE);
    if args.app.directory().join(APP_FILE).symlink_metadata().is_err() {
        return plain::run(args, variables, watch);
    }
    let (app, environment) = AppSession::open(&args.app, args.env.clone(), variables)?;
    let session = app.environment(&environment);
    let backends = session.discovery.backends(session.name)?;
    let scope = args.secret.clone().map_or(SwitchScope::Environment, SwitchScope::Entry);
    let request = SwitchRequest { environment: environment.clone(), scope, to: args.to };
    let mut notes = Vec::new();
    let (committed, switch) = decide(request, &session, &backends, watch, &mut notes)?;
    let policy_use = session
        .caller
        .policy_use(session.identity.project.as_deref(), args.no_policy, session.operator_path.as_ref())
        .map_err(|error| Problem::new(&error))?;
    let run = ChecksumRun { session: &session, policy_use, variables, watch };
    let (lines, kept) = run.lines(&switch, committed.as_ref(), &backends, &mut notes)?;
    let findings = if is_offline {
        notes.push(Note::info(Problem::new(&SwitchNote::NotChecked)));
        Vec::new()
    } else {
        check_cluster(args, &switch, backends.external_secrets().version, variables, watch)?
    };
    SwitchReport { switch, lines, kept, findings, committed }.finish(args, notes)
}

/// Decides where the change stands: of placeholder Secrets, else of committed SealedSecrets.
fn decide(
    request: SwitchRequest,
    session: &EnvironmentSession<'_>,
    backends: &EnvironmentBackends,
    watch: &RunWatch,
    notes: &mut Vec<Note>,
) -> Result<(Option<CommittedSwitch>, Switch), Failure> {
    let is_covered = |found: &CommittedSecret| request.covers(backends, &found.secret);
    let found = committed::find(session, is_covered)?;
    match Switch::new(request.clone(), backends, secrets(session, watch)?) {
        Err(SwitchError::NoSecrets(_) | SwitchError::NoSuchSecret { .. }) if !found.is_empty() => {
            let directory = session.discovery.directory();
            let (committed, switch) = CommittedSwitch::new(request, found, directory)?;
            Ok((Some(committed), switch))
        }
        Err(error @ (SwitchError::NoSecrets(_) | SwitchError::NoSuchSecret { .. })) => {
            let values = committed::values(session, &request)?;
            let error = if values.is_empty() { error } else { SwitchError::Values(values.join(", ")) };
            Err(Problem::new(&error).into())
        }
        Err(error) => Err(Problem::new(&error).into()),
        Ok(switch) => {
            let names: Vec<String> = found.iter().map(CommittedSecret::id).collect();
            if !names.is_empty() {
                notes.push(Note::warning(Problem::new(&SwitchNote::Committed(names.join(", ")))));
            }
            Ok((None, switch))
        }
    }
}

/// Returns the Secrets of an environment that hold placeholders.
fn secrets(session: &EnvironmentSession<'_>, watch: &RunWatch) -> Result<BTreeSet<SecretName>, Failure> {
    let known = session.known_providers();
    let supply =
        ValueSource::Withhold { known: known.as_ref(), default_provider: session.default_provider()? };
    let progress = |stage| watch.enter_stage(stage);
    let context = session.context()?;
    let uses =
        sealwave_pipeline::references(&session.discovery, &context, &session.toolbox, &supply, &progress)?;
    Ok(uses.into_iter().map(|used| (used.secret.namespace.into(), used.secret.name.into())).collect())
}

/// The computation of checksums before and after a step.
struct ChecksumRun<'a> {
    session: &'a EnvironmentSession<'a>,
    policy_use: PolicyUse,
    variables: VariableReader,
    watch: &'a RunWatch,
}

impl ChecksumRun<'_> {
    /// Returns the lines of the app file for the next commit, and the number of checksums that they keep.
    fn lines(
        &self,
        switch: &Switch,
        committed: Option<&CommittedSwitch>,
        backends: &EnvironmentBackends,
        notes: &mut Vec<Note>,
    ) -> Result<(String, usize), Failure> {
        let Some(committed) = committed else {
            let kept = self.kept_checksums(switch, backends, notes)?;
            return Ok((switch.lines(&kept), kept.len()));
        };
        // The first commit changes only the files of the SealedSecrets.
        if switch.step != SwitchStep::TakeOver {
            return Ok((String::new(), 0));
        }
        let mut kept = BTreeMap::new();
        if !switch.changes_pods() && self.session.operator.is_some() {
            kept = committed.checksums(secret_checksums(&self.output(backends.clone(), None)?));
        } else if !switch.changes_pods() {
            notes.push(Note::warning(Problem::new(&SwitchNote::NoChecksums)));
        }
        Ok((switch.skeleton_lines(&kept), kept.len()))
    }

    /// Returns the checksums that workloads must keep, so that the next commit restarts no pod.
    fn kept_checksums(
        &self,
        switch: &Switch,
        backends: &EnvironmentBackends,
        notes: &mut Vec<Note>,
    ) -> Result<BTreeMap<String, KeptChecksum>, Failure> {
        let Some(choice) = switch.next_choice() else { return Ok(BTreeMap::new()) };
        if switch.changes_pods() {
            return Ok(BTreeMap::new());
        }
        let after = backends.clone().with_choice(switch.request.entry(), choice);
        if self.session.operator.is_none() {
            notes.push(Note::warning(Problem::new(&SwitchNote::NoChecksums)));
            return Ok(BTreeMap::new());
        }
        let present = self.output(backends.clone(), None)?;
        let computed = self.output(after, Some(BTreeMap::new()))?;
        Ok(kept_checksums(&secret_checksums(&present), secret_checksums(&computed)))
    }

    fn output(
        &self,
        backends: EnvironmentBackends,
        kept_checksums: Option<BTreeMap<String, KeptChecksum>>,
    ) -> Result<Vec<u8>, Failure> {
        let policy_use = self.policy_use;
        let settings = OutputSettings { backends, kept_checksums, policy_use, observer: None };
        let (format, notes) = (ManifestFormat::Json, Vec::new());
        let output = generate::output(self.session, settings, format, self.variables, notes, self.watch)?;
        Ok(output.stdout)
    }
}

/// Compares the cluster with what the next step needs, and records the UIDs of the Secrets.
fn check_cluster(
    args: &SwitchArgs,
    switch: &Switch,
    external_secrets: ExternalSecretVersion,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<Vec<SwitchFinding>, Failure> {
    let access = ClusterAccess {
        kubeconfigs: config::kubeconfigs(args.kubeconfig.as_deref(), variables),
        context: args.context.clone(),
    };
    let state_directory = config::state_directory(args.state_dir.as_deref(), variables);
    let state_directory = state_directory.as_deref().map(StateDirectory::open).transpose();
    let state_directory = state_directory.map_err(|error| Problem::new(&error))?;
    let names = [args.context.clone().unwrap_or_default(), switch.request.environment.clone()];
    let journal =
        state_directory.map(|state| state.journal::<RecordedUids>(OperationId::new("switch", names)));
    let mut journal = journal.transpose().map_err(|error| Problem::new(&error))?;
    let mut uids = journal.as_ref().and_then(|journal| journal.state().cloned()).unwrap_or_default();
    let client = access.connect(watch.deadline()).map_err(|error| Problem::new(&error))?;
    let live = KubernetesState { client, external_secrets };
    let findings = live_findings(switch, &live, &mut uids).map_err(|error| Problem::new(&error))?;
    if let Some(journal) = &mut journal {
        journal.record(uids).map_err(|error| Problem::new(&error))?;
    }
    Ok(findings)
}

impl SwitchReport {
    /// Writes the files if that is asked for, and returns the output.
    fn finish(mut self, args: &SwitchArgs, mut notes: Vec<Note>) -> Result<CommandOutput, Failure> {
        if args.files.write {
            let plan = self.complete_plan();
            let reason = match &mut self.committed {
                None => Some("the next commit changes `sealwave.yaml`"),
                Some(_) if self.switch.step != SwitchStep::Release => {
                    Some("the files release their Secrets already")
                }
                Some(_) if !self.findings.is_empty() => Some("the cluster is not ready"),
                Some(committed) => {
                    committed.write(args, &self.switch.request.environment, &plan)?;
                    None
                }
            };
            let note = |reason| Note::warning(Problem::new(&SwitchNote::NothingWritten(reason)));
            notes.extend(reason.map(note));
        }
        let stdout = match args.output {
            ReportFormat::Human => self.human().into_bytes(),
            ReportFormat::Json => self.json(),
        };
        Ok(CommandOutput { findings: !self.findings.is_empty(), notes, ..CommandOutput::text(stdout) })
    }

    /// Returns the state for scripts.
    fn state(&self) -> &'static str {
        match (self.switch.step, self.findings.is_empty()) {
            (_, false) => "waiting",
            (SwitchStep::Complete, true) => "done",
            (SwitchStep::Cancel, true) => "cancel",
            (SwitchStep::Release, true) => "release",
            (SwitchStep::TakeOver, true) => "take-over",
        }
    }

    fn plan(&self) -> Plan {
        let Switch { request, secrets, current, step, .. } = &self.switch;
        let names: Vec<String> =
            secrets.iter().map(|(namespace, name)| format!("{namespace}/{name}")).collect();
        let pods = match (self.switch.changes_pods(), self.kept) {
            (false, _) if self.switch.is_plain => {
                "restart once where sealwave adds checksums, but not because of the Secrets".to_owned()
            }
            (true, _) => "restart: the volume of the CSI driver is a part of their template".to_owned(),
            (false, 0) => "no checksum to keep".to_owned(),
            (false, kept) => format!("do not restart: `keptChecksums` for {kept} of them"),
        };
        let mut plan = Plan::new("switch")
            .with_fact("environment", &request.environment)
            .with_fact("secrets", names.join(", "))
            .with_fact(
                "backend",
                if self.switch.is_plain {
                    "none: Argo CD applies the Secrets".to_owned()
                } else {
                    current.to_string()
                },
            )
            .with_fact("pods", pods);
        if *step == SwitchStep::Cancel {
            let summary = format!("commit: `{}` stays the backend of these Secrets", request.to);
            return plan.with_step("cancel", summary, StepUndo::Unneeded);
        }
        let back = match step {
            SwitchStep::Complete => "the old backend".to_owned(),
            _ if self.switch.is_plain => return self.plain_steps(plan),
            _ => format!("`{}`", current.kind),
        };
        plan = plan
            .with_step(
                "release",
                format!("commit 1: {back} releases the Secrets and keeps them current"),
                StepUndo::By(match self.committed {
                    Some(_) => "take the changes of the files back".to_owned(),
                    None => format!("write {back} alone again"),
                }),
            )
            .with_step(
                "take-over",
                format!("commit 2: `{}` takes the Secrets over", request.to),
                StepUndo::By("`sealwave switch` back, in two commits".to_owned()),
            );
        for planned in &mut plan.steps {
            planned.done = match step {
                SwitchStep::Complete => true,
                SwitchStep::TakeOver => planned.id == "release",
                SwitchStep::Cancel | SwitchStep::Release => false,
            };
        }
        plan
    }

    /// Adds the steps for plain Secrets.
    fn plain_steps(&self, plan: Plan) -> Plan {
        let to = self.switch.request.to;
        let mut plan = plan
            .with_step(
                "release",
                "commit 1: Argo CD no longer prunes the Secrets",
                StepUndo::By("take the changes of the files back".to_owned()),
            )
            .with_step(
                "take-over",
                format!("commit 2: placeholders replace the values, and `{to}` takes the Secrets over"),
                StepUndo::By("the previous commit, as long as the Secrets are released".to_owned()),
            );
        if self.committed.as_ref().is_some_and(|committed| !committed.with_values().is_empty()) {
            let summary = "then: change the values at their source, because Git keeps the old ones";
            plan = plan.with_step("rotate", summary, StepUndo::Unneeded);
        }
        let is_released = self.switch.step == SwitchStep::TakeOver;
        plan.steps.iter_mut().filter(|step| step.id == "release").for_each(|step| step.done = is_released);
        plan
    }

    /// Returns the plan with the changes of files.
    fn complete_plan(&self) -> Plan {
        let mut plan = self.plan();
        if let Some(committed) = &self.committed {
            committed.complete(&mut plan);
        }
        plan
    }

    fn human(&self) -> String {
        let plan = self.complete_plan();
        let mut text = plan.human(true);
        if self.switch.step == SwitchStep::Complete && self.findings.is_empty() {
            text.push_str("\nDone: no commit is left\n");
        }
        if !self.findings.is_empty() {
            text.push_str("\nNot ready\n");
        }
        for SwitchFinding { secret, message, hint } in &self.findings {
            let _ = writeln!(text, "  {}: {message}\n    help: {hint}", printable(secret));
        }
        if !self.lines.is_empty() {
            let title = if self.findings.is_empty() { "Next commit" } else { "Then commit" };
            let _ = writeln!(text, "\n{title}, in sealwave.yaml");
        }
        for line in self.lines.lines() {
            let _ = writeln!(text, "  {}", printable(line));
        }
        if self.lines.contains("computed: CHECKSUM") {
            text.push_str("  (CHECKSUM: the `checksum/secret` of the workload in the output of `sealwave generate` with the new Secrets)\n");
        }
        if let Some(committed) = &self.committed {
            text.push_str(&committed.human(self.switch.step, self.switch.request.to));
        }
        text
    }

    fn json(&self) -> Vec<u8> {
        let plan = self.complete_plan();
        let mut value = json!({
            "state": self.state(), "plan": plan, "lines": self.lines, "findings": self.findings,
        });
        if let Some(committed) = &self.committed {
            value["committed"] = committed.json(self.switch.step, self.switch.request.to);
        }
        json_document(&value)
    }
}
