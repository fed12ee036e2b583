//! Combines the results of several sets of plain manifests, which may share files.
//!
//! A finding that several sets have is reported once. If only some of the sets with its file have it, the hint names
//! them. A suppression is unused only if it is unused in all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::result::{PlainResult, ValidationResult};
use crate::rules::suppression;
use crate::{CheckedCounts, Finding, Span};

/// The most sets that a hint names.
const MAX_NAMES: usize = 3;

/// The results of the sets so far.
#[derive(Debug, Default)]
pub struct SetResults {
    /// The names of the sets.
    names: Vec<String>,
    /// The numbers of sets by file.
    memberships: HashMap<String, usize>,
    /// The numbers of objects by checked file.
    checked: BTreeMap<String, usize>,
    findings: SharedFindings,
    suppressed: SharedFindings,
    held_back: SharedFindings,
    out_of_scope: Vec<Finding>,
    /// The messages that were reported and need no repetition.
    once: HashSet<String>,
    foreign_files: BTreeSet<String>,
    is_incomplete: bool,
    was_streamed: bool,
}

/// The result of all sets.
#[derive(Debug)]
pub struct AllSetsResult {
    /// The findings.
    pub verdict: ValidationResult,
    /// The numbers of checked files and objects.
    pub checked: CheckedCounts,
    /// The files that belong to other tools, which were skipped.
    pub foreign_files: BTreeSet<String>,
    /// Whether a set was too large to be checked as a whole.
    pub was_streamed: bool,
}

/// Findings with the sets that have them.
#[derive(Debug, Default)]
struct SharedFindings {
    all: Vec<(Finding, Vec<usize>)>,
    known: HashMap<FindingIdentity, usize>,
}

/// Rule, message, and place of a finding.
type FindingIdentity = (&'static str, String, Option<(String, u32, u32)>);

impl SetResults {
    /// Adds the result of a set, with the names of its files.
    pub fn add<'f>(&mut self, name: &str, files: impl Iterator<Item = &'f str>, result: PlainResult) {
        let set = self.names.len();
        self.names.push(name.to_owned());
        for file in files {
            *self.memberships.entry(file.to_owned()).or_default() += 1;
        }
        let PlainResult { verdict, checked, was_streamed, reported_once, foreign_files, .. } = result;
        self.foreign_files.extend(foreign_files);
        for (file, objects) in checked {
            self.checked.entry(file).or_insert(objects);
        }
        for finding in verdict.findings {
            let is_repeated =
                reported_once.contains(&finding.message) && self.once.contains(&finding.message);
            if !is_repeated {
                self.findings.add(finding, set);
            }
        }
        self.once.extend(reported_once);
        verdict.suppressed.into_iter().for_each(|finding| self.suppressed.add(finding, set));
        verdict.held_back.into_iter().for_each(|finding| self.held_back.add(finding, set));
        self.out_of_scope.extend(verdict.out_of_scope);
        self.is_incomplete |= verdict.is_incomplete;
        self.was_streamed |= was_streamed;
    }

    /// Returns the results of all sets.
    #[must_use]
    pub fn finish(self) -> AllSetsResult {
        let (names, memberships) = (self.names, self.memberships);
        let complete = |(finding, sets): (Finding, Vec<usize>)| {
            let path = finding.span.as_ref().map(|span| span.place.path.as_str());
            let all = path.and_then(|path| memberships.get(path)).copied().unwrap_or(1);
            let is_unused = finding.rule.id == suppression::UNUSED.info.id;
            match sets.len() < all {
                true if is_unused => None,
                true => Some(with_sets(finding, &sets, &names)),
                false => Some(finding),
            }
        };
        let findings = self.findings.all.into_iter().filter_map(complete).collect();
        let alone = |findings: SharedFindings| findings.all.into_iter().map(|(finding, _)| finding).collect();
        let verdict = ValidationResult {
            findings,
            suppressed: alone(self.suppressed),
            held_back: alone(self.held_back),
            out_of_scope: self.out_of_scope,
            is_incomplete: self.is_incomplete,
        };
        let objects = self.checked.values().sum();
        let checked = CheckedCounts { files: self.checked.len(), objects, ..CheckedCounts::default() };
        let foreign_files = self.foreign_files;
        AllSetsResult { verdict, checked, foreign_files, was_streamed: self.was_streamed }
    }
}

