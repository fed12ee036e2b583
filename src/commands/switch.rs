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
use self::report::{KeptCount, SwitchReport};
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
    missing_providers, provider_lines, secret_checksums, template_providers,
};
use sealwave_pipeline::{self, ManifestFormat, ReferenceUse, ValueSource};
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
    let uses = references(&session, watch)?;
    let (committed, switch) = decide(request, &session, &backends, &uses, &mut notes)?;
    let policy_use = session
        .caller
        .policy_use(session.identity.project.as_deref(), args.no_policy, session.operator_path.as_ref())
        .map_err(|error| Problem::new(&error))?;
    let run = ChecksumRun { session: &session, policy_use, variables, watch };
    let missing = missing_settings(&switch, committed.is_some(), &backends, &uses);
    let settings = provider_lines(switch.request.to, &missing);
    if committed.is_none() && missing.is_empty() {
        run.check_backend(&switch, &backends)?;
    }
    let (lines, kept) =
        run.lines(&switch, committed.as_ref(), (&backends, missing.is_empty()), &mut notes)?;
    let lines = settings + &lines;
    notes.extend(SwitchNote::missing(missing, switch.request.to));
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
    uses: &[ReferenceUse],
    notes: &mut Vec<Note>,
) -> Result<(Option<CommittedSwitch>, Switch), Failure> {
    let is_covered = |found: &CommittedSecret| request.covers(backends, &found.secret);
    let all = committed::find(session)?;
    let secrets: BTreeSet<SecretName> = uses.iter().map(secret_name).collect();
    let known: BTreeSet<SecretName> =
        all.iter().map(|found| found.secret.clone()).chain(secrets.iter().cloned()).collect();
    let found: Vec<CommittedSecret> = all.into_iter().filter(is_covered).collect();
    match Switch::new(request.clone(), backends, secrets) {
        Err(SwitchError::NoSecrets(_) | SwitchError::NoSuchSecret { .. }) if !found.is_empty() => {
            let directory = session.discovery.directory();
            let (committed, switch) = CommittedSwitch::new(request, found, directory)?;
            Ok((Some(committed), switch))
        }
        Err(error @ (SwitchError::NoSecrets(_) | SwitchError::NoSuchSecret { .. })) => {
            let values = committed::values(session, &request)?;
            let error = match error {
                _ if !values.is_empty() => SwitchError::Values(values.join(", ")),
                SwitchError::NoSuchSecret { environment, entry, .. } => {
                    let known = known.iter().map(|(namespace, name)| format!("{namespace}/{name}")).collect();
                    SwitchError::NoSuchSecret { environment, entry, known }
                }
                error => error,
            };
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

/// Returns the providers without settings for the new backend.
fn missing_settings(
    switch: &Switch,
    is_committed: bool,
    backends: &EnvironmentBackends,
    uses: &[ReferenceUse],
) -> BTreeSet<String> {
    let to = switch.request.to;
    if is_committed {
        let is_next = switch.step == SwitchStep::TakeOver;
        return if is_next { template_providers(to, Some(backends)) } else { BTreeSet::new() };
    }
    if !matches!(switch.step, SwitchStep::Release | SwitchStep::TakeOver) {
        return BTreeSet::new();
    }
    let own = uses.iter().filter(|used| switch.secrets.contains(&secret_name(used)));
    missing_providers(to, backends, own.map(|used| used.reference.provider.as_str()))
}

fn secret_name(used: &ReferenceUse) -> SecretName {
    (used.secret.namespace.to_string(), used.secret.name.to_string())
}

/// Returns the placeholders of an environment.
fn references(session: &EnvironmentSession<'_>, watch: &RunWatch) -> Result<Vec<ReferenceUse>, Failure> {
    let known = session.known_providers();
    let supply =
        ValueSource::Withhold { known: known.as_ref(), default_provider: session.default_provider()? };
    let progress = |stage| watch.enter_stage(stage);
    let context = session.context()?;
    sealwave_pipeline::references(&session.discovery, &context, &session.toolbox, &supply, &progress)
}

/// The computation of checksums before and after a step.
struct ChecksumRun<'a> {
    session: &'a EnvironmentSession<'a>,
    policy_use: PolicyUse,
    variables: VariableReader,
    watch: &'a RunWatch,
}

impl ChecksumRun<'_> {
    /// Checks, without values, that the new backend can express the Secrets. With an operator file, the comparison of checksums
    /// shows it.
    fn check_backend(&self, switch: &Switch, backends: &EnvironmentBackends) -> Result<(), Failure> {
        let after = backends.clone().with_choice(switch.request.entry(), switch.request.to.into());
        if self.session.operator.is_some() || switch.next_choice().is_none() || after.needs_values() {
            return Ok(());
        }
        self.output(after, Some(BTreeMap::new())).map(drop)
    }

    /// Returns the lines of the app file for the next commit, and the number of checksums that they keep.
    fn lines(
        &self,
        switch: &Switch,
        committed: Option<&CommittedSwitch>,
        (backends, is_configured): (&EnvironmentBackends, bool),
        notes: &mut Vec<Note>,
    ) -> Result<(String, KeptCount), Failure> {
        let Some(committed) = committed else {
            let is_compared = is_configured && self.session.operator.is_some();
            let compares = switch.next_choice().is_some() && !switch.changes_pods();
            if compares && self.session.operator.is_none() {
                notes.push(Note::warning(Problem::new(&SwitchNote::NoChecksums)));
            }
            if compares && !is_compared {
                return Ok((switch.lines(&BTreeMap::new()), KeptCount::NotCompared));
            }
            let kept = self.kept_checksums(switch, backends)?;
            return Ok((switch.lines(&kept), KeptCount::Known(kept.len())));
        };
        // The first commit changes only the files of the SealedSecrets.
        if switch.step != SwitchStep::TakeOver {
            return Ok((String::new(), KeptCount::Known(0)));
        }
        let mut kept = BTreeMap::new();
        let mut is_compared = true;
        if !switch.changes_pods() && self.session.operator.is_some() {
            kept = committed.checksums(secret_checksums(&self.output(backends.clone(), None)?));
        } else if !switch.changes_pods() {
            is_compared = false;
            notes.push(Note::warning(Problem::new(&SwitchNote::NoChecksums)));
        }
        let count = if is_compared { KeptCount::Known(kept.len()) } else { KeptCount::NotCompared };
        Ok((switch.skeleton_lines(&kept), count))
    }

    /// Returns the checksums that workloads must keep, so that the next commit restarts no pod.
    fn kept_checksums(
        &self,
        switch: &Switch,
        backends: &EnvironmentBackends,
    ) -> Result<BTreeMap<String, KeptChecksum>, Failure> {
        let Some(choice) = switch.next_choice() else { return Ok(BTreeMap::new()) };
        if switch.changes_pods() {
            return Ok(BTreeMap::new());
        }
        let after = backends.clone().with_choice(switch.request.entry(), choice);
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
