//! `resource/service`.

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{integer, items, key_at, start, text, value};
use crate::lints::metadata::syntax::{is_label, is_unfinished};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene, ports};
use crate::model::{Node, Origin};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/service",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "a Service lacks ports or names of them, or has some that Kubernetes does not take",
        explanation: "Of several ports each has a name of its own. `port` and `targetPort` are 1 to 65535, or `targetPort` is the \
                      name of a container's port: a number in quotes is neither. A Service has ports, unless it is headless \
                      or an ExternalName, which has `externalName`. Only NodePort and LoadBalancer have a `nodePort`. The API \
                      server refuses the object. A `nodePort` outside of 30000-32767 is a warning: clusters may have another \
                      range.",
        example: "ports:\n- {port: 80, targetPort: \"8080\"}\n- {port: 443, targetPort: https}\n",
        remedy: "```yaml\nports:\n- {name: http, port: 80, targetPort: 8080}\n- {name: https, port: 443, targetPort: https}\n```",
    },
    check: Check::Object(check),
};

/// Ports whose names are compared.
const MOST: usize = 100;

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is("", "Service") {
        return;
    }
    let root = object.manifest.root();
    let Some(spec) = root.get("spec").filter(|spec| spec.as_mapping().is_some()) else { return };
    let kind = text(spec, "type").unwrap_or("ClusterIP");
    let all = items(spec, "ports");
    let mut report = |at: Origin, message: &str, hint: &'static str| {
        reporter.report(Draft::new(&RULE, at, message).hint(hint));
    };
    let is_headless = is_headless(spec);
    match kind {
        "ExternalName" if value(spec, "externalName").is_none_or(|name| name.as_str() == Some("")) => {
            report(
                key_at(spec, "type"),
                "an ExternalName has no `externalName`",
                "add the domain that it stands for",
            );
        }
        "LoadBalancer" | "NodePort" if is_headless => {
            let message = "a Service of this type cannot be headless";
            report(key_at(spec, "clusterIP"), message, "remove `clusterIP: None`, or the type");
        }
        "ClusterIP" | "LoadBalancer" | "NodePort" => {
            let has_none =
                value(spec, "ports").is_none_or(|ports| ports.as_sequence().is_some_and(<[Node]>::is_empty));
            if has_none && !is_headless {
                let at =
                    if spec.get("ports").is_some() { key_at(spec, "ports") } else { key_at(root, "spec") };
                report(
                    at,
                    "the Service has no `ports`",
                    "add the ports, or make it headless with `clusterIP: None`",
                );
            }
        }
        _ => {}
    }
    for (index, port) in all.iter().enumerate() {
        names(port, all, index, reporter);
        numbers(port, kind, reporter);
    }
}

fn is_headless(spec: &Node) -> bool {
    let first = items(spec, "clusterIPs").first().and_then(Node::as_str);
    text(spec, "clusterIP").or(first) == Some("None")
}

fn names(port: &Node, all: &[Node], index: usize, reporter: &mut Reporter) {
    if port.as_mapping().is_none() {
        return;
    }
    let Some(name) = text(port, "name") else {
        let is_other =
            port.get("name").is_some_and(|name| name.as_str().is_none() && value(port, "name").is_some());
        if all.len() > 1 && !is_other {
            let draft = Draft::new(&RULE, start(port), "the port has no name, and is not the only one");
            reporter.report(draft.hint("name each port of a Service that has several"));
        }
        return;
    };
    let at = port.get("name").map_or(port.origin, |name| name.origin);
    let before = all.get(..index.min(MOST)).unwrap_or_default();
    if !is_label(name) && !is_unfinished(name) {
        let draft = Draft::new(&RULE, at, "the name of the port is not valid");
        reporter.report(
            draft.hint(
                "use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
            ),
        );
    } else if let Some(first) = before.iter().find(|other| text(other, "name") == Some(name)) {
        let draft = Draft::new(&RULE, at, format!("two ports have the name `{name}`"));
        let first = first.get("name").map_or(first.origin, |name| name.origin);
        reporter.report(draft.related(first, "the other is here").hint("give each its own name"));
    }
}

fn numbers(port: &Node, kind: &str, reporter: &mut Reporter) {
    let number = value(port, "port").and_then(|node| Some((node, ports::number(node)?)));
    // 0 and an empty text mean the port itself.
    let target =
        value(port, "targetPort").filter(|node| integer(node) != Some(0) && node.as_str() != Some(""));
    let target = target.and_then(|node| Some((node, ports::number_or_name(node)?)));
    for (node, fault) in number.into_iter().chain(target) {
        reporter.report(Draft::new(&RULE, node.origin, fault.message).hint(fault.hint));
    }
    let Some(node) = port.get("nodePort").filter(|node| integer(node) != Some(0)) else { return };
    if let Some(fault) = ports::number(node) {
        reporter.report(Draft::new(&RULE, node.origin, fault.message).hint(fault.hint));
    } else if kind == "ClusterIP" && integer(node).is_some() {
        let draft = Draft::new(
            &RULE,
            key_at(port, "nodePort"),
            "a Service of type ClusterIP cannot have a `nodePort`",
        );
        reporter.report(draft.hint("remove it, or write `type: NodePort`"));
    } else if integer(node).is_some_and(|number| !(30_000..=32_767).contains(&number)) {
        let draft = Draft::new(
            &RULE,
            node.origin,
            "the `nodePort` is outside of the range that clusters have by default",
        );
        reporter
            .report(draft.severity(Severity::Warning).hint("write a number from 30000 to 32767, or none"));
    }
}
