//! `reference/dangling-scale-target`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::placement::ExternalNamespaces;
use crate::facts::presence::PresenceIndex;
use crate::facts::scene::CheckedEnvironment;
use crate::facts::selectors::{PodIndex, SelectionResult};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/dangling-scale-target",
        severity: Severity::Warning,
        summary: "an autoscaler or a disruption budget targets a workload that does not exist",
        text: include_str!("dangling_scale_target.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let (mut pods, mut presence, mut completions) = (None, None, None);
    for (number, object) in environment.indexed_objects() {
        let draft = if object.is("policy", "PodDisruptionBudget") {
            let completions = completions.get_or_insert_with(|| ExternalNamespaces::new(environment));
            check_budget(object, pods.get_or_insert_with(|| PodIndex::new(&environment.objects)), completions)
        } else if let Some(target) = scale_target(object) {
            check_scaler(object, target, presence.get_or_insert_with(|| PresenceIndex::new(environment)))
        } else {
            None
        };
        if let Some(draft) = draft {
            reporter.report(draft.about_object(number));
        }
    }
}

/// Returns the reference to the scaled object.
fn scale_target<'a>(object: &CheckedObject<'a>) -> Option<&'a Node> {
    let field = match (object.group, object.kind) {
        ("autoscaling", "HorizontalPodAutoscaler") | ("keda.sh", "ScaledObject") => "scaleTargetRef",
        ("autoscaling.k8s.io", "VerticalPodAutoscaler") => "targetRef",
        _ => return None,
    };
    object.manifest.root().at(&["spec", field])
}

fn check_scaler(
    object: &CheckedObject<'_>,
    target: &Node,
    presence: &PresenceIndex<'_, '_>,
) -> Option<FindingDraft> {
    let field = |field: &str| target.get(field).and_then(Node::as_str);
    let is_keda = object.group == "keda.sh";
    let kind = field("kind").or(is_keda.then_some("Deployment"))?;
    let api = field("apiVersion").or(is_keda.then_some("apps/v1"))?;
    let group = api.split_once('/').map_or("", |(group, _)| group);
    let name = target.get("name")?;
    let text = name.as_str().filter(|name| !name.is_empty())?;
    if presence.has_object(group, kind, object.namespace, text) {
        return None;
    }
    let namespace = if object.namespace.is_empty() { "*" } else { object.namespace };
    let hint = format!(
        "correct kind and name, or declare it as existing elsewhere: `--external {kind}/{namespace}/{text}`"
    );
    let draft = FindingDraft::new(&RULE, name.origin, format!("{kind} `{text}` does not exist")).hint(hint);
    Some(draft.severity(presence.severity_of_missing((group, kind), object.namespace, Severity::Warning)))
}

fn check_budget(
    object: &CheckedObject<'_>,
    pods: &PodIndex<'_>,
    completions: &ExternalNamespaces<'_>,
) -> Option<FindingDraft> {
    let selector = object.manifest.root().at(&["spec", "selector"])?;
    if selector.get("matchExpressions").is_some() {
        return None;
    }
    let labels = selector.get("matchLabels")?.as_mapping().filter(|labels| !labels.is_empty())?;
    let SelectionResult::Nothing(_) = pods.select(object.namespace, labels) else { return None };
    let at = labels.entries().first()?.value.origin;
    let message = format!("PodDisruptionBudget `{}` selects no pod", object.name);
    let draft = FindingDraft::new(&RULE, at, message)
        .severity(completions.severity_of_missing_pods(object.namespace));
    Some(draft.hint("give the selector the labels of the pod template"))
}
