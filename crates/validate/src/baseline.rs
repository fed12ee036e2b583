//! A baseline: findings that are known, so that a run fails for new ones alone.
//!
//! The file says what each finding is about, not on which line, and what it says as a hash: a word of a message may be a
//! name that nobody wants in another file. Findings that have all of that in common are counted. Each is known in some
//! environments: in others it is new. The file is sorted, so that a change of it reads as what changed:
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
//! `app` is empty for plain manifests; `object` (group, kind, namespace, name) and `pointer` where a finding is about no
//! object. `environments` is empty where a finding is of none; in files that were written before there was the field, it is
//! missing and stands for all environments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fingerprint::digest;
use super::report::{quantity, to_vec};
use super::{Finding, Report};
use sealwave_core::diagnostic::Explain;
use sealwave_secrets::settings::API_VERSION;

const KIND: &str = "ValidationBaseline";

/// Findings that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    known: BTreeMap<Known, Counts>,
}

/// How many findings that look alike are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    /// In whatever environments they are.
    anywhere: usize,
    /// Of no environment.
    nowhere: usize,
    /// In each environment.
    environments: BTreeMap<String, usize>,
}

/// What a run looked at: what it did not look at, it cannot miss.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// The only environments; empty for all.
    pub environments: &'a [String],
    /// Whether only what changed was looked at.
    pub only_changed: bool,
}

/// What a finding is known by.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Known {
    path: String,
    rule: String,
    app: String,
    object: String,
    pointer: String,
    message: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    api_version: String,
    kind: String,
    findings: Vec<Entry>,
}

#[derive(Deserialize, Serialize)]
struct Entry {
    #[serde(flatten)]
    finding: Known,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environments: Option<Vec<String>>,
    count: usize,
}

/// Why a text is no baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// Not JSON, or not of that shape.
    #[error("baseline is not one that sealwave wrote (line {line}, column {column})")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Of another kind, or of another version.
    #[error("baseline is no `{KIND}` of `{API_VERSION}`")]
    Other,
}

impl Explain for BaselineError {
    fn hint(&self) -> Option<String> {
        Some("`--write-baseline` writes one".to_owned())
    }
}

/// What the reader of a run should know of its baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BaselineRemark {
    /// So many findings are gone.
    #[error("{} of the baseline {} no longer there", quantity(*.0, "finding"), if *.0 == 1 { "is" } else { "are" })]
    Gone(usize),
}

impl Explain for BaselineRemark {
    fn hint(&self) -> Option<String> {
        Some("`--write-baseline` writes it anew; leave no environment and no rule out when you do".to_owned())
    }
}

impl Baseline {
    /// All findings of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let mut known: BTreeMap<Known, Counts> = BTreeMap::new();
        for finding in report.findings.iter().filter(|finding| finding.rule.is_suppressible()) {
            known.entry(Known::of(finding)).or_default().add(&finding.environments, 1);
        }
        Self { known }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is no baseline.
    pub fn parse(bytes: &[u8]) -> Result<Self, BaselineError> {
        let document: Document = serde_json::from_slice(bytes)
            .map_err(|error| BaselineError::Malformed { line: error.line(), column: error.column() })?;
        if document.api_version != API_VERSION || document.kind != KIND {
            return Err(BaselineError::Other);
        }
        let mut known: BTreeMap<Known, Counts> = BTreeMap::new();
        for Entry { finding, environments, count } in document.findings {
            let counts = known.entry(finding).or_default();
            match environments {
                Some(environments) => counts.add(&environments, count),
                None => counts.anywhere = counts.anywhere.saturating_add(count),
            }
        }
        Ok(Self { known })
    }

