//! Runtime values and their comparison.
//!
//! A value may come from an object that contains a credential by mistake, so `Debug` shows only the type.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::ast::Literal;
use super::budget::{Budget, Stop};
use crate::Quantity;

/// A value.
#[derive(Clone)]
pub enum Value {
    Bool(bool),
    Bytes(Arc<[u8]>),
    Cidr(IpAddr, u8),
    Double(f64),
    /// Nanoseconds.
    Duration(i64),
    /// A named format of Kubernetes' library.
    Format(&'static str),
    Int(i64),
    Ip(IpAddr),
    List(Arc<List>),
    Map(Arc<Map>),
    Null,
    /// A value exists, but rules cannot see it.
    Opaque,
    Optional(Option<Arc<Self>>),
    Quantity(Quantity),
    Text(Arc<str>),
    /// Nanoseconds since 1970.
    Timestamp(i128),
    Type(&'static str),
    Uint(u64),
    /// Unknown whether a value exists: a default or another program may set it.
    Unknown,
}

/// A list.
#[derive(Default)]
pub struct List {
    pub(crate) items: Vec<Value>,
    /// Whether comparison ignores the order, as in sets and lists with keys.
    pub(crate) is_unordered: bool,
}

/// A map or an object.
#[derive(Default)]
pub struct Map {
    pub(crate) entries: BTreeMap<Arc<str>, Value>,
    /// The meaning of absent fields.
    pub(crate) kind: MapKind,
}

/// The meaning of absent fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapKind {
    /// A map: absent keys do not exist.
    #[default]
    Data,
    /// An object with a schema.
    Object,
    /// An object in which only these fields, sorted, are known to be absent. Any other absent field may get a value
    /// later.
    Partial(&'static [&'static str]),
}

impl Value {
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(List { items, is_unordered: false }))
    }

    pub fn map(entries: BTreeMap<Arc<str>, Self>, kind: MapKind) -> Self {
        Self::Map(Arc::new(Map { entries, kind }))
    }

    /// Returns the type's name in CEL, or `None` if rules cannot rely on it.
    pub(super) fn type_name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Bool(_) => "bool",
            Self::Bytes(_) => "bytes",
            Self::Double(_) => "double",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Int(_) => "int",
            Self::List(_) => "list",
            Self::Map(map) if map.kind == MapKind::Data => "map",
            Self::Null => "null_type",
            Self::Text(_) => "string",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Type(_) => "type",
            Self::Uint(_) => "uint",
            _ => return None,
        })
    }

    /// Fails if rules cannot see the value.
    pub(super) fn visible(self) -> Result<Self, Stop> {
        match self {
            Self::Opaque | Self::Unknown => Err(Stop::Unknown),
            value => Ok(value),
        }
    }
}

impl From<&Literal> for Value {
    fn from(literal: &Literal) -> Self {
        match literal {
            Literal::Bool(flag) => Self::Bool(*flag),
            Literal::Bytes(bytes) => Self::Bytes(Arc::clone(bytes)),
            Literal::Double(number) => Self::Double(*number),
            Literal::Int(number) => Self::Int(*number),
            Literal::Null => Self::Null,
            Literal::Text(text) => Self::Text(Arc::clone(text)),
            Literal::Uint(number) => Self::Uint(*number),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name().unwrap_or("value"))
    }
}

/// Compares two values for equality; values of different types differ, except numbers.
pub(super) fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, Stop> {
    budget.spend(1)?;
    Ok(match (left, right) {
        (Value::Opaque | Value::Unknown, _) | (_, Value::Opaque | Value::Unknown) => {
            return Err(Stop::Unknown);
        }
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.spend_bytes(a.len())?;
            a == b
        }
        (Value::Cidr(a, length), Value::Cidr(b, other)) => a == b && length == other,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Ip(a), Value::Ip(b)) => a == b,
        (Value::List(a), Value::List(b)) => lists_equal(a, b, budget)?,
        (Value::Map(a), Value::Map(b)) => maps_equal(a, b, budget)?,
        (Value::Null, Value::Null) => true,
        (Value::Optional(a), Value::Optional(b)) => match (a, b) {
            (Some(a), Some(b)) => equal(a, b, budget)?,
            (None, None) => true,
            _ => false,
        },
        (Value::Quantity(a), Value::Quantity(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => {
            budget.spend_bytes(a.len())?;
            a == b
        }
        (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::Format(_), Value::Format(_)) => return Err(Stop::Unknown),
        _ => numbers(left, right) == Some(Ordering::Equal),
    })
}

