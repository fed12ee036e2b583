//! What the template engine copies, and how much of that there may be.
//!
//! The engine copies values in many places before any helper of ours sees them: the context for each partial, list items
//! and block parameters of loops over values that a helper made, whatever a name means within a partial. So what each
//! element looks at is worked out once, when its template is compiled ([`Price`]); it is weighed when the element is next,
//! and refused before memory is spent. What blocks and partials are given passes a private helper, which weighs it for
//! what the engine makes of it ([`Times`]). Copies count as long as they live ([`Ledger`]): until the element is done,
//! however deep what it renders goes on.

use std::collections::{HashMap, VecDeque};

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{BlockContext, BlockParamHolder, Path, PathSeg};
use serde_json::Value as Json;

use super::errors::TemplateFault;
use super::written;
use sealwave_core::document::{Node, Value, WrittenScalars};

/// Bytes that copies may take at once.
pub(super) const MAX_LIVE: u64 = 96 << 20;
/// Bytes of memory that are copied for one unit of work.
const BYTES_PER_UNIT: u64 = 512;
/// From this weight on, a value of the context is weighed once.
const REMEMBERED_FROM: u64 = 4096;
/// Bytes of one value within a list or an object.
const SLOT: u64 = size_of::<Json>() as u64;
/// Bytes of an entry of an object beside its key's characters and its value: the key, its hash, its place in the table.
const ENTRY: u64 = 64;
/// Bytes that an allocation takes beside what it is for.
const ALLOCATION: u64 = 16;

/// How large a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Bytes of its keys and scalars, roughly.
    pub(super) text: u64,
    /// Bytes of memory.
    pub(super) memory: u64,
}

impl Weight {
    /// Weighs a value. Its depth is bounded by the readers.
    pub fn of(value: &Json) -> Self {
        let (text, heap) = match value {
            Json::Array(items) => items.iter().map(Self::of).fold((16, ALLOCATION), Self::plus),
            Json::Object(fields) => fields
                .iter()
                .map(|(key, field)| Self::of(field).keyed(key.len() as u64))
                .fold((16, ALLOCATION), Self::plus),
            Json::String(text) => (text.len() as u64 + 16, text.len() as u64 + ALLOCATION),
            Json::Bool(_) | Json::Null | Json::Number(_) => (16, 0),
        };
        Self { text, memory: heap.saturating_add(SLOT) }
    }

    /// Weighs what a tree is to templates; `texts` has the texts of its scalars.
    pub(super) fn of_node(node: &Node, texts: &WrittenScalars) -> Self {
        if let Some(text) = texts.text(node) {
            return Self::of(&written::scalar(&node.to_json(), text));
        }
        let (text, heap) = match &node.value {
            Value::Sequence(items) => {
                items.iter().map(|item| Self::of_node(item, texts)).fold((16, ALLOCATION), Self::plus)
            }
            Value::Mapping(mapping) => mapping
                .entries()
                .iter()
                .map(|entry| Self::of_node(&entry.value, texts).keyed(entry.key.len() as u64))
                .fold((16, ALLOCATION), Self::plus),
            Value::String(text) => (text.len() as u64 + 16, text.len() as u64 + ALLOCATION),
            Value::Bool(_) | Value::Null | Value::Number(_) => (16, 0),
        };
        Self { text, memory: heap.saturating_add(SLOT) }
    }

    /// What `count` texts of `bytes` bytes together weigh in a list.
    pub(super) const fn of_texts(count: usize, bytes: usize) -> u64 {
        (count as u64).saturating_mul(SLOT + ALLOCATION).saturating_add(bytes as u64)
    }

    /// What both weigh together.
    pub(super) const fn and(self, other: Self) -> Self {
        let (text, memory) = Self::plus((self.text, self.memory), other);
        Self { text, memory }
    }

