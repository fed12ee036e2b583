//! The modifiers of a placeholder: a pipeline of one fixed shape, which these types hold and nothing else.
//!
//! ```text
//! { decoder } [ default ] [ encoder ]
//! ```
//!
//! The lengths of sealed values are visible, so each modifier lets the author of a placeholder measure the value once.
//! One measurement is harmless. A free composition is not: the author could build a text around the value and take it
//! apart again with a guess, or hash the value repeatedly and measure each hash. The shape prevents that:
//!
//! * **Decoders** come first and only take away: none of them adds a byte that the author chose. Each kind may be used
//!   once, in any order: `jsonPath {.cert} | base64decode` and `base64decode | yamlParse | jsonPath {.a}` both occur in
//!   real apps. A repeated decoder is refused: each repetition would be one more yes or no about the value's bytes.
//!   `#key | jsonPath {.a}` covers JSON within JSON.
//! * **`default`** replaces a value that does not exist, so it never mixes with one that does.
//! * **One encoder** comes last. Encoders add text, or hide the value behind a digest; nothing may look at their result.
//!   A `jsonPath` that has text of its own or joins several pieces is therefore an encoder.
//!
//! What remains visible is listed in docs/policy.md. Nothing here is printed by `Debug`.

use super::json_path::{JsonPath, JsonTemplate};

/// The modifiers of one placeholder, in the only order that exists.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Modifiers {
    /// What turns the fetched value into the wanted one.
    pub decoders: Decoders,
    /// This text where there is no value: the reference was not found, or a decoder found nothing.
    pub default: Option<String>,
    /// What writes the value for the text around it.
    pub encoder: Option<Encoder>,
}

/// Decoders in the order in which they apply, each kind at most once.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Decoders(Vec<Decoder>);

/// A modifier that takes something away from a value and adds nothing.
#[derive(Clone, PartialEq, Eq)]
pub enum Decoder {
    /// The bytes that standard base64 stands for.
    Base64Decode,
    /// A part of a JSON document, or all of it.
    JsonPath(JsonPath),
    /// Without the ASCII white space at both ends.
    Trim,
    /// The JSON of a YAML document; of a document that is one scalar, its text.
    YamlParse,
}

/// A modifier that writes a value for where it is put.
#[derive(Clone, PartialEq, Eq)]
pub enum Encoder {
    /// Standard base64 with padding.
    Base64,
    /// This many spaces after every newline except one that ends the value: all lines but the first.
    Indent(usize),
    /// A JSON string literal with its quotes.
    Json,
    /// Several parts of a JSON document, or parts with text around them.
    JsonTemplate(JsonTemplate),
    /// SHA-256 in lower-case hex.
    Sha256,
    /// Percent-encoding of all but RFC 3986's unreserved characters; a space is `%20`.
    UrlEncode,
}

/// One modifier as the parser reads it.
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

/// Every modifier as it is written, in alphabetical order.
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

/// The shape of a pipeline, for hints.
pub(super) const SHAPE: &str = "the order is: decoders (`base64decode`, `jsonParse`, `jsonPath` with a single path, `trim`, \
     `yamlParse`; each at most once), then `default`, then one encoder (`base64`, `indent`, `json`, `sha256`, `urlencode`, \
     or `jsonPath` with text or several paths), last";

/// Why a modifier may not stand where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misplacement {
    /// Only an encoder may follow `default`.
    #[error("cannot follow `default`")]
    AfterDefault,
    /// Nothing may follow an encoder.
    #[error("cannot follow the encoder `{0}`, which comes last")]
    AfterEncoder(&'static str),
    /// It is there already.
    #[error("is used more than once")]
    Repeated,
}

impl Modifiers {
    /// Returns the names of all modifiers in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let default = self.default.as_ref().map(|_| "default");
        self.decoders.iter().map(Decoder::name).chain(default).chain(self.encoder.as_ref().map(Encoder::name))
    }

    /// Returns whether one of them holds text of the author's own, which becomes part of the result.
    pub(super) const fn add_text(&self) -> bool {
        self.default.is_some() || matches!(self.encoder, Some(Encoder::JsonTemplate(_)))
    }

    /// Appends a modifier.
    ///
    /// # Errors
    /// The shape has no place for it there.
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

    /// Writes them as they are parsed, each behind a bar.
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
    /// One of its kind is there already.
    pub fn push(&mut self, decoder: Decoder) -> Result<(), Misplacement> {
        if self.iter().any(|other| other.name() == decoder.name()) {
            return Err(Misplacement::Repeated);
        }
        self.0.push(decoder);
        Ok(())
    }

    /// Returns them in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Decoder> {
        self.0.iter()
    }

    /// Returns them as a slice, for patterns.
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
    /// Returns its name, which tells the kinds apart: a path to the whole document is `jsonParse`.
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
            // The text before resolution is part of what is sealed, so `jsonParse` stays written as the path that it is.
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
