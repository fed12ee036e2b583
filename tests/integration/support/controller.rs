//! A stub of a cluster with a sealed-secrets controller. Whatever is requested, its Secrets come with their data.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};

const LABEL: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";
const SECRETS: &str = "/api/v1/namespaces/kube-system/secrets";
const SERVICE: &str = "/api/v1/namespaces/kube-system/services/sealed-secrets";

/// Starts a cluster whose controller has a key with this certificate, and uses a new key at once.
pub fn start(certificate: &str, private_key: &str) -> StubServer {
    let key = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "old", "namespace": "kube-system", "labels": {LABEL: "active"}},
        "data": {
            "tls.crt": STANDARD.encode(certificate),
            "tls.key": STANDARD.encode(format!("{private_key}CANARY-key\n")),
        },
    });
    let keys = Arc::new(Mutex::new(vec![key]));
    StubServer::start(move |asked, _| answer(&mut keys.lock().expect("not poisoned"), asked))
}

fn answer(keys: &mut Vec<Value>, asked: &RecordedRequest) -> StubReply {
    let ok = |object: Value| StubReply::json(200, object.to_string());
    let path = asked.target.split('?').next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    match path {
        SERVICE => ok(
            json!({"kind": "Service", "spec": {"ports": [{"name": "http"}], "selector": {"app": "ss"}}, "metadata": note()}),
        ),
        _ if path.ends_with("/proxy/v1/cert.pem") => {
            let newest = keys.last().and_then(|key| key["data"]["tls.crt"].as_str()).expect("a key");
            StubReply::json(200, STANDARD.decode(newest).expect("base64"))
        }
        SECRETS if asked.method == "POST" => {
            keys.push(serde_json::from_str(&asked.body).expect("JSON"));
            StubReply::json(201, keys.last().expect("a key").to_string())
        }
        SECRETS => ok(json!({"kind": "PartialObjectMetadataList", "items": keys})),
        _ if path.starts_with(SECRETS) => {
            let found = keys.iter().find(|key| key["metadata"]["name"] == name);
            found.map_or_else(|| StubReply::json(404, "CANARY"), |key| ok(key.clone()))
        }
        "/apis/bitnami.com/v1alpha1/sealedsecrets" => {
            ok(json!({"kind": "SealedSecretList", "items": [sealed()]}))
        }
        "/apis/bitnami.com/v1alpha1/namespaces/shop/sealedsecrets/web" => ok(sealed()),
        "/api/v1/namespaces/shop/secrets/web" => ok(secret()),
        "/denied" => StubReply::json(403, json!({"message": "CANARY"}).to_string()),
        _ => StubReply::json(404, json!({"message": "CANARY"}).to_string()),
    }
}

fn note() -> Value {
    json!({"annotations": {"note": "CANARY"}})
}

fn sealed() -> Value {
    json!({
        "kind": "SealedSecret",
        "metadata": {"name": "web", "namespace": "shop", "generation": 2, "uid": "2", "annotations": {"note": "CANARY"}},
        "spec": {"encryptedData": {"token": "AgC="}},
        "status": {
            "observedGeneration": 2,
            "conditions": [{"type": "Synced", "status": "True", "message": "CANARY"}],
        },
    })
}

fn secret() -> Value {
    json!({
        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "data": {"token": "Q0FOQVJZLWxpdmU="},
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "1",
            "ownerReferences": [{"kind": "SealedSecret", "name": "web", "uid": "2"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"stringData\":{\"token\":\"CANARY\"}}"},
            "managedFields": [{"fieldsV1": {"f:data": {"f:token": {}}}}],
        },
    })
}
