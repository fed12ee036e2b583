//! The client: blocking requests with retries, until its deadline.
//!
//! Responses that hold values stay in memory that is erased. Requests for metadata never receive a value: the API server
//! leaves it out, and a response of another kind is refused.

use std::cell::Cell;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use super::{ApiObject, ApiResource, ClusterAccess, ClusterError, ProxyReply, ServiceProxy};
use crate::ProviderError;
use crate::k8s::{API_HINT, ClusterConnection, ClusterLogin};
use crate::remote::retry::{self, AttemptError, RetryPolicy};
use crate::remote::runtime::{LocalRuntime, RuntimeError};

/// The timeout of one attempt.
const PATIENCE: Duration = Duration::from_secs(30);
/// Objects per page of a list.
const PAGE: usize = 250;
/// The most pages of a list; no cluster has as many.
const MAX_PAGES: usize = 2000;
/// The largest response: an object is at most a few MiB, a page is more.
const MAX_OBJECT: usize = 8 << 20;
const MAX_LIST: usize = 64 << 20;

const JSON: &str = "application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// A service behind the API server limits requests to two per second for all clients together, so that a long series of
/// requests waits many times.
const SERVICE_RETRIES: RetryPolicy =
    RetryPolicy { attempts: 60, first_pause: Duration::from_millis(250), max_pause: Duration::from_secs(2) };

/// A client of a cluster. All requests are made in the caller's thread.
pub struct ClusterClient {
    connection: ClusterConnection,
    deadline: Instant,
    /// After the connection, whose tasks it runs.
    runtime: LocalRuntime,
}

/// A request.
struct Call<'a> {
    method: http::Method,
    path: String,
    accept: &'static str,
    body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
    max: usize,
    target: CallTarget<'a>,
    verb: &'static str,
}

/// The object of a request, for messages.
#[derive(Clone, Copy)]
enum CallTarget<'a> {
    Object(&'a ApiObject<'a>),
    Service(&'a ServiceProxy),
}

impl ClusterClient {
    /// Logs in.
    pub(super) fn open(access: &ClusterAccess, deadline: Instant) -> Result<Self, ClusterError> {
        let login = ClusterLogin::User(&access.kubeconfigs, access.context.as_deref());
        let runtime = LocalRuntime::start().map_err(interrupted)?;
        let connection = runtime.run(deadline, |_| ClusterConnection::open(login)).map_err(interrupted)??;
        Ok(Self { connection, deadline, runtime })
    }

    /// Waits, and returns whether the deadline allows another attempt afterwards.
    #[must_use]
    pub fn pause(&self, pause: Duration) -> bool {
        if pause >= self.deadline.saturating_duration_since(Instant::now()) {
            return false;
        }
        std::thread::sleep(pause);
        true
    }

    /// Returns an object that holds no secret.
    ///
    /// # Errors
    /// The object cannot be read, or is a Secret.
    pub fn get(&self, object: &ApiObject<'_>) -> Result<Json, ClusterError> {
        refuse_secrets(object)?;
        self.get_as(object, JSON, object.resource.kind)
    }

    /// Returns the objects of a resource that have these labels (a label selector; empty for all).
    ///
    /// # Errors
    /// The complete list cannot be read, or is of Secrets.
    pub fn list(&self, objects: &ApiObject<'_>, selector: &str) -> Result<Vec<Json>, ClusterError> {
        refuse_secrets(objects)?;
        self.list_as(objects, selector, JSON, &format!("{}List", objects.resource.kind))
    }

    /// Returns the metadata of an object.
    ///
    /// # Errors
    /// The object does not exist or cannot be read.
    pub fn metadata(&self, object: &ApiObject<'_>) -> Result<Json, ClusterError> {
        self.get_as(object, METADATA, "PartialObjectMetadata")
    }

    /// Returns the metadata of the objects that have these labels.
    ///
    /// # Errors
    /// The complete list cannot be read.
    pub fn list_metadata(&self, objects: &ApiObject<'_>, selector: &str) -> Result<Vec<Json>, ClusterError> {
        self.list_as(objects, selector, METADATA_LIST, "PartialObjectMetadataList")
    }

    /// Returns a complete Secret as JSON. This holds its values.
    ///
    /// # Errors
    /// The Secret does not exist or cannot be read.
    pub fn secret(&self, namespace: &str, name: &str) -> Result<Zeroizing<Vec<u8>>, ClusterError> {
        let object = ApiObject::named(ApiResource::SECRETS, namespace, name);
        accepted(&object, self.send(&Call::get(&object, JSON)?)?)
    }

