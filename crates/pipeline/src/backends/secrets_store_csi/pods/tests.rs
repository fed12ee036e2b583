//! Tests which pods mount a class, and in which container.

use serde_json::{Value as Json, json};

use super::*;
use sealwave_testkit::{manifest, manifests};

fn deployment(spec: &Json) -> Json {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "n"},
        "spec": {"template": {"spec": spec}},
    })
}

fn class() -> ReplacedSecret {
    ReplacedSecret {
        namespace: "n".to_owned(),
        name: "db".to_owned(),
        origin: manifest(&deployment(&json!({}))).origin(),
    }
}

fn mounted(object: &Json) -> Result<Json, Vec<String>> {
    let mut objects = manifests(std::slice::from_ref(object));
    mount_classes(&mut objects, &[class()], &[])
        .map_err(|problems| problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>())?;
    Ok(objects.remove(0).root().to_json())
}

fn volume(name: &str) -> Json {
    json!({"csi": {
        "driver": "secrets-store.csi.k8s.io", "readOnly": true,
        "volumeAttributes": {"secretProviderClass": "db"},
    }, "name": name})
}

#[test]
fn the_container_that_uses_the_secret_mounts_the_class() {
    let env = json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "k"}}}]);
    for using in [
        json!({"name": "b", "env": env}),
        json!({"name": "b", "envFrom": [{"secretRef": {"name": "db", "optional": true}}]}),
    ] {
        let spec = json!({"containers": [{"name": "a"}, using]});
        let found = mounted(&deployment(&spec)).unwrap();
        let spec = &found["spec"]["template"]["spec"];
        assert_eq!(spec["volumes"], json!([volume("secrets-store-db")]));
        assert_eq!(spec["containers"][0].get("volumeMounts"), None);
        assert_eq!(
            spec["containers"][1]["volumeMounts"],
            json!([{"mountPath": "/mnt/secrets-store/db", "name": "secrets-store-db", "readOnly": true}])
        );
        // Existing volumes and mounts are not added again.
        assert_eq!(mounted(&found).unwrap(), found);
    }
}

#[test]
fn volumes_and_init_containers_are_consumers() {
    for source in [
        json!({"name": "v", "secret": {"secretName": "db"}}),
        json!({"name": "v", "projected": {"sources": [{"secret": {"name": "db"}}]}}),
    ] {
        let spec = json!({
            "containers": [{"name": "a"}],
            "initContainers": [{"name": "i", "volumeMounts": [{"name": "v", "mountPath": "/mnt/secrets-store/db/"}]}],
            "volumes": [source],
        });
        let found = mounted(&deployment(&spec)).unwrap();
        let spec = &found["spec"]["template"]["spec"];
        assert_eq!(spec["volumes"], json!([source, volume("secrets-store-db")]));
        assert_eq!(
            spec["initContainers"][0]["volumeMounts"][1]["mountPath"],
            json!("/mnt/secrets-store/db-2")
        );
        assert_eq!(spec["containers"][0].get("volumeMounts"), None);
    }
}

#[test]
fn an_authors_own_volume_is_used() {
    let own = json!({"csi": {
        "driver": "secrets-store.csi.k8s.io", "volumeAttributes": {"secretProviderClass": "db"},
    }, "name": "mine"});
    let spec =
        json!({"containers": [{"name": "a", "envFrom": [{"secretRef": {"name": "db"}}]}], "volumes": [own]});
    let found = mounted(&deployment(&spec)).unwrap();
    let spec = &found["spec"]["template"]["spec"];
    assert_eq!(spec["volumes"], json!([own]));
    assert_eq!(spec["containers"][0]["volumeMounts"][0]["name"], json!("mine"));
}

#[test]
fn impossible_mounts_are_refused() {
    let uses = json!({"name": "a", "envFrom": [{"secretRef": {"name": "db"}}]});
    let mut elsewhere = deployment(&json!({"containers": [uses]}));
    elsewhere["metadata"]["namespace"] = json!("other");
    for (object, why) in [
        (deployment(&json!({"containers": [{"name": "a"}]})), "no pod in this output uses it"),
        (elsewhere, "no pod in this output uses it"),
        (
            deployment(&json!({"containers": [uses], "imagePullSecrets": [{"name": "db"}]})),
            "Deployment.apps `n/web` pulls its image with it",
        ),
        (deployment(&json!({"containers": [uses], "volumes": "x"})), "cannot be added to"),
    ] {
        let found = mounted(&object).unwrap_err();
        assert!(found.len() == 1 && found[0].contains(why), "{found:?}");
    }
}

#[test]
fn names_of_volumes_are_labels() {
    assert_eq!(volume_name("db"), "secrets-store-db");
    assert_ne!(volume_name("a.b"), volume_name("a-b"));
    for name in ["a.b", &"x".repeat(253), &format!("{}.y", "x".repeat(40))] {
        let label = volume_name(name);
        assert!(label.len() <= MAX_LABEL && !label.contains('.') && !label.ends_with('-'), "{label}");
    }
}
