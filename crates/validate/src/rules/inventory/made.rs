//! Who makes what.

use super::contents::{Contents, keys};
use super::{Inventory, MAKERS, certificates};
use sealwave_core::document::{Manifest, Mapping, Node, Origin};
use sealwave_core::names::{STRING_DATA_FROM, UNKNOWN_KEYS};
use sealwave_kube::catalogue::{ESO, Object, SEALED, STORE_CSI, supplied};
use sealwave_kube::pods::What;

/// Annotations and labels with which a controller, or sealwave, fills an object from elsewhere.
const FILLED_BY: &[&str] = &[
    STRING_DATA_FROM,
    "config.openshift.io/inject-trusted-cabundle",
    "kubernetes.io/service-account.name",
    "reflector.v1.k8s.emberstack.com/reflects",
    "replicator.v1.mittwald.de/replicate-from",
    "service.alpha.openshift.io/inject-cabundle",
    "service.beta.openshift.io/inject-cabundle",
];

/// Where an operator's object says the name of the Secret that it makes.
enum Name {
    /// At this path.
    At(&'static [&'static str]),
    /// In each item of the list at the first path, at the second.
    In(&'static [&'static str], &'static [&'static str]),
    /// It is the object's own.
    Own,
}

/// Operators that make Secrets whose keys are theirs to know.
static OPERATORS: &[(&str, &str, &[Name])] = &[
    ("azurekeyvault.spv.no", "AzureKeyVaultSecret", &[Name::At(&["spec", "output", "secret", "name"])]),
    ("bitwarden.com", "BitwardenSecret", &[Name::At(&["spec", "secretName"])]),
    ("k8s.bitwarden.com", "BitwardenSecret", &[Name::At(&["spec", "secretName"])]),
    ("certmanager.k8s.io", "Certificate", &[Name::At(&["spec", "secretName"])]),
    ("k8s.mariadb.com", "MariaDB", &[Name::At(&["spec", "rootPasswordSecretKeyRef", "name"])]),
    ("kafka.strimzi.io", "KafkaUser", &[Name::Own]),
    ("koudingspawn.de", "Vault", &[Name::Own]),
    ("kubernetes-client.io", "ExternalSecret", &[Name::Own]),
    (
        "mongodbcommunity.mongodb.com",
        "MongoDBCommunity",
        &[Name::In(&["spec", "users"], &["connectionStringSecretName"])],
    ),
    ("onepassword.com", "OnePasswordItem", &[Name::Own]),
    ("ps.percona.com", "PerconaServerMySQL", &[Name::At(&["spec", "secretsName"])]),
    ("psmdb.percona.com", "PerconaServerMongoDB", &[Name::At(&["spec", "secrets", "users"])]),
    ("pxc.percona.com", "PerconaXtraDBCluster", &[Name::At(&["spec", "secretsName"])]),
    ("redhatcop.redhat.io", "VaultSecret", &[Name::At(&["spec", "output", "name"])]),
    ("ricoberger.de", "VaultSecret", &[Name::Own]),
    ("secretgen.carvel.dev", "SecretImport", &[Name::Own]),
    ("secretgen.carvel.dev", "SecretTemplate", &[Name::Own]),
    ("secretgen.k14s.io", "Certificate", &[Name::Own]),
    ("secretgen.k14s.io", "Password", &[Name::Own]),
    ("secretgen.k14s.io", "RSAKey", &[Name::Own]),
    ("secretgen.k14s.io", "SSHKey", &[Name::Own]),
    ("secretgenerator.mittwald.de", "BasicAuth", &[Name::Own]),
    ("secretgenerator.mittwald.de", "SSHKeyPair", &[Name::Own]),
    ("secretgenerator.mittwald.de", "StringSecret", &[Name::Own]),
    ("secrets.doppler.com", "DopplerSecret", &[Name::At(&["spec", "managedSecret", "name"])]),
    (
        "secrets.infisical.com",
        "InfisicalSecret",
        &[
            Name::At(&["spec", "managedSecretReference", "secretName"]),
            Name::In(&["spec", "managedKubeSecretReferences"], &["secretName"]),
        ],
    ),
    ("secrets.hashicorp.com", "HCPVaultSecretsApp", VAULT),
    ("secrets.hashicorp.com", "VaultDynamicSecret", VAULT),
    ("secrets.hashicorp.com", "VaultPKISecret", VAULT),
    ("secrets.hashicorp.com", "VaultStaticSecret", VAULT),
    ("spv.no", "AzureKeyVaultSecret", &[Name::At(&["spec", "output", "secret", "name"])]),
];

const VAULT: &[Name] = &[Name::At(&["spec", "destination", "name"])];

/// Operators that name Secrets after their objects: what they put behind the name.
static NAMED_AFTER: &[(&str, &str, &[&str])] = &[
    ("elasticsearch.k8s.elastic.co", "Elasticsearch", &["-es-elastic-user", "-es-http-certs-public"]),
    ("grafana.integreatly.org", "Grafana", &["-admin-credentials"]),
    ("kafka.strimzi.io", "Kafka", &["-cluster-ca-cert", "-clients-ca-cert"]),
    ("k8s.keycloak.org", "Keycloak", &["-initial-admin"]),
    ("kibana.k8s.elastic.co", "Kibana", &["-kb-http-certs-public"]),
    ("postgresql.cnpg.io", "Cluster", &["-app", "-ca", "-replication", "-server", "-superuser"]),
    ("rabbitmq.com", "RabbitmqCluster", &["-default-user"]),
];

