//! The controller behind a stub of the API server: what is requested, what its failures become, hostile responses.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use sealwave_core::diagnostic::Explain as _;
use sealwave_secrets::SealingScope;
use sealwave_testkit::stub_server::{RecordedRequest, StubReply};

use super::*;
use crate::testing::{StubCluster, sealed_secrets_file as test_file};

const SERVICE: &str = "/api/v1/namespaces/kube-system/services/sealed-secrets";
const PROXY: &str = "/api/v1/namespaces/kube-system/services/http:sealed-secrets:http/proxy";

fn service(ports: &Json) -> StubReply {
    let service = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": ports}});
    StubReply::json(200, service.to_string())
}

fn http_service() -> StubReply {
    service(&json!([{"name": "metrics", "port": 8081}, {"name": "http", "port": 8080}]))
}

/// Answers the look for the service like a cluster with the chart, and the rest with `answer`.
fn with_service(
    answer: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static,
) -> impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static {
    move |asked, before| match asked.target.as_str() {
        SERVICE => http_service(),
        target if target.starts_with(PROXY) => answer(asked, before),
        _ => StubReply::json(404, "{}"),
    }
}

fn error_of(
    answer: impl Fn(&RecordedRequest, usize) -> StubReply + Send + Sync + 'static,
) -> ControllerError {
    let stub = StubCluster::start(answer);
    let client = stub.connect();
    let found = ControllerNames::default().find(&client);
    found.and_then(|controller| controller.certificate()).expect_err("no certificate")
}

#[test]
fn the_certificate_is_fetched_through_the_port_of_the_service() {
    let stub = StubCluster::start(with_service(|asked, _| {
        assert_eq!(asked.header("authorization"), Some("Bearer CANARY"));
        StubReply::json(200, test_file("rsa2048.crt"))
    }));
    let client = stub.connect();
    let controller = ControllerNames::default().find(&client).expect("found");
    assert_eq!(controller.service().proxied_name(), "http:sealed-secrets:http");
    let certificate = controller.certificate().expect("a certificate");
    assert_eq!(certificate.to_pem(), test_file("rsa2048.crt"));
    assert_eq!(stub.server.count("GET", &format!("{PROXY}/v1/cert.pem")), 1);
}

#[test]
fn a_port_without_a_name_is_used_as_kubeseal_does() {
    let stub = StubCluster::start(|asked, _| match asked.target.as_str() {
        SERVICE => service(&json!([{"port": 8080}])),
        "/api/v1/namespaces/kube-system/services/http:sealed-secrets:/proxy/v1/cert.pem" => {
            StubReply::json(200, test_file("rsa2048.crt"))
        }
        _ => StubReply::json(404, "{}"),
    });
    let client = stub.connect();
    ControllerNames::default().find(&client).expect("found").certificate().expect("a certificate");
}

#[test]
fn a_controller_is_never_chosen_by_its_labels() {
    let services = json!({"kind": "ServiceList", "items": [
        {"metadata": {"namespace": "evil", "name": "sealed-secrets"}},
        {"metadata": {"namespace": "evil", "name": "sealed-secrets-metrics"}},
        {"metadata": {"namespace": "a\u{1b}[2J", "name": "x"}},
    ]});
    let error = error_of(move |asked, _| {
        if asked.target.starts_with("/api/v1/services?") {
            assert!(asked.target.contains("labelSelector=app%2Ekubernetes%2Eio%2Fname%3Dsealed%2Dsecrets"));
            StubReply::json(200, services.to_string())
        } else {
            StubReply::json(404, "{}")
        }
    });
    assert!(
        matches!(&error, ControllerError::NotFound { candidates, .. } if candidates.len() == 2),
        "{error:?}"
    );
    assert!(!error.hint().expect("a hint").contains('\u{1b}'));
    assert!(
        error
            .to_string()
            .contains("`sealed-secrets-controller`, `sealed-secrets` in namespace `kube-system`")
    );
}

