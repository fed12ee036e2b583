//! Rules about objects and annotations that Argo CD reads.

rules! {
    annotation,
    unknown_environment,
}
