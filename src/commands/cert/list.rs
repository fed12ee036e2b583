//! `cert list`: the keys of a controller.

use std::fmt::Write as _;
use std::time::SystemTime;

use serde_json::{Value as Json, json};

use super::common::{age_days, certificate_json, controller_names, document};
use crate::cli::{CertListArgs, ReportFormat};
use crate::commands::{CommandOutput, cluster_access};
use crate::config::{self, VariableReader};
use crate::deadline::RunWatch;
use sealwave_core::diagnostic::{Explain, Failure, Note, Problem, first_on_line};
use sealwave_core::text::counted;
use sealwave_operations::controller::{ControllerKey, KeyState, list_keys, newest_key};
use sealwave_secrets::crypto::Certificate;

/// A problem of the list.
#[derive(Debug, thiserror::Error)]
enum KeyListNote {
    #[error("namespace `{0}` has no key of a sealed-secrets controller")]
    Empty(String),
    #[error("key `{name}` is not known: {reason}")]
    Unknown { name: String, reason: String },
}

impl Explain for KeyListNote {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Empty(_) => {
                Some("set the namespace of the controller with `--controller-namespace`".to_owned())
            }
            Self::Unknown { .. } => None,
        }
    }
}

pub(super) fn run(
    args: &CertListArgs,
    variables: VariableReader,
    watch: &RunWatch,
) -> Result<CommandOutput, Failure> {
    let now = config::now(variables)?;
    let names = controller_names(&args.controller);
    let client = cluster_access(&args.cluster, variables).connect(watch.deadline());
    let client = client.map_err(|error| Problem::new(&error))?;
    let keys = list_keys(&client, names.namespace()).map_err(|error| Problem::new(&error))?;
    let mut notes = Vec::new();
    if keys.is_empty() {
        notes.push(Note::warning(Problem::new(&KeyListNote::Empty(names.namespace().to_owned()))));
    }
    for key in &keys {
        if let Err(reason) = &key.certificate {
            let note = KeyListNote::Unknown { name: key.name.clone(), reason: reason.clone() };
            notes.push(Note::warning(Problem::new(&note)));
        }
    }
    let stdout = match args.output {
        ReportFormat::Human => human(&keys, now).into_bytes(),
        ReportFormat::Json => document(&json!({
            "namespace": names.namespace(),
            "keys": keys.iter().map(|key| key_json(key, is_newest(key, &keys), now)).collect::<Vec<_>>(),
        })),
    };
    Ok(CommandOutput { notes, ..CommandOutput::text(stdout) })
}

/// Reports whether the controller seals with this key.
fn is_newest(key: &ControllerKey, keys: &[ControllerKey]) -> bool {
    newest_key(keys).is_some_and(|newest| newest.name == key.name)
}

fn state(key: &ControllerKey, is_newest: bool) -> &'static str {
    match key.state {
        KeyState::Active if is_newest => "newest",
        KeyState::Active => "active",
        KeyState::Retired(_) => "retired",
    }
}

fn human(keys: &[ControllerKey], now: SystemTime) -> String {
    // A name is the first text of its line.
    let names: Vec<String> = keys.iter().map(|key| first_on_line(&key.name)).collect();
    let name_width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(4);
    let mut out = String::new();
    if keys.is_empty() {
        return out;
    }
    let mut row = |cells: [&str; 6]| {
        let [name, state, age, start, end, key] = cells;
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name:<name_width$}  {state:<7}  {age:>8}  {start:<20}  {end:<20}  {key}");
    };
    row(["NAME", "STATE", "AGE", "NOT BEFORE", "NOT AFTER", "PUBLIC KEY SHA-256"]);
    for (key, name) in keys.iter().zip(&names) {
        let state = state(key, is_newest(key, keys));
        match &key.certificate {
            Ok(certificate) => {
                let details = certificate.details();
                let age = age(certificate, now);
                row([name, state, &age, &details.not_before, &details.not_after, &details.public_key_sha256]);
            }
            Err(_) => row([name, state, "-", "-", "-", "-"]),
        }
    }
    out
}

fn age(certificate: &Certificate, now: SystemTime) -> String {
    match age_days(certificate, now) {
        Some(days) => counted(days, "day"),
        None => "-".to_owned(),
    }
}

fn key_json(key: &ControllerKey, is_newest: bool, now: SystemTime) -> Json {
    json!({
        "name": key.name,
        "state": state(key, is_newest),
        "created": key.created,
        "certificate": key.certificate.as_ref().ok().map(|certificate| certificate_json(certificate, now)),
    })
}
