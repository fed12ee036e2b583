//! Checks a `CustomResourceDefinition` as an object, as the API server does. `structure` checks its schemas.

use super::fault::CrdFault;
use super::fault_collector::{FaultCollector, MAX_FAULTS};
use super::path::ValuePath;
use super::structure;
use super::violation::Violation;
use sealwave_core::document::{Node, NodeValue};
use sealwave_core::names::dns;

/// Maximum length of a deprecation warning, in bytes.
const MAX_WARNING: usize = 256;
/// The annotation that approves a definition in one of Kubernetes' own groups.
const APPROVAL: &str = "api-approved.kubernetes.io";

/// Checks a definition of version `v1`.
pub(crate) fn check(object: &Node) -> Vec<Violation<'_>> {
    let mut faults = FaultCollector::default();
    let Some(spec) = object.get("spec").filter(|spec| spec.as_mapping().is_some()) else {
        return faults.into_all();
    };
    let root = ValuePath::ROOT;
    let at = root.key("spec");
    name(object, spec, &mut faults);
    group(object, spec, &at, &mut faults);
    if let Some(names) = spec.get("names") {
        self::names(names, &at.key("names"), &mut faults);
    }
    versions(spec, &at, &mut faults);
    if let Some(conversion) = spec.get("conversion") {
        self::conversion(conversion, &at.key("conversion"), &mut faults);
    }
    if let Some(preserve) = spec.get("preserveUnknownFields").filter(|node| is_true(node)) {
        faults.add(
            "`preserveUnknownFields` is true",
            "remove it, and write `x-kubernetes-preserve-unknown-fields: true` into the schemas",
            &at.key("preserveUnknownFields"),
            preserve.origin,
        );
    }
    faults.into_all()
}

/// Checks that the name is `<plural>.<group>`. A missing plural or group is reported elsewhere.
fn name(object: &Node, spec: &Node, faults: &mut FaultCollector<'_>) {
    let Some(name) = object.at(&["metadata", "name"]) else { return };
    let (Some(plural), Some(group)) = (text(spec.at(&["names", "plural"])), text(spec.get("group"))) else {
        return;
    };
    let fits = text(Some(name))
        .is_some_and(|name| name.strip_prefix(plural).and_then(|rest| rest.strip_prefix('.')) == Some(group));
    if !fits {
        let root = ValuePath::ROOT;
        let at = root.key("metadata");
        let hint = "use `spec.names.plural`, a dot and `spec.group`";
        faults.add("name is not `<plural>.<group>`", hint, &at.key("name"), name.origin);
    }
}

fn group(object: &Node, spec: &Node, at: &ValuePath<'_>, faults: &mut FaultCollector<'_>) {
    let Some(node) = spec.get("group") else { return };
    let Some(group) = node.as_str() else { return };
    let at = at.key("group");
    if !dns::is_subdomain(group) || !group.contains('.') {
        let hint = "use a domain in lower case with at least one dot, for example `shop.example.com`";
        faults.add("group is not a domain", hint, &at, node.origin);
        return;
    }
    let is_in_domain =
        |domain: &str| group.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let approval =
        object.at(&["metadata", "annotations", APPROVAL]).and_then(Node::as_str).unwrap_or_default();
    let is_approved = approval.starts_with("unapproved") || approval.contains("://");
    // A lock file keeps only the name of `metadata`, so the annotation may have been removed.
    let is_stripped =
        object.get("metadata").and_then(Node::as_mapping).is_some_and(|metadata| metadata.len() == 1);
    if (is_in_domain("k8s.io") || is_in_domain("kubernetes.io")) && !is_approved && !is_stripped {
        let hint = "use your own group, or add the annotation `api-approved.kubernetes.io` with the URL of the \
                    approval, or with `unapproved` and a reason";
        faults.add(
            "group belongs to the Kubernetes project, but the approval annotation is missing",
            hint,
            &at,
            node.origin,
        );
    }
}

const LABEL: &str =
    "use lower-case letters, digits and `-`, at most 63, that start with a letter and do not end with `-`";

fn names(names: &Node, at: &ValuePath<'_>, faults: &mut FaultCollector<'_>) {
    for (field, any_case) in [("plural", false), ("singular", false), ("kind", true), ("listKind", true)] {
        let Some(node) = names.get(field) else { continue };
        let Some(name) = node.as_str() else { continue };
        let at = at.key(field);
        if name.is_empty() && matches!(field, "plural" | "kind") {
            faults.add("name is empty", LABEL, &at, node.origin);
        } else if !name.is_empty() && !is_label(name, any_case) {
            faults.add("name is not a DNS label that starts with a letter", LABEL, &at, node.origin);
        }
    }
    for list in ["shortNames", "categories"] {
        let list_at = at.key(list);
        for (index, node) in names.get(list).map(Node::items).unwrap_or_default().iter().enumerate() {
            if node.as_str().is_some_and(|name| !is_label(name, false)) {
                faults.add(
                    "name is not a DNS label that starts with a letter",
                    LABEL,
                    &list_at.index(index),
                    node.origin,
                );
            }
        }
    }
    if let (Some(kind), Some(list)) = (text(names.get("kind")), names.get("listKind"))
        && list.as_str() == Some(kind)
    {
        faults.add(
            "`kind` and `listKind` are the same",
            "append `List` to `listKind`",
            &at.key("listKind"),
            list.origin,
        );
    }
}

