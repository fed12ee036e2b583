//! The map with the keys of a controller, behind a stub of the API server: which keys are not examined, which may go, hostile Secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use sealwave_testkit::stub_server::{RecordedRequest, StubReply};

use super::testing::{Repository, certificate, keys, sealed};
use super::{ControllerKeys, KeyMap, KeyNeed};
use crate::key_files::UnsealKeys;
use crate::testing::{StubCluster, sealed_secrets_file};

const LABEL: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";
const SECRETS: &str = "/api/v1/namespaces/kube-system/secrets";
const SMALL: &str = "41dc2e7f1ec8";
const MIDDLE: &str = "d8139b1d140d";
const LARGE: &str = "5488a84d6a40";

/// A key Secret: its name, its label if it has one, and its data.
type KeySecret = (&'static str, Option<&'static str>, Json);

/// Returns the data of a key Secret of a pair of files.
fn data(certificate: &str, key: &str) -> Json {
    let encode = |name: &str| STANDARD.encode(sealed_secrets_file(name));
    json!({"tls.crt": encode(certificate), "tls.key": encode(key)})
}

fn pair(name: &str) -> Json {
    data(&format!("{name}.crt"), &format!("{name}.key"))
}

fn cluster(secrets: Vec<KeySecret>) -> StubCluster {
    StubCluster::start(move |asked: &RecordedRequest, _| {
        let name = asked.target.rsplit('/').next().unwrap_or_default();
        let found = secrets.iter().find(|(known, ..)| *known == name);
        let object = match found {
            Some((_, _, Json::Number(status))) => {
                return StubReply::json(
                    u16::try_from(status.as_u64().expect("a status")).expect("a status"),
                    "CANARY",
                );
            }
            Some((name, _, data)) => json!({"kind": "Secret", "metadata": {"name": name}, "data": data}),
            None if asked.target.starts_with(&format!("{SECRETS}?")) => {
                let metadata = |(name, label, _): &KeySecret| match label {
                    Some(label) => json!({"metadata": {"name": name, "labels": {LABEL: label}}}),
                    None => json!({"metadata": {"name": name}}),
                };
                let items: Vec<Json> = secrets.iter().map(metadata).collect();
                json!({"kind": "PartialObjectMetadataList", "items": items})
            }
            None => return StubReply::json(404, "CANARY"),
        };
        StubReply::json(200, object.to_string())
    })
}

/// Maps files that are sealed for these certificates, with all private keys of the cluster.
fn map(secrets: Vec<KeySecret>, sealed_for: &[&str]) -> KeyMap {
    let stub = cluster(secrets);
    let files = UnsealKeys::default();
    let (controller, keys) = ControllerKeys::read(&stub.connect(), "kube-system", files).expect("read");
    map_of(sealed_for, Some(&keys), &controller)
}

fn map_of(sealed_for: &[&str], keys: Option<&UnsealKeys>, controller: &ControllerKeys) -> KeyMap {
    let names: Vec<String> = (0..sealed_for.len()).map(|number| format!("s{number}")).collect();
    let files = sealed_for.iter().zip(&names).map(|(certificate_name, name)| {
        (format!("{name}.yaml"), sealed(&certificate(&format!("{certificate_name}.crt")), name))
    });
    let files: Vec<(String, String)> = files.collect();
    let files: Vec<(&str, String)> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    let tree = Repository::new(&files).tree();
    let map = KeyMap::new(&[tree], keys, Some(controller), None).expect("mapped");
    for text in [map.human(), String::from_utf8(map.json()).expect("UTF-8")] {
        assert!(!text.contains("CANARY") && !text.contains("PRIVATE"), "{text}");
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }
    map
}

fn need(map: &KeyMap, key: &str) -> (usize, bool, KeyNeed) {
    let found = map.keys.iter().find(|found| found.public_key_sha256.starts_with(key)).expect("a key");
    (found.items, found.examined, found.needed)
}

#[test]
fn keys_that_no_key_file_holds_are_not_examined() {
    let stub = cluster(vec![
        ("old", Some("active"), pair("rsa2048")),
        ("other", Some("compromised"), pair("rsa3072")),
        ("new", Some("active"), pair("rsa4096")),
    ]);
    let controller = ControllerKeys::list(&stub.connect(), "kube-system").expect("listed");
    let files = keys(&["rsa2048.key"]);
    let map = map_of(&["rsa2048", "rsa4096"], Some(&files), &controller);
    assert_eq!(need(&map, SMALL), (1, true, KeyNeed::Yes));
    assert_eq!(need(&map, MIDDLE), (0, false, KeyNeed::Unknown));
    let human = map.human();
    for text in [
        "Secret kube-system/other, retired, not examined: its private key was not given): unknown whether",
        "Secret kube-system/old, active): 1 item\n",
        "which other keys are needed is unknown; items that were not opened: 1, files that were not seen: 0\n",
        "controller: server `http://127.0.0.1:",
    ] {
        assert!(human.contains(text), "{text}\n---\n{human}");
    }
    // A key that is not examined is not needed either if another one opened every item.
    let map = map_of(&["rsa2048"], Some(&files), &controller);
    assert_eq!(need(&map, MIDDLE), (0, false, KeyNeed::No));
    // Without any key, nothing is known.
    let map = map_of(&["rsa2048"], None, &controller);
    assert_eq!(need(&map, SMALL), (0, false, KeyNeed::Unknown));
    // A key file that the controller knows nothing about.
    let map = map_of(&["rsa2048"], Some(&keys(&["rsa2048.key", "rsa2050-pkcs1.key"])), &controller);
    assert!(
        map.human().contains("the controller does not have it): nothing that was seen needs it"),
        "{}",
        map.human()
    );
}

