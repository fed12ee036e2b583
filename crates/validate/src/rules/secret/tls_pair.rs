//! `secret/tls-pair`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::facts::secret_items::items;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::secret_type::TLS;
use sealwave_secrets::crypto::{TlsFault, TlsFiles, TlsItem, TlsProblemKind, tls_problems};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/tls-pair",
        severity: Severity::Error,
        summary: "the certificate and private key of a TLS Secret do not match or cannot be read by servers, or a certificate is out of date or in the wrong place",
        text: include_str!("tls_pair.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("", "Secret") || object.manifest.root().get("type").and_then(Node::as_str) != Some(TLS) {
        return;
    }
    let items = items(object);
    let item = |item: TlsItem| items.iter().rfind(|one| one.key() == item.key());
    let bytes = |of: TlsItem| item(of).and_then(|item| item.bytes());
    let files = TlsFiles {
        certificate: bytes(TlsItem::Certificate),
        key: bytes(TlsItem::Key),
        authority: bytes(TlsItem::Authority),
    };
    for problem in tls_problems(files, context.settings.today) {
        let (false, Some(item)) = (may_be_a_sample(problem.kind), item(problem.item)) else { continue };
        let draft = FindingDraft::new(&RULE, item.place(), problem.message).hint(problem.hint);
        let is_error = problem.kind == TlsProblemKind::Pair;
        let severity = if is_error { RULE.info.severity } else { Severity::Warning };
        reporter.report(draft.severity(severity).confidential());
    }
}

/// Returns whether an item may be a sample, or filled in by another tool; `generate` checks the resolved values.
const fn may_be_a_sample(kind: TlsProblemKind) -> bool {
    matches!(kind, TlsProblemKind::Format(TlsFault::NoCertificate | TlsFault::NoKey | TlsFault::NoAuthority))
}
