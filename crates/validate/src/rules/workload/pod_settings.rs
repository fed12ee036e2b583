//! `workload/pod-settings`.

use std::collections::HashSet;

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, items, key_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{IP, LABEL, SEARCH_DOMAIN, SUBDOMAIN};
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, NodeValue};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/pod-settings",
        severity: Severity::Error,
        summary: "a pod has an invalid name, address, host port or DNS setting",
        text: include_str!("pod_settings.md"),
    },
    RuleCheck::Pod(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Fields of a pod's spec.
const SECTIONS: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[
            FieldCheck::between("activeDeadlineSeconds", 1, i32::MAX as i64),
            FieldCheck::form("hostname", &LABEL),
            FieldCheck::form("serviceAccountName", &SUBDOMAIN),
            FieldCheck::form("subdomain", &LABEL),
        ],
    },
    FieldSection {
        at: "dnsConfig",
        fields: &[FieldCheck::items("nameservers", &IP), FieldCheck::items("searches", &SEARCH_DOMAIN)],
    },
    FieldSection { at: "dnsConfig.options[]", fields: &[FieldCheck::present("name")] },
    FieldSection {
        at: "hostAliases[]",
        fields: &[
            FieldCheck::not_empty("ip"),
            FieldCheck::form("ip", &IP),
            FieldCheck::items("hostnames", &SUBDOMAIN),
        ],
    },
    FieldSection {
        at: "resourceClaims[]",
        fields: &[FieldCheck::not_empty("name"), FieldCheck::form("name", &LABEL)],
    },
];

/// Maximum number of name servers of a pod.
const MOST_SERVERS: usize = 3;
const MOST_SEARCHES: usize = 32;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.check_table(spec, SECTIONS);
    check_dns(spec, &mut checker);
    check_host_ports(spec, &mut checker);
    if object.group != "batch" && object.kind != "Pod" && value(spec, "activeDeadlineSeconds").is_some() {
        let message = format!("the pods of a {} cannot have `activeDeadlineSeconds`", object.kind);
        checker.report(
            key_origin(spec, "activeDeadlineSeconds"),
            message,
            "remove it: these pods run indefinitely",
        );
    }
    if !items(spec, "ephemeralContainers").is_empty() {
        let message = "`ephemeralContainers` is not allowed in a manifest";
        let hint = "remove it: `kubectl debug` adds them to a running pod";
        checker.report(key_origin(spec, "ephemeralContainers"), message, hint);
    }
    if text(spec, "nodeName").is_some() && !items(spec, "schedulingGates").is_empty() {
        let message = "`nodeName` is not allowed with `schedulingGates`";
        if object.kind == "Pod" {
            checker.report(key_origin(spec, "nodeName"), message, "remove one of them");
        }
    }
}

fn check_dns(spec: &Node, checker: &mut FieldChecker<'_>) {
    let config = value(spec, "dnsConfig");
    let servers = config.map_or(&[][..], |config| items(config, "nameservers"));
    if text(spec, "dnsPolicy") == Some("None") && servers.is_empty() {
        let message = "`dnsPolicy: None` needs a name server in `dnsConfig`";
        checker.report(key_origin(spec, "dnsPolicy"), message, "add `dnsConfig: {nameservers: […]}`");
    }
    let Some(config) = config else { return };
    for (field, most) in [("nameservers", MOST_SERVERS), ("searches", MOST_SEARCHES)] {
        if items(config, field).len() > most {
            let message = format!("`{field}` has more than {most} items");
            checker.report(key_origin(config, field), message, "remove some");
        }
    }
}

/// Checks that each host port is used only once.
fn check_host_ports(spec: &Node, checker: &mut FieldChecker<'_>) {
    let on_host = matches!(spec.get("hostNetwork").map(|flag| &flag.value), Some(NodeValue::Bool(true)));
    let mut seen = HashSet::new();
    for container in items(spec, "containers") {
        for port in items(container, "ports") {
            let Some(node) = value(port, "hostPort") else { continue };
            let Some(number) = integer(node).filter(|number| *number != 0) else { continue };
            let own = value(port, "containerPort").and_then(integer);
            if on_host && own.is_some_and(|own| own != number) {
                let message = "`hostPort` differs from `containerPort`, but the pod uses the host network";
                checker.report(node.origin, message, "write the same number, or remove `hostPort`");
            }
            let protocol = text(port, "protocol").unwrap_or("TCP");
            let address = text(port, "hostIP").unwrap_or_default();
            if !seen.insert((protocol, address, number)) {
                let message = "a host port is used twice";
                checker.report(node.origin, message, "give each container port its own `hostPort`");
            }
        }
    }
}
