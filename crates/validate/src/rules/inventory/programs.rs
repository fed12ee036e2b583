//! What programs may make themselves: a name that stands in the arguments or variables of another workload.

use std::collections::{BTreeMap, BTreeSet};

use crate::rules::Object;
use sealwave_core::document::Node;

/// The wanted names that a program of another object is told, by the objects that want them.
///
/// A Job with `--secret-name=webhook-cert`, or with `kubectl create secret generic webhook-cert`, probably makes it.
pub(in crate::rules) fn named_by_programs<'a>(
    objects: &[Object<'a>],
    wanted: &BTreeSet<&'a str>,
) -> BTreeMap<&'a str, BTreeSet<usize>> {
    let mut named: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    if wanted.is_empty() {
        return named;
    }
    for (number, object) in objects.iter().enumerate() {
        for text in object.pod.iter().flat_map(|pod| texts(pod.spec)) {
            for word in words(text).filter_map(|word| wanted.get(word)) {
                let by = named.entry(word).or_default();
                // Two are enough to have one that is not the object that wants it.
                if by.len() < 2 {
                    by.insert(number);
                }
            }
        }
    }
    named
}

/// What the programs of a pod are told.
pub(in crate::rules) fn texts(spec: &Node) -> impl Iterator<Item = &str> {
    let lists = ["initContainers", "containers"].iter().filter_map(|list| spec.get(list));
    lists.flat_map(Node::items).flat_map(|container| {
        let told = ["command", "args"].iter().filter_map(|field| container.get(field)).flat_map(Node::items);
        let variables = container.get("env").map_or(&[][..], Node::items).iter();
        told.chain(variables.filter_map(|variable| variable.get("value"))).filter_map(Node::as_str)
    })
}

/// The words of a text that may be names of objects.
pub(in crate::rules) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.')
        .map(|word| word.trim_matches(['.', '-']))
        .filter(|word| !word.is_empty())
}
