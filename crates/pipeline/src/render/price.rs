//! The copies that the template engine makes, and their limits.
//!
//! The engine copies values in many places before any helper of ours sees them: the context of each partial, list items
//! and block parameters of loops over values from helpers, and the value of any name within a partial. The names that
//! each element reads are therefore determined once, when its template is compiled ([`CopyPrice`]). They are weighed when
//! the element is next, and refused before memory is spent. Arguments of blocks and partials pass through a private
//! helper, which weighs the copies that the engine makes of them ([`CopyCounts`]). Copies count while they are alive
//! ([`CopyLedger`]): until the element is done, however deeply its content is nested.

use std::collections::{HashMap, VecDeque};

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{BlockContext, BlockParamHolder, Path, PathSeg};
use serde_json::Value as Json;

use super::fault::RenderFault;
use super::spelling;
use sealwave_core::document::{Node, NodeValue, WrittenScalars};

/// The maximum memory of all live copies in bytes.
pub(super) const MAX_LIVE: u64 = 96 << 20;
/// The number of copied bytes that cost one work unit.
const BYTES_PER_UNIT: u64 = 512;
/// The weight from which the weight of a context value is cached.
const REMEMBERED_FROM: u64 = 4096;
/// The size of a value within a list or an object.
const SLOT: u64 = size_of::<Json>() as u64;
/// The size of an object entry besides the characters of its key and its value: the key, its hash, its place in the
/// table.
const ENTRY: u64 = 64;
/// The overhead of an allocation.
const ALLOCATION: u64 = 16;

/// The size of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ValueWeight {
    /// The approximate size of its keys and scalars in bytes.
    pub(super) text: u64,
    /// The memory in bytes.
    pub(super) memory: u64,
}

impl ValueWeight {
    /// Weighs a value. The readers bound its depth.
    pub(crate) fn from_json(value: &Json) -> Self {
        let (text, heap) = match value {
            Json::Array(items) => items.iter().map(Self::from_json).fold((16, ALLOCATION), Self::plus),
            Json::Object(fields) => fields
                .iter()
                .map(|(key, field)| Self::from_json(field).keyed(key.len() as u64))
                .fold((16, ALLOCATION), Self::plus),
            Json::String(text) => (text.len() as u64 + 16, text.len() as u64 + ALLOCATION),
            Json::Bool(_) | Json::Null | Json::Number(_) => (16, 0),
        };
        Self { text, memory: heap.saturating_add(SLOT) }
    }

    /// Weighs a tree in the form that templates see; `texts` holds the spelling of its scalars.
    pub(super) fn from_node(node: &Node, texts: &WrittenScalars) -> Self {
        if let Some(text) = texts.text(node) {
            return Self::from_json(&spelling::scalar(&node.to_json(), text));
        }
        let (text, heap) = match &node.value {
            NodeValue::Sequence(items) => {
                items.iter().map(|item| Self::from_node(item, texts)).fold((16, ALLOCATION), Self::plus)
            }
            NodeValue::Mapping(mapping) => mapping
                .entries()
                .iter()
                .map(|entry| Self::from_node(&entry.value, texts).keyed(entry.key.len() as u64))
                .fold((16, ALLOCATION), Self::plus),
            NodeValue::String(text) => (text.len() as u64 + 16, text.len() as u64 + ALLOCATION),
            NodeValue::Bool(_) | NodeValue::Null | NodeValue::Number(_) => (16, 0),
        };
        Self { text, memory: heap.saturating_add(SLOT) }
    }

    /// Estimates the weight of a list of `count` texts with a total of `bytes` bytes.
    pub(super) const fn estimate_texts(count: usize, bytes: usize) -> u64 {
        (count as u64).saturating_mul(SLOT + ALLOCATION).saturating_add(bytes as u64)
    }

    /// Adds two weights.
    pub(super) const fn and(self, other: Self) -> Self {
        let (text, memory) = Self::plus((self.text, self.memory), other);
        Self { text, memory }
    }

    /// Estimates the weight of `count` nested values with a total of `bytes` bytes of text.
    pub(super) const fn estimate_values(count: usize, bytes: usize) -> u64 {
        (count as u64).saturating_mul(SLOT + ENTRY + 2 * ALLOCATION).saturating_add(bytes as u64)
    }

    const fn keyed(self, key: u64) -> Self {
        Self {
            text: self.text.saturating_add(key),
            memory: self.memory.saturating_add(key).saturating_add(ENTRY + ALLOCATION),
        }
    }

    const fn plus((text, memory): (u64, u64), other: Self) -> (u64, u64) {
        (text.saturating_add(other.text), memory.saturating_add(other.memory))
    }

