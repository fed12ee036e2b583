//! Secrets that cert-manager and similar controllers create for certificates.

use super::Inventory;
use super::contents::{ObjectKeys, mapping_keys};
use super::nodes::{items, manifest_and_name_origin};
use sealwave_core::document::{Manifest, Node, NodeValue, Origin};
use sealwave_kube::catalog::CatalogObject;
use sealwave_kube::pods::ReferencedKind;

/// API group of cert-manager.
const CERT_MANAGER: &str = "cert-manager.io";

/// Keys of a certificate's Secret; an issuer may omit `ca.crt`.
const TLS: &[&str] = &["ca.crt", "tls.crt", "tls.key"];

/// Annotations with which cert-manager creates the Secrets of an Ingress or Gateway.
const ISSUED_BY: &[&str] = &[
    "cert-manager.io/cluster-issuer",
    "cert-manager.io/issuer",
    "certmanager.k8s.io/cluster-issuer",
    "certmanager.k8s.io/issuer",
    "kubernetes.io/tls-acme",
];

/// Annotations with which `OpenShift` creates a Secret for a Service.
const SERVING_CERT: &[&str] = &[
    "service.alpha.openshift.io/serving-cert-secret-name",
    "service.beta.openshift.io/serving-cert-secret-name",
];

/// Adds the Secrets that are created for an object's certificates.
pub(crate) fn add_certificate_secrets<'a>(object: &CatalogObject<'a>, inventory: &mut Inventory<'a>) {
    let root = object.manifest.root();
    match (object.group, object.kind) {
        ("", "Service") => {
            for name in SERVING_CERT.iter().filter_map(|name| object.manifest.annotation(name)) {
                let contents = ObjectKeys::from_keys(["tls.crt", "tls.key"]);
                inventory.add(
                    ReferencedKind::Secret,
                    object.namespace,
                    name,
                    manifest_and_name_origin(object.manifest),
                    contents,
                );
            }
        }
        (CERT_MANAGER, "Certificate") => {
            if let Some(name) = root.at(&["spec", "secretName"]) {
                add(inventory, object.namespace, object.manifest, name, certificate(root));
            }
        }
        (CERT_MANAGER, "ClusterIssuer" | "Issuer") => {
            // The account key, created if it does not exist. That of a ClusterIssuer is in cert-manager's namespace.
            if let Some(name) = root.at(&["spec", "acme", "privateKeySecretRef", "name"]) {
                add(inventory, object.namespace, object.manifest, name, ObjectKeys::from_keys(["tls.key"]));
            }
        }
        ("networking.k8s.io" | "extensions", "Ingress") if is_issued(object.manifest) => {
            for name in items(root, &["spec", "tls"]).iter().filter_map(|tls| tls.get("secretName")) {
                add(
                    inventory,
                    object.namespace,
                    object.manifest,
                    name,
                    ObjectKeys::from_keys(TLS.iter().copied()),
                );
            }
        }
        ("gateway.networking.k8s.io", "Gateway") if is_issued(object.manifest) => {
            let listeners = items(root, &["spec", "listeners"]).iter();
            for reference in listeners.flat_map(|listener| items(listener, &["tls", "certificateRefs"])) {
                if let Some(name) = reference.get("name") {
                    let namespace =
                        reference.get("namespace").and_then(Node::as_str).unwrap_or(object.namespace);
                    add(
                        inventory,
                        namespace,
                        object.manifest,
                        name,
                        ObjectKeys::from_keys(TLS.iter().copied()),
                    );
                }
            }
        }
        _ => {}
    }
}

fn add<'a>(
    inventory: &mut Inventory<'a>,
    namespace: &'a str,
    by: &'a Manifest,
    name: &'a Node,
    contents: ObjectKeys<'a>,
) {
    let at: Origin = name.origin;
    inventory.add(ReferencedKind::Secret, namespace, name.as_str().unwrap_or_default(), (by, at), contents);
}

fn is_issued(manifest: &Manifest) -> bool {
    manifest.annotations().is_some_and(|annotations| {
        annotations.entries().iter().any(|entry| ISSUED_BY.contains(&entry.key.as_str()))
    })
}

fn certificate(root: &Node) -> ObjectKeys<'_> {
    let creates = |path: &[&str]| {
        root.at(path).is_some_and(|keystore| {
            matches!(keystore.get("create").map(|create| &create.value), Some(NodeValue::Bool(true)))
        })
    };
    let mut all = TLS.to_vec();
    if creates(&["spec", "keystores", "jks"]) {
        all.extend(["keystore.jks", "truststore.jks"]);
    }
    if creates(&["spec", "keystores", "pkcs12"]) {
        all.extend(["keystore.p12", "truststore.p12"]);
    }
    for format in items(root, &["spec", "additionalOutputFormats"]) {
        match format.get("type").and_then(Node::as_str) {
            Some("CombinedPEM") => all.push("tls-combined.pem"),
            Some("DER") => all.push("key.der"),
            _ => {}
        }
    }
    // Older versions copied these keys from the template.
    all.extend(mapping_keys(root.at(&["spec", "secretTemplate", "data"])));
    ObjectKeys::from_keys(all)
}
