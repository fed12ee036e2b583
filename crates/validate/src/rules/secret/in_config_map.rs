//! `secret/in-config-map`.

use super::credential_drafts;
use crate::facts::checked_object::CheckedObject;
use crate::facts::credential::{self, CredentialKind};
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::decode;
use crate::located::LocatedEntry;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::SourceTexts;
use sealwave_core::names::item_label;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/in-config-map",
        severity: Severity::Warning,
        summary: "a ConfigMap holds a credential",
        text: include_str!("in_config_map.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("", "ConfigMap") {
        return;
    }
    let root = object.located();
    let texts = root.entries_at("data").filter_map(|located| check_text(&located, context.texts));
    let binary = root.entries_at("binaryData").filter_map(|located| check_binary(&located));
    for draft in texts.chain(binary) {
        reporter.report(draft);
    }
}

fn check_text(located: &LocatedEntry<'_>, texts: &SourceTexts) -> Option<FindingDraft> {
    let entry = located.entry;
    let text = entry.value.as_str()?;
    let label = || item_label(&entry.key);
    if text.trim_end().contains('\n') {
        let found = credential::detect_in_lines(text)?;
        return Some(credential_drafts::credential_draft_in_file(&RULE, found, located, &label(), texts));
    }
    if let Some(kind) = credential::detect(Some(&entry.key), text) {
        return Some(credential_drafts::credential_draft(&RULE, kind, located.value_place(), &label()));
    }
    if !credential::assigns_credential(text) {
        return None;
    }
    Some(if text.contains('\n') {
        credential_drafts::credential_draft_in_file(
            &RULE,
            (0, CredentialKind::Keyed),
            located,
            &label(),
            texts,
        )
    } else {
        credential_drafts::credential_draft(&RULE, CredentialKind::Keyed, located.value_place(), &label())
    })
}

/// Checks text in base64. Keystores are not decoded.
fn check_binary(located: &LocatedEntry<'_>) -> Option<FindingDraft> {
    let entry = located.entry;
    let text = String::from_utf8(decode(entry.value.as_str()?)?).ok()?;
    let (_, kind) = credential::detect_in_lines(&text)?;
    Some(credential_drafts::credential_draft(&RULE, kind, located.value_place(), &item_label(&entry.key)))
}
