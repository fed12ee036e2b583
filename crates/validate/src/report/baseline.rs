//! A baseline: a list of known findings, so that a run fails for new ones only.
//!
//! The file identifies a finding by its subject, not by its line, and holds the message as a hash: a message may
//! contain a name that must not be copied to another file. Identical findings are counted. A finding is known in the
//! listed environments; in others it is new. The file is sorted, so that its diffs show what changed:
//!
//! ```json
//! {
//!   "apiVersion": "sealwave.dev/v1alpha1",
//!   "kind": "ValidationBaseline",
//!   "findings": [
//!     {
//!       "path": "apps/shop/base/web.yaml",
//!       "rule": "config/env-duplicate",
//!       "app": "apps/shop",
//!       "object": "apps/Deployment/shop/web",
//!       "pointer": "/spec/template/spec/containers/0/env/1/name",
//!       "message": "93b1f0a5a1d0e7a4bd2f6d8f4b7e7c55",
//!       "environments": ["dev", "prod"],
//!       "count": 1
//!     }
//!   ]
//! }
//! ```
//!
//! `app` is empty for plain manifests; `object` (group, kind, namespace, name) and `pointer` are empty for a finding
//! without an object. `environments` is empty for a finding without environments; files from before the field existed
//! lack it, which means all environments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::to_vec;
use crate::counts::quantity;
use crate::fingerprint::digest;
use crate::{Finding, Report};
use sealwave_core::diagnostic::Explain;
use sealwave_secrets::settings::API_VERSION;

const KIND: &str = "ValidationBaseline";

/// The known findings, with their counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    known: BTreeMap<FindingKey, KnownCounts>,
}

/// The number of known findings with one key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct KnownCounts {
    /// In any environments.
    anywhere: usize,
    /// Without environments.
    nowhere: usize,
    /// In each environment.
    environments: BTreeMap<String, usize>,
}

/// The part of the input that a run checked; findings outside it are not reported as gone.
#[derive(Clone, Copy, Debug, Default)]
pub struct CheckedScope<'a> {
    /// The checked environments; empty for all.
    pub environments: &'a [String],
    /// Whether only changed inputs were checked.
    pub only_changed: bool,
}

/// The properties that identify a finding across runs.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct FindingKey {
    path: String,
    rule: String,
    app: String,
    object: String,
    pointer: String,
    message: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BaselineFile {
    api_version: String,
    kind: String,
    findings: Vec<BaselineEntry>,
}

#[derive(Deserialize, Serialize)]
struct BaselineEntry {
    #[serde(flatten)]
    finding: FindingKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environments: Option<Vec<String>>,
    count: usize,
}

/// An error in a baseline file.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The file is not JSON or has unexpected fields.
    #[error("baseline was not written by sealwave (line {line}, column {column})")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The file has another kind or version.
    #[error("baseline is not a `{KIND}` of `{API_VERSION}`")]
    WrongKind,
}

impl Explain for BaselineError {
    fn hint(&self) -> Option<String> {
        Some("`--write-baseline` creates a baseline".to_owned())
    }
}

/// A note about the baseline of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaselineNote {
    /// The number of known findings that no longer occur.
    #[error("{} in the baseline no longer {}", quantity(*.0, "finding"), if *.0 == 1 { "occurs" } else { "occur" })]
    Gone(usize),
}

impl Explain for BaselineNote {
    fn hint(&self) -> Option<String> {
        Some(
            "`--write-baseline` updates the baseline; check all environments and rules when you do"
                .to_owned(),
        )
    }
}

impl Baseline {
    /// Creates a baseline from all suppressible findings of a report.
    #[must_use]
    pub fn from_report(report: &Report) -> Self {
        let mut known: BTreeMap<FindingKey, KnownCounts> = BTreeMap::new();
        for finding in report.findings.iter().filter(|finding| finding.rule.is_suppressible()) {
            known.entry(FindingKey::of(finding)).or_default().add(&finding.environments, 1);
        }
        Self { known }
    }

    /// Parses a baseline file.
    ///
    /// # Errors
    /// Returns an error if the file is not a baseline.
    pub fn parse(bytes: &[u8]) -> Result<Self, BaselineError> {
        let document: BaselineFile = serde_json::from_slice(bytes)
            .map_err(|error| BaselineError::Malformed { line: error.line(), column: error.column() })?;
        if document.api_version != API_VERSION || document.kind != KIND {
            return Err(BaselineError::WrongKind);
        }
        let mut known: BTreeMap<FindingKey, KnownCounts> = BTreeMap::new();
        for BaselineEntry { finding, environments, count } in document.findings {
            let counts = known.entry(finding).or_default();
            match environments {
                Some(environments) => counts.add(&environments, count),
                None => counts.anywhere = counts.anywhere.saturating_add(count),
            }
        }
        Ok(Self { known })
    }

