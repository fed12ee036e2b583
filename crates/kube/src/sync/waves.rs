//! The waves that an app chooses.

use std::collections::BTreeMap;

use serde::Deserialize;

/// How waves are chosen.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waves {
    /// The wave of every object of a kind (`Job` or `batch/Job`) that has none of its own.
    #[serde(default)]
    pub kinds: BTreeMap<String, i32>,
}
