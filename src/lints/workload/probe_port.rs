//! `workload/probe-port`.

use std::collections::HashSet;

use super::plain_pod;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::fields::{entries, items, text, value};
use crate::lints::later_stage::is_template;
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Node;
use crate::model::pods::containers;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/probe-port",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a probe or a hook names a port that its container does not have",
        explanation: "The kubelet looks up the name of a port among the `ports` of the same container. The API server accepts \
                      a name that is not there; then a liveness or startup probe never succeeds and the container is \
                      restarted for ever, a readiness probe keeps the pod out of its Services, and a hook fails. Ports of \
                      other containers of the pod do not count.",
        example: "ports:\n- {name: http, containerPort: 8080}\nreadinessProbe:\n  httpGet: {path: /healthz, port: web}\n",
        remedy: "Use the name of one of the container's ports, or the number:\n\n\
                 ```yaml\nreadinessProbe:\n  httpGet: {path: /healthz, port: http}\n```",
    },
    check: Check::Pod(check),
};

const CALLERS: &[&str] = &["livenessProbe", "readinessProbe", "startupProbe"];

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
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
            let draft = Draft::new(&RULE, port.origin, "the container has no port of this name");
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