    /// Returns the contents of the baseline file.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let entries = self.known.iter().flat_map(|(finding, counts)| {
            let layers = counts.layers().into_iter();
            let entry =
                |(environments, count)| BaselineEntry { finding: finding.clone(), environments, count };
            layers.map(entry)
        });
        to_vec(&BaselineFile {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            findings: entries.collect(),
        })
    }

    /// Returns the number of known findings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.values().map(KnownCounts::findings).fold(0, usize::saturating_add)
    }

    /// Reports whether the baseline is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes known findings from a report; returns a note if some known findings no longer occur.
    ///
    /// A finding that is known in some of its environments only stays, with the others.
    #[must_use]
    pub fn remove_known(&self, report: &mut Report, selection: &CheckedScope<'_>) -> Option<BaselineNote> {
        let mut left = self.known.clone();
        for mut finding in std::mem::take(&mut report.findings) {
            let counts = left.get_mut(&FindingKey::of(&finding)).filter(|_| finding.rule.is_suppressible());
            if counts.is_some_and(|counts| counts.take(&mut finding)) {
                report.withhold(&finding);
                report.in_baseline += 1;
            } else {
                report.findings.push(finding);
            }
        }
        let was_checked = |app: &str| report.apps.iter().any(|known| known.app == app);
        for (known, counts) in &mut left {
            if selection.only_changed && !was_checked(&known.app) {
                *counts = KnownCounts::default();
            } else if !selection.environments.is_empty() {
                // These may have been found in an unchecked environment, or by comparison with one.
                (counts.anywhere, counts.nowhere) = (0, 0);
                counts.environments.retain(|name, _| selection.environments.contains(name));
            }
        }
        let gone = Self { known: left }.len();
        (gone > 0).then_some(BaselineNote::Gone(gone))
    }
}

impl KnownCounts {
    /// Returns the number of findings; the same one may occur in several environments.
    fn findings(&self) -> usize {
        let most = self.environments.values().copied().max().unwrap_or(0);
        self.anywhere.saturating_add(self.nowhere).saturating_add(most)
    }

