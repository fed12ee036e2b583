//! `reference/dangling-scale-target`.

use crate::rules::placement::Completions;
use crate::rules::presence::Presence;
use crate::rules::selectors::{Pods, Selected};
use crate::rules::{Check, Draft, Environment, Object, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/dangling-scale-target",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "an autoscaler or a disruption budget targets a workload that does not exist",
        page: include_str!("dangling_scale_target.md"),
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
