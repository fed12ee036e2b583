//! `metadata/annotation`.

use super::each_metadata;
use super::syntax::is_qualified_name;
use crate::rules::{Check, Draft, LaterStage, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Entry;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "metadata/annotation",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::EveryKind,
        summary: "an annotation has an invalid key, or the annotations are too large",
        page: include_str!("annotation.md"),
    },
    check: Check::Object(check),
};

/// Kubernetes' `TotalAnnotationSizeLimitB`.
const MAX: usize = 256 * 1024;

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    let stage = LaterStage::of(object, context);
    each_metadata(object, |metadata| {
        let Some(entry) = metadata.entry("annotations") else {
            return;
        };
        let entries = entry.value.as_mapping().map_or(&[][..], |mapping| mapping.entries());
        for annotation in entries {
            if let Some(draft) = fault(annotation, stage) {
                reporter.report(draft);
            }
        }
        let length = |entry: &Entry| entry.key.len() + entry.value.as_str().map_or(0, str::len);
        if entries.iter().map(length).sum::<usize>() > MAX {
            let hint = "move the text into a ConfigMap, and its name into the annotation";
            reporter.report(
                Draft::new(&RULE, entry.key_origin, "the annotations exceed 256 KiB in total").hint(hint),
            );
        }
    });
}

fn fault(entry: &Entry, stage: LaterStage) -> Option<Draft> {
    let key = entry.key.as_str();
    // Kubernetes checks the key in lower case.
    let is_valid = is_qualified_name(key) || is_qualified_name(&key.to_ascii_lowercase());
    if !is_valid && !stage.may_fill(key) {
        let hint = "use a name of at most 63 letters, digits, `-`, `_` and `.`, optionally after a DNS subdomain and `/`";
        return Some(Draft::new(&RULE, entry.key_origin, "the annotation key is not valid").hint(hint));
    }
    None
}
