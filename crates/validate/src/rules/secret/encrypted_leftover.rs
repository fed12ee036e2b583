//! `secret/encrypted-leftover`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::leftover::{encrypted_by_sops, is_variable, values};
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::{decode, is_encrypted, items};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::names::{AVP_IGNORE, AVP_PATH, LITERAL, item_label};
use sealwave_kube::{SOPS_HINT, SOPS_OBJECT, undecrypted_sops_block};
use sealwave_secrets::placeholder::{AvpPath, LookAlikeKind, SOPS_TEXT_HINT, find_look_alike};

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
    let annotation = |name| object.manifest.annotation(name);
    let is_literal = [LITERAL, AVP_IGNORE].iter().any(|name| annotation(name) == Some("true"));
    let generic = annotation(AVP_PATH).and_then(|path| AvpPath::new(path, None).ok());
    for item in items(object) {
        let decoded = Some(item.raw_value()).filter(|_| item.field == "data").and_then(decode);
        let decoded = decoded.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let text = decoded.unwrap_or_else(|| item.raw_value());
        let found = Some(text).filter(|_| !is_literal);
        let found = found.and_then(|text| find_look_alike(text, generic.as_ref(), &|_| false));
        let (message, hint) = match &found {
            Some(found) if is_plain => (format!("{} {}", item.display_name(), found.kind), found.kind.hint()),
            None if is_variable(text) => (
                format!("{} is a variable that nothing replaces", item.display_name()),
                "write a placeholder, for example `<vault:path#key>`; only `.hbs` files are templates".into(),
            ),
            _ => continue,
        };
        let severity = if found.is_none() && is_plain { Severity::Note } else { Severity::Warning };
        report(FindingDraft::new(&RULE, item.place(), message).severity(severity).hint(&hint));
    }
}
