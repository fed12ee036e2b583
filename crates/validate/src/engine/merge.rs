//! The same finding in several environments is one finding.

use std::collections::{HashMap, HashSet};

use super::locate::VALUE;
use crate::Finding;

/// Places that a finding names beside its own.
const MAX_RELATED: usize = 100;

/// Puts findings in order, those that say the same of the same place once, with all their environments.
///
/// Of a template the place in it counts. What it rendered to differs from environment to environment, and tells apart the
/// findings of one environment only.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut seen: HashMap<_, Alike> = HashMap::with_capacity(findings.len());
    for finding in findings {
        let place = finding.span.as_ref().map(|span| &span.place);
        let environment = finding.environments.first().cloned();
        let key = (
            finding.rule.id,
            finding.message.clone(),
            place.map(|place| (place.path.clone(), place.line, place.column)),
            finding.object.as_ref().map(|object| (object.kind.clone(), object.name.clone())),
            finding.pointer.clone(),
        );
        let rendered = place.and_then(|place| place.rendered);
        let alike = seen.entry(key).or_default();
        let at = alike.same(&finding, rendered).unwrap_or(merged.len());
        if let Some(first) = merged.get_mut(at) {
            add(first, finding);
        } else {
            alike.all.push(at);
            alike.rendered.insert(rendered, at);
            merged.push(finding);
        }
        alike.members.extend(environment.map(|environment| (at, environment)));
    }
    for finding in merged.iter_mut().filter(|finding| finding.environments.len() > 1) {
        let mut known = HashSet::new();
        finding.environments.retain(|environment| known.insert(environment.clone()));
    }
    merged.sort_by(|a, b| a.order().cmp(&b.order()));
    merged
}

/// Findings that say the same of the same place, by their numbers.
#[derive(Default)]
struct Alike {
    all: Vec<usize>,
    rendered: HashMap<Option<(u32, u32)>, usize>,
    /// Which of them has which environment.
    members: HashSet<(usize, String)>,
    /// For each environment, how many of all are known to have it.
    known: HashMap<String, usize>,
}

impl Alike {
    /// The one that a finding is, too: of the same place in what was rendered, or the first that its environment lacks.
    fn same(&mut self, finding: &Finding, rendered: Option<(u32, u32)>) -> Option<usize> {
        if let Some(same) = self.rendered.get(&rendered) {
            return Some(*same);
        }
        let environment = finding.environments.first()?;
        let known = self.known.entry(environment.clone()).or_default();
        let has = |at: &usize| self.members.contains(&(*at, environment.clone()));
        *known += self.all.iter().skip(*known).take_while(|at| has(at)).count();
        self.all.get(*known).copied()
    }
}

/// Adds the environments of a finding, and the values behind it: each environment may have its own.
fn add(first: &mut Finding, finding: Finding) {
    first.severity = first.severity.max(finding.severity);
    // Each once: what is there already is taken out at the end.
    first.environments.extend(finding.environments);
    for value in finding.related.into_iter().filter(|related| related.label == VALUE) {
        if first.related.len() < MAX_RELATED && !first.related.contains(&value) {
            first.related.push(value);
        }
    }
}
