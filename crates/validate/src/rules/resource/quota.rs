//! `resource/quota`.

use std::collections::HashMap;

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{entries, items, key_origin, text, value};
use crate::facts::name_syntax::is_qualified_name;
use crate::facts::resource_names::{is_exclusive, is_resource_name};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::{FieldCheck, FieldChecker, FieldSection};
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{MappingEntry, Node, Origin};
use sealwave_kube::Quantity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "resource/quota",
        severity: Severity::Error,
        summary: "a ResourceQuota or LimitRange contradicts itself, or names an unknown resource",
        text: include_str!("quota.md"),
    },
    RuleCheck::Object(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Resources of a quota that need no domain, except huge pages.
const QUOTA: &[&str] = &[
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];
/// Resources that count objects.
const COUNTS: &[&str] = &[
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];
/// Resources allowed in a quota with a pod scope.
const POD_RESOURCES: &[&str] =
    &["cpu", "limits.cpu", "limits.memory", "memory", "pods", "requests.cpu", "requests.memory"];
/// Scopes that exclude each other.
const EXCLUSIVE: &[(&str, &str)] = &[("BestEffort", "NotBestEffort"), ("NotTerminating", "Terminating")];
/// Bounds of a `LimitRange`, in ascending order.
const BOUNDS: &[&str] = &["min", "defaultRequest", "default", "max"];
/// Maximum number of resources checked per list.
const MOST: usize = 100;

const SELECTOR: &[FieldSection] =
    &[FieldSection { at: "scopeSelector.matchExpressions[]", fields: &[FieldCheck::not_empty("scopeName")] }];

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = object.manifest.root().get("spec").filter(|spec| spec.as_mapping().is_some()) else {
        return;
    };
    let is_quota = object.is("", "ResourceQuota");
    if !is_quota && !object.is("", "LimitRange") {
        return;
    }
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    if is_quota {
        checker.check_table(spec, SELECTOR);
        check_quota(spec, &mut checker);
    } else {
        check_limits(items(spec, "limits"), &mut checker);
    }
}

fn check_quota(spec: &Node, checker: &mut FieldChecker<'_>) {
    let hard = entries(spec, "hard");
    for entry in hard.iter().take(MOST) {
        let key = entry.key.as_str();
        let is_known = match key.split_once('/') {
            Some(_) => is_qualified_name(key),
            None => {
                QUOTA.contains(&key)
                    || key.starts_with("hugepages-")
                    || key.starts_with("requests.hugepages-")
            }
        };
        if !is_known && !checker.may_fill(key) {
            let hint = "write a resource like `requests.cpu`, an object count like `pods`, or `count/` and a resource";
            checker.report(entry.key_origin, "the quota has a resource that Kubernetes does not count", hint);
        }
        let Some(amount) = Quantity::from_node(&entry.value) else { continue };
        if amount.is_negative() {
            checker.report(entry.value.origin, "a quantity of the quota is negative", "write 0 or more");
        } else if !amount.is_whole() && (COUNTS.contains(&key) || is_counted(key)) {
            checker.report(
                entry.value.origin,
                "an object count is not a whole number",
                "write a whole number",
            );
        }
    }
    check_scopes(spec, hard, checker);
}

/// Returns whether a name with a domain is that of a device or an object count.
fn is_counted(key: &str) -> bool {
    key.contains('/') && !key.contains("kubernetes.io/") && !key.starts_with("requests.")
}

fn check_scopes(spec: &Node, hard: &[MappingEntry], checker: &mut FieldChecker<'_>) {
    let list_scopes = items(spec, "scopes").iter().filter_map(|scope| Some((scope.as_str()?, scope.origin)));
    let expressions =
        spec.get("scopeSelector").map_or(&[][..], |selector| items(selector, "matchExpressions"));
    let selector_scopes = expressions
        .iter()
        .filter_map(|expression| Some((text(expression, "scopeName")?, key_origin(expression, "scopeName"))));
    for (group, hint) in [
        (list_scopes.collect::<Vec<(&str, Origin)>>(), "keep one of the two scopes"),
        (selector_scopes.collect(), "keep one of the two expressions"),
    ] {
        for (one, other) in EXCLUSIVE {
            let find = |name: &str| group.iter().find(|(scope, _)| *scope == name);
            if let (Some((_, first)), Some((_, second))) = (find(one), find(other)) {
                let draft = checker.new_draft(*second, "two scopes of the quota exclude each other");
                checker.report_draft(draft.related(*first, "the other is here").hint(hint));
            }
        }
        for (scope, at) in &group {
            let unfit = hard.iter().find(|entry| !fits(scope, &entry.key));
            if let Some(unfit) = unfit {
                let draft = checker.new_draft(*at, "a resource of the quota does not fit this scope");
                let draft = draft.related(unfit.key_origin, "the resource is here");
                checker.report_draft(draft.hint("split it into two quotas"));
            }
        }
    }
    for expression in expressions {
        check_expression(expression, checker);
    }
}

