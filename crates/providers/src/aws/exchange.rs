//! Requests to one service: in batches with bounded concurrency, then one by one for targets that a batch did not answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::failure::{AwsCall, call_timeout};
use super::outcome::TargetOutcome;
use super::secret::TargetResult;
use super::session::AwsSession;
use super::target::{AwsService, AwsTarget};
use super::{parameter_store, secrets_manager};
use crate::ProviderError;
use crate::remote::runtime;

/// Concurrent calls to a service.
const AT_ONCE: usize = 8;

/// A request: the client of a region and the targets.
struct BatchRequest {
    client: ServiceClient,
    targets: Vec<AwsTarget>,
}

/// A client of one service in one region, with the identity of the caller.
#[derive(Clone)]
enum ServiceClient {
    ParameterStore(aws_sdk_ssm::Client, String),
    SecretsManager(aws_sdk_secretsmanager::Client, String),
}

/// Requests all targets until `end`. Each target gets a result, which may be a timeout error.
pub(super) async fn fetch_targets(
    service: AwsService,
    session: &AwsSession,
    targets: &BTreeSet<AwsTarget>,
    end: Instant,
) -> BTreeMap<AwsTarget, TargetResult> {
    let mut answers = BTreeMap::new();
    let batches = plan_requests(service, session, targets, &mut answers);
    let single = send_all(batches, end, &mut answers).await;
    let remaining = send_all(single, end, &mut answers).await;
    debug_assert!(remaining.is_empty(), "single requests have results");
    answers
}

/// Plans the fewest requests, region by region. If a region has no client, its targets get the error.
fn plan_requests(
    service: AwsService,
    session: &AwsSession,
    targets: &BTreeSet<AwsTarget>,
    answers: &mut BTreeMap<AwsTarget, TargetResult>,
) -> Vec<BatchRequest> {
    let mut by_region: BTreeMap<Option<&str>, Vec<&AwsTarget>> = BTreeMap::new();
    for target in targets {
        by_region.entry(target.region.as_deref()).or_default().push(target);
    }
    let mut requests = Vec::new();
    for (region, targets) in by_region {
        match ServiceClient::new(service, session, region) {
            Ok(client) => {
                let batches = match service {
                    AwsService::ParameterStore => parameter_store::batches(&targets),
                    AwsService::SecretsManager => secrets_manager::batches(&targets),
                };
                let with_client = |targets| BatchRequest { client: client.clone(), targets };
                requests.extend(batches.into_iter().map(with_client));
            }
            Err(error) => {
                answers.extend(targets.into_iter().map(|target| (target.clone(), Err(error.clone()))));
            }
        }
    }
    requests
}

/// Sends requests, collects their results, and returns requests for the targets to be requested alone.
async fn send_all(
    requests: Vec<BatchRequest>,
    end: Instant,
    answers: &mut BTreeMap<AwsTarget, TargetResult>,
) -> Vec<BatchRequest> {
    let work: Vec<_> =
        requests.iter().map(|request| request.client.clone().ask(request.targets.clone())).collect();
    let outcomes = runtime::gather(end, AT_ONCE, work).await;
    let mut single = Vec::new();
    for (request, outcomes) in requests.into_iter().zip(outcomes) {
        let call = request.client.call(&request.targets);
        let mut outcomes = outcomes.into_iter().flatten();
        for target in request.targets {
            match outcomes.next() {
                Some(TargetOutcome::Answer(answer)) => {
                    answers.insert(target, answer);
                }
                Some(TargetOutcome::AskAlone) => {
                    single.push(BatchRequest { client: request.client.clone(), targets: vec![target] });
                }
                None => {
                    answers.insert(target, Err(call_timeout(call)));
                }
            }
        }
    }
    single
}

impl ServiceClient {
    fn new(service: AwsService, session: &AwsSession, region: Option<&str>) -> Result<Self, ProviderError> {
        let config = session.config(region)?;
        let caller = session.caller.clone();
        Ok(match service {
            AwsService::ParameterStore => Self::ParameterStore(aws_sdk_ssm::Client::new(&config), caller),
            AwsService::SecretsManager => {
                Self::SecretsManager(aws_sdk_secretsmanager::Client::new(&config), caller)
            }
        })
    }

    async fn ask(self, targets: Vec<AwsTarget>) -> Vec<TargetOutcome> {
        match self {
            Self::ParameterStore(client, caller) => {
                parameter_store::get_parameters(&client, &caller, &targets).await
            }
            Self::SecretsManager(client, caller) => {
                secrets_manager::get_secrets(&client, &caller, &targets).await
            }
        }
    }

    fn call(&self, targets: &[AwsTarget]) -> AwsCall {
        match self {
            Self::ParameterStore(..) => AwsCall::GetParameters,
            Self::SecretsManager(..) => secrets_manager::call_for(targets),
        }
    }
}
