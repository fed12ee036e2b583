//! `workload/probe-port`.

use std::collections::HashSet;

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{entries, items, text, value};
use crate::facts::later_stage::is_template;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/probe-port",
        severity: Severity::Error,
        summary: "a probe or a hook names a port that its container does not have",
        text: include_str!("probe_port.md"),
    },
    RuleCheck::Pod(check),
);

const CALLERS: &[&str] = &["livenessProbe", "readinessProbe", "startupProbe"];

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    for (_, container) in containers(spec) {
        let ports = items(container, "ports");
        let names: HashSet<&str> = ports.iter().filter_map(|port| text(port, "name")).collect();
        if names.iter().any(|name| is_template(name)) {
            continue;
        }
        for port in handlers(container).filter_map(port) {
            let name = port.as_str().unwrap_or_default();
            if names.contains(name) {
                continue;
            }
            let draft = FindingDraft::new(&RULE, port.origin, "the container has no port of this name");
            let draft = match ports.first() {
                Some(first) => draft.related(first.origin, "its ports are here"),
                None => draft,
            };
            reporter.report(draft.hint("use the name of one of the container's `ports`, or the number"));
        }
    }
}

fn handlers(container: &Node) -> impl Iterator<Item = &Node> {
    let probes = CALLERS.iter().filter_map(|probe| value(container, probe));
    probes.chain(entries(container, "lifecycle").iter().map(|hook| &hook.value))
}

/// Returns the port of a probe or hook if it is a name; `workload/probe` reports digits in quotes.
fn port(handler: &Node) -> Option<&Node> {
    let call = ["httpGet", "tcpSocket"].iter().find_map(|call| value(handler, call))?;
    let port = call.get("port")?;
    let name = port.as_str().filter(|name| !name.is_empty() && !is_template(name))?;
    (!name.bytes().all(|byte| byte.is_ascii_digit())).then_some(port)
}
