//! The keywords of a schema node while it is compiled, and checks of how they combine.

use super::fault::CrdFault;
use super::node::{Field, Format, Id, Kind, Rest, Rules, float, integer};
use sealwave_core::document::{Node, Origin, Value};

/// The keywords of a node, before they are compiled.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate keyword")]
pub(super) struct Draft<'c> {
    pub(super) kind: Option<Kind>,
    pub(super) nullable: bool,
    pub(super) format: Format,
    pub(super) int_or_string: bool,
    pub(super) preserve: bool,
    pub(super) embedded: bool,
    pub(super) fields: Vec<Field>,
    pub(super) metadata: Option<(&'c Node, Origin)>,
    pub(super) required: Vec<&'c str>,
    pub(super) additional: Option<Rest>,
    pub(super) items: Option<Id>,
    pub(super) list_type: Option<&'c str>,
    pub(super) keys: Vec<&'c str>,
    pub(super) exclusive: (bool, bool),
    pub(super) bounds: (Option<f64>, Option<f64>),
    pub(super) rules: Rules,
    pub(super) ruled: bool,
    pub(super) faulty: bool,
    pub(super) default: Option<&'c Node>,
}

impl<'c> Draft<'c> {
    /// Returns the reasons why a node is not structural.
    pub(super) fn faults(&self) -> impl Iterator<Item = CrdFault<'c>> {
        let is_map = self.list_type == Some("map");
        let lacks_required = |what, needs| CrdFault::Lacks { what, needs };
        [
            (self.kind.is_none() && !self.int_or_string && !self.preserve, CrdFault::NoType),
            (self.kind == Some(Kind::Array) && self.items.is_none(), lacks_required("type: array", "items")),
            (
                is_map && self.keys.is_empty(),
                lacks_required("x-kubernetes-list-type: map", "x-kubernetes-list-map-keys"),
            ),
            (
                !is_map && !self.keys.is_empty(),
                lacks_required("x-kubernetes-list-map-keys", "x-kubernetes-list-type: map"),
            ),
        ]
        .into_iter()
        .filter_map(|(wrong, fault)| wrong.then_some(fault))
    }
}

pub(super) fn kind_named(name: &str) -> Option<Kind> {
    Some(match name {
        "array" => Kind::Array,
        "boolean" => Kind::Boolean,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "object" => Kind::Object,
        "string" => Kind::String,
        _ => return None,
    })
}

pub(super) fn flag<'c>(value: &Node, keyword: &'static str, into: &mut bool) -> Option<CrdFault<'c>> {
    match value.value {
        Value::Bool(flag) => {
            *into = flag;
            None
        }
        _ => Some(CrdFault::Malformed { keyword }),
    }
}

pub(super) fn bound<'c>(value: &Node, keyword: &'static str, into: &mut Option<f64>) -> Option<CrdFault<'c>> {
    match value.value {
        Value::Number(number) => {
            *into = Some(float(number));
            None
        }
        _ => Some(CrdFault::Malformed { keyword }),
    }
}

pub(super) fn count<'c>(value: &Node, keyword: &'static str, into: &mut Option<u64>) -> Option<CrdFault<'c>> {
    *into = match value.value {
        Value::Number(number) => integer(number).and_then(|number| u64::try_from(number).ok()),
        _ => None,
    };
    into.is_none().then_some(CrdFault::Malformed { keyword })
}

pub(super) fn texts<'c>(
    value: &'c Node,
    keyword: &'static str,
    into: &mut Vec<&'c str>,
) -> Option<CrdFault<'c>> {
    match value.as_sequence().and_then(|items| items.iter().map(Node::as_str).collect()) {
        Some(all) => {
            *into = all;
            None
        }
        None => Some(CrdFault::Malformed { keyword }),
    }
}
