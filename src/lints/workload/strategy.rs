//! `workload/strategy`.

use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{integer, text, value};
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::Node;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/strategy",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "a workload has a strategy that contradicts itself, or a negative number",
        explanation: "With `maxSurge` and `maxUnavailable` both 0 no pod could ever be replaced; in a DaemonSet one of them is 0 \
                      (`maxUnavailable` is 1 unless it is set). A `rollingUpdate` belongs to the strategy RollingUpdate alone. \
                      Replicas, limits and seconds are not negative, and `maxReplicas` of an autoscaler is not less than \
                      `minReplicas`. The API server refuses the object.",
        example: "strategy:\n  type: Recreate\n  rollingUpdate: {maxUnavailable: 1}\n",
        remedy: "Remove `rollingUpdate`, or make the type `RollingUpdate`; let one of the two bounds be at least 1.",
    },
    check: Check::Object(check),
};

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let fields: &[&str] = match (object.group, object.kind) {
        ("apps", "Deployment") => {
            &["minReadySeconds", "progressDeadlineSeconds", "replicas", "revisionHistoryLimit"]
        }
        ("apps", "DaemonSet") => &["minReadySeconds", "revisionHistoryLimit"],
        ("apps", "StatefulSet") => &["minReadySeconds", "replicas", "revisionHistoryLimit"],
        ("apps", "ReplicaSet") | ("", "ReplicationController") => &["minReadySeconds", "replicas"],
        ("batch", "CronJob") => {
            &["failedJobsHistoryLimit", "startingDeadlineSeconds", "successfulJobsHistoryLimit"]
        }
        ("batch", "Job") => &[
            "activeDeadlineSeconds",
            "backoffLimit",
            "completions",
            "parallelism",
            "ttlSecondsAfterFinished",
        ],
        ("autoscaling", "HorizontalPodAutoscaler") => &[],
        _ => return,
    };
    let Some(spec) = object.manifest.root().get("spec") else { return };
    for field in fields {
        if let Some(node) = spec.get(field).filter(|node| integer(node).is_some_and(|number| number < 0)) {
            let draft = Draft::new(&RULE, node.origin, format!("`{field}` is negative"));
            reporter.report(draft.hint("write 0 or more"));
        }
    }
    match object.kind {
        "DaemonSet" => daemon_set(spec, reporter),
        "Deployment" => deployment(spec, reporter),
        "HorizontalPodAutoscaler" => autoscaler(spec, reporter),
        "StatefulSet" => unused(spec.get("updateStrategy"), "OnDelete", reporter),
        _ => {}
    }
}

fn deployment(spec: &Node, reporter: &mut Reporter) {
    let strategy = spec.get("strategy");
    unused(strategy, "Recreate", reporter);
    let Some((surge, unavailable)) = bounds(strategy) else { return };
    if let (Some(surge), Some(unavailable)) = (surge, unavailable)
        && is_zero(surge) == Some(true)
        && is_zero(unavailable) == Some(true)
    {
        let draft = Draft::new(&RULE, unavailable.origin, "`maxSurge` and `maxUnavailable` are both 0");
        reporter
            .report(draft.related(surge.origin, "`maxSurge` is here").hint("let one of them be at least 1"));
    }
}

fn daemon_set(spec: &Node, reporter: &mut Reporter) {
    let Some((surge, unavailable)) = bounds(spec.get("updateStrategy")) else { return };
    let surges = surge.map_or(Some(false), |surge| is_zero(surge).map(|zero| !zero));
    let is_unavailable = unavailable.map_or(Some(true), |bound| is_zero(bound).map(|zero| !zero));
    let (message, hint) = match (surges, is_unavailable) {
        (Some(true), Some(true)) => (
            "a DaemonSet cannot have both `maxSurge` and `maxUnavailable`",
            "write `maxUnavailable: 0` beside `maxSurge`",
        ),
        (Some(false), Some(false)) => {
            ("`maxSurge` and `maxUnavailable` are both 0", "let one of them be at least 1")
        }
        _ => return,
    };
    if let Some(at) = unavailable.or(surge) {
        reporter.report(Draft::new(&RULE, at.origin, message).hint(hint));
    }
}

fn autoscaler(spec: &Node, reporter: &mut Reporter) {
    let (Some(least), Some(most)) = (spec.get("minReplicas"), spec.get("maxReplicas")) else { return };
    if let (Some(low), Some(high)) = (integer(least), integer(most))
        && high < low
    {
        let draft = Draft::new(&RULE, most.origin, "`maxReplicas` is less than `minReplicas`");
        reporter.report(
            draft.related(least.origin, "`minReplicas` is here").hint("raise it, or lower `minReplicas`"),
        );
    }
}

/// Settings of a rolling update beside a strategy that makes none.
fn unused(strategy: Option<&Node>, other: &str, reporter: &mut Reporter) {
    let Some(strategy) = strategy.filter(|strategy| text(strategy, "type") == Some(other)) else { return };
    let entry = strategy.as_mapping().and_then(|strategy| strategy.entry("rollingUpdate"));
    if let Some(entry) = entry.filter(|_| value(strategy, "rollingUpdate").is_some()) {
        let message = format!("the strategy `{other}` cannot have `rollingUpdate`");
        let draft = Draft::new(&RULE, entry.key_origin, message);
        reporter.report(draft.hint("remove it; in a patch, set it to null"));
    }
}

/// `maxSurge` and `maxUnavailable` of a rolling update; `None` where there is none.
fn bounds(strategy: Option<&Node>) -> Option<(Option<&Node>, Option<&Node>)> {
    let strategy =
        strategy.filter(|strategy| matches!(text(strategy, "type"), None | Some("RollingUpdate")))?;
    let update = strategy.get("rollingUpdate")?;
    Some((value(update, "maxSurge"), value(update, "maxUnavailable")))
}

/// Whether a number or a percentage is zero; `None` where it is neither.
fn is_zero(bound: &Node) -> Option<bool> {
    match bound.as_str() {
        Some(text) => Some(text.strip_suffix('%')?.parse::<u32>().ok()? == 0),
        None => Some(integer(bound)? == 0),
    }
}
