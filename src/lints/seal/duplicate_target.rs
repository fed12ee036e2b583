//! `seal/duplicate-target`.

use super::is_sealed_secret;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::{Check, Draft, Environment, Object, Reporter, Rule};
use crate::model::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "seal/duplicate-target",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a SealedSecret and another object make the same Secret",
        explanation: "The controller makes a Secret of the SealedSecret's own name, and refuses one that is not its own: the \
                      SealedSecret ends with `already exists and is not managed by SealedSecret`, and is Degraded for Argo CD. \
                      If it comes first, the other object overwrites its Secret, and whose value a pod sees depends on who \
                      wrote last. A placeholder Secret becomes a SealedSecret of its name, so it clashes as well.",
        example: "kind: SealedSecret\nmetadata: {name: db}\n---\nkind: Secret\nmetadata: {name: db}\nstringData: {user: shop}\n",
        remedy: "Keep one of them, or give one another name. To let the controller take over a Secret that exists, or add items \
                 to it, annotate that Secret with `sealedsecrets.bitnami.com/managed: \"true\"` or \
                 `sealedsecrets.bitnami.com/patch: \"true\"`.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    for (number, object) in
        environment.objects.iter().enumerate().filter(|(_, object)| is_sealed_secret(object))
    {
        for other in environment.catalogue.suppliers(object.namespace, object.name) {
            let Some(other) = environment.objects.get(*other) else { continue };
            if is_sealed_secret(other) || gives_way(other) {
                continue;
            }
            let message = format!("{} `{}` creates the same Secret", other.kind, other.name);
            let severity = if environment.is_plain() { Severity::Warning } else { Severity::Error };
            reporter.report(
                Draft::new(&RULE, object.name_at(), message)
                    .severity(severity)
                    .about(number)
                    .related(other.name_at(), "the other one is here")
                    .hint("keep one of them, or rename one"),
            );
        }
    }
}

/// Returns whether an object leaves the Secret to the controller, or only adds to it.
fn gives_way(other: &Object<'_>) -> bool {
    let is_true = |name| other.manifest.annotation(name) == Some("true");
    let policy = other.manifest.root().at(&["spec", "target", "creationPolicy"]).and_then(Node::as_str);
    is_true("sealedsecrets.bitnami.com/managed")
        || is_true("sealedsecrets.bitnami.com/patch")
        || matches!(policy, Some("Merge" | "None"))
}