fn versions(spec: &Node, at: &ValuePath<'_>, faults: &mut FaultCollector<'_>) {
    let at = at.key("versions");
    let Some(list) = spec.get("versions").filter(|list| list.as_sequence().is_some()) else { return };
    let all = list.items();
    let stored: Vec<&Node> =
        all.iter().filter_map(|version| version.get("storage")).filter(|node| is_true(node)).collect();
    match &stored[..] {
        [_] => {}
        [] => faults.add(
            "no version is the storage version",
            "set `storage: true` in one version",
            &at,
            list.display_origin(),
        ),
        [_, second, ..] => {
            faults.add(
                "more than one version is the storage version",
                "set `storage: true` in only one version",
                &at,
                second.origin,
            );
        }
    }
    if !all.is_empty() && !all.iter().any(|version| version.get("served").is_none_or(is_true)) {
        faults.push(CrdFault::Unserved, &at, list.display_origin());
    }
    for (index, version) in all.iter().enumerate() {
        let at = at.index(index);
        if let Some(node) = version.get("name")
            && let Some(name) = node.as_str()
        {
            let at = at.key("name");
            if !is_label(name, false) {
                faults.add(
                    "version name is not a DNS label that starts with a letter",
                    LABEL,
                    &at,
                    node.origin,
                );
            }
            let has_same_name = |other: &Node| text(other.get("name")) == Some(name);
            if all.iter().take(index.min(MAX_FAULTS)).any(has_same_name) {
                faults.add("two versions have the same name", "remove one of them", &at, node.origin);
            }
        }
        self::version(version, &at, faults);
    }
}

fn version(version: &Node, at: &ValuePath<'_>, faults: &mut FaultCollector<'_>) {
    if version.as_mapping().is_none() {
        return;
    }
    let schema_at = at.key("schema");
    let is_present = |node: &&Node| !matches!(node.value, NodeValue::Null);
    if let Some(schema) = version.at(&["schema", "openAPIV3Schema"]).filter(is_present) {
        let has_status = version.at(&["subresources", "status"]).as_ref().is_some_and(is_present);
        structure::check(schema, &schema_at.key("openAPIV3Schema"), has_status, faults);
    } else {
        let hint = "write `schema: {openAPIV3Schema: {type: object, …}}`; with \
                    `x-kubernetes-preserve-unknown-fields: true` it accepts any field";
        faults.add("version has no schema", hint, at, version.display_origin());
    }
    if let Some(node) =
        version.get("deprecationWarning").filter(|node| !matches!(node.value, NodeValue::Null))
    {
        let at = at.key("deprecationWarning");
        let warning = node.as_str().unwrap_or("-");
        if !version.get("deprecated").is_some_and(is_true) {
            faults.add(
                "only a deprecated version may have a warning",
                "write `deprecated: true`",
                &at,
                node.origin,
            );
        } else if warning.is_empty() || warning.len() > MAX_WARNING || warning.chars().any(char::is_control) {
            faults.add("warning is not one line of 1 to 256 characters", "shorten it", &at, node.origin);
        }
    }
    let columns_at = at.key("additionalPrinterColumns");
    for (index, column) in items(version, "additionalPrinterColumns").iter().enumerate() {
        self::column(column, &columns_at.index(index), faults);
    }
    if let Some(scale) = version.at(&["subresources", "scale"]) {
        let at = at.key("subresources");
        self::scale(scale, &at.key("scale"), faults);
    }
}

