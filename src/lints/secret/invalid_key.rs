//! `secret/invalid-key`.

use super::items::entries;
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::metadata::named_key;
use crate::lints::{Check, Draft, Environment, Reporter, Rule};
use crate::model::Entry;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/invalid-key",
        severity: Severity::Error,
        enabled: true,
        summary: "a key of a Secret or a ConfigMap is not one that Kubernetes takes",
        explanation: "Keys become file names and environment variables: letters, digits, `-`, `_` and `.`, at most \
                      253 of them, and neither `.` nor anything that starts with `..`. The API server refuses the \
                      object otherwise, and the sync fails.",
        example: "kind: ConfigMap\ndata:\n  conf.d/app.conf: \"\"\n",
        remedy: "Name the item with what is allowed, and give it its path where it is mounted:\n\n\
                 ```yaml\nvolumes:\n- name: config\n  configMap:\n    name: app\n    items:\n    - {key: app.conf, path: conf.d/app.conf}\n```",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let is_app = !environment.name.is_empty();
    for (number, object) in environment.objects.iter().enumerate() {
        let is_secret = object.is("", "Secret");
        // Of an app's Secrets, resolving placeholders finds it.
        if !object.is("", "ConfigMap") && !is_secret || is_secret && is_app {
            continue;
        }
        for field in ["binaryData", "data", "stringData"] {
            for entry in entries(object.manifest.root(), field).iter().filter(|entry| !is_key(&entry.key)) {
                let draft = Draft::new(&RULE, entry.key_origin, message(entry, is_secret)).about(number);
                let draft = if is_secret { draft.confidential() } else { draft };
                reporter.report(draft.hint(
                    "a key consists of letters, digits, `-`, `_` and `.`, at most 253, without `..` in front",
                ));
            }
        }
    }
}

/// A value may have slipped into the place of its key, so that of a Secret is not named.
fn message(entry: &Entry, is_secret: bool) -> String {
    if entry.key.is_empty() {
        return "the key is empty".to_owned();
    }
    format!("{} is not valid", named_key("the key", &entry.key, is_secret))
}

/// As Kubernetes' `IsConfigMapKey`.
fn is_key(key: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=253).contains(&key.len()) && key.bytes().all(inside) && key != "." && !key.starts_with("..")
}
