//! Rules about objects that the External Secrets Operator cannot serve.

mod spec;

rules! {
    data,
    duplicate_target,
    missing_store,
    refresh,
    store,
    template,
}
