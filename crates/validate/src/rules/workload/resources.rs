//! `workload/resources`.

use super::plain_pod::plain_pod;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{entries, items, key_origin, quoted_list, text};
use crate::facts::resource_names::{HUGE_PAGES, NAMES, is_exclusive, is_resource_name};
use crate::facts::rule_context::RuleContext;
use crate::field_checks::FieldChecker;
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{ApiRefusal, RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{MappingEntry, Node};
use sealwave_kube::Quantity;
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "workload/resources",
        severity: Severity::Error,
        summary: "the requests and limits of a container contradict each other, or name an unknown resource",
        text: include_str!("resources.md"),
    },
    RuleCheck::Pod(check),
)
.refused(ApiRefusal::BuiltInKinds);

/// Maximum number of resources checked per list.
const MOST: usize = 100;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let mut checker = FieldChecker::new(&RULE, object, context, reporter);
    let claims: Vec<&str> =
        items(spec, "resourceClaims").iter().filter_map(|claim| text(claim, "name")).collect();
    let container_resources = containers(spec).filter_map(|(_, container)| container.get("resources"));
    for resources in container_resources.chain(spec.get("resources")) {
        check_resources(resources, &mut checker);
        for claim in items(resources, "claims") {
            if let Some(name) = text(claim, "name").filter(|name| !claims.contains(name))
                && !checker.may_fill(name)
            {
                let message = "the pod has no resource claim of this name";
                checker.report(key_origin(claim, "name"), message, "add it to `resourceClaims` of the pod");
            }
        }
    }
}

fn check_resources(resources: &Node, checker: &mut FieldChecker<'_>) {
    let limits = entries(resources, "limits");
    let requests = entries(resources, "requests");
    for entry in limits.iter().chain(requests).take(2 * MOST) {
        if !is_resource_name(&entry.key) && !checker.may_fill(&entry.key) {
            let message = format!("`{}` is not a container resource", shorten(&entry.key));
            let names = format!(
                "use {}, `hugepages-…`, or a name with a domain",
                quoted_list(NAMES).replace(" or ", ", ")
            );
            checker.report(entry.key_origin, message, names);
        } else {
            check_amount(entry, checker);
        }
    }
    for request in requests.iter().take(MOST) {
        let limit = limits.iter().take(MOST).find(|limit| limit.key == request.key);
        check_limit(request, limit, checker);
    }
    let has =
        |test: fn(&str) -> bool| limits.iter().chain(requests).take(2 * MOST).find(|entry| test(&entry.key));
    if let Some(pages) = has(|key| key.starts_with(HUGE_PAGES))
        && has(|key| matches!(key, "cpu" | "memory")).is_none()
    {
        let message = "huge pages are not allowed without `cpu` or `memory`";
        checker.report(pages.key_origin, message, "add a request or a limit for `memory`");
    }
}

fn check_amount(entry: &MappingEntry, checker: &mut FieldChecker<'_>) {
    let Some(amount) = Quantity::from_node(&entry.value) else { return };
    let key = shorten(&entry.key);
    if amount.is_negative() {
        let message = format!("the quantity of `{key}` is negative");
        checker.report(entry.value.origin, message, "write the amount without the sign");
    } else if is_exclusive(&entry.key) && !amount.is_whole() {
        let message = format!("the quantity of `{key}` is not a whole number");
        checker.report(entry.value.origin, message, "use a whole number: this resource cannot be divided");
    } else if let Some(size) = entry.key.strip_prefix(HUGE_PAGES).and_then(Quantity::parse)
        && !amount.is_multiple_of(size)
    {
        let message = format!("the quantity of `{key}` is not a multiple of the page size");
        checker.report(entry.value.origin, message, "request a whole number of pages");
    }
}

fn check_limit(request: &MappingEntry, limit: Option<&MappingEntry>, checker: &mut FieldChecker<'_>) {
    let (key, at) = (shorten(&request.key), request.value.origin);
    let is_exclusive = is_exclusive(&request.key);
    let Some(limit) = limit else {
        // If the name is filled in later, so may be the limit.
        if is_exclusive && !checker.may_fill(&request.key) && Quantity::from_node(&request.value).is_some() {
            let message =
                format!("the request for `{key}` has no limit, but this resource cannot be overcommitted");
            checker.report(request.key_origin, message, "set the limit to the same quantity");
        }
        return;
    };
    let (Some(wanted), Some(most)) = (Quantity::from_node(&request.value), Quantity::from_node(&limit.value))
    else {
        return;
    };
    let (message, hint) = if wanted > most && !is_exclusive {
        (
            format!("the request for `{key}` is more than its limit"),
            "increase the limit, or reduce the request",
        )
    } else if wanted != most && is_exclusive {
        (
            format!(
                "the request for `{key}` differs from its limit, but this resource cannot be overcommitted"
            ),
            "set both to the same quantity",
        )
    } else {
        return;
    };
    let draft = checker.new_draft(at, message).hint(hint);
    checker.report_draft(draft.related(limit.value.origin, "the limit is here"));
}

/// Shortens a name for a message.
fn shorten(key: &str) -> String {
    key.chars().take(80).map(|c| if c.is_control() || c == '`' { '?' } else { c }).collect()
}
