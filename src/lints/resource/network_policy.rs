//! `resource/network-policy`.

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{items, set, start, value};
use crate::lints::metadata::syntax::is_unfinished;
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Node;
use crate::schema::is_cidr;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/network-policy",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "a NetworkPolicy has a peer that is none, or a network without its mask",
        explanation: "`cidr` and `except` of an `ipBlock` are networks like `10.0.0.0/8`; a single address has `/32` (`/128` in \
                      IPv6). A peer has selectors or an `ipBlock`, and not both or neither. The API server refuses the object.",
        example: "egress:\n- to:\n  - ipBlock: {cidr: 10.1.2.3}\n",
        remedy: "```yaml\negress:\n- to:\n  - ipBlock: {cidr: 10.1.2.3/32}\n```",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is("networking.k8s.io", "NetworkPolicy") {
        return;
    }
    let Some(spec) = object.manifest.root().get("spec") else { return };
    for (direction, side) in [("ingress", "from"), ("egress", "to")] {
        for peer in items(spec, direction).iter().flat_map(|rule| items(rule, side)) {
            of_peer(peer, reporter);
        }
    }
}

fn of_peer(peer: &Node, reporter: &mut Reporter) {
    if peer.as_mapping().is_none() {
        return;
    }
    let Some(block) = value(peer, "ipBlock") else {
        if peer.as_mapping().is_some_and(|peer| peer.entries().is_empty()) {
            let draft = Draft::new(&RULE, start(peer), "a peer is empty");
            reporter.report(draft.hint(
                "write `podSelector: {}` for all pods of the namespace, or remove the list for all peers",
            ));
        }
        return;
    };
    if let Some(selector) = set(peer, &["namespaceSelector", "podSelector"]).first() {
        let message = format!("a peer with `ipBlock` cannot have `{}`", selector.key);
        reporter.report(Draft::new(&RULE, selector.key_origin, message).hint("make two peers of it"));
    }
    for network in block.get("cidr").into_iter().chain(items(block, "except")) {
        if network.as_str().is_some_and(is_no_network) {
            let draft = Draft::new(&RULE, network.origin, "this is no network with the length of its prefix");
            reporter.report(draft.hint("write a network, like `10.0.0.0/8`, or an address with `/32`"));
        }
    }
}

/// Octets with leading zeros were let pass for long.
fn is_no_network(text: &str) -> bool {
    let zeros = text.split(['.', '/']).take(4).any(|octet| octet.len() > 1 && octet.starts_with('0'));
    !is_cidr(text) && !zeros && !is_unfinished(text)
}