    /// What `count` values of `bytes` bytes of text together weigh, wherever they are.
    pub(super) const fn of_values(count: usize, bytes: usize) -> u64 {
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

    /// What the object takes that the engine makes of a context to put named arguments into it: an entry for each item of a
    /// list, and for each character of a text.
    fn spread(self, value: &Json) -> u64 {
        const ONE: u64 = SLOT + ENTRY + 4 * ALLOCATION;
        match value {
            Json::Array(items) => self.memory.saturating_add((items.len() as u64).saturating_mul(ONE)),
            Json::String(text) => (text.len() as u64).saturating_mul(ONE),
            _ => self.memory,
        }
    }
}

/// The copies that are alive, by the open templates; and the weights of the context's values.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    live: u64,
    /// The most that was alive.
    #[cfg(test)]
    highest: u64,
    /// What the current element of each open template holds, the innermost last.
    open: Vec<u64>,
    known: HashMap<usize, Weight>,
}

impl Ledger {
    /// Starts anew; the weights stay.
    pub(super) fn reset(&mut self) {
        self.live = 0;
        self.open.clear();
    }

    /// A template within an element starts.
    pub(super) fn enter(&mut self) {
        self.open.push(0);
    }

    /// It ends, and what its last element held is gone.
    pub(super) fn leave(&mut self) {
        let held = self.open.pop().unwrap_or(0);
        self.live = self.live.saturating_sub(held);
    }

    #[cfg(test)]
    pub(super) const fn highest(&self) -> u64 {
        self.highest
    }

    /// The next element starts, so what the one before it held is gone.
    pub(super) fn next(&mut self) {
        if let Some(held) = self.open.last_mut() {
            self.live = self.live.saturating_sub(std::mem::take(held));
        }
    }

    /// Takes memory until the current element is done.
    pub(super) fn take(&mut self, memory: u64) -> Result<(), TemplateFault> {
        let live = self.live.saturating_add(memory);
        if live > MAX_LIVE {
            return Err(TemplateFault::Memory(MAX_LIVE));
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

    /// Takes memory for what the engine makes of a value that an element is given; returns the units of work.
    pub(super) fn given(
        &mut self,
        value: &Json,
        stands: Stands,
        times: &Times,
    ) -> Result<u64, TemplateFault> {
        let copies = match stands {
            Stands::Context => times.context,
            Stands::Copy => times.copies,
            Stands::Template => times.literals,
        };
        if copies == 0 && !times.spreads {
            return Ok(0);
        }
        let (weight, walked) = match stands {
            Stands::Context => self.weight(value),
            Stands::Copy | Stands::Template => (Weight::of(value), 0),
        };
        let spread = if times.spreads { weight.spread(value) } else { 0 };
        let memory = weight.memory.saturating_mul(copies).saturating_add(spread);
        self.take(memory)?;
        Ok(walked.saturating_add(work_of(memory)))
    }

    /// Whether a helper may make something of this weight.
    pub(super) const fn has_room(&self, memory: u64) -> bool {
        self.live.saturating_add(memory) <= MAX_LIVE
    }

    /// The weight of a value of the context, which neither moves nor changes; and the units of work that it took to find out.
    pub(super) fn weight(&mut self, value: &Json) -> (Weight, u64) {
        let address = std::ptr::from_ref(value).addr();
        if let Some(known) = self.known.get(&address) {
            return (*known, 0);
        }
        let weight = Weight::of(value);
        if weight.memory >= REMEMBERED_FROM {
            self.known.insert(address, weight);
        }
        (weight, weight.memory / BYTES_PER_UNIT)
    }

    /// What an element copies before its helpers are called: bytes of memory, and units of work.
    pub(super) fn weigh(&mut self, price: &Price, blocks: &Blocks<'_>, context: &Json) -> (u64, u64) {
        let (mut memory, mut work) = (0_u64, 0_u64);
        for copied in &price.copied {
            let Some((value, is_copy)) = copied.found(blocks, context) else { continue };
            let (weight, walked) = if is_copy { (Weight::of(value), 0) } else { self.weight(value) };
            let times = if is_copy { copied.times.copies } else { copied.times.context };
            let one = if copied.times.spreads { weight.spread(value) } else { weight.memory };
            memory = memory.saturating_add(one.saturating_mul(times));
            work = work.saturating_add(walked);
        }
        (memory, work.saturating_add(work_of(memory)))
    }
}

/// The units of work that copying takes.
pub(super) const fn work_of(memory: u64) -> u64 {
    memory / BYTES_PER_UNIT
}

/// The blocks that are open, the innermost first.
pub(super) type Blocks<'rc> = VecDeque<BlockContext<'rc>>;

/// What an element copies before its helpers are called.
#[derive(Debug, Default)]
pub(super) struct Price {
    copied: Vec<Copied>,
}

/// A name whose value an element copies.
#[derive(Debug)]
struct Copied {
    name: Name,
    times: Times,
}

/// Where a value stands that the engine is given.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stands {
    Context,
    /// It is a copy already, or what a helper made.
    Copy,
    /// It is written in the template.
    Template,
}

/// How often the engine copies something, depending on where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    copies: u64,
    context: u64,
    literals: u64,
    /// Whether it becomes an object, to put named arguments into it.
    spreads: bool,
}

