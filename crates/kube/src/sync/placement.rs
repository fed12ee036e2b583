//! An object's placement in a sync as fixed by its author: phase and wave, parsed like in Argo CD.
//!
//! Nothing is decided here. An annotation that Argo CD cannot parse still counts as the author's.

use super::phases::ObjectPhases;
use crate::sync::WaveSettings;
use sealwave_core::document::{Manifest, Origin};
use sealwave_core::names::{ARGOCD_HOOK as HOOK, ARGOCD_SYNC_WAVE as SYNC_WAVE, HELM_HOOK};

/// Helm's annotation for the order of hooks, which Argo CD treats as a wave.
const HELM_WEIGHT: &str = "helm.sh/hook-weight";

/// An object's placement in a sync, as far as its author fixed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncPlacement {
    /// The phases in which it is applied.
    pub phases: ObjectPhases,
    /// Its wave: the author's, or the app file's for its kind.
    pub wave: Option<i32>,
    /// True if the wave still has to be written to the object.
    pub by_kind: bool,
}

impl SyncPlacement {
    /// Reads the annotations of an object, and the app file's waves if it has none of its own. Calls `unreadable` with
    /// each annotation that Argo CD cannot parse as a wave, and its origin.
    pub fn from_manifest(
        manifest: &Manifest,
        waves: &WaveSettings,
        unreadable: &mut impl FnMut(&'static str, Origin),
    ) -> Self {
        let phases = ObjectPhases::from_manifest(manifest);
        let own = own_wave(manifest, unreadable);
        let by_kind = if own.is_none() && !phases.is_hook { kind_wave(manifest, waves) } else { None };
        // A hook without a wave runs in wave 0 and is never moved.
        let wave = own.or(by_kind).or(phases.is_hook.then_some(0));
        Self { phases, wave, by_kind: by_kind.is_some() }
    }
}

/// Returns where the author set the wave of an object.
#[must_use]
pub fn wave_origin(manifest: &Manifest) -> Option<Origin> {
    value_at(manifest, &[SYNC_WAVE, HELM_WEIGHT])
}

/// Returns where the author made an object a hook.
pub(crate) fn hook_origin(manifest: &Manifest) -> Option<Origin> {
    value_at(manifest, &[HOOK, HELM_HOOK])
}

fn value_at(manifest: &Manifest, names: &[&str]) -> Option<Origin> {
    let annotations = manifest.annotations()?;
    names.iter().find_map(|name| annotations.get(name)).map(|value| value.origin)
}

/// Returns the wave that Argo CD reads from the object; an unreadable one counts as 0, set by the author.
fn own_wave(manifest: &Manifest, unreadable: &mut impl FnMut(&'static str, Origin)) -> Option<i32> {
    let annotations = manifest.annotations()?;
    let mut own = None;
    for annotation in [SYNC_WAVE, HELM_WEIGHT] {
        let Some(node) = annotations.get(annotation) else { continue };
        if let Some(wave) = node.as_str().and_then(integer) {
            return Some(wave);
        }
        unreadable(annotation, node.origin);
        own = Some(0);
    }
    own
}

/// Parses what Go's `strconv.Atoi` accepts: an optional sign and decimal digits, within 64 bits.
fn integer(text: &str) -> Option<i32> {
    let wide: i64 = text.parse().ok()?;
    let clamped = wide.clamp(i64::from(i32::MIN), i64::from(i32::MAX));
    i32::try_from(clamped).ok()
}

/// Returns the app file's wave for the kind; `group/Kind` takes precedence over `Kind`.
fn kind_wave(manifest: &Manifest, waves: &WaveSettings) -> Option<i32> {
    if waves.kinds.is_empty() {
        return None;
    }
    let qualified = format!("{}/{}", manifest.group(), manifest.kind());
    waves.kinds.get(&qualified).or_else(|| waves.kinds.get(manifest.kind())).copied()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use sealwave_testkit::manifest;

    fn placement(annotations: &Json, kinds: &[(&str, i32)]) -> (SyncPlacement, usize) {
        let waves =
            WaveSettings { kinds: kinds.iter().map(|(kind, wave)| ((*kind).to_owned(), *wave)).collect() };
        let object = manifest(&json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "annotations": annotations}
        }));
        let mut unreadable = 0;
        (SyncPlacement::from_manifest(&object, &waves, &mut |_, _| unreadable += 1), unreadable)
    }

    #[test]
    fn waves_are_parsed_like_in_argo_cd() {
        for (text, wave, notes) in [
            ("-5", -5, 0),
            ("+5", 5, 0),
            ("007", 7, 0),
            ("99999999999", i32::MAX, 0),
            ("1.0", 0, 1),
            (" 1", 0, 1),
            ("", 0, 1),
        ] {
            let (placement, note_count) = placement(&json!({SYNC_WAVE: text}), &[]);
            assert_eq!((placement.wave, note_count), (Some(wave), notes), "{text}");
        }
        assert_eq!(placement(&json!({SYNC_WAVE: 5}), &[]).1, 1);
        assert_eq!(placement(&json!({}), &[]).0.wave, None);
    }

    #[test]
    fn hook_weight_is_a_wave_unless_there_is_a_readable_one() {
        assert_eq!(
            placement(&json!({HELM_WEIGHT: "3"}), &[]),
            (placement(&json!({SYNC_WAVE: "3"}), &[]).0, 0)
        );
        assert_eq!(placement(&json!({SYNC_WAVE: "1", HELM_WEIGHT: "3"}), &[]).0.wave, Some(1));
        assert_eq!(placement(&json!({SYNC_WAVE: "x", HELM_WEIGHT: "3"}), &[]).0.wave, Some(3));
    }

    #[test]
    fn the_author_overrides_the_wave_of_a_kind() {
        let kinds = [("Job", 1), ("batch/Job", 2)];
        assert_eq!(placement(&json!({}), &kinds).0.wave, Some(2));
        assert_eq!(placement(&json!({}), &kinds[..1]).0.wave, Some(1));
        assert_eq!(placement(&json!({SYNC_WAVE: "7"}), &kinds).0.wave, Some(7));
        assert_eq!(placement(&json!({HOOK: "Sync"}), &kinds).0.wave, Some(0));
        assert_eq!(placement(&json!({}), &[("apps/Job", 1)]).0.wave, None);
    }
}
