//! `secret/in-annotation`.

use super::credential_drafts;
use crate::facts::checked_object::CheckedObject;
use crate::facts::credential;
use crate::facts::rule_context::RuleContext;
use crate::located::LocatedNode;
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/in-annotation",
        severity: Severity::Warning,
        summary: "an annotation or a label holds a credential",
        text: include_str!("in_annotation.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    object.located_metadata().iter().for_each(|metadata| check_metadata(metadata, reporter));
}

fn check_metadata(metadata: &LocatedNode<'_>, reporter: &mut Reporter) {
    for (field, noun) in [("annotations", "annotation"), ("labels", "label")] {
        for located in metadata.entries_at(field) {
            let entry = located.entry;
            let Some(text) = entry.value.as_str().filter(|text| !credential::is_too_short(text)) else {
                continue;
            };
            // A digest, for example in `checksum/secret`.
            let is_digest = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            let slash = entry.key.bytes().rposition(|byte| byte == b'/');
            let name =
                slash.map_or(Some(entry.key.as_str()), |at| entry.key.get(at + 1..)).filter(|_| !is_digest);
            if let Some(kind) = credential::detect(name, text) {
                reporter.report(credential_drafts::credential_draft(
                    &RULE,
                    kind,
                    located.value_place(),
                    &format!("{noun} `{}`", entry.key),
                ));
            }
        }
    }
}
