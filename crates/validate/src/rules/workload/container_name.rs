//! `workload/container-name`.

use std::collections::HashMap;

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{key_origin, value};
use crate::facts::later_stage::LaterStage;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_core::names::dns::is_label;
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/container-name",
        severity: Severity::Error,
        summary: "a container has an invalid or duplicate name, or a pod has no containers",
        text: include_str!("container_name.md"),
    },
    RuleCheck::Pod(check),
)
.refused(ApiRefusal::BuiltInKinds);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let stage = LaterStage::for_object(object, context);
    let list = value(spec, "containers");
    // The schema reports a missing list.
    if list.is_some_and(|list| list.as_sequence().is_some_and(<[Node]>::is_empty)) {
        let draft = FindingDraft::new(&RULE, key_origin(spec, "containers"), "the pod has no containers");
        reporter.report(draft.hint("add the container that runs the program"));
    }
    let mut seen: HashMap<&str, (&str, Origin)> = HashMap::new();
    for (list, container) in containers(spec) {
        let Some(node) = container.get("name") else { continue };
        let Some(name) = node.as_str() else { continue };
        if !is_label(name) && !stage.may_fill(name) {
            let draft = FindingDraft::new(&RULE, node.origin, "the container name is not valid");
            reporter.report(draft.hint(
                "use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
            ));
        }
        match seen.get(name) {
            // The schema reports duplicates within a list.
            Some((other, first)) if *other != list => {
                let message = format!("two containers of the pod have the name `{name}`");
                let draft =
                    FindingDraft::new(&RULE, node.origin, message).related(*first, "the other is here");
                reporter.report(
                    draft.hint(
                        "give each its own name: containers and init containers share one set of names",
                    ),
                );
            }
            Some(_) => {}
            None => {
                seen.insert(name, (list, node.origin));
            }
        }
    }
}
