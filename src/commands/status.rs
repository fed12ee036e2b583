//! `status`: lists the secrets of apps with their sources, users, age and rotation policy, and what is overdue.
//!
//! Reads Git alone. With `--fetch`, values are fetched as `generate` does it, for their dates; none is kept or shown.

mod access_keys;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::CommandOutput;
use super::generate::{self, OutputSettings};
use super::operation::refuse_in_sidecar;
use super::session::{AppSession, EnvironmentSession, SharedToolbox};
use crate::cli::{AppArgs, DirArgs, ReportFormat, StatusArgs};
use crate::config::{self, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, ProblemCollector};
use sealwave_core::text::quoted_list;
use sealwave_core::time::Date;
use sealwave_operations::status::{
    ActiveKeys, BrokenApp, CertificateStatus, ChangeSource, CommittedAge, CommittedFile, FoundSecret,
    HistoryLimits, KnownChange, SecretStatus, StatusReport, committed_ages, find_secrets,
};
use sealwave_pipeline::{AuditRecord, AuditSink, CollectedRender, FetchOutcome, ItemExpiry};
use sealwave_secrets::settings::{IamUserName, RotationPolicy};
use sealwave_validate::project::{Excludes, OutputPaths, TargetSearch, ValidateTargets, shown};

/// The deadline of a run.
const DEADLINE: Duration = Duration::from_mins(30);

#[derive(Debug, thiserror::Error)]
enum StatusError {
    #[error("`--fetch` needs an operator file")]
    NoOperatorFile,
    #[error("no app has the environment `{name}`; known environments: {}", quoted_list(.known))]
    NoEnvironment { name: String, known: Vec<String> },
}

impl Explain for StatusError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoOperatorFile => "set `--operator`; without `--fetch`, none is needed",
            Self::NoEnvironment { .. } => "omit `--env` to list all of them",
        };
        Some(hint.to_owned())
    }
}

/// A remark about the report.
#[derive(Debug, thiserror::Error)]
enum StatusNote {
    #[error("dates of values are not known: nothing was fetched")]
    NotFetched,
    #[error("history of the repository was not read to its beginning, so some ages are minimums")]
    Minimums,
    #[error("access keys of user `{user}` are not known: {reason}")]
    NoAccessKeys { user: String, reason: String },
}

impl Explain for StatusNote {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotFetched => {
                "`--fetch` with `--operator` reports certificates and tokens that expire, and the age of access keys"
            }
            Self::Minimums => "in a shallow clone, `git fetch --unshallow` gets the older commits",
            Self::NoAccessKeys { .. } => {
                "`--aws-provider` names the provider of the operator file whose login asks AWS; it needs `iam:ListAccessKeys`"
            }
        };
        Some(hint.to_owned())
    }
}

/// The version and the day of each reference, as its source returned them.
type VersionsByReference = BTreeMap<String, (Option<String>, Option<Date>)>;

/// A collector of the versions that sources returned.
#[derive(Default)]
struct FetchedVersions(Mutex<VersionsByReference>);

impl AuditSink for FetchedVersions {
    fn write(&self, records: &[AuditRecord<'_>]) -> Result<(), Problem> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records.iter().filter(|record| record.outcome == FetchOutcome::Fetched) {
            let version = record.fetched_version.map(str::to_owned);
            all.insert(record.reference.to_string(), (version, record.changed));
        }
        Ok(())
    }
}

/// The dates of the values of an environment.
#[derive(Default)]
struct FetchedDates {
    expiries: Vec<ItemExpiry>,
    by_reference: VersionsByReference,
}

impl FetchedDates {
    /// Adds the versions of the sources of a Secret. Returns the day of the one that changed longest ago, if all of them tell
    /// it.
    fn add_versions(&self, secret: &mut FoundSecret) -> Option<Date> {
        let mut dates = Vec::new();
        for source in &secret.sources {
            let (version, date) = self.by_reference.get(source)?;
            secret.versions.extend(version.clone().map(|version| (source.clone(), version)));
            dates.push(*date);
        }
        dates.into_iter().collect::<Option<Vec<Date>>>()?.into_iter().min()
    }
}

/// A secret whose age in Git is not known yet.
struct UndatedSecret {
    app: String,
    environment: String,
    secret: FoundSecret,
    policy: Rc<RotationPolicy>,
    expiries: Rc<[ItemExpiry]>,
    /// The day that its sources tell.
    of_source: Option<Date>,
}

/// The run over all apps.
struct StatusRun<'a> {
    args: &'a StatusArgs,
    variables: VariableReader,
    watch: &'a RunWatch,
    today: Date,
    toolbox: SharedToolbox,
    secrets: Vec<UndatedSecret>,
    certificates: Vec<CertificateStatus>,
    /// The access keys of users, each asked for once.
    keys: ActiveKeys,
    users_asked: BTreeSet<IamUserName>,
    environments_seen: Vec<String>,
    notes: Vec<Note>,
}

