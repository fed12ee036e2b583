//! `secret/encrypted-leftover`.

use super::items::{Content, is_encrypted, items};
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::{Entry, Manifest, Node, Origin, Value, item_called};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/encrypted-leftover",
        severity: Severity::Error,
        enabled: true,
        summary: "encrypted text or another tool's placeholder would reach the cluster as it is",
        explanation: "Nothing in this run decrypts SOPS documents that are objects, nor fills in `${VARIABLE}` or \
                      `{{ .Values.x }}` in a Secret. Argo CD applies what it gets: the API server refuses the field \
                      `sops`, or, where it does not, the program gets `ENC[AES256_GCM,…]` for its password. It is an \
                      error in an app, whose objects reach Argo CD as they are, and a warning in plain manifests, \
                      which another tool (Flux, KSOPS, argocd-vault-plugin, `envsubst`) may still work on.",
        example: "kind: Secret\nstringData:\n  password: ENC[AES256_GCM,data:…]\nsops:\n  mac: ENC[AES256_GCM,data:…]\n",
        remedy: "Keep the encrypted file outside of the manifests and refer to it:\n\n\
                 ```yaml\nkind: Secret\nstringData:\n  password: <sops:secrets/db.yaml#password>\n```\n\n\
                 Variables of templates belong into `.hbs` files.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, scene: &Scene<'_>, reporter: &mut Reporter) {
    let severity = if scene.is_plain { Severity::Warning } else { Severity::Error };
    let mut report = |draft: Draft| reporter.report(draft.confidential());
    if let Some(block) = sops_block(object.manifest) {
        let hint = "keep the encrypted file outside of the manifests, and refer to it: `<sops:file#key>`";
        report(
            Draft::new(&RULE, block.key_origin, "SOPS encrypted this object, and nothing decrypts it")
                .severity(severity)
                .hint(hint),
        );
        return;
    }
    let is_config = object.is("", "ConfigMap");
    if !is_config && !object.is("", "Secret") {
        return;
    }
    for (key, value) in values(object.manifest) {
        let Some(text) = value.as_str() else { continue };
        if is_encrypted(text) {
            let hint = "refer to the encrypted file: `<sops:file#key>`";
            let message = format!("{} is encrypted by SOPS, and nothing decrypts it", item_called(key));
            report(Draft::new(&RULE, value.origin, message).severity(severity).hint(hint));
        } else if scene.is_plain && is_vault_plugin(text) {
            let hint = "make it an app with `compatibility: avp`, or leave it to argocd-vault-plugin and suppress this";
            let message = format!(
                "{} has a placeholder of argocd-vault-plugin, which nothing replaces here",
                item_called(key)
            );
            report(Draft::new(&RULE, value.origin, message).severity(Severity::Note).hint(hint));
        }
    }
    if !is_config {
        variables(object, report);
    }
}

/// SOPS' own data; kinds whose controllers decrypt have it as well.
pub(crate) fn sops_block(object: &Manifest) -> Option<&Entry> {
    let entry = object.root().as_mapping()?.entry("sops")?;
    if object.kind().to_ascii_lowercase().contains("sops") {
        return None;
    }
    let is_sops = ["mac", "version", "lastmodified"].iter().any(|field| entry.value.get(field).is_some());
    is_sops.then_some(entry)
}

/// The places of an object where something stands only since SOPS encrypted it: this rule reports it, and nothing else need.
pub(crate) fn encrypted_by_sops(object: &Manifest) -> impl Iterator<Item = Origin> {
    sops_block(object).into_iter().flat_map(|block| {
        let is_encrypted = |value: &&Node| value.as_str().is_some_and(is_encrypted);
        let values = values(object).map(|(_, value)| value).filter(is_encrypted);
        std::iter::once(block.key_origin).chain(values.map(|value| value.origin))
    })
}

fn values(object: &Manifest) -> impl Iterator<Item = (&str, &Node)> {
    let root = object.root();
    ["data", "stringData"]
        .into_iter()
        .filter_map(|field| root.get(field)?.as_mapping())
        .flat_map(|mapping| mapping.entries().iter().map(|entry| (entry.key.as_str(), &entry.value)))
}

/// `<path:…#…>`, argocd-vault-plugin's own form.
fn is_vault_plugin(text: &str) -> bool {
    memchr::memchr(b'<', text.as_bytes()).is_some()
        && text
            .split("<path:")
            .skip(1)
            .any(|rest| rest.split(['>', '\n']).next().is_some_and(|inside| inside.contains('#')))
}

/// Items of a Secret that are nothing but a variable.
fn variables(object: &Object<'_>, mut report: impl FnMut(Draft)) {
    for item in items(object) {
        let text = match &item.content {
            Content::Broken => item.written(),
            Content::Plain(_) => item.text().unwrap_or_default(),
            Content::Unknown => continue,
        };
        if is_variable(text) && matches!(item.entry.value.value, Value::String(_)) {
            let message = format!("{} is a variable that nothing replaces", item.called());
            let hint = "write a placeholder, for example `<vault:path#key>`; only `.hbs` files are templates";
            report(
                Draft::new(&RULE, item.entry.value.origin, message).severity(Severity::Warning).hint(hint),
            );
        }
    }
}

/// Whether a text is nothing but a variable.
pub(super) fn is_variable(text: &str) -> bool {
    let text = text.trim();
    let inside = |before, after| text.strip_prefix(before)?.strip_suffix(after);
    inside("${", "}").is_some_and(is_variable_name) || inside("{{", "}}").is_some_and(is_template_path)
}

/// `NAME`, also with what stands in for it as Flux has it: `NAME:=default`.
fn is_variable_name(text: &str) -> bool {
    let name = text.split_once(":=").or_else(|| text.split_once(":-")).map_or(text, |(name, _)| name);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_template_path(text: &str) -> bool {
    text.trim().trim_matches('-').trim().starts_with(".Values.")
}
