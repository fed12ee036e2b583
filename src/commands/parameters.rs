//! `parameters`: prints the parameters that Argo CD's user interface shows for the app, as `ParameterAnnouncement`
//! JSON.
//!
//! Argo CD caches them per revision and not per app, so they must not contain anything specific to one app.

use std::path::Path;

use serde::Serialize;

use super::CommandOutput;
use crate::config::{self, VariableReader};
use sealwave_core::diagnostic::{Failure, Problem};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ParameterAnnouncement<'a> {
    name: &'a str,
    title: &'a str,
    tooltip: String,
    required: bool,
    item_type: &'a str,
    collection_type: &'a str,
    string: &'a str,
}

pub(super) fn run(dir: &Path, variables: VariableReader) -> Result<CommandOutput, Failure> {
    let checkout = config::read_checkout(&variables).map_err(|error| Problem::new(&error))?;
    let discovery = sealwave_pipeline::discover(&super::directory(dir), Some(&checkout))?;
    let environments: Vec<&str> = discovery.environments().collect();
    let only = if let [only] = environments[..] { Some(only) } else { None };
    let announcements = [ParameterAnnouncement {
        name: "env",
        title: "Environment",
        tooltip: format!("one of {}", environments.join(", ")),
        required: only.is_none(),
        item_type: "string",
        collection_type: "string",
        string: only.unwrap_or_default(),
    }];
    let mut json = serde_json::to_vec(&announcements).unwrap_or_else(|_| b"[]".to_vec());
    json.push(b'\n');
    Ok(CommandOutput::text(json))
}
