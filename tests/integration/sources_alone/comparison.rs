//! Compares the objects that a program renders alone with what sealwave makes of them.
//!
//! sealwave adds waves and sync options, checksums on pod templates, the namespace to objects without one, and seals Secrets,
//! with notes on how it sealed them. Its Secrets do not get the label by which Argo CD may track objects.
//! Everything else is equal.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::support::renderers::{NAMESPACE, ObjectKey};

const WAVE: &str = "argocd.argoproj.io/sync-wave";
const OPTIONS: &str = "argocd.argoproj.io/sync-options";
const ADDED_OPTIONS: [&str; 2] = ["PruneLast=true", "SkipDryRunOnMissingResource=true"];
const CHECKSUMS: [&str; 2] = ["checksum/config", "checksum/secret"];
const TRACKING_LABEL: &str = "app.kubernetes.io/instance";
const SEALING_NOTES: &str = "sealwave.dev/";
const POD_TEMPLATES: [&str; 2] = ["/spec/template", "/spec/jobTemplate/spec/template"];

/// Returns what differs between the objects of a program and those of sealwave, and is not among its additions.
pub(super) fn unexplained_differences(alone: &[Value], made: &[Value]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut unmatched: Vec<&Value> = made.iter().collect();
    for object in alone {
        let key = ObjectKey::of(object);
        let Some(at) = unmatched.iter().position(|candidate| is_same(&key, &ObjectKey::of(candidate))) else {
            differences.push(format!("{key:?} is missing"));
            continue;
        };
        let made = unmatched.remove(at);
        let (expected, found) = if made["kind"] == "SealedSecret" && key.kind == "Secret" {
            (outline_of_secret(object), outline_of_sealed_secret(made, object))
        } else {
            (without_checksums(object.clone()), without_additions(made.clone(), object))
        };
        if expected != found {
            differences.push(format!("{key:?}: expected {expected:#}\nfound {found:#}"));
        }
    }
    differences.extend(unmatched.into_iter().map(|object| format!("{:?} is new", ObjectKey::of(object))));
    differences
}

/// Reports whether an object of sealwave has the key of an object of the program.
fn is_same(alone: &ObjectKey, made: &ObjectKey) -> bool {
    let kind = alone.kind == made.kind || (alone.kind == "Secret" && made.kind == "SealedSecret");
    let namespace =
        alone.namespace == made.namespace || (alone.namespace.is_empty() && made.namespace == NAMESPACE);
    kind && namespace && alone.name == made.name
}

/// Removes from an object of sealwave what it added to the object of the program.
fn without_additions(mut made: Value, alone: &Value) -> Value {
    if alone["metadata"]["namespace"].is_null()
        && let Some(metadata) = made["metadata"].as_object_mut()
    {
        metadata.remove("namespace");
    }
    remove_placement(&mut made["metadata"], &alone["metadata"]["annotations"]);
    without_checksums(made)
}

/// Removes the wave and the options that the object did not have, but keeps those that it had.
fn remove_placement(metadata: &mut Value, before: &Value) {
    let before = |name: &str| before.get(name).and_then(Value::as_str);
    edit_annotations(metadata, |annotations| {
        if before(WAVE).is_none() {
            annotations.remove(WAVE);
        }
        let written: BTreeSet<&str> = before(OPTIONS).into_iter().flat_map(|list| list.split(',')).collect();
        let options = annotations.remove(OPTIONS);
        let options = options.as_ref().and_then(Value::as_str).unwrap_or_default();
        let is_kept = |option: &&str| written.contains(option) || !ADDED_OPTIONS.contains(option);
        let kept: Vec<&str> =
            options.split(',').filter(|option| !option.is_empty()).filter(is_kept).collect();
        if !kept.is_empty() {
            annotations.insert(OPTIONS.to_owned(), kept.join(",").into());
        }
    });
}

/// Removes the checksums from pod templates; sealwave replaces those that a chart has under these names.
fn without_checksums(mut object: Value) -> Value {
    for template in POD_TEMPLATES {
        let Some(template) = object.pointer_mut(template).and_then(Value::as_object_mut) else { continue };
        let Some(metadata) = template.get_mut("metadata") else { continue };
        edit_annotations(metadata, |annotations| {
            annotations.retain(|name, _| !CHECKSUMS.contains(&name.as_str()));
        });
        if metadata.as_object().is_some_and(Map::is_empty) {
            template.remove("metadata");
        }
    }
    object
}

/// Edits annotations, and removes them if none is left.
fn edit_annotations(metadata: &mut Value, edit: impl FnOnce(&mut Map<String, Value>)) {
    let Some(metadata) = metadata.as_object_mut() else { return };
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
    edit(annotations);
    if annotations.is_empty() {
        metadata.remove("annotations");
    }
}

