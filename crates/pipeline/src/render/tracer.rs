//! Records the template element behind each part of the output, and the entry of the values that it prints.
//!
//! A value of the context is identified by its address: the context neither moves nor changes while templates run. A
//! text from a helper is identified by the address of its characters, from its creation until another helper receives
//! it: the engine moves it without copying it. If that should not hold, a record is missing, but never wrong.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json};

use super::scope::{ScopeSource, ScopeStack};
use sealwave_core::document::{Node, NodeValue, Origin, OutputSpan, TemplateNode, ValueRef};

/// The maximum number of recorded stretches for all texts of an environment; later output has only its line. Real
/// environments need some thousand.
const MAX_STRETCHES: usize = 1 << 20;

/// The origins of the entries of the values, by the address of their values in the context.
#[derive(Debug, Default)]
pub(super) struct EntryOrigins(HashMap<usize, EntryOrigin>);

#[derive(Clone, Copy, Debug)]
struct EntryOrigin {
    key: Option<Origin>,
    value: ValueRef,
}

/// The trace of running templates. Only one thread uses it; it is locked because helpers must be `Sync`.
#[derive(Debug)]
pub(super) struct OutputTracer {
    entries: EntryOrigins,
    elements: Mutex<Vec<Arc<TemplateNode>>>,
    now: Mutex<TraceState>,
    scopes: Mutex<ScopeStack>,
}

#[derive(Debug, Default)]
struct TraceState {
    element: Option<Arc<TemplateNode>>,
    /// Whether the element has not written anything yet.
    is_new: bool,
    value: Option<ValueRef>,
    /// Texts that helpers made from one value, by their address.
    made: HashMap<usize, ValueRef>,
    made_of: Option<ScopeSource>,
    stretches: Vec<OutputSpan>,
    /// The number of stretches that were taken.
    taken: usize,
}

impl OutputTracer {
    pub(super) fn new(entries: EntryOrigins) -> Self {
        Self { entries, elements: Mutex::default(), now: Mutex::default(), scopes: Mutex::default() }
    }

    /// Adds an element and returns its index.
    pub(super) fn add(&self, element: TemplateNode) -> usize {
        let mut elements = lock(&self.elements);
        elements.push(Arc::new(element));
        elements.len() - 1
    }

    /// Sets the next element.
    pub(super) fn mark(&self, element: usize, made_of: Option<ScopeSource>) {
        let element = lock(&self.elements).get(element).cloned();
        let mut now = lock(&self.now);
        now.made.clear();
        (now.element, now.is_new, now.value, now.made_of) = (element, true, None, made_of);
    }

    /// Takes the source of the partial or block that was just entered, if it is the next element.
    pub(super) fn take_scope_source(&self) -> Option<ScopeSource> {
        lock(&self.now).made_of.take()
    }

