//! Files of volumes: those that a container mounts one by one, and whether a volume has a file.

use std::collections::HashMap;

use crate::rules::later_stage::is_template;
use crate::rules::{Environment, Object};
use sealwave_core::document::{Node, Value};
use sealwave_kube::pods::What;

/// A volume of a `ConfigMap` or a Secret.
pub(super) struct Volume<'a> {
    pub(super) what: What,
    pub(super) name: &'a Node,
    /// The paths of its files, where it says them; otherwise they are all the keys.
    paths: Option<Vec<&'a str>>,
}

/// A mount of one file, or of one directory, of a volume.
pub(super) struct Mounted<'a> {
    pub(super) volume: Volume<'a>,
    pub(super) path: &'a Node,
    pub(super) text: &'a str,
}

/// What the containers of an object mount by `subPath`.
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

/// Reads a volume of a `ConfigMap` or a Secret that must be there; `None` for any other.
pub(super) fn volume(volume: &Node) -> Option<Volume<'_>> {
    let (what, source, name) = match (volume.get("configMap"), volume.get("secret")) {
        (Some(source), _) => (What::ConfigMap, source, source.get("name")?),
        (None, Some(source)) => (What::Secret, source, source.get("secretName")?),
        (None, None) => return None,
    };
    if matches!(source.get("optional").map(|flag| &flag.value), Some(Value::Bool(true))) {
        return None;
    }
    let listed = items(source, "items");
    let paths = || listed.iter().filter_map(|item| item.get("path")?.as_str()).collect();
    Some(Volume { what, name, paths: (!listed.is_empty()).then(paths) })
}

impl Mounted<'_> {
    /// Whether the volume surely has no such file and no such directory.
    pub(super) fn is_absent(&self, environment: &Environment<'_>, namespace: &str) -> bool {
        self.volume.lacks(self.text, environment, namespace)
    }
}

impl<'a> Volume<'a> {
    /// Returns whether the volume surely has no file and no directory at a path.
    pub(super) fn lacks(&self, file: &str, environment: &Environment<'_>, namespace: &str) -> bool {
        if let Some(paths) = &self.paths {
            let within = |path: &str| path.strip_prefix(file).is_some_and(|rest| rest.starts_with('/'));
            return !paths.iter().any(|path| *path == file || within(path));
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

    /// The names of its files that a message may show; none where they are not known.
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
