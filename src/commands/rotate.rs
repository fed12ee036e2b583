//! `rotate`: replaces credentials without interruption.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod aws_secret;
mod controller_key;
#[cfg(feature = "aws")]
mod places;
#[cfg(feature = "aws")]
mod rollout;
#[cfg(feature = "aws")]
mod sealed;

use super::CommandOutput;
use crate::cli::RotateCommand;
use crate::config::VariableReader;
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::Failure;

#[cfg(feature = "aws")]
pub(super) fn run(
    command: &RotateCommand,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    match command {
        RotateCommand::Aws(args) => aws::run(args, variables, watch),
        RotateCommand::AwsSecret(args) => aws_secret::run(args, variables, watch),
        RotateCommand::ControllerKey(args) => controller_key::run(args, variables, watch),
    }
}

#[cfg(not(feature = "aws"))]
pub(super) fn run(
    command: &RotateCommand,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    match command {
        RotateCommand::Aws(_) => Err(super::not_built("rotate aws", "aws")),
        RotateCommand::AwsSecret(_) => Err(super::not_built("rotate aws-secret", "aws")),
        RotateCommand::ControllerKey(args) => controller_key::run(args, variables, watch),
    }
}