    /// Returns the memory of the object that the engine creates from a context to add named arguments: one entry for
    /// each item of a list, and for each character of a text.
    fn spread(self, value: &Json) -> u64 {
        const ONE: u64 = SLOT + ENTRY + 4 * ALLOCATION;
        match value {
            Json::Array(items) => self.memory.saturating_add((items.len() as u64).saturating_mul(ONE)),
            Json::String(text) => (text.len() as u64).saturating_mul(ONE),
            _ => self.memory,
        }
    }
}

/// The live copies by open template, and the cached weights of the context's values.
#[derive(Debug, Default)]
pub(super) struct CopyLedger {
    live: u64,
    /// The maximum that was alive.
    #[cfg(test)]
    highest: u64,
    /// The memory of the current element of each open template, the innermost last.
    open: Vec<u64>,
    /// The weights of large values by their addresses. Only values of the context are in it, or looked up: the engine
    /// holds the context, in a box, longer than this ledger is used, so an address always means the same value.
    known: HashMap<usize, ValueWeight>,
}

impl CopyLedger {
    /// Starts over; cached weights are kept.
    pub(super) fn reset(&mut self) {
        self.live = 0;
        self.open.clear();
    }

    /// Enters a nested template.
    pub(super) fn enter(&mut self) {
        self.open.push(0);
    }

    /// Leaves a nested template and releases the memory of its last element.
    pub(super) fn leave(&mut self) {
        let held = self.open.pop().unwrap_or(0);
        self.live = self.live.saturating_sub(held);
    }

    #[cfg(test)]
    pub(super) const fn highest(&self) -> u64 {
        self.highest
    }

    /// Starts the next element and releases the memory of the previous one.
    pub(super) fn next(&mut self) {
        if let Some(held) = self.open.last_mut() {
            self.live = self.live.saturating_sub(std::mem::take(held));
        }
    }

    /// Reserves memory until the current element is done.
    pub(super) fn take(&mut self, memory: u64) -> Result<(), RenderFault> {
        let live = self.live.saturating_add(memory);
        if live > MAX_LIVE {
            return Err(RenderFault::Memory(MAX_LIVE));
        }
        self.live = live;
        #[cfg(test)]
        {
            self.highest = self.highest.max(live);
        }
        if let Some(held) = self.open.last_mut() {
            *held = held.saturating_add(memory);
        }
        Ok(())
    }

    /// Reserves memory for the copies that the engine makes of an element's argument, and returns the work units.
    pub(super) fn take_argument(
        &mut self,
        value: &Json,
        stands: ValueLocation,
        times: &CopyCounts,
    ) -> Result<u64, RenderFault> {
        let copies = match stands {
            ValueLocation::Context => times.context,
            ValueLocation::Copy => times.copies,
            ValueLocation::Template => times.literals,
        };
        if copies == 0 && !times.spreads {
            return Ok(0);
        }
        let (weight, walked) = match stands {
            ValueLocation::Context => self.weight(value),
            ValueLocation::Copy | ValueLocation::Template => (ValueWeight::from_json(value), 0),
        };
        let spread = if times.spreads { weight.spread(value) } else { 0 };
        let memory = weight.memory.saturating_mul(copies).saturating_add(spread);
        self.take(memory)?;
        Ok(walked.saturating_add(work_of(memory)))
    }

    /// Reports whether a helper may create a value of this weight.
    pub(super) const fn has_room(&self, memory: u64) -> bool {
        self.live.saturating_add(memory) <= MAX_LIVE
    }

    /// Returns the weight of a context value, which neither moves nor changes, and the work units spent on weighing it.
    pub(super) fn weight(&mut self, value: &Json) -> (ValueWeight, u64) {
        let address = std::ptr::from_ref(value).addr();
        if let Some(known) = self.known.get(&address) {
            return (*known, 0);
        }
        let weight = ValueWeight::from_json(value);
        if weight.memory >= REMEMBERED_FROM {
            self.known.insert(address, weight);
        }
        (weight, weight.memory / BYTES_PER_UNIT)
    }

    /// Weighs what an element copies before its helpers are called. Returns bytes of memory and work units.
    pub(super) fn weigh(&mut self, price: &CopyPrice, blocks: &OpenBlocks<'_>, context: &Json) -> (u64, u64) {
        let (mut memory, mut work) = (0_u64, 0_u64);
        for copied in &price.copied {
            let Some((value, is_copy)) = copied.found(blocks, context) else { continue };
            let (weight, walked) =
                if is_copy { (ValueWeight::from_json(value), 0) } else { self.weight(value) };
            let times = if is_copy { copied.times.copies } else { copied.times.context };
            let one = if copied.times.spreads { weight.spread(value) } else { weight.memory };
            memory = memory.saturating_add(one.saturating_mul(times));
            work = work.saturating_add(walked);
        }
        (memory, work.saturating_add(work_of(memory)))
    }
}

