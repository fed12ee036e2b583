//! Removes findings that another finding already covers.

use std::collections::{HashMap, HashSet};

use crate::RuleOverlap;
use crate::located::ObjectLocation;
use crate::reporter::{FindingDraft, FindingSubject};
use crate::rules::schema;
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;

/// Drops missing parts that a schema violation reports, and template findings in places that another rule rejects.
pub(super) fn without_covered(drafts: Vec<FindingDraft>) -> Vec<FindingDraft> {
    if drafts.iter().all(|draft| draft.rule.overlap == RuleOverlap::None) {
        return drafts;
    }
    let mut missing_fields: HashSet<(FindingSubject, String)> = HashSet::new();
    let mut rejected: HashSet<SubjectPlace> = HashSet::new();
    for draft in drafts.iter().filter(|draft| draft.rule.is_refused()) {
        if draft.rule.id == schema::REQUIRED.info.id {
            missing_fields.extend(draft.known_pointer().map(|pointer| (draft.subject, pointer.into_owned())));
        }
        if draft.severity == Severity::Error {
            rejected.insert((draft.subject, draft.at));
        }
    }
    let mut hints: HashMap<SubjectPlace, Option<String>> = HashMap::new();
    let kept = drafts.into_iter().filter_map(|draft| match draft.rule.overlap {
        RuleOverlap::SchemaViolation => {
            let is_missing = draft
                .known_pointer()
                .is_some_and(|pointer| missing_fields.contains(&(draft.subject, pointer.into_owned())));
            (!is_missing).then_some(draft)
        }
        RuleOverlap::RejectedPlace => without_places(draft, &rejected, &mut hints),
        RuleOverlap::None => Some(draft),
    });
    let mut kept: Vec<FindingDraft> = kept.collect();
    for draft in kept.iter_mut().filter(|draft| draft.rule.is_refused()) {
        if let Some(hint) = hints.get(&(draft.subject, draft.at)) {
            draft.hint.clone_from(hint);
        }
    }
    kept
}

/// An object and a position in its sources.
type SubjectPlace = (FindingSubject, Origin);

/// Removes the rejected places from a finding; its hint moves to the findings that remain there.
fn without_places(
    mut draft: FindingDraft,
    rejected: &HashSet<SubjectPlace>,
    hints: &mut HashMap<SubjectPlace, Option<String>>,
) -> Option<FindingDraft> {
    let places = std::iter::once(draft.at).chain(draft.related.iter().map(|(at, _)| *at));
    let (dropped, mut kept): (Vec<Origin>, Vec<Origin>) =
        places.partition(|at| rejected.contains(&(draft.subject, *at)));
    hints.extend(dropped.iter().map(|at| ((draft.subject, *at), draft.hint.clone())));
    if kept.is_empty() {
        return None;
    }
    let at = kept.remove(0);
    if at != draft.at {
        draft.at = at;
        draft.location = ObjectLocation::Origin(at);
    }
    draft.related.retain(|(at, _)| kept.contains(at));
    Some(draft)
}
