//! `secret/in-config-map`.

use super::items::{decode, entries};
use super::show;
use crate::rules::credential::{self, Kind};
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Entry, Texts};
use sealwave_core::names::item_called;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/in-config-map",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a ConfigMap holds a credential",
        page: include_str!("in_config_map.md"),
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is("", "ConfigMap") {
        return;
    }
    let root = object.manifest.root();
    let texts = entries(root, "data").iter().filter_map(|entry| check_text(entry, context.texts));
    let binary = entries(root, "binaryData").iter().filter_map(check_binary);
    for draft in texts.chain(binary) {
        reporter.report(draft);
    }
}

fn check_text(entry: &Entry, texts: &Texts) -> Option<Draft> {
    let text = entry.value.as_str()?;
    let label = || item_called(&entry.key);
    if text.trim_end().contains('\n') {
        let found = credential::detect_in_lines(text)?;
        return Some(show::draft_in_file(&RULE, found, entry, &label(), texts));
    }
    if let Some(kind) = credential::detect(Some(&entry.key), text) {
        return Some(show::draft(&RULE, kind, entry.value.origin, &label()));
    }
    if !credential::is_given_in(text) {
        return None;
    }
    Some(if text.contains('\n') {
        show::draft_in_file(&RULE, (0, Kind::Keyed), entry, &label(), texts)
    } else {
        show::draft(&RULE, Kind::Keyed, entry.value.origin, &label())
    })
}

/// Checks text in base64. Keystores are not decoded.
fn check_binary(entry: &Entry) -> Option<Draft> {
    let text = String::from_utf8(decode(entry.value.as_str()?)?).ok()?;
    let (_, kind) = credential::detect_in_lines(&text)?;
    Some(show::draft(&RULE, kind, entry.value.origin, &item_called(&entry.key)))
}
