//! `workload/restart-policy`.

use super::plain_pod;
use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::fields::{key_at, text};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/restart-policy",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::BuiltInKinds,
        summary: "a pod template has a restart policy that its workload does not allow",
        explanation: "The pods of a Job or CronJob end, so their `restartPolicy` is `OnFailure` or `Never`; without one it is \
                      `Always`, which they may not have. The pods of a Deployment, StatefulSet, DaemonSet or ReplicaSet run \
                      on, and may have `Always` only. The API server refuses the object.",
        example: "kind: Job\nspec:\n  template:\n    spec:   # and no restartPolicy\n      containers: […]\n",
        remedy: "Write `restartPolicy: OnFailure` or `Never` in the template of a Job, and none in that of the others.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let runs_to_completion = match (object.group, object.kind) {
        ("batch", "CronJob" | "Job") => true,
        ("apps", "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet")
        | ("", "ReplicationController")
        | ("argoproj.io", "Rollout") => false,
        _ => return,
    };
    let (Some(spec), Some(pod)) = (plain_pod(object), &object.pod) else { return };
    let kind = object.kind;
    match (runs_to_completion, text(spec, "restartPolicy")) {
        (true, None) => {
            let template = object.manifest.root().at(&pod.path);
            let at = template.map_or(spec.origin, |template| key_at(template, "spec"));
            let message =
                format!("the pods of a {kind} need a `restartPolicy`: they cannot have the default `Always`");
            let pointer = format!("/{}/spec/restartPolicy", pod.path.join("/"));
            let draft = Draft::new(&RULE, at, message).pointer(pointer);
            reporter.report(draft.hint("add `restartPolicy: OnFailure` or `restartPolicy: Never`"));
        }
        (true, Some("Always")) => {
            let message = format!("the pods of a {kind} cannot have the `restartPolicy` `Always`");
            report(spec, message, "write `OnFailure` or `Never`", reporter);
        }
        (false, Some("OnFailure" | "Never")) => {
            let message = format!("the pods of a {kind} must have the `restartPolicy` `Always`");
            report(spec, message, "remove it, or use a Job", reporter);
        }
        _ => {}
    }
}

fn report(spec: &crate::model::Node, message: String, hint: &'static str, reporter: &mut Reporter) {
    let at = spec.get("restartPolicy").map_or(spec.origin, |policy| policy.origin);
    reporter.report(Draft::new(&RULE, at, message).hint(hint));
}
