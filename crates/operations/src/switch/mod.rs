//! `switch`: changes the backend of Secrets that are in use, in two commits, without a moment without the Secret.
//!
//! In the first commit, the old backend releases the Secrets: its controller gives up ownership but keeps them current. In the
//! second one, the new backend takes them over, and the old objects are pruned at the end of the sync. This module decides
//! which commit comes next and writes its lines; it changes nothing, and reads only the metadata of live Secrets.

mod checksums;
mod committed;
mod lines;
mod live;
mod plain;
mod request;

#[cfg(test)]
mod tests;

pub use self::checksums::{kept_checksums, secret_checksums};
pub use self::committed::{CommittedSecret, ReleaseEdit, find_committed, release_file};
pub use self::lines::{missing_providers, provider_lines, template_providers};
pub use self::live::{
    KubernetesState, LiveOwner, LiveSecret, LiveState, LiveSupplier, RecordedUids, SwitchFinding,
    live_findings,
};
pub use self::plain::{PlainSecrets, find_plain, find_values};
pub use self::request::{SecretName, Switch, SwitchError, SwitchRequest, SwitchScope, SwitchStep};
