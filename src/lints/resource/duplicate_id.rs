//! `resource/duplicate-id`.

use std::collections::HashMap;

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::{Check, Draft, Environment, Object, Reporter, Rule};
use crate::model::{ObjectId, Origin};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "resource/duplicate-id",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "two manifests describe the same object",
        explanation: "An object is identified by its API group, kind, namespace and name; the API version does not count. \
                      Of two manifests with one identity, the one that is applied last wins, and Argo CD reports \
                      `RepeatedResourceWarning` and never becomes certain of its sync status. It often comes from merging \
                      two branches that both add the object.\n\n\
                      With `--all`, an object that two apps render in one environment is found too, as long as both environments \
                      are of the same cluster: two Argo CD Applications then overwrite each other, and pruning one deletes the \
                      other's. Of a Namespace that is a warning.",
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
        if let Some(draft) = of_another_app(environment, object, namespaced) {
            reporter.report(draft.about(number));
        }
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

/// The same object in another app. Where a namespace is not known, it is each app's own.
fn of_another_app(environment: &Environment<'_>, object: &Object<'_>, namespaced: bool) -> Option<Draft> {
    if environment.is_plain() || (namespaced && object.namespace.is_empty()) {
        return None;
    }
    let id: ObjectId = object.manifest.id();
    let (app, place) = environment.neighbours.other(&id, environment.app, environment.cluster)?;
    let severity = if object.is("", "Namespace") { Severity::Warning } else { Severity::Error };
    let draft = Draft::new(&RULE, object.name_at(), format!("{id} is rendered by app `{app}` too"));
    let draft = draft.severity(severity).elsewhere(place.clone(), "it is defined here too");
    Some(draft.hint("keep it in one of the two apps: each Application would overwrite the other's"))
}
