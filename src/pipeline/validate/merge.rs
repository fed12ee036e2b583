//! The same finding in several environments is one finding.

use std::collections::HashMap;

use crate::diagnostic::Finding;

/// Puts findings in order, those that say the same of the same place once, with all their environments.
///
/// Where a place is in rendered text does not count: other lines before it may differ from one environment to the next.
/// The first one's is kept.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut seen: HashMap<_, Vec<usize>> = HashMap::with_capacity(findings.len());
    for finding in findings {
        let key = (
            finding.rule.id,
            finding.message.clone(),
            finding.span.as_ref().map(|span| {
                let place = &span.place;
                (place.path.clone(), place.line, place.column)
            }),
            finding.object.as_ref().map(|object| (object.kind.clone(), object.name.clone())),
            finding.pointer.clone(),
        );
        let alike = seen.entry(key).or_default();
        let same = alike
            .iter()
            .copied()
            .find(|at| merged.get(*at).is_some_and(|first| !is_of_another_object(first, &finding)));
        if let Some(first) = same.and_then(|at| merged.get_mut(at)) {
            first.severity = first.severity.max(finding.severity);
            for environment in finding.environments {
                if !first.environments.contains(&environment) {
                    first.environments.push(environment);
                }
            }
        } else {
            alike.push(merged.len());
            merged.push(finding);
        }
    }
    merged.sort_by(|a, b| a.order().cmp(&b.order()));
    merged
}

/// Whether two that say the same are about two objects of one environment: a template made one for each namespace.
fn is_of_another_object(first: &Finding, second: &Finding) -> bool {
    let namespace = |finding: &Finding| finding.object.as_ref().map(|object| object.namespace.clone());
    let together = first.environments == second.environments
        || second.environments.iter().any(|name| first.environments.contains(name));
    together && namespace(first) != namespace(second)
}
