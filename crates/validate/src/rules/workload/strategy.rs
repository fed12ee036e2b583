//! `workload/strategy`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, key_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::LABEL;
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/strategy",
        severity: Severity::Error,
        summary: "a workload has a strategy that contradicts itself, or a negative number",
        text: include_str!("strategy.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Fields of each kind's spec.
const KINDS: &[(&str, &str, &[FieldSection])] = &[
    (
        "apps",
        "Deployment",
        &[
            FieldSection {
                at: "",
                fields: &[
                    FieldCheck::at_least("minReadySeconds", 0),
                    FieldCheck::at_least("progressDeadlineSeconds", 0),
                    FieldCheck::at_least("replicas", 0),
                    FieldCheck::at_least("revisionHistoryLimit", 0),
                ],
            },
            FieldSection {
                at: "strategy.rollingUpdate",
                fields: &[
                    FieldCheck::share("maxSurge", None),
                    FieldCheck::share("maxUnavailable", Some(100)),
                ],
            },
        ],
    ),
    (
        "apps",
        "DaemonSet",
        &[
            FieldSection {
                at: "",
                fields: &[
                    FieldCheck::at_least("minReadySeconds", 0),
                    FieldCheck::at_least("revisionHistoryLimit", 0),
                ],
            },
            FieldSection {
                at: "updateStrategy.rollingUpdate",
                fields: &[
                    FieldCheck::share("maxSurge", Some(100)),
                    FieldCheck::share("maxUnavailable", Some(100)),
                ],
            },
        ],
    ),
    (
        "apps",
        "StatefulSet",
        &[
            FieldSection {
                at: "",
                fields: &[
                    FieldCheck::at_least("minReadySeconds", 0),
                    FieldCheck::at_least("replicas", 0),
                    FieldCheck::form("serviceName", &LABEL),
                ],
            },
            FieldSection { at: "ordinals", fields: &[FieldCheck::at_least("start", 0)] },
            FieldSection {
                at: "updateStrategy.rollingUpdate",
                fields: &[
                    FieldCheck::share("maxUnavailable", Some(100)),
                    FieldCheck::at_least("partition", 0),
                ],
            },
        ],
    ),
    ("apps", "ReplicaSet", COUNTS),
    ("", "ReplicationController", COUNTS),
];

const COUNTS: &[FieldSection] = &[FieldSection {
    at: "",
    fields: &[FieldCheck::at_least("minReadySeconds", 0), FieldCheck::at_least("replicas", 0)],
}];

/// Default progress deadline of a Deployment, in seconds.
const DEFAULT_DEADLINE: i64 = 600;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some((.., sections)) = KINDS.iter().find(|(group, kind, _)| object.is(group, kind)) else { return };
    let Some(spec) = object.manifest.root().get("spec") else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.check_table(spec, sections);
    match object.kind {
        "DaemonSet" => check_daemon_set(spec, &mut checker),
        "Deployment" => check_deployment(spec, &mut checker),
        "StatefulSet" => check_stateful_set(spec, &mut checker),
        _ => {}
    }
}

fn check_deployment(spec: &Node, checker: &mut FieldChecker<'_>) {
    check_deadline(spec, checker);
    let strategy = spec.get("strategy");
    check_unused_settings(strategy, "Recreate", checker);
    let Some((surge, unavailable)) = bounds(strategy) else { return };
    if let (Some(surge), Some(unavailable)) = (surge, unavailable)
        && is_zero(surge) == Some(true)
        && is_zero(unavailable) == Some(true)
    {
        let draft = checker.new_draft(unavailable.origin, "`maxSurge` and `maxUnavailable` are both 0");
        checker.report_draft(
            draft.related(surge.origin, "`maxSurge` is here").hint("set one of them to at least 1"),
        );
    }
}

fn check_deadline(spec: &Node, checker: &mut FieldChecker<'_>) {
    let ready = value(spec, "minReadySeconds").and_then(integer).unwrap_or(0);
    let own = value(spec, "progressDeadlineSeconds");
    let Some(seconds) = own.map_or(Some(DEFAULT_DEADLINE), integer).filter(|seconds| *seconds >= 0) else {
        return;
    };
    if ready >= 0 && seconds <= ready {
        let field = if own.is_some() { "progressDeadlineSeconds" } else { "minReadySeconds" };
        let message = "`progressDeadlineSeconds` is not more than `minReadySeconds`";
        checker.report(
            key_origin(spec, field),
            message,
            "increase `progressDeadlineSeconds`, which is 600 by default",
        );
    }
}

fn check_daemon_set(spec: &Node, checker: &mut FieldChecker<'_>) {
    let Some((surge, unavailable)) = bounds(spec.get("updateStrategy")) else { return };
    let surges = surge.map_or(Some(false), |surge| is_zero(surge).map(|zero| !zero));
    let is_unavailable = unavailable.map_or(Some(true), |bound| is_zero(bound).map(|zero| !zero));
    let (message, hint) = match (surges, is_unavailable) {
        (Some(true), Some(true)) => (
            "a DaemonSet cannot have both `maxSurge` and `maxUnavailable`",
            "set `maxUnavailable: 0` with `maxSurge`",
        ),
        (Some(false), Some(false)) => {
            ("`maxSurge` and `maxUnavailable` are both 0", "set one of them to at least 1")
        }
        _ => return,
    };
    if let Some(at) = unavailable.or(surge) {
        checker.report(at.origin, message, hint);
    }
}

fn check_stateful_set(spec: &Node, checker: &mut FieldChecker<'_>) {
    let strategy = spec.get("updateStrategy");
    check_unused_settings(strategy, "OnDelete", checker);
    let Some((_, Some(unavailable))) = bounds(strategy) else { return };
    if is_zero(unavailable) == Some(true) {
        // Clusters without the feature drop the field.
        let draft = checker.new_draft(unavailable.origin, "`maxUnavailable` of a StatefulSet is 0");
        checker.report_draft(draft.severity(Severity::Warning).hint("write 1 or more"));
    }
}

/// Reports rolling update settings of a strategy that does not use them.
fn check_unused_settings(strategy: Option<&Node>, other: &str, checker: &mut FieldChecker<'_>) {
    let Some(strategy) = strategy.filter(|strategy| text(strategy, "type") == Some(other)) else { return };
    if value(strategy, "rollingUpdate").is_some() {
        let message = format!("the strategy `{other}` cannot have `rollingUpdate`");
        checker.report(
            key_origin(strategy, "rollingUpdate"),
            message,
            "remove it; in a patch, set it to null",
        );
    }
}

/// Returns `maxSurge` and `maxUnavailable` of a rolling update, if there is one.
fn bounds(strategy: Option<&Node>) -> Option<(Option<&Node>, Option<&Node>)> {
    let strategy =
        strategy.filter(|strategy| matches!(text(strategy, "type"), None | Some("RollingUpdate")))?;
    let update = strategy.get("rollingUpdate")?;
    Some((value(update, "maxSurge"), value(update, "maxUnavailable")))
}

/// Returns whether a number or a percentage is zero; `None` if it is neither.
fn is_zero(bound: &Node) -> Option<bool> {
    match bound.as_str() {
        Some(text) => Some(text.strip_suffix('%')?.parse::<u32>().ok()? == 0),
        None => Some(integer(bound)? == 0),
    }
}
