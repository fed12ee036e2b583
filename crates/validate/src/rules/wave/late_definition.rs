//! `wave/late-definition`.

use super::conflicts::uses;
use crate::facts::checked_object::CheckedObject;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Manifest, ObjectId};
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::sync::{SyncPlacement, WaveSettings, wave_origin};
use std::collections::BTreeMap;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "wave/late-definition",
        severity: Severity::Error,
        summary: "a Namespace or a CustomResourceDefinition has a later sync wave than its objects",
        text: include_str!("late_definition.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let Some(waves) = SyncWaves::new(environment) else { return };
    let mut first: BTreeMap<ObjectIndex, (i32, ObjectIndex)> = BTreeMap::new();
    for edge in uses(environment) {
        let (Some(needed), Some(by)) = (waves.wave(edge.dependency), waves.wave(edge.consumer)) else {
            continue;
        };
        let dependency = environment.object(edge.dependency);
        if needed > by && dependency.is_some_and(|object| is_namespace(object) || is_definition(object)) {
            let known = first.entry(edge.dependency).or_insert((by, edge.consumer));
            *known = (*known).min((by, edge.consumer));
        }
    }
    for (number, (wave, by)) in first {
        let (Some(needed), Some(by)) = (environment.object(number), environment.object(by)) else {
            continue;
        };
        let at = wave_origin(needed.manifest)
            .or_else(|| wave_origin(by.manifest))
            .unwrap_or(needed.manifest.origin());
        let message =
            format!("{} comes after {}, which is in wave {wave}", needed.manifest.id(), by.manifest.id());
        let draft = FindingDraft::new(&RULE, at, message).about_object(number);
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
            .emitted()
            .unwrap_or_default()
            .iter()
            .map(|manifest| (manifest.id(), placement(manifest)))
            .collect();
        if !environment.is_plain() && environment.emitted().is_none() {
            return None;
        }
        let wave = |object: &CheckedObject<'_>| {
            let placement =
                chosen.get(&object.manifest.id()).copied().unwrap_or_else(|| placement(object.manifest));
            (!placement.phases.is_hook).then(|| placement.wave.unwrap_or(0))
        };
        let waves: Vec<Option<i32>> = environment.objects.iter().map(wave).collect();
        waves.iter().flatten().any(|wave| *wave != 0).then_some(Self(waves))
    }

    fn wave(&self, index: ObjectIndex) -> Option<i32> {
        index.of(&self.0).copied().flatten()
    }
}
