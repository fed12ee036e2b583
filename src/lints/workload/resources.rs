//! `workload/resources`.

use super::plain_pod;
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::fields::{entries, listed};
use crate::lints::metadata::syntax::is_unfinished;
use crate::lints::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::model::pods::containers;
use crate::model::{Entry, Node};
use crate::schema::Quantity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "workload/resources",
        severity: Severity::Error,
        enabled: true,
        refused_by_api_server: false,
        summary: "requests and limits of a container contradict each other, or name no resource",
        explanation: "A request may not be more than the limit of the same resource, and must be equal to it where a resource \
                      cannot be shared (devices like `nvidia.com/gpu`, huge pages). Names without a domain are `cpu`, \
                      `memory`, `ephemeral-storage` and `hugepages-…`. No quantity is negative. The API server refuses the \
                      object.",
        example: "resources:\n  requests: {memory: 2Gi}\n  limits: {memory: 512Mi, mem: 1Gi}\n",
        remedy: "```yaml\nresources:\n  requests: {memory: 512Mi}\n  limits: {memory: 2Gi}\n```",
    },
    check: Check::Pod(check),
};

/// Resources that need no domain.
const NAMES: &[&str] = &["cpu", "ephemeral-storage", "memory"];
/// What names of huge pages start with.
const HUGE_PAGES: &str = "hugepages-";
/// Resources of one container that are looked at.
const MOST: usize = 100;

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    let Some(spec) = plain_pod(object) else { return };
    let of_containers = containers(spec).filter_map(|(_, container)| container.get("resources"));
    for resources in of_containers.chain(spec.get("resources")) {
        contradictions(resources, reporter);
    }
}

fn contradictions(resources: &Node, reporter: &mut Reporter) {
    let limits = entries(resources, "limits");
    let requests = entries(resources, "requests");
    for entry in limits.iter().chain(requests).take(2 * MOST) {
        if !is_name(&entry.key) {
            let message = format!("there is no resource `{}` of a container", shown(&entry.key));
            let names = format!(
                "without a domain, the resources are {} and `hugepages-…`",
                listed(NAMES).replace(" or ", ", ")
            );
            reporter.report(Draft::new(&RULE, entry.key_origin, message).hint(names));
        } else if Quantity::of(&entry.value).is_some_and(Quantity::is_negative) {
            let message = format!("the quantity of `{}` is negative", entry.key);
            reporter.report(
                Draft::new(&RULE, entry.value.origin, message).hint("write the amount without the sign"),
            );
        }
    }
    for request in requests.iter().take(MOST) {
        let limit = limits.iter().take(MOST).find(|limit| limit.key == request.key);
        compare(request, limit, reporter);
    }
}

fn compare(request: &Entry, limit: Option<&Entry>, reporter: &mut Reporter) {
    let (key, at) = (&request.key, request.value.origin);
    let is_exclusive = is_exclusive(key);
    let Some(limit) = limit else {
        // One that is left out in a text that is not finished may come yet.
        if is_exclusive && !is_unfinished(key) && Quantity::of(&request.value).is_some() {
            let message = format!("the request of `{key}` has no limit, and this resource cannot be shared");
            reporter.report(
                Draft::new(&RULE, request.key_origin, message).hint("set the limit to the same quantity"),
            );
        }
        return;
    };
    let (Some(wanted), Some(most)) = (Quantity::of(&request.value), Quantity::of(&limit.value)) else {
        return;
    };
    let (message, hint) = if wanted > most && !is_exclusive {
        (format!("the request of `{key}` is more than its limit"), "raise the limit, or lower the request")
    } else if wanted != most && is_exclusive {
        (
            format!("the request of `{key}` is not equal to its limit, and this resource cannot be shared"),
            "set both to the same quantity",
        )
    } else {
        return;
    };
    let draft = Draft::new(&RULE, at, message).hint(hint);
    reporter.report(draft.related(limit.value.origin, "the limit is here"));
}

fn is_name(key: &str) -> bool {
    key.contains('/') || NAMES.contains(&key) || key.starts_with(HUGE_PAGES) || is_unfinished(key)
}

/// Whether a resource belongs to one container alone.
fn is_exclusive(key: &str) -> bool {
    key.starts_with(HUGE_PAGES) || key.contains('/') && !key.contains("kubernetes.io/")
}

/// A name that is short enough for a message.
fn shown(key: &str) -> String {
    key.chars().take(80).map(|c| if c.is_control() || c == '`' { '?' } else { c }).collect()
}
