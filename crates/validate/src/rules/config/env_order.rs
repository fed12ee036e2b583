//! `config/env-order`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use crate::facts::inventory::{ObjectKeys, Producer};
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::pods::ReferencedKind;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "config/env-order",
        severity: Severity::Warning,
        summary: "a variable is used before it is defined, or is not defined",
        text: include_str!("env_order.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    // Where another controller creates the pods, it may add variables too.
    let pods = environment.indexed_objects().filter(|(_, object)| object.pod.is_some());
    for (index, object) in pods {
        for container in object.containers() {
            let field_has_variable = |field: &str| items(container, field).iter().any(refers_to_variable);
            let variables = items(container, "env");
            if !field_has_variable("command")
                && !field_has_variable("args")
                && !variables.iter().filter_map(|one| one.get("value")).any(refers_to_variable)
            {
                continue;
            }
            let container = ContainerEnv {
                index,
                node: container,
                from: EnvFromKeys::for_container(environment, object.namespace, container),
            };
            container.check_variables(reporter);
            container.check_command(reporter);
        }
    }
}

fn refers_to_variable(text: &Node) -> bool {
    text.as_str().is_some_and(|text| text.contains("$("))
}

/// Variable names that a container gets from `envFrom`, before those of `env`.
enum EnvFromKeys<'a> {
    /// All names are known.
    Known(HashSet<Cow<'a, str>>),
    /// Others may exist.
    Unknown,
}

impl<'a> EnvFromKeys<'a> {
    fn for_container(environment: &CheckedEnvironment<'a>, namespace: &str, container: &'a Node) -> Self {
        let mut all = HashSet::new();
        for source in items(container, "envFrom") {
            let Some(keys) = keys(environment, namespace, source) else { return Self::Unknown };
            let prefix = source.get("prefix").and_then(Node::as_str).unwrap_or_default();
            all.extend(keys.into_iter().map(|key| match prefix {
                "" => Cow::Borrowed(key),
                prefix => Cow::Owned(format!("{prefix}{key}")),
            }));
        }
        Self::Known(all)
    }

    fn may_have(&self, name: &str) -> bool {
        match self {
            Self::Known(all) => all.contains(name),
            Self::Unknown => true,
        }
    }
}

/// Returns the keys of an `envFrom` source, if all of them are known.
fn keys<'a>(environment: &CheckedEnvironment<'a>, namespace: &str, source: &Node) -> Option<Vec<&'a str>> {
    let (field, kind) = [("configMapRef", ReferencedKind::ConfigMap), ("secretRef", ReferencedKind::Secret)]
        .into_iter()
        .find_map(|(field, kind)| Some((source.get(field)?, kind)))?;
    let supplies = environment.inventory.producers(kind, namespace, field.get("name")?.as_str()?);
    let is_open = |supply: &&Producer<'_>| matches!(supply.contents, ObjectKeys::Open);
    if supplies.is_empty() || supplies.iter().any(is_open) {
        return None;
    }
    Some(supplies.iter().flat_map(|supply| supply.contents.known_keys()).collect())
}

struct ContainerEnv<'a> {
    /// Number of the object.
    index: ObjectIndex,
    node: &'a Node,
    from: EnvFromKeys<'a>,
}

impl<'a> ContainerEnv<'a> {
    fn check_variables(&self, reporter: &mut Reporter) {
        let variables = items(self.node, "env");
        let defined = self.defined();
        for (position, variable) in variables.iter().enumerate() {
            let Some(value) = variable.get("value") else { continue };
            for name in used_names(value.as_str().unwrap_or_default()) {
                if self.from.may_have(name) {
                    continue;
                }
                let draft = |message: String| {
                    FindingDraft::new(&RULE, value.origin, message).about_object(self.index)
                };
                let draft = match defined.get(name) {
                    Some((first, _)) if *first < position => continue,
                    Some((same, at)) if *same == position => {
                        draft(format!("variable `{name}` uses itself")).related(*at, "it is defined here")
                    }
                    Some((_, at)) => draft(format!("variable `{name}` is used before it is defined"))
                        .related(*at, "it is only defined here"),
                    None if is_defined_elsewhere(name) => continue,
                    None => draft(format!("variable `{name}` is not defined")),
                };
                reporter.report(draft.hint(HINT).confidential());
            }
        }
    }

    /// Checks command and arguments, which may use all variables in any order.
    fn check_command(&self, reporter: &mut Reporter) {
        let defined = self.defined();
        for text in ["command", "args"].iter().flat_map(|field| items(self.node, field)) {
            for name in used_names(text.as_str().unwrap_or_default()) {
                if !defined.contains_key(name) && !is_defined_elsewhere(name) && !self.from.may_have(name) {
                    let message = format!("variable `{name}` is not defined");
                    let draft = FindingDraft::new(&RULE, text.origin, message).about_object(self.index);
                    reporter.report(draft.hint(HINT).confidential());
                }
            }
        }
    }

    /// Returns the variables of `env`, each with its position in the list.
    fn defined(&self) -> HashMap<&'a str, (usize, Origin)> {
        let mut defined = HashMap::new();
        for (position, variable) in items(self.node, "env").iter().enumerate() {
            if let Some((name, at)) =
                variable.get("name").and_then(|name| Some((name.as_str()?, name.origin)))
            {
                defined.entry(name).or_insert((position, at));
            }
        }
        defined
    }
}

const HINT: &str = "define it before it is used; Kubernetes does not replace an unknown name";

/// Returns whether `env` need not define a name: the kubelet sets variables for Services, and shells use `$(command)` too.
fn is_defined_elsewhere(name: &str) -> bool {
    let is_variable = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.is_empty()
        || !name.chars().all(is_variable)
        || name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.contains("_PORT_")
        || name.ends_with("_PORT")
}

fn items<'a>(node: &'a Node, field: &str) -> &'a [Node] {
    node.get(field).map_or(&[], Node::items)
}

/// Iterates over the names in `$(…)` as Kubernetes does: `$$` stands for `$`.
fn used_names(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, after) = rest.split_once('$')?;
            if let Some(escaped) = after.strip_prefix('$') {
                rest = escaped;
                continue;
            }
            let Some(inner) = after.strip_prefix('(') else {
                rest = after;
                continue;
            };
            let (name, after) = inner.split_once(')')?;
            rest = after;
            return Some(name);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::used_names;

    #[test]
    fn used_names_match_kubernetes() {
        let names = |text| used_names(text).collect::<Vec<_>>();
        assert_eq!(names("http://$(HOST):$(PORT)/"), ["HOST", "PORT"]);
        assert_eq!(names("$$(A) $$$(B) $C $"), ["B"]);
        assert_eq!(names("$(A"), Vec::<&str>::new());
    }
}
