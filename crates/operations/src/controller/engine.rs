//! Re-sealing and checking of items by the controller, without any private key here.
//!
//! The controller gets a synthetic object with a name, a namespace, a scope and items, and nothing else of a committed file:
//! `/v1/rotate` renders templates, drops labels and rewrites metadata. Only the items of its response are taken, after they were
//! compared with what was sent: the same keys, and contents of the same length.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use sealwave_core::diagnostic::printable;
use sealwave_core::text::quoted_list;
use sealwave_secrets::SealingScope;

use super::error::ControllerError;
use super::service::Controller;

/// Bytes of a sealed item besides its wrapped key and its contents: the length of the key, and the tag.
const OVERHEAD: usize = 2 + 16;

/// The most items that the controller is asked about one by one.
const MAX_ASKED: usize = 20;

/// The items of a SealedSecret, and what they are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedItems {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The scope.
    pub scope: SealingScope,
    /// The ciphertexts by key.
    pub items: BTreeMap<String, String>,
}

impl SealedItems {
    /// Returns the object that the controller gets.
    fn to_json(&self) -> Vec<u8> {
        let mut metadata = json!({"name": self.name, "namespace": self.namespace});
        if let Some(annotation) = self.scope.annotation() {
            metadata["annotations"] = json!({annotation: "true"});
        }
        json!({
            "apiVersion": "bitnami.com/v1alpha1",
            "kind": "SealedSecret",
            "metadata": metadata,
            "spec": {"encryptedData": self.items, "template": {"metadata": metadata}},
        })
        .to_string()
        .into_bytes()
    }

    /// Returns namespace and name for messages.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.namespace.is_empty() {
            return printable(&self.name);
        }
        printable(format!("{}/{}", self.namespace, self.name))
    }

    /// Returns an object with one of the items.
    #[must_use]
    pub fn only(&self, key: &str) -> Self {
        let items = self.items.iter().filter(|(name, _)| *name == key);
        let items = items.map(|(name, text)| (name.clone(), text.clone())).collect();
        Self { items, ..self.clone() }
    }
}

impl Controller<'_> {
    /// Seals items again for the controller's newest key.
    ///
    /// # Errors
    /// The controller cannot decrypt an item, or its response does not have the same items.
    pub fn reseal(&self, sealed: &SealedItems) -> Result<BTreeMap<String, String>, ControllerError> {
        let reply = self.client.proxy_post(&self.service, "v1/rotate", &sealed.to_json())?;
        match reply.status {
            200 => items_of(&reply.body, sealed).map_err(|reason| {
                let (cluster, object) = (self.cluster(), sealed.shown());
                ControllerError::WrongResponse { cluster, object, reason }
            }),
            // The controller says the same about each failure.
            500 => Err(self.not_resealed(sealed)),
            status => Err(self.unexpected("v1/rotate", status)),
        }
    }

    /// Finds the items that the controller cannot decrypt. Each question may have to wait, so only some items are asked about.
    fn not_resealed(&self, sealed: &SealedItems) -> ControllerError {
        let mut items = Vec::new();
        for key in sealed.items.keys().take(MAX_ASKED) {
            match self.can_decrypt(&sealed.only(key)) {
                Ok(true) | Err(_) => {}
                Ok(false) => items.push(printable(key)),
            }
        }
        ControllerError::NotResealed { cluster: self.cluster(), object: sealed.shown(), items }
    }

    /// Asks whether the controller can decrypt all items.
    ///
    /// # Errors
    /// The controller cannot be asked.
    pub fn can_decrypt(&self, sealed: &SealedItems) -> Result<bool, ControllerError> {
        let reply = self.client.proxy_post(&self.service, "v1/verify", &sealed.to_json())?;
        match reply.status {
            200 => Ok(true),
            409 => Ok(false),
            500 => Err(ControllerError::NotVerified { cluster: self.cluster(), object: sealed.shown() }),
            status => Err(self.unexpected("v1/verify", status)),
        }
    }
}

/// Returns the items of a response, after comparing them with those that were sent, or the difference.
fn items_of(response: &[u8], sent: &SealedItems) -> Result<BTreeMap<String, String>, String> {
    let response: Json = serde_json::from_slice(response).map_err(|_| "it is not JSON".to_owned())?;
    // A service that is about another object is not to be believed about the items either.
    for (path, wanted) in [("/metadata/name", &sent.name), ("/metadata/namespace", &sent.namespace)] {
        let found = response.pointer(path).and_then(Json::as_str).unwrap_or_default();
        if !found.is_empty() && found != wanted {
            return Err("it is about another object".to_owned());
        }
    }
    let items = response.pointer("/spec/encryptedData").and_then(Json::as_object);
    let items = items.ok_or_else(|| "it has no items".to_owned())?;
    let mut resealed = BTreeMap::new();
    for (key, text) in items {
        let text = text.as_str().ok_or_else(|| "an item is not a text".to_owned())?;
        if !sent.items.contains_key(key) {
            return Err("it has an item that was not sent".to_owned());
        }
        resealed.insert(key.clone(), text.to_owned());
    }
    let missing: Vec<&String> = sent.items.keys().filter(|key| !resealed.contains_key(*key)).collect();
    if !missing.is_empty() {
        return Err(format!("items are missing: {}", quoted_list(&missing)));
    }
    for (key, text) in &resealed {
        let old = sent.items.get(key).map(String::as_str).unwrap_or_default();
        let length = content_length(text).ok_or_else(|| format!("item `{key}` is not sealed"))?;
        if content_length(old).is_some_and(|old| old != length) {
            return Err(format!("item `{key}` has contents of another length"));
        }
        if text == old {
            return Err(format!("item `{key}` was not sealed again"));
        }
    }
    Ok(resealed)
}