/// A value that is only looked at: what is a copy already is copied once more.
const LOOKED_AT: Times = Times { copies: 1, context: 0, literals: 0, spreads: false };
/// The list of a loop: itself, the loop's own, and the items twice.
pub(super) const LOOPED_OVER: Times = Times { copies: 4, context: 0, literals: 3, spreads: false };
/// What `with` is about: itself, the block's own, and its parameter.
pub(super) const ENTERED: Times = Times { copies: 3, context: 0, literals: 2, spreads: false };
/// The context of a partial.
pub(super) const INCLUDED: Times = Times { copies: 3, context: 1, literals: 1, spreads: false };
/// That of a partial that gets something by name as well.
pub(super) const INCLUDED_WITH_NAMES: Times = Times { spreads: true, ..INCLUDED };
/// A named argument of a partial, which is in its context, too.
pub(super) const NAMED: Times = Times { copies: 3, context: 2, literals: 2, spreads: false };

impl Price {
    /// Works out what an element copies. What blocks and partials are given is looked at; what becomes of it then is
    /// weighed by the calls that it passes.
    pub fn of(element: &TemplateElement) -> Self {
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
                all.for_each(|given| price.look_at(given));
            }
            _ => {}
        }
        if let TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) = element
            && partial.params.is_empty()
        {
            // It gets the context that is at hand.
            let name = Name::Followed { is_root: false, up: 0, parts: Vec::new() };
            let times = if partial.hash.is_empty() { INCLUDED } else { INCLUDED_WITH_NAMES };
            price.copied.push(Copied { name, times });
        }
        price
    }

    /// Whether it copies nothing that has to be looked up.
    pub(super) const fn is_plain(&self) -> bool {
        self.copied.is_empty()
    }

    fn call(&mut self, call: &HelperTemplate) {
        let all = std::iter::once(&call.name).chain(&call.params).chain(call.hash.values());
        all.for_each(|given| self.look_at(given));
    }

    fn look_at(&mut self, given: &Parameter) {
        match given {
            Parameter::Path(path) => self.copied.push(Copied { name: Name::of(path), times: LOOKED_AT }),
            Parameter::Subexpression(inner) => {
                if let TemplateElement::Expression(call) = inner.as_element() {
                    self.call(call);
                }
            }
            // A name alone is not looked up, and a literal not copied.
            _ => {}
        }
    }
}

/// A name, the way the engine follows it.
#[derive(Debug)]
enum Name {
    Followed { is_root: bool, up: usize, parts: Vec<String> },
    Local { level: usize, name: String },
}