#[test]
fn the_private_keys_of_the_controller_open_the_items() {
    let secrets = || {
        vec![
            ("old", Some("active"), pair("rsa2048")),
            ("middle", Some("compromised"), pair("rsa3072")),
            ("new", Some("active"), pair("rsa4096")),
        ]
    };
    let all = map(secrets(), &["rsa2048"]);
    let newest =
        all.keys.iter().find(|key| key.controller_secrets.iter().any(|secret| secret.state == "newest"));
    let newest = newest.expect("a newest key").public_key_sha256.clone();
    for (key, needed) in [(SMALL, KeyNeed::Yes), (MIDDLE, KeyNeed::No), (LARGE, KeyNeed::No)] {
        let needed = if newest.starts_with(key) { KeyNeed::Yes } else { needed };
        assert_eq!(need(&all, key), (usize::from(key == SMALL), true, needed), "{key}");
    }
    // An item that no key opens may need any of them.
    let some = map(secrets(), &["rsa2048", "rsa2050"]);
    assert_eq!(need(&some, MIDDLE), (0, true, KeyNeed::Unknown));
    // Nothing was seen.
    let none = map(secrets(), &[]);
    assert_eq!(need(&none, MIDDLE).2, KeyNeed::Unknown);
}

#[test]
fn hostile_key_secrets_are_reported() {
    let big = "A".repeat(200 << 10);
    let rows: Vec<(KeySecret, &str)> = vec![
        (
            ("text", Some("active"), json!({"tls.crt": "Q0FOQVJZ", "tls.key": "Q0FOQVJZ"})),
            "Secret kube-system/text: not examined: ",
        ),
        (
            ("number", Some("active"), json!({"tls.crt": 7, "tls.key": []})),
            "Secret kube-system/number: not examined: its `tls.key` is not base64",
        ),
        (("nothing", Some("active"), Json::Null), "Secret kube-system/nothing: not examined: "),
        (
            ("denied", Some("active"), json!(403)),
            "Secret kube-system/denied: not examined: this user is not allowed to `get` Secret `denied`",
        ),
        (("gone", Some("active"), json!(404)), "Secret kube-system/gone: not examined: "),
        (
            ("public", Some("active"), data("rsa3072.crt", "rsa3072.crt")),
            "its `tls.key` cannot be used: file holds a certificate or a public key, but no private key",
        ),
        (
            (
                "garbage",
                Some("active"),
                json!({"tls.crt": STANDARD.encode(sealed_secrets_file("rsa3072.crt")), "tls.key": "%%%"}),
            ),
            "its `tls.key` is not base64",
        ),
        (
            (
                "huge",
                Some("active"),
                json!({"tls.crt": STANDARD.encode(sealed_secrets_file("rsa3072.crt")), "tls.key": big}),
            ),
            "its `tls.key` is larger than 64 KiB",
        ),
    ];
    for (secret, expected) in rows {
        let name = secret.0;
        let map = map(vec![secret, ("old", Some("active"), pair("rsa2048"))], &["rsa2048"]);
        assert!(map.human().contains(expected), "{name}: {expected}\n---\n{}", map.human());
        assert_eq!(need(&map, SMALL), (1, true, KeyNeed::Yes), "{name}");
    }
}

#[test]
fn a_secret_without_the_label_is_not_read() {
    let stub = cluster(vec![("db", None, pair("rsa2048")), ("key", Some("active"), pair("rsa3072"))]);
    let (controller, _) =
        ControllerKeys::read(&stub.connect(), "kube-system", UnsealKeys::default()).expect("read");
    assert_eq!(controller.known.len(), 1);
    assert_eq!(stub.server.count("GET", &format!("{SECRETS}/db")), 0);
}

#[test]
fn two_secrets_with_one_key_are_one_key() {
    let map = map(
        vec![("one", Some("active"), pair("rsa2048")), ("two", Some("retired\u{1b}[2J"), pair("rsa2048"))],
        &["rsa2048"],
    );
    let found: Vec<_> = map.keys.iter().filter(|key| key.public_key_sha256.starts_with(SMALL)).collect();
    let [key] = &found[..] else { panic!("{found:?}") };
    let mut secrets: Vec<&str> = key.controller_secrets.iter().map(|secret| secret.secret.as_str()).collect();
    secrets.sort_unstable();
    assert_eq!(secrets, ["kube-system/one", "kube-system/two"]);
    assert_eq!(key.items, 1);
}

#[test]
fn a_certificate_of_another_key_does_not_hide_the_private_one() {
    let map = map(vec![("mixed", Some("active"), data("rsa3072.crt", "rsa2048.key"))], &["rsa2048"]);
    assert_eq!(need(&map, SMALL), (1, true, KeyNeed::Yes));
    assert!(!need(&map, MIDDLE).1, "its private key is not there");
}

#[test]
fn a_refused_list_is_an_error_that_names_the_rule() {
    let stub = StubCluster::start(|_, _| StubReply::json(403, "CANARY"));
    let error = ControllerKeys::list(&stub.connect(), "kube-system").err().expect("denied");
    let hint = sealwave_core::diagnostic::Explain::hint(&error).expect("a hint");
    assert!(error.to_string().contains("`list` the list of Secrets in namespace `kube-system`"), "{error}");
    assert!(hint.contains("resources: [\"secrets\"], verbs: [\"list\"]"), "{hint}");
}
