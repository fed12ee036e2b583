//! Findings that say again what another finding says better.

use std::collections::{HashMap, HashSet};

use crate::rules::{Draft, Subject, resource, schema};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;

/// Drops a part that a schema already misses, and templates in places that the API server refuses by another rule.
pub(super) fn without_echoes(drafts: Vec<Draft>) -> Vec<Draft> {
    let echoes = [&resource::incomplete::RULE.info, &resource::unfilled::RULE.info];
    if !drafts.iter().any(|draft| echoes.iter().any(|rule| rule.id == draft.rule.id)) {
        return drafts;
    }
    let mut missed: HashSet<(Option<Subject>, String)> = HashSet::new();
    let mut refused: HashSet<Place> = HashSet::new();
    for draft in drafts.iter().filter(|draft| draft.rule.is_refused()) {
        if draft.rule.id == schema::REQUIRED.info.id {
            missed.extend(draft.pointer.clone().map(|pointer| (draft.subject, pointer)));
        }
        if draft.severity == Severity::Error {
            refused.insert((draft.subject, draft.at));
        }
    }
    let mut hints: HashMap<Place, Option<String>> = HashMap::new();
    let kept = drafts.into_iter().filter_map(|draft| match draft.rule.id {
        id if id == resource::incomplete::RULE.info.id => {
            let pointer = draft.pointer.clone().unwrap_or_default();
            (!missed.contains(&(draft.subject, pointer))).then_some(draft)
        }
        id if id == resource::unfilled::RULE.info.id => without_places(draft, &refused, &mut hints),
        _ => Some(draft),
    });
    let mut kept: Vec<Draft> = kept.collect();
    for draft in kept.iter_mut().filter(|draft| draft.rule.is_refused()) {
        if let Some(hint) = hints.get(&(draft.subject, draft.at)) {
            draft.hint.clone_from(hint);
        }
    }
    kept
}

/// An object and a place in its sources.
type Place = (Option<Subject>, Origin);

/// Takes the refused places out of a finding; its hint goes to the findings that are left there.
fn without_places(
    mut draft: Draft,
    refused: &HashSet<Place>,
    hints: &mut HashMap<Place, Option<String>>,
) -> Option<Draft> {
    let places = std::iter::once(draft.at).chain(draft.related.iter().map(|(at, _)| *at));
    let (dropped, mut kept): (Vec<Origin>, Vec<Origin>) =
        places.partition(|at| refused.contains(&(draft.subject, *at)));
    hints.extend(dropped.iter().map(|at| ((draft.subject, *at), draft.hint.clone())));
    if kept.is_empty() {
        return None;
    }
    draft.at = kept.remove(0);
    draft.related.retain(|(at, _)| kept.contains(at));
    Some(draft)
}
