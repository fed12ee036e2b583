//! The node of a schema, from the pack or from a CRD.

use std::borrow::Cow;

use compact_str::CompactString;

use super::bound::RangeBound;
use super::cel_rule::CelRule;
pub(super) use super::value_type::ValueType;
use sealwave_core::document::{Node, NodeValue, Number};
use sealwave_core::text::same_key;

/// A reference to a schema node: in the pack, or, for higher numbers, in the CRDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(pub(super) u32);

/// The format of a text or a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ValueFormat {
    #[default]
    None,
    Byte,
    Cidr,
    Date,
    DateTime,
    Duration,
    Int32,
    Int64,
    Ipv4,
    Ipv6,
    Uri,
    Uuid,
}

/// The fields that an object may have besides the declared ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExtraFields {
    /// No other fields.
    Closed,
    /// Any fields.
    Free,
    /// Any fields whose values match this node.
    Like(NodeId),
}

/// The way in which the items of a list differ.
#[derive(Debug)]
pub(super) enum ListTopology {
    /// Items need not differ.
    Atomic,
    /// By the values of these keys.
    Map(Vec<ListKey>),
    /// By their values.
    Set,
}

/// A key of a map list.
#[derive(Debug)]
pub(super) struct ListKey {
    pub(super) name: CompactString,
    /// The value of an absent key.
    pub(super) default: Option<NodeValue>,
}

/// A node of a schema.
#[derive(Debug)]
pub(super) struct SchemaNode {
    pub(super) kind: ValueType,
    pub(super) nullable: bool,
    pub(super) format: ValueFormat,
    pub(super) fields: SchemaFields,
    pub(super) rest: ExtraFields,
    pub(super) items: Option<NodeId>,
    pub(super) topology: ListTopology,
    /// The key by which a strategic merge patch merges a built-in list, or by value if it is empty.
    pub(super) merge_key: Option<&'static str>,
    /// The values of a built-in enum, in byte order; those of custom resources are in `rules`.
    pub(super) values: Vec<&'static str>,
    pub(super) rules: Option<Box<ValueRules>>,
    /// The default of a custom resource's field.
    pub(super) default: Option<Box<Node>>,
}

impl SchemaNode {
    /// A node that accepts any value.
    pub(super) const ANY: Self = Self {
        kind: ValueType::Any,
        nullable: true,
        format: ValueFormat::None,
        fields: SchemaFields::NONE,
        rest: ExtraFields::Free,
        items: None,
        topology: ListTopology::Atomic,
        merge_key: None,
        values: Vec::new(),
        rules: None,
        default: None,
    };

    /// Returns the node of undeclared fields.
    pub(super) const fn rest_id(&self) -> Option<NodeId> {
        match self.rest {
            ExtraFields::Like(id) => Some(id),
            ExtraFields::Closed | ExtraFields::Free => None,
        }
    }
}

/// The declared fields of an object.
#[derive(Debug)]
pub(super) struct SchemaFields {
    /// The fields, in byte order of their names.
    all: Vec<SchemaField>,
    required: usize,
}

/// A declared field.
#[derive(Clone, Debug)]
pub(super) struct SchemaField {
    pub(super) name: FieldName,
    pub(super) id: NodeId,
    pub(super) required: bool,
    /// A null counts as an absent field.
    pub(super) null_is_absent: bool,
    /// An absent field gets a default.
    pub(super) has_default: bool,
}

/// The name of a field, ordered by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FieldName {
    /// The first bytes, so that lookups rarely compare whole names.
    start: u64,
    text: Cow<'static, str>,
}

impl FieldName {
    pub(super) fn new(text: Cow<'static, str>) -> Self {
        Self { start: start(&text), text }
    }
}

impl SchemaField {
    /// Creates an optional field that keeps nulls and has no default.
    pub(super) fn new(name: Cow<'static, str>, id: NodeId) -> Self {
        Self { name: FieldName::new(name), id, required: false, null_is_absent: false, has_default: false }
    }

    pub(super) fn name(&self) -> &str {
        &self.name.text
    }
}

/// Returns the first eight bytes as a number that is ordered like the text.
fn start(text: &str) -> u64 {
    let bytes = text.as_bytes();
    if let Some(first) = bytes.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    // A shorter text is built from two parts, which may overlap.
    let join_parts =
        |first: u64, last: u64, width: usize| first << (64 - 8 * width) | last << (64 - 8 * bytes.len());
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return join_parts(u32::from_be_bytes(*first).into(), u32::from_be_bytes(*last).into(), 4);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return join_parts(u16::from_be_bytes(*first).into(), u16::from_be_bytes(*last).into(), 2);
    }
    bytes.first().map_or(0, |only| u64::from(*only) << 56)
}

