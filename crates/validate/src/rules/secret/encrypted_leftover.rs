//! `secret/encrypted-leftover`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::leftover::{Leftover, encrypted_by_sops, leftovers, values};
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::is_encrypted;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::names::item_label;
use sealwave_kube::{SOPS_HINT, SOPS_OBJECT, undecrypted_sops_block};
use sealwave_secrets::placeholder::{LookAlikeKind, SOPS_TEXT_HINT};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/encrypted-leftover",
        severity: Severity::Error,
        summary: "encrypted text, or text that looks like a placeholder, would reach the cluster unchanged",
        text: include_str!("encrypted_leftover.md"),
    },
    RuleCheck::Object(check),
)
.explaining(encrypted_by_sops);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let severity = if context.is_plain { Severity::Note } else { Severity::Error };
    let mut report = |draft: FindingDraft| reporter.report(draft.confidential());
    if let Some(block) = undecrypted_sops_block(object.manifest) {
        report(FindingDraft::new(&RULE, block.key_origin, SOPS_OBJECT).severity(severity).hint(SOPS_HINT));
        return;
    }
    if object.is("", "Secret") {
        check_look_alikes(object, context.is_plain, &mut report);
    } else if !object.is("", "ConfigMap") {
        return;
    }
    for (key, value) in values(object.manifest) {
        let Some(text) = value.as_str() else { continue };
        if is_encrypted(text) && object.is("", "ConfigMap") {
            let message = format!("{} {}", item_label(key), LookAlikeKind::Encrypted("SOPS"));
            report(FindingDraft::new(&RULE, value.origin, message).severity(severity).hint(SOPS_TEXT_HINT));
        } else if context.is_plain && is_vault_plugin(text) {
            let hint =
                "use an app with `compatibility: avp`, or suppress this if argocd-vault-plugin replaces it";
            let message = format!(
                "{} has a placeholder of argocd-vault-plugin, which nothing replaces here",
                item_label(key)
            );
            report(FindingDraft::new(&RULE, value.origin, message).severity(Severity::Note).hint(hint));
        }
    }
}

/// Returns whether a string contains `<path:…#…>`, a placeholder of argocd-vault-plugin.
fn is_vault_plugin(text: &str) -> bool {
    memchr::memchr(b'<', text.as_bytes()).is_some()
        && text
            .split("<path:")
            .skip(1)
            .any(|rest| rest.split(['>', '\n']).next().is_some_and(|inside| inside.contains('#')))
}

/// Reports items of a Secret that look like placeholders but are not, and items that consist of a variable.
///
/// For an app, the resolution of placeholders reports the former.
fn check_look_alikes(object: &CheckedObject<'_>, is_plain: bool, mut report: impl FnMut(FindingDraft)) {
    for (item, found) in leftovers(object) {
        let (message, hint) = match &found {
            Leftover::LookAlike(found) if is_plain => {
                (format!("{} {}", item.display_name(), found.kind), found.kind.hint())
            }
            Leftover::Variable => (
                format!("{} is a variable that nothing replaces", item.display_name()),
                "write a placeholder, for example `<vault:path#key>`; only `.hbs` files are templates".into(),
            ),
            Leftover::LookAlike(_) => continue,
        };
        let is_note = matches!(found, Leftover::Variable) && is_plain;
        let severity = if is_note { Severity::Note } else { Severity::Warning };
        report(FindingDraft::new(&RULE, item.place(), message).severity(severity).hint(&hint));
    }
}
