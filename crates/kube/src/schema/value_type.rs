//! Types of values: those that a schema can require, and those that a value can have.

use std::fmt;

/// The type that a schema requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// Any type.
    Any,
    /// A sequence.
    Array,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A whole number or a text.
    IntOrString,
    /// A number.
    Number,
    /// A mapping.
    Object,
    /// A quantity, as a number or a text.
    Quantity,
    /// A text.
    String,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// A sequence.
    Array,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// No value.
    Null,
    /// A number with a fraction.
    Number,
    /// A mapping.
    Object,
    /// A text.
    String,
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::IntOrString => "integer or string",
            Self::Number => "number",
            Self::Object => "object",
            Self::Quantity => "string or number",
            Self::String => "string",
        })
    }
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Null => "null",
            Self::Number => "number",
            Self::Object => "object",
            Self::String => "string",
        })
    }
}