/// Adds what an object makes.
pub(super) fn by<'a>(object: &Object<'a>, inventory: &mut Inventory<'a>) {
    let root = object.manifest.root();
    match (object.group, object.kind) {
        ("", "ConfigMap") => {
            let contents = own(object, &["data", "binaryData"]);
            one(object, inventory, What::ConfigMap, contents);
        }
        ("", "PersistentVolumeClaim") | ("cdi.kubevirt.io", "DataVolume") => {
            one(object, inventory, What::PersistentVolumeClaim, Contents::Open);
        }
        ("", "ServiceAccount") => one(object, inventory, What::ServiceAccount, Contents::Open),
        ("apps", "StatefulSet") => claims(object, inventory),
        ("", "Secret") => one(object, inventory, What::Secret, own(object, &["data", "stringData"])),
        (SEALED, "SealedSecret") => one(object, inventory, What::Secret, sealed(root)),
        (STORE_CSI, "SecretProviderClass") => {
            for made in items(root, &["spec", "secretObjects"]) {
                let Some(name) = made.get("secretName") else { continue };
                let keys = items(made, &["data"]).iter().filter_map(|item| item.get("key")?.as_str());
                let (made_at, name) = ((object.manifest, name.origin), name.as_str().unwrap_or_default());
                inventory.add(What::Secret, object.namespace, name, made_at, Contents::keys(keys));
            }
        }
        (ESO, "ExternalSecret") => external_secret(object, inventory),
        (ESO, "ClusterExternalSecret") => {
            let name = root.at(&["spec", "externalSecretSpec", "target", "name"]).and_then(Node::as_str);
            let of_each = root.at(&["spec", "externalSecretName"]).and_then(Node::as_str);
            let name = name.or(of_each).unwrap_or(object.name);
            let spec = root.at(&["spec", "externalSecretSpec"]);
            let contents = spec.map_or(Contents::Open, fetched);
            inventory.add(What::Secret, "", name, name_at(object.manifest), contents);
        }
        ("isindir.github.com", "SopsSecret") => {
            for template in items(root, &["spec", "secretTemplates"]) {
                let Some(name) = template.get("name") else { continue };
                let contents = Contents::of(&[template.get("data"), template.get("stringData")]);
                let made_at = (object.manifest, name.origin);
                let name = name.as_str().unwrap_or_default();
                inventory.add(What::Secret, object.namespace, name, made_at, contents);
            }
        }
        ("trust.cert-manager.io", "Bundle") => bundle(object, inventory),
        _ => {
            certificates::by(object, inventory);
            operator(object, inventory);
        }
    }
}

/// An object that is itself what is wanted.
fn one<'a>(object: &Object<'a>, inventory: &mut Inventory<'a>, what: What, contents: Contents<'a>) {
    inventory.add(what, object.namespace, object.name, name_at(object.manifest), contents);
}

/// The keys of a `ConfigMap` or Secret.
fn own<'a>(object: &Object<'a>, fields: &[&str; 2]) -> Contents<'a> {
    let root = object.manifest.root();
    // Generators of several makers: mittwald, SAP.
    let filled = |name: &str| FILLED_BY.contains(&name) || name.starts_with("secret-generator.");
    let marks = [object.manifest.annotations(), object.manifest.labels()];
    if marks.into_iter().flatten().flat_map(Mapping::entries).any(|mark| filled(&mark.key)) {
        return Contents::Open;
    }
    Contents::of(&fields.map(|field| root.get(field))).or_filled_later()
}

/// The keys of what a `SealedSecret` becomes.
fn sealed(root: &Node) -> Contents<'_> {
    if root.at(&["spec", "data"]).is_some() || root.at(&["spec", "encryptedData", UNKNOWN_KEYS]).is_some() {
        return Contents::Open;
    }
    let template = |field: &str| root.at(&["spec", "template", field]);
    Contents::of(&[root.at(&["spec", "encryptedData"]), template("data"), template("stringData")])
        .or_filled_later()
}

fn external_secret<'a>(object: &Object<'a>, inventory: &mut Inventory<'a>) {
    let Some(spec) = object.manifest.root().get("spec") else { return };
    let target = |path: &[&str]| spec.get("target")?.at(path)?.as_str();
    let policy = target(&["creationPolicy"]).unwrap_or("Owner");
    let what = match target(&["manifest", "kind"]) {
        None | Some("Secret") => What::Secret,
        Some("ConfigMap") => What::ConfigMap,
        Some(_) => return,
    };
    if policy == "None" {
        return;
    }
    // What is merged into an object that exists already adds to keys that nobody here knows.
    let contents = if policy == "Merge" { Contents::Open } else { fetched(spec) };
    let made_at = match spec.at(&["target", "name"]) {
        Some(name) if name.as_str().is_some_and(|name| !name.is_empty()) => (object.manifest, name.origin),
        _ => name_at(object.manifest),
    };
    for name in supplied(object) {
        inventory.add(what, object.namespace, name, made_at, contents.clone());
    }
}

