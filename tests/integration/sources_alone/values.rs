//! The values of Secrets that a program renders: sealwave must seal exactly these, with the placeholders replaced.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sealwave_secrets::SealingScope;
use sealwave_testkit::{DangerPrivateKey, danger_unseal};
use serde_json::Value;

use crate::support::renderers::{NAMESPACE, ObjectKey};
use crate::support::root;

/// The characters that `urlencode` keeps.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Values by namespace, name and item.
pub(super) type SecretValues = BTreeMap<(String, String, String), String>;

/// Returns the values of the Secrets of a program, with the placeholders replaced from the files of the operator.
pub(super) fn expected_values(objects: &[Value], secrets: &Path) -> SecretValues {
    let mut values = SecretValues::new();
    for object in objects.iter().filter(|object| object["kind"] == "Secret") {
        let key = ObjectKey::of(object);
        let namespace = if key.namespace.is_empty() { NAMESPACE.to_owned() } else { key.namespace };
        for (field, is_base64) in [("data", true), ("stringData", false)] {
            for (item, value) in object[field].as_object().into_iter().flatten() {
                let text = value.as_str().expect("a string");
                let text = if is_base64 { decoded(text) } else { text.to_owned() };
                let place = (namespace.clone(), key.name.clone(), item.clone());
                values.insert(place, replaced(&text, secrets));
            }
        }
    }
    values
}

/// Decodes base64 as Kubernetes does, which ignores line breaks.
fn decoded(text: &str) -> String {
    let bytes = STANDARD.decode(text.replace(['\r', '\n'], "")).expect("base64");
    String::from_utf8(bytes).expect("UTF-8")
}

/// Replaces `<file:path#key | urlencode>` in a text.
fn replaced(text: &str, secrets: &Path) -> String {
    let Some((before, rest)) = text.split_once("<file:") else { return text.to_owned() };
    let (placeholder, after) = rest.split_once('>').expect("the end of a placeholder");
    let (reference, modifier) = placeholder.split_once(" | ").unwrap_or((placeholder, ""));
    let (path, key) = reference.split_once('#').unwrap_or((reference, ""));
    let file = fs_err::read_to_string(secrets.join(path)).expect("a file of the operator");
    let value = if key.is_empty() { file } else { yaml_key(&file, key) };
    let value = match modifier {
        "" => value,
        "urlencode" => utf8_percent_encode(&value, UNRESERVED).to_string(),
        other => panic!("unknown modifier `{other}`"),
    };
    format!("{before}{value}{}", replaced(after, secrets))
}

fn yaml_key(file: &str, key: &str) -> String {
    let value: Value = yaml_serde::from_str(file).expect("YAML");
    value[key].as_str().unwrap_or_else(|| panic!("no key `{key}`")).to_owned()
}

/// Opens all `SealedSecrets` of an output with the private key of the environment's cluster.
pub(super) fn opened_values(objects: &[Value], environment: &str) -> SecretValues {
    let file = if environment == "prod" { "rsa4096.key" } else { "rsa2048.key" };
    let pem = fs_err::read_to_string(root().join("testdata/sealed-secrets").join(file)).expect("a key");
    let private_key = DangerPrivateKey::from_pem(&pem).expect("a key");
    let mut values = SecretValues::new();
    for object in objects.iter().filter(|object| object["kind"] == "SealedSecret") {
        let ObjectKey { namespace, name, .. } = ObjectKey::of(object);
        let label = SealingScope::Strict.label(&namespace, &name);
        for (item, sealed) in object["spec"]["encryptedData"].as_object().into_iter().flatten() {
            let value =
                danger_unseal(&private_key, &label, sealed.as_str().expect("an item")).expect("opened");
            let value = value.expose_str().expect("UTF-8").to_owned();
            values.insert((namespace.clone(), name.clone(), item.clone()), value);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced() {
        let secrets = root().join("testdata/sources/operator/secrets");
        let text =
            replaced("a <file:dev/db.yaml#username>:<file:dev/db.yaml#password | urlencode>@", &secrets);
        assert_eq!(text, "a app_CANARY_dev:CANARY-dev-p%40ss%2Fw%3Ard%231%25@");
        assert!(replaced("<file:dev/tls.txt>", &secrets).starts_with("-----BEGIN FAKE KEY-----\n"));
    }
}
