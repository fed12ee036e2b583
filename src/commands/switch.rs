//! `switch`: plans the change of the backend of Secrets that are in use, and says which commit comes next.
//!
//! Changes nothing without `--write`, and then only files of committed SealedSecrets. Checksums are computed as `generate` does it, which fetches values if an operator file is given.

mod cluster;
mod committed;
mod note;
mod plain;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use self::cluster::check_cluster;
use self::committed::CommittedSwitch;
use self::note::SwitchNote;
use self::report::SwitchReport;
use super::CommandOutput;
use super::generate::{self, OutputSettings};
use super::operation::refuse_in_sidecar;
use super::session::{AppSession, EnvironmentSession};
use crate::cli::SwitchArgs;
use crate::config::{PolicyUse, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem};
use sealwave_operations::switch::{
    CommittedSecret, SecretName, Switch, SwitchError, SwitchRequest, SwitchScope, SwitchStep, kept_checksums,
    secret_checksums,
};
use sealwave_pipeline::{self, ManifestFormat, ValueSource};
use sealwave_secrets::settings::{APP_FILE, EnvironmentBackends, KeptChecksum};

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
    let directory = super::directory(args.app.directory());
    if directory.join(APP_FILE).symlink_metadata().is_err() {
        return plain::run(args, &directory, variables, watch);
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
    SwitchReport { switch, lines, kept, findings, committed, failure: None }.finish(args, watch, notes)
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
