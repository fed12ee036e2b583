//! `config/too-large`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::names;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "config/too-large",
        severity: Severity::Error,
        summary: "a ConfigMap is too large for Kubernetes or for a client-side apply",
        text: include_str!("too_large.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Kubernetes' `MaxSecretSize`, which also applies to a `ConfigMap`.
const MAX: usize = 1024 * 1024;

/// Kubernetes' `TotalAnnotationSizeLimitB`.
const MAX_ANNOTATIONS: usize = 256 * 1024;

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("", "ConfigMap") {
        return;
    }
    let size = |field: &str| -> usize {
        let entries = object.manifest.root().get(field).and_then(Node::as_mapping);
        let entries = entries.map_or(&[][..], |mapping| mapping.entries());
        entries.iter().filter_map(|entry| entry.value.as_str()).map(str::len).sum()
    };
    let (text, binary) = (size("data"), size("binaryData"));
    let at = object.name_origin();
    if text.saturating_add(binary / 4 * 3) > MAX {
        reporter.report(
            FindingDraft::new(&RULE, at, "the values of this ConfigMap exceed 1 MiB in total").hint(
                "spread the items over several ConfigMaps, and mount them together as a `projected` volume",
            ),
        );
    } else if text.saturating_add(binary) > MAX_ANNOTATIONS && !has_no_last_applied(object) {
        let message = "this ConfigMap exceeds 256 KiB, the limit of client-side apply";
        let hint = format!("annotate it with `{}: ServerSideApply=true`", names::ARGOCD_SYNC_OPTIONS);
        reporter.report(FindingDraft::new(&RULE, at, message).severity(Severity::Note).hint(hint));
    }
}

fn has_no_last_applied(object: &CheckedObject<'_>) -> bool {
    let options = object.manifest.annotation(names::ARGOCD_SYNC_OPTIONS).unwrap_or_default();
    options.split(',').any(|option| matches!(option.trim(), "Replace=true" | "ServerSideApply=true"))
}