    /// Creates a Secret from JSON.
    ///
    /// # Errors
    /// A Secret of that name exists, or the Secret cannot be created.
    pub fn create_secret(&self, namespace: &str, body: Zeroizing<Vec<u8>>) -> Result<(), ClusterError> {
        let objects = ApiObject::all_in(ApiResource::SECRETS, namespace);
        let call = Call {
            method: http::Method::POST,
            body: Some((JSON, body)),
            verb: "create",
            accept: METADATA,
            ..Call::get(&objects, METADATA)?
        };
        accepted(&objects, self.send(&call)?).map(drop)
    }

    /// Changes an object with a merge patch.
    ///
    /// # Errors
    /// The object does not exist or cannot be changed.
    pub fn merge_patch(&self, object: &ApiObject<'_>, patch: &Json) -> Result<(), ClusterError> {
        let body = Zeroizing::new(patch.to_string().into_bytes());
        let call = Call {
            method: http::Method::PATCH,
            body: Some((MERGE_PATCH, body)),
            verb: "patch",
            ..Call::get(object, METADATA)?
        };
        accepted(object, self.send(&call)?).map(drop)
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// The object does not exist or cannot be deleted.
    pub fn delete(&self, object: &ApiObject<'_>) -> Result<(), ClusterError> {
        let call = Call { method: http::Method::DELETE, verb: "delete", ..Call::get(object, METADATA)? };
        accepted(object, self.send(&call)?).map(drop)
    }

    /// Asks whether this client may do something to an object; `None` if the cluster does not tell.
    ///
    /// # Errors
    /// The cluster cannot be reached.
    pub fn may(
        &self,
        verb: &'static str,
        object: &ApiObject<'_>,
        subresource: Option<&str>,
    ) -> Result<Option<bool>, ClusterError> {
        let review = ApiObject::all(ApiResource::SELF_SUBJECT_ACCESS_REVIEWS);
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "group": object.resource.group, "resource": object.resource.plural, "verb": verb,
                "subresource": subresource, "namespace": object.namespace, "name": object.name,
            }},
        });
        let body = Zeroizing::new(body.to_string().into_bytes());
        let call = Call {
            method: http::Method::POST,
            body: Some((JSON, body)),
            verb: "create",
            ..Call::get(&review, JSON)?
        };
        let (status, answer) = self.send(&call)?;
        if matches!(status, 403..=405) {
            return Ok(None);
        }
        let answer: Option<Json> = serde_json::from_slice(&accepted(&review, (status, answer))?).ok();
        Ok(answer.and_then(|answer| answer.pointer("/status/allowed")?.as_bool()))
    }

    /// Gets a path of a service.
    ///
    /// # Errors
    /// The service cannot be reached. A status that it returns itself is not an error.
    pub fn proxy_get(&self, service: &ServiceProxy, path: &str) -> Result<ProxyReply, ClusterError> {
        self.proxy(service, path, http::Method::GET, "get", None)
    }

    /// Posts JSON to a path of a service.
    ///
    /// # Errors
    /// The service cannot be reached. A status that it returns itself is not an error.
    pub fn proxy_post(
        &self,
        service: &ServiceProxy,
        path: &str,
        body: &[u8],
    ) -> Result<ProxyReply, ClusterError> {
        self.proxy(service, path, http::Method::POST, "create", Some((JSON, Zeroizing::new(body.to_vec()))))
    }

    fn proxy(
        &self,
        service: &ServiceProxy,
        path: &str,
        method: http::Method,
        verb: &'static str,
        body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
    ) -> Result<ProxyReply, ClusterError> {
        let path =
            service.path(path).ok_or_else(|| ClusterError::InvalidName { subject: service.to_string() })?;
        let target = CallTarget::Service(service);
        let call = Call { method, path, accept: "*/*", body, max: MAX_OBJECT, target, verb };
        let (status, body) = self.send(&call)?;
        Ok(ProxyReply { status, body })
    }

    fn get_as(&self, object: &ApiObject<'_>, accept: &'static str, kind: &str) -> Result<Json, ClusterError> {
        let answer = accepted(object, self.send(&Call::get(object, accept)?)?)?;
        parse(object, &answer, kind)
    }

    fn list_as(
        &self,
        objects: &ApiObject<'_>,
        selector: &str,
        accept: &'static str,
        kind: &str,
    ) -> Result<Vec<Json>, ClusterError> {
        let first = Call { max: MAX_LIST, verb: "list", ..Call::get(objects, accept)? };
        let selector = utf8_percent_encode(selector, NON_ALPHANUMERIC);
        let mut items = Vec::new();
        let mut next = String::new();
        for _ in 0..MAX_PAGES {
            let mut path = format!("{}?limit={PAGE}&labelSelector={selector}", first.path);
            if !next.is_empty() {
                path.push_str("&continue=");
                path.extend(utf8_percent_encode(&next, NON_ALPHANUMERIC));
            }
            let call = Call { path, method: http::Method::GET, body: None, ..first };
            let mut page = parse(objects, &accepted(objects, self.send(&call)?)?, kind)?;
            // Go writes an empty list as null.
            if let Some(Json::Array(more)) = page.get_mut("items").map(Json::take) {
                items.extend(more);
            }
            next = page.pointer("/metadata/continue").and_then(Json::as_str).unwrap_or_default().to_owned();
            if next.is_empty() {
                return Ok(items);
            }
        }
        Err(ClusterError::Malformed { subject: objects.to_string(), reason: "it has too many pages" })
    }

    fn send(&self, call: &Call<'_>) -> Result<(u16, Zeroizing<Vec<u8>>), ClusterError> {
        let request = |end| send(&self.connection, call, end);
        self.runtime.run(self.deadline, request).map_err(interrupted)?
    }
}

