//! `resource/service`.

use std::net::IpAddr;

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, items, key_origin, start_origin, text, value};
use crate::facts::later_stage::LaterStage;
use crate::facts::ports;
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{ENDPOINT_IP, IP, QUALIFIED, SOURCE_RANGE, SUBDOMAIN};
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::names::dns::is_label;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/service",
        severity: Severity::Error,
        summary: "a Service lacks ports or port names, or has an invalid setting",
        text: include_str!("service.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Maximum number of ports whose names are compared.
const MOST: usize = 100;

/// Fields of a Service's spec.
const SECTIONS: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[
            FieldCheck::items("externalIPs", &ENDPOINT_IP),
            FieldCheck::form("loadBalancerClass", &QUALIFIED),
            FieldCheck::items("loadBalancerSourceRanges", &SOURCE_RANGE),
            FieldCheck::one_of("trafficDistribution", &["PreferClose", "PreferSameNode", "PreferSameZone"]),
        ],
    },
    FieldSection { at: "ports[]", fields: &[FieldCheck::form("appProtocol", &QUALIFIED)] },
    FieldSection {
        at: "sessionAffinityConfig.clientIP",
        fields: &[FieldCheck::between("timeoutSeconds", 1, 86_400)],
    },
];

/// Fields that only a Service of type `LoadBalancer` has.
const LOAD_BALANCER_ONLY: &[FieldCheck] = &[
    FieldCheck::absent("allocateLoadBalancerNodePorts", "in a Service of this type"),
    FieldCheck::absent("loadBalancerClass", "in a Service of this type"),
    FieldCheck::absent("loadBalancerSourceRanges", "in a Service of this type"),
];
/// Fields that an `ExternalName` does not have.
const NOT_EXTERNAL_NAME: &[FieldCheck] = &[
    FieldCheck::absent("clusterIP", "in an ExternalName"),
    FieldCheck::absent("clusterIPs", "in an ExternalName"),
    FieldCheck::absent("ipFamilies", "in an ExternalName"),
    FieldCheck::absent("ipFamilyPolicy", "in an ExternalName"),
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("", "Service") {
        return;
    }
    let root = object.manifest.root();
    let Some(spec) = root.get("spec").filter(|spec| spec.as_mapping().is_some()) else { return };
    let stage = LaterStage::for_object(object, context);
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    let kind = text(spec, "type").unwrap_or("ClusterIP");
    checker.check_table(spec, SECTIONS);
    require_ports(root, spec, kind, &mut checker);
    check_type(spec, kind, &mut checker);
    check_affinity(spec, &mut checker);
    for range in items(spec, "loadBalancerSourceRanges") {
        checker.check_host_bits(range);
    }
    if kind != "ExternalName" {
        check_addresses(spec, &mut checker);
    }
    let all = items(spec, "ports");
    for (index, port) in all.iter().enumerate() {
        check_name(port, all, index, &mut checker);
        check_numbers(port, kind, stage, &mut checker);
        node_port_once(port, all.get(..index.min(MOST)).unwrap_or_default(), &mut checker);
    }
}

fn require_ports(root: &Node, spec: &Node, kind: &str, checker: &mut FieldChecker<'_>) {
    let has_none =
        value(spec, "ports").is_none_or(|ports| ports.as_sequence().is_some_and(<[Node]>::is_empty));
    if has_none && matches!(kind, "ClusterIP" | "LoadBalancer" | "NodePort") && !is_headless(spec) {
        let at =
            if spec.get("ports").is_some() { key_origin(spec, "ports") } else { key_origin(root, "spec") };
        let hint = "add the ports, or set `clusterIP: None` for a headless Service";
        checker.report(at, "the Service has no `ports`", hint);
    }
}