    /// The file.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let entries = self.known.iter().flat_map(|(finding, counts)| {
            let layers = counts.layers().into_iter();
            let entry = |(environments, count)| Entry { finding: finding.clone(), environments, count };
            layers.map(entry)
        });
        to_vec(&Document {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            findings: entries.collect(),
        })
    }

    /// How many findings it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.values().map(Counts::findings).fold(0, usize::saturating_add)
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the findings that are known out of a report, and says where some are known that are gone.
    ///
    /// A finding that is known in some of its environments stays as one of the others.
    #[must_use]
    pub fn silence(&self, report: &mut Report, selection: &Selection<'_>) -> Option<BaselineRemark> {
        let mut left = self.known.clone();
        for mut finding in std::mem::take(&mut report.findings) {
            let counts = left.get_mut(&Known::of(&finding)).filter(|_| finding.rule.is_suppressible());
            if counts.is_some_and(|counts| counts.take(&mut finding)) {
                report.withhold(&finding);
                report.known += 1;
            } else {
                report.findings.push(finding);
            }
        }
        let looked_at = |app: &str| report.apps.iter().any(|known| known.app == app);
        for (known, counts) in &mut left {
            if selection.only_changed && !looked_at(&known.app) {
                *counts = Counts::default();
            } else if !selection.environments.is_empty() {
                // Those may have been found in another environment, or by comparison with one.
                (counts.anywhere, counts.nowhere) = (0, 0);
                counts.environments.retain(|name, _| selection.environments.contains(name));
            }
        }
        let gone = Self { known: left }.len();
        (gone > 0).then_some(BaselineRemark::Gone(gone))
    }
}

impl Counts {
    /// How many findings these are: one may be in each of the environments.
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

    /// Whether a finding is known in all of its environments; else those where it is are taken from it. What is known is
    /// one less afterwards.
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

    /// Environments, and how many findings these have in common; what is of none, and what is known anywhere.
    fn layers(&self) -> Vec<(Option<Vec<String>>, usize)> {
        let mut layers = Vec::new();
        let mut below = 0;
        loop {
            let above = || self.environments.iter().filter(|(_, count)| **count > below);
            let Some(level) = above().map(|(_, count)| *count).min() else { break };
            layers.push((Some(above().map(|(name, _)| name.clone()).collect()), level - below));
            below = level;
        }
        layers.push((Some(Vec::new()), self.nowhere));
        layers.push((None, self.anywhere));
        layers.retain(|(_, count)| *count > 0);
        layers
    }
}

fn take_one(count: &mut usize) -> bool {
    let is_there = *count > 0;
    *count = count.saturating_sub(1);
    is_there
}

impl Known {
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
    use super::*;
    use crate::AppEnvironments;
    use crate::report::samples::{self, REF_RULE, assert_golden, finding, object, report};

    fn known(findings: Vec<Finding>) -> Baseline {
        Baseline::of(&Report { findings, ..Report::default() })
    }

    fn at(line: u32) -> Finding {
        Finding { object: Some(object("Deployment")), ..finding(&REF_RULE, "a.yaml", line, 1, 1) }
    }

    /// How many findings are left, known before and known without being there any more.
    fn silenced(baseline: &Baseline, findings: Vec<Finding>) -> (usize, usize, usize) {
        let mut report = Report { findings, ..Report::default() };
        let gone = baseline.silence(&mut report, &Selection::default());
        (report.findings.len(), report.known, gone.map_or(0, |BaselineRemark::Gone(count)| count))
    }

    fn in_environments(line: u32, names: &[&str]) -> Finding {
        let environments = names.iter().map(|name| (*name).to_owned()).collect();
        Finding { app: "shop".to_owned(), environments, ..at(line) }
    }

