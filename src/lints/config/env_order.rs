//! `config/env-order`.

use std::collections::HashMap;

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::{Node, Origin};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "config/env-order",
        severity: Severity::Warning,
        enabled: true,
        summary: "a variable is used in `env` before it is defined",
        explanation: "Kubernetes replaces `$(NAME)` in the value of a variable by variables that stand before it in the list. A \
                      name that stands later, or the variable itself, is not known yet, and the program gets the text \
                      `$(NAME)` as it is. Nothing reports it.",
        example: "env:\n- {name: URL, value: \"http://$(HOST)\"}\n- {name: HOST, value: shop}\n",
        remedy: "Define the variable before it is used. To keep the text, write `$$(NAME)`. The variables of the image are not \
                 known to Kubernetes: use a shell for `PATH: $(PATH):/more`.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let Some(pod) = &object.pod else { return };
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in pod.spec.get(list).map_or(&[][..], Node::items) {
            // What is in `envFrom` comes first, and nobody knows all of it.
            if container.get("envFrom").is_none_or(|sources| sources.items().is_empty()) {
                variables(container.get("env").map_or(&[][..], Node::items), reporter);
            }
        }
    }
}

fn variables(variables: &[Node], reporter: &mut Reporter) {
    let value = |variable: &Node| {
        variable.get("value").and_then(Node::as_str).is_some_and(|value| value.contains("$("))
    };
    if !variables.iter().any(value) {
        return;
    }
    let mut defined: HashMap<&str, (usize, Origin)> = HashMap::new();
    for (position, variable) in variables.iter().enumerate() {
        if let Some((name, at)) = variable.get("name").and_then(|name| Some((name.as_str()?, name.origin))) {
            defined.entry(name).or_insert((position, at));
        }
    }
    for (position, variable) in variables.iter().enumerate() {
        let Some(value) = variable.get("value") else { continue };
        for name in used(value.as_str().unwrap_or_default()) {
            let Some((later, at)) = defined.get(name).filter(|(first, _)| *first >= position) else {
                continue;
            };
            let (message, label) = if *later == position {
                (format!("variable `{name}` uses itself"), "it is defined here")
            } else {
                (format!("variable `{name}` is used before it is defined"), "it is defined here, too late")
            };
            reporter.report(
                Draft::new(&RULE, value.origin, message)
                    .related(*at, label)
                    .hint("define it before it is used; Kubernetes leaves a name that it does not know as it is")
                    .confidential(),
            );
        }
    }
}

/// The names in `$(…)`, as Kubernetes finds them: `$$` stands for `$`.
fn used(text: &str) -> impl Iterator<Item = &str> {
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
    use super::used;

    #[test]
    fn names_are_found_as_kubernetes_does() {
        let of = |text| used(text).collect::<Vec<_>>();
        assert_eq!(of("http://$(HOST):$(PORT)/"), ["HOST", "PORT"]);
        assert_eq!(of("$$(A) $$$(B) $C $"), ["B"]);
        assert_eq!(of("$(A"), Vec::<&str>::new());
    }
}