/// Returns the number of bytes that are sealed in an item.
fn content_length(item: &str) -> Option<usize> {
    let joined: String = item.chars().filter(|c| !['\r', '\n'].contains(c)).collect();
    let bytes = STANDARD.decode(joined).ok()?;
    let (length, _) = bytes.split_first_chunk::<2>()?;
    bytes.len().checked_sub(OVERHEAD + usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(key_bytes: u16, contents: usize, fill: u8) -> String {
        let mut bytes = key_bytes.to_be_bytes().to_vec();
        bytes.resize(2 + usize::from(key_bytes) + contents + 16, fill);
        STANDARD.encode(bytes)
    }

    fn sent() -> SealedItems {
        let items = [("a", item(256, 3, 1)), ("b", item(256, 9, 1))];
        SealedItems {
            namespace: "shop".to_owned(),
            name: "db".to_owned(),
            scope: SealingScope::NamespaceWide,
            items: items.map(|(key, text)| (key.to_owned(), text)).into(),
        }
    }

    fn response(items: &[(&str, String)]) -> Vec<u8> {
        let items: BTreeMap<_, _> = items.iter().cloned().collect();
        json!({"spec": {"encryptedData": items, "template": {"data": {"x": "y"}}}}).to_string().into_bytes()
    }

    #[test]
    fn the_controller_gets_nothing_but_the_binding_and_the_items() {
        let json: Json = serde_json::from_slice(&sent().to_json()).expect("JSON");
        let metadata = json!({
            "name": "db", "namespace": "shop",
            "annotations": {"sealedsecrets.bitnami.com/namespace-wide": "true"},
        });
        assert_eq!(json["metadata"], metadata);
        assert_eq!(json["spec"]["template"], json!({"metadata": metadata}));
        assert_eq!(json["spec"]["encryptedData"].as_object().expect("items").len(), 2);
        let strict = SealedItems { scope: SealingScope::Strict, ..sent() };
        let json: Json = serde_json::from_slice(&strict.to_json()).expect("JSON");
        assert_eq!(json["metadata"], json!({"name": "db", "namespace": "shop"}));
    }

    #[test]
    fn items_for_a_larger_key_are_taken() {
        let new = [("b", item(512, 9, 2)), ("a", item(512, 3, 2))];
        let items = items_of(&response(&new), &sent()).expect("the same items");
        assert_eq!(items, new.map(|(key, text)| (key.to_owned(), text)).into());
    }

    #[test]
    fn responses_with_other_items_are_refused() {
        let (a, b) = (item(256, 3, 2), item(256, 9, 2));
        for (response, reason) in [
            (b"<html>".to_vec(), "it is not JSON"),
            (b"{}".to_vec(), "it has no items"),
            (response(&[("a", a.clone())]), "items are missing: `b`"),
            (
                response(&[("a", a.clone()), ("b", b.clone()), ("c", a.clone())]),
                "it has an item that was not sent",
            ),
            (response(&[("a", b.clone()), ("b", a.clone())]), "item `a` has contents of another length"),
            (
                response(&[("a", sent().items["a"].clone()), ("b", b.clone())]),
                "item `a` was not sealed again",
            ),
            (response(&[("a", "cGxhaW4=".to_owned()), ("b", b)]), "item `a` is not sealed"),
            (
                br#"{"metadata":{"name":"other"},"spec":{"encryptedData":{}}}"#.to_vec(),
                "it is about another object",
            ),
            (
                br#"{"metadata":{"name":"db","namespace":"evil"},"spec":{"encryptedData":{}}}"#.to_vec(),
                "it is about another object",
            ),
            (
                br#"{"metadata":{"name":7,"namespace":[]},"spec":{"encryptedData":[]}}"#.to_vec(),
                "it has no items",
            ),
            (br#"{"spec":{"encryptedData":{"a":1}}}"#.to_vec(), "an item is not a text"),
        ] {
            assert_eq!(items_of(&response, &sent()).expect_err(reason), reason);
        }
    }
}