/// Returns the work units of a copy.
pub(super) const fn work_of(memory: u64) -> u64 {
    memory / BYTES_PER_UNIT
}

/// The open blocks, the innermost first.
pub(super) type OpenBlocks<'rc> = VecDeque<BlockContext<'rc>>;

/// The copies that an element makes before its helpers are called.
#[derive(Debug, Default)]
pub(super) struct CopyPrice {
    copied: Vec<CopiedName>,
}

/// A name whose value an element copies.
#[derive(Debug)]
struct CopiedName {
    name: FollowedName,
    times: CopyCounts,
}

/// The location of an argument.
#[derive(Clone, Copy, Debug)]
pub(super) enum ValueLocation {
    Context,
    /// Already a copy, or the result of a helper.
    Copy,
    /// A literal of the template.
    Template,
}

/// The number of copies that the engine makes of a value, by its location.
#[derive(Clone, Copy, Debug)]
pub(super) struct CopyCounts {
    copies: u64,
    context: u64,
    literals: u64,
    /// Whether it becomes an object to hold named arguments.
    spreads: bool,
}

/// A value that is only inspected: copies are copied once more.
const INSPECTED: CopyCounts = CopyCounts { copies: 1, context: 0, literals: 0, spreads: false };
/// The list of a loop: the list itself, the loop's copy, and the items twice.
pub(super) const LOOPED_OVER: CopyCounts = CopyCounts { copies: 4, context: 0, literals: 3, spreads: false };
/// The context of `with`: the value itself, the block's copy, and its parameter.
pub(super) const ENTERED: CopyCounts = CopyCounts { copies: 3, context: 0, literals: 2, spreads: false };
/// The context of a partial.
pub(super) const INCLUDED: CopyCounts = CopyCounts { copies: 3, context: 1, literals: 1, spreads: false };
/// The context of a partial with named arguments.
pub(super) const INCLUDED_WITH_NAMES: CopyCounts = CopyCounts { spreads: true, ..INCLUDED };
/// A named argument of a partial, which is also in its context.
pub(super) const NAMED: CopyCounts = CopyCounts { copies: 3, context: 2, literals: 2, spreads: false };

impl CopyPrice {
    /// Determines what an element copies. Arguments of blocks and partials only count as inspected here; the calls that
    /// they pass through weigh the rest.
    pub(crate) fn for_element(element: &TemplateElement) -> Self {
        let mut price = Self::default();
        match element {
            TemplateElement::Expression(call)
            | TemplateElement::HtmlExpression(call)
            | TemplateElement::HelperBlock(call) => price.call(call),
            TemplateElement::PartialExpression(partial)
            | TemplateElement::PartialBlock(partial)
            | TemplateElement::DecoratorExpression(partial)
            | TemplateElement::DecoratorBlock(partial) => {
                let all = std::iter::once(&partial.name).chain(&partial.params).chain(partial.hash.values());
                all.for_each(|given| price.add_parameter(given));
            }
            _ => {}
        }
        if let TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) = element
            && partial.params.is_empty()
        {
            // It gets the current context.
            let name = FollowedName::Followed { is_root: false, up: 0, parts: Vec::new() };
            let times = if partial.hash.is_empty() { INCLUDED } else { INCLUDED_WITH_NAMES };
            price.copied.push(CopiedName { name, times });
        }
        price
    }

    /// Reports whether an element copies nothing that must be looked up.
    pub(super) const fn is_plain(&self) -> bool {
        self.copied.is_empty()
    }

    fn call(&mut self, call: &HelperTemplate) {
        let all = std::iter::once(&call.name).chain(&call.params).chain(call.hash.values());
        all.for_each(|given| self.add_parameter(given));
    }

    fn add_parameter(&mut self, given: &Parameter) {
        match given {
            Parameter::Path(path) => {
                self.copied.push(CopiedName { name: FollowedName::of(path), times: INSPECTED });
            }
            Parameter::Subexpression(inner) => {
                if let TemplateElement::Expression(call) = inner.as_element() {
                    self.call(call);
                }
            }
            // A plain name is not looked up, and a literal is not copied.
            _ => {}
        }
    }
}

/// A name as the engine resolves it.
#[derive(Debug)]
enum FollowedName {
    Followed { is_root: bool, up: usize, parts: Vec<String> },
    Local { level: usize, name: String },
}

