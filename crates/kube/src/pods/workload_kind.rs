//! Kinds of workloads that an app names.

use schemars::JsonSchema;
use serde::Deserialize;

/// A kind that contains a pod template.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkloadKind {
    /// API group; `""` is the core group.
    #[serde(default)]
    pub group: String,
    /// Kind of the workload.
    pub kind: String,
    /// Path of the pod template as dotted keys, for example `spec.template`.
    pub pod_template: String,
}
