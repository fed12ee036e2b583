//! `resource/duplicate-id`.

use std::collections::HashMap;

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::{Check, Draft, Environment, Reporter, Rule};
use crate::model::Origin;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/duplicate-id",
        severity: Severity::Error,
        enabled: true,
        summary: "two manifests describe the same object",
        explanation: "An object is identified by its API group, kind, namespace and name; the API version does not count. \
                      Of two manifests with one identity, the one that is applied last wins, and Argo CD reports \
                      `RepeatedResourceWarning` and never becomes certain of its sync status. It often comes from merging \
                      two branches that both add the object.",
        example: "kind: Role\nmetadata: {name: reader}\n---\nkind: Role\nmetadata: {name: reader}\n",
        remedy: "Remove one. To change an object in one environment only, use `patches` in `sealwave.yaml`.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let mut seen: HashMap<_, Origin> = HashMap::with_capacity(environment.objects.len());
    for (number, object) in
        environment.objects.iter().enumerate().filter(|(_, object)| !object.name.is_empty())
    {
        let namespaced = !environment.scene.scopes.is_cluster_scoped(object.group, object.kind);
        let namespace = if namespaced { object.namespace } else { "" };
        let key = (object.group, object.kind, namespace, object.name);
        let at = object.name_at();
        if let Some(first) = seen.get(&key) {
            let message = format!("{} is defined twice", object.manifest.id());
            reporter.report(
                Draft::new(&RULE, at, message)
                    .about(number)
                    .related(*first, "it is defined here first")
                    .hint("remove one; to change an object in one environment, use `patches`"),
            );
        } else {
            seen.insert(key, at);
        }
    }
}