fn check_type(spec: &Node, kind: &str, checker: &mut FieldChecker<'_>) {
    match kind {
        "ExternalName" => {
            if value(spec, "externalName").is_none_or(|name| name.as_str() == Some("")) {
                let message = "an ExternalName has no `externalName`";
                checker.report(key_origin(spec, "type"), message, "add the domain that it refers to");
            }
            let is_set =
                |field: &&FieldCheck| value(spec, field.name).is_some_and(|node| node.as_str() != Some(""));
            NOT_EXTERNAL_NAME.iter().filter(is_set).for_each(|field| checker.check_field(spec, field));
            if let Some((node, name)) = spec.get("externalName").and_then(|node| Some((node, node.as_str()?)))
                && !(SUBDOMAIN.accepts)(name.strip_suffix('.').unwrap_or(name))
                && !name.is_empty()
                && !checker.may_fill(name)
            {
                checker.report(node.origin, "`externalName` is not a domain", "write a domain in lower case");
            }
        }
        "LoadBalancer" | "NodePort" if is_headless(spec) => {
            let message = "a Service of this type cannot be headless";
            checker.report(key_origin(spec, "clusterIP"), message, "remove `clusterIP: None`, or the type");
        }
        _ => {}
    }
    if matches!(kind, "ClusterIP" | "ExternalName" | "NodePort") {
        for field in LOAD_BALANCER_ONLY {
            checker.check_field(spec, field);
        }
    }
    let is_external = matches!(kind, "LoadBalancer" | "NodePort") || !items(spec, "externalIPs").is_empty();
    if !is_external && text(spec, "externalTrafficPolicy").is_some() {
        let message =
            format!("a Service of type {} cannot have an `externalTrafficPolicy`", type_for_message(kind));
        checker.report(
            key_origin(spec, "externalTrafficPolicy"),
            message,
            "remove it, or write `type: LoadBalancer`",
        );
    }
    let checks_health = kind == "LoadBalancer" && text(spec, "externalTrafficPolicy") == Some("Local");
    if !checks_health && value(spec, "healthCheckNodePort").and_then(integer).is_some_and(|port| port != 0) {
        let message = "`healthCheckNodePort` needs `type: LoadBalancer` and `externalTrafficPolicy: Local`";
        checker.report(key_origin(spec, "healthCheckNodePort"), message, "remove it");
    }
}

/// Returns a type that is safe to show in a message.
fn type_for_message(kind: &str) -> &str {
    if matches!(kind, "ClusterIP" | "ExternalName") { kind } else { "ClusterIP" }
}

fn check_affinity(spec: &Node, checker: &mut FieldChecker<'_>) {
    if text(spec, "sessionAffinity").unwrap_or("None") == "None"
        && value(spec, "sessionAffinityConfig").is_some()
    {
        let message = "`sessionAffinityConfig` has no effect without `sessionAffinity: ClientIP`";
        let draft = checker.new_draft(key_origin(spec, "sessionAffinityConfig"), message);
        checker.report_draft(draft.severity(Severity::Warning).hint("remove it, or set `sessionAffinity`"));
    }
}

/// Checks `clusterIP`, `clusterIPs` and the address families.
fn check_addresses(spec: &Node, checker: &mut FieldChecker<'_>) {
    let one = spec.get("clusterIP");
    let all = items(spec, "clusterIPs");
    for node in one.into_iter().chain(all) {
        let other = node.as_str().filter(|text| !matches!(*text, "" | "None") && !(IP.accepts)(text));
        if other.is_some_and(|text| !checker.may_fill(text)) {
            let message = "`clusterIP` is neither an IP address nor `None`";
            checker.report(node.origin, message, "write `None` for a headless Service, or remove it");
        }
    }
    let first = all.first().and_then(Node::as_str);
    match one.and_then(Node::as_str).unwrap_or_default() {
        "" if first.is_some_and(|first| !first.is_empty()) => {
            let message = "`clusterIPs` is not allowed without `clusterIP`";
            checker.report(key_origin(spec, "clusterIPs"), message, "add `clusterIP` with the first of them");
        }
        own if !own.is_empty() && first.is_some_and(|first| first != own) => {
            let message = "`clusterIP` is not the first of `clusterIPs`";
            checker.report(key_origin(spec, "clusterIPs"), message, "remove one of the two");
        }
        _ => {}
    }
    if all.len() > 1 && first == Some("None") {
        checker.report(
            key_origin(spec, "clusterIPs"),
            "`None` is not the only cluster address",
            "keep only `None`",
        );
    }
    let families: Vec<bool> = all
        .iter()
        .filter_map(|node| node.as_str()?.parse::<IpAddr>().ok())
        .map(|address| address.is_ipv6())
        .collect();
    if all.len() > 2 || families.len() == 2 && families.first() == families.last() {
        let message = "`clusterIPs` has more than one address of a family";
        checker.report(key_origin(spec, "clusterIPs"), message, "keep at most one IPv4 and one IPv6 address");
    }
    let wanted = items(spec, "ipFamilies");
    if wanted.len() > 2 || wanted.len() == 2 && wanted.first() == wanted.last() {
        checker.report(
            key_origin(spec, "ipFamilies"),
            "`ipFamilies` names a family twice",
            "name each family once",
        );
    }
}

