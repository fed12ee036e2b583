//! Parameter Store: decrypted parameters in batches of ten.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::Parameter;

use super::failure::{AwsCall, AwsFailure};
use super::outcome::{TargetOutcome, failed_batch};
use super::secret::{FetchedSecret, TargetResult, day};
use super::target::AwsTarget;
use sealwave_core::time::Date;
use sealwave_secrets::values::SecretValue;

/// The most names in one `GetParameters`.
const BATCH: usize = 10;

/// Fills batches in order. A batch has each name once, regardless of versions, so that results can be matched.
pub(super) fn batches(targets: &[&AwsTarget]) -> Vec<Vec<AwsTarget>> {
    let mut batches: Vec<Vec<AwsTarget>> = Vec::new();
    for target in targets {
        let has_room = |batch: &&mut Vec<AwsTarget>| {
            batch.len() < BATCH && batch.iter().all(|other| other.id != target.id)
        };
        match batches.iter_mut().find(has_room) {
            Some(batch) => batch.push((*target).clone()),
            None => batches.push(vec![(*target).clone()]),
        }
    }
    batches
}

pub(super) async fn get_parameters(
    client: &Client,
    caller: &str,
    targets: &[AwsTarget],
) -> Vec<TargetOutcome> {
    let names = targets.iter().map(parameter_name).collect();
    let request = client.get_parameters().set_names(Some(names)).with_decryption(true);
    match request.send().await {
        Ok(answer) => {
            let entries: Vec<ParameterEntry> =
                answer.parameters.into_iter().flatten().map(ParameterEntry::new).collect();
            let invalid = answer.invalid_parameters.unwrap_or_default();
            targets
                .iter()
                .map(|target| TargetOutcome::Answer(find(target, &entries, &invalid, caller)))
                .collect()
        }
        Err(error) => {
            failed_batch(&AwsFailure::from_sdk_error(&error), AwsCall::GetParameters, caller, targets)
        }
    }
}

/// Formats `name`, `name:3` or `name:label`.
fn parameter_name(target: &AwsTarget) -> String {
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
    changed: Option<Date>,
}

impl ParameterEntry {
    fn new(parameter: Parameter) -> Self {
        let value = parameter.value.map(|text| SecretValue::new(text.into_bytes()));
        let (version, changed) = (parameter.version.to_string(), day(parameter.last_modified_date));
        Self { arn: parameter.arn, name: parameter.name, value, version, changed }
    }

    fn matches(&self, target: &AwsTarget, requested: &str) -> bool {
        let is_same = |text: &Option<String>| {
            text.as_deref().is_some_and(|text| text == target.id || text == requested)
        };
        is_same(&self.name) || (target.region.is_some() && is_same(&self.arn))
    }
}

fn find(target: &AwsTarget, entries: &[ParameterEntry], invalid: &[String], caller: &str) -> TargetResult {
    let requested = parameter_name(target);
    let entry = entries.iter().find(|entry| entry.matches(target, &requested));
    match entry.and_then(|entry| Some((entry.value.clone()?, entry.version.clone(), entry.changed))) {
        Some((value, version, changed)) => {
            Ok(FetchedSecret { value, binary: false, version: Some(version), changed })
        }
        None if invalid.iter().any(|name| *name == requested || *name == target.id) => {
            Err(AwsFailure::not_found().to_provider_error(AwsCall::GetParameters, caller))
        }
        None => Err(AwsFailure::malformed().to_provider_error(AwsCall::GetParameters, caller)),
    }
}