#[test]
fn two_controllers_are_ambiguous_unless_one_is_named() {
    let both = |asked: &RecordedRequest, _: usize| {
        if asked.target.contains("/proxy/") {
            StubReply::json(200, test_file("rsa2048.crt"))
        } else {
            http_service()
        }
    };
    assert!(matches!(error_of(both), ControllerError::Ambiguous { .. }));
    let stub = StubCluster::start(both);
    let client = stub.connect();
    let names = ControllerNames { name: Some("mine".to_owned()), namespace: Some("ops".to_owned()) };
    names.find(&client).expect("found").certificate().expect("a certificate");
}

#[test]
fn each_failure_has_its_own_error_without_the_response() {
    let reply = |status: u16, body: &'static str| {
        with_service(move |_, _| StubReply::json(status, body).header("Retry-After", "0"))
    };
    let denied = error_of(|_, _| StubReply::json(403, "CANARY"));
    let message = "this user is not allowed to `get` Service `sealed-secrets` in namespace `kube-system` (403); server `http://";
    assert!(denied.to_string().starts_with(message), "{denied}");
    assert!(denied.to_string().ends_with(", context `c`"), "{denied}");
    assert_eq!(
        denied.hint().as_deref(),
        Some(
            "grant `get` on `services` with a Role in namespace `kube-system`: \
             `- {apiGroups: [\"\"], resources: [\"services\"], verbs: [\"get\"]}`"
        )
    );
    let proxy = error_of(reply(403, "CANARY"));
    assert!(proxy.hint().expect("a hint").contains("`services/proxy`"), "{proxy}");
    for (error, expected) in [
        (
            error_of(|_, _| StubReply::json(401, "CANARY")),
            "the cluster rejected the credentials of a request for Service `sealed-secrets-controller` in namespace `kube-system` (401)",
        ),
        (error_of(reply(404, "CANARY")), "is not a sealed-secrets controller: `v1/cert.pem` returns 404"),
        (error_of(reply(409, "CANARY")), "is not a sealed-secrets controller: `v1/cert.pem` returns 409"),
        (error_of(reply(500, "")), "is not a sealed-secrets controller: `v1/cert.pem` returns 500"),
        (
            error_of(reply(200, "CANARY")),
            "does not publish a usable certificate: certificate file holds no certificate",
        ),
        (error_of(reply(429, "CANARY")), "cannot be reached: too many requests (429)"),
        (error_of(reply(503, "CANARY")), "cannot be reached: the cluster's API failed (503)"),
        (error_of(reply(302, "CANARY")), "is not a sealed-secrets controller: `v1/cert.pem` returns 302"),
    ] {
        let text = error.to_string();
        assert!(text.contains(expected), "{text}");
        assert!(text.ends_with(", context `c`"), "{text}");
        assert!(!format!("{error:?}{:?}", error.hint()).contains("CANARY"), "{text}");
    }
}

#[test]
fn a_response_that_is_too_large_is_refused() {
    let error = error_of(with_service(|_, _| StubReply::json(200, vec![b'x'; (8 << 20) + 1])));
    assert!(error.to_string().contains("is larger than 8 MiB"), "{error}");
}

fn sealed() -> SealedItems {
    let item = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        [&[1, 0][..], &[7; 256 + 16 + 4]].concat(),
    );
    SealedItems {
        namespace: "shop".to_owned(),
        name: "db".to_owned(),
        scope: SealingScope::Strict,
        items: BTreeMap::from([("password".to_owned(), item)]),
    }
}

#[test]
fn the_controller_is_asked_again_when_it_says_later() {
    let stub = StubCluster::start(with_service(|asked, before| {
        let object: Json = serde_json::from_str(&asked.body).expect("JSON");
        assert_eq!(object["metadata"]["name"], "db");
        match before {
            0..8 => StubReply::json(429, "").header("Retry-After", "0"),
            _ => StubReply::json(200, ""),
        }
    }));
    let client = stub.connect();
    let controller = ControllerNames::default().find(&client).expect("found");
    assert_eq!(controller.can_decrypt(&sealed()), Ok(true));
    assert_eq!(stub.server.count("POST", &format!("{PROXY}/v1/verify")), 9);
}

