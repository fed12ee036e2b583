//! `workload/job`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{integer, items, key_origin, start_origin, text, value};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::forms::{DOMAIN_PATH, QUALIFIED};
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, NodeValue};
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/job",
        severity: Severity::Error,
        summary: "a Job has settings that require or exclude each other",
        text: include_str!("job.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Fields of a Job's spec.
const SECTIONS: &[FieldSection] = &[
    FieldSection {
        at: "",
        fields: &[
            FieldCheck::at_least("activeDeadlineSeconds", 0),
            FieldCheck::at_least("backoffLimit", 0),
            FieldCheck::at_least("backoffLimitPerIndex", 0),
            FieldCheck::at_least("completions", 0),
            FieldCheck::form("managedBy", &DOMAIN_PATH),
            FieldCheck::at_least("maxFailedIndexes", 0),
            FieldCheck::at_least("parallelism", 0),
            FieldCheck::at_least("ttlSecondsAfterFinished", 0),
        ],
    },
    FieldSection { at: "podFailurePolicy.rules[].onExitCodes", fields: &[FieldCheck::not_empty("values")] },
    FieldSection {
        at: "podFailurePolicy.rules[].onPodConditions[]",
        fields: &[FieldCheck::form("type", &QUALIFIED)],
    },
    FieldSection { at: "successPolicy", fields: &[FieldCheck::not_empty("rules")] },
];

/// Fields that only an indexed Job has.
const INDEXED_ONLY: &[&str] = &["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"];
/// Maximum number of exit codes.
const MOST_CODES: usize = 255;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let root = object.manifest.root();
    let is_template = object.is("batch", "CronJob");
    let spec = match (object.group, object.kind) {
        ("batch", "Job") => root.get("spec"),
        ("batch", "CronJob") => root.at(&["spec", "jobTemplate", "spec"]),
        _ => None,
    };
    let Some(spec) = spec.filter(|spec| spec.as_mapping().is_some()) else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    checker.check_table(spec, SECTIONS);
    check_indexed(spec, &mut checker);
    check_selector(spec, is_template, &mut checker);
    if let Some(policy) = value(spec, "podFailurePolicy") {
        check_failure_policy(policy, spec, &mut checker);
    }
    let is_indexed = text(spec, "completionMode") == Some("Indexed");
    let completions = value(spec, "completions").and_then(integer);
    if let Some(last) = completions.filter(|completions| is_indexed && !is_template && *completions > 0)
        && object.name.len() + 1 + (last - 1).to_string().len() > 63
    {
        let message = "the name of this Job is too long for its pods' host names";
        checker.report(
            object.name_origin(),
            message,
            "shorten the name: with `-` and the index, it may have 63 characters",
        );
    }
}

fn check_indexed(spec: &Node, checker: &mut FieldChecker<'_>) {
    let completions = value(spec, "completions").and_then(integer);
    if text(spec, "completionMode") == Some("Indexed") {
        if value(spec, "completions").is_none() {
            let message = "an indexed Job has no `completions`";
            checker.report(key_origin(spec, "completionMode"), message, "add `completions`");
        }
    } else {
        for field in INDEXED_ONLY.iter().filter(|field| value(spec, field).is_some()) {
            let message = format!("`{field}` needs `completionMode: Indexed`");
            checker.report(key_origin(spec, field), message, "remove it, or set `completionMode: Indexed`");
        }
    }
    let Some(most) = value(spec, "maxFailedIndexes") else { return };
    if value(spec, "backoffLimitPerIndex").is_none() {
        let message = "`maxFailedIndexes` needs `backoffLimitPerIndex`";
        checker.report(
            key_origin(spec, "maxFailedIndexes"),
            message,
            "add `backoffLimitPerIndex`, or remove `maxFailedIndexes`",
        );
    } else if let (Some(failed), Some(all)) = (integer(most), completions)
        && failed > all
    {
        checker.report(most.origin, "`maxFailedIndexes` is more than `completions`", "lower it");
    }
}

