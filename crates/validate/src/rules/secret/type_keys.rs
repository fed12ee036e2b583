//! `secret/type-keys`.

use super::items::{Item, entries, items};
use crate::rules::inventory::{Contents, fetched};
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::names::{STRING_DATA_FROM, UNKNOWN_KEYS};
use sealwave_kube::catalogue::{ESO, SEALED};
use sealwave_kube::secret_type::{
    DOCKERCONFIGJSON, RequiredItems, SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN, SSH_KEY, is_json_object,
    json_item, required_items,
};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/type-keys",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a Secret lacks an item that its type requires",
        page: include_str!("type_keys.md"),
    },
    check: Check::Object(check),
};

/// Returns the items that a type promises. The API server asks for none of a bootstrap token, but kubeadm's controller does.
fn wanted(kind: &str) -> Option<RequiredItems> {
    match kind {
        "bootstrap.kubernetes.io/token" => Some(RequiredItems::All(&["token-id", "token-secret"])),
        _ => required_items(kind),
    }
}

/// A Secret with this annotation is filled in by Carvel's secretgen-controller.
const CARVEL_PULL_SECRET: &str = "secretgen.carvel.dev/image-pull-secret";

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let root = object.manifest.root();
    match (object.group, object.kind) {
        ("", "Secret") => {
            let Some(kind) = root.get("type") else { return };
            account(object, kind, reporter);
            let keys: Vec<&str> = ["data", "stringData"].iter().flat_map(|field| keys(root, field)).collect();
            if object.manifest.annotation(STRING_DATA_FROM).is_none() {
                compare(kind, &keys, reporter);
            }
            docker(object, reporter);
            ssh(object, kind, reporter);
        }
        (SEALED, "SealedSecret") => {
            let Some(kind) = root.at(&["spec", "template", "type"]) else { return };
            if root.at(&["spec", "encryptedData", UNKNOWN_KEYS]).is_some() {
                return;
            }
            let mut found: Vec<&str> =
                root.get("spec").map(|spec| keys(spec, "encryptedData").collect()).unwrap_or_default();
            found.extend(
                root.at(&["spec", "template"]).into_iter().flat_map(|template| keys(template, "data")),
            );
            compare(kind, &found, reporter);
        }
        (ESO, "ExternalSecret") => {
            let Some(kind) = root.at(&["spec", "target", "template", "type"]) else { return };
            let keys = root.get("spec").map(fetched);
            if let Some(Contents::Keys(keys)) = keys.filter(|_| !merges(root)) {
                compare(kind, &keys.into_iter().collect::<Vec<_>>(), reporter);
            }
        }
        _ => {}
    }
}

/// Returns whether the items go into a Secret that has others already.
fn merges(root: &Node) -> bool {
    let policy = root.at(&["spec", "target", "creationPolicy"]).and_then(Node::as_str);
    matches!(policy, Some("CreateOrMerge" | "Merge"))
}

fn keys<'a>(node: &'a Node, field: &str) -> impl Iterator<Item = &'a str> {
    entries(node, field).iter().map(|entry| entry.key.as_str())
}

fn compare(kind: &Node, found: &[&str], reporter: &mut Reporter) {
    let Some(name) = kind.as_str() else { return };
    let Some(wanted) = wanted(name) else { return };
    let mut missing = |what: &str, hint: String| {
        let message = format!("a Secret of type `{name}` needs {what}");
        // The API server takes these; it is kubeadm's controller that passes them over.
        let severity = if name.starts_with("bootstrap.") { Severity::Warning } else { Severity::Error };
        reporter.report(Draft::new(&RULE, kind.origin, message).severity(severity).hint(hint));
    };
    match wanted {
        RequiredItems::All(keys) => {
            for key in keys.iter().filter(|key| !found.contains(key)) {
                missing(&format!("an item `{key}`"), format!("add `{key}`, or leave `type` out"));
            }
        }
        RequiredItems::OneOf(keys) if !keys.iter().any(|key| found.contains(key)) => {
            let listed = sealwave_secrets::placeholder::list(keys);
            missing(&format!("one of {listed}"), format!("add one of {listed}, or leave `type` out"));
        }
        RequiredItems::OneOf(_) => {}
    }
}

/// A token is of an account that an annotation names.
fn account(object: &Object<'_>, kind: &Node, reporter: &mut Reporter) {
    if kind.as_str() == Some(SERVICE_ACCOUNT_TOKEN)
        && object.manifest.annotation(SERVICE_ACCOUNT_NAME).is_none_or(str::is_empty)
    {
        reporter.report(
            Draft::new(
                &RULE,
                kind.origin,
                format!("a Secret of this type needs the annotation `{SERVICE_ACCOUNT_NAME}`"),
            )
            .hint("name the service account whose token it is to hold"),
        );
    }
}

/// What holds credentials of registries is JSON.
fn docker(object: &Object<'_>, reporter: &mut Reporter) {
    let kind = object.manifest.root().get("type").and_then(Node::as_str);
    if object.manifest.annotation(CARVEL_PULL_SECRET).is_some() {
        return;
    }
    let Some(key) = kind.and_then(json_item) else { return };
    let items = items(object);
    let Some(item) = items.iter().rfind(|item| item.key() == key) else { return };
    if let Some((message, severity)) = fault(item) {
        reporter.report(
            Draft::new(&RULE, item.entry.value.origin, message)
                .severity(severity)
                .hint("it looks like `{\"auths\": {\"registry.example.com\": {\"auth\": \"…\"}}}`")
                .confidential(),
        );
    }
}

/// The API server does not take an empty key of this type, though it takes empty items of others.
fn ssh(object: &Object<'_>, kind: &Node, reporter: &mut Reporter) {
    if kind.as_str() != Some("kubernetes.io/ssh-auth") {
        return;
    }
    let items = items(object);
    let last = items.iter().rfind(|item| item.key() == SSH_KEY);
    if let Some(item) = last.filter(|item| item.bytes().is_some_and(<[u8]>::is_empty)) {
        let draft = Draft::new(&RULE, item.entry.value.origin, format!("{} is empty", item.called()));
        reporter.report(draft.hint("give it the private key"));
    }
}

fn fault(item: &Item<'_>) -> Option<(String, Severity)> {
    let bytes = item.bytes()?;
    if !is_json_object(bytes) {
        return Some((format!("{} is not a JSON object", item.called()), Severity::Error));
    }
    let json: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let has_auths = json.get("auths").is_some_and(serde_json::Value::is_object);
    let helpers = ["credHelpers", "credsStore"].iter().any(|field| json.get(field).is_some());
    (item.key() == DOCKERCONFIGJSON && !has_auths && !helpers).then(|| {
        (format!("{} has no `auths`, so that it opens no registry", item.called()), Severity::Warning)
    })
}
