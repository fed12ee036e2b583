//! Checks each reference against the policy, for each destination it is used for, before anything is fetched.
//!
//! An item of a Secret that holds a reference is a use of it. The destination of a use consists of the environment's
//! cluster, the Secret's namespace, and the scope that its annotations request. A backend that stores references binds
//! its object to name and namespace, which is the strict scope. Items without references contain only what is in Git,
//! and need no policy.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::collect::{PendingItem, PendingObject};
use super::problem::ReferencePlaces;
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::Manifest;
use sealwave_secrets::SealingScope;
use sealwave_secrets::placeholder::SecretReference;
use sealwave_secrets::policy::{Destination, Policy, PolicyDecision, PolicySubject};

/// The policy for references.
#[derive(Clone, Copy)]
pub enum AccessPolicy<'a> {
    /// The policy decides what this app may use.
    Checked {
        /// The operator's policy.
        policy: &'a Policy,
        /// The app, as Argo CD describes it.
        subject: &'a PolicySubject,
    },
    /// Everything is allowed: a local run without an operator file, or one that waives the policy.
    Unchecked,
}

/// The decisions on all uses of a run.
pub(super) struct PolicyDecisions<'r, 'o> {
    by_reference: BTreeMap<&'r SecretReference, BTreeMap<Destination<'o>, UseDecision>>,
}

/// The decision on a reference for one destination.
pub(super) struct UseDecision {
    /// `None` if the policy is not checked.
    pub(super) decision: Option<PolicyDecision>,
    places: ReferencePlaces,
    /// The position of the destination in the order in which the run's destinations appear.
    number: usize,
}

impl UseDecision {
    /// Reports whether the policy allows this use.
    pub(super) const fn is_allowed(&self) -> bool {
        matches!(self.decision, None | Some(PolicyDecision::Allowed { .. }))
    }
}

/// Decides on every use of the well-formed references.
pub(super) fn decide_uses<'r, 'o>(
    objects: &'o [PendingObject],
    references: &'r BTreeMap<SecretReference, ReferencePlaces>,
    cluster: &'o str,
    access: &AccessPolicy<'_>,
) -> PolicyDecisions<'r, 'o> {
    let bound = match access {
        AccessPolicy::Checked { policy, subject } => Some(policy.bind(subject)),
        AccessPolicy::Unchecked => None,
    };
    let mut by_reference: BTreeMap<_, BTreeMap<_, UseDecision>> = BTreeMap::new();
    let mut number = 0;
    for (object, items) in objects.iter().filter_map(|object| Some((object, object.secret()?.1))) {
        let destination = Destination::new(cluster, object.namespace(), object.scope());
        for (item, reference) in items.iter().flat_map(|item| item.references().map(move |it| (item, it))) {
            let Some((reference, _)) = references.get_key_value(reference) else { continue };
            match by_reference.entry(reference).or_default().entry(destination) {
                Entry::Occupied(mut known) => known.get_mut().places.add(),
                Entry::Vacant(new) => {
                    let decision = bound.as_ref().map(|bound| bound.decide(reference, &destination));
                    new.insert(UseDecision { decision, places: ReferencePlaces::new(item.origin), number });
                    number += 1;
                }
            }
        }
    }
    PolicyDecisions { by_reference }
}

impl<'r, 'o> PolicyDecisions<'r, 'o> {
    /// Returns all decisions, in the order of references and destinations.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'r SecretReference, Destination<'o>, &UseDecision)> {
        self.by_reference.iter().flat_map(|(reference, by_destination)| {
            by_destination.iter().map(|(destination, verdict)| (*reference, *destination, verdict))
        })
    }

    /// Returns the references that are allowed everywhere they are used.
    pub(super) fn allowed(&self) -> impl Iterator<Item = &'r SecretReference> {
        let allowed = self.by_reference.iter().filter(|(_, uses)| uses.values().all(UseDecision::is_allowed));
        allowed.map(|(reference, _)| *reference)
    }

    /// Reports each use that the policy refuses, at its first place.
    pub(super) fn report_refusals(&self, access: &AccessPolicy<'_>, problems: &mut Vec<Problem>) {
        let AccessPolicy::Checked { policy, subject } = access else { return };
        for (reference, uses) in &self.by_reference {
            for refused in group_refusals(uses, policy) {
                let RefusedUse { destination, decision, places } = refused;
                if let Some(refusal) = policy.refusal(subject, reference, &destination, decision) {
                    problems.push(Problem::at(places.first(), &refusal.with_others(places.others())));
                }
            }
        }
    }
}

/// A refusal of a reference, for one or more destinations.
struct RefusedUse<'o> {
    destination: Destination<'o>,
    decision: PolicyDecision,
    places: ReferencePlaces,
}

/// Groups the refusals of a reference in the order of their first places. Refusals that do not depend on the
/// destination are merged.
fn group_refusals<'o>(uses: &BTreeMap<Destination<'o>, UseDecision>, policy: &Policy) -> Vec<RefusedUse<'o>> {
    let mut in_order: Vec<_> = uses.iter().filter(|(_, verdict)| !verdict.is_allowed()).collect();
    in_order.sort_by_key(|(_, verdict)| verdict.number);
    let mut all: Vec<RefusedUse<'_>> = Vec::new();
    // Indexes of the refusals for every destination; a reference has at most one per rule.
    let mut general: Vec<usize> = Vec::new();
    for (destination, verdict) in in_order {
        let Some(decision) = verdict.decision else { continue };
        if policy.is_for_every_destination(decision) {
            let is_same = |index: &usize| all.get(*index).is_some_and(|one| one.decision == decision);
            let known = general.iter().copied().find(is_same);
            if let Some(same) = known.and_then(|index| all.get_mut(index)) {
                same.places.merge(&verdict.places);
                continue;
            }
            general.push(all.len());
        }
        all.push(RefusedUse { destination: *destination, decision, places: verdict.places });
    }
    all
}

impl PendingObject {
    /// Returns the Secret and its items, if it is a Secret with items.
    pub(super) fn secret(&self) -> Option<(&Manifest, &[PendingItem])> {
        match self {
            Self::Plain(_) => None,
            Self::Referred(manifest, items) | Self::Secret(manifest, items) => Some((manifest, items)),
        }
    }

    /// Returns the sealing scope.
    pub(super) fn scope(&self) -> SealingScope {
        match self {
            Self::Secret(manifest, _) => SealingScope::from_annotation_map(manifest.annotations()),
            Self::Plain(_) | Self::Referred(..) => SealingScope::Strict,
        }
    }

    fn namespace(&self) -> &str {
        self.secret().map_or("", |(manifest, _)| manifest.namespace())
    }
}