impl SchemaFields {
    pub(super) const NONE: Self = Self { all: Vec::new(), required: 0 };

    /// Sorts fields; of two with the same name, either may be found.
    pub(super) fn new(mut all: Vec<SchemaField>) -> Self {
        all.sort_by(|a, b| a.name.cmp(&b.name));
        let required = all.iter().filter(|field| field.required).count();
        Self { all, required }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns the number of required fields.
    pub(super) const fn required(&self) -> usize {
        self.required
    }

    /// Returns all fields, in the order of their names.
    pub(super) fn iter(&self) -> impl Iterator<Item = &SchemaField> {
        self.all.iter()
    }

    pub(super) fn find(&self, name: &str) -> Option<&SchemaField> {
        let wanted = start(name);
        let from = self.all.partition_point(|field| field.name.start < wanted);
        let like = self.all.get(from..)?.iter().take_while(|field| field.name.start == wanted);
        like.into_iter().find(|field| same_key(field.name(), name))
    }
}

/// The rules of a custom resource's schema for a value, besides its type.
#[derive(Debug, Default)]
pub(super) struct ValueRules {
    pub(super) values: Option<Vec<Node>>,
    pub(super) pattern: Option<usize>,
    pub(super) minimum: Option<RangeBound<f64>>,
    pub(super) maximum: Option<RangeBound<f64>>,
    pub(super) factor: Option<f64>,
    pub(super) characters: (Option<u64>, Option<u64>),
    pub(super) items: (Option<u64>, Option<u64>),
    pub(super) fields: (Option<u64>, Option<u64>),
    pub(super) all_of: Vec<NodeId>,
    pub(super) any_of: Vec<NodeId>,
    pub(super) one_of: Vec<NodeId>,
    pub(super) not: Option<NodeId>,
    /// CEL rules, evaluated by `evaluate`.
    pub(super) validations: Vec<CelRule>,
}

/// A scalar that can be compared; `1` and `1.0` are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ComparableScalar<'a> {
    /// A boolean.
    Flag(bool),
    /// A floating-point number, as its bits.
    Float(u64),
    /// An integer.
    Int(i128),
    /// The null value.
    Null,
    /// A string.
    Text(&'a str),
}

impl<'a> ComparableScalar<'a> {
    /// Returns `None` for mappings and sequences.
    pub fn from_value(value: &'a NodeValue) -> Option<Self> {
        match value {
            NodeValue::Bool(flag) => Some(Self::Flag(*flag)),
            NodeValue::Null => Some(Self::Null),
            NodeValue::Number(number) => {
                Some(as_integer(*number).map_or_else(|| Self::Float(as_f64(*number).to_bits()), Self::Int))
            }
            NodeValue::String(text) => Some(Self::Text(text)),
            NodeValue::Mapping(_) | NodeValue::Sequence(_) => None,
        }
    }
}

/// Returns a number without a fraction: floats such as `1.0` are written as `1` before the API server sees them.
pub(super) fn as_integer(number: Number) -> Option<i128> {
    // Go writes floats from 1e21 on with an exponent, which integers must not have.
    const EXPONENT_FROM: f64 = 1e21;
    match number {
        Number::Int(int) => Some(int.into()),
        Number::Uint(uint) => Some(uint.into()),
        #[expect(clippy::cast_possible_truncation, reason = "it is within the range of i128")]
        Number::Float(float) => {
            let float = float.get();
            (float.fract() == 0.0 && float.abs() < EXPONENT_FROM).then_some(float as i128)
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "bounds of a schema are floats as well")]
pub(super) fn as_f64(number: Number) -> f64 {
    match number {
        Number::Int(int) => int as f64,
        Number::Uint(uint) => uint as f64,
        Number::Float(float) => float.get(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ordered_by_bytes() {
        let names = [
            "",
            "a",
            "ab",
            "abc",
            "abcd",
            "abcde",
            "abcdef",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "abd",
            "b",
            "ü",
        ];
        let mut fields: Vec<SchemaField> =
            names.iter().map(|name| SchemaField::new((*name).into(), NodeId(0))).collect();
        assert!(fields.is_sorted_by(|a, b| a.name < b.name));
        fields.reverse();
        let fields = SchemaFields::new(fields);
        for name in names {
            assert_eq!(fields.find(name).map(SchemaField::name), Some(name));
        }
        for name in ["abcdefgi", "abcdefghj", "aa", "c", "u"] {
            assert!(fields.find(name).is_none(), "{name}");
        }
    }
}
