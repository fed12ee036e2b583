//! `reference/dangling-scale-target`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::placement::Completions;
use crate::lints::presence::Presence;
use crate::lints::selectors::{Pods, Selected};
use crate::lints::{Check, Draft, Environment, Object, Reporter, Rule};
use crate::model::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/dangling-scale-target",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an autoscaler or a disruption budget is for a workload that does not exist",
        explanation: "A HorizontalPodAutoscaler, ScaledObject or VerticalPodAutoscaler without its target only reports \
                      FailedGetScale in its conditions, and the workload that it was meant for keeps its replicas. A \
                      PodDisruptionBudget that selects no pod protects nothing: a node may be drained with all of them.",
        example: "kind: HorizontalPodAutoscaler\nspec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: wbe}\n",
        remedy: "Correct kind and name of the target, or the labels of the selector. For a target that something outside of the \
                 app makes, write `validate.external: [Deployment/<namespace>/<name>]` into `sealwave.yaml`.",
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let (mut pods, mut presence, mut completions) = (None, None, None);
    for (number, object) in environment.objects.iter().enumerate() {
        let draft = if object.is("policy", "PodDisruptionBudget") {
            let completions = completions.get_or_insert_with(|| Completions::of(environment));
            check_budget(object, pods.get_or_insert_with(|| Pods::of(&environment.objects)), completions)
        } else if let Some(target) = scale_target(object) {
            check_scaler(object, target, presence.get_or_insert_with(|| Presence::of(environment)))
        } else {
            None
        };
        if let Some(draft) = draft {
            reporter.report(draft.about(number));
        }
    }
}

/// Returns the reference to the scaled object.
fn scale_target<'a>(object: &Object<'a>) -> Option<&'a Node> {
    let field = match (object.group, object.kind) {
        ("autoscaling", "HorizontalPodAutoscaler") | ("keda.sh", "ScaledObject") => "scaleTargetRef",
        ("autoscaling.k8s.io", "VerticalPodAutoscaler") => "targetRef",
        _ => return None,
    };
    object.manifest.root().at(&["spec", field])
}

fn check_scaler(object: &Object<'_>, target: &Node, presence: &Presence<'_, '_>) -> Option<Draft> {
    let field = |field: &str| target.get(field).and_then(Node::as_str);
    let is_keda = object.group == "keda.sh";
    let kind = field("kind").or(is_keda.then_some("Deployment"))?;
    let api = field("apiVersion").or(is_keda.then_some("apps/v1"))?;
    let group = api.split_once('/').map_or("", |(group, _)| group);
    let name = target.get("name")?;
    let text = name.as_str().filter(|name| !name.is_empty())?;
    if presence.has(group, kind, object.namespace, text) {
        return None;
    }
    let namespace = if object.namespace.is_empty() { "*" } else { object.namespace };
    let hint = format!(
        "correct kind and name, or declare it as existing elsewhere: `--external {kind}/{namespace}/{text}`"
    );
    let draft = Draft::new(&RULE, name.origin, format!("{kind} `{text}` does not exist")).hint(hint);
    Some(draft.severity(presence.severity((group, kind), object.namespace, Severity::Warning)))
}

fn check_budget(object: &Object<'_>, pods: &Pods<'_>, completions: &Completions<'_>) -> Option<Draft> {
    let selector = object.manifest.root().at(&["spec", "selector"])?;
    if selector.get("matchExpressions").is_some() {
        return None;
    }
    let labels = selector.get("matchLabels")?.as_mapping().filter(|labels| !labels.is_empty())?;
    let Selected::Nothing(_) = pods.selected(object.namespace, labels) else { return None };
    let at = labels.entries().first()?.value.origin;
    let message = format!("PodDisruptionBudget `{}` selects no pod", object.name);
    let draft =
        Draft::new(&RULE, at, message).severity(completions.severity_of_missing_pods(object.namespace));
    Some(draft.hint("give the selector the labels of the pod template"))
}
