//! Which objects a policy is about.

use std::collections::BTreeMap;

use super::object::is_built_in;
use crate::rules::fields::{entries, items, text, value};
use crate::rules::{Environment, Object};
use sealwave_core::document::Node;

/// Whether a policy matches; `None` where that depends on what is not known here.
pub(super) type Match = Option<bool>;

/// The objects of the set, as policies ask for them.
pub(super) struct ObjectIndex<'a> {
    environment: &'a Environment<'a>,
    /// Names of resources, by group and kind of the definitions in the set.
    plurals: BTreeMap<(&'a str, &'a str), &'a str>,
}

impl<'a> ObjectIndex<'a> {
    pub(super) fn new(environment: &'a Environment<'a>) -> Self {
        let definitions = environment.objects.iter().filter(|object| is_definition(object));
        let plurals = definitions.filter_map(|definition| {
            let text = |path: &[&str]| definition.manifest.root().at(path).and_then(Node::as_str);
            let names = (text(&["spec", "group"])?, text(&["spec", "names", "kind"])?);
            Some((names, text(&["spec", "names", "plural"])?))
        });
        Self { environment, plurals: plurals.collect() }
    }

    /// Returns an object by what identifies it.
    pub(super) fn find(
        &self,
        group: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Option<&'a Object<'a>> {
        self.environment.objects.get(self.environment.catalogue.find(group, kind, namespace, name)?)
    }

    /// Returns whether objects of this kind have no namespace.
    pub(super) fn is_cluster_scoped(&self, object: &Object<'_>) -> bool {
        self.environment.scene.scopes.is_cluster_scoped(object.group, object.kind)
    }

    /// The name of an object's resource in addresses; `None` where only a definition would tell.
    fn plural(&self, object: &Object<'_>) -> Option<String> {
        if !is_built_in(object.group) {
            return self.plurals.get(&(object.group, object.kind)).map(|plural| (*plural).to_owned());
        }
        let name = object.kind.to_ascii_lowercase();
        Some(match name.as_str() {
            "endpoints" => name,
            _ if name.ends_with('s') => name + "es",
            _ => match name.strip_suffix('y') {
                Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
                _ => name + "s",
            },
        })
    }
}

fn is_definition(object: &Object<'_>) -> bool {
    object.is("apiextensions.k8s.io", "CustomResourceDefinition")
}

/// Applies the constraints of a policy or of a binding to the creation of an object.
pub(super) fn matches(constraints: &Node, object: &Object<'_>, index: &ObjectIndex<'_>) -> Match {
    let rules = items(constraints, "resourceRules");
    let included = any(rules.iter().map(|rule| resource(rule, object, index)));
    let included = if rules.is_empty() { Some(true) } else { included };
    let excluded =
        any(items(constraints, "excludeResourceRules").iter().map(|rule| resource(rule, object, index)));
    all([
        included,
        excluded.map(|excluded| !excluded),
        by_namespace(value(constraints, "namespaceSelector"), object, index),
        value(constraints, "objectSelector")
            .map_or(Some(true), |selector| selects(selector, &labels(object))),
    ])
}

/// One that holds decides, one that is not known leaves it open.
fn any(mut each: impl Iterator<Item = Match>) -> Match {
    let mut result = Some(false);
    loop {
        match each.next() {
            Some(Some(true)) => return Some(true),
            Some(None) => result = None,
            Some(Some(false)) => {}
            None => return result,
        }
    }
}

fn all<const N: usize>(each: [Match; N]) -> Match {
    any(each.into_iter().map(|one| one.map(|one| !one))).map(|any| !any)
}

fn resource(rule: &Node, object: &Object<'_>, index: &ObjectIndex<'_>) -> Match {
    let lists = |key: &str, wanted: &str| {
        items(rule, key).iter().filter_map(Node::as_str).any(|item| item == "*" || item == wanted)
    };
    if !lists("operations", "CREATE") || !lists("apiGroups", object.group) {
        return Some(false);
    }
    let cluster_scoped = index.is_cluster_scoped(object);
    let in_scope = match text(rule, "scope") {
        Some("Cluster") => cluster_scoped,
        Some("Namespaced") => !cluster_scoped,
        _ => true,
    };
    let is_named = items(rule, "resourceNames").is_empty() || lists("resourceNames", object.name);
    if !in_scope || !is_named {
        return Some(false);
    }
    let is_wildcard = items(rule, "resources").iter().any(|item| matches!(item.as_str(), Some("*" | "*/*")));
    let of_resource =
        if is_wildcard { Some(true) } else { index.plural(object).map(|plural| lists("resources", &plural)) };
    // The API server converts an object of another version, and what becomes of it is not known.
    let of_version = lists("apiVersions", object.version).then_some(true);
    all([of_resource, of_version])
}

fn labels<'a>(object: &Object<'a>) -> Vec<(&'a str, &'a str)> {
    let labels =
        object.manifest.root().get("metadata").map_or(&[][..], |metadata| entries(metadata, "labels"));
    labels.iter().filter_map(|entry| Some((entry.key.as_str(), entry.value.as_str()?))).collect()
}

/// The label that every namespace has.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

fn by_namespace(selector: Option<&Node>, object: &Object<'_>, index: &ObjectIndex<'_>) -> Match {
    let Some(selector) = selector.filter(|selector| !is_empty(selector)) else { return Some(true) };
    let name = if object.is("", "Namespace") {
        object.name
    } else if index.is_cluster_scoped(object) {
        return Some(true);
    } else {
        object.namespace
    };
    if name.is_empty() {
        return None;
    }
    let namespace = index.find("", "Namespace", "", name);
    let mut known = namespace.map(labels).unwrap_or_default();
    known.retain(|(key, _)| *key != NAME_LABEL);
    known.push((NAME_LABEL, name));
    if namespace.is_none() && keys(selector).any(|key| key != NAME_LABEL) {
        return None;
    }
    selects(selector, &known)
}

fn is_empty(selector: &Node) -> bool {
    entries(selector, "matchLabels").is_empty() && items(selector, "matchExpressions").is_empty()
}

fn keys(selector: &Node) -> impl Iterator<Item = &str> {
    let labels = entries(selector, "matchLabels").iter().map(|entry| entry.key.as_str());
    labels.chain(items(selector, "matchExpressions").iter().filter_map(|one| text(one, "key")))
}

fn selects(selector: &Node, labels: &[(&str, &str)]) -> Match {
    let find = |key: &str| labels.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let by_labels =
        entries(selector, "matchLabels").iter().all(|entry| find(&entry.key) == entry.value.as_str());
    let by_expressions = items(selector, "matchExpressions").iter().map(|one| {
        let found = find(text(one, "key")?);
        let values = items(one, "values");
        let listed = found.is_some_and(|found| values.iter().any(|value| value.as_str() == Some(found)));
        Some(match text(one, "operator")? {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => found.is_some(),
            "DoesNotExist" => found.is_none(),
            _ => return None,
        })
    });
    let by_expressions = any(by_expressions.map(|one| one.map(|one| !one))).map(|any| !any);
    all([Some(by_labels), by_expressions])
}
