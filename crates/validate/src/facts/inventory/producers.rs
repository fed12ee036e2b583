//! Objects that other objects create, with their known keys.

use super::contents::{ObjectKeys, mapping_keys};
use super::nodes::{items, manifest_and_name_origin};
use super::{Inventory, MAKERS, certificates};
use sealwave_core::document::{Mapping, Node};
use sealwave_core::names::{STRING_DATA_FROM, UNKNOWN_KEYS};
use sealwave_kube::catalog::{
    CatalogObject, ESO_GROUP, SEALED_SECRETS_GROUP, STORE_CSI_GROUP, supplied_secrets,
};
use sealwave_kube::pods::ReferencedKind;

/// Annotations and labels with which a controller or sealwave fills an object from elsewhere.
const FILLED_BY: &[&str] = &[
    STRING_DATA_FROM,
    "config.openshift.io/inject-trusted-cabundle",
    "kubernetes.io/service-account.name",
    "reflector.v1.k8s.emberstack.com/reflects",
    "replicator.v1.mittwald.de/replicate-from",
    "service.alpha.openshift.io/inject-cabundle",
    "service.beta.openshift.io/inject-cabundle",
];

/// Source of the name of the Secret that a controller creates.
enum NameSource {
    /// The field at this path.
    At(&'static [&'static str]),
    /// The field at the second path, in each item of the list at the first.
    In(&'static [&'static str], &'static [&'static str]),
    /// The name of the object itself.
    Own,
}

/// Operators that create Secrets with unknown keys.
static OPERATORS: &[(&str, &str, &[NameSource])] = &[
    ("azurekeyvault.spv.no", "AzureKeyVaultSecret", &[NameSource::At(&["spec", "output", "secret", "name"])]),
    ("bitwarden.com", "BitwardenSecret", &[NameSource::At(&["spec", "secretName"])]),
    ("k8s.bitwarden.com", "BitwardenSecret", &[NameSource::At(&["spec", "secretName"])]),
    ("certmanager.k8s.io", "Certificate", &[NameSource::At(&["spec", "secretName"])]),
    ("k8s.mariadb.com", "MariaDB", &[NameSource::At(&["spec", "rootPasswordSecretKeyRef", "name"])]),
    ("kafka.strimzi.io", "KafkaUser", &[NameSource::Own]),
    ("koudingspawn.de", "Vault", &[NameSource::Own]),
    ("kubernetes-client.io", "ExternalSecret", &[NameSource::Own]),
    (
        "mongodbcommunity.mongodb.com",
        "MongoDBCommunity",
        &[NameSource::In(&["spec", "users"], &["connectionStringSecretName"])],
    ),
    ("onepassword.com", "OnePasswordItem", &[NameSource::Own]),
    ("ps.percona.com", "PerconaServerMySQL", &[NameSource::At(&["spec", "secretsName"])]),
    ("psmdb.percona.com", "PerconaServerMongoDB", &[NameSource::At(&["spec", "secrets", "users"])]),
    ("pxc.percona.com", "PerconaXtraDBCluster", &[NameSource::At(&["spec", "secretsName"])]),
    ("redhatcop.redhat.io", "VaultSecret", &[NameSource::At(&["spec", "output", "name"])]),
    ("ricoberger.de", "VaultSecret", &[NameSource::Own]),
    ("secretgen.carvel.dev", "SecretImport", &[NameSource::Own]),
    ("secretgen.carvel.dev", "SecretTemplate", &[NameSource::Own]),
    ("secretgen.k14s.io", "Certificate", &[NameSource::Own]),
    ("secretgen.k14s.io", "Password", &[NameSource::Own]),
    ("secretgen.k14s.io", "RSAKey", &[NameSource::Own]),
    ("secretgen.k14s.io", "SSHKey", &[NameSource::Own]),
    ("secretgenerator.mittwald.de", "BasicAuth", &[NameSource::Own]),
    ("secretgenerator.mittwald.de", "SSHKeyPair", &[NameSource::Own]),
    ("secretgenerator.mittwald.de", "StringSecret", &[NameSource::Own]),
    ("secrets.doppler.com", "DopplerSecret", &[NameSource::At(&["spec", "managedSecret", "name"])]),
    (
        "secrets.infisical.com",
        "InfisicalSecret",
        &[
            NameSource::At(&["spec", "managedSecretReference", "secretName"]),
            NameSource::In(&["spec", "managedKubeSecretReferences"], &["secretName"]),
        ],
    ),
    ("secrets.hashicorp.com", "HCPVaultSecretsApp", VAULT),
    ("secrets.hashicorp.com", "VaultDynamicSecret", VAULT),
    ("secrets.hashicorp.com", "VaultPKISecret", VAULT),
    ("secrets.hashicorp.com", "VaultStaticSecret", VAULT),
    ("spv.no", "AzureKeyVaultSecret", &[NameSource::At(&["spec", "output", "secret", "name"])]),
];

