//! The waves that an app chooses.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of sync waves.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WaveSettings {
    /// The wave of each kind (`Job` or `batch/Job`), for objects that do not set one.
    #[serde(default)]
    pub kinds: BTreeMap<String, i32>,
}
