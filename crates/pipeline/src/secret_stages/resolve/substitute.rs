//! The third pass: substitutes the values. Pure; a value is copied as bytes and never inspected.

use std::collections::BTreeMap;

use compact_str::CompactString;

use super::collect::{ItemContent, PendingItem, PendingObject};
use super::expand::{self, ExpandError, ItemSource};
use super::modify::{self, ModifiedValue, ModifierError};
use super::problem::{self, ReferencePlaces, ResolveError, printable_key};
use crate::secret_stages::resolved::{ResolvedItem, ResolvedObject, ResolvedSecret};
use sealwave_core::diagnostic::{Explain, Note, Problem};
use sealwave_providers::{FetchResult, ProviderError};
use sealwave_secrets::placeholder::{
    KeySource, Modifiers, Placeholder, PlaceholderText, SecretReference, TextPart,
};
use sealwave_secrets::values::{SecretBuffer, SecretValue};

/// Kubernetes' limit for a whole Secret; an item cannot be larger.
const MAX_ITEM: usize = 1 << 20;

/// The maximum size of all items of a run, so that many Secrets with one large value do not exhaust the sidecar.
const MAX_IN_ALL: usize = 64 << 20;

/// Substitutes the values. If a problem is reported, the result is incomplete.
pub(super) fn substitute(
    objects: Vec<PendingObject>,
    fetched: &BTreeMap<&SecretReference, FetchResult>,
    notes: &mut Vec<Note>,
    problems: &mut Vec<Problem>,
) -> Vec<ResolvedObject> {
    let missing = BTreeMap::new();
    let (left, items_left) = (Some(MAX_IN_ALL), Some(expand::MAX_ITEMS));
    let mut substitution = Substitution { fetched, notes, problems, missing, left, items_left };
    let objects = objects.into_iter().map(|object| substitution.object(object)).collect();
    substitution.report_missing();
    objects
}

/// Reports whether the error lets `default` apply.
pub(super) const fn is_missing(error: &ProviderError) -> bool {
    matches!(error, ProviderError::NotFound { .. })
}

struct Substitution<'a> {
    fetched: &'a BTreeMap<&'a SecretReference, FetchResult>,
    notes: &'a mut Vec<Note>,
    problems: &'a mut Vec<Problem>,
    /// References that were not found and have no `default`.
    missing: BTreeMap<SecretReference, ReferencePlaces>,
    /// The remaining bytes of the run; `None` after the limit was reported.
    left: Option<usize>,
    /// The remaining number of items from secrets; `None` after the limit was reported.
    items_left: Option<usize>,
}