const VAULT: &[NameSource] = &[NameSource::At(&["spec", "destination", "name"])];

/// Operators that name Secrets after their objects, with the suffixes that they append.
static NAMED_AFTER: &[(&str, &str, &[&str])] = &[
    ("elasticsearch.k8s.elastic.co", "Elasticsearch", &["-es-elastic-user", "-es-http-certs-public"]),
    ("grafana.integreatly.org", "Grafana", &["-admin-credentials"]),
    ("kafka.strimzi.io", "Kafka", &["-cluster-ca-cert", "-clients-ca-cert"]),
    ("k8s.keycloak.org", "Keycloak", &["-initial-admin"]),
    ("kibana.k8s.elastic.co", "Kibana", &["-kb-http-certs-public"]),
    ("postgresql.cnpg.io", "Cluster", &["-app", "-ca", "-replication", "-server", "-superuser"]),
    ("rabbitmq.com", "RabbitmqCluster", &["-default-user"]),
];

/// Adds the objects that an object creates.
pub(crate) fn add_created_objects<'a>(object: &CatalogObject<'a>, inventory: &mut Inventory<'a>) {
    let root = object.manifest.root();
    match (object.group, object.kind) {
        ("", "ConfigMap") => {
            let contents = own_keys(object, &["data", "binaryData"]);
            add_itself(object, inventory, ReferencedKind::ConfigMap, contents);
        }
        ("", "PersistentVolumeClaim") | ("cdi.kubevirt.io", "DataVolume") => {
            add_itself(object, inventory, ReferencedKind::PersistentVolumeClaim, ObjectKeys::Open);
        }
        ("", "ServiceAccount") => {
            add_itself(object, inventory, ReferencedKind::ServiceAccount, ObjectKeys::Open);
        }
        ("apps", "StatefulSet") => add_claims(object, inventory),
        ("", "Secret") => {
            add_itself(object, inventory, ReferencedKind::Secret, own_keys(object, &["data", "stringData"]));
        }
        (SEALED_SECRETS_GROUP, "SealedSecret") => {
            add_itself(object, inventory, ReferencedKind::Secret, sealed_keys(root));
        }
        (STORE_CSI_GROUP, "SecretProviderClass") => {
            for made in items(root, &["spec", "secretObjects"]) {
                let Some(name) = made.get("secretName") else { continue };
                let keys = items(made, &["data"]).iter().filter_map(|item| item.get("key")?.as_str());
                let (made_at, name) = ((object.manifest, name.origin), name.as_str().unwrap_or_default());
                inventory.add(
                    ReferencedKind::Secret,
                    object.namespace,
                    name,
                    made_at,
                    ObjectKeys::from_keys(keys),
                );
            }
        }
        (ESO_GROUP, "ExternalSecret") => add_external_secret(object, inventory),
        (ESO_GROUP, "ClusterExternalSecret") => {
            let name = root.at(&["spec", "externalSecretSpec", "target", "name"]).and_then(Node::as_str);
            let default_name = root.at(&["spec", "externalSecretName"]).and_then(Node::as_str);
            let name = name.or(default_name).unwrap_or(object.name);
            let spec = root.at(&["spec", "externalSecretSpec"]);
            let contents = spec.map_or(ObjectKeys::Open, external_secret_keys);
            inventory.add(
                ReferencedKind::Secret,
                "",
                name,
                manifest_and_name_origin(object.manifest),
                contents,
            );
        }
        ("isindir.github.com", "SopsSecret") => {
            for template in items(root, &["spec", "secretTemplates"]) {
                let Some(name) = template.get("name") else { continue };
                let contents = ObjectKeys::from_nodes(&[template.get("data"), template.get("stringData")]);
                let made_at = (object.manifest, name.origin);
                let name = name.as_str().unwrap_or_default();
                inventory.add(ReferencedKind::Secret, object.namespace, name, made_at, contents);
            }
        }
        ("trust.cert-manager.io", "Bundle") => add_bundle(object, inventory),
        _ => {
            certificates::add_certificate_secrets(object, inventory);
            add_operator_secrets(object, inventory);
        }
    }
}

