//! Rules about waves and phases of Argo CD: whether an object exists when and as long as another one needs it.
//!
//! In an app, sealwave chooses the waves, and that stage reports conflicts with fixed waves; these rules report the same
//! conflicts for plain manifests. Objects that cannot be applied before another one are checked in both.

pub(crate) mod negative_without_prune_last;
pub(crate) mod secret_is_hook;

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::{CheckedEnvironment, CheckedObject, FindingDraft, Reporter, Rule, RuleCheck, rule_of};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::{Explain as _, ProblemKind, Severity};
use sealwave_core::document::{Manifest, ObjectId};
use sealwave_kube::pods::{PodReference, references};
use sealwave_kube::sync::{self, DependencyEdge, LocatedConflict, SyncPlacement, WaveSettings, wave_origin};

pub(crate) static LATE_CONFIGURATION: Rule = Rule {
    info: RuleInfo {
        id: "wave/late-configuration",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an object has a later sync wave or phase than its consumers",
        page: include_str!("late_configuration.md"),
    },
    check: RuleCheck::Environment(check_late_configuration),
};

pub(crate) static LATE_DEFINITION: Rule = Rule {
    info: RuleInfo {
        id: "wave/late-definition",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a Namespace or a CustomResourceDefinition has a later sync wave than its objects",
        page: include_str!("late_definition.md"),
    },
    check: RuleCheck::Environment(check_late_definition),
};

pub(crate) static PRESYNC_NEEDS_SEALED: Rule = Rule {
    info: RuleInfo {
        id: "wave/presync-needs-sealed",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a PreSync hook needs an object of a later phase",
        page: include_str!("presync_needs_sealed.md"),
    },
    check: RuleCheck::Environment(check_earlier_phase),
};

fn check_late_configuration(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    // In an app, the stage that chooses waves reports it.
    if environment.is_plain() {
        report(ProblemKind::LateConfiguration, environment, reporter);
    }
}

fn check_earlier_phase(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    if environment.is_plain() {
        report(ProblemKind::PreSyncNeedsLater, environment, reporter);
    }
}

/// Reports the conflicts of a kind, based on the present waves of the objects.
fn report(kind: ProblemKind, environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let rule = rule_of(kind);
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
    let mut placement = |object: &CheckedObject<'_>| {
        let mut standing =
            SyncPlacement::from_manifest(object.manifest, &WaveSettings::default(), &mut |_, _| {});
        fixed |= standing.wave.is_some() || standing.phases.is_hook;
        // Plain manifests without a wave are in wave 0.
        standing.wave.get_or_insert(0);
        standing
    };
    let standings: Vec<SyncPlacement> = environment.objects.iter().map(&mut placement).collect();
    if !fixed {
        return Vec::new();
    }
    let waves: Vec<i32> = standings.iter().map(|standing| standing.wave.unwrap_or(0)).collect();
    let mut uses = uses(environment).clone();
    uses.retain(|edge| !may_be_in_two_applications(environment, edge));
    sync::find_conflicts(&environment.catalogue, &standings, &uses, &waves)
}

/// Returns whether two objects may belong to different Applications, as those of two directories often do: waves only
/// order the objects of one Application.
fn may_be_in_two_applications(environment: &CheckedEnvironment<'_>, edge: &DependencyEdge) -> bool {
    let origin = |number: usize| Some(environment.objects.get(number)?.manifest.origin());
    let (consumer, dependency) = (origin(edge.consumer), origin(edge.dependency));
    consumer.zip(dependency).is_some_and(|(one, other)| environment.may_be_apart(one, other))
}

fn check_late_definition(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let Some(waves) = SyncWaves::new(environment) else { return };
    let mut first: BTreeMap<usize, (i32, usize)> = BTreeMap::new();
    for edge in uses(environment) {
        let (Some(needed), Some(by)) = (waves.wave(edge.dependency), waves.wave(edge.consumer)) else {
            continue;
        };
        let dependency = environment.objects.get(edge.dependency);
        if needed > by && dependency.is_some_and(|object| is_namespace(object) || is_definition(object)) {
            let known = first.entry(edge.dependency).or_insert((by, edge.consumer));
            *known = (*known).min((by, edge.consumer));
        }
    }
    for (number, (wave, by)) in first {
        let (Some(needed), Some(by)) = (environment.objects.get(number), environment.objects.get(by)) else {
            continue;
        };
        let at = wave_origin(needed.manifest)
            .or_else(|| wave_origin(by.manifest))
            .unwrap_or(needed.manifest.origin());
        let message =
            format!("{} comes after {}, which is in wave {wave}", needed.manifest.id(), by.manifest.id());
        let draft = FindingDraft::new(&LATE_DEFINITION, at, message).about_object(number);
        // An object without a wave may be applied earlier by another Application.
        let elsewhere = environment.is_plain() && wave_origin(needed.manifest).is_none()
            || environment.may_be_apart(needed.manifest.origin(), by.manifest.origin());
        let severity = match (elsewhere, is_namespace(needed)) {
            (true, _) => Severity::Note,
            (false, true) => Severity::Warning,
            (false, false) => Severity::Error,
        };
        reporter.report(
            draft
                .severity(severity)
                .related(by.name_origin(), "this object is in the earlier wave")
                .hint("set its wave to that of the first object that needs it, or an earlier one"),
        );
    }
}

fn is_namespace(object: &CheckedObject<'_>) -> bool {
    object.is("", "Namespace")
}

fn is_definition(object: &CheckedObject<'_>) -> bool {
    object.is("apiextensions.k8s.io", "CustomResourceDefinition")
}

/// Waves of the objects in the Sync phase, as Argo CD would get them.
struct SyncWaves(Vec<Option<i32>>);

impl SyncWaves {
    /// Reads the waves; `None` if all objects are in wave 0.
    fn new(environment: &CheckedEnvironment<'_>) -> Option<Self> {
        let placement = |manifest: &Manifest| {
            SyncPlacement::from_manifest(manifest, &WaveSettings::default(), &mut |_, _| {})
        };
        let chosen: BTreeMap<ObjectId, SyncPlacement> = environment
            .emitted
            .unwrap_or_default()
            .iter()
            .map(|manifest| (manifest.id(), placement(manifest)))
            .collect();
        if !environment.is_plain() && environment.emitted.is_none() {
            return None;
        }
        let wave = |object: &CheckedObject<'_>| {
            let standing =
                chosen.get(&object.manifest.id()).copied().unwrap_or_else(|| placement(object.manifest));
            (!standing.phases.is_hook).then(|| standing.wave.unwrap_or(0))
        };
        let waves: Vec<Option<i32>> = environment.objects.iter().map(wave).collect();
        waves.iter().flatten().any(|wave| *wave != 0).then_some(Self(waves))
    }

    fn wave(&self, number: usize) -> Option<i32> {
        self.0.get(number).copied().flatten()
    }
}

/// Returns the uses of objects by other objects, computed once.
fn uses<'e>(environment: &'e CheckedEnvironment<'_>) -> &'e BTreeSet<DependencyEdge> {
    environment.uses.get_or_init(|| find_uses(environment))
}

fn find_uses(environment: &CheckedEnvironment<'_>) -> BTreeSet<DependencyEdge> {
    let pods = environment.objects.iter().enumerate();
    let references: Vec<(usize, Vec<PodReference<'_>>)> =
        pods.filter_map(|(number, object)| Some((number, references(object.pod.as_ref()?.spec)))).collect();
    sync::dependency_edges(
        &environment.catalogue,
        references.iter().map(|(number, list)| (*number, list.as_slice())),
    )
}