impl Name {
    fn of(path: &Path) -> Self {
        let steps = match path {
            Path::Local((level, name, _)) => return Self::Local { level: *level, name: name.clone() },
            Path::Relative((steps, _)) => steps,
        };
        let is_named = |step: &&PathSeg| matches!(step, PathSeg::Named(_));
        let before = steps.iter().take_while(|step| !is_named(step));
        // The engine's own names for these steps are private.
        let is_step = |step: &PathSeg, name: &str| format!("{step:?}").contains(name);
        let is_root = before.clone().any(|step| is_step(step, "root"));
        let up = before.filter(|step| is_step(step, "up")).count();
        let part = |step: &PathSeg| match step {
            PathSeg::Named(name) => Some(name.clone()),
            _ => None,
        };
        Self::Followed { is_root, up, parts: steps.iter().filter_map(part).collect() }
    }
}

impl Copied {
    /// The value, and whether it is a copy; nothing where nothing is copied.
    fn found<'v>(&self, blocks: &'v Blocks<'_>, context: &'v Json) -> Option<(&'v Json, bool)> {
        let (is_root, up, parts) = match &self.name {
            Name::Local { level, name } => return Some((blocks.get(*level)?.get_local_var(name)?, true)),
            Name::Followed { is_root, up, parts } => (*is_root, *up, parts.as_slice()),
        };
        let in_context = |base: &[&[String]], rest: &[String]| {
            let wanted = self.times.context > 0;
            let steps = base.iter().copied().flatten().chain(rest);
            wanted.then(|| steps.into_iter().try_fold(context, step)).flatten().map(|value| (value, false))
        };
        if is_root {
            return in_context(&[], parts);
        }
        if let Some((first, rest)) = parts.split_first()
            && let Some((block, holder)) = blocks.iter().find_map(|b| Some((b, b.get_block_param(first)?)))
        {
            return match holder {
                BlockParamHolder::Path(path) => in_context(&[block.base_path(), path], rest),
                BlockParamHolder::Value(value) => Some((rest.iter().try_fold(value, step)?, true)),
            };
        }
        let block = blocks.get(up).or_else(|| blocks.front())?;
        match block.base_value() {
            Some(value) => Some((parts.iter().try_fold(value, step)?, true)),
            None => in_context(&[block.base_path()], parts),
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
    fn a_weight_is_what_memory_it_takes() {
        // Each of these allocates as often as it says, with the slots that it says.
        assert_eq!(Weight::of(&json!(1)).memory, SLOT);
        assert_eq!(Weight::of(&json!([[], []])).memory, 3 * SLOT + 3 * ALLOCATION);
        assert_eq!(Weight::of(&json!("abc")), Weight { text: 19, memory: SLOT + ALLOCATION + 3 });
        let object = Weight::of(&json!({"ab": 1}));
        assert_eq!(object.memory, 2 * SLOT + ENTRY + 2 * ALLOCATION + 2);
        let text = json!("abcd");
        assert!(Weight::of(&text).spread(&text) > 4 * SLOT);
    }

    #[test]
    fn a_tree_weighs_what_its_json_weighs() {
        let value = json!({"a": [1, "b", null, {"c": []}], "d": {"e": true}});
        let texts = WrittenScalars::default();
        assert_eq!(Weight::of_node(&sealwave_testkit::node(&value), &texts), Weight::of(&value));
    }

    #[test]
    fn what_is_written_otherwise_than_it_is_read_weighs_what_both_weigh() {
        let source = sealwave_core::document::Sources::default().add("values.yaml");
        let text = "a: [0755, 1, {b: 1.10}]\nc: 1_000\n";
        let budget = sealwave_core::yaml::Budget::default();
        let read = sealwave_core::yaml::read_written(
            text.as_bytes(),
            source,
            &sealwave_core::yaml::Limits::default(),
            &budget,
        );
        let (nodes, texts) = read.unwrap();
        assert_eq!(Weight::of_node(&nodes[0], &texts), Weight::of(&written::of_node(&nodes[0], &texts)));
    }

    #[test]
    fn copies_count_as_long_as_their_element() {
        let mut ledger = Ledger::default();
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
