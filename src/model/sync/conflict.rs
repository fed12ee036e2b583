//! Where phases and waves that authors fixed disagree with who needs whom.

use std::collections::{BTreeMap, BTreeSet};

use super::standing::{Standing, hook_at, wave_at};
use super::uses::Use;
use crate::diagnostic::Explain;
use crate::model::catalogue::{Catalogue, Object};
use crate::model::{ObjectId, Origin};

/// The rule that [`Conflict::Late`] is reported under.
pub(crate) const LATE: &str = "wave/late-configuration";
/// The rule that [`Conflict::EarlierPhase`] is reported under.
pub(crate) const EARLIER_PHASE: &str = "wave/presync-needs-sealed";

/// An object that comes after what needs it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Conflict {
    /// A `PreSync` hook needs what the Sync phase brings.
    #[error("{hook} runs in the PreSync phase, but needs {needed}, which comes in the Sync phase")]
    EarlierPhase {
        /// The hook.
        hook: ObjectId,
        /// What it needs.
        needed: ObjectId,
    },
    /// Something comes in a later wave than what needs it.
    #[error("{needed} has sync wave {wave}, later than {by} in wave {by_wave}, which needs it")]
    Late {
        /// What is needed.
        needed: ObjectId,
        /// Its wave.
        wave: i32,
        /// What needs it.
        by: ObjectId,
        /// The wave of that.
        by_wave: i32,
    },
}

impl Explain for Conflict {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::EarlierPhase { .. } => {
                "make it a hook of the Sync phase (`argocd.argoproj.io/hook: Sync`), with a sync wave between what it needs and what waits for it".into()
            }
            Self::Late { needed, .. } => {
                format!("give {needed} an earlier wave; where it has none, sealwave chooses one")
            }
        })
    }

    fn rule(&self) -> Option<&'static str> {
        Some(match self {
            Self::EarlierPhase { .. } => EARLIER_PHASE,
            Self::Late { .. } => LATE,
        })
    }
}

/// A conflict, the number of the object that it is about, and where its author fixed its place.
pub(crate) type Found = (Conflict, usize, Origin);

/// All conflicts; `waves` are the waves that the objects have, or get.
pub(crate) fn conflicts(
    catalogue: &Catalogue<'_>,
    standings: &[Standing],
    uses: &BTreeSet<Use>,
    waves: &[i32],
) -> Vec<Found> {
    let order = Order { catalogue, standings, uses, waves };
    let mut found: Vec<Found> = order.earlier_phases().collect();
    found.extend(order.late());
    found
}

struct Order<'a> {
    catalogue: &'a Catalogue<'a>,
    standings: &'a [Standing],
    uses: &'a BTreeSet<Use>,
    waves: &'a [i32],
}

impl Order<'_> {
    /// `PreSync` hooks that need what the Sync phase brings.
    fn earlier_phases(&self) -> impl Iterator<Item = Found> {
        self.uses.iter().filter(|edge| edge.needed).filter_map(|edge| {
            let (consumer, dependency) =
                (self.standings.get(edge.consumer)?, self.standings.get(edge.dependency)?);
            let missed = consumer.phases.pre_sync && !dependency.phases.pre_sync;
            let (hook, needed) =
                (self.catalogue.object(edge.consumer)?, self.catalogue.object(edge.dependency)?);
            let at = hook_at(hook.manifest).unwrap_or(hook.manifest.origin());
            let conflict = Conflict::EarlierPhase { hook: hook.manifest.id(), needed: needed.manifest.id() };
            missed.then_some((conflict, edge.consumer, at))
        })
    }

    /// Objects in a wave after one that cannot become healthy without them; each is said once, with its first consumer.
    fn late(&self) -> Vec<Found> {
        let mut first: BTreeMap<usize, (i32, usize)> = BTreeMap::new();
        for edge in self.uses.iter().filter(|edge| edge.needed) {
            let place = |number: usize| {
                let standing = self.standings.get(number).filter(|standing| standing.phases.sync)?;
                Some((standing, *self.waves.get(number)?))
            };
            let (Some((_, consumer_wave)), Some((dependency, wave_of))) =
                (place(edge.consumer), place(edge.dependency))
            else {
                continue;
            };
            if dependency.wave.is_some() && wave_of > consumer_wave {
                let known = first.entry(edge.dependency).or_insert((consumer_wave, edge.consumer));
                *known = (*known).min((consumer_wave, edge.consumer));
            }
        }
        first
            .into_iter()
            .filter_map(|(number, (by_wave, by_number))| {
                let (needed, by) = (self.catalogue.object(number)?, self.catalogue.object(by_number)?);
                let (at, about) = fixed_at(needed, number, (by, by_number));
                let wave = *self.waves.get(number)?;
                let (needed, by) = (needed.manifest.id(), by.manifest.id());
                Some((Conflict::Late { needed, wave, by, by_wave }, about, at))
            })
            .collect()
    }
}

/// Where the order of two was fixed, and of which: what comes too late, else what needs it too early.
fn fixed_at(needed: &Object<'_>, number: usize, (by, by_number): (&Object<'_>, usize)) -> (Origin, usize) {
    let of = |object: &Object<'_>, number| wave_at(object.manifest).map(|at| (at, number));
    of(needed, number).or_else(|| of(by, by_number)).unwrap_or((needed.manifest.origin(), number))
}