    fn environments_left(baseline: &Baseline, findings: Vec<Finding>) -> (Vec<String>, usize) {
        let mut report = Report { findings, ..Report::default() };
        let _ = baseline.silence(&mut report, &Selection::default());
        (report.findings.iter().map(|finding| finding.environments.join(" ")).collect(), report.known)
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written() {
        let baseline = Baseline::of(&report());
        let json = baseline.to_json();
        assert_golden("testdata/report/baseline.json", &json);
        assert_eq!(Baseline::parse(&json).unwrap(), baseline);
        // What a stage could not do is never known.
        let never = report().findings.iter().filter(|finding| !finding.rule.is_suppressible()).count();
        assert_eq!((never, silenced(&baseline, report().findings)), (1, (1, baseline.len(), 0)));
        assert!(!String::from_utf8(json).unwrap().contains(samples::CANARY));
    }

    #[test]
    fn lines_may_move_and_what_is_new_stays() {
        let baseline = known(vec![at(1)]);
        assert_eq!(silenced(&baseline, vec![at(7)]), (0, 1, 0));
        assert_eq!(silenced(&baseline, vec![at(7), at(8)]), (1, 1, 0));
        let other = Finding { message: "something else".to_owned(), ..at(1) };
        assert_eq!(silenced(&baseline, vec![other]), (1, 0, 1));
        assert_eq!(silenced(&known(vec![at(1), at(2)]), vec![at(1)]), (0, 1, 1));
        let remark = BaselineRemark::Gone(1);
        assert_eq!(remark.to_string(), "1 finding of the baseline is no longer there");
        assert!(remark.hint().unwrap().contains("--write-baseline"));
    }

    #[test]
    fn a_finding_is_new_in_environments_where_it_was_not() {
        let baseline = known(vec![in_environments(1, &["dev", "stage"])]);
        let left = |names: &[&str]| environments_left(&baseline, vec![in_environments(2, names)]);
        assert_eq!(left(&["dev", "stage"]), (vec![], 1));
        assert_eq!(left(&["dev"]), (vec![], 1));
        assert_eq!(left(&["dev", "prod", "stage"]), (vec!["prod".to_owned()], 0));
        assert_eq!(left(&["prod"]), (vec!["prod".to_owned()], 0));
        // Of no environment is not in any, and the other way round.
        assert_eq!(left(&[]), (vec![String::new()], 0));
        assert_eq!(environments_left(&known(vec![at(1)]), vec![at(2)]), (vec![], 1));
        let nowhere = known(vec![in_environments(1, &[])]);
        let dev = vec![in_environments(1, &["dev"])];
        assert_eq!(environments_left(&nowhere, dev), (vec!["dev".to_owned()], 0));
    }

    #[test]
    fn findings_that_look_alike_are_counted_in_each_environment() {
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
            silenced(&baseline, vec![in_environments(1, &["dev", "prod"]), in_environments(2, &[])]),
            (0, 2, 0)
        );
        assert_eq!(silenced(&baseline, vec![in_environments(1, &["prod"])]), (0, 1, 1));
        assert_eq!(Baseline::parse(&baseline.to_json()).unwrap(), baseline);
    }

    #[test]
    fn what_was_not_looked_at_is_not_gone() {
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
            let selection = Selection { environments: &environments, only_changed };
            baseline.silence(&mut report, &selection).map_or(0, |BaselineRemark::Gone(count)| count)
        };
        assert_eq!(gone(&[], false, vec![]), 4);
        assert_eq!(gone(&["dev"], false, vec![]), 2);
        assert_eq!(gone(&["dev"], false, vec![in_environments(1, &["dev"])]), 1);
        assert_eq!(gone(&["prod"], false, vec![]), 2);
        assert_eq!(gone(&[], true, vec![]), 3);
        assert_eq!(gone(&["dev"], true, vec![]), 1);
    }

    #[test]
    fn a_known_finding_still_says_which_lines_hold_a_secret() {
        let secret = Finding { confidential: true, ..at(3) };
        let mut report = Report { findings: vec![secret.clone()], ..Report::default() };
        assert_eq!(known(vec![secret]).silence(&mut report, &Selection::default()), None);
        assert!(report.withheld.contains(&("a.yaml".to_owned(), 3)));
    }

    #[test]
    fn what_is_no_baseline_is_an_error() {
        let error = |text: &str| Baseline::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error("a").to_string(), "baseline is not one that sealwave wrote (line 1, column 1)");
        assert!(error("a").hint().unwrap().contains("--write-baseline"));
        let text = r#"{"apiVersion": "sealwave.dev/v1alpha1", "kind": "App", "findings": []}"#;
        assert_eq!(error(text).to_string(), "baseline is no `ValidationBaseline` of `sealwave.dev/v1alpha1`");
        let text = r#"{"apiVersion": "sealwave.dev/v1alpha1", "kind": "ValidationBaseline", "findings": [], "x": 1}"#;
        assert!(matches!(error(text), BaselineError::Malformed { .. }));
    }

    #[test]
    fn the_example_in_the_head_of_this_file_is_one() {
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
