//! Requests to one service: in batches with bounded concurrency, then one by one for targets that a batch did not answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::failure::{Call, Fault, unanswered};
use super::session::Session;
use super::target::Target;
use super::{Answer, Service, parameter_store, secrets_manager};
use crate::{ProviderError, runtime};

/// Concurrent calls to a service.
const AT_ONCE: usize = 8;

/// The outcome of a request for one of its targets.
pub(super) enum Outcome {
    Answer(Answer),
    /// The batch has no result for it: request it alone.
    AskAlone,
}

/// A request: the client of a region and the targets.
struct BatchRequest {
    client: ServiceClient,
    targets: Vec<Target>,
}

/// A client of one service in one region, with the identity of the caller.
#[derive(Clone)]
enum ServiceClient {
    ParameterStore(aws_sdk_ssm::Client, String),
    SecretsManager(aws_sdk_secretsmanager::Client, String),
}

/// Requests all targets until `end`. Each target gets a result, which may be a timeout error.
pub(super) async fn ask(
    service: Service,
    session: &Session,
    targets: &BTreeSet<Target>,
    end: Instant,
) -> BTreeMap<Target, Answer> {
    let mut answers = BTreeMap::new();
    let batches = plan_requests(service, session, targets, &mut answers);
    let single = send_all(batches, end, &mut answers).await;
    let remaining = send_all(single, end, &mut answers).await;
    debug_assert!(remaining.is_empty(), "single requests have results");
    answers
}

/// Plans the fewest requests, region by region. If a region has no client, its targets get the error.
fn plan_requests(
    service: Service,
    session: &Session,
    targets: &BTreeSet<Target>,
    answers: &mut BTreeMap<Target, Answer>,
) -> Vec<BatchRequest> {
    let mut by_region: BTreeMap<Option<&str>, Vec<&Target>> = BTreeMap::new();
    for target in targets {
        by_region.entry(target.region.as_deref()).or_default().push(target);
    }
    let mut requests = Vec::new();
    for (region, targets) in by_region {
        match ServiceClient::new(service, session, region) {
            Ok(client) => {
                let batches = match service {
                    Service::ParameterStore => parameter_store::batches(&targets),
                    Service::SecretsManager => secrets_manager::batches(&targets),
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
    answers: &mut BTreeMap<Target, Answer>,
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
                Some(Outcome::Answer(answer)) => {
                    answers.insert(target, answer);
                }
                Some(Outcome::AskAlone) => {
                    single.push(BatchRequest { client: request.client.clone(), targets: vec![target] });
                }
                None => {
                    answers.insert(target, Err(unanswered(call)));
                }
            }
        }
    }
    single
}

impl ServiceClient {
    fn new(service: Service, session: &Session, region: Option<&str>) -> Result<Self, ProviderError> {
        let config = session.config(region)?;
        let caller = session.caller.clone();
        Ok(match service {
            Service::ParameterStore => Self::ParameterStore(aws_sdk_ssm::Client::new(&config), caller),
            Service::SecretsManager => {
                Self::SecretsManager(aws_sdk_secretsmanager::Client::new(&config), caller)
            }
        })
    }

    async fn ask(self, targets: Vec<Target>) -> Vec<Outcome> {
        match self {
            Self::ParameterStore(client, caller) => parameter_store::ask(&client, &caller, &targets).await,
            Self::SecretsManager(client, caller) => secrets_manager::ask(&client, &caller, &targets).await,
        }
    }

    fn call(&self, targets: &[Target]) -> Call {
        match self {
            Self::ParameterStore(..) => Call::GetParameters,
            Self::SecretsManager(..) => secrets_manager::call(targets),
        }
    }
}

/// Returns the outcomes of a failed batch: the same error for all targets, or a single request for each.
pub(super) fn failed(fault: &Fault, call: Call, caller: &str, targets: &[Target]) -> Vec<Outcome> {
    let retry_alone = targets.len() > 1 && fault.concerns_the_batch_alone();
    let outcome = |_| {
        if retry_alone { Outcome::AskAlone } else { Outcome::Answer(Err(fault.explain(call, caller))) }
    };
    targets.iter().map(outcome).collect()
}
