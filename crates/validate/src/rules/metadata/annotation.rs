//! `metadata/annotation`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::LaterStage;
use crate::facts::name_syntax::is_qualified_name;
use crate::facts::rule_context::RuleContext;
use crate::located::LocatedEntry;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::MappingEntry;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "metadata/annotation",
        severity: Severity::Error,
        summary: "an annotation has an invalid key, or the annotations are too large",
        text: include_str!("annotation.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::EveryKind);

/// Kubernetes' `TotalAnnotationSizeLimitB`.
const MAX: usize = 256 * 1024;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let stage = LaterStage::for_object(object, context);
    for metadata in object.located_metadata() {
        let Some(entry) = metadata.entry("annotations") else { continue };
        let entries = entry.entry.value.entries();
        for annotation in metadata.entries_at("annotations") {
            if let Some(draft) = fault(&annotation, stage) {
                reporter.report(draft);
            }
        }
        let length = |entry: &MappingEntry| entry.key.len() + entry.value.as_str().map_or(0, str::len);
        if entries.iter().map(length).sum::<usize>() > MAX {
            let hint = "move the text into a ConfigMap, and its name into the annotation";
            reporter.report(
                FindingDraft::new(&RULE, entry.key_place(), "the annotations exceed 256 KiB in total")
                    .hint(hint),
            );
        }
    }
}

fn fault(located: &LocatedEntry<'_>, stage: LaterStage) -> Option<FindingDraft> {
    let key = located.entry.key.as_str();
    // Kubernetes checks the key in lower case.
    let is_valid = is_qualified_name(key) || is_qualified_name(&key.to_ascii_lowercase());
    if !is_valid && !stage.may_fill(key) {
        let hint = "use a name of at most 63 letters, digits, `-`, `_` and `.`, optionally after a DNS subdomain and `/`";
        return Some(
            FindingDraft::new(&RULE, located.key_place(), "the annotation key is not valid").hint(hint),
        );
    }
    None
}
