//! `workload/container-port`.

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, items, text, value};
use crate::facts::later_stage::LaterStage;
use crate::facts::ports;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/container-port",
        severity: Severity::Error,
        summary: "a container port has an invalid number or name",
        text: include_str!("container_port.md"),
    },
    RuleCheck::Pod(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Maximum number of ports per container whose names are compared.
const MOST: usize = 100;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let stage = LaterStage::for_object(object, context);
    for (_, container) in containers(spec) {
        let all = items(container, "ports");
        for (index, port) in all.iter().enumerate() {
            check_numbers(port, reporter);
            let before = all.get(..index.min(MOST)).unwrap_or_default();
            check_name(port, before, stage, reporter);
        }
    }
}

fn check_numbers(port: &Node, reporter: &mut Reporter) {
    for field in ["containerPort", "hostPort"] {
        // 0 means no host port.
        let Some(node) = value(port, field).filter(|node| field != "hostPort" || integer(node) != Some(0))
        else {
            continue;
        };
        if let Some(fault) = ports::number_fault(node) {
            reporter.report(FindingDraft::new(&RULE, node.origin, fault.message).hint(fault.hint));
        }
    }
}

fn check_name(port: &Node, before: &[Node], stage: LaterStage, reporter: &mut Reporter) {
    let (Some(node), Some(name)) = (port.get("name"), text(port, "name")) else { return };
    if let Some(fault) = ports::name_fault(name, stage) {
        reporter.report(FindingDraft::new(&RULE, node.origin, fault.message).hint(fault.hint));
    } else if let Some(first) = before.iter().find(|other| text(other, "name") == Some(name)) {
        let draft = FindingDraft::new(
            &RULE,
            node.origin,
            format!("two ports of the container have the name `{name}`"),
        );
        let first = first.get("name").map_or(first.origin, |name| name.origin);
        reporter.report(draft.related(first, "the other is here").hint("give each its own name"));
    }
}