/// Returns whether a quota with a scope may count a resource. Names with a domain are always allowed.
fn fits(scope: &str, resource: &str) -> bool {
    if resource.contains('/') || !QUOTA.contains(&resource) {
        return true;
    }
    match scope {
        "BestEffort" => resource == "pods",
        "CrossNamespacePodAffinity"
        | "NotBestEffort"
        | "NotTerminating"
        | "PriorityClass"
        | "Terminating" => POD_RESOURCES.contains(&resource),
        "VolumeAttributesClass" => matches!(resource, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    }
}

fn check_expression(expression: &Node, checker: &mut FieldChecker<'_>) {
    let has_values = !items(expression, "values").is_empty();
    let scope = text(expression, "scopeName").unwrap_or_default();
    match text(expression, "operator") {
        Some("In" | "NotIn") if matches!(scope, "PriorityClass" | "VolumeAttributesClass") && !has_values => {
            let message = "an expression with this operator has no `values`";
            checker.report(key_origin(expression, "operator"), message, "add the values");
        }
        Some("DoesNotExist" | "Exists") if has_values => {
            let message = "an expression with this operator has `values`";
            checker.report(key_origin(expression, "values"), message, "remove them");
        }
        Some(operator)
            if operator != "Exists" && !matches!(scope, "PriorityClass" | "VolumeAttributesClass" | "") =>
        {
            let message = "the operator of this scope must be `Exists`";
            checker.report(key_origin(expression, "operator"), message, "write `Exists`");
        }
        _ => {}
    }
}

fn check_limits(limits: &[Node], checker: &mut FieldChecker<'_>) {
    let mut seen: HashMap<&str, Origin> = HashMap::new();
    for limit in limits.iter().filter(|limit| limit.as_mapping().is_some()) {
        let kind = text(limit, "type").unwrap_or_default();
        let at = key_origin(limit, "type");
        if let Some(first) = seen.insert(kind, at) {
            let draft = checker.new_draft(at, "two limits have the same type").hint("merge them into one");
            checker.report_draft(draft.related(first, "the other is here"));
        }
        if kind == "Pod" {
            for field in ["default", "defaultRequest"] {
                if !entries(limit, field).is_empty() {
                    let message = format!("a limit of type Pod cannot have `{field}`");
                    checker.report(key_origin(limit, field), message, "move it to a limit of type Container");
                }
            }
        }
        let has_storage = ["min", "max"].iter().any(|field| limit.at(&[field, "storage"]).is_some());
        if kind == "PersistentVolumeClaim" && !has_storage {
            let message = "a limit of claims has neither `min.storage` nor `max.storage`";
            checker.report(at, message, "add one of them");
        }
        check_names(limit, kind, checker);
        check_order(limit, kind, checker);
    }
}

fn check_names(limit: &Node, kind: &str, checker: &mut FieldChecker<'_>) {
    if !matches!(kind, "Container" | "Pod") {
        return;
    }
    for field in BOUNDS.iter().chain(&["maxLimitRequestRatio"]) {
        for entry in entries(limit, field).iter().take(MOST) {
            if !is_resource_name(&entry.key) && !checker.may_fill(&entry.key) {
                let message = "a limit has a resource that containers cannot have";
                checker.report(entry.key_origin, message, "write `cpu`, `memory`, or a name with a domain");
            }
        }
    }
}

fn check_order(limit: &Node, kind: &str, checker: &mut FieldChecker<'_>) {
    let bound = |field: &str, key: &str| {
        let is_default = field.starts_with("default");
        let node = value(limit, field).filter(|_| kind != "Pod" || !is_default)?.get(key)?;
        Some((node.origin, Quantity::from_node(node)?))
    };
    for (index, low) in BOUNDS.iter().enumerate() {
        for entry in entries(limit, low).iter().take(MOST) {
            let Some((at, least)) = bound(low, &entry.key) else { continue };
            for high in BOUNDS.iter().skip(index + 1) {
                let Some((other, most)) = bound(high, &entry.key) else { continue };
                let differs = *low == "defaultRequest" && *high == "default" && is_exclusive(&entry.key);
                if least > most || differs && least != most {
                    let message = format!("`{low}` is more than `{high}`");
                    let draft = checker.new_draft(at, message).hint("correct the order of the two");
                    checker.report_draft(draft.related(other, format!("`{high}` is here")));
                }
            }
        }
    }
    let one = Quantity::parse("1");
    for entry in entries(limit, "maxLimitRequestRatio").iter().take(MOST) {
        if Quantity::from_node(&entry.value) < one && Quantity::from_node(&entry.value).is_some() {
            checker.report(entry.value.origin, "`maxLimitRequestRatio` is less than 1", "write 1 or more");
        }
    }
}
