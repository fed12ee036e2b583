//! The client: blocking requests with retries, until its deadline.
//!
//! Responses that hold values stay in memory that is erased. Requests for metadata never receive a value: the API server
//! leaves it out, and a response of another kind is refused.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::api_object::{ApiObject, ApiResource, ServiceProxy};
use super::call::{Call, CallTarget, MAX_OBJECT, send};
use super::error::{ClusterError, ClusterFailure};
use super::proxy_reply::ProxyReply;
use crate::ProviderError;
use crate::cluster_peer::ClusterPeer;
use crate::k8s::{ClusterConnection, ClusterLogin};
use crate::remote::runtime::{LocalRuntime, RuntimeError};

/// Objects per page of a list.
const PAGE: usize = 250;
/// The most pages of a list; no cluster has as many.
const MAX_PAGES: usize = 2000;
/// The largest page of a list.
const MAX_LIST: usize = 64 << 20;
/// The most bytes of all pages of a list.
const MAX_PAGES_BYTES: usize = 256 << 20;
/// The longest token of a next page; the API server's have some hundred bytes.
const MAX_TOKEN: usize = 16 << 10;

const JSON: &str = "application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const MERGE_PATCH: &str = "application/merge-patch+json";

/// A client of a cluster. All requests are made in the caller's thread.
pub struct ClusterClient {
    connection: ClusterConnection,
    deadline: Instant,
    /// After the connection, whose tasks it runs.
    runtime: LocalRuntime,
}

impl ClusterClient {
    /// Logs in.
    pub(super) fn open(
        kubeconfigs: &[PathBuf],
        context: Option<&str>,
        deadline: Instant,
    ) -> Result<Self, ClusterError> {
        let login = ClusterLogin::User(kubeconfigs, context);
        let runtime = LocalRuntime::start().map_err(interrupted)?;
        let connection = runtime.run(deadline, |_| ClusterConnection::open(login));
        let connection = connection.map_err(interrupted)??;
        Ok(Self { connection, deadline, runtime })
    }

    /// Returns the server and the context that the client talks to.
    #[must_use]
    pub fn peer(&self) -> &ClusterPeer {
        self.connection.peer()
    }

    /// Adds the cluster to a failure.
    fn named<T>(&self, result: Result<T, ClusterFailure>) -> Result<T, ClusterError> {
        result.map_err(|failure| ClusterError::from(failure).at(self.connection.peer()))
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
        let kind = object.resource.kind;
        self.named(refuse_secrets(object).and_then(|()| self.get_as(object, JSON, kind)))
    }

    /// Returns the objects of a resource that have these labels (a label selector; empty for all).
    ///
    /// # Errors
    /// The complete list cannot be read, or is of Secrets.
    pub fn list(&self, objects: &ApiObject<'_>, selector: &str) -> Result<Vec<Json>, ClusterError> {
        let kind = format!("{}List", objects.resource.kind);
        self.named(refuse_secrets(objects).and_then(|()| self.list_as(objects, selector, JSON, &kind)))
    }

    /// Returns the metadata of an object.
    ///
    /// # Errors
    /// The object does not exist or cannot be read.
    pub fn metadata(&self, object: &ApiObject<'_>) -> Result<Json, ClusterError> {
        self.named(self.get_as(object, METADATA, "PartialObjectMetadata"))
    }

    /// Returns the metadata of the objects that have these labels.
    ///
    /// # Errors
    /// The complete list cannot be read.
    pub fn list_metadata(&self, objects: &ApiObject<'_>, selector: &str) -> Result<Vec<Json>, ClusterError> {
        self.named(self.list_as(objects, selector, METADATA_LIST, "PartialObjectMetadataList"))
    }

    /// Returns a complete Secret as JSON. This holds its values.
    ///
    /// # Errors
    /// The Secret does not exist or cannot be read.
    pub fn secret(&self, namespace: &str, name: &str) -> Result<Zeroizing<Vec<u8>>, ClusterError> {
        let object = ApiObject::named(ApiResource::SECRETS, namespace, name);
        self.named(Call::get(&object, JSON).and_then(|call| accepted(&object, self.send(&call)?)))
    }

    /// Creates a Secret from JSON.
    ///
    /// # Errors
    /// A Secret of that name exists, or the Secret cannot be created.
    pub fn create_secret(&self, namespace: &str, body: Zeroizing<Vec<u8>>) -> Result<(), ClusterError> {
        let objects = ApiObject::all_in(ApiResource::SECRETS, namespace);
        let (method, body) = (http::Method::POST, Some((JSON, body)));
        let call = Call::get(&objects, METADATA).map(|call| Call { method, body, verb: "create", ..call });
        self.named(call.and_then(|call| accepted(&objects, self.send(&call)?))).map(drop)
    }

    /// Changes an object with a merge patch.
    ///
    /// # Errors
    /// The object does not exist or cannot be changed.
    pub fn merge_patch(&self, object: &ApiObject<'_>, patch: &Json) -> Result<(), ClusterError> {
        let body = Zeroizing::new(patch.to_string().into_bytes());
        let (method, body) = (http::Method::PATCH, Some((MERGE_PATCH, body)));
        let call = Call::get(object, METADATA).map(|call| Call { method, body, verb: "patch", ..call });
        self.named(call.and_then(|call| accepted(object, self.send(&call)?))).map(drop)
    }

