//! `generate`: prints the sealed manifests of one environment as JSON documents.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::access::{access, audit};
use super::session::{AppSession, EnvironmentSession, emit};
use super::{CommandOutput, gate, manifest_format};
use crate::cli::{GenerateArgs, OutputFormat};
use crate::config::{self, ConfigError, OperatorFile, PolicyUse, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, ProblemPlace};
use sealwave_pipeline::{
    AccessPolicy, AuditRecord, AuditSink, ManifestFormat, RunPlan, SealMode, SealedApp, Stage, ValueSource,
};
use sealwave_providers::AppDetails;
use sealwave_secrets::crypto::{ChecksumKey, SealOwner, Sealer};
use sealwave_secrets::settings::{EnvironmentBackends, KeptChecksum};

/// A note for the user of a local run.
#[derive(Debug, thiserror::Error)]
enum GenerateNote {
    #[error(
        "the policy was waived with `--no-policy`, and the ciphertexts differ from those that Argo CD gets"
    )]
    NoPolicy,
}

impl Explain for GenerateNote {
    fn hint(&self) -> Option<String> {
        Some("set `--project` to get the same output as Argo CD".to_owned())
    }
}

pub(super) fn run(
    args: GenerateArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let is_piped = args.app.reads_stdin();
    // Helm 4 keeps only the first of several JSON documents that a post-renderer prints.
    let default_format = if is_piped { OutputFormat::Yaml } else { OutputFormat::Json };
    let format = manifest_format(args.output.unwrap_or(default_format));
    if is_piped {
        watch.enter_stage(Stage::Input);
    }
    let (app, environment) = AppSession::open(&args.app, args.env, variables)?;
    let session = app.environment(&environment);
    let policy_use = session
        .caller
        .policy_use(session.identity.project.as_deref(), args.no_policy, session.operator_path.as_ref())
        .map_err(|error| Problem::new(&error))?;
    let backends = session.discovery.backends(session.name)?;
    if let Some(operator) = &session.operator {
        watch.set_time_limit(Duration::from_secs(operator.operator().deadline_seconds));
    }
    let mut notes = Vec::new();
    if args.validate {
        watch.enter_stage(Stage::Validate);
        gate::check(&session, variables, &mut notes)?;
    }
    let settings = OutputSettings { backends, kept_checksums: None, policy_use, observer: None };
    let generated = output(&session, settings, format, variables, notes, watch);
    let is_argo_cd = session.caller.argocd().is_some();
    generated.map_err(|failure| {
        let is_cached = is_argo_cd && may_be_outside_of_git(watch) && !failure.needs_commit();
        if is_cached { failure.with_advice(CACHED_ERROR) } else { failure }
    })
}

/// Advice for an error whose cause may be outside of Git: Argo CD does not see that it is repaired.
const CACHED_ERROR: &str =
    "Argo CD caches this error: after a repair outside of Git, use Hard Refresh on the Application";

/// Reports whether the run failed at programs, secret sources, the policy, keys or certificates, not while it rendered files in
/// Git.
fn may_be_outside_of_git(watch: &RunWatch) -> bool {
    !matches!(watch.state().1, Some(Stage::Annotate | Stage::Input | Stage::Load | Stage::Render))
}

/// The settings of an output that `status` and `switch` change.
pub(super) struct OutputSettings<'a> {
    pub(super) backends: EnvironmentBackends,
    /// The checksums that workloads keep; `None` for those in the app file.
    pub(super) kept_checksums: Option<BTreeMap<String, KeptChecksum>>,
    pub(super) policy_use: PolicyUse,
    /// A further destination of the audit records.
    pub(super) observer: Option<&'a dyn AuditSink>,
}

/// The destinations of audit records: the operator's log comes first.
struct AuditSinks<'a>(Vec<&'a dyn AuditSink>);

impl AuditSink for AuditSinks<'_> {
    fn write(&self, records: &[AuditRecord<'_>]) -> Result<(), Problem> {
        self.0.iter().try_for_each(|sink| sink.write(records))
    }
}

/// Runs the pipeline for the output that Argo CD gets.
pub(super) fn output(
    session: &EnvironmentSession<'_>,
    settings: OutputSettings<'_>,
    format: ManifestFormat,
    variables: VariableReader,
    mut notes: Vec<Note>,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let sealed = sealed_app(session, settings, variables, &mut notes, watch)?;
    emit(sealed, format, notes)
}

