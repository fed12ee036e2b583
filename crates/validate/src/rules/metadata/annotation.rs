//! `metadata/annotation`.

use super::for_each_metadata;
use super::syntax::is_qualified_name;
use crate::rules::{CheckedObject, FindingDraft, LaterStage, Reporter, Rule, RuleCheck, RuleContext};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::MappingEntry;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "metadata/annotation",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::EveryKind,
        summary: "an annotation has an invalid key, or the annotations are too large",
        page: include_str!("annotation.md"),
    },
    check: RuleCheck::Object(check),
};

/// Kubernetes' `TotalAnnotationSizeLimitB`.
const MAX: usize = 256 * 1024;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let stage = LaterStage::for_object(object, context);
    for_each_metadata(object, |metadata| {
        let Some(entry) = metadata.entry("annotations") else {
            return;
        };
        let entries = entry.value.entries();
        for annotation in entries {
            if let Some(draft) = fault(annotation, stage) {
                reporter.report(draft);
            }
        }
        let length = |entry: &MappingEntry| entry.key.len() + entry.value.as_str().map_or(0, str::len);
        if entries.iter().map(length).sum::<usize>() > MAX {
            let hint = "move the text into a ConfigMap, and its name into the annotation";
            reporter.report(
                FindingDraft::new(&RULE, entry.key_origin, "the annotations exceed 256 KiB in total")
                    .hint(hint),
            );
        }
    });
}

fn fault(entry: &MappingEntry, stage: LaterStage) -> Option<FindingDraft> {
    let key = entry.key.as_str();
    // Kubernetes checks the key in lower case.
    let is_valid = is_qualified_name(key) || is_qualified_name(&key.to_ascii_lowercase());
    if !is_valid && !stage.may_fill(key) {
        let hint = "use a name of at most 63 letters, digits, `-`, `_` and `.`, optionally after a DNS subdomain and `/`";
        return Some(
            FindingDraft::new(&RULE, entry.key_origin, "the annotation key is not valid").hint(hint),
        );
    }
    None
}
