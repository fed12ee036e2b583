//! The places that the new key is written to: the source that placeholders read, or sealed files.

use sealwave_core::diagnostic::{Explain, Failure};
use sealwave_providers::aws_account::NewAccessKey;
use sealwave_secrets::values::SecretValue;

/// A place that holds the access key that workloads use.
#[expect(clippy::missing_errors_doc, reason = "each method fails with the error of its place")]
pub trait CredentialSink {
    /// Names the place, for plans and messages.
    fn name(&self) -> String;

    /// Names the objects that the key will be sealed for, if the repository decides which ones they are.
    fn destinations(&self) -> Vec<String> {
        Vec::new()
    }

    /// Tells how a write is undone.
    fn undo(&self) -> String;

    /// Returns the key that the place holds now.
    fn present_key(&self) -> Result<PresentKey, SinkError>;

    /// Returns the secret of a key if the place holds it and can be read, to continue an interrupted run.
    fn secret_of(&self, id: &str) -> Option<SecretValue>;

    /// Makes what was written reach the workloads, for example by a push. Called again by later runs while it waits.
    fn deliver(&self) -> Result<SinkDelivery, SinkError> {
        Ok(SinkDelivery::Delivered)
    }

    /// Forgets the rotation, which is complete.
    fn finish(&self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Replaces the key. Nothing else in the place changes. Returns a sentence that says what was written.
    fn write(&self, key: &NewAccessKey) -> Result<String, SinkError>;
}

/// The key in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresentKey {
    /// The id of a key.
    Id(String),
    /// There is an empty text instead of a key.
    Empty,
    /// There is another text instead of a key. It is not shown: it may be a secret in the wrong place.
    NotAKey,
    /// It cannot be read, because it is sealed.
    Unreadable,
}

/// Whether what was written is on its way to the workloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkDelivery {
    /// It is.
    Delivered,
    /// It has to wait for this.
    Waiting(String),
}

/// The error of a place, in the words of that place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SinkError {
    message: String,
    hint: Option<String>,
}

impl SinkError {
    /// Takes over the message and the hint of an error.
    #[must_use]
    pub fn new(error: &(impl Explain + ?Sized)) -> Self {
        Self { message: error.to_string(), hint: error.hint() }
    }

    /// Takes over the messages of a failure and its first hint.
    #[must_use]
    pub fn of_failure(failure: &Failure) -> Self {
        let hint = failure.problems().iter().find_map(|problem| problem.hint.clone());
        Self { message: failure.to_string(), hint }
    }

    /// Names the place of the error.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

impl Explain for SinkError {
    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}
