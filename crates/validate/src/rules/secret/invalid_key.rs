//! `secret/invalid-key`.

use super::items::entries;
use crate::rules::metadata::named_key;
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Entry;
use sealwave_core::names::is_item_key;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/invalid-key",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a Secret or a ConfigMap has an invalid key",
        page: include_str!("invalid_key.md"),
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, scene: &Scene<'_>, reporter: &mut Reporter) {
    let is_secret = object.is("", "Secret");
    // Of an app's Secrets, resolving placeholders finds it.
    if is_secret && !scene.is_plain || !is_secret && !object.is("", "ConfigMap") {
        return;
    }
    for field in ["binaryData", "data", "stringData"] {
        for entry in entries(object.manifest.root(), field).iter().filter(|entry| !is_item_key(&entry.key)) {
            let draft = Draft::new(&RULE, entry.key_origin, message(entry, is_secret));
            let draft = if is_secret { draft.confidential() } else { draft };
            reporter.report(draft.hint(
                "a key consists of letters, digits, `-`, `_` and `.`, at most 253, without `..` in front",
            ));
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
