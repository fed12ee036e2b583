//! The expectations of settings in plain words: serde's name types of Rust.

use std::fmt;

use serde::de::Expected;

use sealwave_core::text::quoted_list;

/// The kind of value that a setting takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expectation {
    Boolean,
    List,
    Mapping,
    String,
    /// A mapping with these fields, if they are known.
    Struct(&'static [&'static str]),
    /// Other words.
    Text(String),
    /// A number with its unit.
    WholeNumber(&'static str),
}

impl Expectation {
    /// Translates serde's words.
    pub(super) fn of(expected: &dyn Expected) -> Self {
        let text = expected.to_string();
        match text.as_str() {
            "a boolean" => Self::Boolean,
            "a sequence" => Self::List,
            "a map" => Self::Mapping,
            "a string" | "path string" => Self::String,
            "i8" | "i16" | "i32" | "i64" | "isize" | "u8" | "u16" | "u32" | "u64" | "usize" => {
                Self::WholeNumber("")
            }
            _ if text.starts_with("struct ") => Self::Struct(&[]),
            _ => Self::Text(text),
        }
    }

    /// Adds the fields of a struct.
    pub(super) fn with_fields(self, fields: &'static [&'static str]) -> Self {
        if self == Self::Struct(&[]) { Self::Struct(fields) } else { self }
    }

    /// Adds the unit that the name of the field states.
    pub(super) fn of_field(self, field: &str) -> Self {
        match self {
            Self::WholeNumber(_) if field.ends_with("Seconds") => Self::WholeNumber(" of seconds"),
            Self::WholeNumber(_) if field.ends_with("MiB") => Self::WholeNumber(" of MiB"),
            other => other,
        }
    }

    /// Returns how to write the value of a field, or of an item of its list; `None` if the expectation says it.
    pub(super) fn hint(&self, field: &str, is_item: bool) -> Option<String> {
        let written = |value: &str| {
            if is_item { format!("write the item as `{value}`") } else { format!("write `{field}: {value}`") }
        };
        match self {
            Self::List => Some(written("[…]") + ", or each item on its own line after `- `"),
            Self::Mapping => Some(written("{NAME: …}") + ", or `NAME: …` on an indented line"),
            Self::Struct(fields) => {
                let first = fields.first().copied().unwrap_or("NAME");
                Some(written(&format!("{{{first}: …}}")) + &format!(", or `{first}: …` on an indented line"))
            }
            Self::String => Some("write a single text, in quotes if it contains `: `, `{` or `[`".to_owned()),
            Self::WholeNumber(_) => {
                Some("write the digits only, without a unit and without quotes".to_owned())
            }
            Self::Boolean | Self::Text(_) => None,
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("`true` or `false`, without quotes"),
            Self::List => f.write_str("a list"),
            Self::Mapping | Self::Struct([]) => f.write_str("a mapping"),
            Self::Struct(fields) => write!(f, "a mapping with {}", quoted_list(fields)),
            Self::String => f.write_str("a string"),
            Self::Text(text) => f.write_str(text),
            Self::WholeNumber(unit) => write!(f, "a whole number{unit}"),
        }
    }
}

/// Lists names as alternatives.
pub(super) fn one_of(names: &[&str]) -> String {
    match names {
        [one] => format!("`{one}`"),
        [one, other] => format!("`{one}` or `{other}`"),
        names => format!("one of {}", quoted_list(names)),
    }
}