pub(super) fn run(
    args: &StatusArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    refuse_in_sidecar("status", variables)?;
    if args.fetch && config::operator_path(args.operator.clone(), variables).is_none() {
        return Err(Problem::new(&StatusError::NoOperatorFile).into());
    }
    watch.set_time_limit(DEADLINE);
    let mut run = StatusRun {
        args,
        variables,
        watch,
        today: config::today(variables)?,
        toolbox: SharedToolbox::default(),
        secrets: Vec::new(),
        certificates: Vec::new(),
        keys: ActiveKeys::new(),
        users_asked: BTreeSet::new(),
        environments_seen: Vec::new(),
        notes: Vec::new(),
    };
    let mut problems = ProblemCollector::default();
    let mut broken = Vec::new();
    for directory in apps(&args.dirs)? {
        // The secrets of the other apps are listed nevertheless.
        if let Err(failure) = run.add_app(&directory) {
            let all: Vec<Problem> =
                failure.problems().iter().cloned().chain(failure.omitted_problem()).collect();
            let errors = all.iter().map(|problem| problem.message.clone()).collect();
            broken.push(BrokenApp { app: shown(&directory), errors });
            for problem in all {
                problems.push(problem);
            }
        }
    }
    run.finish(broken, problems.check().err())
}

/// Returns the file of a committed SealedSecret; for another Secret, without items.
fn committed_file(secret: &FoundSecret) -> CommittedFile {
    let path = fs_err::canonicalize(&secret.file).unwrap_or_default();
    CommittedFile { path, namespace: secret.namespace.clone(), items: secret.sealed_items.clone() }
}

impl UndatedSecret {
    fn dated(self, age: CommittedAge, keys: &ActiveKeys, today: Date) -> SecretStatus {
        let CommittedAge { date, is_minimum, item, uncommitted } = age;
        let secret = FoundSecret { uncommitted, ..self.secret };
        let of_git = date.map(|date| KnownChange { date, source: ChangeSource::Git, is_minimum, item });
        let known = self.of_source.map(|date| KnownChange::on(date, ChangeSource::Source)).or(of_git);
        let place = (self.app.as_str(), self.environment.as_str());
        SecretStatus::new(place, secret, &self.policy, known, (&self.expiries, keys), today)
    }
}

/// Returns the directories of the apps at or below these directories, in order.
fn apps(directories: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let (excludes, written) = (Excludes::default(), OutputPaths::default());
    let search = TargetSearch { paths: directories, only_apps: true, excludes: &excludes, written: &written };
    let targets = ValidateTargets::find(search)?;
    Ok(targets.apps.into_iter().map(|app| app.path).collect())
}

