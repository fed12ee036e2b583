//! The questions to one service: in batches, a bounded number at a time, and what a batch cannot tell, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::failure::{Call, Fault, unanswered};
use super::session::Session;
use super::target::Target;
use super::{Answer, Service, parameter_store, secrets_manager};
use crate::{ProviderError, runtime};

/// Calls to a service at one time.
const AT_ONCE: usize = 8;

/// What a question gave for one of its targets.
pub(super) enum Outcome {
    Answer(Answer),
    /// The batch says nothing about it: ask for it alone.
    AskAlone,
}

/// One call: the client of a region, and what to ask it for.
struct Question {
    client: Client,
    targets: Vec<Target>,
}

/// A client of one service in one region, and whom it asks as.
#[derive(Clone)]
enum Client {
    ParameterStore(aws_sdk_ssm::Client, String),
    SecretsManager(aws_sdk_secretsmanager::Client, String),
}

/// Asks for all targets until `end`. Each has an answer, if only that there was none.
pub(super) async fn ask(
    service: Service,
    session: &Session,
    targets: &BTreeSet<Target>,
    end: Instant,
) -> BTreeMap<Target, Answer> {
    let mut answers = BTreeMap::new();
    let questions = questions(service, session, targets, &mut answers);
    let alone = put(questions, end, &mut answers).await;
    let left = put(alone, end, &mut answers).await;
    debug_assert!(left.is_empty(), "what is asked for alone is answered");
    answers
}

/// The fewest questions, region by region; a region without a client answers its targets with its error.
fn questions(
    service: Service,
    session: &Session,
    targets: &BTreeSet<Target>,
    answers: &mut BTreeMap<Target, Answer>,
) -> Vec<Question> {
    let mut by_region: BTreeMap<Option<&str>, Vec<&Target>> = BTreeMap::new();
    for target in targets {
        by_region.entry(target.region.as_deref()).or_default().push(target);
    }
    let mut questions = Vec::new();
    for (region, targets) in by_region {
        match Client::new(service, session, region) {
            Ok(client) => {
                let batches = match service {
                    Service::ParameterStore => parameter_store::batches(&targets),
                    Service::SecretsManager => secrets_manager::batches(&targets),
                };
                questions
                    .extend(batches.into_iter().map(|targets| Question { client: client.clone(), targets }));
            }
            Err(error) => {
                answers.extend(targets.into_iter().map(|target| (target.clone(), Err(error.clone()))));
            }
        }
    }
    questions
}

/// Puts questions, notes their answers, and returns what has to be asked for alone.
async fn put(
    questions: Vec<Question>,
    end: Instant,
    answers: &mut BTreeMap<Target, Answer>,
) -> Vec<Question> {
    let work: Vec<_> =
        questions.iter().map(|question| question.client.clone().ask(question.targets.clone())).collect();
    let outcomes = runtime::gather(end, AT_ONCE, work).await;
    let mut alone = Vec::new();
    for (question, outcomes) in questions.into_iter().zip(outcomes) {
        let call = question.client.call(&question.targets);
        let mut outcomes = outcomes.into_iter().flatten();
        for target in question.targets {
            match outcomes.next() {
                Some(Outcome::Answer(answer)) => {
                    answers.insert(target, answer);
                }
                Some(Outcome::AskAlone) => {
                    alone.push(Question { client: question.client.clone(), targets: vec![target] });
                }
                None => {
                    answers.insert(target, Err(unanswered(call)));
                }
            }
        }
    }
    alone
}

impl Client {
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

/// The outcome of a batch that failed as a whole: the same answer for all, or a question for each.
pub(super) fn failed(fault: &Fault, call: Call, caller: &str, targets: &[Target]) -> Vec<Outcome> {
    let apart = targets.len() > 1 && fault.concerns_the_batch_alone();
    let outcome = |_| {
        if apart { Outcome::AskAlone } else { Outcome::Answer(Err(fault.explain(call, caller))) }
    };
    targets.iter().map(outcome).collect()
}
