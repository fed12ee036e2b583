//! `rotate aws-secret`: starts the rotation of a secret by Secrets Manager, and follows it.

use crate::cli::RotateAwsSecretArgs;
use crate::commands::CommandOutput;
use crate::commands::aws_desk::AwsDesk;
use crate::commands::operation::{Decision, Operation};
use crate::config::{self, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Failure, Problem};
use sealwave_operations::clock::SystemClock;
use sealwave_operations::report::OperationOutcome;
use sealwave_operations::rotate_secret::SecretRotation;

pub(super) fn run(
    args: &RotateAwsSecretArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let subject = format!("rotate aws-secret {}", args.name);
    let operation = Operation::begin("rotate aws-secret", subject, &args.operation, variables, watch)?;
    let account = AwsDesk::new(&args.login, variables)?.account(Some(&args.provider))?;
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
