//! Rules that check an app against the operator file: providers, clusters and policy.
//!
//! `generate` reports the same errors in the sidecar; these rules find them before the merge. Nothing is fetched. Messages
//! show what the author wrote and the policy rule that decides, and must never show other parts of the operator file.

mod view;

rules! {
    policy,
    unknown_cluster,
    unknown_provider,
}