/// Returns what of a Secret is not secret: type, labels, annotations and the names of its items.
fn outline_of_secret(secret: &Value) -> Value {
    let items: BTreeSet<&String> = ["data", "stringData"]
        .into_iter()
        .filter_map(|field| secret[field].as_object())
        .flat_map(Map::keys)
        .collect();
    outline(&secret["type"], &secret["metadata"]["labels"], &secret["metadata"]["annotations"], &items)
}

/// Returns the same of a `SealedSecret`. An annotation may be on the object, on its template, or on both.
fn outline_of_sealed_secret(made: &Value, secret: &Value) -> Value {
    let mut object = made["metadata"].clone();
    remove_placement(&mut object, &secret["metadata"]["annotations"]);
    let template = &made["spec"]["template"];
    let both = [&object["annotations"], &template["metadata"]["annotations"]];
    let annotations = both.into_iter().filter_map(Value::as_object).flatten();
    let annotations = annotations.filter(|(name, _)| !name.starts_with(SEALING_NOTES));
    let annotations: Map<String, Value> =
        annotations.map(|(name, value)| (name.clone(), value.clone())).collect();
    let items = made["spec"]["encryptedData"].as_object().into_iter().flat_map(Map::keys).collect();
    outline(&template["type"], &template["metadata"]["labels"], &annotations.into(), &items)
}

fn outline(secret_type: &Value, labels: &Value, annotations: &Value, items: &BTreeSet<&String>) -> Value {
    let or_empty = |map: &Value| map.as_object().cloned().unwrap_or_default();
    let mut labels = or_empty(labels);
    labels.remove(TRACKING_LABEL);
    serde_json::json!({
        "type": secret_type.as_str().unwrap_or("Opaque"),
        "labels": labels,
        "annotations": or_empty(annotations),
        "items": items,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "annotations": {OPTIONS: "PruneLast=true,Replace=true"}},
            "spec": {"template": {"metadata": {"annotations": {CHECKSUMS[0]: "own", "kept": "x"}}, "spec": {}}},
        })
    }

    fn sealed_deployment() -> Value {
        let mut made = deployment();
        made["metadata"]["namespace"] = NAMESPACE.into();
        made["metadata"]["annotations"][WAVE] = "1".into();
        made["spec"]["template"]["metadata"]["annotations"][CHECKSUMS[0]] = "ours".into();
        made["spec"]["template"]["metadata"]["annotations"][CHECKSUMS[1]] = "ours".into();
        made
    }

    fn secret() -> Value {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "labels": {"a": "b"}},
            "data": {"one": ""}, "stringData": {"two": ""},
        })
    }

    fn sealed_secret() -> Value {
        json!({
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
            "metadata": {
                "name": "db", "namespace": NAMESPACE,
                "annotations": {OPTIONS: "PruneLast=true", WAVE: "-1", "sealwave.dev/derivation": "v2"},
            },
            "spec": {
                "encryptedData": {"one": "A", "two": "A"},
                "template": {"metadata": {"name": "db", "labels": {"a": "b"}}, "type": "Opaque"},
            },
        })
    }

    #[test]
    fn additions_of_sealwave_are_no_difference() {
        let made = [sealed_secret(), sealed_deployment()];
        assert_eq!(unexplained_differences(&[deployment(), secret()], &made), [""; 0]);
    }

    #[test]
    fn every_other_change_is_a_difference() {
        let changes: [fn(&mut Value, &mut Value); 8] = [
            |deployment, _| deployment["spec"]["replicas"] = 2.into(),
            |deployment, _| deployment["metadata"]["namespace"] = "other".into(),
            |deployment, _| deployment["metadata"]["annotations"][OPTIONS] = "PruneLast=true".into(),
            |deployment, _| deployment["metadata"]["annotations"][OPTIONS] = "Replace=true".into(),
            |deployment, _| deployment["spec"]["template"]["metadata"]["annotations"]["kept"] = "y".into(),
            |_, secret| secret["spec"]["encryptedData"]["three"] = "A".into(),
            |_, secret| secret["spec"]["template"]["type"] = "kubernetes.io/tls".into(),
            |_, secret| secret["spec"]["template"]["metadata"]["labels"]["a"] = "c".into(),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let (mut deployed, mut sealed) = (sealed_deployment(), sealed_secret());
            change(&mut deployed, &mut sealed);
            let differences = unexplained_differences(&[deployment(), secret()], &[deployed, sealed]);
            assert!(!differences.is_empty(), "change {index}");
        }
        assert_eq!(unexplained_differences(&[deployment()], &[]).len(), 1);
        assert_eq!(unexplained_differences(&[], &[sealed_deployment()]).len(), 1);
    }
}
