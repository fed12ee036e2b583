//! `metadata/finalizer`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::LaterStage;
use crate::facts::name_syntax::is_qualified_name;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "metadata/finalizer",
        severity: Severity::Error,
        summary: "a finalizer has an invalid name",
        text: include_str!("finalizer.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::EveryKind);

const STANDARD: &[&str] = &["foregroundDeletion", "kubernetes", "orphan"];
/// Groups whose validation requires a domain.
const GROUPS: &[&str] = &[
    "",
    "apps",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(finalizers) = object.located().at(&["metadata", "finalizers"]) else { return };
    let stage = LaterStage::for_object(object, context);
    for node in finalizers.items() {
        let Some(name) = node.node.as_str().filter(|name| !stage.may_fill(name)) else { continue };
        let lacks_domain = !name.contains('/') && !STANDARD.contains(&name) && GROUPS.contains(&object.group);
        let message = match (is_qualified_name(name), lacks_domain) {
            (false, _) => "the finalizer name is not valid",
            (true, true) => "the finalizer name has no domain",
            (true, false) => continue,
        };
        reporter.report(
            FindingDraft::new(&RULE, node.place(), message).hint("write a domain, a slash and a name"),
        );
    }
}
