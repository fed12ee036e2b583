//! Rules about container images.

mod images;

rules! {
    digest,
    latest,
    missing,
    reference,
}
