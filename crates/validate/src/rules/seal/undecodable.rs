//! `seal/undecodable`.

use base64::Engine as _;

use super::sealed_secret::{is_sealed_secret, items};
use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::encoding::GO_BASE64;
use sealwave_core::names::item_label;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "seal/undecodable",
        severity: Severity::Error,
        summary: "an item of a SealedSecret is not a valid sealed value",
        text: include_str!("undecodable.md"),
    },
    RuleCheck::Object(check),
);

/// RSA block size of a 1024-bit key, the smallest that either side accepts.
const SMALLEST_BLOCK: usize = 128;
/// Size of the AES-GCM tag, the whole ciphertext of an empty value.
const TAG: usize = 16;

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    if !is_sealed_secret(object) {
        return;
    }
    for entry in items(object) {
        let Some(fault) = fault(&entry.value) else { continue };
        reporter.report(
            FindingDraft::new(&RULE, entry.value.origin, format!("{} {fault}", item_label(&entry.key)))
                .hint("seal the value again with `kubeseal`, and copy all its output")
                .confidential(),
        );
    }
}

fn fault(value: &Node) -> Option<&'static str> {
    let Some(text) = value.as_str() else { return Some("is not a string") };
    let packed = if text.contains(['\r', '\n']) { text.replace(['\r', '\n'], "") } else { text.to_owned() };
    let Ok(bytes) = GO_BASE64.decode(packed) else { return Some("is not standard base64 with padding") };
    let [high, low, rest @ ..] = bytes.as_slice() else { return Some("is too short for a sealed value") };
    let block = usize::from(u16::from_be_bytes([*high, *low]));
    if rest.len() < SMALLEST_BLOCK + TAG {
        Some("is too short for a sealed value")
    } else if block < SMALLEST_BLOCK || rest.len() < block + TAG {
        Some("is not a valid sealed value")
    } else {
        None
    }
}
