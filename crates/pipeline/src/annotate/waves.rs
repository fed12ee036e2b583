//! Sync waves: configuration before its consumers, in as few waves as possible, since each wave takes two seconds or
//! more.
//!
//! A wave or hook that the author set stays, and so does the app file's wave for a kind. Everything else is in wave 0,
//! which is not written, except:
//!
//! - **Configuration that something uses** (a `SealedSecret`, `Secret`, `ConfigMap`, `ExternalSecret` and its store, a
//!   `SecretProviderClass`, a `ServiceAccount`, a role or a binding): one wave before its earliest consumer, and never
//!   after -1, so that all configuration shares one wave unless an author placed a consumer before 0. Roles, bindings
//!   and pull secrets share the wave of their service account. A store comes before its `ExternalSecret`, and the
//!   store's credentials before the store: without them either is Degraded, and a Degraded object fails the sync.
//! - **A `SealedSecret` or `ExternalSecret` without known consumers** is treated as if every possible consumer used it:
//!   Argo CD's order does not know these kinds, so it applies them last within a wave.
//! - **A `PersistentVolumeClaim`** is in the wave of its earliest consumer. A claim that waits for its first consumer
//!   stays Progressing, so an earlier wave would wait for it forever; within a wave, claims come first anyway.
//! - **A `Namespace`** is in the wave of the earliest object in it.
//! - **A `CustomResourceDefinition`** is one wave before the earliest of its objects.
//!
//! Only objects of the Sync phase get a wave. Hooks of other phases are not consumers: they run before or after all
//! waves of the Sync phase. A hook that needs an object of a later wave gets a warning.
//!
//! Argo CD also prunes an object in the object's wave. An object that gets a negative wave here therefore also gets
//! `PruneLast=true`, so that renamed or removed configuration stays until its consumers have moved.

use std::collections::{BTreeMap, BTreeSet};

use super::edit::AnnotationEdit;
use super::notes::AnnotateRemark;
use sealwave_core::diagnostic::{Note, Problem};
use sealwave_core::document::NodeValue;
use sealwave_core::names::{ARGOCD_SYNC_OPTIONS as SYNC_OPTIONS, ARGOCD_SYNC_WAVE as SYNC_WAVE};
use sealwave_kube::catalog::{
    CatalogObject, ESO_GROUP, ObjectCatalog, ObjectIndex, RBAC_GROUP, SEALED_SECRETS_GROUP, STORE_CSI_GROUP,
};
use sealwave_kube::sync::{
    self, DependencyEdge, PRUNE_LAST, SyncPhase, SyncPlacement, WaveOrder, find_conflicts,
};

/// Returns the wave annotations, and adds warnings about conflicting waves that authors set.
pub(super) fn plan(
    catalog: &ObjectCatalog<'_>,
    placements: &[SyncPlacement],
    uses: &BTreeSet<DependencyEdge>,
    notes: &mut Vec<Note>,
) -> Vec<AnnotationEdit> {
    let waves = assign(catalog, placements, uses);
    let conflicts = find_conflicts(catalog, placements, uses, &waves);
    notes.extend(conflicts.iter().map(|(conflict, _, at)| Note::warning(Problem::at(*at, conflict))));
    let is_chosen = |placement: &SyncPlacement| placement.wave.is_none() || placement.by_kind;
    let mut edits = Vec::new();
    for ((index, wave), placement) in ObjectIndex::enumerate(&waves).zip(placements) {
        if *wave == 0 || !is_chosen(placement) {
            continue;
        }
        edits.push(AnnotationEdit::new(index, SYNC_WAVE, wave.to_string()));
        if *wave < 0 {
            edits.extend(catalog.object(index).and_then(|object| prune_last(object, index, notes)));
        }
    }
    edits
}

/// Adds `PruneLast=true` to the author's sync options, unless they already decide it.
fn prune_last(
    object: &CatalogObject<'_>,
    index: ObjectIndex,
    notes: &mut Vec<Note>,
) -> Option<AnnotationEdit> {
    let annotations = object.metadata.and_then(|metadata| metadata.get("annotations"));
    let own = annotations.and_then(|annotations| annotations.get(SYNC_OPTIONS));
    let list = match own.map(|node| &node.value) {
        None | Some(NodeValue::Null) => "",
        Some(NodeValue::String(text)) => text,
        Some(_) => {
            let remark = AnnotateRemark::UnreadableOptions { object: object.manifest.id() };
            notes.extend(own.map(|node| Note::warning(Problem::at(node.origin, &remark))));
            return None;
        }
    };
    // If annotations are not a mapping, the edit of the wave reports it.
    annotations
        .is_none_or(|annotations| matches!(annotations.value, NodeValue::Mapping(_) | NodeValue::Null))
        .then(|| sync::with_option(list, PRUNE_LAST))
        .flatten()
        .map(|merged| AnnotationEdit { extends: true, ..AnnotationEdit::new(index, SYNC_OPTIONS, merged) })
}