impl SharedFindings {
    fn add(&mut self, finding: Finding, set: usize) {
        let next = self.all.len();
        let known = *self.known.entry(identity(&finding)).or_insert(next);
        match self.all.get_mut(known) {
            // A set may have several equal findings itself.
            Some((_, sets)) if sets.last() == Some(&set) => self.all.push((finding, vec![set])),
            Some((first, sets)) => {
                sets.push(set);
                first.severity = first.severity.max(finding.severity);
            }
            None => self.all.push((finding, vec![set])),
        }
    }
}

fn identity(finding: &Finding) -> FindingIdentity {
    let place =
        finding.span.as_ref().map(|Span { place, .. }| (place.path.clone(), place.line, place.column));
    (finding.rule.id, finding.message.clone(), place)
}

/// Adds the names of the sets that have a finding to its hint.
fn with_sets(mut finding: Finding, sets: &[usize], names: &[String]) -> Finding {
    let shown = sets.iter().filter_map(|set| names.get(*set)).take(MAX_NAMES);
    let shown: Vec<String> = shown.map(|name| format!("`{name}`")).collect();
    let more = sets.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let only = format!("only in the set of {}{more}", shown.join(", "));
    finding.hint = Some(finding.hint.take().map_or_else(|| only.clone(), |hint| format!("{hint} ({only})")));
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;
    use sealwave_core::diagnostic::Severity;
    use sealwave_core::document::SourceLocation;

    fn finding(rule: &'static crate::rule::Rule, path: &str, message: &str, severity: Severity) -> Finding {
        let place = SourceLocation { path: path.to_owned(), line: 1, column: 1, rendered: None };
        Finding {
            span: Some(Span { place, width: 1 }),
            ..Finding::new(&rule.info, severity, message.to_owned())
        }
    }

    fn result(findings: Vec<Finding>, files: &[&str], once: &[&str]) -> PlainResult {
        PlainResult {
            verdict: ValidationResult { findings, ..ValidationResult::default() },
            checked: files.iter().map(|&file| (file.to_owned(), 2)).collect(),
            reported_once: once.iter().map(|&message| message.to_owned()).collect(),
            ..PlainResult::default()
        }
    }

    #[test]
    fn findings_of_shared_files_are_reported_once_and_name_the_sets_that_differ() {
        let (rule, unused) = (&rules::schema::REQUIRED, &suppression::UNUSED);
        let mut results = SetResults::default();
        let all = |message: &str| finding(rule, "base", message, Severity::Note);
        let dev = vec![all("both"), all("dev"), finding(unused, "base", "unused", Severity::Warning)];
        results.add("dev", ["base", "a"].into_iter(), result(dev, &["base", "a"], &[]));
        let prod = vec![finding(rule, "base", "both", Severity::Error)];
        results.add("prod", ["base"].into_iter(), result(prod, &["base"], &[]));
        let AllSetsResult { verdict, checked, .. } = results.finish();
        let found: Vec<(&str, Severity, Option<&str>)> = verdict
            .findings
            .iter()
            .map(|finding| (finding.message.as_str(), finding.severity, finding.hint.as_deref()))
            .collect();
        let only = "only in the set of `dev`";
        assert_eq!(found, [("both", Severity::Error, None), ("dev", Severity::Note, Some(only))]);
        assert_eq!((checked.files, checked.objects), (2, 4));
    }

    #[test]
    fn equal_findings_of_one_set_and_messages_for_the_whole_run_are_kept_apart() {
        let rule = &rules::schema::REQUIRED;
        let note = |path: &str| finding(rule, path, "kind", Severity::Note);
        let mut results = SetResults::default();
        results.add("a", ["a"].into_iter(), result(vec![note("a"), note("a")], &["a"], &["kind"]));
        results.add("b", ["b"].into_iter(), result(vec![note("b")], &["b"], &["kind"]));
        assert_eq!(results.finish().verdict.findings.len(), 2);
    }
}