async fn send(
    connection: &ClusterConnection,
    call: &Call<'_>,
    end: Instant,
) -> Result<(u16, Zeroizing<Vec<u8>>), ClusterError> {
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
        (Ok(body), status) => Ok((status, body)),
        (Err(_), _) if is_too_large.get() => {
            Err(ClusterError::TooLarge { subject: call.subject(), mebibytes: call.max >> 20 })
        }
        (Err(error), 0 | 200..=299) => Err(error.into()),
        (Err(_), status) => call.outcome(status),
    }
}

impl<'a> Call<'a> {
    fn get(object: &'a ApiObject<'a>, accept: &'static str) -> Result<Self, ClusterError> {
        let path = object.path().ok_or_else(|| ClusterError::InvalidName { subject: object.to_string() })?;
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

    fn subject(&self) -> String {
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

    /// Returns the result for a status that is not a success. The caller decides about those of a service.
    fn outcome(&self, status: u16) -> Result<(u16, Zeroizing<Vec<u8>>), ClusterError> {
        let subject = self.subject();
        let through_service = matches!(self.target, CallTarget::Service(_));
        Err(match status {
            401 => ClusterError::Unauthenticated,
            403 => match self.target {
                CallTarget::Object(object) if object.resource == ApiResource::SELF_SUBJECT_ACCESS_REVIEWS => {
                    return Ok((status, Zeroizing::default()));
                }
                CallTarget::Object(object) => ClusterError::Denied {
                    verb: self.verb,
                    subject,
                    resource: object.resource.plural.to_owned(),
                    group: object.resource.group.to_owned(),
                    namespace: object.namespace.map(str::to_owned),
                },
                CallTarget::Service(service) => ClusterError::Denied {
                    verb: self.verb,
                    subject: format!("`services/proxy` of {subject}"),
                    resource: "services/proxy".to_owned(),
                    group: String::new(),
                    namespace: Some(service.namespace.clone()),
                },
            },
            429 => ClusterError::Throttled { subject },
            500 if through_service => return Ok((status, Zeroizing::default())),
            501..=599 | 500 => ClusterError::Failed { subject, status, through_service },
            _ if through_service => return Ok((status, Zeroizing::default())),
            404 => ClusterError::NotFound { subject },
            409 => ClusterError::Conflict { subject },
            405 => return Ok((status, Zeroizing::default())),
            _ => ClusterError::Rejected { subject, status },
        })
    }
}

/// Refuses to read Secrets into memory that is not erased.
fn refuse_secrets(object: &ApiObject<'_>) -> Result<(), ClusterError> {
    if object.resource.group.is_empty() && object.resource.plural == ApiResource::SECRETS.plural {
        let reason = "Secrets are read as metadata or erased";
        return Err(ClusterError::Malformed { subject: object.to_string(), reason });
    }
    Ok(())
}

fn accepted(
    object: &ApiObject<'_>,
    (status, body): (u16, Zeroizing<Vec<u8>>),
) -> Result<Zeroizing<Vec<u8>>, ClusterError> {
    match status {
        200 | 201 => Ok(body),
        status => Err(ClusterError::Rejected { subject: object.to_string(), status }),
    }
}

fn parse(object: &ApiObject<'_>, answer: &[u8], kind: &str) -> Result<Json, ClusterError> {
    let malformed = |reason| ClusterError::Malformed { subject: object.to_string(), reason };
    let answer: Json = serde_json::from_slice(answer).map_err(|_| malformed("it is not JSON"))?;
    if answer.get("kind").and_then(Json::as_str) != Some(kind) {
        return Err(malformed("it is of another kind"));
    }
    Ok(answer)
}

fn interrupted(error: RuntimeError) -> ClusterError {
    match error {
        RuntimeError::DeadlineExceeded => ProviderError::overdue(),
        RuntimeError::NotStarted(kind) => ProviderError::cannot_start("the network runtime", kind),
    }
    .into()
}
