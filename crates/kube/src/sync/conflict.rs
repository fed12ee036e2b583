//! Conflicts between fixed phases and waves of objects and their dependencies.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::dependencies::DependencyEdge;
use super::phases::{ApplyTime, HookLifetime, SyncPhase, hook_lifetime};
use super::placement::{SyncPlacement, hook_origin, wave_origin};
use crate::catalog::{CatalogObject, ObjectCatalog, ObjectIndex, supplied_secrets};
use sealwave_core::diagnostic::{Explain, ProblemKind, Severity};
use sealwave_core::document::{Node, ObjectId, Origin};

/// A dependency that does not exist when its consumer needs it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyncConflict {
    /// Its phase is wrong, or it is deleted too early.
    #[error("{}", hook_message(.by, .needed, *.fault))]
    Hook {
        /// The consumer.
        by: ObjectId,
        /// The dependency.
        needed: ObjectId,
        /// The problem.
        fault: HookFault,
        /// The object that must change.
        culprit: HookCulprit,
    },
    /// It has a later wave than its consumer.
    #[error("{needed} has sync wave {wave}, later than {by} in wave {by_wave}, which needs it")]
    Late {
        /// The dependency.
        needed: ObjectId,
        /// Wave of the dependency.
        wave: i32,
        /// The consumer.
        by: ObjectId,
        /// Wave of the consumer.
        by_wave: i32,
    },
}

/// The object whose hook annotation causes a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookCulprit {
    /// The consumer: a `PreSync` hook that needs an object of a later phase.
    Consumer,
    /// The dependency, which does not provide a Secret.
    Dependency,
    /// The dependency, which is a Secret or provides one.
    Secret,
}

/// A reason why a phase or a hook does not fit a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookFault {
    /// It is applied in a later phase than its consumer.
    AfterConsumer { phase: SyncPhase, by_phase: SyncPhase, by_hook: bool },
    /// It is deleted after a successful sync, but its consumer stays.
    EndsWithSync(SyncPhase),
    /// Argo CD does not know its phase.
    Ignored,
    /// It is applied when the Application is deleted.
    OnDeletion,
    /// It is applied only after a sync has failed.
    OnFailure,
    /// It is deleted and created again at each sync, but its consumer stays.
    Recreated(SyncPhase),
    /// It has a `Skip` annotation.
    Skipped,
}

impl HookFault {
    /// Returns the severity: an error if the consumer cannot work, a warning if it works with interruptions.
    const fn severity(self) -> Severity {
        match self {
            Self::Recreated(_) => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

fn hook_message(by: &ObjectId, needed: &ObjectId, fault: HookFault) -> String {
    match fault {
        HookFault::AfterConsumer { phase, by_phase, by_hook } => {
            let is = if by_hook { "runs" } else { "is applied" };
            format!("{by} {is} in the {by_phase} phase, but needs {needed}, which comes in the {phase} phase")
        }
        HookFault::EndsWithSync(phase) => format!(
            "{needed} is a hook of the {phase} phase, which Argo CD deletes after each successful sync, but {by} needs it \
             afterwards"
        ),
        HookFault::Ignored => {
            format!("{by} needs {needed}, which is a hook of an unknown phase, so Argo CD never applies it")
        }
        HookFault::OnDeletion => format!(
            "{by} needs {needed}, which is a hook that Argo CD applies only when the Application is deleted"
        ),
        HookFault::OnFailure => format!(
            "{by} needs {needed}, which is a hook of the SyncFail phase: Argo CD applies it only after a sync has failed"
        ),
        HookFault::Recreated(phase) => format!(
            "{needed} is a hook of the {phase} phase, which Argo CD deletes and creates again at each sync, but {by} needs it \
             all the time"
        ),
        HookFault::Skipped => {
            format!("{by} needs {needed}, which is a `Skip` hook: Argo CD never applies it")
        }
    }
}

impl SyncConflict {
    /// Returns the kind.
    pub const fn kind(&self) -> ProblemKind {
        match self {
            Self::Hook { culprit: HookCulprit::Consumer, .. } => ProblemKind::PreSyncNeedsLater,
            Self::Hook { culprit: HookCulprit::Dependency, .. } | Self::Late { .. } => {
                ProblemKind::LateConfiguration
            }
            Self::Hook { culprit: HookCulprit::Secret, .. } => ProblemKind::SecretIsHook,
        }
    }

    /// Returns the severity.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Hook { fault, culprit: HookCulprit::Secret, .. } => fault.severity(),
            Self::Hook { .. } | Self::Late { .. } => Severity::Warning,
        }
    }
}

impl Explain for SyncConflict {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Hook { culprit: HookCulprit::Consumer, .. } => {
                "make it a hook of the Sync phase (`argocd.argoproj.io/hook: Sync`), with a sync wave after its dependencies and before its consumers".into()
            }
            Self::Hook {
                needed,
                fault: HookFault::AfterConsumer { by_phase: SyncPhase::PreSync, by_hook: true, .. },
                ..
            } => format!(
                "remove the hook annotation of {needed}, and make its consumer a hook of the Sync phase (`argocd.argoproj.io/hook: Sync`) in a later sync wave"
            ),
            Self::Hook { needed, .. } => format!(
                "remove the hook annotation of {needed}, so that it is an ordinary object in an earlier sync wave than its consumers"
            ),
            Self::Late { needed, .. } => {
                format!("give {needed} an earlier sync wave than its consumers, or remove its wave so that sealwave chooses one")
            }
        })
    }

    fn problem_kind(&self) -> Option<ProblemKind> {
        Some(self.kind())
    }
}