fn is_headless(spec: &Node) -> bool {
    let first = items(spec, "clusterIPs").first().and_then(Node::as_str);
    text(spec, "clusterIP").or(first) == Some("None")
}

fn check_name(port: &Node, all: &[Node], index: usize, checker: &mut FieldChecker<'_>) {
    if port.as_mapping().is_none() {
        return;
    }
    let Some(name) = text(port, "name") else {
        let is_other =
            port.get("name").is_some_and(|name| name.as_str().is_none() && value(port, "name").is_some());
        if all.len() > 1 && !is_other {
            let message = "the port has no name, but is not the only one";
            checker.report(start_origin(port), message, "name each port");
        }
        return;
    };
    let at = port.get("name").map_or(port.origin, |name| name.origin);
    let before = all.get(..index.min(MOST)).unwrap_or_default();
    if !is_label(name) && !checker.may_fill(name) {
        checker.report(
            at,
            "the port name is not valid",
            "use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
        );
    } else if let Some(first) = before.iter().find(|other| text(other, "name") == Some(name)) {
        let first = first.get("name").map_or(first.origin, |name| name.origin);
        let draft = checker.new_draft(at, format!("two ports have the name `{name}`"));
        checker.report_draft(draft.related(first, "the other is here").hint("give each port its own name"));
    }
}

/// Checks that no earlier port has the same `nodePort` and protocol.
fn node_port_once(port: &Node, before: &[Node], checker: &mut FieldChecker<'_>) {
    let key = |port| (value(port, "nodePort").and_then(integer), text(port, "protocol").unwrap_or("TCP"));
    if let own @ (Some(number), _) = key(port)
        && number != 0
        && let Some(first) = before.iter().find(|other| key(other) == own)
    {
        let draft = checker
            .new_draft(key_origin(port, "nodePort"), "two ports have the same `nodePort` and protocol");
        let draft = draft.related(key_origin(first, "nodePort"), "the other is here");
        checker.report_draft(draft.hint("give each its own number, or remove them"));
    }
}

fn check_numbers(port: &Node, kind: &str, stage: LaterStage, checker: &mut FieldChecker<'_>) {
    let number = value(port, "port").and_then(|node| Some((node, ports::number_fault(node)?)));
    // 0 and an empty string mean the port itself.
    let target =
        value(port, "targetPort").filter(|node| integer(node) != Some(0) && node.as_str() != Some(""));
    let target = target.and_then(|node| Some((node, ports::port_fault(node, stage)?)));
    for (node, fault) in number.into_iter().chain(target) {
        checker.report(node.origin, fault.message, fault.hint);
    }
    let Some(node) = port.get("nodePort").filter(|node| integer(node) != Some(0)) else { return };
    if let Some(fault) = ports::number_fault(node) {
        checker.report(node.origin, fault.message, fault.hint);
    } else if kind == "ClusterIP" && integer(node).is_some() {
        let message = "a Service of type ClusterIP cannot have a `nodePort`";
        checker.report(key_origin(port, "nodePort"), message, "remove it, or write `type: NodePort`");
    } else if integer(node).is_some_and(|number| !(30_000..=32_767).contains(&number)) {
        let message = "the `nodePort` is outside of the default range of clusters";
        let draft = checker.new_draft(node.origin, message).severity(Severity::Warning);
        checker.report_draft(draft.hint("write a number from 30000 to 32767, or remove it"));
    }
}