/// The way in which an object gets its wave if the author did not set one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaveRole {
    /// In the wave of its earliest consumer.
    Claim,
    /// Before its earliest consumer; wave 0 without one.
    Configuration,
    /// In wave 0, and not a consumer of Secrets.
    Passive,
    /// Before its earliest consumer, or before every possible consumer if it has none.
    Supplier,
    /// In wave 0, and a possible consumer of Secrets.
    User,
}

fn role(object: &CatalogObject<'_>) -> WaveRole {
    match (object.group, object.kind) {
        ("", "PersistentVolumeClaim") => WaveRole::Claim,
        (ESO_GROUP, "ExternalSecret" | "ClusterExternalSecret") | (SEALED_SECRETS_GROUP, "SealedSecret") => {
            WaveRole::Supplier
        }
        ("", "ConfigMap" | "Namespace" | "Secret" | "ServiceAccount")
        | ("apiextensions.k8s.io", "CustomResourceDefinition")
        | (ESO_GROUP, "ClusterSecretStore" | "SecretStore")
        | ("generators.external-secrets.io" | RBAC_GROUP, _)
        | (STORE_CSI_GROUP, "SecretProviderClass") => WaveRole::Configuration,
        ("", "Endpoints" | "LimitRange" | "PersistentVolume" | "ResourceQuota" | "Service")
        | (
            "admissionregistration.k8s.io"
            | "apiregistration.k8s.io"
            | "autoscaling"
            | "discovery.k8s.io"
            | "node.k8s.io"
            | "policy"
            | "scheduling.k8s.io"
            | "storage.k8s.io",
            _,
        )
        | ("networking.k8s.io", "IngressClass" | "NetworkPolicy") => WaveRole::Passive,
        _ => WaveRole::User,
    }
}

/// Returns the wave of each object.
fn assign(
    catalog: &ObjectCatalog<'_>,
    placements: &[SyncPlacement],
    uses: &BTreeSet<DependencyEdge>,
) -> Vec<i32> {
    let roles: Vec<WaveRole> = catalog.objects().iter().map(role).collect();
    let default_supplier_wave = default_supplier_wave(&roles, placements);
    let in_sync = |index: ObjectIndex| {
        index.of(placements).is_some_and(|placement| placement.phases.is_applied_in(SyncPhase::Sync))
    };
    let mut by_consumer: Vec<Vec<&DependencyEdge>> = vec![Vec::new(); roles.len()];
    let mut consumers: Vec<Vec<ObjectIndex>> = vec![Vec::new(); roles.len()];
    for edge in uses.iter().filter(|edge| in_sync(edge.consumer)) {
        if let (Some(list), Some(dependents)) =
            (edge.consumer.of_mut(&mut by_consumer), edge.dependency.of_mut(&mut consumers))
        {
            list.push(edge);
            dependents.push(edge.consumer);
        }
    }
    let mut bounds: Vec<Option<i32>> = vec![None; roles.len()];
    let mut waves = vec![0; roles.len()];
    let mut order = ConsumerOrder::new(catalog, consumers);
    while let Some(index) = order.next(&bounds) {
        let (Some(role), Some(bound), Some(placement)) =
            (index.of(&roles), index.of(&bounds), index.of(placements))
        else {
            continue;
        };
        let wave = placement.wave.unwrap_or_else(|| choose_wave(*role, *bound, default_supplier_wave));
        if let Some(slot) = index.of_mut(&mut waves) {
            *slot = wave;
        }
        for edge in index.of(&by_consumer).into_iter().flatten() {
            if let Some(bound) = edge.dependency.of_mut(&mut bounds) {
                let limit = match edge.order {
                    WaveOrder::Earlier => wave_before(wave),
                    WaveOrder::Same => wave,
                };
                *bound = Some(bound.map_or(limit, |known| known.min(limit)));
            }
            order.consumer_done(edge.dependency);
        }
    }
    waves
}

