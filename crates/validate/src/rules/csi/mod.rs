//! Rules about Secrets that the Secrets Store CSI driver mounts.

mod files;

rules! {
    missing_class,
    objects,
    unmounted_class,
}
