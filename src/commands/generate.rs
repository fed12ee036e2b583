//! `generate`: the manifests of one environment, sealed, as JSON documents.

use std::time::{Duration, SystemTime};

use super::Outcome;
use super::session::Session;
use crate::cli::GenerateArgs;
use crate::config::{ConfigError, OperatorFile, Variables};
use crate::crypto::{ChecksumKey, Sealer};
use crate::deadline::Watch;
use crate::diagnostic::{Explain, Failure, Note, Problem};
use crate::model::{Backends, Policy, Subject};
use crate::ops::AuditLog;
use crate::pipeline::{self, Access, Audit, Format, Plan, Sealing, Supply};
use crate::providers::{AppFiles, Providers};

/// Something that a local run should know.
#[derive(Debug, thiserror::Error)]
enum Remark {
    #[error("no project was named, so the policy was not asked and the ciphertexts differ from Argo CD's")]
    NoProject,
}

impl Explain for Remark {
    fn hint(&self) -> Option<String> {
        Some("give `--project` to get what Argo CD gets".to_owned())
    }
}

pub(super) fn run(args: GenerateArgs, variables: Variables, watch: &Watch) -> Result<Outcome, Failure> {
    let mut notes = Vec::new();
    let session = Session::open(&args.app, args.env, variables)?;
    let backends = session.discovery.backends(&session.environment)?;
    if !backends.need_values() {
        return referring(&session, backends, watch, notes);
    }
    let Some(operator) = &session.operator else {
        return Err(Problem::new(&ConfigError::NoOperatorFile).into());
    };
    watch.allow(Duration::from_secs(operator.operator().deadline_seconds));
    let policy = Policy::of(operator.operator())?;
    let protected = operator.protected_files();
    let app = AppFiles {
        directory: session.discovery.directory().to_owned(),
        boundary: session.discovery.boundary().to_owned(),
    };
    let providers =
        Providers::new(&operator.operator().providers, operator.directory(), &protected, &app, variables)?;
    let subject = session.subject();
    let audit = audit(&session, operator, &subject)?;
    let access = access(&session, &policy, &subject, &mut notes);
    let supply = Supply::Fetch {
        providers: &providers,
        access,
        audit: audit.as_ref().map(|audit| audit as &dyn Audit),
        default_provider: session.default_provider()?,
        deadline: watch.deadline(),
    };
    let plan = Plan { backends, ..plan(&session, operator, supply, &mut notes)? };
    let sealed = pipeline::run(&session.discovery, &session.environment, &plan, &mut notes, &|stage| {
        watch.enter(stage);
    })?;
    Ok(Outcome { stdout: pipeline::emit(&sealed, Format::Json), notes, ..Outcome::default() })
}

/// A run in which all Secrets go to backends that store references: it needs no key, no certificate and no credential. The
/// policy of an operator file is asked all the same.
fn referring(
    session: &Session,
    backends: Backends,
    watch: &Watch,
    mut notes: Vec<Note>,
) -> Result<Outcome, Failure> {
    let operator = session.operator.as_ref();
    let policy = operator.map(|file| Policy::of(file.operator())).transpose()?;
    let known = operator.map(|file| file.operator().providers.keys().cloned().collect());
    let subject = session.subject();
    if let Some(operator) = operator {
        watch.allow(Duration::from_secs(operator.operator().deadline_seconds));
    }
    let plan = Plan {
        context: session.context()?,
        supply: Supply::Refer {
            known: known.as_ref(),
            access: policy
                .as_ref()
                .map_or(Access::Unchecked, |policy| access(session, policy, &subject, &mut notes)),
            default_provider: session.default_provider()?,
        },
        backends,
        sealing: Sealing::Nothing,
        checksums: checksum_key(operator)?,
    };
    let sealed = pipeline::run(&session.discovery, &session.environment, &plan, &mut notes, &|stage| {
        watch.enter(stage);
    })?;
    Ok(Outcome { stdout: pipeline::emit(&sealed, Format::Json), notes, ..Outcome::default() })
}

/// The operator's key where there is one. Without it a public one will do: references are no secrets.
fn checksum_key(operator: Option<&OperatorFile>) -> Result<ChecksumKey, Failure> {
    match operator {
        Some(operator) if operator.operator().seal_key_file.is_some() => {
            operator.checksum_key(&operator.seal_key()?)
        }
        _ => Ok(ChecksumKey::references()),
    }
}

fn plan<'a>(
    session: &Session,
    operator: &OperatorFile,
    supply: Supply<'a>,
    notes: &mut Vec<Note>,
) -> Result<Plan<'a>, Failure> {
    let key = operator.seal_key()?;
    let checksums = operator.checksum_key(&key)?;
    let certificate = operator.certificate(&session.cluster()?, SystemTime::now(), notes)?;
    let project = session.identity.project.clone().unwrap_or_default();
    let epoch = operator.operator().epoch.clone();
    Ok(Plan {
        context: session.context()?,
        supply,
        backends: Backends::default(),
        sealing: Sealing::Deterministic(Box::new(Sealer { key, certificate, project, epoch })),
        checksums,
    })
}

/// The audit that the operator asks for, opened before anything is fetched.
fn audit(session: &Session, operator: &OperatorFile, subject: &Subject) -> Result<Option<AuditLog>, Failure> {
    let Some((file, stderr)) = operator.audit() else { return Ok(None) };
    let log = AuditLog::open(file.as_deref(), stderr, session.discovery.boundary(), subject.clone());
    Ok(Some(log.map_err(|error| Problem::new(&error))?))
}

fn access<'a>(
    session: &Session,
    policy: &'a Policy,
    subject: &'a Subject,
    notes: &mut Vec<Note>,
) -> Access<'a> {
    if session.identity.project.is_some() {
        Access::Checked { policy, subject }
    } else {
        notes.push(Note::remark(Problem::new(&Remark::NoProject)));
        Access::Unchecked
    }
}
