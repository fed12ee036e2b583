//! `rotate aws-secret`: starts the rotation of a secret by Secrets Manager, and follows it.

use crate::cli::RotateAwsSecretArgs;
use crate::commands::CommandOutput;
use crate::commands::aws_desk::AwsDesk;
use crate::commands::operation::{Decision, Operation};
use crate::config::{self, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Problem};
use sealwave_operations::aws_store::StoreKind;
use sealwave_operations::clock::SystemClock;
use sealwave_operations::report::OperationOutcome;
use sealwave_operations::rotate_secret::SecretRotation;

/// A provider of a service without rotations.
#[derive(Debug, thiserror::Error)]
#[error("provider `{0}` is not of kind `aws-sm`, so its secrets have no rotation")]
struct OtherService(String);

impl Explain for OtherService {
    fn hint(&self) -> Option<String> {
        Some(
            "name one of kind `aws-sm` with `--provider`, or write a new value with `sealwave put`"
                .to_owned(),
        )
    }
}

pub(super) fn run(
    args: &RotateAwsSecretArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let subject = format!("rotate aws-secret {}", args.name);
    let operation = Operation::begin("rotate aws-secret", subject, &args.operation, variables, watch)?;
    let desk = AwsDesk::new(&args.login, variables)?;
    if desk.kind(&args.provider)? != StoreKind::SecretsManager {
        return Err(Problem::new(&OtherService(args.provider.clone())).into());
    }
    StoreKind::SecretsManager.check_name(&args.name).map_err(|error| Problem::new(&error))?;
    let account = desk.account(Some(&args.provider))?;
    let clock = SystemClock::starting_at(config::now(variables)?);
    let progress = operation.progress();
    let rotation = SecretRotation {
        account: &account,
        name: &args.name,
        wait: args.wait,
        clock: &clock,
        progress: &*progress,
    };
    let plan = rotation.plan().map_err(|error| Problem::new(&error))?;
    if let Decision::Stop(output) = operation.decide(&plan)? {
        return Ok(output);
    }
    operation.apply(plan, || {
        operation.tell(&rotation.run().map_err(|error| Problem::new(&error))?);
        Ok(OperationOutcome::Done)
    })
}
