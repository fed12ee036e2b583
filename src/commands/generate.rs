//! `generate`: the manifests of one environment, sealed, as JSON documents.

use std::time::{Duration, SystemTime};

use super::Outcome;
use super::session::{Flags, Session};
use crate::cli::GenerateArgs;
use crate::config::{ConfigError, OperatorFile, Variables};
use crate::crypto::Sealer;
use crate::deadline::Watch;
use crate::diagnostic::{Explain, Failure, Note, Problem};
use crate::model::Policy;
use crate::pipeline::{self, Access, Format, Plan, Sealing, Supply};
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
    let flags =
        Flags { dir: args.dir.dir, environment: args.env, operator: args.operator, identity: args.identity };
    let session = Session::open(flags, variables)?;
    let Some(operator) = &session.operator else {
        return Err(Problem::new(&ConfigError::NoOperatorFile).into());
    };
    watch.allow(Duration::from_secs(operator.operator().deadline_seconds));
    let policy = Policy::new(&operator.operator().policy)?;
    let protected = operator.protected_files();
    let app = AppFiles {
        directory: session.discovery.directory().to_owned(),
        boundary: session.discovery.boundary().to_owned(),
    };
    let providers =
        Providers::new(&operator.operator().providers, operator.directory(), &protected, &app, variables)?;
    let plan = plan(&session, operator, &policy, &providers, watch, &mut notes)?;
    let sealed = pipeline::run(&session.discovery, &session.environment, &plan, &mut notes, &|stage| {
        watch.enter(stage);
    })?;
    Ok(Outcome { stdout: pipeline::emit(&sealed, Format::Json), notes })
}

fn plan<'a>(
    session: &'a Session,
    operator: &OperatorFile,
    policy: &'a Policy,
    providers: &'a Providers,
    watch: &Watch,
    notes: &mut Vec<Note>,
) -> Result<Plan<'a>, Failure> {
    let key = operator.seal_key()?;
    let checksums = operator.checksum_key(&key)?;
    let certificate = operator.certificate(&session.cluster()?, SystemTime::now(), notes)?;
    let project = session.identity.project.clone().unwrap_or_default();
    let epoch = operator.operator().epoch.clone();
    Ok(Plan {
        context: session.context()?,
        supply: Supply::Fetch {
            providers,
            access: access(session, policy, notes),
            default_provider: session.default_provider()?,
            deadline: watch.deadline(),
        },
        sealing: Sealing::Deterministic(Box::new(Sealer { key, certificate, project, epoch })),
        checksums,
    })
}

fn access<'a>(session: &'a Session, policy: &'a Policy, notes: &mut Vec<Note>) -> Access<'a> {
    if let Some(project) = &session.identity.project {
        Access::Checked { policy, project }
    } else {
        notes.push(Note::remark(Problem::new(&Remark::NoProject)));
        Access::Unchecked
    }
}
