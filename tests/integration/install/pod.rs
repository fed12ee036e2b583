//! Checks the pod of a repo-server with the sidecar, however it was built.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The mode of the volumes with keys and values: readable by their owner and group.
const KEY_MODE: u64 = 0o440;
const CONFIG_DIRECTORY: &str = "/etc/sealwave";

/// The image of the sidecar.
#[derive(Clone, Copy)]
pub(super) enum Sidecar<'a> {
    /// sealwave's own.
    Own { image: &'a str },
    /// That of the repo-server; an init container with sealwave's own image copies the program.
    Stock { image: &'a str },
}

/// Checks a pod template: the sidecar is complete, all volumes resolve, and the keys are readable by the sidecar's user,
/// which is `user`, or that of the platform's choice.
pub(super) fn check_pod(template: &Value, repo_server: &str, sidecar: Sidecar<'_>, user: Option<u64>) {
    let spec = &template["spec"];
    let containers = named(&spec["containers"]);
    assert!(containers.len() >= 2 && containers.contains_key("sealwave"), "{:?}", containers.keys());
    let annotation = &template["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"];
    assert_eq!(annotation, repo_server, "`kubectl logs` shows another container");
    let (server, container) = (containers[repo_server], containers["sealwave"]);
    check_volumes(spec);
    check_access(spec, container, user);
    check_server(server, container);
    let inits = named(&spec["initContainers"]);
    match sidecar {
        Sidecar::Own { image } => {
            assert_eq!(container["image"], image);
            assert!(!inits.contains_key("sealwave-copy"));
        }
        Sidecar::Stock { image } => {
            assert_eq!(container["image"], server["image"], "another version of Argo CD");
            let init = inits["sealwave-copy"];
            assert_eq!(init["image"], image);
            check_user(init, user);
            check_copied_files(container, init);
        }
    }
}

/// Returns the entries of a list by name; each name occurs once.
pub(super) fn named(list: &Value) -> BTreeMap<&str, &Value> {
    let items = list.as_array().unwrap();
    let named: BTreeMap<&str, &Value> =
        items.iter().map(|item| (item["name"].as_str().unwrap(), item)).collect();
    assert_eq!(named.len(), items.len(), "a name occurs twice: {:?}", named.keys());
    named
}

/// Returns the mounts of a container by path; each path occurs once.
pub(super) fn mounts(container: &Value) -> BTreeMap<&str, &Value> {
    let Some(items) = container["volumeMounts"].as_array() else { return BTreeMap::new() };
    let mounts: BTreeMap<&str, &Value> =
        items.iter().map(|mount| (mount["mountPath"].as_str().unwrap(), mount)).collect();
    assert_eq!(mounts.len(), items.len(), "{}: a path is mounted twice", container["name"]);
    mounts
}

/// Checks that each mount has its volume, and that each volume of the sidecar is mounted.
fn check_volumes(spec: &Value) {
    let volumes = named(&spec["volumes"]);
    let mut mounted = BTreeSet::new();
    for list in ["containers", "initContainers"] {
        for container in named(&spec[list]).values() {
            for (path, mount) in mounts(container) {
                let volume = mount["name"].as_str().unwrap();
                assert!(
                    volumes.contains_key(volume),
                    "{}: {path} needs the volume {volume}",
                    container["name"]
                );
                mounted.insert(volume);
            }
        }
    }
    for volume in volumes.keys().filter(|volume| volume.starts_with("sealwave")) {
        assert!(mounted.contains(volume), "nothing mounts {volume}");
    }
    // Each entry of a volume is one source.
    for (name, volume) in volumes {
        assert_eq!(volume.as_object().unwrap().len(), 2, "{name}: {volume}");
    }
}

/// Checks that the sidecar's user can read keys and values, and no other container mounts them.
fn check_access(spec: &Value, container: &Value, user: Option<u64>) {
    check_user(container, user);
    // With a user of the platform's choice, its group is too: OpenShift sets `fsGroup` from the namespace's range.
    let group = spec["securityContext"]["fsGroup"].as_u64();
    assert_eq!(group, user, "the group of the volumes is not that of the user");
    let (volumes, mounts) = (named(&spec["volumes"]), mounts(container));
    let config = mounts[CONFIG_DIRECTORY];
    let projected = &volumes[config["name"].as_str().unwrap()]["projected"];
    assert_eq!(projected["defaultMode"].as_u64(), Some(KEY_MODE));
    let sources = projected["sources"].as_array().unwrap();
    assert_eq!(
        sources,
        &[
            json!({"configMap": {"name": "sealwave-operator"}}),
            json!({"secret": {"name": "sealwave-seal-key"}})
        ]
    );
    let values = &volumes[mounts["/etc/sealwave-secrets"]["name"].as_str().unwrap()]["secret"];
    assert_eq!(*values, json!({"secretName": "sealwave-secrets", "optional": true, "defaultMode": KEY_MODE}));
    let env = named(&container["env"]);
    assert_eq!(env["SEALWAVE_OPERATOR"]["value"], format!("{CONFIG_DIRECTORY}/operator.yaml"));
    for other in named(&spec["containers"]).values().chain(named(&spec["initContainers"]).values()) {
        let paths = self::mounts(other);
        let names: BTreeSet<&str> = paths.values().map(|mount| mount["name"].as_str().unwrap()).collect();
        let reads = ["sealwave-config", "sealwave-secrets"].iter().any(|volume| names.contains(volume));
        assert_eq!(reads, other["name"] == "sealwave", "{}", other["name"]);
    }
}

/// Checks the user and the restrictions of a container of sealwave.
fn check_user(container: &Value, user: Option<u64>) {
    let mut expected = json!({
        "runAsNonRoot": true,
        "readOnlyRootFilesystem": true,
        "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    });
    if let Some(user) = user {
        expected["runAsUser"] = user.into();
    }
    assert_eq!(container["securityContext"], expected, "{}", container["name"]);
}

/// Checks that the sidecar starts argocd-cmp-server, and that the repo-server finds its socket.
fn check_server(server: &Value, container: &Value) {
    assert_eq!(container["command"], json!(["/var/run/argocd/argocd-cmp-server"]));
    let (of_server, of_sidecar) = (mounts(server), mounts(container));
    assert_eq!(of_sidecar["/var/run/argocd"]["name"], "var-files");
    let sockets = "/home/argocd/cmp-server/plugins";
    assert_eq!(of_sidecar[sockets]["name"], of_server[sockets]["name"]);
    assert_ne!(of_sidecar["/tmp"]["name"], of_server["/tmp"]["name"], "/tmp is shared with the repo-server");
}

/// Checks that the files which the init container copies are those that argocd-cmp-server uses.
fn check_copied_files(container: &Value, init: &Value) {
    assert_eq!(init["command"], json!(["/usr/local/bin/sealwave", "copy", "/sealwave"]));
    let volume = &mounts(init)["/sealwave"]["name"];
    let mounts = mounts(container);
    for (path, file) in [
        ("/usr/local/bin/sealwave", "sealwave"),
        ("/home/argocd/cmp-server/config/plugin.yaml", "plugin.yaml"),
    ] {
        let mount = json!({"name": volume, "mountPath": path, "subPath": file, "readOnly": true});
        assert_eq!(*mounts[path], mount);
    }
}