/// Adds the object itself.
fn add_itself<'a>(
    object: &CatalogObject<'a>,
    inventory: &mut Inventory<'a>,
    kind: ReferencedKind,
    contents: ObjectKeys<'a>,
) {
    inventory.add(kind, object.namespace, object.name, manifest_and_name_origin(object.manifest), contents);
}

/// Returns the keys of a `ConfigMap` or Secret.
fn own_keys<'a>(object: &CatalogObject<'a>, fields: &[&str; 2]) -> ObjectKeys<'a> {
    let root = object.manifest.root();
    // Generators of mittwald and SAP.
    let filled = |name: &str| FILLED_BY.contains(&name) || name.starts_with("secret-generator.");
    let marks = [object.manifest.annotations(), object.manifest.labels()];
    if marks.into_iter().flatten().flat_map(Mapping::entries).any(|mark| filled(&mark.key)) {
        return ObjectKeys::Open;
    }
    ObjectKeys::from_nodes(&fields.map(|field| root.get(field))).open_if_empty()
}

/// Returns the keys of the Secret that a `SealedSecret` becomes.
fn sealed_keys(root: &Node) -> ObjectKeys<'_> {
    if root.at(&["spec", "data"]).is_some() || root.at(&["spec", "encryptedData", UNKNOWN_KEYS]).is_some() {
        return ObjectKeys::Open;
    }
    let template = |field: &str| root.at(&["spec", "template", field]);
    ObjectKeys::from_nodes(&[root.at(&["spec", "encryptedData"]), template("data"), template("stringData")])
        .open_if_empty()
}

fn add_external_secret<'a>(object: &CatalogObject<'a>, inventory: &mut Inventory<'a>) {
    let Some(spec) = object.manifest.root().get("spec") else { return };
    let target = |path: &[&str]| spec.get("target")?.at(path)?.as_str();
    let policy = target(&["creationPolicy"]).unwrap_or("Owner");
    let kind = match target(&["manifest", "kind"]) {
        None | Some("Secret") => ReferencedKind::Secret,
        Some("ConfigMap") => ReferencedKind::ConfigMap,
        Some(_) => return,
    };
    if policy == "None" {
        return;
    }
    // A merge adds keys to an existing object whose keys are unknown.
    let contents = if policy == "Merge" { ObjectKeys::Open } else { external_secret_keys(spec) };
    let made_at = match spec.at(&["target", "name"]) {
        Some(name) if name.as_str().is_some_and(|name| !name.is_empty()) => (object.manifest, name.origin),
        _ => manifest_and_name_origin(object.manifest),
    };
    for name in supplied_secrets(object) {
        inventory.add(kind, object.namespace, name, made_at, contents.clone());
    }
}

/// Returns the keys of the Secret that an `ExternalSecret` creates, by its spec.
pub(crate) fn external_secret_keys(spec: &Node) -> ObjectKeys<'_> {
    let data = items(spec, &["data"]).iter().filter_map(|item| item.get("secretKey")?.as_str());
    let unknown = !items(spec, &["dataFrom"]).is_empty();
    let template = spec.at(&["target", "template"]);
    let templated = template.and_then(|template| template.get("data"));
    let from = template.is_some_and(|template| !items(template, &["templateFrom"]).is_empty());
    let merged = template
        .and_then(|template| template.get("mergePolicy")?.as_str())
        .is_some_and(|policy| policy == "Merge");
    let has_template = mapping_keys(templated).next().is_some();
    match (from, has_template) {
        (true, _) => ObjectKeys::Open,
        (false, true) if !merged => ObjectKeys::from_nodes(&[templated]),
        _ if unknown => ObjectKeys::Open,
        _ => ObjectKeys::from_keys(data.chain(mapping_keys(templated))).open_if_empty(),
    }
}