    /// Returns the open blocks with their sources.
    pub(super) fn scopes(&self) -> MutexGuard<'_, ScopeStack> {
        lock(&self.scopes)
    }

    /// Records the value that the element prints or passes on.
    pub(super) fn print(&self, value: Option<ValueRef>) {
        lock(&self.now).value = value;
    }

    /// Records that output starts at this byte.
    pub(super) fn write(&self, from: usize) {
        let mut now = lock(&self.now);
        if !std::mem::take(&mut now.is_new) {
            return;
        }
        let is_known = now.taken.saturating_add(now.stretches.len()) < MAX_STRETCHES;
        if is_known {
            let (element, value) = (now.element.clone(), now.value);
            now.stretches.push(OutputSpan { start: from, element, value });
        } else if now.stretches.last().is_none_or(|last| last.element.is_some()) {
            now.stretches.push(OutputSpan { start: from, element: None, value: None });
        }
    }

    /// Takes the stretches recorded since the last call.
    pub(super) fn take(&self) -> Vec<OutputSpan> {
        let mut now = lock(&self.now);
        now.taken = now.taken.saturating_add(now.stretches.len());
        std::mem::take(&mut now.stretches)
    }

    /// Returns the entry of the values behind a value of the context.
    pub(super) fn entry(&self, value: &Json) -> Option<ValueRef> {
        self.entries.0.get(&address(value)).map(|entry| entry.value)
    }

    /// Returns the key of the entry of the values behind a value of the context.
    pub(super) fn key(&self, value: &Json) -> Option<ValueRef> {
        let origin = self.entries.0.get(&address(value))?.key?;
        Some(ValueRef { origin, is_nested: false, is_whole: true })
    }

    /// Returns the value from which a helper made a text.
    pub(super) fn source_of_text(&self, text: &Json) -> Option<ValueRef> {
        lock(&self.now).made.get(&text_address(text)?).copied()
    }

    /// Records the result of a helper, with the value it was made from if that is known.
    pub(super) fn record_result<'a>(
        &self,
        arguments: impl Iterator<Item = &'a Json>,
        result: &Json,
        origin: Option<ValueRef>,
    ) {
        let mut now = lock(&self.now);
        for text in arguments.filter_map(text_address) {
            now.made.remove(&text);
        }
        if let Some(text) = text_address(result) {
            match origin {
                Some(origin) => now.made.insert(text, origin),
                None => now.made.remove(&text),
            };
        }
        now.value = origin;
    }
}

impl EntryOrigins {
    /// Records the origins of the entries in a part of the context.
    pub(super) fn add(&mut self, data: &Json, node: &Node, key: Option<Origin>) {
        if node.origin.line > 0 {
            let is_nested = matches!(node.value, NodeValue::Mapping(_) | NodeValue::Sequence(_));
            let value = ValueRef { origin: node.origin, is_nested, is_whole: true };
            self.0.insert(address(data), EntryOrigin { key, value });
        }
        match (data, &node.value) {
            (Json::Object(fields), NodeValue::Mapping(_)) => self.add_fields(fields, node, |_| true),
            (Json::Array(items), NodeValue::Sequence(nodes)) => {
                items.iter().zip(nodes).for_each(|(item, node)| self.add(item, node, None));
            }
            _ => {}
        }
    }

    /// Records the origins of those entries of a mapping whose keys count.
    pub(super) fn add_fields(
        &mut self,
        fields: &Map<String, Json>,
        node: &Node,
        counts: impl Fn(&str) -> bool,
    ) {
        let entries = node.entries();
        for entry in entries.iter().filter(|entry| counts(&entry.key)) {
            if let Some(field) = fields.get(entry.key.as_str()) {
                self.add(field, &entry.value, Some(entry.key_origin));
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn address(value: &Json) -> usize {
    std::ptr::from_ref(value).addr()
}

/// Returns the address of the characters of a text, or `None` if it is empty.
fn text_address(value: &Json) -> Option<usize> {
    value.as_str().filter(|text| !text.is_empty()).map(|text| text.as_ptr().addr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwave_core::document::Sources;

    #[test]
    fn records_are_bounded() {
        let tracer = OutputTracer::new(EntryOrigins::default());
        let origin = Origin::point(Sources::default().add("t"), 1, 1);
        let number = tracer.add(TemplateNode { origin, text: None });
        let mut total = 0;
        for from in 0..MAX_STRETCHES + 1000 {
            tracer.mark(number, None);
            tracer.write(from);
            tracer.write(from);
            if from == 10 {
                total += tracer.take().len();
            }
        }
        let rest = tracer.take();
        assert_eq!(total + rest.len(), MAX_STRETCHES + 1);
        assert!(rest.last().is_some_and(|last| last.element.is_none() && last.start == MAX_STRETCHES));
        // The next text starts with an unknown stretch.
        tracer.mark(number, None);
        tracer.write(0);
        assert!(matches!(tracer.take().as_slice(), [OutputSpan { start: 0, element: None, .. }]));
    }
}
