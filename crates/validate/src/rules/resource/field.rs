//! `resource/field`.

use crate::rules::field_checks::forms::{
    DOMAIN_PATH, DRIVER, ENDPOINT_IP, LABEL, PATH_SEGMENT, POD_SECURITY_VERSION, QUALIFIED,
    QUALIFIED_ANY_CASE, SUBDOMAIN,
};
use crate::rules::field_checks::{Field, FieldChecker, Section};
use crate::rules::fields::{integer, items, key_at, start, text, value};
use crate::rules::workload::scheduling::tolerations;
use crate::rules::{Check, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/field",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a field of a cluster object has an invalid value",
        page: include_str!("field.md"),
    },
    check: Check::Object(check),
};

/// Labels of Pod Security Admission.
const POD_SECURITY: &[Field] = &[
    Field::one_of("pod-security.kubernetes.io/audit", LEVELS),
    Field::form("pod-security.kubernetes.io/audit-version", &POD_SECURITY_VERSION),
    Field::one_of("pod-security.kubernetes.io/enforce", LEVELS),
    Field::form("pod-security.kubernetes.io/enforce-version", &POD_SECURITY_VERSION),
    Field::one_of("pod-security.kubernetes.io/warn", LEVELS),
    Field::form("pod-security.kubernetes.io/warn-version", &POD_SECURITY_VERSION),
];
const LEVELS: &[&str] = &["baseline", "privileged", "restricted"];

/// Fields of each kind, from the root of the object.
const KINDS: &[(&str, &str, &[Section])] = &[
    (
        "",
        "Endpoints",
        &[
            Section { at: "subsets[].addresses[]", fields: ADDRESS },
            Section { at: "subsets[].notReadyAddresses[]", fields: ADDRESS },
            Section {
                at: "subsets[].ports[]",
                fields: &[
                    Field::form("appProtocol", &QUALIFIED),
                    Field::form("name", &LABEL),
                    Field::between("port", 1, 65_535),
                ],
            },
        ],
    ),
    ("", "Namespace", &[Section { at: "metadata.labels", fields: POD_SECURITY }]),
    (
        "apiregistration.k8s.io",
        "APIService",
        &[
            Section {
                at: "spec",
                fields: &[
                    Field::between("groupPriorityMinimum", 1, 20_000),
                    Field::between("versionPriority", 1, 1_000),
                    Field::present("version"),
                ],
            },
            Section {
                at: "spec.service",
                fields: &[
                    Field::present("name"),
                    Field::present("namespace"),
                    Field::between("port", 1, 65_535),
                ],
            },
        ],
    ),
    ("apps", "ControllerRevision", &[Section { at: "", fields: &[Field::at_least("revision", 0)] }]),
    (
        "coordination.k8s.io",
        "Lease",
        &[Section {
            at: "spec",
            fields: &[Field::at_least("leaseDurationSeconds", 1), Field::at_least("leaseTransitions", 0)],
        }],
    ),
    (
        "discovery.k8s.io",
        "EndpointSlice",
        &[
            Section {
                at: "endpoints[]",
                fields: &[Field::not_empty("addresses"), Field::form("hostname", &LABEL)],
            },
            Section {
                at: "ports[]",
                fields: &[
                    Field::form("appProtocol", &QUALIFIED),
                    Field::form("name", &LABEL),
                    Field::between("port", 1, 65_535),
                ],
            },
        ],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        "FlowSchema",
        &[
            Section { at: "spec", fields: &[Field::between("matchingPrecedence", 0, 10_000)] },
            Section { at: "spec.priorityLevelConfiguration", fields: &[Field::not_empty("name")] },
        ],
    ),
    (
        "networking.k8s.io",
        "IngressClass",
        &[
            Section {
                at: "spec",
                fields: &[Field::not_empty("controller"), Field::form("controller", &DOMAIN_PATH)],
            },
            Section {
                at: "spec.parameters",
                fields: &[
                    Field::form("apiGroup", &SUBDOMAIN),
                    Field::not_empty("kind"),
                    Field::form("kind", &PATH_SEGMENT),
                    Field::not_empty("name"),
                    Field::form("name", &PATH_SEGMENT),
                ],
            },
        ],
    ),
    (
        "node.k8s.io",
        "RuntimeClass",
        &[Section { at: "", fields: &[Field::not_empty("handler"), Field::form("handler", &LABEL)] }],
    ),
    ("scheduling.k8s.io", "PriorityClass", &[]),
    (
        "storage.k8s.io",
        "CSIDriver",
        &[Section {
            at: "spec.tokenRequests[]",
            fields: &[Field::between("expirationSeconds", 600, 1 << 32)],
        }],
    ),
    (
        "storage.k8s.io",
        "StorageClass",
        &[
            Section {
                at: "",
                fields: &[
                    Field::not_empty("provisioner"),
                    Field::form("provisioner", &QUALIFIED_ANY_CASE),
                    Field::one_of("reclaimPolicy", &["Delete", "Retain"]),
                ],
            },
            Section {
                at: "allowedTopologies[].matchLabelExpressions[]",
                fields: &[
                    Field::not_empty("key"),
                    Field::form("key", &QUALIFIED),
                    Field::not_empty("values"),
                ],
            },
        ],
    ),
    (
        "storage.k8s.io",
        "VolumeAttachment",
        &[Section {
            at: "spec",
            fields: &[
                Field::not_empty("attacher"),
                Field::form("attacher", &DRIVER),
                Field::not_empty("nodeName"),
            ],
        }],
    ),
];

