//! `secret/tls-pair`.

use super::items::items;
use crate::crypto::{TlsFault, TlsPair, last_day_of_certificate, tls_fault, tls_pair};
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Node;
use crate::model::secret_type::{TLS, TLS_CERTIFICATE, TLS_KEY};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/tls-pair",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "certificate and private key of a TLS Secret do not belong together, cannot be read by servers, or the certificate has expired",
        explanation: "The API server takes any two items for a Secret of type `kubernetes.io/tls`, and what serves with them fails later: an \
                      Ingress controller falls back to a certificate of its own, and a server does not start. Servers present the first certificate \
                      of `tls.crt`, so `tls.key` must be its private key; those that signed it come after it. RSA keys, EC keys and Ed25519 keys are \
                      compared where the file holds the public half; of others nothing is reported. A certificate that has expired is a warning, and so are items that are exchanged, or a key that a password protects; \
                      `generate` also warns of items that hold no PEM. \
                      `validate` sees pairs whose items stand in clear; `generate` also sees those that placeholders give it: there a wrong pair is an error, \
                      and an expired certificate a warning that does not change the output.",
        example: "kind: Secret\ntype: kubernetes.io/tls\nstringData:\n  tls.crt: …   # of last year\n  tls.key: …   # of this year\n",
        remedy: "Take both items from the same pair, and from the same version of it:\n\n\
                 ```yaml\nkind: Secret\ntype: kubernetes.io/tls\nstringData:\n  tls.crt: <vault:shop/tls#crt>\n  tls.key: <vault:shop/tls#key>\n```",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
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
        let report = |message: &str, hint: &str, reporter: &mut Reporter| {
            let draft = Draft::new(&RULE, key.entry.value.origin, message.to_owned());
            reporter.report(draft.hint(hint).confidential());
        };
        match tls_pair(text, key_text) {
            TlsPair::Matches | TlsPair::Unknown => {}
            TlsPair::Mismatch => report(
                "`tls.key` is not the private key of the certificate in `tls.crt`",
                "take both items from the same version of the same pair",
                reporter,
            ),
            TlsPair::NotFirst => report(
                "`tls.key` belongs to a later certificate of `tls.crt`, and servers present the first one",
                "put the certificate of `tls.key` first, followed by those that signed it",
                reporter,
            ),
        }
        // A string that is not PEM may be a sample, or filled in by another tool; `generate` checks the resolved values.
        if let Some(fault @ (TlsFault::Swapped | TlsFault::EncryptedKey)) = tls_fault(text, key_text) {
            let (message, hint) = fault.message();
            let at = if fault.is_of_key() { key } else { certificate };
            let draft = Draft::new(&RULE, at.entry.value.origin, message.to_owned());
            reporter.report(draft.severity(Severity::Warning).hint(hint).confidential());
        }
    }
    let expiry = last_day_of_certificate(text);
    if matches!((expiry, context.settings.today), (Some(end), Some(today)) if end < today) {
        let message = "the certificate in `tls.crt` has expired".to_owned();
        let draft = Draft::new(&RULE, certificate.entry.value.origin, message).severity(Severity::Warning);
        reporter.report(draft.hint("renew it at its source").confidential());
    }
}