fn column(column: &Node, at: &ValuePath<'_>, faults: &mut FaultCollector<'_>) {
    const TYPES: &[&str] = &["boolean", "date", "integer", "number", "string"];
    const FORMATS: &[&str] = &["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
    let one_of = |field: &str, known: &[&str]| {
        column.get(field).filter(|node| node.as_str().is_some_and(|text| !known.contains(&text)))
    };
    if let Some(node) = one_of("type", TYPES) {
        let hint = "write `boolean`, `date`, `integer`, `number` or `string`";
        faults.add("column type does not exist", hint, &at.key("type"), node.origin);
    }
    if let Some(node) = one_of("format", FORMATS).filter(|node| node.as_str() != Some("")) {
        faults.add("column format does not exist", "remove it", &at.key("format"), node.origin);
    }
    if let Some(node) =
        column.get("jsonPath").filter(|node| node.as_str().is_some_and(|path| !path.starts_with('.')))
    {
        faults.add(
            "`jsonPath` of a column does not start with a dot",
            "write it like `.spec.size`",
            &at.key("jsonPath"),
            node.origin,
        );
    }
}

fn scale(scale: &Node, at: &ValuePath<'_>, faults: &mut FaultCollector<'_>) {
    for (field, roots, hint) in [
        ("specReplicasPath", &[".spec."][..], "write it like `.spec.replicas`"),
        ("statusReplicasPath", &[".status."][..], "write it like `.status.replicas`"),
        ("labelSelectorPath", &[".spec.", ".status."][..], "write it like `.status.selector`"),
    ] {
        let Some(node) = scale.get(field) else { continue };
        let Some(path) = node.as_str() else { continue };
        let may_be_empty = field == "labelSelectorPath";
        if !(roots.iter().any(|root| path.starts_with(root)) || may_be_empty && path.is_empty()) {
            faults.add(
                "path of the subresource `scale` is not below the expected field",
                hint,
                &at.key(field),
                node.origin,
            );
        }
    }
}

fn conversion(conversion: &Node, at: &ValuePath<'_>, faults: &mut FaultCollector<'_>) {
    let webhook = conversion.get("webhook").filter(|node| !matches!(node.value, NodeValue::Null));
    let strategy = conversion.get("strategy");
    match text(strategy) {
        Some("Webhook") => {
            if let Some(webhook) = webhook {
                self::webhook(webhook, &at.key("webhook"), faults);
            } else {
                let hint = "add `webhook` with `clientConfig` and `conversionReviewVersions`";
                faults.add("strategy `Webhook` has no webhook", hint, at, conversion.display_origin());
            }
        }
        Some("None") => {
            if let Some(webhook) = webhook {
                let hint = "remove it, or write `strategy: Webhook`";
                faults.add(
                    "strategy `None` has a webhook",
                    hint,
                    &at.key("webhook"),
                    webhook.display_origin(),
                );
            }
        }
        Some(_) => {
            let origin = strategy.map_or(conversion.origin, |node| node.origin);
            faults.add(
                "conversion strategy does not exist",
                "write `None` or `Webhook`",
                &at.key("strategy"),
                origin,
            );
        }
        None => {}
    }
}

fn webhook(webhook: &Node, at: &ValuePath<'_>, faults: &mut FaultCollector<'_>) {
    let client_at = at.key("clientConfig");
    let is_present = |node: &&Node| !matches!(node.value, NodeValue::Null);
    match webhook.get("clientConfig").filter(is_present) {
        None => faults.add(
            "webhook has no `clientConfig`",
            "add it with `service` or `url`",
            at,
            webhook.display_origin(),
        ),
        Some(client) => {
            let (url, service) =
                (client.get("url").filter(is_present), client.get("service").filter(is_present));
            if url.is_some() == service.is_some() {
                let hint = "set exactly one of the two";
                faults.add(
                    "webhook must have exactly one of `service` and `url`",
                    hint,
                    &client_at,
                    client.display_origin(),
                );
            } else if let Some(url) =
                url.filter(|url| !url.as_str().is_some_and(|url| url.starts_with("https://")))
            {
                faults.add("`url` of the webhook is not an HTTPS URL", "", &client_at.key("url"), url.origin);
            }
        }
    }
    let versions_at = at.key("conversionReviewVersions");
    if let Some(list) = webhook.get("conversionReviewVersions") {
        let is_supported = |node: &Node| matches!(node.as_str(), Some("v1" | "v1beta1"));
        if list.as_sequence().is_some() && !list.items().iter().any(is_supported) {
            let hint = "add `v1`";
            faults.add(
                "`conversionReviewVersions` has no version that the API server supports",
                hint,
                &versions_at,
                list.display_origin(),
            );
        }
        for (index, node) in list.items().iter().enumerate() {
            let earlier = list.items().iter().take(index.min(MAX_FAULTS));
            if earlier.into_iter().any(|other| other == node) {
                faults.add(
                    "review version is listed twice",
                    "remove one",
                    &versions_at.index(index),
                    node.origin,
                );
            }
        }
    }
}

fn items<'n>(node: &'n Node, field: &str) -> &'n [Node] {
    node.get(field).map(Node::items).unwrap_or_default()
}

fn text(node: Option<&Node>) -> Option<&str> {
    node.and_then(Node::as_str).filter(|text| !text.is_empty())
}

const fn is_true(node: &Node) -> bool {
    matches!(node.value, NodeValue::Bool(true))
}

/// Reports whether a text is an RFC 1035 label, which starts with a letter.
fn is_label(text: &str, any_case: bool) -> bool {
    let lower;
    let text = if any_case {
        lower = text.to_lowercase();
        lower.as_str()
    } else {
        text
    };
    dns::is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase())
}
