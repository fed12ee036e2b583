//! Rules about annotations for Argo CD.

rules! {
    annotation,
}
