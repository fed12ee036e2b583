//! Runtime values and their comparison.
//!
//! A value may come from an object that contains a credential by mistake, so `Debug` shows only the type.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::ast::CelLiteral;
use super::budget::{CelBudget, EvalStop};
use crate::Quantity;

/// The result of an evaluation.
pub(super) type EvalResult = Result<CelValue, EvalStop>;

/// A value.
#[derive(Clone)]
pub enum CelValue {
    /// A boolean.
    Bool(bool),
    /// A sequence of bytes.
    Bytes(Arc<[u8]>),
    /// A network: address and prefix length.
    Cidr(IpAddr, u8),
    /// A floating-point number.
    Double(f64),
    /// A duration in nanoseconds.
    Duration(i64),
    /// A named format of Kubernetes' library.
    Format(&'static str),
    /// A signed integer.
    Int(i64),
    /// An IP address.
    Ip(IpAddr),
    /// A list.
    List(Arc<CelList>),
    /// A map, or an object.
    Map(Arc<CelMap>),
    /// The null value.
    Null,
    /// A value exists, but rules cannot see it.
    Opaque,
    /// An optional value.
    Optional(Option<Arc<Self>>),
    /// A Kubernetes quantity.
    Quantity(Quantity),
    /// A string.
    Text(Arc<str>),
    /// Nanoseconds since 1970.
    Timestamp(i128),
    /// A type, by its name.
    Type(&'static str),
    /// An unsigned integer.
    Uint(u64),
    /// Unknown whether a value exists: a default or another program may set it.
    Unknown,
}

/// A list.
#[derive(Default)]
pub struct CelList {
    pub(crate) items: Vec<CelValue>,
    /// Whether comparison ignores the order, as in sets and lists with keys.
    pub(crate) is_unordered: bool,
}

/// A map or an object.
#[derive(Default)]
pub struct CelMap {
    pub(crate) entries: BTreeMap<Arc<str>, CelValue>,
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

impl CelValue {
    /// Creates a string.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// Creates a list.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(CelList { items, is_unordered: false }))
    }

    /// Creates a map.
    #[must_use]
    pub fn map(entries: BTreeMap<Arc<str>, Self>, kind: MapKind) -> Self {
        Self::Map(Arc::new(CelMap { entries, kind }))
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
    pub(super) fn visible(self) -> Result<Self, EvalStop> {
        match self {
            Self::Opaque | Self::Unknown => Err(EvalStop::Unknown),
            value => Ok(value),
        }
    }
}

impl From<&CelLiteral> for CelValue {
    fn from(literal: &CelLiteral) -> Self {
        match literal {
            CelLiteral::Bool(flag) => Self::Bool(*flag),
            CelLiteral::Bytes(bytes) => Self::Bytes(Arc::clone(bytes)),
            CelLiteral::Double(number) => Self::Double(*number),
            CelLiteral::Int(number) => Self::Int(*number),
            CelLiteral::Null => Self::Null,
            CelLiteral::Text(text) => Self::Text(Arc::clone(text)),
            CelLiteral::Uint(number) => Self::Uint(*number),
        }
    }
}

impl fmt::Debug for CelValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name().unwrap_or("value"))
    }
}

/// Compares two values for equality; values of different types differ, except numbers.
pub(super) fn equal(left: &CelValue, right: &CelValue, budget: &mut CelBudget) -> Result<bool, EvalStop> {
    budget.spend(1)?;
    Ok(match (left, right) {
        (CelValue::Opaque | CelValue::Unknown, _) | (_, CelValue::Opaque | CelValue::Unknown) => {
            return Err(EvalStop::Unknown);
        }
        (CelValue::Bool(a), CelValue::Bool(b)) => a == b,
        (CelValue::Bytes(a), CelValue::Bytes(b)) => {
            budget.spend_bytes(a.len())?;
            a == b
        }
        (CelValue::Cidr(a, length), CelValue::Cidr(b, other)) => a == b && length == other,
        (CelValue::Duration(a), CelValue::Duration(b)) => a == b,
        (CelValue::Ip(a), CelValue::Ip(b)) => a == b,
        (CelValue::List(a), CelValue::List(b)) => lists_equal(a, b, budget)?,
        (CelValue::Map(a), CelValue::Map(b)) => maps_equal(a, b, budget)?,
        (CelValue::Null, CelValue::Null) => true,
        (CelValue::Optional(a), CelValue::Optional(b)) => match (a, b) {
            (Some(a), Some(b)) => equal(a, b, budget)?,
            (None, None) => true,
            _ => false,
        },
        (CelValue::Quantity(a), CelValue::Quantity(b)) => a == b,
        (CelValue::Text(a), CelValue::Text(b)) => {
            budget.spend_bytes(a.len())?;
            a == b
        }
        (CelValue::Timestamp(a), CelValue::Timestamp(b)) => a == b,
        (CelValue::Type(a), CelValue::Type(b)) => a == b,
        (CelValue::Format(_), CelValue::Format(_)) => return Err(EvalStop::Unknown),
        _ => numbers(left, right) == Some(Ordering::Equal),
    })
}

