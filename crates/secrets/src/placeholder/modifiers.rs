//! The modifiers of a placeholder: a pipeline of one fixed form, the only one that these types can represent.
//!
//! ```text
//! { decoder } [ default ] [ encoder ]
//! ```
//!
//! The lengths of sealed values are visible, so each modifier lets the author of a placeholder measure the value once.
//! One measurement is harmless. Free composition is not: the author could build a text around the value and parse it
//! again with a guess, or hash the value repeatedly and measure each hash. The fixed form prevents that:
//!
//! * **Decoders** come first and only remove: none of them adds a byte chosen by the author. Each kind may be used
//!   once, in any order: `jsonPath {.cert} | base64decode` and `base64decode | yamlParse | jsonPath {.a}` both occur in
//!   real apps. A repeated decoder is refused: each repetition would reveal one more bit about the value's bytes. `#key
//!   | jsonPath {.a}` covers JSON within JSON.
//! * **`default`** replaces a value that does not exist, so it never mixes with one that does.
//! * **One encoder** comes last. Encoders add text, or hide the value behind a digest; nothing may process their
//!   result. A `jsonPath` that has text of its own or joins several pieces is therefore an encoder.
//!
//! [`modifier_table`] has the modifiers; docs/operating/policy.md lists what remains visible. `Debug` prints nothing of it.

use super::modifier_table::{self, Decoder, Encoder, Modifier};

/// The modifiers of one placeholder, in their only possible order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Modifiers {
    /// The modifiers that extract the value.
    pub decoders: Decoders,
    /// The text to use if the value does not exist: the reference was not found, or a decoder found nothing.
    pub default: Option<String>,
    /// The modifier that formats the value for the surrounding text.
    pub encoder: Option<Encoder>,
}

/// Decoders in the order in which they apply, each kind at most once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Decoders(Vec<Decoder>);

/// A reason why a modifier is not allowed at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misplacement {
    /// Only an encoder may follow `default`.
    #[error("cannot follow `default`")]
    AfterDefault,
    /// Nothing may follow an encoder.
    #[error("cannot follow the encoder `{0}`, which comes last")]
    AfterEncoder(&'static str),
    /// The modifier is repeated.
    #[error("is used more than once")]
    Repeated,
}

impl Modifiers {
    /// Returns the names of all modifiers in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let default = self.default.as_ref().map(|_| "default");
        self.decoders.iter().map(Decoder::name).chain(default).chain(self.encoder.as_ref().map(Encoder::name))
    }

    /// Reports whether a modifier contains text of the author that becomes part of the result.
    pub(super) const fn adds_text(&self) -> bool {
        self.default.is_some() || matches!(self.encoder, Some(Encoder::JsonTemplate(_)))
    }

    /// Appends a modifier.
    ///
    /// # Errors
    /// Fails if the modifier is not allowed at this position.
    pub(super) fn add(&mut self, modifier: Modifier) -> Result<(), Misplacement> {
        if let Some(last) = &self.encoder {
            return Err(Misplacement::AfterEncoder(last.name()));
        }
        match modifier {
            Modifier::Decoder(_) if self.default.is_some() => Err(Misplacement::AfterDefault),
            Modifier::Decoder(decoder) => self.decoders.push(decoder),
            Modifier::Default(_) if self.default.is_some() => Err(Misplacement::Repeated),
            Modifier::Default(text) => {
                self.default = Some(text);
                Ok(())
            }
            Modifier::Encoder(encoder) => {
                self.encoder = Some(encoder);
                Ok(())
            }
        }
    }

    /// Writes the modifiers in parsable form, each after a `|`.
    pub(super) fn write(&self, out: &mut String) {
        for decoder in &self.decoders {
            decoder.write(out);
        }
        if let Some(text) = &self.default {
            modifier_table::write_default(out, text);
        }
        if let Some(encoder) = &self.encoder {
            encoder.write(out);
        }
    }
}

impl Decoders {
    /// Appends a decoder.
    ///
    /// # Errors
    /// Fails if a decoder of this kind exists already.
    pub fn push(&mut self, decoder: Decoder) -> Result<(), Misplacement> {
        if self.iter().any(|other| other.name() == decoder.name()) {
            return Err(Misplacement::Repeated);
        }
        self.0.push(decoder);
        Ok(())
    }

    /// Returns the decoders in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Decoder> {
        self.0.iter()
    }

    /// Returns the decoders as a slice, for patterns.
    #[must_use]
    pub fn as_slice(&self) -> &[Decoder] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a Decoders {
    type Item = &'a Decoder;
    type IntoIter = std::slice::Iter<'a, Decoder>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
