//! The keywords of a schema node while it is compiled, and checks of how they combine.

use super::fault::CrdFault;
use super::node::{ExtraFields, NodeId, SchemaField, ValueFormat, ValueRules, ValueType, as_f64, as_integer};
use sealwave_core::document::{Node, NodeValue, Origin};

/// The keywords of a node, before they are compiled.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate keyword")]
pub(super) struct NodeDraft<'c> {
    pub(super) kind: Option<ValueType>,
    pub(super) nullable: bool,
    pub(super) format: ValueFormat,
    pub(super) int_or_string: bool,
    pub(super) preserve: bool,
    pub(super) embedded: bool,
    pub(super) fields: Vec<SchemaField>,
    pub(super) metadata: Option<(&'c Node, Origin)>,
    pub(super) required: Vec<&'c str>,
    pub(super) additional: Option<ExtraFields>,
    pub(super) items: Option<NodeId>,
    pub(super) list_type: Option<&'c str>,
    pub(super) keys: Vec<&'c str>,
    pub(super) exclusive: (bool, bool),
    pub(super) bounds: (Option<f64>, Option<f64>),
    pub(super) rules: ValueRules,
    pub(super) has_rules: bool,
    pub(super) is_faulty: bool,
    pub(super) default: Option<&'c Node>,
}

impl<'c> NodeDraft<'c> {
    /// Returns the reasons why a node is not structural.
    pub(super) fn faults(&self) -> impl Iterator<Item = CrdFault<'c>> {
        let is_map = self.list_type == Some("map");
        let lacks_required = |what, needs| CrdFault::Lacks { what, needs };
        [
            (self.kind.is_none() && !self.int_or_string && !self.preserve, CrdFault::NoType),
            (
                self.kind == Some(ValueType::Array) && self.items.is_none(),
                lacks_required("type: array", "items"),
            ),
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

pub(super) fn parse_value_type(name: &str) -> Option<ValueType> {
    Some(match name {
        "array" => ValueType::Array,
        "boolean" => ValueType::Boolean,
        "integer" => ValueType::Integer,
        "number" => ValueType::Number,
        "object" => ValueType::Object,
        "string" => ValueType::String,
        _ => return None,
    })
}

pub(super) fn read_flag<'c>(value: &Node, keyword: &'static str, into: &mut bool) -> Option<CrdFault<'c>> {
    match value.value {
        NodeValue::Bool(flag) => {
            *into = flag;
            None
        }
        _ => Some(CrdFault::Malformed { keyword }),
    }
}

pub(super) fn read_bound<'c>(
    value: &Node,
    keyword: &'static str,
    into: &mut Option<f64>,
) -> Option<CrdFault<'c>> {
    match value.value {
        NodeValue::Number(number) => {
            *into = Some(as_f64(number));
            None
        }
        _ => Some(CrdFault::Malformed { keyword }),
    }
}

pub(super) fn read_count<'c>(
    value: &Node,
    keyword: &'static str,
    into: &mut Option<u64>,
) -> Option<CrdFault<'c>> {
    *into = match value.value {
        NodeValue::Number(number) => as_integer(number).and_then(|number| u64::try_from(number).ok()),
        _ => None,
    };
    into.is_none().then_some(CrdFault::Malformed { keyword })
}

pub(super) fn read_texts<'c>(
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
