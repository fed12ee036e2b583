//! Items of sealed files that are a text with both parts of an access key.

use sealwave_providers::aws_account::NewAccessKey;
use sealwave_secrets::values::{SecretBuffer, SecretValue};

use super::sealed_error::{SealedSinkError, TEMPLATE_MARKS};
use super::sink::SinkError;

/// An item whose value is a text with the id and the secret, such as a `credentials` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTemplate {
    pub(super) key: String,
    text: String,
}

impl SealedTemplate {
    /// Creates a template from its text.
    ///
    /// # Errors
    /// The text lacks a part of the key.
    pub fn new(key: &str, text: String) -> Result<Self, SinkError> {
        match TEMPLATE_MARKS.into_iter().find(|mark| !text.contains(mark)) {
            Some(mark) => Err(SinkError::new(&SealedSinkError::Template(key.to_owned(), mark))),
            None => Ok(Self { key: key.to_owned(), text }),
        }
    }

    pub(super) fn value(&self, key: &NewAccessKey) -> SecretValue {
        let mut out = SecretBuffer::with_capacity(self.text.len() + 128);
        let mut rest = self.text.as_str();
        loop {
            let found =
                TEMPLATE_MARKS.iter().enumerate().filter_map(|(index, mark)| Some((rest.find(mark)?, index)));
            let Some((at, index)) = found.min() else { break };
            out.push(rest.get(..at).unwrap_or("").as_bytes());
            out.push(if index == 0 { key.id.as_bytes() } else { key.secret.expose() });
            rest = rest.get(at + TEMPLATE_MARKS[index].len()..).unwrap_or("");
        }
        out.push(rest.as_bytes());
        out.into_value()
    }
}