/// Runs the pipeline, and returns the sealed app.
pub(super) fn sealed_app(
    session: &EnvironmentSession<'_>,
    settings: OutputSettings<'_>,
    variables: VariableReader,
    notes: &mut Vec<Note>,
    watch: &RunWatch,
) -> Result<SealedApp, Failure> {
    if settings.backends.needs_values() {
        seal_values(session, settings, variables, notes, watch)
    } else {
        store_references(session, settings, notes, watch)
    }
}

/// Runs the pipeline with values that are fetched and sealed.
fn seal_values(
    session: &EnvironmentSession<'_>,
    settings: OutputSettings<'_>,
    variables: VariableReader,
    notes: &mut Vec<Note>,
    watch: &RunWatch,
) -> Result<SealedApp, Failure> {
    let OutputSettings { backends, kept_checksums, policy_use, observer } = settings;
    let Some(operator) = &session.operator else {
        return Err(Problem::new(&ConfigError::NoOperatorFile).into());
    };
    let policy = operator.policy()?;
    let subject = session.subject();
    let app = AppDetails {
        directory: session.discovery.directory().to_owned(),
        boundary: session.discovery.boundary().to_owned(),
        subject: subject.clone(),
    };
    let providers = operator.providers(&app, variables)?;
    let cluster = session.cluster()?;
    let audit = audit(session.discovery.boundary(), operator, &subject)?;
    let log = audit.as_ref().map(|audit| audit as &dyn AuditSink);
    let sinks = AuditSinks(log.into_iter().chain(observer).collect());
    let supply = ValueSource::Fetch {
        providers: &providers,
        access: access(policy_use, &policy, &subject, &GenerateNote::NoPolicy, notes),
        cluster: &cluster,
        audit: Some(&sinks).filter(|sinks| !sinks.0.is_empty()).map(|sinks| sinks as &dyn AuditSink),
        default_provider: session.default_provider()?,
        deadline: watch.deadline(),
    };
    let key = operator.seal_key()?;
    let checksums = operator.checksum_key(&key)?;
    let certificate = operator.certificate(&cluster, SystemTime::now(), notes);
    // An unknown cluster is a mistake in the app file.
    let cluster_setting = ["environments", session.name, "cluster"];
    let certificate = certificate.map_err(|failure| {
        failure.or_with_place(&ProblemPlace::Place(session.discovery.setting_at(&cluster_setting, None)))
    })?;
    let owner = SealOwner {
        project: session.identity.project.clone().unwrap_or_default(),
        app: session.identity.app.clone(),
        derivation: operator.operator().derivation,
    };
    let epoch = operator.operator().epoch.clone();
    let sealing = SealMode::Deterministic(Box::new(Sealer { key, certificate, owner, epoch }));
    let today = Some(config::today(variables)?);
    let toolbox = &*session.toolbox;
    let context = session.context()?;
    let plan =
        RunPlan { context, source: supply, backends, kept_checksums, sealing, checksums, today, toolbox };
    session.seal(&plan, notes, watch)
}

/// Runs the pipeline with all Secrets in backends that store references, which needs no key, certificate or
/// credentials. The policy of an operator file applies nevertheless.
fn store_references(
    session: &EnvironmentSession<'_>,
    settings: OutputSettings<'_>,
    notes: &mut Vec<Note>,
    watch: &RunWatch,
) -> Result<SealedApp, Failure> {
    let OutputSettings { backends, kept_checksums, policy_use, .. } = settings;
    let operator = session.operator.as_ref();
    let policy = operator.map(OperatorFile::policy).transpose()?;
    let known = session.known_providers();
    let subject = session.subject();
    let access = policy.as_ref().map_or(AccessPolicy::Unchecked, |policy| {
        access(policy_use, policy, &subject, &GenerateNote::NoPolicy, notes)
    });
    let cluster = session.cluster()?;
    let supply = ValueSource::Refer {
        known: known.as_ref(),
        access,
        cluster: &cluster,
        default_provider: session.default_provider()?,
    };
    let (sealing, checksums) = (SealMode::Nothing, checksum_key(operator)?);
    let (context, toolbox) = (session.context()?, &*session.toolbox);
    let plan = RunPlan {
        context,
        source: supply,
        backends,
        kept_checksums,
        sealing,
        checksums,
        today: None,
        toolbox,
    };
    session.seal(&plan, notes, watch)
}

/// Returns the operator's key if there is one, and a public one otherwise, since references are not secret.
fn checksum_key(operator: Option<&OperatorFile>) -> Result<ChecksumKey, Failure> {
    match operator {
        Some(operator) if operator.operator().seal_key_file.is_some() => {
            operator.checksum_key(&operator.seal_key()?)
        }
        _ => Ok(ChecksumKey::references()),
    }
}
