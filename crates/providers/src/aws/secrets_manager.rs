//! Secrets Manager: current versions in batches of twenty, other versions one by one.
//!
//! A batch needs a separate permission (`secretsmanager:BatchGetSecretValue` on `*`); without it, each secret is requested
//! alone.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::{ApiErrorType, SecretValueEntry};
use aws_smithy_types::Blob;

use super::failure::{AwsCall, AwsFailure};
use super::outcome::{TargetOutcome, failed_batch};
use super::secret::{FetchedSecret, TargetResult, day};
use super::target::{AwsTarget, VersionSelector};
use sealwave_core::time::Date;
use sealwave_secrets::values::SecretValue;

/// The most secrets in one `BatchGetSecretValue`.
const BATCH: usize = 20;

/// The most pages of one batch; AWS may split it anywhere.
const MAX_PAGES: usize = BATCH + 2;

/// The length of the suffix after a secret's name in a full ARN: a dash and six characters.
const ARN_SUFFIX: usize = 7;

pub(super) fn batches(targets: &[&AwsTarget]) -> Vec<Vec<AwsTarget>> {
    let (versioned, current): (Vec<&AwsTarget>, Vec<&AwsTarget>) =
        targets.iter().partition(|target| target.version.is_some());
    let batches = current.chunks(BATCH).map(|batch| batch.iter().copied().cloned().collect());
    batches.chain(versioned.into_iter().map(|target| vec![target.clone()])).collect()
}

/// Returns the API call for these targets.
pub(super) const fn call_for(targets: &[AwsTarget]) -> AwsCall {
    if targets.len() > 1 { AwsCall::BatchGetSecretValue } else { AwsCall::GetSecretValue }
}

pub(super) async fn get_secrets(client: &Client, caller: &str, targets: &[AwsTarget]) -> Vec<TargetOutcome> {
    match targets {
        [target] => vec![TargetOutcome::Answer(ask_one(client, caller, target).await)],
        _ => ask_many(client, caller, targets).await,
    }
}

async fn ask_one(client: &Client, caller: &str, target: &AwsTarget) -> TargetResult {
    let request = client.get_secret_value().secret_id(&target.id);
    let request = match &target.version {
        None => request,
        Some(VersionSelector::Id(id)) => request.version_id(id),
        Some(VersionSelector::Label(stage)) => request.version_stage(stage),
    };
    let explain = |fault: AwsFailure| fault.to_provider_error(AwsCall::GetSecretValue, caller);
    let answer = request.send().await.map_err(|error| explain(AwsFailure::from_sdk_error(&error)))?;
    let is_match = is_named(target, answer.arn.as_deref(), answer.name.as_deref());
    let changed = day(answer.created_date);
    let secret = fetched_secret(answer.secret_string, answer.secret_binary, answer.version_id, changed);
    secret.filter(|_| is_match).ok_or_else(|| explain(AwsFailure::malformed()))
}

async fn ask_many(client: &Client, caller: &str, targets: &[AwsTarget]) -> Vec<TargetOutcome> {
    let (mut entries, mut errors) = (Vec::new(), Vec::new());
    let mut token = None;
    for _ in 0..MAX_PAGES {
        let request = client.batch_get_secret_value().set_next_token(token.take());
        let ids = targets.iter().map(|target| target.id.clone()).collect();
        match request.set_secret_id_list(Some(ids)).send().await {
            Ok(page) => {
                entries.extend(page.secret_values.into_iter().flatten().map(BatchEntry::new));
                errors.extend(page.errors.into_iter().flatten());
                token = page.next_token;
            }
            Err(error) => {
                return failed_batch(
                    &AwsFailure::from_sdk_error(&error),
                    AwsCall::BatchGetSecretValue,
                    caller,
                    targets,
                );
            }
        }
        if token.is_none() {
            break;
        }
    }
    targets.iter().map(|target| outcome(target, &entries, &errors, caller)).collect()
}

/// A secret in the response to a batch.
struct BatchEntry {
    arn: Option<String>,
    name: Option<String>,
    secret: Option<FetchedSecret>,
}

impl BatchEntry {
    fn new(entry: SecretValueEntry) -> Self {
        Self {
            arn: entry.arn,
            name: entry.name,
            secret: fetched_secret(
                entry.secret_string,
                entry.secret_binary,
                entry.version_id,
                day(entry.created_date),
            ),
        }
    }
}

fn outcome(
    target: &AwsTarget,
    entries: &[BatchEntry],
    errors: &[ApiErrorType],
    caller: &str,
) -> TargetOutcome {
    let mut named =
        entries.iter().filter(|entry| is_named(target, entry.arn.as_deref(), entry.name.as_deref()));
    if let Some(BatchEntry { secret: Some(secret), .. }) = named.next() {
        return TargetOutcome::Answer(Ok(secret.clone()));
    }
    let error = errors.iter().find(|error| error.secret_id.as_deref() == Some(target.id.as_str()));
    let fault = error
        .map(|error| AwsFailure::from_batch_error(error.error_code.as_deref(), error.message.as_deref()));
    match fault {
        Some(fault) if !fault.is_transient() => {
            TargetOutcome::Answer(Err(fault.to_provider_error(AwsCall::GetSecretValue, caller)))
        }
        // It is missing, has no value, or failed transiently.
        _ => TargetOutcome::AskAlone,
    }
}

/// Reports whether a result belongs to this target. An ARN may be written without its random suffix.
fn is_named(target: &AwsTarget, arn: Option<&str>, name: Option<&str>) -> bool {
    let has_random_suffix = |arn: &str| {
        let rest = arn.strip_prefix(target.id.as_str());
        rest.is_some_and(|rest| rest.len() == ARN_SUFFIX && rest.starts_with('-'))
    };
    let is_arn = target.region.is_some();
    name == Some(target.id.as_str())
        || arn.is_some_and(|arn| is_arn && (arn == target.id || has_random_suffix(arn)))
}

fn fetched_secret(
    text: Option<String>,
    binary: Option<Blob>,
    version: Option<String>,
    changed: Option<Date>,
) -> Option<FetchedSecret> {
    let (bytes, binary) = match (text, binary) {
        (Some(text), _) => (text.into_bytes(), false),
        (None, Some(bytes)) => (bytes.into_inner(), true),
        (None, None) => return None,
    };
    Some(FetchedSecret { value: SecretValue::new(bytes), binary, version, changed })
}