#[test]
fn an_item_that_cannot_be_decrypted_is_not_an_error_of_the_check() {
    for (status, expected) in [(200, Some(true)), (409, Some(false)), (500, None), (404, None)] {
        let stub = StubCluster::start(with_service(move |_, _| StubReply::json(status, "")));
        let client = stub.connect();
        let controller = ControllerNames::default().find(&client).expect("found");
        assert_eq!(controller.can_decrypt(&sealed()).ok(), expected, "{status}");
    }
}

#[test]
fn only_the_items_of_a_re_sealed_object_are_taken() {
    let item = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        [&[2, 0][..], &[9; 512 + 16 + 4]].concat(),
    );
    let new = item.clone();
    let stub = StubCluster::start(with_service(move |asked, before| {
        if asked.target.ends_with("/v1/rotate") && before == 0 {
            let object = json!({
                "metadata": {"name": "db", "namespace": "shop", "labels": {"a": "CANARY"}},
                "spec": {"encryptedData": {"password": new}, "template": {"data": {"a": "CANARY"}}},
            });
            StubReply::json(200, object.to_string())
        } else {
            StubReply::json(if asked.target.ends_with("/v1/verify") { 409 } else { 500 }, "")
        }
    }));
    let client = stub.connect();
    let controller = ControllerNames::default().find(&client).expect("found");
    let items = controller.reseal(&sealed()).expect("re-sealed");
    assert_eq!(items, BTreeMap::from([("password".to_owned(), item)]));
    let error = controller.reseal(&sealed()).expect_err("not decryptable");
    let message = "controller cannot re-seal SealedSecret `shop/db`: none of its keys decrypts item `password`; server `";
    assert!(error.to_string().starts_with(message), "{error}");
}

#[test]
fn keys_are_listed_by_their_label_newest_first() {
    let encode =
        |name: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, test_file(name));
    let metadata = |name: &str, label: &str| {
        json!({"metadata": {
            "name": name, "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": label},
        }})
    };
    let stub = StubCluster::start(move |asked, _| {
        let name = asked.target.rsplit('/').next().unwrap_or_default();
        let secret = |crt: String| {
            StubReply::json(
                200,
                json!({"kind": "Secret", "data": {"tls.key": "Q0FOQVJZ", "tls.crt": crt}}).to_string(),
            )
        };
        match name {
            "old" => secret(encode("rsa2048.crt")),
            "new" => secret(encode("rsa2048-reissued.crt")),
            "broken" => secret("AAAA".to_owned()),
            "forbidden" => StubReply::json(403, "{}"),
            _ => {
                assert!(asked.header("accept").expect("a header").contains("as=PartialObjectMetadataList"));
                assert!(
                    asked
                        .target
                        .contains("labelSelector=sealedsecrets%2Ebitnami%2Ecom%2Fsealed%2Dsecrets%2Dkey")
                );
                let items = json!([
                    metadata("old", "active"),
                    metadata("broken", "active"),
                    metadata("new", "compromised\u{1b}"),
                    metadata("forbidden", "active"),
                ]);
                StubReply::json(200, json!({"kind": "PartialObjectMetadataList", "items": items}).to_string())
            }
        }
    });
    let client = stub.connect();
    let keys = list_keys(&client, "kube-system").expect("a list");
    let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names.len(), 4);
    assert!(names[..2].contains(&"old") && names[..2].contains(&"new"), "{names:?}");
    let start = |index: usize| keys[index].certificate.as_ref().expect("known").not_before();
    assert!(start(0) > start(1));
    let state = |name: &str| &keys.iter().find(|key| key.name == name).expect("listed").state;
    assert_eq!(*state("old"), KeyState::Active);
    assert!(matches!(state("new"), KeyState::Retired(label) if !label.contains('\u{1b}')));
    assert!(keys[2].certificate.is_err() && keys[3].certificate.is_err());
    assert!(!format!("{keys:?}").contains("Q0FOQVJZ"));
}

#[test]
fn a_server_that_returns_values_instead_of_metadata_is_refused() {
    let stub = StubCluster::start(|_, _| {
        StubReply::json(200, json!({"kind": "SecretList", "items": []}).to_string())
    });
    let client = stub.connect();
    let error = list_keys(&client, "kube-system").expect_err("refused");
    assert!(error.to_string().contains("it is of another kind"), "{error}");
}
