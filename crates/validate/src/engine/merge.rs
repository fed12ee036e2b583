//! Merges findings that occur in several environments.

use std::collections::{HashMap, HashSet};

use crate::{Finding, RelatedLabel};

/// The most related places of a finding.
const MAX_RELATED: usize = 100;

/// Sorts findings and merges equal ones with the same place, collecting their environments.
///
/// For a template, the place in the template counts. The rendered position differs between environments and only
/// distinguishes findings of one environment.
pub(super) fn merge_environments(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut seen: HashMap<_, MergeGroup> = HashMap::with_capacity(findings.len());
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
        let group = seen.entry(key).or_default();
        let at = group.find_same(&finding, rendered).unwrap_or(merged.len());
        if let Some(first) = merged.get_mut(at) {
            add(first, finding);
        } else {
            group.all.push(at);
            group.rendered.insert(rendered, at);
            merged.push(finding);
        }
        group.members.extend(environment.map(|environment| (at, environment)));
    }
    for finding in merged.iter_mut().filter(|finding| finding.environments.len() > 1) {
        let mut known = HashSet::new();
        finding.environments.retain(|environment| known.insert(environment.clone()));
    }
    merged.sort_by(|a, b| a.order().cmp(&b.order()));
    merged
}

/// Equal findings with the same place, by index.
#[derive(Default)]
struct MergeGroup {
    all: Vec<usize>,
    rendered: HashMap<Option<(u32, u32)>, usize>,
    /// Pairs of finding and environment.
    members: HashSet<(usize, String)>,
    /// For each environment, the number of leading findings that have it.
    known: HashMap<String, usize>,
}

impl MergeGroup {
    /// Returns the equal finding to merge with: the one with the same rendered position, or the first without the
    /// environment.
    fn find_same(&mut self, finding: &Finding, rendered: Option<(u32, u32)>) -> Option<usize> {
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

/// Adds the environments of a finding and the sources of its values, which may differ by environment.
fn add(first: &mut Finding, finding: Finding) {
    first.severity = first.severity.max(finding.severity);
    // Duplicates are removed at the end.
    first.environments.extend(finding.environments);
    for value in finding.related.into_iter().filter(|related| related.label == RelatedLabel::ValueSource) {
        if first.related.len() < MAX_RELATED && !first.related.contains(&value) {
            first.related.push(value);
        }
    }
}
