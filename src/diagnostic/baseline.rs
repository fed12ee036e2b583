//! A baseline: findings that are known, so that a run fails for new ones alone.
//!
//! The file says what each finding is about, not on which line, and what it says as a hash: a word of a message may be a
//! name that nobody wants in another file. Findings that have all of that in common are counted. The file is sorted, so
//! that a change of it reads as what changed:
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
//!       "count": 1
//!     }
//!   ]
//! }
//! ```
//!
//! `app` is empty for plain manifests; `object` (group, kind, namespace, name) and `pointer` where a finding is about no
//! object.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fingerprint::digest;
use super::report::{quantity, to_vec};
use super::{Explain, Finding, Report};
use crate::model::API_VERSION;

const KIND: &str = "ValidationBaseline";

/// Findings that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    known: BTreeMap<Known, usize>,
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
        let mut known: BTreeMap<Known, usize> = BTreeMap::new();
        for finding in report.findings.iter().filter(|finding| finding.rule.is_suppressible()) {
            *known.entry(Known::of(finding)).or_default() += 1;
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
        let mut known: BTreeMap<Known, usize> = BTreeMap::new();
        for Entry { finding, count } in document.findings {
            let sum = known.entry(finding).or_default();
            *sum = sum.saturating_add(count);
        }
        Ok(Self { known })
    }

    /// The file.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let entry = |(finding, count): (&Known, &usize)| Entry { finding: finding.clone(), count: *count };
        to_vec(&Document {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            findings: self.known.iter().map(entry).collect(),
        })
    }

    /// How many findings it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Takes the findings that are known out of a report, and says where some are known that are gone.
    #[must_use]
    pub fn silence(&self, report: &mut Report) -> Option<BaselineRemark> {
        let mut left = self.known.clone();
        let (known, new): (Vec<Finding>, Vec<Finding>) = std::mem::take(&mut report.findings)
            .into_iter()
            .partition(|finding| finding.rule.is_suppressible() && take(&mut left, finding));
        for finding in &known {
            report.withhold(finding);
        }
        report.known += known.len();
        report.findings = new;
        let gone = Self { known: left }.len();
        (gone > 0).then_some(BaselineRemark::Gone(gone))
    }
}

/// Whether a finding is known, and one less of its kind afterwards.
fn take(left: &mut BTreeMap<Known, usize>, finding: &Finding) -> bool {
    match left.get_mut(&Known::of(finding)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    }
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
    use crate::diagnostic::report::samples::{self, REF_RULE, assert_golden, finding, object, report};

    fn known(findings: Vec<Finding>) -> Baseline {
        Baseline::of(&Report { findings, ..Report::default() })
    }

    fn at(line: u32) -> Finding {
        Finding { object: Some(object("Deployment")), ..finding(&REF_RULE, "a.yaml", line, 1, 1) }
    }

    /// How many findings are left, known before and known without being there any more.
    fn silenced(baseline: &Baseline, findings: Vec<Finding>) -> (usize, usize, usize) {
        let mut report = Report { findings, ..Report::default() };
        let gone = baseline.silence(&mut report).map_or(0, |BaselineRemark::Gone(count)| count);
        (report.findings.len(), report.known, gone)
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
    fn a_known_finding_still_says_which_lines_hold_a_secret() {
        let secret = Finding { confidential: true, ..at(3) };
        let mut report = Report { findings: vec![secret.clone()], ..Report::default() };
        assert_eq!(known(vec![secret]).silence(&mut report), None);
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
