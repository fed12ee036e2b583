//! Third pass: values in their places. Pure; a value goes in as bytes and is not looked at again.

use std::collections::BTreeMap;

use super::collect::{Content, Pending, PendingItem};
use super::modify::{self, NoValue, Refusal};
use super::problem::{self, Places, ResolveError, shown};
use super::{ResolvedItem, ResolvedObject, ResolvedSecret};
use crate::diagnostic::{Explain, Note, Problem};
use crate::model::{Part, Placeholder, Reference, SecretBuffer, SecretValue, Text};
use crate::providers::{FetchResult, ProviderError};

/// Kubernetes' limit for all of a Secret; no item can be larger.
const MAX_ITEM: usize = 1 << 20;

/// Bytes of all items of a run, so that many Secrets over one large value do not exhaust the sidecar.
const MAX_IN_ALL: usize = 64 << 20;

/// Puts values in their places. Where a problem is reported, what comes back is not complete.
pub(super) fn substitute(
    objects: Vec<Pending>,
    fetched: &BTreeMap<&Reference, FetchResult>,
    notes: &mut Vec<Note>,
    problems: &mut Vec<Problem>,
) -> Vec<ResolvedObject> {
    let mut run = Run { fetched, notes, problems, missing: BTreeMap::new(), left: Some(MAX_IN_ALL) };
    let objects = objects.into_iter().map(|object| run.object(object)).collect();
    run.report_missing();
    objects
}

/// Whether a reference gave the answer that lets `default` apply.
pub(super) const fn is_missing(error: &ProviderError) -> bool {
    matches!(error, ProviderError::NotFound { .. })
}

struct Run<'a> {
    fetched: &'a BTreeMap<&'a Reference, FetchResult>,
    notes: &'a mut Vec<Note>,
    problems: &'a mut Vec<Problem>,
    /// References that were not found, where no `default` helps.
    missing: BTreeMap<Reference, Places>,
    /// Bytes that the run may still hold; none once that was reported.
    left: Option<usize>,
}

impl Run<'_> {
    fn object(&mut self, object: Pending) -> ResolvedObject {
        match object {
            Pending::Plain(_) | Pending::Referred(..) => super::withheld(object),
            Pending::Secret(manifest, items) => {
                let items: Vec<_> = items.into_iter().filter_map(|item| self.item(item)).collect();
                // All of them were left out: as a Secret that never had any.
                if items.is_empty() {
                    return ResolvedObject::Plain(manifest);
                }
                ResolvedObject::Secret(ResolvedSecret { manifest, items })
            }
        }
    }

    fn item(&mut self, item: PendingItem) -> Option<ResolvedItem> {
        let value = match &item.content {
            Content::Bytes => Some(item.unresolved.clone()),
            Content::Text(text) => self.text(text, &item),
        }?;
        self.left = self.left?.checked_sub(value.len());
        if self.left.is_none() {
            self.problem(&item, &ResolveError::TooLargeInAll { limit: MAX_IN_ALL });
            return None;
        }
        Some(item.known(value, self.fetched))
    }

    fn text(&mut self, text: &Text, item: &PendingItem) -> Option<SecretValue> {
        let mut value = SecretBuffer::default();
        let mut complete = true;
        for part in text.parts() {
            let added = match part {
                Part::Literal(literal) => Some(SecretValue::new(literal.as_bytes().to_vec())),
                Part::Placeholder(placeholder) => self.placeholder(placeholder, item),
            };
            match added {
                Some(added) if value.len() + added.len() > MAX_ITEM => {
                    self.problem(item, &ResolveError::TooLarge { key: shown(&item.key), limit: MAX_ITEM });
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
        // What is not there was refused, and what failed was reported: nothing more to say of either.
        let fetched = match self.fetched.get(reference)? {
            Ok(fetched) => Some(&fetched.value),
            Err(error) if is_missing(error) => None,
            Err(_) => return None,
        };
        match modify::apply(fetched, &placeholder.modifiers) {
            Ok(Ok(value)) => return Some(value),
            Ok(Err(NoValue::NotFound)) if item.is_optional => {
                let note = LeftOut { key: shown(&item.key), reference: reference.clone() };
                self.notes.push(Note::remark(Problem::at(item.origin, &note)));
            }
            Ok(Err(NoValue::NotFound)) => match self.missing.get_mut(reference) {
                Some(places) => places.add(),
                None => {
                    self.missing.insert(reference.clone(), Places::new(item.origin));
                }
            },
            Ok(Err(NoValue::Nothing(refusal))) | Err(refusal) => self.refusal(item, reference, refusal),
        }
        None
    }

    fn refusal(&mut self, item: &PendingItem, reference: &Reference, refusal: Refusal) {
        let Refusal { modifier, why } = refusal;
        let error =
            ResolveError::Modifier { key: shown(&item.key), reference: reference.clone(), modifier, why };
        self.problem(item, &error);
    }

    fn report_missing(&mut self) {
        for (reference, places) in &self.missing {
            if let Some(Err(error)) = self.fetched.get(reference) {
                self.problems.push(problem::failed(reference, error, places));
            }
        }
    }

    fn problem(&mut self, item: &PendingItem, error: &ResolveError) {
        self.problems.push(Problem::at(item.origin, error));
    }
}

/// An item that its author wants left out where its value does not exist.
#[derive(Debug, thiserror::Error)]
#[error("item `{key}` is left out: reference `{reference}` is not found")]
struct LeftOut {
    key: String,
    reference: Reference,
}

impl Explain for LeftOut {}
