//! Rules about waves and phases of Argo CD: whether an object exists when and as long as another one needs it.
//!
//! In an app, sealwave chooses the waves, and that stage reports conflicts with fixed waves; these rules report the same
//! conflicts for plain manifests. Objects that cannot be applied before another one are checked in both.

mod conflicts;

rules! {
    late_configuration,
    late_definition,
    negative_without_prune_last,
    presync_needs_sealed,
    secret_is_hook,
    unknown_kind,
}
