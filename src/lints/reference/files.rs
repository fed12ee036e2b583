//! Files of volumes that a container mounts one by one.

use std::collections::HashMap;

use crate::lints::later_stage::is_template;
use crate::lints::{Environment, Object};
use crate::model::pods::What;
use crate::model::{Node, Value};

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

fn volume(volume: &Node) -> Option<Volume<'_>> {
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
        if let Some(paths) = &self.volume.paths {
            let within = |path: &str| path.strip_prefix(self.text).is_some_and(|rest| rest.starts_with('/'));
            return !paths.iter().any(|path| *path == self.text || within(path));
        }
        let Some(name) = self.volume.name.as_str().filter(|name| !name.is_empty()) else { return false };
        let supplies = environment.inventory.supplies(self.volume.what, namespace, name);
        if supplies.is_empty() {
            return environment.neighbours.lacks(self.volume.what.kind(), namespace, name, self.text);
        }
        !supplies.iter().any(|supply| supply.contents.may_have(self.text))
    }
}

fn items<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}
