//! The same finding in several environments is one finding.

use std::collections::HashMap;

use crate::diagnostic::Finding;

/// Puts findings in order, those that say the same of the same place once, with all their environments.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut seen: HashMap<_, usize> = HashMap::with_capacity(findings.len());
    for finding in findings {
        let key = (
            finding.rule.id,
            finding.message.clone(),
            finding.span.as_ref().map(|span| {
                let place = &span.place;
                (place.path.clone(), place.line, place.column, place.rendered)
            }),
            finding.object.as_ref().map(|object| (object.kind.clone(), object.name.clone())),
            finding.pointer.clone(),
        );
        if let Some(first) = seen.get(&key).and_then(|at| merged.get_mut(*at)) {
            first.severity = first.severity.max(finding.severity);
            for environment in finding.environments {
                if !first.environments.contains(&environment) {
                    first.environments.push(environment);
                }
            }
        } else {
            seen.insert(key, merged.len());
            merged.push(finding);
        }
    }
    merged.sort_by(|a, b| a.order().cmp(&b.order()));
    merged
}
