//! Adds the volumes that make the driver create a Secret: to every pod that uses it, mounted in one container.
//!
//! The driver creates a Secret only while a pod mounts the class. So each pod gets its own volume, even if another pod has
//! one: pods start independently and in any order. A pod's volumes are mounted before its first container starts, and a
//! container or volume that waits for the Secret is retried until it exists; references to the Secret do not change.
//!
//! Only one mount is added: it exposes whole remote objects as files, which is more than the requested keys.

use super::OBJECT;
use super::reason::ProviderClassReason;
use crate::backends::backend::ReplacedSecret;
use crate::backends::refusal::RefusalCollector;
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::{Manifest, MappingEntry, Node, NodeValue, Origin};
use sealwave_core::sha256_hex;
use sealwave_kube::pods::{
    PodReference, ReferencedKind, WorkloadKind, container_references, pod_template, volume_references,
};

const DRIVER: &str = "secrets-store.csi.k8s.io";
const MOUNTS: &str = "/mnt/secrets-store";
const MAX_LABEL: usize = 63;

/// Adds volumes and mounts to all pods that use these Secrets, whose classes have the same names.
///
/// # Errors
/// No pod uses a Secret, a pod needs it before it can mount volumes, or a pod cannot be changed.
pub(super) fn mount_classes(
    objects: &mut [Manifest],
    classes: &[ReplacedSecret],
    kinds: &[WorkloadKind],
) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    for class in classes {
        let mut refusals = RefusalCollector::new(OBJECT, &class.namespace, &class.name);
        let mut used = false;
        for object in objects.iter_mut() {
            match mount_in(object, class, kinds) {
                Ok(mounted) => used |= mounted,
                Err(reason) => {
                    used = true;
                    refusals.refuse_secret(object.origin(), &reason);
                }
            }
        }
        if !used {
            refusals.refuse_secret(class.origin, &ProviderClassReason::NoPod);
        }
        problems.extend(refusals.into_result(()).err().into_iter().flatten());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Mounts the class in the object's pod if the pod uses the Secret. Returns whether it does.
fn mount_in(
    object: &mut Manifest,
    class: &ReplacedSecret,
    kinds: &[WorkloadKind],
) -> Result<bool, ProviderClassReason> {
    // Errors of the app file about a kind are reported where waves are chosen.
    let Ok(Some(template)) = pod_template(object, kinds) else { return Ok(false) };
    if object.namespace() != class.namespace {
        return Ok(false);
    }
    let workload = || object.id().to_string();
    let pulled = items_of(template.spec, "imagePullSecrets");
    if pulled.iter().any(|secret| text(secret, "name") == Some(&class.name)) {
        return Err(ProviderClassReason::PullSecret { workload: workload() });
    }
    let Some(container) = find_consumer(template.spec, &class.name) else { return Ok(false) };
    let malformed = ProviderClassReason::PodSpec { workload: workload() };
    let mut path: Vec<String> = template.path.iter().map(|key| (*key).to_owned()).collect();
    path.push("spec".to_owned());
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let spec = object.field_mut(&path).ok_or_else(|| malformed.clone())?;
    add_mount(spec, &class.name, container).ok_or(malformed)?;
    Ok(true)
}

/// A container, as the name of its list and the index in it.
type ContainerIndex = (&'static str, usize);

/// Finds the container that uses a Secret, or the pod's first container if only a volume without a mount uses it.
fn find_consumer(spec: &Node, secret: &str) -> Option<ContainerIndex> {
    let has_secret = |references: Vec<PodReference<'_>>| {
        references
            .iter()
            .any(|reference| reference.kind == ReferencedKind::Secret && reference.name == secret)
    };
    let volumes: Vec<&str> = items_of(spec, "volumes")
        .iter()
        .filter(|volume| has_secret(volume_references(volume)))
        .filter_map(|volume| text(volume, "name"))
        .collect();
    let uses = |container: &Node| {
        let mounts = items_of(container, "volumeMounts");
        has_secret(container_references(container))
            || mounts.iter().filter_map(|mount| text(mount, "name")).any(|name| volumes.contains(&name))
    };
    let found = ["containers", "initContainers"]
        .into_iter()
        .find_map(|list| Some((list, items_of(spec, list).iter().position(uses)?)));
    let is_used_otherwise = || !volumes.is_empty() || items_of(spec, "ephemeralContainers").iter().any(&uses);
    found.or_else(|| is_used_otherwise().then_some(("containers", 0)))
}

/// Adds the volume and the mount unless they exist. Returns `None` if the spec is malformed.
fn add_mount(spec: &mut Node, class: &str, (list, index): ContainerIndex) -> Option<()> {
    let volume = match find_volume(spec, class) {
        Some(name) => name,
        None => add_volume(spec, class)?,
    };
    let is_mounted =
        ["containers", "initContainers"].into_iter().flat_map(|list| items_of(spec, list)).any(|container| {
            items_of(container, "volumeMounts").iter().any(|mount| text(mount, "name") == Some(&volume))
        });
    if is_mounted {
        return Some(());
    }
    let container = list_mut(spec, list)?.get_mut(index)?;
    let at = container.origin;
    let is_taken = |path: &str| {
        let mounts = items_of(container, "volumeMounts").iter();
        mounts.filter_map(|mount| text(mount, "mountPath")).any(|other| other.trim_end_matches('/') == path)
    };
    let path = first_free(&format!("{MOUNTS}/{class}"), is_taken);
    let mount =
        [("mountPath", string(&path, at)), ("name", string(&volume, at)), ("readOnly", true_node(at))];
    list_mut(container, "volumeMounts")?.push(mapping(mount, at));
    Some(())
}

/// Returns the name of the volume that mounts a class.
fn find_volume(spec: &Node, class: &str) -> Option<String> {
    let mounts_class = |volume: &&Node| {
        let text_at = |path: &[&str]| volume.at(path).and_then(Node::as_str);
        text_at(&["csi", "driver"]) == Some(DRIVER)
            && text_at(&["csi", "volumeAttributes", "secretProviderClass"]) == Some(class)
    };
    items_of(spec, "volumes")
        .iter()
        .find(mounts_class)
        .and_then(|volume| text(volume, "name"))
        .map(str::to_owned)
}

fn add_volume(spec: &mut Node, class: &str) -> Option<String> {
    let at = spec.origin;
    let volumes = list_mut(spec, "volumes")?;
    let is_taken = |name: &str| volumes.iter().any(|volume| text(volume, "name") == Some(name));
    let name = first_free(&volume_name(class), is_taken);
    let attributes = mapping([("secretProviderClass", string(class, at))], at);
    let csi = [("driver", string(DRIVER, at)), ("readOnly", true_node(at)), ("volumeAttributes", attributes)];
    volumes.push(mapping([("csi", mapping(csi, at)), ("name", string(&name, at))], at));
    Some(name)
}

/// Derives a volume's name, which must be a DNS label, unlike a Secret's.
fn volume_name(class: &str) -> String {
    let name = format!("secrets-store-{}", class.replace('.', "-"));
    if name.len() <= MAX_LABEL && !class.contains('.') {
        return name;
    }
    let digest = sha256_hex(class.as_bytes());
    let start: String = name.chars().take(MAX_LABEL - 11).collect();
    let short: String = digest.chars().take(8).collect();
    format!("{}-{short}", start.trim_end_matches('-'))
}

/// Returns the name, or its first numbered form that is not taken.
fn first_free(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2_usize..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !is_taken(name)).unwrap_or_default()
}

fn items_of<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}

fn text<'a>(node: &'a Node, field: &str) -> Option<&'a str> {
    node.get(field)?.as_str()
}

/// Returns a list, which is created if it is missing or null.
fn list_mut<'a>(node: &'a mut Node, field: &str) -> Option<&'a mut Vec<Node>> {
    let at = node.origin;
    let mapping = node.as_mapping_mut()?;
    if mapping.get(field).is_none_or(|node| node.value == NodeValue::Null) {
        mapping.insert(field, at, Node::new(NodeValue::Sequence(Vec::new()), at));
    }
    match &mut mapping.get_mut(field)?.value {
        NodeValue::Sequence(items) => Some(items),
        _ => None,
    }
}

fn string(text: &str, at: Origin) -> Node {
    Node::string(text, at)
}

const fn true_node(at: Origin) -> Node {
    Node::new(NodeValue::Bool(true), at)
}

fn mapping<const N: usize>(fields: [(&str, Node); N], at: Origin) -> Node {
    let entry = |(key, value): (&str, Node)| MappingEntry { key: key.into(), key_origin: at, value };
    Node::new(NodeValue::Mapping(fields.into_iter().map(entry).collect()), at)
}

#[cfg(test)]
mod tests;
