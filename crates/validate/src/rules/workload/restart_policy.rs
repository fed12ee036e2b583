//! `workload/restart-policy`.

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{key_origin, text};
use crate::facts::rule_context::RuleContext;
use crate::located::ObjectPath;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/restart-policy",
        severity: Severity::Error,
        summary: "a pod template has a restart policy that its workload does not allow",
        text: include_str!("restart_policy.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
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
            let at = template.map_or(spec.origin, |template| key_origin(template, "spec"));
            let message =
                format!("the pods of a {kind} need a `restartPolicy`: they cannot have the default `Always`");
            let path = ObjectPath::from_keys(pod.path.iter().copied().chain(["spec", "restartPolicy"]));
            let draft = FindingDraft::new(&RULE, at, message).path(path);
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

fn report(
    spec: &sealwave_core::document::Node,
    message: String,
    hint: &'static str,
    reporter: &mut Reporter,
) {
    let at = spec.get("restartPolicy").map_or(spec.origin, |policy| policy.origin);
    reporter.report(FindingDraft::new(&RULE, at, message).hint(hint));
}