impl FollowedName {
    fn of(path: &Path) -> Self {
        let steps = match path {
            Path::Local((level, name, _)) => return Self::Local { level: *level, name: name.clone() },
            Path::Relative((steps, _)) => steps,
        };
        let is_named = |step: &&PathSeg| matches!(step, PathSeg::Named(_));
        let before = steps.iter().take_while(|step| !is_named(step));
        // The engine's types of these steps are private.
        let is_step = |step: &PathSeg, name: &str| format!("{step:?}").contains(name);
        let is_root = before.clone().any(|step| is_step(step, "root"));
        let up = before.filter(|step| is_step(step, "up")).count();
        let name_of = |step: &PathSeg| match step {
            PathSeg::Named(name) => Some(name.clone()),
            _ => None,
        };
        Self::Followed { is_root, up, parts: steps.iter().filter_map(name_of).collect() }
    }
}

impl CopiedName {
    /// Returns the value and whether it is a copy, or `None` if nothing is copied.
    fn found<'v>(&self, blocks: &'v OpenBlocks<'_>, context: &'v Json) -> Option<(&'v Json, bool)> {
        let (is_root, up, parts) = match &self.name {
            FollowedName::Local { level, name } => {
                return Some((blocks.get(*level)?.get_local_var(name)?, true));
            }
            FollowedName::Followed { is_root, up, parts } => (*is_root, *up, parts.as_slice()),
        };
        let find_in_context = |base: &[&[String]], rest: &[String]| {
            let wanted = self.times.context > 0;
            let steps = base.iter().copied().flatten().chain(rest);
            wanted.then(|| steps.into_iter().try_fold(context, step)).flatten().map(|value| (value, false))
        };
        if is_root {
            return find_in_context(&[], parts);
        }
        if let Some((first, rest)) = parts.split_first()
            && let Some((block, holder)) = blocks.iter().find_map(|b| Some((b, b.get_block_param(first)?)))
        {
            return match holder {
                BlockParamHolder::Path(path) => find_in_context(&[block.base_path(), path], rest),
                BlockParamHolder::Value(value) => Some((rest.iter().try_fold(value, step)?, true)),
            };
        }
        let block = blocks.get(up).or_else(|| blocks.front())?;
        match block.base_value() {
            Some(value) => Some((parts.iter().try_fold(value, step)?, true)),
            None => find_in_context(&[block.base_path()], parts),
        }
    }
}

fn step<'v>(value: &'v Json, step: &String) -> Option<&'v Json> {
    match value {
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        Json::Object(fields) => fields.get(step),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_weight_is_the_memory_of_a_value() {
        // The number of allocations and slots of each value.
        assert_eq!(ValueWeight::from_json(&json!(1)).memory, SLOT);
        assert_eq!(ValueWeight::from_json(&json!([[], []])).memory, 3 * SLOT + 3 * ALLOCATION);
        assert_eq!(
            ValueWeight::from_json(&json!("abc")),
            ValueWeight { text: 19, memory: SLOT + ALLOCATION + 3 }
        );
        let object = ValueWeight::from_json(&json!({"ab": 1}));
        assert_eq!(object.memory, 2 * SLOT + ENTRY + 2 * ALLOCATION + 2);
        let text = json!("abcd");
        assert!(ValueWeight::from_json(&text).spread(&text) > 4 * SLOT);
    }

    #[test]
    fn a_tree_weighs_what_its_json_weighs() {
        let value = json!({"a": [1, "b", null, {"c": []}], "d": {"e": true}});
        let texts = WrittenScalars::default();
        assert_eq!(
            ValueWeight::from_node(&sealwave_testkit::node(&value), &texts),
            ValueWeight::from_json(&value)
        );
    }

    #[test]
    fn scalars_with_their_own_spelling_weigh_the_value_and_the_text() {
        let source = sealwave_core::document::Sources::default().add("values.yaml");
        let text = "a: [0755, 1, {b: 1.10}]\nc: 1_000\n";
        let budget = sealwave_core::yaml::YamlBudget::default();
        let read = sealwave_core::yaml::read_with_texts(
            text.as_bytes(),
            source,
            &sealwave_core::yaml::Limits::default(),
            &budget,
        );
        let (nodes, texts) = read.unwrap();
        assert_eq!(
            ValueWeight::from_node(&nodes[0], &texts),
            ValueWeight::from_json(&spelling::to_template_value(&nodes[0], &texts))
        );
    }

    #[test]
    fn copies_count_until_their_element_is_done() {
        let mut ledger = CopyLedger::default();
        ledger.reset();
        ledger.enter();
        ledger.next();
        ledger.take(10).unwrap();
        ledger.enter();
        ledger.next();
        ledger.take(MAX_LIVE - 10).unwrap();
        assert!(!ledger.has_room(1) && ledger.take(1).is_err());
        ledger.next();
        assert_eq!(ledger.live, 10);
        ledger.take(5).unwrap();
        ledger.leave();
        assert_eq!(ledger.live, 10);
        ledger.next();
        assert_eq!(ledger.live, 0);
    }
}