impl StatusRun<'_> {
    fn add_app(&mut self, directory: &Path) -> Result<(), Failure> {
        let app = AppArgs {
            dir: DirArgs { dir: directory.to_owned() },
            app_file: None,
            operator: self.args.operator.clone(),
            charts: self.args.charts.clone(),
            identity: self.args.identity.clone(),
        };
        let (session, environments) = AppSession::open_all(&app, None, self.variables, &self.toolbox)?;
        for name in
            environments.iter().filter(|name| self.args.env.is_empty() || self.args.env.contains(name))
        {
            self.add_environment(&shown(directory), &session.environment(name))?;
        }
        self.environments_seen.extend(environments);
        Ok(())
    }

    fn add_environment(&mut self, app: &str, session: &EnvironmentSession<'_>) -> Result<(), Failure> {
        let found = Self::find(session)?;
        let fetched = if self.args.fetch { self.fetch(session)? } else { FetchedDates::default() };
        self.add_certificate(session)?;
        let policy = &session.discovery.app().rotation;
        if self.args.fetch {
            let entry =
                |secret: &FoundSecret| policy.entry_for(session.name, &secret.namespace, &secret.name);
            let users = found.iter().filter_map(|secret| entry(secret)?.1.iam_user.clone());
            self.ask_for_keys(users.collect());
        }
        let (policy, expiries) = (Rc::new(policy.clone()), Rc::from(fetched.expiries.as_slice()));
        for mut secret in found {
            let of_source = fetched.add_versions(&mut secret);
            let (policy, expiries) = (Rc::clone(&policy), Rc::clone(&expiries));
            let (app, environment) = (app.to_owned(), session.name.to_owned());
            self.secrets.push(UndatedSecret { app, environment, secret, policy, expiries, of_source });
        }
        Ok(())
    }

    /// Renders an environment without values, and returns its Secrets.
    fn find(session: &EnvironmentSession<'_>) -> Result<Vec<FoundSecret>, Failure> {
        let Some((CollectedRender { attempt, uses, .. }, sources)) = session.collected()? else {
            return Ok(Vec::new());
        };
        let workloads = &session.discovery.app().workloads;
        Ok(find_secrets(&attempt.objects, &uses, workloads, &sources))
    }

    /// Fetches the values of an environment, and returns the dates that they and their sources tell.
    fn fetch(&mut self, session: &EnvironmentSession<'_>) -> Result<FetchedDates, Failure> {
        let backends = session.discovery.backends(session.name)?;
        if !backends.needs_values() {
            return Ok(FetchedDates::default());
        }
        let project = session.identity.project.as_deref();
        let policy_use =
            session.caller.policy_use(project, self.args.no_policy, session.operator_path.as_ref());
        let policy_use = policy_use.map_err(|error| Problem::new(&error))?;
        let versions = FetchedVersions::default();
        let observer: Option<&dyn AuditSink> = Some(&versions);
        let settings = OutputSettings { backends, kept_checksums: None, policy_use, observer };
        // The notes are those of `generate`, which has its own place for them.
        let sealed = generate::sealed_app(session, settings, self.variables, &mut Vec::new(), self.watch)?;
        let by_reference = versions.0.into_inner().unwrap_or_default();
        Ok(FetchedDates { expiries: sealed.expiries().to_vec(), by_reference })
    }

    /// Asks AWS for the access keys of users that were not asked for. That it does not answer is not an error of the report.
    fn ask_for_keys(&mut self, users: BTreeSet<IamUserName>) {
        let new: Vec<IamUserName> =
            users.into_iter().filter(|user| self.users_asked.insert(user.clone())).collect();
        if new.is_empty() {
            return;
        }
        for (user, keys) in access_keys::active_keys(self.args, self.variables, new, self.today) {
            match keys {
                Ok(keys) => drop(self.keys.insert(user, keys)),
                Err(reason) => {
                    let note = StatusNote::NoAccessKeys { user: user.as_str().to_owned(), reason };
                    self.notes.push(Note::warning(Problem::new(&note)));
                }
            }
        }
    }

    /// Adds the sealing certificate of the environment's cluster, if the operator file names one.
    fn add_certificate(&mut self, session: &EnvironmentSession<'_>) -> Result<(), Failure> {
        let Some(operator) = &session.operator else { return Ok(()) };
        let cluster = session.cluster()?;
        if !operator.operator().clusters.contains_key(&cluster) {
            return Ok(());
        }
        let certificate = operator.any_certificate(&cluster)?;
        let details = certificate.details();
        // The date of a time in RFC 3339.
        if let Some(date) = details.not_after.get(..10).and_then(|date| date.parse().ok()) {
            let fingerprint = format!("sha256:{}", details.public_key_sha256);
            self.certificates.push(CertificateStatus::new(&cluster, fingerprint, date, self.today));
        }
        Ok(())
    }

    /// Returns the verdicts on all secrets. Git is asked once, for the ages of all that are committed.
    fn dated(&mut self) -> Vec<SecretStatus> {
        let secrets = std::mem::take(&mut self.secrets);
        let files: Vec<CommittedFile> =
            secrets.iter().map(|undated| committed_file(&undated.secret)).collect();
        let ages = committed_ages(&files, HistoryLimits::default());
        secrets
            .into_iter()
            .zip(ages)
            .map(|(undated, age)| undated.dated(age, &self.keys, self.today))
            .collect()
    }

    /// Returns the report. Apps that could not be read may have the environments that no other app has.
    fn finish(mut self, broken: Vec<BrokenApp>, failure: Option<Failure>) -> Result<CommandOutput, Failure> {
        let unknown = self.args.env.iter().find(|name| !self.environments_seen.contains(name));
        if let Some(name) = unknown.filter(|_| failure.is_none()) {
            let known: BTreeSet<String> = self.environments_seen.iter().cloned().collect();
            let (name, known) = (name.clone(), known.into_iter().collect());
            return Err(Problem::new(&StatusError::NoEnvironment { name, known }).into());
        }
        let secrets = self.dated();
        if secrets.iter().any(|secret| secret.changed.as_ref().is_some_and(|changed| changed.is_minimum)) {
            self.notes.push(Note::info(Problem::new(&StatusNote::Minimums)));
        }
        let report = StatusReport::new(self.today, secrets, self.certificates).with_broken_apps(broken);
        if let Some(failure) = failure.clone().filter(|_| report.is_empty()) {
            return Err(failure);
        }
        if !self.args.fetch {
            self.notes.push(Note::info(Problem::new(&StatusNote::NotFetched)));
        }
        let stdout = match self.args.output {
            ReportFormat::Human => report.human().into_bytes(),
            ReportFormat::Json => report.json(),
        };
        let findings = report.has_overdue();
        Ok(CommandOutput { findings, notes: self.notes, failure, ..CommandOutput::text(stdout) })
    }
}