/// A conflict, the index of the object that it concerns, and the origin of the annotation that causes it.
pub type LocatedConflict = (SyncConflict, ObjectIndex, Origin);

/// Returns all conflicts; `waves` are the final waves of the objects.
#[must_use]
pub fn find_conflicts(
    catalog: &ObjectCatalog<'_>,
    placements: &[SyncPlacement],
    uses: &BTreeSet<DependencyEdge>,
    waves: &[i32],
) -> Vec<LocatedConflict> {
    let finder = ConflictFinder { catalog, placements, uses, waves };
    let mut found = finder.hooks();
    found.extend(finder.late());
    found
}

struct ConflictFinder<'a> {
    catalog: &'a ObjectCatalog<'a>,
    placements: &'a [SyncPlacement],
    uses: &'a BTreeSet<DependencyEdge>,
    waves: &'a [i32],
}

/// A consumer and its dependency.
#[derive(Clone, Copy)]
struct DependencyPair<'a> {
    consumer: &'a CatalogObject<'a>,
    consumer_index: ObjectIndex,
    needed: &'a CatalogObject<'a>,
    fault: HookFault,
}

impl<'a> ConflictFinder<'a> {
    /// Returns the conflicts of phases and hooks. A hook that needs an object of a later phase is reported for each
    /// such object; everything else is reported once, with the most affected consumer.
    fn hooks(&self) -> Vec<LocatedConflict> {
        let mut found = Vec::new();
        let mut worst: BTreeMap<ObjectIndex, DependencyPair<'_>> = BTreeMap::new();
        for edge in self.uses.iter().filter(|edge| edge.needed) {
            let Some((pair, is_late_hook)) = self.pair(edge) else { continue };
            if is_late_hook {
                let at = hook_origin(pair.consumer.manifest).unwrap_or(pair.consumer.manifest.origin());
                found.push((pair.conflict(HookCulprit::Consumer), pair.consumer_index, at));
                continue;
            }
            let known = worst.entry(edge.dependency).or_insert(pair);
            if pair.weight() < known.weight() {
                *known = pair;
            }
        }
        found.extend(worst.into_iter().map(|(index, pair)| {
            let culprit = if supplied_secrets(pair.needed).is_empty() {
                HookCulprit::Dependency
            } else {
                HookCulprit::Secret
            };
            let at = hook_origin(pair.needed.manifest).unwrap_or(pair.needed.manifest.origin());
            (pair.conflict(culprit), index, at)
        }));
        found
    }

    /// Returns the ends of an edge whose phases do not fit, and whether the consumer is a `PreSync` hook that causes
    /// the conflict: it needs something other than a Secret that its author made a hook.
    fn pair(&self, edge: &DependencyEdge) -> Option<(DependencyPair<'a>, bool)> {
        let (by, dependency) = (edge.consumer.of(self.placements)?, edge.dependency.of(self.placements)?);
        let consumer = self.catalog.object(edge.consumer)?;
        let needed = self.catalog.object(edge.dependency)?;
        let makes_secret = !supplied_secrets(needed).is_empty();
        let fault = find_fault(by, dependency, consumer, needed, makes_secret)?;
        let is_early_hook = by.phases.is_hook && by.phases.is_applied_in(SyncPhase::PreSync);
        let is_late_hook = is_early_hook
            && matches!(fault, HookFault::AfterConsumer { .. })
            && !(makes_secret && dependency.phases.is_hook);
        Some((DependencyPair { consumer, consumer_index: edge.consumer, needed, fault }, is_late_hook))
    }

    /// Reports whether the dependency is the token of an account that its consumer may create and no object of the set
    /// defines: a controller creates the account for a custom resource, and the token can only follow.
    fn is_token_of_its_account(&self, edge: &DependencyEdge) -> bool {
        let ends = (self.catalog.object(edge.consumer), self.catalog.object(edge.dependency));
        let (Some(consumer), Some(needed)) = ends else { return false };
        !matches!(consumer.group, "" | "apps" | "batch")
            && (needed.group, needed.kind) == ("", "Secret")
            && needed.manifest.root().get("type").and_then(Node::as_str)
                == Some("kubernetes.io/service-account-token")
            && needed.manifest.annotation("kubernetes.io/service-account.name").is_some_and(|account| {
                self.catalog.find("", "ServiceAccount", needed.namespace, account).is_none()
            })
    }

