//! `switch`: plans the change of the backend of Secrets that are in use, and says which commit comes next.
//!
//! Changes nothing without `--write`, and then only files of committed SealedSecrets. Checksums are computed as `generate` does it, which fetches values if an operator file is given.

mod committed;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::committed::CommittedSwitch;
use self::report::SwitchReport;
use super::CommandOutput;
use super::generate::{self, OutputSettings};
use super::operation::refuse_in_sidecar;
use super::session::{AppSession, EnvironmentSession};
use crate::cli::{ReportFormat, SwitchArgs};
use crate::config::{self, PolicyUse, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_operations::state::{OperationId, StateDirectory};
use sealwave_operations::switch::{
    CommittedSecret, KubernetesState, RecordedUids, SecretName, Switch, SwitchError, SwitchFinding,
    SwitchRequest, SwitchScope, SwitchStep, kept_checksums, live_findings, secret_checksums,
};
use sealwave_pipeline::{self, ManifestFormat, ValueSource};
use sealwave_providers::ClusterAccess;
use sealwave_secrets::settings::{EnvironmentBackends, KeptChecksum};

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
        };
        Some(hint.to_owned())
    }
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
        check_cluster(args, &switch, &backends, variables, watch)?
    };
    let mut report = SwitchReport { switch, lines, kept, findings, committed, failure: None };
    let mut shown = String::new();
    if args.files.write {
        match report.reason_not_to_write() {
            Some(reason) => notes.push(Note::warning(Problem::new(&SwitchNote::NothingWritten(reason)))),
            None => shown = report.write(args, &environment, watch)?,
        }
    }
    let stdout = match args.output {
        ReportFormat::Human => {
            report.human().strip_prefix(&shown).map(str::to_owned).unwrap_or_default().into_bytes()
        }
        ReportFormat::Json => report.json(),
    };
    let (findings, failure) = (!report.findings.is_empty(), report.failure);
    Ok(CommandOutput { findings, notes, failure, ..CommandOutput::text(stdout) })
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
    backends: &EnvironmentBackends,
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
    let live = KubernetesState { client, external_secrets: backends.external_secrets().version };
    let findings = live_findings(switch, &live, &mut uids).map_err(|error| Problem::new(&error))?;
    if let Some(journal) = &mut journal {
        journal.record(uids).map_err(|error| Problem::new(&error))?;
    }
    Ok(findings)
}
