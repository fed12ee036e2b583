//! `workload/probe`.

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, key_origin, quoted_list, set_entries, text, value};
use crate::facts::later_stage::LaterStage;
use crate::facts::ports;
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::HTTP_HEADER;
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/probe",
        severity: Severity::Error,
        summary: "a probe or a hook of a container does not have exactly one action, or is not allowed there",
        text: include_str!("probe.md"),
    },
    RuleCheck::Pod(check),
)
.refused(ApiRefusal::BuiltInKinds);

const PROBES: &[&str] = &["livenessProbe", "readinessProbe", "startupProbe"];
const PROBE_HANDLERS: &[&str] = &["exec", "grpc", "httpGet", "tcpSocket"];
const HOOKS: &[&str] = &["postStart", "preStop"];
const HOOK_HANDLERS: &[&str] = &["exec", "httpGet", "sleep", "tcpSocket"];
/// Default grace period of a pod, in seconds.
const DEFAULT_GRACE: i64 = 30;

/// Fields of a probe.
const NUMBERS: &[FieldCheck] = &[
    FieldCheck::at_least("failureThreshold", 0),
    FieldCheck::at_least("initialDelaySeconds", 0),
    FieldCheck::at_least("periodSeconds", 0),
    FieldCheck::at_least("successThreshold", 0),
    FieldCheck::at_least("timeoutSeconds", 0),
];
/// Fields of the handlers of probes and hooks.
const HANDLERS: &[FieldSection] = &[
    FieldSection { at: "exec", fields: &[FieldCheck::present("command")] },
    FieldSection { at: "grpc", fields: &[FieldCheck::between("port", 1, 65_535)] },
    FieldSection {
        at: "httpGet.httpHeaders[]",
        fields: &[FieldCheck::not_empty("name"), FieldCheck::form("name", &HTTP_HEADER)],
    },
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let stage = LaterStage::for_object(object, context);
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    let grace = value(spec, "terminationGracePeriodSeconds").map_or(Some(DEFAULT_GRACE), integer);
    for (list, container) in containers(spec) {
        if list == "initContainers" && text(container, "restartPolicy") != Some("Always") {
            check_init_container(container, &mut checker);
            continue;
        }
        for probe in set_entries(container, PROBES) {
            check_handlers(container, &probe.key, &probe.value, PROBE_HANDLERS, stage, &mut checker);
            check_probe(&probe.key, &probe.value, &mut checker);
        }
        if let Some(lifecycle) = value(container, "lifecycle") {
            for hook in set_entries(lifecycle, HOOKS) {
                check_handlers(lifecycle, &hook.key, &hook.value, HOOK_HANDLERS, stage, &mut checker);
                check_sleep(&hook.value, grace, &mut checker);
            }
            if value(lifecycle, "stopSignal").is_some() && spec.at(&["os", "name"]).is_none() {
                // Clusters without the feature drop the field.
                let message = "`stopSignal` has no effect without `os` of the pod";
                let draft = checker.new_draft(key_origin(lifecycle, "stopSignal"), message);
                checker.report_draft(
                    draft.severity(Severity::Warning).hint("set `os: {name: linux}` in the pod"),
                );
            }
        }
    }
}

fn check_probe(name: &str, probe: &Node, checker: &mut FieldChecker<'_>) {
    for field in NUMBERS {
        checker.check_field(probe, field);
    }
    let threshold = value(probe, "successThreshold").filter(|_| name != "readinessProbe");
    if let Some(threshold) = threshold
        && integer(threshold).is_some_and(|number| number > 1)
    {
        let message = format!("`successThreshold` of a `{name}` must be 1");
        checker.report(threshold.origin, message, "remove it");
    }
    if name == "readinessProbe" {
        if value(probe, "terminationGracePeriodSeconds").is_some() {
            let message = "a `readinessProbe` cannot have `terminationGracePeriodSeconds`";
            checker.report(key_origin(probe, "terminationGracePeriodSeconds"), message, "remove it");
        }
    } else {
        checker.check_field(probe, &FieldCheck::at_least("terminationGracePeriodSeconds", 1));
    }
}

fn check_sleep(hook: &Node, grace: Option<i64>, checker: &mut FieldChecker<'_>) {
    let Some(seconds) = hook.at(&["sleep", "seconds"]) else { return };
    let (Some(number), Some(grace)) = (integer(seconds), grace) else { return };
    if !(0..=grace).contains(&number) {
        let message = "a hook sleeps longer than the grace period of the pod, or for a negative time";
        checker.report(seconds.origin, message, "shorten it, or increase `terminationGracePeriodSeconds`");
    }
}

fn check_init_container(container: &Node, checker: &mut FieldChecker<'_>) {
    for field in set_entries(container, &["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"]) {
        let message = format!("an init container cannot have `{}`", field.key);
        let hint = "remove it, or make the container a sidecar with `restartPolicy: Always`";
        checker.report(field.key_origin, message, hint);
    }
}

fn check_handlers(
    parent: &Node,
    name: &str,
    node: &Node,
    known: &[&str],
    stage: LaterStage,
    checker: &mut FieldChecker<'_>,
) {
    if node.as_mapping().is_none() {
        return;
    }
    let found = set_entries(node, known);
    match found.as_slice() {
        [] => {
            let message = format!("`{name}` has no action");
            checker.report(key_origin(parent, name), message, format!("add one of {}", quoted_list(known)));
        }
        [_] => {}
        [first, second, ..] => {
            let message =
                format!("`{name}` has both `{}` and `{}`, but can have only one", first.key, second.key);
            let draft = checker.new_draft(second.key_origin, message).hint("remove one of them");
            checker.report_draft(draft.related(first.key_origin, "the other is here"));
        }
    }
    checker.check_table(node, HANDLERS);
    for handler in found.iter().filter(|handler| matches!(handler.key.as_str(), "httpGet" | "tcpSocket")) {
        let Some(port) = value(&handler.value, "port") else { continue };
        if let Some(fault) = ports::port_fault(port, stage) {
            checker.report(port.origin, fault.message, fault.hint);
        }
    }
}