    fn add(&mut self, environments: &[String], count: usize) {
        if environments.is_empty() {
            self.nowhere = self.nowhere.saturating_add(count);
        }
        for environment in environments {
            let sum = self.environments.entry(environment.clone()).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    /// Uses up one known finding; reports whether `finding` is known in all of its environments. If not, removes the
    /// environments in which it is known.
    fn take(&mut self, finding: &mut Finding) -> bool {
        if finding.environments.is_empty() {
            return take_one(&mut self.nowhere) || take_one(&mut self.anywhere);
        }
        let mut is_new = |name: &&String| !self.environments.get_mut(*name).is_some_and(take_one);
        let new: Vec<String> = finding.environments.iter().filter(&mut is_new).cloned().collect();
        if new.is_empty() || take_one(&mut self.anywhere) {
            return true;
        }
        finding.environments = new;
        false
    }

    /// Returns sets of environments with the number of findings that they share; `None` means any environments.
    fn layers(&self) -> Vec<(Option<Vec<String>>, usize)> {
        let mut layers = Vec::new();
        let mut lower = 0;
        loop {
            let exceeding = || self.environments.iter().filter(|(_, count)| **count > lower);
            let Some(level) = exceeding().map(|(_, count)| *count).min() else { break };
            layers.push((Some(exceeding().map(|(name, _)| name.clone()).collect()), level - lower));
            lower = level;
        }
        layers.push((Some(Vec::new()), self.nowhere));
        layers.push((None, self.anywhere));
        layers.retain(|(_, count)| *count > 0);
        layers
    }
}

fn take_one(count: &mut usize) -> bool {
    let was_present = *count > 0;
    *count = count.saturating_sub(1);
    was_present
}

impl FindingKey {
    fn of(finding: &Finding) -> Self {
        let object = finding
            .object
            .as_ref()
            .map(|object| format!("{}/{}/{}/{}", object.group(), object.kind, object.namespace, object.name));
        Self {
            path: finding.span.as_ref().map(|span| span.place.path.clone()).unwrap_or_default(),
            rule: finding.rule.id.to_owned(),
            app: finding.app.clone(),
            object: object.unwrap_or_default(),
            pointer: finding.pointer.clone(),
            message: digest(&finding.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, REF_RULE, assert_golden, finding, object, report};
    use super::*;
    use crate::AppEnvironments;

    fn known(findings: Vec<Finding>) -> Baseline {
        Baseline::from_report(&Report { findings, ..Report::default() })
    }

    fn at(line: u32) -> Finding {
        Finding { object: Some(object("Deployment")), ..finding(&REF_RULE, "a.yaml", line, 1, 1) }
    }

    /// Returns the numbers of remaining, known and no longer occurring findings.
    fn remaining_known_gone(baseline: &Baseline, findings: Vec<Finding>) -> (usize, usize, usize) {
        let mut report = Report { findings, ..Report::default() };
        let gone = baseline.remove_known(&mut report, &CheckedScope::default());
        (report.findings.len(), report.in_baseline, gone.map_or(0, |BaselineNote::Gone(count)| count))
    }

    fn in_environments(line: u32, names: &[&str]) -> Finding {
        let environments = names.iter().map(|name| (*name).to_owned()).collect();
        Finding { app: "shop".to_owned(), environments, ..at(line) }
    }

    fn environments_left(baseline: &Baseline, findings: Vec<Finding>) -> (Vec<String>, usize) {
        let mut report = Report { findings, ..Report::default() };
        let _ = baseline.remove_known(&mut report, &CheckedScope::default());
        (report.findings.iter().map(|finding| finding.environments.join(" ")).collect(), report.in_baseline)
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let baseline = Baseline::from_report(&report());
        let json = baseline.to_json();
        assert_golden("testdata/report/baseline.json", &json);
        assert_eq!(Baseline::parse(&json).unwrap(), baseline);
        // Findings that are not suppressible are never in a baseline.
        let never = report().findings.iter().filter(|finding| !finding.rule.is_suppressible()).count();
        assert_eq!((never, remaining_known_gone(&baseline, report().findings)), (1, (1, baseline.len(), 0)));
        assert!(!String::from_utf8(json).unwrap().contains(samples::CANARY));
    }

    #[test]
    fn findings_match_on_other_lines_and_new_ones_remain() {
        let baseline = known(vec![at(1)]);
        assert_eq!(remaining_known_gone(&baseline, vec![at(7)]), (0, 1, 0));
        assert_eq!(remaining_known_gone(&baseline, vec![at(7), at(8)]), (1, 1, 0));
        let other = Finding { message: "something else".to_owned(), ..at(1) };
        assert_eq!(remaining_known_gone(&baseline, vec![other]), (1, 0, 1));
        assert_eq!(remaining_known_gone(&known(vec![at(1), at(2)]), vec![at(1)]), (0, 1, 1));
        let remark = BaselineNote::Gone(1);
        assert_eq!(remark.to_string(), "1 finding in the baseline no longer occurs");
        assert!(remark.hint().unwrap().contains("--write-baseline"));
    }

    #[test]
    fn a_finding_is_new_in_other_environments() {
        let baseline = known(vec![in_environments(1, &["dev", "stage"])]);
        let left = |names: &[&str]| environments_left(&baseline, vec![in_environments(2, names)]);
        assert_eq!(left(&["dev", "stage"]), (vec![], 1));
        assert_eq!(left(&["dev"]), (vec![], 1));
        assert_eq!(left(&["dev", "prod", "stage"]), (vec!["prod".to_owned()], 0));
        assert_eq!(left(&["prod"]), (vec!["prod".to_owned()], 0));
        // A finding without environments does not match one with environments, and vice versa.
        assert_eq!(left(&[]), (vec![String::new()], 0));
        assert_eq!(environments_left(&known(vec![at(1)]), vec![at(2)]), (vec![], 1));
        let nowhere = known(vec![in_environments(1, &[])]);
        let dev = vec![in_environments(1, &["dev"])];
        assert_eq!(environments_left(&nowhere, dev), (vec!["dev".to_owned()], 0));
    }

    #[test]
    fn identical_findings_are_counted_per_environment() {
        let both = || vec![in_environments(1, &["dev", "prod"]), in_environments(2, &["dev"])];
        let baseline = known(both());
        assert_eq!(baseline.len(), 2);
        assert_eq!(environments_left(&baseline, both()), (vec![], 2));
        let thrice = [both(), vec![in_environments(3, &["dev", "prod"])]].concat();
        assert_eq!(environments_left(&baseline, thrice), (vec!["dev prod".to_owned()], 2));
        let other = vec![in_environments(1, &["dev", "prod"]), in_environments(2, &["dev", "prod"])];
        assert_eq!(environments_left(&baseline, other), (vec!["prod".to_owned()], 1));
        let odd = known([both(), vec![in_environments(4, &[])]].concat());
        let json = odd.to_json();
        assert_eq!(Baseline::parse(&json).unwrap(), odd);
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let entries: Vec<String> = json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| format!("{} {}", entry["environments"], entry["count"]))
            .collect();
        assert_eq!(entries, [r#"["dev","prod"] 1"#, r#"["dev"] 1"#, "[] 1"]);
    }

    #[test]
    fn a_file_without_environments_means_all_of_them() {
        let json = known(vec![in_environments(1, &["dev"]), in_environments(2, &["dev"])]).to_json();
        let mut json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert!(json["findings"][0].as_object_mut().unwrap().remove("environments").is_some());
        let baseline = Baseline::parse(json.to_string().as_bytes()).unwrap();
        assert_eq!(baseline.len(), 2);
        assert_eq!(
            remaining_known_gone(
                &baseline,
                vec![in_environments(1, &["dev", "prod"]), in_environments(2, &[])]
            ),
            (0, 2, 0)
        );
        assert_eq!(remaining_known_gone(&baseline, vec![in_environments(1, &["prod"])]), (0, 1, 1));
        assert_eq!(Baseline::parse(&baseline.to_json()).unwrap(), baseline);
    }

    #[test]
    fn unchecked_findings_are_not_reported_as_gone() {
        let all = vec![
            in_environments(1, &["dev", "prod"]),
            in_environments(2, &["prod"]),
            in_environments(3, &[]),
            Finding { app: "other".to_owned(), ..in_environments(4, &["dev"]) },
        ];
        let baseline = known(all);
        let gone = |environments: &[&str], only_changed: bool, findings: Vec<Finding>| {
            let environments: Vec<String> = environments.iter().map(|name| (*name).to_owned()).collect();
            let apps = vec![AppEnvironments { app: "shop".to_owned(), environments: Vec::new() }];
            let mut report = Report { findings, apps, ..Report::default() };
            let selection = CheckedScope { environments: &environments, only_changed };
            baseline.remove_known(&mut report, &selection).map_or(0, |BaselineNote::Gone(count)| count)
        };
        assert_eq!(gone(&[], false, vec![]), 4);
        assert_eq!(gone(&["dev"], false, vec![]), 2);
        assert_eq!(gone(&["dev"], false, vec![in_environments(1, &["dev"])]), 1);
        assert_eq!(gone(&["prod"], false, vec![]), 2);
        assert_eq!(gone(&[], true, vec![]), 3);
        assert_eq!(gone(&["dev"], true, vec![]), 1);
    }

    #[test]
    fn a_known_finding_still_marks_confidential_lines() {
        let secret = Finding { confidential: true, ..at(3) };
        let mut report = Report { findings: vec![secret.clone()], ..Report::default() };
        assert_eq!(known(vec![secret]).remove_known(&mut report, &CheckedScope::default()), None);
        assert!(report.withheld.contains(&("a.yaml".to_owned(), 3)));
    }

    #[test]
    fn other_files_are_rejected() {
        let error = |text: &str| Baseline::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error("a").to_string(), "baseline was not written by sealwave (line 1, column 1)");
        assert!(error("a").hint().unwrap().contains("--write-baseline"));
        let text = r#"{"apiVersion": "sealwave.dev/v1alpha1", "kind": "App", "findings": []}"#;
        assert_eq!(
            error(text).to_string(),
            "baseline is not a `ValidationBaseline` of `sealwave.dev/v1alpha1`"
        );
        let text = r#"{"apiVersion": "sealwave.dev/v1alpha1", "kind": "ValidationBaseline", "findings": [], "x": 1}"#;
        assert!(matches!(error(text), BaselineError::Malformed { .. }));
    }

    #[test]
    fn the_example_in_the_module_documentation_is_valid() {
        let head: String = include_str!("baseline.rs")
            .lines()
            .skip_while(|line| *line != "//! ```json")
            .skip(1)
            .take_while(|line| *line != "//! ```")
            .map(|line| line.trim_start_matches("//!"))
            .collect();
        assert_eq!(Baseline::parse(head.as_bytes()).unwrap().len(), 1);
    }
}
