//! Reviews by which the API server tells who its client is, and what it may do. They change nothing and read no Secret.

use serde_json::{Value as Json, json};

/// Returns the body of a request for the client's own identity.
pub(super) fn identity_request() -> Vec<u8> {
    json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}).to_string().into_bytes()
}

/// Returns the body of a request whether the client may get all Secrets of a namespace.
pub(super) fn access_request(namespace: &str) -> Vec<u8> {
    let attributes = json!({"namespace": namespace, "verb": "get", "version": "v1", "resource": "secrets"});
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    });
    body.to_string().into_bytes()
}

/// Reads the name of the client's user.
pub(super) fn read_identity(answer: &[u8]) -> Option<String> {
    let answer: Json = serde_json::from_slice(answer).ok()?;
    answer.pointer("/status/userInfo/username")?.as_str().map(str::to_owned)
}

/// Reports whether the client may not get all Secrets of the namespace.
pub(super) fn is_refused(answer: &[u8]) -> bool {
    let answer: Option<Json> = serde_json::from_slice(answer).ok();
    answer.is_some_and(|answer| answer.pointer("/status/allowed") == Some(&Json::Bool(false)))
}
