//! The volumes that make the driver create a Secret: on every pod that uses it, mounted in one container.
//!
//! The driver makes a Secret only while a pod mounts the class. So each pod gets a volume of its own, even where another
//! pod's would do: pods start in any order, and on their own. A pod's volumes are mounted before its first container
//! starts, and a container or a volume that waits for the Secret is tried again until it is there; what refers to the
//! Secret stays as it is.
//!
//! One mount is enough, and no more are made: the mount shows the remote objects as files, wider than the keys asked for.

use crate::backends::refusal::{Refusals, Why};
use sealwave_core::diagnostic::Problem;
use sealwave_core::document::{Entry, Manifest, Mapping, Node, Origin, Value};
use sealwave_core::sha256_hex;
use sealwave_kube::pods::{
    Reference, What, WorkloadKind, container_references, pod_template, volume_references,
};
use sealwave_secrets::settings::Backend;

const DRIVER: &str = "secrets-store.csi.k8s.io";
const MOUNTS: &str = "/mnt/secrets-store";
const MAX_LABEL: usize = 63;

/// A class that makes the Secret of its own name.
pub(crate) struct Class {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

/// Adds volumes and mounts to all pods that use the Secrets of these classes.
///
/// # Errors
/// Secrets that no pod uses, or that one needs before it can mount anything; pods that cannot be changed.
pub(crate) fn mount(
    objects: &mut [Manifest],
    classes: &[Class],
    kinds: &[WorkloadKind],
) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    for class in classes {
        let mut refusals = Refusals::new(Backend::SecretsStoreCsi, &class.namespace, &class.name);
        let mut used = false;
        for object in objects.iter_mut() {
            match mount_in(object, class, kinds) {
                Ok(does) => used |= does,
                Err(why) => {
                    used = true;
                    refusals.whole(object.origin(), why);
                }
            }
        }
        if !used {
            refusals.whole(class.origin, Why::NoPod);
        }
        problems.extend(refusals.unless_any(()).err().into_iter().flatten());
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether the object's pod uses the Secret; if it does, it mounts the class now.
fn mount_in(object: &mut Manifest, class: &Class, kinds: &[WorkloadKind]) -> Result<bool, Why> {
    // What the app file says wrongly about a kind is said where waves are chosen.
    let Ok(Some(template)) = pod_template(object, kinds) else { return Ok(false) };
    if object.namespace() != class.namespace {
        return Ok(false);
    }
    let workload = || object.id().to_string();
    let pulled = listed(template.spec, "imagePullSecrets");
    if pulled.iter().any(|secret| text(secret, "name") == Some(&class.name)) {
        return Err(Why::PullSecret { workload: workload() });
    }
    let Some(container) = consumer(template.spec, &class.name) else { return Ok(false) };
    let malformed = Why::PodSpec { workload: workload() };
    let mut path: Vec<String> = template.path.iter().map(|key| (*key).to_owned()).collect();
    path.push("spec".to_owned());
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let spec = object.root_mut().at_mut(&path).ok_or_else(|| malformed.clone())?;
    wire(spec, &class.name, container).ok_or(malformed)?;
    Ok(true)
}

/// A container by its list and its place in it.
type Place = (&'static str, usize);

/// The container that uses a Secret, the pod's first one where only a volume without a mount does; none where nothing does.
fn consumer(spec: &Node, secret: &str) -> Option<Place> {
    let means = |references: Vec<Reference<'_>>| {
        references.iter().any(|reference| reference.what == What::Secret && reference.name == secret)
    };
    let volumes: Vec<&str> = listed(spec, "volumes")
        .iter()
        .filter(|volume| means(volume_references(volume)))
        .filter_map(|volume| text(volume, "name"))
        .collect();
    let uses = |container: &Node| {
        let mounts = listed(container, "volumeMounts");
        means(container_references(container))
            || mounts.iter().filter_map(|mount| text(mount, "name")).any(|name| volumes.contains(&name))
    };
    let found = ["containers", "initContainers"]
        .into_iter()
        .find_map(|list| Some((list, listed(spec, list).iter().position(uses)?)));
    let by_others = || !volumes.is_empty() || listed(spec, "ephemeralContainers").iter().any(&uses);
    found.or_else(|| by_others().then_some(("containers", 0)))
}

/// Adds the volume and the mount, as far as they are not there; `None` where the spec is malformed.
fn wire(spec: &mut Node, class: &str, (list, index): Place) -> Option<()> {
    let volume = match volume_of(spec, class) {
        Some(name) => name,
        None => add_volume(spec, class)?,
    };
    let mounted =
        ["containers", "initContainers"].into_iter().flat_map(|list| listed(spec, list)).any(|container| {
            listed(container, "volumeMounts").iter().any(|mount| text(mount, "name") == Some(&volume))
        });
    if mounted {
        return Some(());
    }
    let container = list_mut(spec, list)?.get_mut(index)?;
    let at = container.origin;
    let taken = |path: &str| {
        let mounts = listed(container, "volumeMounts").iter();
        mounts.filter_map(|mount| text(mount, "mountPath")).any(|other| other.trim_end_matches('/') == path)
    };
    let path = free(&format!("{MOUNTS}/{class}"), taken);
    let mount = [("mountPath", string(&path, at)), ("name", string(&volume, at)), ("readOnly", yes(at))];
    list_mut(container, "volumeMounts")?.push(mapping(mount, at));
    Some(())
}

/// The name of the volume that mounts a class.
fn volume_of(spec: &Node, class: &str) -> Option<String> {
    let mounts = |volume: &&Node| {
        let of = |path: &[&str]| volume.at(path).and_then(Node::as_str);
        of(&["csi", "driver"]) == Some(DRIVER)
            && of(&["csi", "volumeAttributes", "secretProviderClass"]) == Some(class)
    };
    listed(spec, "volumes").iter().find(mounts).and_then(|volume| text(volume, "name")).map(str::to_owned)
}

fn add_volume(spec: &mut Node, class: &str) -> Option<String> {
    let at = spec.origin;
    let volumes = list_mut(spec, "volumes")?;
    let taken = |name: &str| volumes.iter().any(|volume| text(volume, "name") == Some(name));
    let name = free(&volume_name(class), taken);
    let attributes = mapping([("secretProviderClass", string(class, at))], at);
    let csi = [("driver", string(DRIVER, at)), ("readOnly", yes(at)), ("volumeAttributes", attributes)];
    volumes.push(mapping([("csi", mapping(csi, at)), ("name", string(&name, at))], at));
    Some(name)
}

/// A volume's name, which is a DNS label, unlike a Secret's.
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

/// The name itself, or the first numbered form of it that is not taken.
fn free(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2_usize..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}

fn listed<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}

fn text<'a>(node: &'a Node, field: &str) -> Option<&'a str> {
    node.get(field)?.as_str()
}

/// A list, made where it is missing or null.
fn list_mut<'a>(node: &'a mut Node, field: &str) -> Option<&'a mut Vec<Node>> {
    let at = node.origin;
    let mapping = node.as_mapping_mut()?;
    if mapping.get(field).is_none_or(|node| node.value == Value::Null) {
        mapping.insert(field, at, Node::new(Value::Sequence(Vec::new()), at));
    }
    match &mut mapping.get_mut(field)?.value {
        Value::Sequence(items) => Some(items),
        _ => None,
    }
}

fn string(text: &str, at: Origin) -> Node {
    Node::string(text, at)
}

const fn yes(at: Origin) -> Node {
    Node::new(Value::Bool(true), at)
}

fn mapping<const N: usize>(fields: [(&str, Node); N], at: Origin) -> Node {
    let mut mapping = Mapping::with_capacity(N);
    for (key, value) in fields {
        mapping.push_new(Entry { key: key.into(), key_origin: at, value });
    }
    Node::new(Value::Mapping(mapping), at)
}

#[cfg(test)]
mod tests;
