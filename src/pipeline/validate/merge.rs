//! The same finding in several environments is one finding.

use std::collections::HashMap;

use super::locate::VALUE;
use crate::diagnostic::Finding;

/// Puts findings in order, those that say the same of the same place once, with all their environments.
///
/// Of a template the place in it counts. What it rendered to differs from environment to environment, and tells apart the
/// findings of one environment only.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut seen: HashMap<_, Alike> = HashMap::with_capacity(findings.len());
    for finding in findings {
        let place = finding.span.as_ref().map(|span| &span.place);
        let key = (
            finding.rule.id,
            finding.message.clone(),
            place.map(|place| (place.path.clone(), place.line, place.column)),
            finding.object.as_ref().map(|object| (object.kind.clone(), object.name.clone())),
            finding.pointer.clone(),
        );
        let rendered = place.and_then(|place| place.rendered);
        let alike = seen.entry(key).or_default();
        if let Some(first) = alike.same(&finding, rendered, &merged).and_then(|at| merged.get_mut(at)) {
            add(first, finding);
        } else {
            alike.all.push(merged.len());
            alike.rendered.insert(rendered, merged.len());
            merged.push(finding);
        }
    }
    merged.sort_by(|a, b| a.order().cmp(&b.order()));
    merged
}

/// Findings that say the same of the same place, by their numbers.
#[derive(Default)]
struct Alike {
    all: Vec<usize>,
    rendered: HashMap<Option<(u32, u32)>, usize>,
    /// For each environment, how many of all are known to have it.
    known: HashMap<String, usize>,
}

impl Alike {
    /// The one that a finding is, too: of the same place in what was rendered, or the first that its environment lacks.
    fn same(&mut self, finding: &Finding, rendered: Option<(u32, u32)>, merged: &[Finding]) -> Option<usize> {
        if let Some(same) = self.rendered.get(&rendered) {
            return Some(*same);
        }
        let environment = finding.environments.first()?;
        let known = self.known.entry(environment.clone()).or_default();
        let has = |at: &usize| merged.get(*at).is_some_and(|one| one.environments.contains(environment));
        *known += self.all.iter().skip(*known).take_while(|at| has(at)).count();
        self.all.get(*known).copied()
    }
}

/// Adds the environments of a finding, and the values behind it: each environment may have its own.
fn add(first: &mut Finding, finding: Finding) {
    first.severity = first.severity.max(finding.severity);
    for environment in finding.environments {
        if !first.environments.contains(&environment) {
            first.environments.push(environment);
        }
    }
    for value in finding.related.into_iter().filter(|related| related.label == VALUE) {
        if !first.related.contains(&value) {
            first.related.push(value);
        }
    }
}
