//! `secret/tls-pair`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::items;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::secret_type::{TLS, TLS_CERTIFICATE, TLS_KEY};
use sealwave_secrets::crypto::{EXPIRED_CERTIFICATE, TlsFault, last_day_of_certificate, tls_fault, tls_pair};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/tls-pair",
        severity: Severity::Error,
        summary: "the certificate and private key of a TLS Secret do not match or cannot be read by servers, or the certificate has expired",
        text: include_str!("tls_pair.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("", "Secret") || object.manifest.root().get("type").and_then(Node::as_str) != Some(TLS) {
        return;
    }
    let items = items(object);
    let last_item = |key: &str| items.iter().rfind(|item| item.key() == key);
    let Some(certificate) = last_item(TLS_CERTIFICATE) else { return };
    let Some(text) = certificate.bytes() else { return };
    if let Some(key) = last_item(TLS_KEY)
        && let Some(key_text) = key.bytes()
    {
        if let Some((message, hint)) = tls_pair(text, key_text).message() {
            let draft = FindingDraft::new(&RULE, key.place(), message);
            reporter.report(draft.hint(hint).confidential());
        }
        // A string that is not PEM may be a sample, or filled in by another tool; `generate` checks the resolved values.
        if let Some(fault @ (TlsFault::Swapped | TlsFault::EncryptedKey)) = tls_fault(text, key_text) {
            let (message, hint) = fault.message();
            let at = if fault.concerns_key() { key } else { certificate };
            let draft = FindingDraft::new(&RULE, at.place(), message);
            reporter.report(draft.severity(Severity::Warning).hint(hint).confidential());
        }
    }
    let expiry = last_day_of_certificate(text);
    if matches!((expiry, context.settings.today), (Some(end), Some(today)) if end < today) {
        let (message, hint) = EXPIRED_CERTIFICATE;
        let draft = FindingDraft::new(&RULE, certificate.place(), message).severity(Severity::Warning);
        reporter.report(draft.hint(hint).confidential());
    }
}
