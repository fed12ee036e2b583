//! `resource/ingress`.

use std::net::IpAddr;

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{items, key_at, set, text, value};
use crate::lints::metadata::syntax::{is_subdomain, is_unfinished};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/ingress",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "an Ingress has a host or a path that Kubernetes does not take, or leads nowhere",
        explanation: "A host is a DNS name in lower case, perhaps with `*.` before it: no scheme, no port, no path, no address. A \
                      path starts with `/`, and those of the types Prefix and Exact have no `//`, `/./` or `/../` in them. \
                      There are `rules` or a `defaultBackend`, and a port of a backend has a name or a number, not both. The \
                      API server refuses the object.",
        example: "rules:\n- host: https://Shop.example.com:443\n  http: {paths: [{path: api, pathType: Prefix, backend: {…}}]}\n",
        remedy: "```yaml\nrules:\n- host: shop.example.com\n  http: {paths: [{path: /api, pathType: Prefix, backend: {…}}]}\n```",
    },
    check: Check::Object(check),
};

/// What paths of the types Prefix and Exact may not hold.
const SEQUENCES: &[&str] = &["//", "/./", "/../", "%2f", "%2F"];

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    if !object.is("networking.k8s.io", "Ingress") {
        return;
    }
    let root = object.manifest.root();
    let Some(spec) = root.get("spec").filter(|spec| spec.as_mapping().is_some()) else { return };
    let rules = value(spec, "rules");
    let has_none = rules.is_none_or(|rules| rules.as_sequence().is_some_and(<[Node]>::is_empty));
    if has_none && value(spec, "defaultBackend").is_none() {
        let draft =
            Draft::new(&RULE, key_at(root, "spec"), "the Ingress has neither `rules` nor a `defaultBackend`");
        reporter.report(draft.hint("add one of the two"));
    }
    let of_tls = items(spec, "tls").iter().flat_map(|tls| items(tls, "hosts"));
    let of_rules = items(spec, "rules").iter().filter_map(|rule| rule.get("host"));
    for host in of_rules.chain(of_tls) {
        if let Some((message, hint)) = host.as_str().and_then(host_fault) {
            reporter.report(Draft::new(&RULE, host.origin, message).hint(hint));
        }
    }
    let paths = items(spec, "rules").iter().filter_map(|rule| rule.get("http"));
    let paths = paths.flat_map(|http| items(http, "paths"));
    for path in paths {
        of_path(path, reporter);
    }
    if let Some(backend) = spec.get("defaultBackend") {
        of_backend(backend, reporter);
    }
}

fn host_fault(host: &str) -> Option<(&'static str, &'static str)> {
    let name = host.strip_prefix("*.").unwrap_or(host);
    if host.is_empty() || is_unfinished(host) || is_subdomain(name) && host.parse::<IpAddr>().is_err() {
        return None;
    }
    Some(if host.contains("://") {
        ("the host has a scheme", "write the name of the host alone")
    } else if host.parse::<IpAddr>().is_ok() {
        ("the host is an address", "write a DNS name, or no host for all of them")
    } else if host == "*" {
        ("the host is no DNS name", "leave the host out for all of them")
    } else if host.contains(':') {
        ("the host has a port", "write the name of the host alone")
    } else if host.contains('/') {
        ("the host has a path", "write the path into `path`")
    } else if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        ("the host is not in lower case", "write it in lower case")
    } else {
        (
            "the host is no DNS name",
            "use lower-case letters, digits, `-` and `.`, and `*.` at the start at most",
        )
    })
}

fn of_path(path: &Node, reporter: &mut Reporter) {
    let is_strict = matches!(text(path, "pathType"), Some("Exact" | "Prefix"));
    if let Some((node, said)) = path.get("path").and_then(|node| Some((node, node.as_str()?)))
        && !is_unfinished(said)
    {
        if !said.starts_with('/') && (is_strict || !said.is_empty()) {
            let draft = Draft::new(&RULE, node.origin, "the path does not start with `/`");
            reporter.report(draft.hint("write the path from the root on"));
        } else if is_strict && (SEQUENCES.iter().any(|part| said.contains(part)) || is_open(said)) {
            let draft =
                Draft::new(&RULE, node.origin, "the path has a part that a Prefix or Exact path cannot have");
            reporter.report(draft.hint("remove `//`, `.`, `..` and `%2f`"));
        }
    }
    if let Some(backend) = path.get("backend") {
        of_backend(backend, reporter);
    }
}

fn is_open(path: &str) -> bool {
    path.ends_with("/.") || path.ends_with("/..")
}

fn of_backend(backend: &Node, reporter: &mut Reporter) {
    let Some(port) = backend.at(&["service", "port"]).filter(|port| port.as_mapping().is_some()) else {
        return;
    };
    if let [first, second] = set(port, &["name", "number"]).as_slice() {
        let draft =
            Draft::new(&RULE, second.key_origin, "the port of the backend has both a name and a number");
        reporter.report(draft.related(first.key_origin, "the other is here").hint("remove one of them"));
    }
}
