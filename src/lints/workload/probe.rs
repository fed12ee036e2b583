//! `workload/probe`.

use super::plain_pod;
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{integer, key_at, listed, set, text, value};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene, ports};
use crate::model::Node;
use crate::model::pods::containers;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/probe",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "a probe or a hook of a container does not say one thing to do, or stands where there is none",
        explanation: "A probe has exactly one of `exec`, `grpc`, `httpGet` and `tcpSocket`; a hook of `lifecycle` one of \
                      `exec`, `httpGet`, `sleep` and `tcpSocket`. Its port is a number, or the name of one: a number in \
                      quotes is neither. `successThreshold` of a liveness or startup probe is 1. An init container has none \
                      of them, unless it is a sidecar (`restartPolicy: Always`). The API server refuses the object.",
        example: "livenessProbe:\n  periodSeconds: 10   # and nothing to do\n",
        remedy: "```yaml\nlivenessProbe:\n  httpGet: {path: /healthz, port: 8080}\n  periodSeconds: 10\n```",
    },
    check: Check::Pod(check),
};

const PROBES: &[&str] = &["livenessProbe", "readinessProbe", "startupProbe"];
const OF_PROBES: &[&str] = &["exec", "grpc", "httpGet", "tcpSocket"];
const HOOKS: &[&str] = &["postStart", "preStop"];
const OF_HOOKS: &[&str] = &["exec", "httpGet", "sleep", "tcpSocket"];

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    for (list, container) in containers(spec) {
        if list == "initContainers" && text(container, "restartPolicy") != Some("Always") {
            not_in_init_container(container, reporter);
            continue;
        }
        for probe in set(container, PROBES) {
            let (name, node) = (probe.key.as_str(), &probe.value);
            handlers(container, name, node, OF_PROBES, reporter);
            let threshold = value(node, "successThreshold");
            if let Some(threshold) = threshold.filter(|_| name != "readinessProbe")
                && integer(threshold).is_some_and(|number| !matches!(number, 0 | 1))
            {
                let message = format!("`successThreshold` of a `{name}` can be 1 only");
                reporter.report(Draft::new(&RULE, threshold.origin, message).hint("remove it"));
            }
        }
        if let Some(lifecycle) = value(container, "lifecycle") {
            for hook in set(lifecycle, HOOKS) {
                handlers(lifecycle, &hook.key, &hook.value, OF_HOOKS, reporter);
            }
        }
    }
}

fn not_in_init_container(container: &Node, reporter: &mut Reporter) {
    for field in set(container, &["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"]) {
        let message = format!("an init container cannot have `{}`", field.key);
        let draft = Draft::new(&RULE, field.key_origin, message);
        reporter
            .report(draft.hint("remove it, or make the container a sidecar with `restartPolicy: Always`"));
    }
}

fn handlers(parent: &Node, name: &str, node: &Node, known: &[&str], reporter: &mut Reporter) {
    if node.as_mapping().is_none() {
        return;
    }
    let found = set(node, known);
    match found.as_slice() {
        [] => {
            let message = format!("`{name}` does not say what to do");
            let draft = Draft::new(&RULE, key_at(parent, name), message);
            reporter.report(draft.hint(format!("give it one of {}", listed(known))));
        }
        [_] => {}
        [first, second, ..] => {
            let message =
                format!("`{name}` has `{}` and `{}`, of which it can have one", first.key, second.key);
            let draft = Draft::new(&RULE, second.key_origin, message).hint("remove one of them");
            reporter.report(draft.related(first.key_origin, "the other is here"));
        }
    }
    for handler in found.iter().filter(|handler| matches!(handler.key.as_str(), "httpGet" | "tcpSocket")) {
        let Some(port) = value(&handler.value, "port") else { continue };
        if let Some(fault) = ports::number_or_name(port) {
            reporter.report(Draft::new(&RULE, port.origin, fault.message).hint(fault.hint));
        }
    }
}
