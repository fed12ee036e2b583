//! Parameter Store: ten parameters at a time, decrypted.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::Parameter;

use super::exchange::{Outcome, failed};
use super::failure::{Call, Fault};
use super::target::Target;
use super::{Answer, Held};
use sealwave_secrets::values::SecretValue;

/// What one `GetParameters` takes.
const BATCH: usize = 10;

/// Fills batches in order; one batch has each name once, whatever the versions, so that answers can be told apart.
pub(super) fn batches(targets: &[&Target]) -> Vec<Vec<Target>> {
    let mut batches: Vec<Vec<Target>> = Vec::new();
    for target in targets {
        let has_room =
            |batch: &&mut Vec<Target>| batch.len() < BATCH && batch.iter().all(|other| other.id != target.id);
        match batches.iter_mut().find(has_room) {
            Some(batch) => batch.push((*target).clone()),
            None => batches.push(vec![(*target).clone()]),
        }
    }
    batches
}

pub(super) async fn ask(client: &Client, caller: &str, targets: &[Target]) -> Vec<Outcome> {
    let names = targets.iter().map(written).collect();
    let request = client.get_parameters().set_names(Some(names)).with_decryption(true);
    match request.send().await {
        Ok(answer) => {
            let entries: Vec<Entry> = answer.parameters.into_iter().flatten().map(Entry::new).collect();
            let invalid = answer.invalid_parameters.unwrap_or_default();
            targets.iter().map(|target| Outcome::Answer(find(target, &entries, &invalid, caller))).collect()
        }
        Err(error) => failed(&Fault::of(&error), Call::GetParameters, caller, targets),
    }
}

/// `name`, `name:3` or `name:label`.
fn written(target: &Target) -> String {
    match &target.version {
        None => target.id.clone(),
        Some(version) => format!("{}:{}", target.id, version.as_str()),
    }
}

/// A parameter of an answer.
struct Entry {
    arn: Option<String>,
    name: Option<String>,
    value: Option<SecretValue>,
    version: String,
}

impl Entry {
    fn new(parameter: Parameter) -> Self {
        let value = parameter.value.map(|text| SecretValue::new(text.into_bytes()));
        Self { arn: parameter.arn, name: parameter.name, value, version: parameter.version.to_string() }
    }

    fn is(&self, target: &Target, written: &str) -> bool {
        let is =
            |text: &Option<String>| text.as_deref().is_some_and(|text| text == target.id || text == written);
        is(&self.name) || (target.region.is_some() && is(&self.arn))
    }
}

fn find(target: &Target, entries: &[Entry], invalid: &[String], caller: &str) -> Answer {
    let written = written(target);
    let entry = entries.iter().find(|entry| entry.is(target, &written));
    match entry.and_then(|entry| Some((entry.value.clone()?, entry.version.clone()))) {
        Some((value, version)) => Ok(Held { value, binary: false, version: Some(version) }),
        None if invalid.iter().any(|name| *name == written || *name == target.id) => {
            Err(Fault::not_found().explain(Call::GetParameters, caller))
        }
        None => Err(Fault::malformed().explain(Call::GetParameters, caller)),
    }
}
