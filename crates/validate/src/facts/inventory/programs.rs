//! Objects that programs may create: names in the arguments or variables of another workload.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::checked_object::CheckedObject;
use sealwave_core::document::Node;
use sealwave_kube::catalog::ObjectIndex;

/// Returns the objects whose programs get each of the wanted names as an argument or variable.
///
/// A Job with `--secret-name=webhook-cert`, or with `kubectl create secret generic webhook-cert`, probably creates it.
pub(crate) fn named_by_programs<'a>(
    objects: &[CheckedObject<'a>],
    wanted: &BTreeSet<&'a str>,
) -> BTreeMap<&'a str, BTreeSet<ObjectIndex>> {
    let mut named: BTreeMap<&str, BTreeSet<ObjectIndex>> = BTreeMap::new();
    if wanted.is_empty() {
        return named;
    }
    for (index, object) in ObjectIndex::enumerate(objects) {
        for text in object.pod.iter().flat_map(|pod| program_texts(pod.spec)) {
            for word in candidate_names(text).filter_map(|word| wanted.get(word)) {
                let by = named.entry(word).or_default();
                // If there are two objects, at least one is not the object that requires the name.
                if by.len() < 2 {
                    by.insert(index);
                }
            }
        }
    }
    named
}

/// Iterates over the arguments and variables of a pod's programs.
pub(crate) fn program_texts(spec: &Node) -> impl Iterator<Item = &str> {
    let lists = ["initContainers", "containers"].iter().filter_map(|list| spec.get(list));
    lists.flat_map(Node::items).flat_map(|container| {
        let command_line =
            ["command", "args"].iter().filter_map(|field| container.get(field)).flat_map(Node::items);
        let variables = container.items_at(&["env"]).iter();
        command_line.chain(variables.filter_map(|variable| variable.get("value"))).filter_map(Node::as_str)
    })
}

/// Iterates over the words of a string that may be object names.
pub(crate) fn candidate_names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.')
        .map(|word| word.trim_matches(['.', '-']))
        .filter(|word| !word.is_empty())
}
