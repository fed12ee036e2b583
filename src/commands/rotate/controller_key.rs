//! `rotate controller-key`: gives a sealed-secrets controller a new key.

mod files;

use std::path::PathBuf;

use self::files::CommittedFiles;
use crate::cli::RotateControllerKeyArgs;
use crate::commands::cert::controller_names;
use crate::commands::operation::{Decision, Operation};
use crate::commands::{CommandOutput, cluster_access};
use crate::config::{self, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_operations::backup::BackupTarget;
use sealwave_operations::clock::SystemClock;
use sealwave_operations::controller_key::{
    ControllerKeyRotation, KeyFacts, KeyRotationEnd, KeyRotationError, KeyRotationSettings, NewKeyMethod,
};
use sealwave_operations::report::OperationOutcome;
use sealwave_operations::state::OperationId;
use sealwave_operations::verify::ApplicationName;

pub(super) fn run(
    args: &RotateControllerKeyArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let names = controller_names(&args.controller);
    let subject = format!("rotate controller-key (namespace {})", names.namespace());
    let operation = Operation::begin("rotate controller-key", subject, &args.operation, variables, watch)?;
    let client = cluster_access(&args.cluster, variables).connect(watch.deadline());
    let client = client.map_err(|error| Problem::new(&error))?;
    let controller = names.find(&client).map_err(|error| Problem::new(&error))?;
    let facts = KeyFacts::read(&controller).map_err(KeyRotationError::into_failure)?;
    let settings = settings(args);
    let clock = SystemClock::starting_at(config::now(variables)?);
    let progress = operation.progress();
    let files = CommittedFiles::new(args, &operation)?;
    let rotation = ControllerKeyRotation {
        controller: &controller,
        settings: &settings,
        files: &files,
        clock: &clock,
        progress: &*progress,
        reach: &|_| Ok(()),
    };
    if args.operation.dry_run && !operation.has_state() {
        // Nothing is created for a plan.
        return Ok(operation.planned(rotation.plan(&facts, None)));
    }
    let service = controller.service();
    // A controller is known by its oldest key, which it keeps.
    let id =
        OperationId::new("rotate-controller-key", [&service.namespace, &service.service, &oldest(&facts)]);
    let journal = operation.journal(id)?;
    let plan = rotation.plan(&facts, journal.state());
    if let Decision::Stop(output) = operation.decide(&plan)? {
        return Ok(output);
    }
    operation.apply(plan, || {
        let report = rotation.run(journal).map_err(KeyRotationError::into_failure)?;
        Ok(match report.end {
            KeyRotationEnd::Done => OperationOutcome::Done,
            KeyRotationEnd::Waiting(until) => OperationOutcome::Waiting { until },
        })
    })
}

/// Returns the public key of the oldest key, which tells clusters apart.
fn oldest(facts: &KeyFacts) -> String {
    let known = facts.keys.iter().filter_map(|key| key.certificate.as_ref().ok());
    let oldest = known.min_by_key(|certificate| certificate.not_before());
    oldest.map(|certificate| certificate.details().public_key_sha256.clone()).unwrap_or_default()
}

fn settings(args: &RotateControllerKeyArgs) -> KeyRotationSettings {
    // The next run may have another working directory.
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let backup = args.backup.as_ref().map_or(BackupTarget::None, |path| BackupTarget::File {
        path: absolute(path),
        recipients: args.age_recipient.clone(),
    });
    let applications = args.application.iter().map(|name| ApplicationName {
        namespace: args.argocd_namespace.clone(),
        name: name.clone(),
        revision: None,
    });
    KeyRotationSettings {
        backup,
        method: if args.renewal { NewKeyMethod::Renewal } else { NewKeyMethod::Secret },
        key_bits: args.key_size,
        restart: args.restart_controller,
        wait: args.wait,
        applications: applications.collect(),
        pinned: args.write.clone(),
    }
}
