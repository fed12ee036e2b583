//! `resource/field`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, items, key_origin, start_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{
    DOMAIN_PATH, DRIVER, ENDPOINT_IP, LABEL, PATH_SEGMENT, POD_SECURITY_VERSION, QUALIFIED,
    QUALIFIED_ANY_CASE, SUBDOMAIN,
};
use crate::field_checks::tolerations::check_tolerations;
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/field",
        severity: Severity::Error,
        summary: "a field of a cluster object has an invalid value",
        text: include_str!("field.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Labels of Pod Security Admission.
const POD_SECURITY: &[FieldCheck] = &[
    FieldCheck::one_of("pod-security.kubernetes.io/audit", LEVELS),
    FieldCheck::form("pod-security.kubernetes.io/audit-version", &POD_SECURITY_VERSION),
    FieldCheck::one_of("pod-security.kubernetes.io/enforce", LEVELS),
    FieldCheck::form("pod-security.kubernetes.io/enforce-version", &POD_SECURITY_VERSION),
    FieldCheck::one_of("pod-security.kubernetes.io/warn", LEVELS),
    FieldCheck::form("pod-security.kubernetes.io/warn-version", &POD_SECURITY_VERSION),
];
const LEVELS: &[&str] = &["baseline", "privileged", "restricted"];

/// Fields of each kind, from the root of the object.
const KINDS: &[(&str, &str, &[FieldSection])] = &[
    (
        "",
        "Endpoints",
        &[
            FieldSection { at: "subsets[].addresses[]", fields: ADDRESS },
            FieldSection { at: "subsets[].notReadyAddresses[]", fields: ADDRESS },
            FieldSection {
                at: "subsets[].ports[]",
                fields: &[
                    FieldCheck::form("appProtocol", &QUALIFIED),
                    FieldCheck::form("name", &LABEL),
                    FieldCheck::between("port", 1, 65_535),
                ],
            },
        ],
    ),
    ("", "Namespace", &[FieldSection { at: "metadata.labels", fields: POD_SECURITY }]),
    (
        "apiregistration.k8s.io",
        "APIService",
        &[
            FieldSection {
                at: "spec",
                fields: &[
                    FieldCheck::between("groupPriorityMinimum", 1, 20_000),
                    FieldCheck::between("versionPriority", 1, 1_000),
                    FieldCheck::present("version"),
                ],
            },
            FieldSection {
                at: "spec.service",
                fields: &[
                    FieldCheck::present("name"),
                    FieldCheck::present("namespace"),
                    FieldCheck::between("port", 1, 65_535),
                ],
            },
        ],
    ),
    (
        "apps",
        "ControllerRevision",
        &[FieldSection { at: "", fields: &[FieldCheck::at_least("revision", 0)] }],
    ),
    (
        "coordination.k8s.io",
        "Lease",
        &[FieldSection {
            at: "spec",
            fields: &[
                FieldCheck::at_least("leaseDurationSeconds", 1),
                FieldCheck::at_least("leaseTransitions", 0),
            ],
        }],
    ),
    (
        "discovery.k8s.io",
        "EndpointSlice",
        &[
            FieldSection {
                at: "endpoints[]",
                fields: &[FieldCheck::not_empty("addresses"), FieldCheck::form("hostname", &LABEL)],
            },
            FieldSection {
                at: "ports[]",
                fields: &[
                    FieldCheck::form("appProtocol", &QUALIFIED),
                    FieldCheck::form("name", &LABEL),
                    FieldCheck::between("port", 1, 65_535),
                ],
            },
        ],
    ),
    (
        "flowcontrol.apiserver.k8s.io",
        "FlowSchema",
        &[
            FieldSection { at: "spec", fields: &[FieldCheck::between("matchingPrecedence", 0, 10_000)] },
            FieldSection { at: "spec.priorityLevelConfiguration", fields: &[FieldCheck::not_empty("name")] },
        ],
    ),
    (
        "networking.k8s.io",
        "IngressClass",
        &[
            FieldSection {
                at: "spec",
                fields: &[FieldCheck::not_empty("controller"), FieldCheck::form("controller", &DOMAIN_PATH)],
            },
            FieldSection {
                at: "spec.parameters",
                fields: &[
                    FieldCheck::form("apiGroup", &SUBDOMAIN),
                    FieldCheck::not_empty("kind"),
                    FieldCheck::form("kind", &PATH_SEGMENT),
                    FieldCheck::not_empty("name"),
                    FieldCheck::form("name", &PATH_SEGMENT),
                ],
            },
        ],
    ),
    (
        "node.k8s.io",
        "RuntimeClass",
        &[FieldSection {
            at: "",
            fields: &[FieldCheck::not_empty("handler"), FieldCheck::form("handler", &LABEL)],
        }],
    ),
    ("scheduling.k8s.io", "PriorityClass", &[]),
    (
        "storage.k8s.io",
        "CSIDriver",
        &[FieldSection {
            at: "spec.tokenRequests[]",
            fields: &[FieldCheck::between("expirationSeconds", 600, 1 << 32)],
        }],
    ),
    (
        "storage.k8s.io",
        "StorageClass",
        &[
            FieldSection {
                at: "",
                fields: &[
                    FieldCheck::not_empty("provisioner"),
                    FieldCheck::form("provisioner", &QUALIFIED_ANY_CASE),
                    FieldCheck::one_of("reclaimPolicy", &["Delete", "Retain"]),
                ],
            },
            FieldSection {
                at: "allowedTopologies[].matchLabelExpressions[]",
                fields: &[
                    FieldCheck::not_empty("key"),
                    FieldCheck::form("key", &QUALIFIED),
                    FieldCheck::not_empty("values"),
                ],
            },
        ],
    ),
    (
        "storage.k8s.io",
        "VolumeAttachment",
        &[FieldSection {
            at: "spec",
            fields: &[
                FieldCheck::not_empty("attacher"),
                FieldCheck::form("attacher", &DRIVER),
                FieldCheck::not_empty("nodeName"),
            ],
        }],
    ),
];

const ADDRESS: &[FieldCheck] = &[
    FieldCheck::not_empty("ip"),
    FieldCheck::form("ip", &ENDPOINT_IP),
    FieldCheck::form("hostname", &LABEL),
];

/// Maximum priority of a class, except for system classes.
const MOST_PRIORITY: i64 = 1_000_000_000;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some((.., sections)) = KINDS.iter().find(|(group, kind, _)| object.is(group, kind)) else { return };
    let root = object.manifest.root();
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.check_table(root, sections);
    match object.kind {
        "Endpoints" => check_endpoints(root, &mut checker),
        "EndpointSlice" => check_endpoint_slice(root, &mut checker),
        "IngressClass" => check_parameters(root, &mut checker),
        "PriorityClass" => check_priority(object, &mut checker),
        "RuntimeClass" => {
            if let Some(scheduling) = value(root, "scheduling") {
                check_tolerations(items(scheduling, "tolerations"), &mut checker);
                checker.check_labels(scheduling.get("nodeSelector"), "selector");
            }
        }
        _ => {}
    }
}

