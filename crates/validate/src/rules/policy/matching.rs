//! Matching of policies with objects.

use std::collections::BTreeMap;

use super::object::is_built_in;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{entries, items, text, value};
use crate::facts::scene::CheckedEnvironment;
use sealwave_core::document::Node;

/// Result of matching a policy; `None` if it depends on unknown facts.
pub(super) type MatchResult = Option<bool>;

/// The objects of the set, as policies find them.
pub(super) struct PolicyTargets<'a> {
    environment: &'a CheckedEnvironment<'a>,
    /// Plural resource names, by group and kind, from the definitions in the set.
    plurals: BTreeMap<(&'a str, &'a str), &'a str>,
}

impl<'a> PolicyTargets<'a> {
    pub(super) fn new(environment: &'a CheckedEnvironment<'a>) -> Self {
        let definitions = environment.objects.iter().filter(|object| is_definition(object));
        let plurals = definitions.filter_map(|definition| {
            let text = |path: &[&str]| definition.manifest.root().at(path).and_then(Node::as_str);
            let names = (text(&["spec", "group"])?, text(&["spec", "names", "kind"])?);
            Some((names, text(&["spec", "names", "plural"])?))
        });
        Self { environment, plurals: plurals.collect() }
    }

    /// Returns the object with an identity.
    pub(super) fn find(
        &self,
        group: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Option<&'a CheckedObject<'a>> {
        self.environment.object(self.environment.catalog.find(group, kind, namespace, name)?)
    }

    /// Returns whether the kind of an object is cluster-scoped.
    pub(super) fn is_cluster_scoped(&self, object: &CheckedObject<'_>) -> bool {
        self.environment.context.scopes.is_cluster_scoped(object.group, object.kind)
    }

    /// Returns the plural resource name of an object; `None` without its definition.
    fn plural(&self, object: &CheckedObject<'_>) -> Option<String> {
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

fn is_definition(object: &CheckedObject<'_>) -> bool {
    object.is("apiextensions.k8s.io", "CustomResourceDefinition")
}

/// Applies the constraints of a policy or of a binding to the creation of an object.
pub(super) fn matches(
    constraints: &Node,
    object: &CheckedObject<'_>,
    targets: &PolicyTargets<'_>,
) -> MatchResult {
    let rules = items(constraints, "resourceRules");
    let included = any(rules.iter().map(|rule| matches_rule(rule, object, targets)));
    let included = if rules.is_empty() { Some(true) } else { included };
    let excluded = any(items(constraints, "excludeResourceRules")
        .iter()
        .map(|rule| matches_rule(rule, object, targets)));
    all([
        included,
        excluded.map(|excluded| !excluded),
        matches_namespace(value(constraints, "namespaceSelector"), object, targets),
        value(constraints, "objectSelector")
            .map_or(Some(true), |selector| selects(selector, &labels(object))),
    ])
}

/// Combines results with "or": unknown unless one holds or none does.
fn any(mut each: impl Iterator<Item = MatchResult>) -> MatchResult {
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

fn all<const N: usize>(each: [MatchResult; N]) -> MatchResult {
    any(each.into_iter().map(|one| one.map(|one| !one))).map(|any| !any)
}

fn matches_rule(rule: &Node, object: &CheckedObject<'_>, targets: &PolicyTargets<'_>) -> MatchResult {
    let lists = |key: &str, wanted: &str| {
        items(rule, key).iter().filter_map(Node::as_str).any(|item| item == "*" || item == wanted)
    };
    if !lists("operations", "CREATE") || !lists("apiGroups", object.group) {
        return Some(false);
    }
    let cluster_scoped = targets.is_cluster_scoped(object);
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
    let resource_matches = if is_wildcard {
        Some(true)
    } else {
        targets.plural(object).map(|plural| lists("resources", &plural))
    };
    // The API server converts objects of other versions; the result is unknown.
    let version_matches = lists("apiVersions", object.version).then_some(true);
    all([resource_matches, version_matches])
}

fn labels<'a>(object: &CheckedObject<'a>) -> Vec<(&'a str, &'a str)> {
    let labels =
        object.manifest.root().get("metadata").map_or(&[][..], |metadata| entries(metadata, "labels"));
    labels.iter().filter_map(|entry| Some((entry.key.as_str(), entry.value.as_str()?))).collect()
}

/// The name label of every namespace.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

fn matches_namespace(
    selector: Option<&Node>,
    object: &CheckedObject<'_>,
    targets: &PolicyTargets<'_>,
) -> MatchResult {
    let Some(selector) = selector.filter(|selector| !is_empty(selector)) else { return Some(true) };
    let name = if object.is("", "Namespace") {
        object.name
    } else if targets.is_cluster_scoped(object) {
        return Some(true);
    } else {
        object.namespace
    };
    if name.is_empty() {
        return None;
    }
    let namespace = targets.find("", "Namespace", "", name);
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

fn selects(selector: &Node, labels: &[(&str, &str)]) -> MatchResult {
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
