//! Re-sealing through a stub of the controller that opens and seals what it gets.

use std::collections::BTreeMap;

use fs_err as fs;
use serde_json::{Value as Json, json};

use super::online::OnlineEngine;
use super::testing::{Repository, certificate, keys, sealed, text_of};
use super::{OfflineEngine, ResealPlan};
use crate::controller::ControllerNames;
use crate::testing::{StubCluster, sealed_secrets_file};
use sealwave_core::diagnostic::Failure;
use sealwave_secrets::SealingScope;
use sealwave_testkit::stub_server::{RecordedRequest, StubReply};

const SERVICE: &str = "/api/v1/namespaces/kube-system/services/sealed-secrets";
const PATH: &str = "envs/dev/sealed-secrets/a.yaml";

/// The behavior of the stub.
#[derive(Clone, Copy)]
enum Behavior {
    Honest,
    /// It seals for a key that it does not publish.
    OtherKey,
    /// It returns nothing and says nothing, as the controller does for an item that it cannot open.
    Refuses,
    /// It denies that it can open the new items.
    Unverified,
}

fn answer(asked: &RecordedRequest, behavior: Behavior) -> StubReply {
    let target = asked.target.as_str();
    if target == SERVICE {
        let service = json!({"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"name": "http", "port": 8080}]}});
        return StubReply::json(200, service.to_string());
    }
    match (target.rsplit_once("/proxy/").map(|(_, path)| path), behavior) {
        (Some("v1/cert.pem"), _) => StubReply::json(200, sealed_secrets_file("rsa3072.crt")),
        (Some("v1/rotate"), Behavior::Refuses) => StubReply::json(500, ""),
        (Some("v1/rotate"), Behavior::OtherKey) => rotate(asked, "rsa4096.crt"),
        (Some("v1/rotate"), _) => rotate(asked, "rsa3072.crt"),
        (Some("v1/verify"), Behavior::Unverified) => StubReply::json(409, ""),
        (Some("v1/verify"), _) => verify(asked),
        _ => StubReply::json(404, "{}"),
    }
}

/// Seals the items again, like the controller: nothing but the synthetic object is there.
fn rotate(asked: &RecordedRequest, to: &str) -> StubReply {
    let object = object(asked);
    let label = SealingScope::Strict.label("shop", "db");
    let (keys, to) = (keys(&["rsa2048.key"]), certificate(to));
    let seal = |item: &Json| {
        let (value, _) = keys.open(&label, item.as_str().expect("a text")).expect("opened");
        to.seal_randomly(&label, &value).expect("sealed")
    };
    let items = object["spec"]["encryptedData"].as_object().expect("items").iter();
    let items: BTreeMap<&String, String> = items.map(|(key, item)| (key, seal(item))).collect();
    StubReply::json(200, json!({"spec": {"encryptedData": items}}).to_string())
}

fn verify(asked: &RecordedRequest) -> StubReply {
    let (object, keys) = (object(asked), keys(&["rsa3072.key"]));
    let label = SealingScope::Strict.label("shop", "db");
    let items = object["spec"]["encryptedData"].as_object().expect("items").values();
    let opens = |item: &Json| keys.open(&label, item.as_str().expect("a text")).is_some();
    StubReply::json(if items.into_iter().all(opens) { 200 } else { 409 }, "")
}

/// Returns the object of a request, which has nothing of the committed file but its items and what they are bound to.
fn object(asked: &RecordedRequest) -> Json {
    let object: Json = serde_json::from_str(&asked.body).expect("JSON");
    assert_eq!(object["metadata"], json!({"name": "db", "namespace": "shop"}));
    assert_eq!(object["spec"]["template"], json!({"metadata": {"name": "db", "namespace": "shop"}}));
    object
}

fn repository() -> Repository {
    Repository::new(&[(PATH, sealed(&certificate("rsa2048.crt"), "db"))])
}

fn plan(repository: &Repository, behavior: Behavior) -> Result<ResealPlan, Failure> {
    let stub = StubCluster::start(move |asked, _| answer(asked, behavior));
    let client = stub.connect();
    let controller = ControllerNames::default().find(&client).expect("found");
    let published = controller.certificate().expect("a certificate");
    repository.plan_with(&published, &OnlineEngine::new(&controller, &published))
}

#[test]
fn the_controller_seals_and_verifies_each_item() {
    let repository = repository();
    let plan = plan(&repository, Behavior::Honest).unwrap_or_else(|failure| panic!("{failure}"));
    let human = plan.plan.human(false);
    for expected in [
        "controller            sealed-secrets",
        "controller namespace  kube-system",
        "public key SHA-256    d8139b1d140d",
    ] {
        assert!(human.contains(expected), "{expected}\n{human}");
    }
    plan.changes.apply(|_| Ok::<_, crate::file_changes::FileChangeError>(())).expect("applied");
    // The new key alone opens the file, so there is nothing more to do.
    let (keys, new) = (keys(&["rsa3072.key"]), certificate("rsa3072.crt"));
    let again = repository.plan_with(&new, &OfflineEngine::new(&keys, &new)).expect("planned");
    assert!(again.plan.is_empty());
    assert!(
        fs::read_to_string(repository.path().join(PATH)).expect("readable").contains("# rotated by hand")
    );
}

#[test]
fn failures_of_the_controller_leave_the_file_as_it_is() {
    for (behavior, expected) in [
        (Behavior::OtherKey, "new item `password` of SealedSecret `shop/db` could not be verified"),
        (Behavior::Unverified, "new item `password` of SealedSecret `shop/db` could not be verified"),
        (Behavior::Refuses, "shop/db"),
    ] {
        let repository = repository();
        let failure = plan(&repository, behavior).err().expect("refused");
        let text = text_of(&failure);
        assert!(text.contains(expected) && text.contains("a.yaml:"), "{text}");
        assert_eq!(repository.changed(), Vec::<String>::new());
    }
}