fn check_endpoints(root: &Node, checker: &mut FieldChecker<'_>) {
    for subset in items(root, "subsets").iter().filter(|subset| subset.as_mapping().is_some()) {
        if items(subset, "addresses").is_empty() && items(subset, "notReadyAddresses").is_empty() {
            checker.report(start_origin(subset), "a subset has no addresses", "add `addresses`");
        }
        let ports = items(subset, "ports");
        for port in ports.iter().filter(|port| ports.len() > 1 && text(port, "name").is_none()) {
            let message = "the port has no name, but is not the only one";
            checker.report(start_origin(port), message, "name each port");
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
            checker.report(start_origin(port), "two ports have the same name", "give each port its own name");
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
            checker.report(key_origin(parameters, "scope"), message, "add `namespace`");
        }
        None | Some("Cluster") if has_namespace => {
            let message = "parameters with scope `Cluster` have a `namespace`";
            checker.report(
                key_origin(parameters, "namespace"),
                message,
                "remove it, or write `scope: Namespace`",
            );
        }
        _ => {}
    }
}

fn check_priority(object: &CheckedObject<'_>, checker: &mut FieldChecker<'_>) {
    let value = object.manifest.root().get("value");
    match (object.name, value.and_then(integer)) {
        ("system-cluster-critical" | "system-node-critical", _) => {}
        (name, _) if name.starts_with("system-") => {
            let message = "a name that starts with `system-` is reserved";
            checker.report(object.name_origin(), message, "use another name");
        }
        (_, Some(number)) if number > MOST_PRIORITY => {
            let at = value.map_or(object.name_origin(), |value| value.origin);
            checker.report(at, format!("`value` is more than {MOST_PRIORITY}"), "write a smaller value");
        }
        _ => {}
    }
}
