//! Re-sealing a committed SealedSecret restarts no pod.

use super::*;
use sealwave_core::names::RESEALED;
use sealwave_secrets::SealingScope;
use sealwave_secrets::resealed::{ResealRecord, SealedItemId, ciphertext_digest};

/// Returns a SealedSecret with the items `a`, `b` and `c`.
fn sealed(rest: &Json, ciphertexts: [&str; 3]) -> Json {
    let [a, b, c] = ciphertexts;
    let mut object = sealed_secret("db", json!({"a": a, "b": b, "c": c}));
    if let (Some(spec), Json::Object(rest)) = (object["spec"].as_object_mut(), rest.clone()) {
        spec.extend(rest);
    }
    object
}

/// Adds a record: each item with its first ciphertext and the present one.
fn recorded(object: Json, items: &[(&str, &str, &str)]) -> Json {
    annotated(RESEALED, &record(items), object)
}

fn record(items: &[(&str, &str, &str)]) -> String {
    let mut record = ResealRecord::default();
    for (key, first, present) in items {
        let id = SealedItemId { namespace: "shop", name: "db", scope: SealingScope::Strict, key };
        record.insert(&id, &ciphertext_digest(first), &"ab".repeat(32), present);
    }
    record.to_text()
}

fn readers() -> [Json; 3] {
    [
        deployment("whole", env_from_secret("db")),
        deployment("one", env_key("secretKeyRef", "db", "a")),
        deployment("other", env_key("secretKeyRef", "db", "b")),
    ]
}

/// Returns the checksums of the readers.
fn checksums(object: Json) -> Vec<String> {
    let run = run(&[vec![object], readers().to_vec()].concat());
    let checksum = |name: &&str| run.checksums(name)[1].expect("a checksum").to_owned();
    ["whole", "one", "other"].iter().map(checksum).collect()
}

const FIRST: [&str; 3] = ["AgBa1", "AgBb1", "AgBc1"];

#[test]
fn checksums_stay_equal_through_two_reseals() {
    // Also with a template, which makes every reader depend on all items.
    for rest in [json!({}), json!({"template": {"data": {"a": "{{ .b }}"}}})] {
        let before = checksums(sealed(&rest, FIRST));
        let second = ["AgBa2", "AgBb2", "AgBc2"];
        let once = recorded(
            sealed(&rest, second),
            &[("a", "AgBa1", "AgBa2"), ("b", "AgBb1", "AgBb2"), ("c", "AgBc1", "AgBc2")],
        );
        assert_eq!(checksums(once), before);
        let twice = recorded(
            sealed(&rest, ["AgBa3", "AgBb3", "AgBc3"]),
            &[("a", "AgBa1", "AgBa3"), ("b", "AgBb1", "AgBb3"), ("c", "AgBc1", "AgBc3")],
        );
        assert_eq!(checksums(twice), before);
        assert_ne!(checksums(sealed(&rest, second)), before, "the record makes the difference");
    }
}

#[test]
fn an_edited_item_restarts_its_readers_only() {
    let all = [("a", "AgBa1", "AgBa2"), ("b", "AgBb1", "AgBb2"), ("c", "AgBc1", "AgBc2")];
    let resealed = checksums(recorded(sealed(&json!({}), ["AgBa2", "AgBb2", "AgBc2"]), &all));
    let edited = checksums(recorded(sealed(&json!({}), ["AgBa2", "AgBedited", "AgBc2"]), &all));
    assert_ne!(edited[0], resealed[0]);
    assert_eq!(edited[1], resealed[1]);
    assert_ne!(edited[2], resealed[2]);
    // Its checksum is the one that it has without a record.
    assert_eq!(edited[2], checksums(sealed(&json!({}), ["AgBa1", "AgBedited", "AgBc1"]))[2]);
}

#[test]
fn a_record_elsewhere_or_of_another_object_does_not_count() {
    let present = ["AgBa2", "AgBb1", "AgBc1"];
    let own = checksums(sealed(&json!({}), present));
    let text = record(&[("a", "AgBa1", "AgBa2")]);
    let template = json!({"template": {"metadata": {"annotations": {RESEALED: text}}}});
    assert_eq!(checksums(sealed(&template, present)), own);
    let copied = text.replace("\"a\"", "\"b\"");
    for text in ["", "{", "null", "{\"a\":\"x\"}", &"[".repeat(100_000), &copied] {
        assert_eq!(checksums(annotated(RESEALED, text, sealed(&json!({}), present))), own);
    }
    let mut number = sealed(&json!({}), present);
    number["metadata"]["annotations"][RESEALED] = json!(5);
    assert_eq!(checksums(number), own);
    let wider = annotated("sealedsecrets.bitnami.com/cluster-wide", "true", sealed(&json!({}), present));
    assert_eq!(checksums(annotated(RESEALED, &text, wider)), own);
}

#[test]
fn other_annotations_and_line_breaks_do_not_count() {
    let before = checksums(sealed(&json!({}), FIRST));
    let object = annotated("sealwave.dev/certificate", "sha256:00", sealed(&json!({}), FIRST));
    assert_eq!(checksums(object), before);
    assert_eq!(checksums(sealed(&json!({}), ["Ag\nBa1\n", "AgBb1", "AgB\r\nc1"])), before);
}
