//! `secret/tls-pair`.

use super::items::items;
use crate::rules::{CheckedObject, FindingDraft, Reporter, Rule, RuleCheck, RuleContext};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::secret_type::{TLS, TLS_CERTIFICATE, TLS_KEY};
use sealwave_secrets::crypto::{EXPIRED_CERTIFICATE, TlsFault, last_day_of_certificate, tls_fault, tls_pair};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/tls-pair",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "the certificate and private key of a TLS Secret do not match or cannot be read by servers, or the certificate has expired",
        page: include_str!("tls_pair.md"),
    },
    check: RuleCheck::Object(check),
};

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
            let draft = FindingDraft::new(&RULE, key.entry.value.origin, message);
            reporter.report(draft.hint(hint).confidential());
        }
        // A string that is not PEM may be a sample, or filled in by another tool; `generate` checks the resolved values.
        if let Some(fault @ (TlsFault::Swapped | TlsFault::EncryptedKey)) = tls_fault(text, key_text) {
            let (message, hint) = fault.message();
            let at = if fault.concerns_key() { key } else { certificate };
            let draft = FindingDraft::new(&RULE, at.entry.value.origin, message);
            reporter.report(draft.severity(Severity::Warning).hint(hint).confidential());
        }
    }
    let expiry = last_day_of_certificate(text);
    if matches!((expiry, context.settings.today), (Some(end), Some(today)) if end < today) {
        let (message, hint) = EXPIRED_CERTIFICATE;
        let draft =
            FindingDraft::new(&RULE, certificate.entry.value.origin, message).severity(Severity::Warning);
        reporter.report(draft.hint(hint).confidential());
    }
}
