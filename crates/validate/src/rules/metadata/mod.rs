//! Rules about names, labels and annotations, which the API server checks for every object.

rules! {
    annotation,
    finalizer,
    label,
    name,
}
