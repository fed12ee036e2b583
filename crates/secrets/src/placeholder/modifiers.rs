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
//! docs/policy.md lists what remains visible. `Debug` prints nothing of it.

use super::json_path::{JsonPath, JsonTemplate};

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

/// A modifier that removes something from a value and adds nothing.
#[derive(Clone, PartialEq, Eq)]
pub enum Decoder {
    /// Decodes standard base64.
    Base64Decode,
    /// Selects a part of a JSON document, or all of it.
    JsonPath(JsonPath),
    /// Removes ASCII whitespace at both ends.
    Trim,
    /// Converts a YAML document to JSON, or to its text if it is one scalar.
    YamlParse,
}

/// A modifier that formats a value for its destination.
#[derive(Clone, PartialEq, Eq)]
pub enum Encoder {
    /// Standard base64 with padding.
    Base64,
    /// Adds this many spaces after every newline except one that ends the value: to all lines but the first.
    Indent(usize),
    /// A JSON string literal with its quotes.
    Json,
    /// Several parts of a JSON document, or parts with text around them.
    JsonTemplate(JsonTemplate),
    /// SHA-256 in lower-case hex.
    Sha256,
    /// Percent-encoding of everything but RFC 3986's unreserved characters; a space is `%20`.
    UrlEncode,
}

/// One modifier as parsed.
pub(super) enum Modifier {
    Decoder(Decoder),
    Default(String),
    Encoder(Encoder),
}

impl Modifier {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Decoder(decoder) => decoder.name(),
            Self::Default(_) => "default",
            Self::Encoder(encoder) => encoder.name(),
        }
    }
}

/// The names of all modifiers, in alphabetical order.
pub(super) const NAMES: [&str; 11] = [
    "base64",
    "base64decode",
    "default",
    "indent",
    "json",
    "jsonParse",
    "jsonPath",
    "sha256",
    "trim",
    "urlencode",
    "yamlParse",
];

/// The form of a pipeline, for hints.
pub(super) const PIPELINE_FORM: &str = "the order is: decoders (`base64decode`, `jsonParse`, `jsonPath` with a single path, `trim`, \
     `yamlParse`; each at most once), then `default`, then one encoder (`base64`, `indent`, `json`, `sha256`, `urlencode`, \
     or `jsonPath` with text or several paths), last";

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
            write_named(out, "default");
            write_quoted(out, text);
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

impl Decoder {
    /// Returns its name, which identifies its kind: a path to the whole document is `jsonParse`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Base64Decode => "base64decode",
            Self::JsonPath(path) if path.steps().is_empty() => "jsonParse",
            Self::JsonPath(_) => "jsonPath",
            Self::Trim => "trim",
            Self::YamlParse => "yamlParse",
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            // The unresolved text is part of the derivation, so `jsonParse` keeps being written as the path that it is.
            Self::JsonPath(path) => {
                write_named(out, "jsonPath");
                write_quoted(out, path.source());
            }
            Self::Base64Decode | Self::Trim | Self::YamlParse => write_named(out, self.name()),
        }
    }
}

impl Encoder {
    /// Returns its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Indent(_) => "indent",
            Self::Json => "json",
            Self::JsonTemplate(_) => "jsonPath",
            Self::Sha256 => "sha256",
            Self::UrlEncode => "urlencode",
        }
    }

    fn write(&self, out: &mut String) {
        write_named(out, self.name());
        match self {
            Self::Indent(spaces) => {
                out.push(' ');
                out.push_str(&spaces.to_string());
            }
            Self::JsonTemplate(template) => write_quoted(out, template.source()),
            Self::Base64 | Self::Json | Self::Sha256 | Self::UrlEncode => {}
        }
    }
}

fn write_named(out: &mut String, name: &str) {
    out.push_str(" | ");
    out.push_str(name);
}

fn write_quoted(out: &mut String, text: &str) {
    out.push_str(" \"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
}