const ADDRESS: &[Field] =
    &[Field::not_empty("ip"), Field::form("ip", &ENDPOINT_IP), Field::form("hostname", &LABEL)];

/// Maximum priority of a class, except for system classes.
const MOST_PRIORITY: i64 = 1_000_000_000;

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    let Some((.., sections)) = KINDS.iter().find(|(group, kind, _)| object.is(group, kind)) else { return };
    let root = object.manifest.root();
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.table(root, sections);
    match object.kind {
        "Endpoints" => check_endpoints(root, &mut checker),
        "EndpointSlice" => check_endpoint_slice(root, &mut checker),
        "IngressClass" => check_parameters(root, &mut checker),
        "PriorityClass" => check_priority(object, &mut checker),
        "RuntimeClass" => {
            if let Some(scheduling) = value(root, "scheduling") {
                tolerations(items(scheduling, "tolerations"), &mut checker);
                checker.labels(scheduling.get("nodeSelector"), "selector");
            }
        }
        _ => {}
    }
}

fn check_endpoints(root: &Node, checker: &mut FieldChecker<'_>) {
    for subset in items(root, "subsets").iter().filter(|subset| subset.as_mapping().is_some()) {
        if items(subset, "addresses").is_empty() && items(subset, "notReadyAddresses").is_empty() {
            checker.report(start(subset), "a subset has no addresses", "add `addresses`");
        }
        let ports = items(subset, "ports");
        for port in ports.iter().filter(|port| ports.len() > 1 && text(port, "name").is_none()) {
            let message = "the port has no name, but is not the only one";
            checker.report(start(port), message, "name each port");
        }
    }
}

fn check_endpoint_slice(root: &Node, checker: &mut FieldChecker<'_>) {
    let kind = text(root, "addressType").unwrap_or_default();
    for address in items(root, "endpoints").iter().flat_map(|endpoint| items(endpoint, "addresses")) {
        let Some(text) = address.as_str().filter(|text| !checker.may_fill(text)) else { continue };
        let parsed = text.parse::<std::net::IpAddr>().ok();
        let fits = match kind {
            "IPv4" => parsed.map_or_else(|| (ENDPOINT_IP.accepts)(text), |address| address.is_ipv4()),
            "IPv6" => parsed.is_some_and(|address| address.is_ipv6()),
            _ => continue,
        };
        if !fits {
            let message = format!("an address is not of type {kind}");
            checker.report(address.origin, message, "correct the address, or `addressType`");
        } else if !(ENDPOINT_IP.accepts)(text) {
            checker.report(address.origin, format!("an address {}", ENDPOINT_IP.fault), ENDPOINT_IP.hint);
        }
    }
    let mut names = std::collections::HashSet::new();
    for port in items(root, "ports") {
        if !names.insert(text(port, "name").unwrap_or_default()) {
            checker.report(start(port), "two ports have the same name", "give each port its own name");
        }
    }
}

fn check_parameters(root: &Node, checker: &mut FieldChecker<'_>) {
    let Some(parameters) = root.at(&["spec", "parameters"]).filter(|it| it.as_mapping().is_some()) else {
        return;
    };
    let has_namespace = text(parameters, "namespace").is_some();
    match text(parameters, "scope") {
        Some("Namespace") if !has_namespace => {
            let message = "parameters with scope `Namespace` have no `namespace`";
            checker.report(key_at(parameters, "scope"), message, "add `namespace`");
        }
        None | Some("Cluster") if has_namespace => {
            let message = "parameters with scope `Cluster` have a `namespace`";
            checker.report(
                key_at(parameters, "namespace"),
                message,
                "remove it, or write `scope: Namespace`",
            );
        }
        _ => {}
    }
}

fn check_priority(object: &Object<'_>, checker: &mut FieldChecker<'_>) {
    let value = object.manifest.root().get("value");
    match (object.name, value.and_then(integer)) {
        ("system-cluster-critical" | "system-node-critical", _) => {}
        (name, _) if name.starts_with("system-") => {
            let message = "a name that starts with `system-` is reserved";
            checker.report(object.name_at(), message, "use another name");
        }
        (_, Some(number)) if number > MOST_PRIORITY => {
            let at = value.map_or(object.name_at(), |value| value.origin);
            checker.report(at, format!("`value` is more than {MOST_PRIORITY}"), "write a smaller value");
        }
        _ => {}
    }
}
