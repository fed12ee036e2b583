//! Conflicts of waves and phases, and the uses of objects behind them.

use crate::facts::checked_object::CheckedObject;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::Rule;
use sealwave_core::diagnostic::{Explain as _, ProblemKind};
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::pods::{PodReference, references};
use sealwave_kube::sync::{self, DependencyEdge, LocatedConflict, SyncPlacement, WaveSettings};
use std::collections::BTreeSet;

/// Reports the conflicts of a kind under its rule, based on the present waves of the objects.
pub(super) fn report_conflicts(
    rule: &'static Rule,
    kind: ProblemKind,
    environment: &CheckedEnvironment<'_>,
    reporter: &mut Reporter,
) {
    let found = environment.conflicts.get_or_init(|| conflicts(environment));
    for (conflict, object, at) in found.iter().filter(|(conflict, ..)| conflict.kind() == kind) {
        let draft = FindingDraft::new(rule, *at, conflict.to_string())
            .severity(conflict.severity())
            .about_object(*object);
        reporter.report(match conflict.hint() {
            Some(hint) => draft.hint(hint),
            None => draft,
        });
    }
}

/// Returns the conflicts of all rules.
fn conflicts(environment: &CheckedEnvironment<'_>) -> Vec<LocatedConflict> {
    let mut fixed = false;
    let mut placement_of = |object: &CheckedObject<'_>| {
        let mut placement =
            SyncPlacement::from_manifest(object.manifest, &WaveSettings::default(), &mut |_, _| {});
        fixed |= placement.wave.is_some() || placement.phases.is_hook;
        // Plain manifests without a wave are in wave 0.
        placement.wave.get_or_insert(0);
        placement
    };
    let placements: Vec<SyncPlacement> = environment.objects.iter().map(&mut placement_of).collect();
    if !fixed {
        return Vec::new();
    }
    let waves: Vec<i32> = placements.iter().map(|placement| placement.wave.unwrap_or(0)).collect();
    let mut uses = uses(environment).clone();
    uses.retain(|edge| !may_be_in_two_applications(environment, edge));
    sync::find_conflicts(&environment.catalog, &placements, &uses, &waves)
}

/// Returns whether two objects may belong to different Applications, as those of two directories often do: waves only
/// order the objects of one Application.
fn may_be_in_two_applications(environment: &CheckedEnvironment<'_>, edge: &DependencyEdge) -> bool {
    let origin = |index| Some(environment.object(index)?.manifest.origin());
    let (consumer, dependency) = (origin(edge.consumer), origin(edge.dependency));
    consumer.zip(dependency).is_some_and(|(one, other)| environment.may_be_apart(one, other))
}

/// Returns the uses of objects by other objects, computed once.
pub(super) fn uses<'e>(environment: &'e CheckedEnvironment<'_>) -> &'e BTreeSet<DependencyEdge> {
    environment.uses.get_or_init(|| find_uses(environment))
}

fn find_uses(environment: &CheckedEnvironment<'_>) -> BTreeSet<DependencyEdge> {
    let pods = environment.indexed_objects();
    let references: Vec<(ObjectIndex, Vec<PodReference<'_>>)> =
        pods.filter_map(|(number, object)| Some((number, references(object.pod.as_ref()?.spec)))).collect();
    sync::dependency_edges(
        &environment.catalog,
        references.iter().map(|(number, list)| (*number, list.as_slice())),
    )
}
