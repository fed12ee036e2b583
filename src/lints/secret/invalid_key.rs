//! `secret/invalid-key`.

use super::items::entries;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::metadata::named_key;
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::{Entry, is_item_key};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/invalid-key",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a key of a Secret or a ConfigMap is not one that Kubernetes takes",
        explanation: "Keys become file names and environment variables: letters, digits, `-`, `_` and `.`, at most \
                      253 of them, and neither `.` nor anything that starts with `..`. The API server refuses the \
                      object otherwise, and the sync fails.",
        example: "kind: ConfigMap\ndata:\n  conf.d/app.conf: \"\"\n",
        remedy: "Name the item with what is allowed, and give it its path where it is mounted:\n\n\
                 ```yaml\nvolumes:\n- name: config\n  configMap:\n    name: app\n    items:\n    - {key: app.conf, path: conf.d/app.conf}\n```",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    let is_secret = object.is("", "Secret");
    // For Secrets of an app, the resolution of placeholders reports it.
    if is_secret && !context.is_plain || !is_secret && !object.is("", "ConfigMap") {
        return;
    }
    for field in ["binaryData", "data", "stringData"] {
        for entry in entries(object.manifest.root(), field).iter().filter(|entry| !is_item_key(&entry.key)) {
            let draft = Draft::new(&RULE, entry.key_origin, message(entry, is_secret));
            let draft = if is_secret { draft.confidential() } else { draft };
            reporter.report(draft.hint(
                "use letters, digits, `-`, `_` and `.`, at most 253 characters, without `..` in front",
            ));
        }
    }
}

/// Returns the message. A key of a Secret may be a misplaced secret value, so it is not shown.
fn message(entry: &Entry, is_secret: bool) -> String {
    if entry.key.is_empty() {
        return "the key is empty".to_owned();
    }
    format!("{} is not valid", named_key("the key", &entry.key, is_secret))
}