impl Substitution<'_> {
    fn object(&mut self, object: PendingObject) -> ResolvedObject {
        match object {
            PendingObject::Plain(_) | PendingObject::Referred(..) => object.without_value(),
            PendingObject::Secret(manifest, items) => {
                let items = self.items(items);
                // All items were left out, so the Secret is treated as one without items.
                if items.is_empty() {
                    return ResolvedObject::Plain(manifest);
                }
                ResolvedObject::Secret(ResolvedSecret { manifest, items, sources: Vec::new() })
            }
        }
    }

    /// Returns the items of a Secret in the order of their keys, including those from all keys of secrets.
    fn items(&mut self, pending: Vec<PendingItem>) -> Vec<ResolvedItem> {
        let is_own = |item: &&PendingItem| !matches!(item.content, ItemContent::AllKeys(_));
        let mut taken = expand::own_items(pending.iter().filter(is_own).map(|item| &item.key));
        let mut items = Vec::with_capacity(pending.len());
        for item in pending {
            match &item.content {
                ItemContent::AllKeys(source) => items.extend(self.all_keys(source, &mut taken)),
                ItemContent::Bytes | ItemContent::Text(_) => items.extend(self.item(item)),
            }
        }
        items.sort_by(|a, b| a.key.cmp(&b.key));
        items
    }

    /// Returns the items from all keys of a secret. Each is like a bare placeholder, except for the text it is derived
    /// from.
    fn all_keys(
        &mut self,
        source: &KeySource,
        taken: &mut BTreeMap<CompactString, ItemSource>,
    ) -> Vec<ResolvedItem> {
        // A missing entry was refused.
        let Some(answer) = self.fetched.get(&source.reference) else { return Vec::new() };
        let entries = match answer {
            Ok(fetched) => fetched.entries.as_ref(),
            Err(error) => {
                // Other errors were reported.
                if is_missing(error) {
                    let places = ReferencePlaces::new(source.origin);
                    self.missing
                        .entry(source.reference.clone())
                        .and_modify(ReferencePlaces::add)
                        .or_insert(places);
                }
                return Vec::new();
            }
        };
        let expanded = entries.map_or_else(
            || Err(vec![ExpandError::Nothing { reference: source.reference.clone() }]),
            |entries| expand::expand(source, entries, taken),
        );
        let expanded = expanded.unwrap_or_else(|errors| {
            self.problems.extend(errors.iter().map(|error| Problem::at(source.origin, error)));
            Vec::new()
        });
        let Some(left) = self.items_left else { return Vec::new() };
        self.items_left = left.checked_sub(expanded.len());
        if self.items_left.is_none() {
            self.problems.push(Problem::at(source.origin, &ExpandError::TooMany));
            return Vec::new();
        }
        let placeholder =
            Placeholder { reference: source.reference.clone(), modifiers: Modifiers::default() };
        let new_item = |key, source_key| PendingItem {
            key,
            origin: source.origin,
            unresolved: SecretValue::new(source.unresolved(source_key)),
            content: ItemContent::Text(PlaceholderText::from_placeholder(placeholder.clone())),
            is_optional: false,
        };
        let mut items = Vec::with_capacity(expanded.len());
        for one in expanded {
            let item = new_item(one.key, one.source_key);
            if one.value.len() > MAX_ITEM {
                self.problem(
                    &item,
                    &ResolveError::TooLarge { key: printable_key(&item.key), limit: MAX_ITEM },
                );
            } else {
                items.extend(self.with_value(item, one.value.clone()));
            }
        }
        items
    }

    fn item(&mut self, item: PendingItem) -> Option<ResolvedItem> {
        let value = match &item.content {
            ItemContent::AllKeys(_) => None,
            ItemContent::Bytes => Some(item.unresolved.clone()),
            ItemContent::Text(text) => self.text(text, &item),
        }?;
        self.with_value(item, value)
    }

    /// Returns the item with its value, or reports that the run would hold too much.
    fn with_value(&mut self, item: PendingItem, value: SecretValue) -> Option<ResolvedItem> {
        self.left = self.left?.checked_sub(value.len());
        if self.left.is_none() {
            self.problem(&item, &ResolveError::TooLargeInAll { limit: MAX_IN_ALL });
            return None;
        }
        Some(item.with_value(value, self.fetched))
    }

    fn text(&mut self, text: &PlaceholderText, item: &PendingItem) -> Option<SecretValue> {
        let mut value = SecretBuffer::default();
        let mut complete = true;
        for part in text.parts() {
            let added = match part {
                TextPart::Literal(literal) => Some(SecretValue::new(literal.as_bytes().to_vec())),
                TextPart::Placeholder(placeholder) => self.placeholder(placeholder, item),
            };
            match added {
                Some(added) if value.len() + added.len() > MAX_ITEM => {
                    self.problem(
                        item,
                        &ResolveError::TooLarge { key: printable_key(&item.key), limit: MAX_ITEM },
                    );
                    return None;
                }
                Some(added) => value.push(added.expose()),
                None => complete = false,
            }
        }
        complete.then(|| value.into_value())
    }

    fn placeholder(&mut self, placeholder: &Placeholder, item: &PendingItem) -> Option<SecretValue> {
        let reference = &placeholder.reference;
        // A missing entry was refused, and other errors were reported.
        let fetched = match self.fetched.get(reference)? {
            Ok(fetched) => Some(&fetched.value),
            Err(error) if is_missing(error) => None,
            Err(_) => return None,
        };
        match modify::apply(fetched, &placeholder.modifiers) {
            ModifiedValue::Value(value) => return Some(value),
            ModifiedValue::NotFound if item.is_optional => {
                let note = OmittedItem { key: printable_key(&item.key), reference: reference.clone() };
                self.notes.push(Note::info(Problem::at(item.origin, &note)));
            }
            ModifiedValue::NotFound => match self.missing.get_mut(reference) {
                Some(places) => places.add(),
                None => {
                    self.missing.insert(reference.clone(), ReferencePlaces::new(item.origin));
                }
            },
            ModifiedValue::NothingSelected(error) | ModifiedValue::Failed(error) => {
                self.report_modifier(item, reference, error);
            }
        }
        None
    }

    fn report_modifier(&mut self, item: &PendingItem, reference: &SecretReference, error: ModifierError) {
        let ModifierError { modifier, reason: why } = error;
        let error = ResolveError::Modifier {
            key: printable_key(&item.key),
            reference: reference.clone(),
            modifier,
            why,
        };
        self.problem(item, &error);
    }

    fn report_missing(&mut self) {
        for (reference, places) in &self.missing {
            if let Some(Err(error)) = self.fetched.get(reference) {
                self.problems.push(problem::fetch_problem(reference, error, places));
            }
        }
    }

    fn problem(&mut self, item: &PendingItem, error: &ResolveError) {
        self.problems.push(Problem::at(item.origin, error));
    }
}

/// An item that is left out because its value does not exist, as its author requested.
#[derive(Debug, thiserror::Error)]
#[error("item `{key}` is left out: reference `{reference}` is not found")]
struct OmittedItem {
    key: String,
    reference: SecretReference,
}

impl Explain for OmittedItem {}
