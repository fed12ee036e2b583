//! A request of the client: its retries, and the errors for each status.

use std::cell::Cell;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::api_object::{ApiObject, ServiceProxy};
use super::error::{ClusterFailure, RbacRule};
use crate::ProviderError;
use crate::k8s::{API_HINT, ClusterConnection};
use crate::remote::retry::{self, AttemptError, RetryPolicy};

/// The timeout of one attempt.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest object: it is at most a few MiB.
pub(super) const MAX_OBJECT: usize = 8 << 20;

/// A service behind the API server limits requests to two per second for all clients together, so that a long series of
/// requests waits many times.
const SERVICE_RETRIES: RetryPolicy =
    RetryPolicy { attempts: 60, first_pause: Duration::from_millis(250), max_pause: Duration::from_secs(2) };

/// A request.
pub(super) struct Call<'a> {
    pub(super) method: http::Method,
    pub(super) path: String,
    pub(super) accept: &'static str,
    pub(super) body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
    pub(super) max: usize,
    pub(super) target: CallTarget<'a>,
    pub(super) verb: &'static str,
}

/// The object of a request, for messages.
#[derive(Clone, Copy)]
pub(super) enum CallTarget<'a> {
    Object(&'a ApiObject<'a>),
    Service(&'a ServiceProxy),
}

const HTML: &str = "it is HTML, as of a login page or a proxy";

/// Reports whether a response is a page for people. Neither the API server nor a controller sends one.
fn is_html(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// Sends a request, and returns the status and the body of the response; the body is empty unless the status is a success.
///
/// # Errors
/// There is no response, or its status is an error for the target of the request.
pub(super) async fn send(
    connection: &ClusterConnection,
    call: &Call<'_>,
    end: Instant,
) -> Result<(u16, Zeroizing<Vec<u8>>), ClusterFailure> {
    let last_status = Cell::new(0);
    let is_too_large = Cell::new(false);
    let failures = Cell::new(0);
    let policy = match call.target {
        CallTarget::Service(_) => SERVICE_RETRIES,
        CallTarget::Object(_) => RetryPolicy::default(),
    };
    let answer = retry::retry(end, policy, || async {
        last_status.set(0);
        let attempt = connection.exchange(
            call.request()?,
            call.max,
            |status, after| {
                last_status.set(status);
                failures.set(failures.get() + u32::from(status >= 500));
                let is_last = failures.get() >= RetryPolicy::default().attempts;
                call.judge(status, after).map_err(|error| if is_last { error.into_final() } else { error })
            },
            || {
                is_too_large.set(true);
                ProviderError::unreachable("response is too large", API_HINT)
            },
        );
        tokio::time::timeout(PATIENCE, attempt).await.unwrap_or_else(|_| {
            last_status.set(0);
            let reason = format!("{} did not respond within {} seconds", call.peer(), PATIENCE.as_secs());
            Err(AttemptError::transient(ProviderError::unreachable(reason, API_HINT)))
        })
    })
    .await;
    match (answer, last_status.get()) {
        (Ok(body), _) if is_html(&body) => {
            Err(ClusterFailure::Malformed { subject: call.subject(), reason: HTML })
        }
        (Ok(body), status) => Ok((status, body)),
        (Err(_), _) if is_too_large.get() => {
            Err(ClusterFailure::TooLarge { subject: call.subject(), mebibytes: call.max >> 20 })
        }
        (Err(error), 0 | 200..=299) => {
            Err(ClusterFailure::from(error).of_request(call.verb, &call.subject()))
        }
        (Err(_), status) => call.outcome(status),
    }
}

impl<'a> Call<'a> {
    pub(super) fn get(object: &'a ApiObject<'a>, accept: &'static str) -> Result<Self, ClusterFailure> {
        let path =
            object.path().ok_or_else(|| ClusterFailure::InvalidName { subject: object.to_string() })?;
        let target = CallTarget::Object(object);
        let verb = if object.name.is_some() { "get" } else { "list" };
        Ok(Self { method: http::Method::GET, path, accept, body: None, max: MAX_OBJECT, target, verb })
    }

    fn request(&self) -> Result<http::Request<Vec<u8>>, ProviderError> {
        let mut request = http::Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header("accept", self.accept);
        if let Some((kind, _)) = &self.body {
            request = request.header("content-type", *kind);
        }
        // The client consumes a plain buffer; it is sent over TLS at once.
        let body = self.body.as_ref().map(|(_, body)| body.to_vec()).unwrap_or_default();
        request.body(body).map_err(|_| ProviderError::unreachable("address is not valid", "correct it"))
    }

    /// Accepts 200 and 201; others end the attempts, unless another one may succeed.
    fn judge(&self, status: u16, after: Option<Duration>) -> Result<(), AttemptError> {
        let error = ProviderError::unreachable(format!("status {status}"), API_HINT);
        // The controller of sealed-secrets itself returns 500 for an object that it cannot handle.
        let is_answer = matches!(self.target, CallTarget::Service(_)) && status == 500;
        match status {
            200 | 201 => Ok(()),
            status if retry::is_transient(status) && !is_answer => {
                Err(AttemptError::Transient { error, after })
            }
            _ => Err(AttemptError::Final(error)),
        }
    }

    pub(super) fn subject(&self) -> String {
        match self.target {
            CallTarget::Object(object) => object.to_string(),
            CallTarget::Service(service) => service.to_string(),
        }
    }

    fn peer(&self) -> String {
        match self.target {
            CallTarget::Object(_) => "the cluster".to_owned(),
            CallTarget::Service(service) => service.to_string(),
        }
    }

    /// Returns the failure for 403, with the missing rule.
    fn denied(&self, subject: String) -> ClusterFailure {
        let verb = self.verb;
        match self.target {
            CallTarget::Object(object) => {
                let rule = RbacRule {
                    verb,
                    resource: object.resource.plural.to_owned(),
                    group: object.resource.group.to_owned(),
                    namespace: object.namespace.map(str::to_owned),
                    name: None,
                };
                ClusterFailure::Denied { subject, rule: Box::new(rule) }
            }
            CallTarget::Service(service) => {
                let rule = RbacRule {
                    verb,
                    resource: "services/proxy".to_owned(),
                    group: String::new(),
                    namespace: Some(service.namespace.clone()),
                    name: Some(service.proxied_name()),
                };
                let subject = format!("`services/proxy` of {subject}");
                ClusterFailure::Denied { subject, rule: Box::new(rule) }
            }
        }
    }

    /// Returns the result for a status that is not a success. The caller decides about those of a service.
    fn outcome(&self, status: u16) -> Result<(u16, Zeroizing<Vec<u8>>), ClusterFailure> {
        let subject = self.subject();
        let through_service = matches!(self.target, CallTarget::Service(_));
        Err(match status {
            401 => ClusterFailure::Unauthenticated { subject },
            403 => self.denied(subject),
            429 => ClusterFailure::Throttled { subject },
            500 if through_service => return Ok((status, Zeroizing::default())),
            500..=599 => ClusterFailure::Failed { subject, status, through_service },
            _ if through_service => return Ok((status, Zeroizing::default())),
            404 => ClusterFailure::NotFound { subject },
            409 => ClusterFailure::Conflict { subject },
            410 if self.verb == "list" => ClusterFailure::Expired { subject },
            _ => ClusterFailure::Rejected { subject, status },
        })
    }
}
