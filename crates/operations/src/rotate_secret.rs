//! `rotate aws-secret`: starts the rotation that Secrets Manager has for a secret, and follows it.
//!
//! A rotation prepares a version with the stage `AWSPENDING`, which becomes `AWSCURRENT`. AWS keeps how far it is, so no
//! journal is needed: a later run follows the same rotation.

use std::time::Duration;

use sealwave_core::diagnostic::Explain;
use sealwave_core::text::shell_quoted;
use sealwave_providers::aws_account::{AwsAccount, AwsError, AwsErrorKind, SecretDescription};

use crate::clock::{self, Clock};
use crate::plan::{Plan, StepUndo};
use crate::progress::Progress;

/// The time between two looks.
const PAUSE: Duration = Duration::from_secs(3);

/// An error of a rotation by Secrets Manager.
#[derive(Debug, thiserror::Error)]
pub enum SecretRotationError {
    /// A call failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The secret is marked for deletion.
    #[error("secret `{0}` is marked for deletion")]
    Deleted(String),
    /// The version that was prepared is gone, and did not become the current one.
    #[error("the rotation of secret `{0}` was given up by AWS")]
    GivenUp(String),
    /// No rotation is set up.
    #[error("secret `{0}` has no rotation")]
    NoRotation(String),
    /// AWS does not start the rotation.
    #[error("AWS does not start the rotation of secret `{name}`: {error}")]
    NotStarted {
        /// The secret.
        name: String,
        /// The cause.
        error: AwsError,
    },
    /// The rotation is not complete in time.
    #[error("the rotation of secret `{name}` is not complete after {}: version `{version}` is pending", clock::period(*.waited))]
    StillPending {
        /// The secret.
        name: String,
        /// The version.
        version: String,
        /// The time.
        waited: Duration,
    },
}

impl Explain for SecretRotationError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Aws(error) => return error.hint(),
            Self::Deleted(name) => format!("`aws secretsmanager restore-secret --secret-id {}` cancels that", shell_quoted(name)),
            Self::GivenUp(_) => "read the log of its Lambda function in CloudWatch, and run the command again".to_owned(),
            Self::NoRotation(name) => format!(
                "set one up with a Lambda function (`aws secretsmanager rotate-secret --secret-id {} --rotation-lambda-arn …`), or write a new value with `sealwave put`",
                shell_quoted(name)
            ),
            Self::NotStarted { error, .. } => match error.kind {
                AwsErrorKind::Denied => "allow `secretsmanager:RotateSecret` on this secret and `lambda:InvokeFunction` on its function, and let the function's policy allow `secretsmanager.amazonaws.com`".to_owned(),
                AwsErrorKind::NotUsable => "an earlier rotation may be incomplete, or its Lambda function may not exist any more: see `aws secretsmanager describe-secret`".to_owned(),
                _ => return error.hint(),
            },
            Self::StillPending { .. } => "run the command again to continue following it; the log of its Lambda function in CloudWatch tells why it fails, often for lack of `kms:Decrypt`, `kms:GenerateDataKey` or network access".to_owned(),
        })
    }
}

/// A rotation of one secret.
pub struct SecretRotation<'a> {
    /// The account.
    pub account: &'a AwsAccount,
    /// The name or ARN of the secret.
    pub name: &'a str,
    /// The time in which the rotation must be complete.
    pub wait: Duration,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The receiver of progress.
    pub progress: &'a dyn Progress,
}

impl SecretRotation<'_> {
    /// Plans the rotation. Changes nothing.
    ///
    /// # Errors
    /// A call fails, or the secret cannot be rotated.
    pub fn plan(&self) -> Result<Plan, SecretRotationError> {
        let found = self.describe()?;
        let last = found.last_rotated.map_or_else(|| "never".to_owned(), clock::utc);
        let plan = Plan::new("rotate aws-secret")
            .with_fact("secret", self.name)
            .with_fact("version", found.current.as_deref().unwrap_or("none"))
            .with_fact("rotated", last);
        let undo = "move the stage `AWSCURRENT` back, if the old credential still works where it is used";
        let start = match pending(&found) {
            Some(version) => format!("follow the rotation that is in progress, with version `{version}`"),
            None => "start the rotation that Secrets Manager has for it".to_owned(),
        };
        Ok(plan.with_step("rotate", start, StepUndo::By(undo.to_owned())).with_step(
            "follow",
            format!("wait until the new version is current, for at most {}", clock::period(self.wait)),
            StepUndo::Unneeded,
        ))
    }

    /// Starts the rotation, or follows the one that is in progress, until it is complete. Returns a sentence with the
    /// versions.
    ///
    /// # Errors
    /// AWS does not start it, gives it up, or does not complete it in time.
    pub fn run(&self) -> Result<String, SecretRotationError> {
        let found = self.describe()?;
        let before = found.current.clone().unwrap_or_default();
        self.progress.phase(&format!("rotating secret `{}`", self.name));
        let target = match pending(&found) {
            Some(version) => Some(version),
            None => self
                .account
                .rotate_secret(self.name)
                .map_err(|error| SecretRotationError::NotStarted { name: self.name.to_owned(), error })?,
        };
        let after = self.follow(&before, target)?;
        Ok(format!("rotated `{}`: version `{before}` before, `{after}` now", self.name))
    }

    /// Waits until the version is current, and returns it.
    fn follow(&self, before: &str, target: Option<String>) -> Result<String, SecretRotationError> {
        let started = self.clock.now();
        let mut target = target;
        loop {
            let waited = self.clock.now().duration_since(started).unwrap_or_default();
            match self.account.describe_secret(self.name) {
                Ok(found) => {
                    let current = found.current.clone().unwrap_or_default();
                    if current != before && target.as_ref().is_none_or(|target| *target == current) {
                        return Ok(current);
                    }
                    match (&target, pending(&found)) {
                        (Some(_), None) if waited > PAUSE * 2 => {
                            return Err(SecretRotationError::GivenUp(self.name.to_owned()));
                        }
                        (None, Some(version)) => target = Some(version),
                        _ => {}
                    }
                }
                Err(error) if matches!(error.kind, AwsErrorKind::NoResponse | AwsErrorKind::Throttled) => {}
                Err(error) => return Err(error.into()),
            }
            if waited >= self.wait {
                let (name, version) = (self.name.to_owned(), target.unwrap_or_else(|| "unknown".to_owned()));
                return Err(SecretRotationError::StillPending { name, version, waited });
            }
            self.progress.advance(waited.as_secs().min(self.wait.as_secs()), self.wait.as_secs());
            self.clock.wait(PAUSE);
        }
    }

    fn describe(&self) -> Result<SecretDescription, SecretRotationError> {
        let found = self.account.describe_secret(self.name)?;
        if found.deleted {
            return Err(SecretRotationError::Deleted(self.name.to_owned()));
        }
        if !found.rotates {
            return Err(SecretRotationError::NoRotation(self.name.to_owned()));
        }
        Ok(found)
    }
}

/// Returns the version that a rotation prepares; after its end, both stages are on one version.
fn pending(found: &SecretDescription) -> Option<String> {
    found.pending.clone().filter(|pending| Some(pending) != found.current.as_ref())
}

#[cfg(test)]
mod tests;