fn lists_equal(left: &List, right: &List, budget: &mut Budget) -> Result<bool, Stop> {
    if left.items.len() != right.items.len() {
        return Ok(false);
    }
    let same = all_equal(left.items.iter().zip(&right.items), budget);
    let is_set = left.items.iter().all(|item| !matches!(item, Value::List(_) | Value::Map(_)));
    if left.is_unordered && is_set && same == Ok(false) {
        let mut is_in = |item: &Value| super::eval::has_item(right, item, budget);
        for item in &left.items {
            if !is_in(item)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    // Lists with keys may be equal in a different order.
    if left.is_unordered && left.items.len() > 1 && !matches!(same, Ok(true)) {
        Err(Stop::Unknown)
    } else {
        same
    }
}

fn maps_equal(left: &Map, right: &Map, budget: &mut Budget) -> Result<bool, Stop> {
    let is_incomplete = |map: &Map| {
        matches!(map.kind, MapKind::Partial(_))
            || map.entries.values().any(|value| matches!(value, Value::Unknown))
    };
    budget.spend(left.entries.len() + right.entries.len())?;
    if is_incomplete(left) || is_incomplete(right) {
        return Err(Stop::Unknown);
    }
    if !left.entries.keys().eq(right.entries.keys()) {
        return Ok(false);
    }
    all_equal(left.entries.values().zip(right.entries.values()), budget)
}

/// Reports whether all pairs are equal: a difference outweighs a pair that cannot be compared.
fn all_equal<'a>(
    pairs: impl Iterator<Item = (&'a Value, &'a Value)>,
    budget: &mut Budget,
) -> Result<bool, Stop> {
    let mut undecided = None;
    for (a, b) in pairs {
        match equal(a, b, budget) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(Stop::Unknown) => undecided = Some(Stop::Unknown),
            Err(stop) => return Err(stop),
        }
    }
    undecided.map_or(Ok(true), Err)
}

/// Orders two values; fails if CEL does not order them.
pub(super) fn compare(left: &Value, right: &Value, budget: &mut Budget) -> Result<Ordering, Stop> {
    match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        (Value::Bytes(a), Value::Bytes(b)) => {
            budget.spend_bytes(a.len())?;
            Ok(a.cmp(b))
        }
        (Value::Duration(a), Value::Duration(b)) => Ok(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => {
            budget.spend_bytes(a.len())?;
            Ok(a.cmp(b))
        }
        (Value::Timestamp(a), Value::Timestamp(b)) => Ok(a.cmp(b)),
        _ => numbers(left, right).ok_or(Stop::Unknown),
    }
}

/// Orders two numbers of any type by their exact values. Returns `None` if one is not a number.
fn numbers(left: &Value, right: &Value) -> Option<Ordering> {
    let integer = |value: &Value| match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        _ => None,
    };
    match (left, right) {
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Double(a), other) => integer(other).and_then(|b| with_integer(*a, b)),
        (other, Value::Double(b)) => integer(other).and_then(|a| with_integer(*b, a)).map(Ordering::reverse),
        _ => Some(integer(left)?.cmp(&integer(right)?)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "floats beyond the range of integers saturate, and order the same"
)]
fn with_integer(double: f64, integer: i128) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    let whole = double.floor();
    Some((whole as i128).cmp(&integer).then(if double > whole { Ordering::Greater } else { Ordering::Equal }))
}
