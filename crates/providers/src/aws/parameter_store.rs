//! Parameter Store: decrypted parameters in batches of ten.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::Parameter;

use super::exchange::{Outcome, failed};
use super::failure::{Call, Fault};
use super::target::Target;
use super::{Answer, Held};
use sealwave_secrets::values::SecretValue;

/// The most names in one `GetParameters`.
const BATCH: usize = 10;

/// Fills batches in order. A batch has each name once, regardless of versions, so that results can be matched.
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
    let names = targets.iter().map(parameter_name).collect();
    let request = client.get_parameters().set_names(Some(names)).with_decryption(true);
    match request.send().await {
        Ok(answer) => {
            let entries: Vec<ParameterEntry> =
                answer.parameters.into_iter().flatten().map(ParameterEntry::new).collect();
            let invalid = answer.invalid_parameters.unwrap_or_default();
            targets.iter().map(|target| Outcome::Answer(find(target, &entries, &invalid, caller))).collect()
        }
        Err(error) => failed(&Fault::of(&error), Call::GetParameters, caller, targets),
    }
}

/// Formats `name`, `name:3` or `name:label`.
fn parameter_name(target: &Target) -> String {
    match &target.version {
        None => target.id.clone(),
        Some(version) => format!("{}:{}", target.id, version.as_str()),
    }
}

/// A parameter in a response.
struct ParameterEntry {
    arn: Option<String>,
    name: Option<String>,
    value: Option<SecretValue>,
    version: String,
}

impl ParameterEntry {
    fn new(parameter: Parameter) -> Self {
        let value = parameter.value.map(|text| SecretValue::new(text.into_bytes()));
        Self { arn: parameter.arn, name: parameter.name, value, version: parameter.version.to_string() }
    }

    fn matches(&self, target: &Target, requested: &str) -> bool {
        let is_same = |text: &Option<String>| {
            text.as_deref().is_some_and(|text| text == target.id || text == requested)
        };
        is_same(&self.name) || (target.region.is_some() && is_same(&self.arn))
    }
}

fn find(target: &Target, entries: &[ParameterEntry], invalid: &[String], caller: &str) -> Answer {
    let requested = parameter_name(target);
    let entry = entries.iter().find(|entry| entry.matches(target, &requested));
    match entry.and_then(|entry| Some((entry.value.clone()?, entry.version.clone()))) {
        Some((value, version)) => Ok(Held { value, binary: false, version: Some(version) }),
        None if invalid.iter().any(|name| *name == requested || *name == target.id) => {
            Err(Fault::not_found().explain(Call::GetParameters, caller))
        }
        None => Err(Fault::malformed().explain(Call::GetParameters, caller)),
    }
}
