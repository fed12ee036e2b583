//! Rules about workloads that are refused, or do not run as their author expects.

pub(super) mod automount_token;
pub(super) mod container_name;
pub(super) mod container_port;
mod cron;
pub(super) mod env_source;
pub(super) mod job;
pub(super) mod missing_volume;
pub(super) mod mount;
pub(super) mod pod_settings;
pub(super) mod probe;
pub(super) mod probe_port;
pub(in crate::rules) mod resources;
pub(super) mod restart_policy;
pub(super) mod schedule;
pub(in crate::rules) mod scheduling;
pub(super) mod security_context;
pub(super) mod selector_mismatch;
pub(super) mod strategy;
pub(super) mod volume_source;

use super::CheckedObject;
use sealwave_core::document::Node;

/// Returns the spec of pods that are created as written. Controllers of other kinds may change it.
fn plain_pod<'a>(object: &CheckedObject<'a>) -> Option<&'a Node> {
    let pod = object.pod.as_ref()?;
    matches!(object.group, "" | "apps" | "argoproj.io" | "batch").then_some(pod.spec)
}
