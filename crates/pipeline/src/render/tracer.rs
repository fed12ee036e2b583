//! Notes what wrote each part of the output, and which entry of the values it printed.
//!
//! A value of the context is known by where it lies in memory: the context neither moves nor changes while templates run.
//! A text that a helper made is known by where its characters lie, from when it is made until another helper has it: the
//! engine moves it, and does not copy it. Where that is once not so, a place is missing, and none is wrong.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value as Json};

use super::scope::{MadeOf, Scopes};
use sealwave_core::document::{Element, Mapping, Node, Origin, Printed, Stretch, Value};

/// Stretches of all texts of an environment; what is behind them has its line only. Real environments need some thousand.
const MAX_STRETCHES: usize = 1 << 20;

/// Where the entries of the values stand that are in the context.
#[derive(Debug, Default)]
pub(super) struct Entries(HashMap<usize, Entry>);

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: Option<Origin>,
    value: Printed,
}

/// What is known while templates run. One thread uses it; the lock is there because helpers must be `Sync`.
#[derive(Debug)]
pub(super) struct Tracer {
    entries: Entries,
    elements: Mutex<Vec<Arc<Element>>>,
    now: Mutex<Now>,
    scopes: Mutex<Scopes>,
}

#[derive(Debug, Default)]
struct Now {
    element: Option<Arc<Element>>,
    /// Whether the element has not written yet.
    is_new: bool,
    value: Option<Printed>,
    /// Texts that helpers made of one value, by where they lie.
    made: HashMap<usize, Printed>,
    made_of: Option<MadeOf>,
    stretches: Vec<Stretch>,
    /// How many there were before.
    taken: usize,
}

impl Tracer {
    pub(super) fn new(entries: Entries) -> Self {
        Self { entries, elements: Mutex::default(), now: Mutex::default(), scopes: Mutex::default() }
    }

    /// Adds an element, and gives its number.
    pub(super) fn add(&self, element: Element) -> usize {
        let mut elements = locked(&self.elements);
        elements.push(Arc::new(element));
        elements.len() - 1
    }

    /// This element is next.
    pub(super) fn mark(&self, element: usize, made_of: Option<MadeOf>) {
        let element = locked(&self.elements).get(element).cloned();
        let mut now = locked(&self.now);
        now.made.clear();
        (now.element, now.is_new, now.value, now.made_of) = (element, true, None, made_of);
    }

    /// What the partial or the block is made of that was just entered, if it was the next element.
    pub(super) fn take_made_of(&self) -> Option<MadeOf> {
        locked(&self.now).made_of.take()
    }

    /// What the blocks are made of that are open.
    pub(super) fn scopes(&self) -> MutexGuard<'_, Scopes> {
        locked(&self.scopes)
    }

    /// The element prints this, or hands it on.
    pub(super) fn print(&self, value: Option<Printed>) {
        locked(&self.now).value = value;
    }

    /// Something is written, from this byte on.
    pub(super) fn write(&self, from: usize) {
        let mut now = locked(&self.now);
        if !std::mem::take(&mut now.is_new) {
            return;
        }
        let is_known = now.taken.saturating_add(now.stretches.len()) < MAX_STRETCHES;
        if is_known {
            let (element, value) = (now.element.clone(), now.value);
            now.stretches.push(Stretch { from, element, value });
        } else if now.stretches.last().is_none_or(|last| last.element.is_some()) {
            now.stretches.push(Stretch { from, element: None, value: None });
        }
    }

    /// What was written since this was last asked.
    pub(super) fn take(&self) -> Vec<Stretch> {
        let mut now = locked(&self.now);
        now.taken = now.taken.saturating_add(now.stretches.len());
        std::mem::take(&mut now.stretches)
    }

    /// The entry of the values that something of the context is.
    pub(super) fn entry(&self, value: &Json) -> Option<Printed> {
        self.entries.0.get(&address(value)).map(|entry| entry.value)
    }

    /// The key of the entry of the values that something of the context is.
    pub(super) fn key(&self, value: &Json) -> Option<Printed> {
        let origin = self.entries.0.get(&address(value))?.key?;
        Some(Printed { origin, is_nested: false, is_whole: true })
    }

    /// What a text was made of by a helper.
    pub(super) fn made_of(&self, text: &Json) -> Option<Printed> {
        locked(&self.now).made.get(&characters(text)?).copied()
    }

    /// A helper took its arguments and made this, of one value or of who knows what.
    pub(super) fn made<'a>(
        &self,
        arguments: impl Iterator<Item = &'a Json>,
        result: &Json,
        of: Option<Printed>,
    ) {
        let mut now = locked(&self.now);
        for text in arguments.filter_map(characters) {
            now.made.remove(&text);
        }
        if let Some(text) = characters(result) {
            match of {
                Some(of) => now.made.insert(text, of),
                None => now.made.remove(&text),
            };
        }
        now.value = of;
    }
}

impl Entries {
    /// Notes where the entries stand of a part of the context.
    pub(super) fn add(&mut self, data: &Json, node: &Node, key: Option<Origin>) {
        if node.origin.line > 0 {
            let is_nested = matches!(node.value, Value::Mapping(_) | Value::Sequence(_));
            let value = Printed { origin: node.origin, is_nested, is_whole: true };
            self.0.insert(address(data), Entry { key, value });
        }
        match (data, &node.value) {
            (Json::Object(fields), Value::Mapping(_)) => self.add_fields(fields, node, |_| true),
            (Json::Array(items), Value::Sequence(nodes)) => {
                items.iter().zip(nodes).for_each(|(item, node)| self.add(item, node, None));
            }
            _ => {}
        }
    }

    /// Notes where the entries of a mapping stand that are fields, those with the keys that count.
    pub(super) fn add_fields(
        &mut self,
        fields: &Map<String, Json>,
        node: &Node,
        counts: impl Fn(&str) -> bool,
    ) {
        let entries = node.as_mapping().map_or(&[][..], Mapping::entries);
        for entry in entries.iter().filter(|entry| counts(&entry.key)) {
            if let Some(field) = fields.get(entry.key.as_str()) {
                self.add(field, &entry.value, Some(entry.key_origin));
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn address(value: &Json) -> usize {
    std::ptr::from_ref(value).addr()
}

/// Where the characters of a text lie; an empty one has none.
fn characters(value: &Json) -> Option<usize> {
    value.as_str().filter(|text| !text.is_empty()).map(|text| text.as_ptr().addr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwave_core::document::Sources;

    #[test]
    fn what_is_noted_is_bounded() {
        let tracer = Tracer::new(Entries::default());
        let origin = Origin::point(Sources::default().add("t"), 1, 1);
        let number = tracer.add(Element { origin, text: None });
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
        assert!(rest.last().is_some_and(|last| last.element.is_none() && last.from == MAX_STRETCHES));
        // The next text starts with what is not known.
        tracer.mark(number, None);
        tracer.write(0);
        assert!(matches!(tracer.take().as_slice(), [Stretch { from: 0, element: None, .. }]));
    }
}