/// Returns the keys of what an `ExternalSecret` makes, by its spec.
pub(in crate::rules) fn fetched(spec: &Node) -> Contents<'_> {
    let data = items(spec, &["data"]).iter().filter_map(|item| item.get("secretKey")?.as_str());
    let unknown = !items(spec, &["dataFrom"]).is_empty();
    let template = spec.at(&["target", "template"]);
    let templated = template.and_then(|template| template.get("data"));
    let from = template.is_some_and(|template| !items(template, &["templateFrom"]).is_empty());
    let merged = template
        .and_then(|template| template.get("mergePolicy")?.as_str())
        .is_some_and(|policy| policy == "Merge");
    let has_template = keys(templated).next().is_some();
    match (from, has_template) {
        (true, _) => Contents::Open,
        (false, true) if !merged => Contents::of(&[templated]),
        _ if unknown => Contents::Open,
        _ => Contents::keys(data.chain(keys(templated))).or_filled_later(),
    }
}

/// A bundle of certificates goes to every namespace, under the bundle's own name.
fn bundle<'a>(object: &Object<'a>, inventory: &mut Inventory<'a>) {
    let target = |field: &str| object.manifest.root().at(&["spec", "target", field]);
    for (field, what) in [("configMap", What::ConfigMap), ("secret", What::Secret)] {
        if target(field).is_some() {
            inventory.add(what, "", object.name, name_at(object.manifest), Contents::Open);
        }
    }
}

fn operator<'a>(object: &Object<'a>, inventory: &mut Inventory<'a>) {
    // Kubernetes' own groups have no operators, and most objects are of those.
    if !object.group.contains('.') || object.group.ends_with(".k8s.io") {
        return;
    }
    let root = object.manifest.root();
    // Crossplane's, of whatever kind.
    for field in ["writeConnectionSecretToRef", "publishConnectionDetailsTo"] {
        let Some(reference) = root.at(&["spec", field]) else { continue };
        let Some(name) = reference.get("name") else { continue };
        let namespace = reference.get("namespace").and_then(Node::as_str).unwrap_or(object.namespace);
        let made_at = (object.manifest, name.origin);
        inventory.add(What::Secret, namespace, name.as_str().unwrap_or_default(), made_at, Contents::Open);
    }
    if object.is("acid.zalan.do", "postgresql") {
        // Those of the operator's own roles, and of the users of the manifest.
        let users = keys(root.at(&["spec", "users"]));
        for user in ["postgres", "standby", "pooler"].into_iter().chain(users) {
            let user = user.replace('_', "-");
            let name = format!("{user}.{}.credentials.postgresql.acid.zalan.do", object.name);
            inventory.add_name(What::Secret, object.namespace, name);
        }
    }
    let mut add = |name: Option<&'a Node>| {
        let made_at = name.map_or_else(|| name_at(object.manifest), |name| (object.manifest, name.origin));
        let name = name.map_or(object.name, |name| name.as_str().unwrap_or_default());
        inventory.add(What::Secret, object.namespace, name, made_at, Contents::Open);
    };
    let of_kind = OPERATORS.iter().filter(|(group, kind, _)| *kind == object.kind && *group == object.group);
    for name in of_kind.flat_map(|(_, _, names)| *names) {
        match name {
            Name::At(path) => root.at(path).into_iter().for_each(|name| add(Some(name))),
            Name::In(list, path) => {
                items(root, list)
                    .iter()
                    .take(MAKERS)
                    .filter_map(|item| item.at(path))
                    .for_each(|name| add(Some(name)));
            }
            Name::Own => add(None),
        }
    }
    let named = NAMED_AFTER.iter().filter(|(group, kind, _)| *kind == object.kind && *group == object.group);
    for suffix in named.flat_map(|(_, _, suffixes)| *suffixes) {
        inventory.add_name(What::Secret, object.namespace, format!("{}{suffix}", object.name));
    }
}

/// The claims that a StatefulSet makes from templates.
fn claims<'a>(object: &Object<'a>, inventory: &mut Inventory<'a>) {
    for template in items(object.manifest.root(), &["spec", "volumeClaimTemplates"]) {
        if let Some(name) = template.at(&["metadata", "name"]).and_then(Node::as_str) {
            let stem = format!("{name}-{}", object.name);
            inventory.add_name(What::PersistentVolumeClaim, object.namespace, stem);
        }
    }
}

/// Where the name of an object stands.
pub(super) fn name_at(manifest: &Manifest) -> (&Manifest, Origin) {
    let name = manifest.root().at(&["metadata", "name"]);
    (manifest, name.map_or(manifest.origin(), |name| name.origin))
}

/// The items of the list at the end of a path.
pub(super) fn items<'a>(node: &'a Node, path: &[&str]) -> &'a [Node] {
    node.at(path).map_or(&[], Node::items)
}
