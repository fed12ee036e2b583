//! `resource/network-policy`.

use std::net::IpAddr;

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, items, key_origin, set_entries, start_origin, value};
use crate::facts::later_stage::LaterStage;
use crate::facts::ports;
use crate::facts::rule_context::RuleContext;
use crate::field_checks::FieldChecker;
use crate::field_checks::forms::CIDR;
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/network-policy",
        severity: Severity::Error,
        summary: "a NetworkPolicy has an invalid peer, port, or network",
        text: include_str!("network_policy.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("networking.k8s.io", "NetworkPolicy") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec") else { return };
    let stage = LaterStage::for_object(object, context);
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    if let Some(selector) = value(spec, "podSelector") {
        checker.check_expressions(selector, "matchExpressions");
    }
    for (direction, side) in [("ingress", "from"), ("egress", "to")] {
        for rule in items(spec, direction) {
            for peer in items(rule, side).iter().filter(|peer| peer.as_mapping().is_some()) {
                check_peer(peer, &mut checker);
            }
            for port in items(rule, "ports").iter().filter(|port| port.as_mapping().is_some()) {
                check_port(port, stage, &mut checker);
            }
        }
    }
    if items(spec, "policyTypes").len() > 2 {
        let message = "`policyTypes` has more than two items";
        checker.report(key_origin(spec, "policyTypes"), message, "name each type once");
    }
}

fn check_port(port: &Node, stage: LaterStage, checker: &mut FieldChecker<'_>) {
    let first = value(port, "port");
    if let Some(node) = first
        && let Some(fault) = ports::port_fault(node, stage)
    {
        checker.report(node.origin, fault.message, fault.hint);
    }
    let Some(last) = value(port, "endPort") else { return };
    let Some(first) = first.and_then(integer) else {
        if first.is_none_or(|first| first.as_str().is_some_and(|text| !checker.may_fill(text))) {
            let message = "`endPort` needs a `port` that is a number";
            checker.report(
                key_origin(port, "endPort"),
                message,
                "write the first port of the range as `port`",
            );
        }
        return;
    };
    if integer(last).is_some_and(|last| last < first) {
        checker.report(last.origin, "`endPort` is less than `port`", "write the last port of the range");
    } else if let Some(fault) = ports::number_fault(last) {
        checker.report(last.origin, fault.message, fault.hint);
    }
}

fn check_peer(peer: &Node, checker: &mut FieldChecker<'_>) {
    for field in ["namespaceSelector", "podSelector"] {
        if let Some(selector) = value(peer, field) {
            checker.check_selector(selector);
        }
    }
    let selectors = set_entries(peer, &["namespaceSelector", "podSelector"]);
    let Some(block) = value(peer, "ipBlock") else {
        if selectors.is_empty() {
            let hint =
                "write `podSelector: {}` for all pods of the namespace, or remove the list for all peers";
            checker.report(start_origin(peer), "a peer is empty", hint);
        }
        return;
    };
    if let Some(selector) = selectors.first() {
        let message = format!("a peer with `ipBlock` cannot have `{}`", selector.key);
        checker.report(selector.key_origin, message, "split it into two peers");
    }
    for network in block.get("cidr").into_iter().chain(items(block, "except")) {
        let other = network.as_str().filter(|text| !(CIDR.accepts)(text) && !checker.may_fill(text));
        if other.is_some() {
            let message = "the network is not in CIDR notation";
            checker.report(network.origin, message, CIDR.hint);
        }
        checker.check_host_bits(network);
    }
    let Some(whole) = block.get("cidr").and_then(network) else { return };
    for part in items(block, "except") {
        if network(part).is_some_and(|part| !is_inside(part, whole)) {
            let message = "a network of `except` is not part of `cidr`";
            checker.report(part.origin, message, "write a smaller network within `cidr`");
        }
    }
}

/// Address bits, prefix length, and whether it is IPv6.
type IpNetwork = (u128, u32, bool);

fn network(node: &Node) -> Option<IpNetwork> {
    let (address, length) = node.as_str()?.split_once('/')?;
    let length: u32 = length.parse().ok()?;
    match address.parse().ok()? {
        IpAddr::V4(address) => Some((u128::from(u32::from(address)) << 96, length, false)),
        IpAddr::V6(address) => Some((u128::from(address), length, true)),
    }
}

fn is_inside(part: IpNetwork, whole: IpNetwork) -> bool {
    let mask = u128::MAX.checked_shl(128_u32.saturating_sub(whole.1)).unwrap_or(0);
    part.2 == whole.2 && part.1 > whole.1 && part.0 & mask == whole.0 & mask
}
