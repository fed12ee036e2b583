//! Rules about objects and annotations that Argo CD reads.

rules! {
    annotation,
    plugin_name,
    unknown_environment,
}