fn lists_equal(left: &CelList, right: &CelList, budget: &mut CelBudget) -> Result<bool, EvalStop> {
    if left.items.len() != right.items.len() {
        return Ok(false);
    }
    let same = all_equal(left.items.iter().zip(&right.items), budget);
    let is_set = left.items.iter().all(|item| !matches!(item, CelValue::List(_) | CelValue::Map(_)));
    if left.is_unordered && is_set && same == Ok(false) {
        let mut is_in = |item: &CelValue| has_item(right, item, budget);
        for item in &left.items {
            if !is_in(item)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    // Lists with keys may be equal in a different order.
    if left.is_unordered && left.items.len() > 1 && !matches!(same, Ok(true)) {
        Err(EvalStop::Unknown)
    } else {
        same
    }
}

fn maps_equal(left: &CelMap, right: &CelMap, budget: &mut CelBudget) -> Result<bool, EvalStop> {
    let is_incomplete = |map: &CelMap| {
        matches!(map.kind, MapKind::Partial(_))
            || map.entries.values().any(|value| matches!(value, CelValue::Unknown))
    };
    budget.spend(left.entries.len() + right.entries.len())?;
    if is_incomplete(left) || is_incomplete(right) {
        return Err(EvalStop::Unknown);
    }
    if !left.entries.keys().eq(right.entries.keys()) {
        return Ok(false);
    }
    all_equal(left.entries.values().zip(right.entries.values()), budget)
}

/// Reports whether all pairs are equal: a difference outweighs a pair that cannot be compared.
fn all_equal<'a>(
    pairs: impl Iterator<Item = (&'a CelValue, &'a CelValue)>,
    budget: &mut CelBudget,
) -> Result<bool, EvalStop> {
    let mut undecided = None;
    for (a, b) in pairs {
        match equal(a, b, budget) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(EvalStop::Unknown) => undecided = Some(EvalStop::Unknown),
            Err(stop) => return Err(stop),
        }
    }
    undecided.map_or(Ok(true), Err)
}

/// Orders two values; fails if CEL does not order them.
pub(super) fn compare(
    left: &CelValue,
    right: &CelValue,
    budget: &mut CelBudget,
) -> Result<Ordering, EvalStop> {
    match (left, right) {
        (CelValue::Bool(a), CelValue::Bool(b)) => Ok(a.cmp(b)),
        (CelValue::Bytes(a), CelValue::Bytes(b)) => {
            budget.spend_bytes(a.len())?;
            Ok(a.cmp(b))
        }
        (CelValue::Duration(a), CelValue::Duration(b)) => Ok(a.cmp(b)),
        (CelValue::Text(a), CelValue::Text(b)) => {
            budget.spend_bytes(a.len())?;
            Ok(a.cmp(b))
        }
        (CelValue::Timestamp(a), CelValue::Timestamp(b)) => Ok(a.cmp(b)),
        _ => numbers(left, right).ok_or(EvalStop::Unknown),
    }
}

/// Orders two numbers of any type by their exact values. Returns `None` if one is not a number.
fn numbers(left: &CelValue, right: &CelValue) -> Option<Ordering> {
    let integer = |value: &CelValue| match value {
        CelValue::Int(number) => Some(i128::from(*number)),
        CelValue::Uint(number) => Some(i128::from(*number)),
        _ => None,
    };
    match (left, right) {
        (CelValue::Double(a), CelValue::Double(b)) => a.partial_cmp(b),
        (CelValue::Double(a), other) => integer(other).and_then(|b| with_integer(*a, b)),
        (other, CelValue::Double(b)) => {
            integer(other).and_then(|a| with_integer(*b, a)).map(Ordering::reverse)
        }
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

/// Reports whether an object has a field, or a map an entry.
pub(super) fn has(operand: &CelValue, field: &str) -> Result<bool, EvalStop> {
    match operand {
        CelValue::Map(map) => match (map.entries.get(field), map.kind) {
            (Some(CelValue::Unknown), _) => Err(EvalStop::Unknown),
            (Some(_), _) => Ok(true),
            (None, MapKind::Partial(absent)) if absent.binary_search(&field).is_err() => {
                Err(EvalStop::Unknown)
            }
            (None, _) => Ok(false),
        },
        CelValue::Optional(Some(inner)) => has(inner, field),
        CelValue::Optional(None) => Ok(false),
        _ => Err(EvalStop::Unknown),
    }
}

/// Reports whether a list contains an item, or a map a key.
pub(super) fn contains(
    container: &CelValue,
    wanted: &CelValue,
    budget: &mut CelBudget,
) -> Result<bool, EvalStop> {
    match (container, wanted) {
        (CelValue::List(list), wanted) => has_item(list, wanted, budget),
        (CelValue::Map(map), CelValue::Text(key)) if map.kind != MapKind::Object => {
            budget.spend_bytes(key.len())?;
            has(container, key)
        }
        _ => Err(EvalStop::Unknown),
    }
}

/// Reports whether an item of a list equals a value.
fn has_item(list: &CelList, wanted: &CelValue, budget: &mut CelBudget) -> Result<bool, EvalStop> {
    let mut unsure = false;
    for item in &list.items {
        match equal(item, wanted, budget) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(EvalStop::Unknown) => unsure = true,
            Err(stop) => return Err(stop),
        }
    }
    if unsure { Err(EvalStop::Unknown) } else { Ok(false) }
}