    /// Gets a path of a service.
    ///
    /// # Errors
    /// The service cannot be reached. A status that it returns itself is not an error.
    pub fn proxy_get(&self, service: &ServiceProxy, path: &str) -> Result<ProxyReply, ClusterError> {
        self.named(self.proxy(service, path, http::Method::GET, "get", None))
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
        let body = Some((JSON, Zeroizing::new(body.to_vec())));
        self.named(self.proxy(service, path, http::Method::POST, "create", body))
    }

    fn proxy(
        &self,
        service: &ServiceProxy,
        path: &str,
        method: http::Method,
        verb: &'static str,
        body: Option<(&'static str, Zeroizing<Vec<u8>>)>,
    ) -> Result<ProxyReply, ClusterFailure> {
        let path =
            service.path(path).ok_or_else(|| ClusterFailure::InvalidName { subject: service.to_string() })?;
        let target = CallTarget::Service(service);
        let call = Call { method, path, accept: "*/*", body, max: MAX_OBJECT, target, verb };
        let (status, body) = self.send(&call)?;
        Ok(ProxyReply { status, body })
    }

    fn get_as(
        &self,
        object: &ApiObject<'_>,
        accept: &'static str,
        kind: &str,
    ) -> Result<Json, ClusterFailure> {
        let answer = accepted(object, self.send(&Call::get(object, accept)?)?)?;
        parse(object, &answer, kind)
    }

    fn list_as(
        &self,
        objects: &ApiObject<'_>,
        selector: &str,
        accept: &'static str,
        kind: &str,
    ) -> Result<Vec<Json>, ClusterFailure> {
        let first = Call { max: MAX_LIST, verb: "list", ..Call::get(objects, accept)? };
        let selector = utf8_percent_encode(selector, NON_ALPHANUMERIC);
        let malformed = |reason| ClusterFailure::Malformed { subject: objects.to_string(), reason };
        let mut items = Vec::new();
        let (mut next, mut seen, mut bytes) = (String::new(), BTreeSet::new(), 0_usize);
        for _ in 0..MAX_PAGES {
            let mut path = format!("{}?limit={PAGE}&labelSelector={selector}", first.path);
            if !next.is_empty() {
                path.push_str("&continue=");
                path.extend(utf8_percent_encode(&next, NON_ALPHANUMERIC));
            }
            let call = Call { path, method: http::Method::GET, body: None, ..first };
            let answer = accepted(objects, self.send(&call)?)?;
            bytes += answer.len();
            if bytes > MAX_PAGES_BYTES {
                let subject = objects.to_string();
                return Err(ClusterFailure::TooLarge { subject, mebibytes: MAX_PAGES_BYTES >> 20 });
            }
            let mut page = parse(objects, &answer, kind)?;
            // Go writes an empty list as null.
            if let Some(Json::Array(more)) = page.get_mut("items").map(Json::take) {
                items.extend(more);
            }
            page.pointer("/metadata/continue")
                .and_then(Json::as_str)
                .unwrap_or_default()
                .clone_into(&mut next);
            if next.is_empty() {
                return Ok(items);
            }
            if next.len() > MAX_TOKEN || !seen.insert(next.clone()) {
                return Err(malformed("its pages do not end"));
            }
        }
        Err(malformed("it has too many pages"))
    }

    fn send(&self, call: &Call<'_>) -> Result<(u16, Zeroizing<Vec<u8>>), ClusterFailure> {
        let request = |end| send(&self.connection, call, end);
        self.runtime
            .run(self.deadline, request)
            .unwrap_or_else(|error| Err(interrupted(error).of_request(call.verb, &call.subject())))
    }
}

/// Refuses to read Secrets into memory that is not erased.
fn refuse_secrets(object: &ApiObject<'_>) -> Result<(), ClusterFailure> {
    if object.resource.group.is_empty() && object.resource.plural == ApiResource::SECRETS.plural {
        let reason = "Secrets are read as metadata or erased";
        return Err(ClusterFailure::Malformed { subject: object.to_string(), reason });
    }
    Ok(())
}

fn accepted(
    object: &ApiObject<'_>,
    (status, body): (u16, Zeroizing<Vec<u8>>),
) -> Result<Zeroizing<Vec<u8>>, ClusterFailure> {
    match status {
        200 | 201 => Ok(body),
        status => Err(ClusterFailure::Rejected { subject: object.to_string(), status }),
    }
}

fn parse(object: &ApiObject<'_>, answer: &[u8], kind: &str) -> Result<Json, ClusterFailure> {
    let malformed = |reason| ClusterFailure::Malformed { subject: object.to_string(), reason };
    let answer: Json =
        serde_json::from_slice(answer).map_err(|_| malformed("it is not JSON, or is nested too deeply"))?;
    if answer.get("kind").and_then(Json::as_str) != Some(kind) {
        return Err(malformed("it is of another kind"));
    }
    Ok(answer)
}

fn interrupted(error: RuntimeError) -> ClusterFailure {
    match error {
        RuntimeError::DeadlineExceeded => ProviderError::overdue(),
        RuntimeError::NotStarted(kind) => ProviderError::cannot_start("the network runtime", kind),
    }
    .into()
}
