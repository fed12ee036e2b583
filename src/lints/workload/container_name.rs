//! `workload/container-name`.

use std::collections::HashMap;

use super::plain_pod;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::fields::{key_at, value};
use crate::lints::metadata::syntax::is_label;
use crate::lints::{Check, Draft, LaterStage, Object, Reporter, Rule, Scene};
use crate::model::pods::containers;
use crate::model::{Node, Origin};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/container-name",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a container has a name that Kubernetes does not take, or a pod has no container",
        explanation: "The name of a container is a DNS label: at most 63 lower-case letters, digits and `-`, with a letter or \
                      digit at both ends. Containers and init containers share their names, so that none may be there twice; \
                      and a pod has at least one container. The API server refuses the object.",
        example: "initContainers: [{name: web, image: \"tools:1\"}]\ncontainers: [{name: web, image: \"web:1\"}, {name: \
                  log_shipper, image: \"logs:1\"}]\n",
        remedy: "Give each container a name of its own, with `-` in place of `_` and `.`.",
    },
    check: Check::Pod(check),
};

fn check(object: &Object<'_>, context: &Scene<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let stage = LaterStage::of(object, context);
    let list = value(spec, "containers");
    // The schema reports a missing list.
    if list.is_some_and(|list| list.as_sequence().is_some_and(<[Node]>::is_empty)) {
        let draft = Draft::new(&RULE, key_at(spec, "containers"), "the pod has no containers");
        reporter.report(draft.hint("add the container that runs the program"));
    }
    let mut seen: HashMap<&str, (&str, Origin)> = HashMap::new();
    for (list, container) in containers(spec) {
        let Some(node) = container.get("name") else { continue };
        let Some(name) = node.as_str() else { continue };
        if !is_label(name) && !stage.may_fill(name) {
            let draft = Draft::new(&RULE, node.origin, "the container name is not valid");
            reporter.report(draft.hint(
                "use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
            ));
        }
        match seen.get(name) {
            // The schema reports duplicates within a list.
            Some((other, first)) if *other != list => {
                let message = format!("two containers of the pod have the name `{name}`");
                let draft = Draft::new(&RULE, node.origin, message).related(*first, "the other is here");
                reporter.report(
                    draft.hint(
                        "give each its own name: containers and init containers share one set of names",
                    ),
                );
            }
            Some(_) => {}
            None => {
                seen.insert(name, (list, node.origin));
            }
        }
    }
}