fn check_selector(spec: &Node, is_template: bool, checker: &mut FieldChecker<'_>) {
    let is_manual = matches!(spec.get("manualSelector").map(|flag| &flag.value), Some(NodeValue::Bool(true)));
    if is_template && is_manual {
        let message = "the Jobs of a CronJob cannot have `manualSelector: true`";
        checker.report(key_origin(spec, "manualSelector"), message, "remove it");
    }
    let selector = value(spec, "selector");
    let is_empty = selector.is_some_and(|selector| {
        selector.as_mapping().is_some_and(|mapping| {
            mapping.entries().iter().all(|entry| match &entry.value.value {
                NodeValue::Mapping(labels) => labels.is_empty(),
                NodeValue::Sequence(items) => items.is_empty(),
                other => matches!(other, NodeValue::Null),
            })
        })
    });
    if selector.is_some() && (is_template || !is_manual && !is_empty) {
        let message = "a Job cannot set its `selector`: the controller does";
        checker.report(key_origin(spec, "selector"), message, "remove it");
    } else if let Some(selector) = selector {
        checker.check_selector(selector);
    }
}

fn check_failure_policy(policy: &Node, spec: &Node, checker: &mut FieldChecker<'_>) {
    if value(spec, "podReplacementPolicy").is_some_and(|node| node.as_str() == Some("TerminatingOrFailed")) {
        let message = "`podReplacementPolicy` must be `Failed` with `podFailurePolicy`";
        checker.report(key_origin(spec, "podReplacementPolicy"), message, "write `Failed`, or remove it");
    }
    let pod = spec.at(&["template", "spec"]);
    if let Some(pod) = pod
        && text(pod, "restartPolicy") == Some("OnFailure")
    {
        let message = "`podFailurePolicy` needs pods with `restartPolicy: Never`";
        checker.report(key_origin(pod, "restartPolicy"), message, "write `Never`, or remove the policy");
    }
    let names: Vec<&str> =
        pod.into_iter().flat_map(containers).filter_map(|(_, container)| text(container, "name")).collect();
    for rule in items(policy, "rules").iter().filter(|rule| rule.as_mapping().is_some()) {
        let codes = value(rule, "onExitCodes");
        let has_conditions = !items(rule, "onPodConditions").is_empty();
        if codes.is_some() == has_conditions {
            let message = "a rule does not have exactly one of `onExitCodes` and `onPodConditions`";
            checker.report(start_origin(rule), message, "give each rule one of them");
        }
        if text(rule, "action") == Some("FailIndex") && value(spec, "backoffLimitPerIndex").is_none() {
            let message = "the action `FailIndex` needs `backoffLimitPerIndex`";
            checker.report(key_origin(rule, "action"), message, "add it to the Job");
        }
        if let Some(codes) = codes {
            check_exit_codes(codes, &names, checker);
        }
    }
}

fn check_exit_codes(codes: &Node, names: &[&str], checker: &mut FieldChecker<'_>) {
    if let Some(name) = text(codes, "containerName")
        && !names.contains(&name)
        && !checker.may_fill(name)
    {
        let message = "`containerName` is not a container of the pod";
        checker.report(
            key_origin(codes, "containerName"),
            message,
            "use the name of a container, or remove it",
        );
    }
    let values = items(codes, "values");
    let numbers: Vec<i64> = values.iter().take(MOST_CODES).filter_map(integer).collect();
    if values.len() > MOST_CODES || numbers.windows(2).any(|pair| pair.first() >= pair.last()) {
        let message = "exit codes are not in ascending order without duplicates";
        checker.report(key_origin(codes, "values"), message, "sort the codes, and remove duplicates");
    }
    if text(codes, "operator") == Some("In") && numbers.contains(&0) {
        let message = "exit code 0 is not a failure and not allowed with the operator `In`";
        checker.report(key_origin(codes, "values"), message, "remove the 0");
    }
}
