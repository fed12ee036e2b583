//! `secret/type-keys`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::inventory::{ObjectKeys, external_secret_keys};
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::{entries, items};
use crate::located::FindingPlace;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::{Explain as _, Severity};
use sealwave_core::document::Node;
use sealwave_core::names::{STRING_DATA_FROM, UNKNOWN_KEYS};
use sealwave_kube::catalog::{ESO_GROUP, SEALED_SECRETS_GROUP};
use sealwave_kube::secret_type::{
    DOCKERCONFIGJSON, RequiredItems, SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN, SSH_KEY, SecretTypeError,
    is_json_object, json_item, required_items,
};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/type-keys",
        severity: Severity::Error,
        summary: "a Secret lacks an item that its type requires",
        text: include_str!("type_keys.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Returns the items that a type requires. For a bootstrap token, kubeadm's controller requires them, not the API server.
fn required(kind: &str) -> Option<RequiredItems> {
    match kind {
        "bootstrap.kubernetes.io/token" => Some(RequiredItems::All(&["token-id", "token-secret"])),
        _ => required_items(kind),
    }
}

const SSH_TYPE: &str = "kubernetes.io/ssh-auth";

/// Annotation of a Secret that Carvel's secretgen-controller fills in.
const CARVEL_PULL_SECRET: &str = "secretgen.carvel.dev/image-pull-secret";

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let root = object.manifest.root();
    match (object.group, object.kind) {
        ("", "Secret") => {
            let Some(kind) = root.get("type") else { return };
            check_account(object, kind, reporter);
            let keys: Vec<&str> = ["data", "stringData"].iter().flat_map(|field| keys(root, field)).collect();
            if object.manifest.annotation(STRING_DATA_FROM).is_none() {
                compare(kind, &keys, reporter);
            }
            check_docker_config(object, reporter);
            check_ssh_key(object, kind, reporter);
        }
        (SEALED_SECRETS_GROUP, "SealedSecret") => {
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
        (ESO_GROUP, "ExternalSecret") => {
            let Some(kind) = root.at(&["spec", "target", "template", "type"]) else { return };
            let keys = root.get("spec").map(external_secret_keys);
            if let Some(ObjectKeys::Known(keys)) = keys.filter(|_| !merges(root)) {
                compare(kind, &keys.into_iter().collect::<Vec<_>>(), reporter);
            }
        }
        _ => {}
    }
}

/// Returns whether the items are added to a Secret that may have others.
fn merges(root: &Node) -> bool {
    let policy = root.at(&["spec", "target", "creationPolicy"]).and_then(Node::as_str);
    matches!(policy, Some("CreateOrMerge" | "Merge"))
}

fn keys<'a>(node: &'a Node, field: &str) -> impl Iterator<Item = &'a str> {
    entries(node, field).iter().map(|entry| entry.key.as_str())
}

fn compare(kind: &Node, found: &[&str], reporter: &mut Reporter) {
    let Some(name) = kind.as_str() else { return };
    let Some(required) = required(name) else { return };
    let mut report_missing = |error: &SecretTypeError| {
        // The API server accepts these Secrets; kubeadm's controller ignores them.
        let severity = if name.starts_with("bootstrap.") { Severity::Warning } else { Severity::Error };
        reporter.report(draft(kind.origin, error).severity(severity));
    };
    let secret_type = || name.to_owned();
    match required {
        RequiredItems::All(keys) => {
            for key in keys.iter().copied().filter(|key| !found.contains(key)) {
                report_missing(&SecretTypeError::Missing { secret_type: secret_type(), key });
            }
        }
        RequiredItems::OneOf(keys) if !keys.iter().any(|key| found.contains(key)) => {
            report_missing(&SecretTypeError::MissingAll { secret_type: secret_type(), keys });
        }
        RequiredItems::OneOf(_) => {}
    }
}

fn draft(at: impl Into<FindingPlace>, error: &SecretTypeError) -> FindingDraft {
    let draft = FindingDraft::new(&RULE, at, error.to_string());
    match error.hint() {
        Some(hint) => draft.hint(hint),
        None => draft,
    }
}

/// Checks that an annotation contains the account of a token.
fn check_account(object: &CheckedObject<'_>, kind: &Node, reporter: &mut Reporter) {
    if kind.as_str() == Some(SERVICE_ACCOUNT_TOKEN)
        && object.manifest.annotation(SERVICE_ACCOUNT_NAME).is_none_or(str::is_empty)
    {
        reporter.report(draft(kind.origin, &SecretTypeError::Account));
    }
}

/// Checks that registry credentials are JSON.
fn check_docker_config(object: &CheckedObject<'_>, reporter: &mut Reporter) {
    let kind = object.manifest.root().get("type").and_then(Node::as_str);
    if object.manifest.annotation(CARVEL_PULL_SECRET).is_some() {
        return;
    }
    let Some(secret_type) = kind else { return };
    let Some(key) = json_item(secret_type) else { return };
    let items = items(object);
    let Some(item) = items.iter().rfind(|item| item.key() == key) else { return };
    let Some(bytes) = item.bytes() else { return };
    let at = item.place();
    let not_json = SecretTypeError::NotJson { secret_type: secret_type.to_owned(), key };
    if !is_json_object(bytes) {
        reporter.report(draft(at, &not_json).confidential());
    } else if key == DOCKERCONFIGJSON && !gives_access(bytes) {
        let message = format!("{} has no `auths`, so it gives access to no registry", item.display_name());
        let hint = not_json.hint().unwrap_or_default();
        let draft = FindingDraft::new(&RULE, at, message).severity(Severity::Warning);
        reporter.report(draft.hint(hint).confidential());
    }
}

/// Returns whether a configuration of Docker has credentials or names a program that has them; true if it cannot be read.
fn gives_access(config: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(config).map_or(true, |json| {
        json.get("auths").is_some_and(serde_json::Value::is_object)
            || ["credHelpers", "credsStore"].iter().any(|field| json.get(field).is_some())
    })
}

/// Checks that an SSH key is not empty; the API server accepts empty items of other types.
fn check_ssh_key(object: &CheckedObject<'_>, kind: &Node, reporter: &mut Reporter) {
    if kind.as_str() != Some(SSH_TYPE) {
        return;
    }
    let items = items(object);
    let last = items.iter().rfind(|item| item.key() == SSH_KEY);
    if let Some(item) = last.filter(|item| item.bytes().is_some_and(<[u8]>::is_empty)) {
        let error = SecretTypeError::Empty { secret_type: SSH_TYPE.to_owned(), key: SSH_KEY };
        reporter.report(draft(item.place(), &error));
    }
}
