//! The values that `yaml_serde` gave to the types of a file.

/// A value as the YAML crate read it, without tags, anchors and positions.
#[derive(PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Trace {
    Bool(bool),
    Float(f64),
    Integer(i128),
    Mapping(Vec<(String, Self)>),
    Null,
    Sequence(Vec<Self>),
    Text(String),
    /// The type of the field did not ask for the value.
    Unread,
}
