//! `reference/dangling-ingress`.

use crate::facts::presence::PresenceIndex;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Manifest, Node, NodeValue, Number};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/dangling-ingress",
        severity: Severity::Error,
        summary: "an Ingress, a route or a webhook refers to a Service or a Service port that does not exist",
        text: include_str!("dangling_ingress.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

/// Maximum number of ports searched per Service.
const PORTS: usize = 1_000;

/// A reference to a Service and its port.
struct ServiceBackend<'a> {
    namespace: &'a str,
    name: &'a Node,
    port: Option<&'a Node>,
}

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut presence = None;
    for (number, object) in environment.indexed_objects() {
        let root = object.manifest.root();
        let backends = match (object.group, object.kind) {
            ("networking.k8s.io", "Ingress") => ingress_backends(root, object.namespace),
            (
                "gateway.networking.k8s.io",
                "GRPCRoute" | "HTTPRoute" | "TCPRoute" | "TLSRoute" | "UDPRoute",
            ) => route_backends(root, object.namespace),
            (
                "admissionregistration.k8s.io",
                "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
            ) => webhook_backends(root, environment),
            _ => continue,
        };
        let presence = presence.get_or_insert_with(|| PresenceIndex::new(environment));
        for backend in backends {
            if let Some(draft) = check_backend(environment, presence, &backend) {
                reporter.report(draft.about_object(number));
            }
        }
    }
}

fn check_backend(
    environment: &CheckedEnvironment<'_>,
    presence: &PresenceIndex<'_, '_>,
    backend: &ServiceBackend<'_>,
) -> Option<FindingDraft> {
    let name = backend.name.as_str().filter(|name| !name.is_empty())?;
    let severity = presence.severity_of_missing(("", "Service"), backend.namespace, Severity::Error);
    if !presence.has_object("", "Service", backend.namespace, name) {
        let kind_and_name =
            format!("Service/{}/{name}", if backend.namespace.is_empty() { "*" } else { backend.namespace });
        let hint =
            format!("correct the name, or declare it as existing elsewhere: `--external {kind_and_name}`");
        let message = format!("Service `{name}` does not exist");
        return Some(FindingDraft::new(&RULE, backend.name.origin, message).severity(severity).hint(hint));
    }
    let port = backend.port?;
    let number = environment
        .catalog
        .find("", "Service", backend.namespace, name)
        .or_else(|| environment.catalog.find("", "Service", "", name))?;
    let service = environment.catalog.object(number)?.manifest;
    if has_port(service, port) {
        return None;
    }
    let ports = service.root().at(&["spec", "ports"])?;
    let draft = FindingDraft::new(&RULE, port.origin, format!("Service `{name}` does not have this port"));
    let hint = "use the `port` or `name` of one of the Service's ports, not its `targetPort`";
    Some(draft.severity(severity).related(ports.origin, "the Service's ports are here").hint(hint))
}

fn ingress_backends<'a>(root: &'a Node, namespace: &'a str) -> Vec<ServiceBackend<'a>> {
    let Some(spec) = root.get("spec") else { return Vec::new() };
    let rules = spec.items_at(&["rules"]).iter();
    let paths = rules.flat_map(|rule| rule.items_at(&["http", "paths"]));
    let all = spec.get("defaultBackend").into_iter().chain(paths.filter_map(|path| path.get("backend")));
    let services = all.filter_map(|backend| backend.get("service"));
    let backends = services.filter_map(|service| {
        let port = service.at(&["port", "name"]).or_else(|| service.at(&["port", "number"]));
        Some(ServiceBackend { namespace, name: service.get("name")?, port })
    });
    // The AWS load balancer controller reads the action from an annotation.
    backends.filter(|backend| backend.port.and_then(Node::as_str) != Some("use-annotation")).collect()
}

/// Returns the backends of webhooks in namespaces of this set; Services in other namespaces may come from elsewhere.
fn webhook_backends<'a>(root: &'a Node, environment: &CheckedEnvironment<'a>) -> Vec<ServiceBackend<'a>> {
    let webhooks = root.items_at(&["webhooks"]).iter();
    let services = webhooks.filter_map(|webhook| webhook.at(&["clientConfig", "service"]));
    let backends = services.filter_map(|service| {
        let namespace = service.get("namespace")?.as_str().filter(|namespace| !namespace.is_empty())?;
        Some(ServiceBackend { namespace, name: service.get("name")?, port: service.get("port") })
    });
    let is_here = |backend: &ServiceBackend<'_>| {
        environment.objects.iter().any(|object| object.namespace == backend.namespace)
    };
    backends.filter(is_here).collect()
}

fn route_backends<'a>(root: &'a Node, namespace: &'a str) -> Vec<ServiceBackend<'a>> {
    let rules = root.items_at(&["spec", "rules"]).iter();
    let items = |node: &'a Node, field: &str| node.items_at(&[field]);
    let references = rules.flat_map(|rule| {
        let mirrored = |filter: &'a Node| filter.at(&["requestMirror", "backendRef"]);
        let backends = items(rule, "backendRefs").iter();
        let filters = backends.clone().chain([rule]).flat_map(move |node| items(node, "filters"));
        backends.chain(filters.filter_map(mirrored)).collect::<Vec<_>>()
    });
    references
        .filter_map(|reference| {
            let field = |field: &str| reference.get(field).and_then(Node::as_str);
            let is_service = field("kind").is_none_or(|kind| kind == "Service")
                && field("group").is_none_or(str::is_empty);
            let namespace = field("namespace").unwrap_or(namespace);
            is_service.then_some(ServiceBackend {
                namespace,
                name: reference.get("name")?,
                port: reference.get("port"),
            })
        })
        .collect()
}

/// Returns whether a Service has a port with this number or name. The ports of an `ExternalName` are unknown.
fn has_port(service: &Manifest, port: &Node) -> bool {
    let is_name = service.root().at(&["spec", "type"]).and_then(Node::as_str) == Some("ExternalName");
    let Some(ports) = service.root().at(&["spec", "ports"]).filter(|_| !is_name) else { return true };
    let field = match &port.value {
        NodeValue::Number(Number::Int(_)) => "port",
        NodeValue::String(_) => "name",
        _ => return true,
    };
    ports.items().len() > PORTS || ports.items().iter().any(|known| known.get(field) == Some(port))
}