fn choose_wave(role: WaveRole, bound: Option<i32>, default_supplier_wave: i32) -> i32 {
    match role {
        WaveRole::Claim => bound.unwrap_or(0),
        WaveRole::Configuration => bound.unwrap_or(0).min(0),
        // 0 can only come from a service account without consumers.
        WaveRole::Supplier => bound.filter(|bound| *bound < 0).unwrap_or(default_supplier_wave),
        WaveRole::Passive | WaveRole::User => 0,
    }
}

/// Returns the wave for configuration that is used in `wave`.
fn wave_before(wave: i32) -> i32 {
    wave.min(0).saturating_sub(1)
}

/// Returns the wave for Secrets without known consumers: before every possible consumer, or 0 without one.
fn default_supplier_wave(roles: &[WaveRole], placements: &[SyncPlacement]) -> i32 {
    let consumers = roles.iter().zip(placements).filter(|(role, placement)| {
        **role == WaveRole::User && placement.phases.is_applied_in(SyncPhase::Sync)
    });
    consumers.map(|(_, placement)| placement.wave.unwrap_or(0)).min().map_or(0, wave_before)
}

/// An iterator over all objects that yields each object after its consumers. Cycles are broken.
struct ConsumerOrder {
    consumers: Vec<Vec<ObjectIndex>>,
    consumers_left: Vec<usize>,
    done: Vec<bool>,
    ready: Vec<ObjectIndex>,
    by_name: Vec<ObjectIndex>,
    next_by_name: usize,
}

impl ConsumerOrder {
    /// Creates the iterator; `consumers` holds the consumers of each object.
    fn new(catalog: &ObjectCatalog<'_>, mut consumers: Vec<Vec<ObjectIndex>>) -> Self {
        let key = |index: &ObjectIndex| catalog.object(*index).map(CatalogObject::key);
        let mut by_name: Vec<ObjectIndex> = catalog.indexed().map(|(index, _)| index).collect();
        by_name.sort_by_key(key);
        for list in &mut consumers {
            list.sort_by_key(key);
        }
        let consumers_left: Vec<usize> = consumers.iter().map(Vec::len).collect();
        let without_consumers = ObjectIndex::enumerate(&consumers_left).filter(|(_, left)| **left == 0);
        let ready = without_consumers.map(|(index, _)| index).collect();
        let done = vec![false; consumers.len()];
        Self { consumers, consumers_left, done, ready, by_name, next_by_name: 0 }
    }

    fn consumer_done(&mut self, dependency: ObjectIndex) {
        if let Some(left) = dependency.of_mut(&mut self.consumers_left) {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.ready.push(dependency);
            }
        }
    }

    /// Returns the next object. `bounds` holds the waves that the consumers seen so far require.
    fn next(&mut self, bounds: &[Option<i32>]) -> Option<ObjectIndex> {
        loop {
            let index = self.ready.pop().or_else(|| self.break_cycle(bounds))?;
            if let Some(done) = index.of_mut(&mut self.done).filter(|done| !**done) {
                *done = true;
                return Some(index);
            }
        }
    }

    /// Breaks a cycle at the object that something outside the cycle needs earliest.
    ///
    /// No object is ready, so following consumers leads into a cycle. Which cycle depends on names, not on the order of
    /// objects.
    fn break_cycle(&mut self, bounds: &[Option<i32>]) -> Option<ObjectIndex> {
        let is_left = |index: &ObjectIndex| index.of(&self.done) == Some(&false);
        while !is_left(self.by_name.get(self.next_by_name)?) {
            self.next_by_name += 1;
        }
        let mut path: Vec<ObjectIndex> = Vec::new();
        let mut seen: BTreeMap<ObjectIndex, usize> = BTreeMap::new();
        let mut at = *self.by_name.get(self.next_by_name)?;
        let start = loop {
            if let Some(start) = seen.insert(at, path.len()) {
                break start;
            }
            path.push(at);
            match at.of(&self.consumers).and_then(|list| list.iter().find(|index| is_left(index))) {
                Some(consumer) => at = *consumer,
                None => return Some(at),
            }
        };
        let bound_of = |index: &ObjectIndex| index.of(bounds).copied().flatten().unwrap_or(i32::MAX);
        path.into_iter().skip(start).min_by_key(bound_of)
    }
}