    /// Returns the objects in a later wave than a consumer that cannot become healthy without them; each once, with its
    /// first consumer.
    fn late(&self) -> Vec<LocatedConflict> {
        let mut first: BTreeMap<ObjectIndex, (i32, ObjectIndex)> = BTreeMap::new();
        for edge in self.uses.iter().filter(|edge| edge.needed) {
            let placement_and_wave =
                |index: ObjectIndex| Some((index.of(self.placements)?, *index.of(self.waves)?));
            let (Some((consumer, consumer_wave)), Some((dependency, dependency_wave))) =
                (placement_and_wave(edge.consumer), placement_and_wave(edge.dependency))
            else {
                continue;
            };
            let ApplyTime::In(phase) = dependency.phases.apply_time() else { continue };
            let is_same_phase = consumer.phases.apply_time() == ApplyTime::In(phase);
            if self.is_token_of_its_account(edge) {
                continue;
            }
            if is_same_phase && dependency.wave.is_some() && dependency_wave > consumer_wave {
                let known = first.entry(edge.dependency).or_insert((consumer_wave, edge.consumer));
                *known = (*known).min((consumer_wave, edge.consumer));
            }
        }
        first
            .into_iter()
            .filter_map(|(index, (by_wave, by_index))| {
                let (needed, by) = (self.catalog.object(index)?, self.catalog.object(by_index)?);
                let (at, about) = fixed_at(needed, index, (by, by_index));
                let wave = *index.of(self.waves)?;
                let (needed, by) = (needed.manifest.id(), by.manifest.id());
                Some((SyncConflict::Late { needed, wave, by, by_wave }, about, at))
            })
            .collect()
    }
}

impl<'a> DependencyPair<'a> {
    /// Returns the sort key of pairs: the most severe fault first, then by the consumer.
    fn weight(&self) -> (Reverse<Severity>, (&'a str, &'a str, &'a str, &'a str)) {
        (Reverse(self.fault.severity()), self.consumer.key())
    }

    fn conflict(&self, culprit: HookCulprit) -> SyncConflict {
        let (by, needed) = (self.consumer.manifest.id(), self.needed.manifest.id());
        SyncConflict::Hook { by, needed, fault: self.fault, culprit }
    }
}

/// Returns why the phases of a dependency do not fit its consumer.
fn find_fault(
    by: &SyncPlacement,
    dependency: &SyncPlacement,
    consumer: &CatalogObject<'_>,
    needed: &CatalogObject<'_>,
    makes_secret: bool,
) -> Option<HookFault> {
    // An object that is never applied, or only on deletion, needs nothing in a sync.
    let ApplyTime::In(by_phase) = by.phases.apply_time() else { return None };
    let phase = match dependency.phases.apply_time() {
        ApplyTime::Ignored => return Some(HookFault::Ignored),
        ApplyTime::OnDeletion => return Some(HookFault::OnDeletion),
        ApplyTime::Skipped => return Some(HookFault::Skipped),
        ApplyTime::In(SyncPhase::SyncFail) if by_phase != SyncPhase::SyncFail => {
            return Some(HookFault::OnFailure);
        }
        ApplyTime::In(phase) => phase,
    };
    if phase > by_phase || (phase, by_phase) == (SyncPhase::PostSync, SyncPhase::SyncFail) {
        return Some(HookFault::AfterConsumer { phase, by_phase, by_hook: by.phases.is_hook });
    }
    // A hook that uses it is also gone at the end of a sync, and a Job has started its pods by then.
    if !dependency.phases.is_hook || by.phases.is_hook || consumer.is("batch", "Job") {
        return None;
    }
    match hook_lifetime(needed.manifest) {
        HookLifetime::EndsWithSync => Some(HookFault::EndsWithSync(phase)),
        HookLifetime::Recreated if makes_secret => Some(HookFault::Recreated(phase)),
        HookLifetime::Kept | HookLifetime::Recreated => None,
    }
}

/// Returns where the order of two objects was fixed, and for which one: the late dependency, else the early consumer.
fn fixed_at(
    needed: &CatalogObject<'_>,
    index: ObjectIndex,
    (by, by_index): (&CatalogObject<'_>, ObjectIndex),
) -> (Origin, ObjectIndex) {
    let fixed_wave = |object: &CatalogObject<'_>, index| wave_origin(object.manifest).map(|at| (at, index));
    fixed_wave(needed, index)
        .or_else(|| fixed_wave(by, by_index))
        .unwrap_or((needed.manifest.origin(), index))
}
