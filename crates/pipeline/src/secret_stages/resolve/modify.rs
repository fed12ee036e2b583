//! Applies modifiers to values. Pure; errors contain nothing of the value.

use crate::modifiers::{Function, FunctionError, MAX_BYTES, decoder_row, encoder_row};
use sealwave_secrets::placeholder::Modifiers;
use sealwave_secrets::values::SecretValue;

/// A modifier that has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ModifierError {
    pub(super) modifier: &'static str,
    pub(super) reason: &'static str,
}

/// The result of applying modifiers to a value.
pub(super) enum ModifiedValue {
    /// The new value.
    Value(SecretValue),
    /// The reference was not found.
    NotFound,
    /// A modifier selected something that the value does not have.
    NothingSelected(ModifierError),
    /// A modifier cannot be applied.
    Failed(ModifierError),
}

impl ModifiedValue {
    /// Applies a function to the value, if there is one.
    fn apply(self, modifier: &'static str, function: &Function<'_>) -> Self {
        let Self::Value(value) = self else { return self };
        let new_error = |reason| ModifierError { modifier, reason };
        match function(value.expose()) {
            Ok(value) if value.len() > MAX_BYTES => Self::Failed(new_error(FunctionError::TOO_LARGE)),
            Ok(value) => Self::Value(value),
            Err(FunctionError::Invalid(reason)) => Self::Failed(new_error(reason)),
            Err(FunctionError::Missing(reason)) => Self::NothingSelected(new_error(reason)),
        }
    }

    /// Replaces a missing value; a failed modifier stays an error.
    fn or_default(self, default: Option<&String>) -> Self {
        match (self, default) {
            (Self::NotFound | Self::NothingSelected(_), Some(default)) => {
                Self::Value(SecretValue::new(default.as_bytes().to_vec()))
            }
            (other, _) => other,
        }
    }
}

/// Applies modifiers to a value. Without a value, only `default` can provide one.
pub(super) fn apply(fetched: Option<&SecretValue>, modifiers: &Modifiers) -> ModifiedValue {
    let mut state = fetched.cloned().map_or(ModifiedValue::NotFound, ModifiedValue::Value);
    for decoder in &modifiers.decoders {
        state = state.apply(decoder.name(), &decoder_row(decoder).function);
    }
    state = state.or_default(modifiers.default.as_ref());
    match &modifiers.encoder {
        Some(encoder) => state.apply(encoder.name(), &encoder_row(encoder).function),
        None => state,
    }
}
