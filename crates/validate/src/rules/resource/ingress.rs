//! `resource/ingress`.

use std::net::IpAddr;

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, items, key_origin, set_entries, start_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{LABEL, PATH_SEGMENT, PORT_NAME, SUBDOMAIN};
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::names::dns::is_subdomain;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/ingress",
        severity: Severity::Error,
        summary: "an Ingress has an invalid host or path, or no backend",
        text: include_str!("ingress.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Sequences that paths of type Prefix and Exact cannot contain.
const SEQUENCES: &[&str] = &["//", "/./", "/../", "%2f", "%2F"];
/// Annotation that preceded the class field.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// Fields of an Ingress's spec.
const SECTIONS: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[
            FieldCheck::not_empty("ingressClassName"),
            FieldCheck::form("ingressClassName", &SUBDOMAIN),
        ],
    },
    FieldSection { at: "rules[].http", fields: &[FieldCheck::not_empty("paths")] },
    FieldSection { at: "tls[]", fields: &[FieldCheck::form("secretName", &SUBDOMAIN)] },
];
/// Fields of a backend.
const BACKEND: &[FieldSection] = &[
    FieldSection {
        at: "service",
        fields: &[
            FieldCheck::not_empty("name"),
            FieldCheck::form("name", &LABEL),
            FieldCheck::present("port"),
        ],
    },
    FieldSection {
        at: "service.port",
        fields: &[FieldCheck::form("name", &PORT_NAME), FieldCheck::between("number", 0, 65_535)],
    },
    FieldSection {
        at: "resource",
        fields: &[
            FieldCheck::form("apiGroup", &SUBDOMAIN),
            FieldCheck::not_empty("kind"),
            FieldCheck::form("kind", &PATH_SEGMENT),
            FieldCheck::not_empty("name"),
            FieldCheck::form("name", &PATH_SEGMENT),
        ],
    },
];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !object.is("networking.k8s.io", "Ingress") {
        return;
    }
    let root = object.manifest.root();
    let Some(spec) = root.get("spec").filter(|spec| spec.as_mapping().is_some()) else { return };
    // Versions before `v1` were removed and have other backends.
    if object.version != "v1" {
        return;
    }
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.check_table(spec, SECTIONS);
    let rules = value(spec, "rules");
    let has_none = rules.is_none_or(|rules| rules.as_sequence().is_some_and(<[Node]>::is_empty));
    if has_none && value(spec, "defaultBackend").is_none() {
        let message = "the Ingress has neither `rules` nor a `defaultBackend`";
        checker.report(key_origin(root, "spec"), message, "add one of them");
    }
    let tls_hosts = items(spec, "tls").iter().flat_map(|tls| items(tls, "hosts"));
    for host in tls_hosts {
        check_host(host, true, &mut checker);
    }
    for rule in items(spec, "rules") {
        if let Some(host) = rule.get("host") {
            check_host(host, false, &mut checker);
        }
        for path in rule.get("http").map_or(&[][..], |http| items(http, "paths")) {
            check_path(path, &mut checker);
        }
    }
    if let Some(backend) = value(spec, "defaultBackend") {
        check_backend(backend, &mut checker);
    }
    if let (Some(annotation), Some(class)) =
        (object.manifest.annotation(CLASS_ANNOTATION), text(spec, "ingressClassName"))
        && annotation != class
    {
        let message = format!("`ingressClassName` and the annotation `{CLASS_ANNOTATION}` differ");
        checker.report(key_origin(spec, "ingressClassName"), message, "remove the annotation");
    }
}

fn check_host(host: &Node, is_tls: bool, checker: &mut FieldChecker<'_>) {
    let Some(text) = host.as_str() else { return };
    if text.is_empty() && is_tls {
        checker.report(host.origin, "a host of `tls` is empty", "write a DNS name, or remove it");
    } else if let Some((message, hint)) = host_fault(text, is_tls).filter(|_| !checker.may_fill(text)) {
        checker.report(host.origin, message, hint);
    }
}

fn host_fault(host: &str, is_tls: bool) -> Option<(&'static str, &'static str)> {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let is_address = host.parse::<IpAddr>().is_ok();
    // The API server refuses addresses in rules only.
    if host.is_empty() || is_subdomain(name) && (is_tls || !is_address) {
        return None;
    }
    Some(if host.contains("://") {
        ("the host has a scheme", "write only the host name")
    } else if is_address {
        ("the host is an IP address", "write a DNS name, or omit the host to match all")
    } else if host == "*" {
        ("the host is not a DNS name", "omit the host to match all")
    } else if host.contains(':') {
        ("the host has a port", "write only the host name")
    } else if host.contains('/') {
        ("the host has a path", "move the path to `path`")
    } else if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        ("the host is not in lower case", "write it in lower case")
    } else {
        (
            "the host is not a DNS name",
            "use lower-case letters, digits, `-` and `.`, with at most one `*.` at the start",
        )
    })
}

fn check_path(path: &Node, checker: &mut FieldChecker<'_>) {
    let is_strict = matches!(text(path, "pathType"), Some("Exact" | "Prefix"));
    let path_text = path.get("path").and_then(|node| Some((node.origin, node.as_str()?)));
    match path_text.filter(|(_, path_text)| !checker.may_fill(path_text)) {
        Some((at, path_text)) if !path_text.starts_with('/') && (is_strict || !path_text.is_empty()) => {
            checker.report(at, "the path does not start with `/`", "write an absolute path");
        }
        Some((at, path_text))
            if is_strict
                && (SEQUENCES.iter().any(|part| path_text.contains(part)) || ends_in_dots(path_text)) =>
        {
            let message = "the path contains a sequence that a Prefix or Exact path cannot have";
            checker.report(at, message, "remove `//`, `.`, `..` and `%2f`");
        }
        None if is_strict && value(path, "path").is_none() => {
            let message = "a path of type Prefix or Exact has no `path`";
            checker.report(start_origin(path), message, "add `path: /`");
        }
        _ => {}
    }
    if let Some(backend) = value(path, "backend") {
        check_backend(backend, checker);
    }
}

fn ends_in_dots(path: &str) -> bool {
    path.ends_with("/.") || path.ends_with("/..")
}

fn check_backend(backend: &Node, checker: &mut FieldChecker<'_>) {
    if backend.as_mapping().is_none() {
        return;
    }
    checker.check_table(backend, BACKEND);
    match set_entries(backend, &["resource", "service"]).as_slice() {
        [] => {
            let message = "a backend has neither `service` nor `resource`";
            checker.report(
                start_origin(backend),
                message,
                "add `service` with the name and the port of a Service",
            );
        }
        [first, second] => {
            let draft = checker.new_draft(second.key_origin, "a backend has both `service` and `resource`");
            let draft = draft.related(first.key_origin, "the other is here");
            checker.report_draft(draft.hint("remove one of them"));
        }
        _ => {}
    }
    let Some(port) = backend.at(&["service", "port"]).filter(|port| port.as_mapping().is_some()) else {
        return;
    };
    let is_set = |field: &str| {
        value(port, field).is_some_and(|node| node.as_str() != Some("") && integer(node) != Some(0))
    };
    match (is_set("name"), is_set("number")) {
        (true, true) => {
            let message = "the port of the backend has both a name and a number";
            checker.report(key_origin(port, "number"), message, "remove one of them");
        }
        (false, false) => {
            let message = "the port of the backend has neither a name nor a number";
            checker.report(start_origin(port), message, "add `number` or `name`");
        }
        _ => {}
    }
}
