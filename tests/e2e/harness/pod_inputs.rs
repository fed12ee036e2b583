//! The objects that the containers of a pod need before they can start.

use serde_json::Value;

/// The kinds of objects that a pod reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InputKind {
    Claim,
    ConfigMap,
    ProviderClass,
    Secret,
}

/// One object, or one key of it.
pub struct Input {
    pub kind: InputKind,
    pub name: String,
    pub key: Option<String>,
    pub optional: bool,
}

/// Returns all inputs of a pod. SecretProviderClasses come first: their driver makes Secrets that variables may need.
pub fn inputs(pod: &Value) -> Vec<Input> {
    let mut found = Vec::new();
    let spec = &pod["spec"];
    for volume in each(&spec["volumes"]) {
        add_volume(volume, &mut found);
    }
    for container in each(&spec["initContainers"]).chain(each(&spec["containers"])) {
        for source in each(&container["envFrom"]) {
            add(InputKind::Secret, &source["secretRef"], "name", &mut found);
            add(InputKind::ConfigMap, &source["configMapRef"], "name", &mut found);
        }
        for variable in each(&container["env"]) {
            let source = &variable["valueFrom"];
            add(InputKind::Secret, &source["secretKeyRef"], "name", &mut found);
            add(InputKind::ConfigMap, &source["configMapKeyRef"], "name", &mut found);
        }
    }
    found.sort_by_key(|input| input.kind != InputKind::ProviderClass);
    found
}

fn add_volume(volume: &Value, found: &mut Vec<Input>) {
    add(InputKind::Secret, &volume["secret"], "secretName", found);
    add(InputKind::ConfigMap, &volume["configMap"], "name", found);
    add(InputKind::Claim, &volume["persistentVolumeClaim"], "claimName", found);
    add(InputKind::ProviderClass, &volume["csi"]["volumeAttributes"], "secretProviderClass", found);
    for source in each(&volume["projected"]["sources"]) {
        add(InputKind::Secret, &source["secret"], "name", found);
        add(InputKind::ConfigMap, &source["configMap"], "name", found);
    }
}

fn add(kind: InputKind, reference: &Value, name: &str, found: &mut Vec<Input>) {
    if let Some(name) = reference[name].as_str() {
        let key = reference["key"].as_str().map(str::to_owned);
        // Files that each pod gets from the control plane.
        if name != "kube-root-ca.crt" {
            let optional = reference["optional"] == true;
            found.push(Input { kind, name: name.to_owned(), key, optional });
        }
    }
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
