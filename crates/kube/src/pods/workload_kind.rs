//! Kinds of workloads that an app names.

use serde::Deserialize;

/// A kind that holds a pod template.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkloadKind {
    /// API group; `""` is the core group.
    #[serde(default)]
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Where the pod template is, as dotted keys, for example `spec.template`.
    pub pod_template: String,
}
