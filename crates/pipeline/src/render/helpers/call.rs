//! The call of a helper, which checks its arguments and the size of its result.

use std::borrow::Cow;

use handlebars::JsonTruthy;
use serde_json::Value as Json;

use crate::render::fault::RenderFault;
use crate::render::price::{MAX_LIVE, ValueWeight, work_of};
use crate::render::spelling;
use crate::render::state::RenderState;

/// The maximum size of the text arguments of a call, and of its result, in bytes.
pub(super) const MAX_BYTES: usize = 8 << 20;
/// The maximum memory of the result of a call in bytes.
pub(super) const MAX_MEMORY: usize = 32 << 20;

/// Helpers whose results have several lines, which the author must indent.
const LINE_WRITERS: [&str; 2] = ["file", "toYaml"];

/// Returns the name of a helper if its results have several lines.
pub(crate) fn line_writer(name: &str) -> Option<&'static str> {
    LINE_WRITERS.into_iter().find(|writer| *writer == name)
}

/// A call of a helper.
pub(super) struct HelperCall<'a> {
    pub(super) name: &'static str,
    pub(super) arguments: Vec<&'a Json>,
    /// Whether the template spells out the first argument, so that messages may show it.
    pub(super) is_spelled_out: bool,
    /// The total weight of the arguments.
    pub(super) weight: ValueWeight,
    pub(super) state: &'a RenderState,
}

impl<'a> HelperCall<'a> {
    /// Returns an argument by its index from 0; the arity was checked.
    pub(super) fn value(&self, index: usize) -> &'a Json {
        self.arguments.get(index).copied().unwrap_or(&Json::Null)
    }

    /// Returns an argument as YAML reads it, regardless of its spelling.
    pub(super) fn read(&self, index: usize) -> &'a Json {
        spelling::read_value(self.value(index))
    }

    pub(super) fn values(&self) -> &[&'a Json] {
        &self.arguments
    }

    pub(super) fn argument_fault(&self, index: usize, reason: &'static str) -> RenderFault {
        RenderFault::Argument { helper: self.name, index: index.saturating_add(1), reason }
    }

    /// Returns an argument as text: scalars as they are printed, null as an empty text.
    pub(super) fn text(&self, index: usize) -> Result<String, RenderFault> {
        spelling::text(self.value(index))
            .map(Cow::into_owned)
            .ok_or_else(|| self.argument_fault(index, "value is not a scalar"))
    }

    pub(super) fn integer(&self, index: usize) -> Result<i64, RenderFault> {
        let value = self.read(index);
        value
            .as_i64()
            .or_else(|| value.as_str()?.trim().parse().ok())
            .ok_or_else(|| self.argument_fault(index, "value is not an integer"))
    }

    /// Returns an argument as a width or a count.
    pub(super) fn count(&self, index: usize) -> Result<usize, RenderFault> {
        usize::try_from(self.integer(index)?).map_err(|_| self.argument_fault(index, "value is negative"))
    }

    pub(super) fn list(&self, index: usize) -> Result<&'a [Json], RenderFault> {
        self.read(index)
            .as_array()
            .map(Vec::as_slice)
            .ok_or_else(|| self.argument_fault(index, "value is not a list"))
    }

    pub(super) fn object(&self, index: usize) -> Result<&'a serde_json::Map<String, Json>, RenderFault> {
        self.read(index).as_object().ok_or_else(|| self.argument_fault(index, "value is not an object"))
    }

    pub(super) fn too_large(&self, needed: usize) -> RenderFault {
        RenderFault::Result { helper: self.name, needed: needed as u64, allowed: MAX_BYTES as u64 }
    }

    /// Refuses a text that is too large, before it is built.
    pub(super) fn check_size(&self, bytes: usize) -> Result<(), RenderFault> {
        check_fits(self.name, bytes as u64, MAX_BYTES as u64)
    }

    /// Refuses a list or an object that takes too much memory, before it is built.
    pub(super) fn check_memory(&self, memory: u64) -> Result<(), RenderFault> {
        check_fits(self.name, memory, MAX_MEMORY as u64)?;
        self.state.charge(work_of(memory))?;
        if self.state.ledger().has_room(memory) { Ok(()) } else { Err(RenderFault::Memory(MAX_LIVE)) }
    }

    /// Refuses a list of this many texts with this total size, before it is built.
    pub(super) fn check_texts(&self, count: usize, bytes: usize) -> Result<(), RenderFault> {
        self.check_memory(ValueWeight::estimate_texts(count, bytes))
    }

    /// Refuses a copy of all arguments, before it is made.
    pub(super) fn check_copies(&self) -> Result<(), RenderFault> {
        self.check_memory(self.weight.memory)
    }
}

/// Reports whether a value is empty as in Helm: null, false, zero, or without content.
pub(super) fn is_empty(value: &Json) -> bool {
    match spelling::read_value(value) {
        Json::Array(items) => items.is_empty(),
        Json::Object(fields) => fields.is_empty(),
        other => !other.is_truthy(false),
    }
}

/// Checks the size of what a helper handles.
pub(super) fn check_fits(helper: &'static str, needed: u64, allowed: u64) -> Result<(), RenderFault> {
    if needed > allowed { Err(RenderFault::Result { helper, needed, allowed }) } else { Ok(()) }
}
