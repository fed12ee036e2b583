//! `seal/reseal-record`.

use super::sealed_secret::is_sealed_secret;
use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::{Explain as _, Severity};
use sealwave_core::document::Node;
use sealwave_core::names::RESEALED;
use sealwave_secrets::resealed::{ResealRecord, ResealRecordError};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "seal/reseal-record",
        severity: Severity::Warning,
        summary: "the record of re-sealing of a SealedSecret cannot be read",
        text: include_str!("reseal_record.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    if !is_sealed_secret(object) {
        return;
    }
    let Some(node) = object.manifest.annotations().and_then(|all| all.get(RESEALED)) else { return };
    let Some(error) = fault(node) else { return };
    let message = format!("`{RESEALED}` cannot be read, so checksums use the ciphertexts: {error}");
    let draft = FindingDraft::new(&RULE, node.origin, message);
    reporter.report(draft.hint(error.hint().unwrap_or_default()));
}

fn fault(node: &Node) -> Option<ResealRecordError> {
    match node.as_str() {
        None => Some(ResealRecordError::NotText),
        Some(text) => ResealRecord::parse(text).err(),
    }
}
