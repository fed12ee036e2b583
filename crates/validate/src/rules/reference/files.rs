//! Files of volumes: single files that a container mounts, and whether a volume contains a file.

use std::collections::HashMap;

use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::is_template;
use crate::facts::scene::CheckedEnvironment;
use sealwave_core::document::{Node, NodeValue};
use sealwave_kube::pods::ReferencedKind;

/// A volume of a `ConfigMap` or a Secret.
pub(super) struct ConfigVolume<'a> {
    pub(super) kind: ReferencedKind,
    pub(super) name: &'a Node,
    /// Paths of its files, if listed; otherwise, all keys are files.
    paths: Option<Vec<&'a str>>,
}

/// A mount of one file or directory of a volume by `subPath`.
pub(super) struct SubPathMount<'a> {
    pub(super) volume: ConfigVolume<'a>,
    pub(super) path: &'a Node,
    pub(super) text: &'a str,
}

/// Returns the `subPath` mounts of an object's containers.
pub(super) fn sub_path_mounts<'a>(object: &CheckedObject<'a>) -> Vec<SubPathMount<'a>> {
    let Some(pod) = &object.pod else { return Vec::new() };
    let volumes: HashMap<&str, &Node> = items(pod.spec, "volumes")
        .iter()
        .filter_map(|volume| Some((volume.get("name")?.as_str()?, volume)))
        .collect();
    let mounts = object.containers().flat_map(|container| items(container, "volumeMounts"));
    mounts
        .filter_map(|mount| {
            let path = mount.get("subPath")?;
            let text = path.as_str()?.trim_start_matches("./").trim_end_matches('/');
            let volume = config_volume(volumes.get(mount.get("name")?.as_str()?)?)?;
            (!text.is_empty() && !is_template(text)).then_some(SubPathMount { volume, path, text })
        })
        .collect()
}

/// Reads a volume of a `ConfigMap` or Secret that must exist; `None` for other volumes.
pub(super) fn config_volume(volume: &Node) -> Option<ConfigVolume<'_>> {
    let (kind, source, name) = match (volume.get("configMap"), volume.get("secret")) {
        (Some(source), _) => (ReferencedKind::ConfigMap, source, source.get("name")?),
        (None, Some(source)) => (ReferencedKind::Secret, source, source.get("secretName")?),
        (None, None) => return None,
    };
    if matches!(source.get("optional").map(|flag| &flag.value), Some(NodeValue::Bool(true))) {
        return None;
    }
    let listed = items(source, "items");
    let paths = || listed.iter().filter_map(|item| item.get("path")?.as_str()).collect();
    Some(ConfigVolume { kind, name, paths: (!listed.is_empty()).then(paths) })
}

impl SubPathMount<'_> {
    /// Returns whether the volume is known not to contain the file or directory.
    pub(super) fn is_missing(&self, environment: &CheckedEnvironment<'_>, namespace: &str) -> bool {
        self.volume.is_file_missing(self.text, environment, namespace)
    }
}

impl<'a> ConfigVolume<'a> {
    /// Returns whether the volume is known to have no file or directory at a path.
    pub(super) fn is_file_missing(
        &self,
        file: &str,
        environment: &CheckedEnvironment<'_>,
        namespace: &str,
    ) -> bool {
        if let Some(paths) = &self.paths {
            let is_below = |path: &str| path.strip_prefix(file).is_some_and(|rest| rest.starts_with('/'));
            return !paths.iter().any(|path| *path == file || is_below(path));
        }
        let Some(name) = self.name.as_str().filter(|name| !name.is_empty() && !is_template(name)) else {
            return false;
        };
        let supplies = environment.inventory.producers(self.kind, namespace, name);
        if supplies.is_empty() {
            return environment.neighbors.is_key_missing(self.kind.group_and_kind(), namespace, name, file);
        }
        !supplies.iter().any(|supply| supply.contents.may_have(file))
    }

    /// Returns the file names that a message may show, or none if they are unknown.
    pub(super) fn file_names(
        &self,
        environment: &'a CheckedEnvironment<'_>,
        namespace: &'a str,
    ) -> Vec<&'a str> {
        if let Some(paths) = &self.paths {
            return paths.clone();
        }
        let name = self.name.as_str().unwrap_or_default();
        let supplies = environment.inventory.producers(self.kind, namespace, name);
        let nameable = supplies.iter().filter(|supply| supply.may_show_keys);
        nameable.flat_map(|supply| supply.contents.known_keys()).collect()
    }
}

fn items<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}
