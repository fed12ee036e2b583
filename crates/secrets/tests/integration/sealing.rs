//! Sealing end to end: files of kubeseal can be unsealed, our own as well, and equal input gives equal bytes.

use proptest::prelude::*;
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::{Certificate, ItemText, SealItem, SealKey, SealOwner, Sealer};
use sealwave_secrets::settings::DerivationVersion;
use sealwave_secrets::values::SecretValue;
use sealwave_testkit::{DangerPrivateKey, danger_unseal, repository_root};
use serde_json::Value as Json;

const KEY_LINE: &str = "sealwave-seal-key-v1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const SCOPES: [SealingScope; 3] =
    [SealingScope::ClusterWide, SealingScope::NamespaceWide, SealingScope::Strict];

fn file(name: &str) -> String {
    fs_err::read_to_string(repository_root().join("testdata/sealed-secrets").join(name)).unwrap()
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(file(&format!("{name}.crt")).as_bytes()).unwrap()
}

fn private_key(name: &str) -> DangerPrivateKey {
    DangerPrivateKey::from_pem(&file(&format!("{name}.key"))).unwrap()
}

fn sealer(certificate_name: &str) -> Sealer {
    Sealer {
        key: SealKey::from_file(KEY_LINE.as_bytes()).unwrap(),
        certificate: certificate(certificate_name),
        owner: SealOwner {
            project: "shop".to_owned(),
            app: "shop-dev".to_owned(),
            derivation: DerivationVersion::V1,
        },
        epoch: String::new(),
    }
}

fn seal(sealer: &Sealer, scope: SealingScope, value: &[u8]) -> String {
    let value = SecretValue::new(value.to_vec());
    let item = SealItem {
        scope,
        namespace: "shop",
        name: "db",
        item_key: "password",
        text: ItemText::Literal,
        unresolved: &value,
        value: &value,
    };
    sealer.seal(&item).unwrap()
}

fn unseal(key: &DangerPrivateKey, scope: SealingScope, item: &str) -> Option<Vec<u8>> {
    danger_unseal(key, &scope.label("shop", "db"), item).ok().map(|value| value.expose().to_vec())
}

#[test]
fn files_written_by_kubeseal_can_be_unsealed() {
    let key = private_key("rsa2048");
    let mut opened = 0;
    for (scope, extension) in SCOPES.into_iter().flat_map(|scope| [(scope, "json"), (scope, "yaml")]) {
        let read = |kind: &str| -> Json {
            yaml_serde::from_str(&file(&format!("kubeseal/{kind}-{scope}.{extension}"))).unwrap()
        };
        let (sealed, expected) = (read("sealed"), read("unsealed"));
        let metadata = &sealed["metadata"];
        assert_eq!(SealingScope::from_annotations(|name| metadata["annotations"][name].as_str()), scope);
        let label = scope.label(metadata["namespace"].as_str().unwrap(), metadata["name"].as_str().unwrap());
        for (name, item) in sealed["spec"]["encryptedData"].as_object().unwrap() {
            let value = danger_unseal(&key, &label, item.as_str().unwrap()).unwrap();
            // kubeseal prints an empty item as null.
            let text = expected["data"][name].as_str().unwrap_or("");
            assert_eq!(base64(value.expose()), text, "{scope} {extension} {name}");
            opened += 1;
        }
    }
    assert_eq!(opened, 24);
}