/// Adds a bundle of certificates, which exists in every namespace under its own name.
fn add_bundle<'a>(object: &CatalogObject<'a>, inventory: &mut Inventory<'a>) {
    let target = |field: &str| object.manifest.root().at(&["spec", "target", field]);
    for (field, kind) in [("configMap", ReferencedKind::ConfigMap), ("secret", ReferencedKind::Secret)] {
        if target(field).is_some() {
            inventory.add(kind, "", object.name, manifest_and_name_origin(object.manifest), ObjectKeys::Open);
        }
    }
}

fn add_operator_secrets<'a>(object: &CatalogObject<'a>, inventory: &mut Inventory<'a>) {
    // Kubernetes' own groups, to which most objects belong, have no such controllers.
    if !object.group.contains('.') || object.group.ends_with(".k8s.io") {
        return;
    }
    let root = object.manifest.root();
    // Any kind of Crossplane.
    for field in ["writeConnectionSecretToRef", "publishConnectionDetailsTo"] {
        let Some(reference) = root.at(&["spec", field]) else { continue };
        let Some(name) = reference.get("name") else { continue };
        let namespace = reference.get("namespace").and_then(Node::as_str).unwrap_or(object.namespace);
        let made_at = (object.manifest, name.origin);
        inventory.add(
            ReferencedKind::Secret,
            namespace,
            name.as_str().unwrap_or_default(),
            made_at,
            ObjectKeys::Open,
        );
    }
    if object.is("acid.zalan.do", "postgresql") {
        // The controller's own roles, and the users of the manifest.
        let users = mapping_keys(root.at(&["spec", "users"]));
        for user in ["postgres", "standby", "pooler"].into_iter().chain(users) {
            let user = user.replace('_', "-");
            let name = format!("{user}.{}.credentials.postgresql.acid.zalan.do", object.name);
            inventory.add_name(ReferencedKind::Secret, object.namespace, name);
        }
    }
    let mut add = |name: Option<&'a Node>| {
        let made_at = name
            .map_or_else(|| manifest_and_name_origin(object.manifest), |name| (object.manifest, name.origin));
        let name = name.map_or(object.name, |name| name.as_str().unwrap_or_default());
        inventory.add(ReferencedKind::Secret, object.namespace, name, made_at, ObjectKeys::Open);
    };
    let of_kind = OPERATORS.iter().filter(|(group, kind, _)| *kind == object.kind && *group == object.group);
    for name in of_kind.flat_map(|(_, _, names)| *names) {
        match name {
            NameSource::At(path) => root.at(path).into_iter().for_each(|name| add(Some(name))),
            NameSource::In(list, path) => {
                items(root, list)
                    .iter()
                    .take(MAKERS)
                    .filter_map(|item| item.at(path))
                    .for_each(|name| add(Some(name)));
            }
            NameSource::Own => add(None),
        }
    }
    let named = NAMED_AFTER.iter().filter(|(group, kind, _)| *kind == object.kind && *group == object.group);
    for suffix in named.flat_map(|(_, _, suffixes)| *suffixes) {
        inventory.add_name(ReferencedKind::Secret, object.namespace, format!("{}{suffix}", object.name));
    }
}

/// Adds the claims that a StatefulSet creates from templates.
fn add_claims<'a>(object: &CatalogObject<'a>, inventory: &mut Inventory<'a>) {
    for template in items(object.manifest.root(), &["spec", "volumeClaimTemplates"]) {
        if let Some(name) = template.at(&["metadata", "name"]).and_then(Node::as_str) {
            let stem = format!("{name}-{}", object.name);
            inventory.add_name(ReferencedKind::PersistentVolumeClaim, object.namespace, stem);
        }
    }
}
