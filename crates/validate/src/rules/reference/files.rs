//! Files of volumes: single files that a container mounts, and whether a volume contains a file.

use std::collections::HashMap;

use crate::rules::later_stage::is_template;
use crate::rules::{Environment, Object};
use sealwave_core::document::{Node, Value};
use sealwave_kube::pods::What;

/// A volume of a `ConfigMap` or a Secret.
pub(super) struct Volume<'a> {
    pub(super) what: What,
    pub(super) name: &'a Node,
    /// Paths of its files, if listed; otherwise, all keys are files.
    paths: Option<Vec<&'a str>>,
}

/// A mount of one file or directory of a volume by `subPath`.
pub(super) struct Mounted<'a> {
    pub(super) volume: Volume<'a>,
    pub(super) path: &'a Node,
    pub(super) text: &'a str,
}

/// Returns the `subPath` mounts of an object's containers.
pub(super) fn mounted<'a>(object: &Object<'a>) -> Vec<Mounted<'a>> {
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
            let volume = volume(volumes.get(mount.get("name")?.as_str()?)?)?;
            (!text.is_empty() && !is_template(text)).then_some(Mounted { volume, path, text })
        })
        .collect()
}

/// Reads a volume of a `ConfigMap` or Secret that must exist; `None` for other volumes.
pub(super) fn volume(volume: &Node) -> Option<Volume<'_>> {
    let (kind, source, name) = match (volume.get("configMap"), volume.get("secret")) {
        (Some(source), _) => (What::ConfigMap, source, source.get("name")?),
        (None, Some(source)) => (What::Secret, source, source.get("secretName")?),
        (None, None) => return None,
    };
    if matches!(source.get("optional").map(|flag| &flag.value), Some(Value::Bool(true))) {
        return None;
    }
    let listed = items(source, "items");
    let paths = || listed.iter().filter_map(|item| item.get("path")?.as_str()).collect();
    Some(Volume { what: kind, name, paths: (!listed.is_empty()).then(paths) })
}

impl Mounted<'_> {
    /// Returns whether the volume is known not to contain the file or directory.
    pub(super) fn is_absent(&self, environment: &Environment<'_>, namespace: &str) -> bool {
        self.volume.lacks(self.text, environment, namespace)
    }
}

impl<'a> Volume<'a> {
    /// Returns whether the volume is known to have no file or directory at a path.
    pub(super) fn lacks(&self, file: &str, environment: &Environment<'_>, namespace: &str) -> bool {
        if let Some(paths) = &self.paths {
            let is_below = |path: &str| path.strip_prefix(file).is_some_and(|rest| rest.starts_with('/'));
            return !paths.iter().any(|path| *path == file || is_below(path));
        }
        let Some(name) = self.name.as_str().filter(|name| !name.is_empty() && !is_template(name)) else {
            return false;
        };
        let supplies = environment.inventory.supplies(self.what, namespace, name);
        if supplies.is_empty() {
            return environment.neighbours.lacks(self.what.kind(), namespace, name, file);
        }
        !supplies.iter().any(|supply| supply.contents.may_have(file))
    }

    /// Returns the file names that a message may show, or none if they are unknown.
    pub(super) fn files(&self, environment: &'a Environment<'_>, namespace: &'a str) -> Vec<&'a str> {
        if let Some(paths) = &self.paths {
            return paths.clone();
        }
        let name = self.name.as_str().unwrap_or_default();
        let supplies = environment.inventory.supplies(self.what, namespace, name);
        let nameable = supplies.iter().filter(|supply| supply.may_name_keys);
        nameable.flat_map(|supply| supply.contents.known()).collect()
    }
}

fn items<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}