#[test]
fn raw_items_written_by_kubeseal_can_be_unsealed() {
    let key = private_key("rsa4096");
    for scope in SCOPES {
        let item = file(&format!("kubeseal/raw-{scope}.b64"));
        let value = danger_unseal(&key, &scope.label("prod", "db.creds"), &item).unwrap();
        assert_eq!(value.expose(), b"raw-value", "{scope}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn every_supported_size_of_key_and_value_round_trips() {
    let every_byte: Vec<u8> = (0..=255).collect();
    let large = vec![0xa5; 1 << 20];
    for (certificate, key, size) in [
        ("rsa2048", "rsa2048", 256_usize),
        ("rsa2050", "rsa2050-pkcs1", 257),
        ("rsa3072", "rsa3072", 384),
        ("rsa4096", "rsa4096", 512),
    ] {
        let (sealer, key) = (sealer(certificate), private_key(key));
        for value in [&b""[..], b"x", &every_byte, &large] {
            let item = seal(&sealer, SealingScope::Strict, value);
            assert_eq!(item.len(), (2 + size + value.len() + 16).div_ceil(3) * 4, "{certificate}");
            assert_eq!(unseal(&key, SealingScope::Strict, &item).as_deref(), Some(value), "{certificate}");
        }
    }
}

#[test]
fn another_certificate_of_the_same_key_seals_to_the_same_bytes() {
    let (first, second, other) = (sealer("rsa2048"), sealer("rsa2048-reissued"), sealer("rsa3072"));
    for scope in SCOPES {
        assert_eq!(seal(&first, scope, b"value"), seal(&second, scope, b"value"));
        assert_ne!(seal(&first, scope, b"value"), seal(&other, scope, b"value"));
    }
}

/// Two clusters must not share a session key: otherwise the bytes after the wrapped key would be equal, and one
/// cluster's key would open the other's item.
#[test]
fn two_clusters_share_no_part_of_an_item() {
    let tail = |item: &str| item[item.len() - 24..].to_owned();
    let value = b"a value long enough to fill the tail";
    let (one, other) = (sealer("rsa2048"), sealer("rsa3072"));
    assert_ne!(
        tail(&seal(&one, SealingScope::Strict, value)),
        tail(&seal(&other, SealingScope::Strict, value))
    );
}

#[test]
fn an_item_opens_only_undamaged_and_with_its_key_and_scope() {
    let (sealer, key) = (sealer("rsa2048"), private_key("rsa2048"));
    for scope in SCOPES {
        let item = seal(&sealer, scope, b"value");
        for other in SCOPES.into_iter().filter(|other| *other != scope) {
            assert_eq!(unseal(&key, other, &item), None, "{scope} as {other}");
        }
        assert_eq!(unseal(&private_key("rsa3072"), scope, &item), None);
        for at in [0, 10, item.len() - 10] {
            let mut damaged = item.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(unseal(&key, scope, &String::from_utf8(damaged).unwrap()), None);
        }
    }
    for item in ["", "AA==", "AQAA", "not base64"] {
        assert_eq!(unseal(&key, SealingScope::Strict, item), None);
    }
}

#[test]
fn parallel_sealing_gives_the_same_result() {
    let sealer = sealer("rsa2048");
    let values: Vec<SecretValue> = (0..100_u8).map(|n| SecretValue::new(vec![n; usize::from(n)])).collect();
    let items: Vec<SealItem<'_>> = values
        .iter()
        .map(|value| SealItem {
            scope: SealingScope::Strict,
            namespace: "shop",
            name: "db",
            item_key: "password",
            text: ItemText::Literal,
            unresolved: value,
            value,
        })
        .collect();
    let alone: Vec<String> = items.iter().map(|item| sealer.seal(item).unwrap()).collect();
    assert_eq!(sealer.seal_all(&items).unwrap(), alone);
    assert_eq!(sealer.seal_all(&items).unwrap(), alone);
    assert!(sealer.seal_all(&[]).unwrap().is_empty());
}

/// A complete sealed item: it must never change, on any machine and with any version of any crate.
#[test]
fn a_sealed_item_never_changes() {
    let item = seal(&sealer("rsa2048"), SealingScope::Strict, b"not-a-real-password");
    assert_eq!(item, include_str!("../../../../testdata/sealing/item-rsa2048.b64").trim_end());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sealing_round_trips(
        value in prop::collection::vec(any::<u8>(), 0..400),
        namespace in "[a-z]{1,8}",
        name in "[a-z.-]{1,12}",
        item_key in "[-._a-zA-Z0-9]{1,20}",
        scope in prop::sample::select(SCOPES.to_vec()),
    ) {
        let secret = SecretValue::new(value.clone());
        let item = SealItem {
            scope, namespace: &namespace, name: &name, item_key: &item_key, text: ItemText::Literal, unresolved: &secret, value: &secret,
        };
        let sealer = sealer("rsa2048");
        let sealed = sealer.seal(&item).unwrap();
        prop_assert_eq!(&sealed, &sealer.seal(&item).unwrap());
        let opened = danger_unseal(&private_key("rsa2048"), &scope.label(&namespace, &name), &sealed).unwrap();
        prop_assert_eq!(opened.expose(), value.as_slice());
    }
}
