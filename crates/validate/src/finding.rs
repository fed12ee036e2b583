//! Findings with their rules and places, and the report of a run.
//!
//! A finding never holds a value: messages name fields, keys and kinds. Code that shows an excerpt of a source must
//! check [`Finding::confidential`] first.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::fmt;

use crate::counts::quantity;
use crate::rule_info::{RuleInfo, RuleKind, RulePage};
use sealwave_core::diagnostic::{Problem, ProblemPlace, Severity};
use sealwave_core::document::SourceLocation;

/// A range in one line of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The start of the range.
    pub place: SourceLocation,
    /// The width in characters; 0 if unknown.
    pub width: u32,
}

/// The relation of a further place to its finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RelatedLabel {
    /// A description, for example `the Secret is here`.
    Text(String),
    /// A template printed the value of this place.
    ValueSource,
}

impl RelatedLabel {
    /// Returns the label as reports show it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::ValueSource => "its value comes from here",
        }
    }
}

/// A further place that a finding refers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelatedPlace {
    /// The relation of the place to the finding.
    pub label: RelatedLabel,
    /// The place.
    pub span: Span,
    /// Whether the source line must not be shown; false only if it is known to hold no secret.
    pub confidential: bool,
}

/// The object that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// Namespace; empty if the object has none.
    pub namespace: String,
    /// Name; empty if only `generateName` is set.
    pub name: String,
}

impl ObjectRef {
    /// Returns the API group; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }
}

/// `Deployment shop/web`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, namespace, name, .. } = self;
        let name = if name.is_empty() { "(generated name)" } else { name };
        let slash = if namespace.is_empty() { "" } else { "/" };
        write!(f, "{kind} {namespace}{slash}{name}")
    }
}

/// A problem with the manifests that a rule found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that reports it.
    pub rule: &'static RuleInfo,
    /// The severity in this run.
    pub severity: Severity,
    /// Lower case, no full stop, subject first, literals in backticks; the same in every environment.
    pub message: String,
    /// Advice for the user.
    pub hint: Option<String>,
    /// The place, if known.
    pub span: Option<Span>,
    /// Further places, in order.
    pub related: Vec<RelatedPlace>,
    /// The object that the finding is about, if any.
    pub object: Option<ObjectRef>,
    /// RFC 6901 pointer into the object; empty for the whole object.
    pub pointer: String,
    /// The app's directory as given; empty for plain manifests.
    pub app: String,
    /// The affected environments, in order; empty for plain manifests.
    pub environments: Vec<String>,
    /// Whether the source must not be shown because it may hold a secret.
    pub confidential: bool,
    /// The field that the object lacks, if the rule reports one that a later build may set.
    pub missing_field: Option<&'static str>,
    /// Whether it reports an absent object that may be one that does not render.
    pub held_back: bool,
}

impl Finding {
    /// Creates a confidential finding without a place.
    #[must_use]
    pub(crate) fn new(rule: &'static RuleInfo, severity: Severity, message: String) -> Self {
        Self {
            rule,
            severity,
            message,
            hint: None,
            span: None,
            related: Vec::new(),
            object: None,
            pointer: String::new(),
            app: String::new(),
            environments: Vec::new(),
            confidential: true,
            missing_field: None,
            held_back: false,
        }
    }

    /// Creates a finding from the problem of a stage, with its place if it has one.
    #[must_use]
    pub(crate) fn from_problem(rule: &'static RuleInfo, severity: Severity, problem: &Problem) -> Self {
        let span = match &problem.at {
            ProblemPlace::Place(place) => Some(Span { place: place.clone(), width: 0 }),
            ProblemPlace::Unknown | ProblemPlace::Origin(_) => None,
        };
        Self { hint: problem.hint.clone(), span, ..Self::new(rule, severity, problem.message.clone()) }
    }

    /// Truncates long texts and long lists of related places.
    fn shorten(&mut self) {
        cut(&mut self.message, MAX_TEXT);
        self.hint.iter_mut().for_each(|hint| cut(hint, MAX_TEXT));
        self.related.truncate(MAX_RELATED);
        for related in &mut self.related {
            if let RelatedLabel::Text(label) = &mut related.label {
                cut(label, MAX_TEXT);
            }
        }
        if let Some(ObjectRef { api_version, kind, namespace, name }) = &mut self.object {
            for text in [api_version, kind, namespace, name] {
                cut(text, MAX_NAME);
            }
        }
    }

    /// Estimates the bytes of the finding in a report.
    fn size(&self) -> usize {
        let text = |text: &String| text.len();
        let path = |span: &Span| span.place.path.len() + PLACE_BYTES;
        let object = self
            .object
            .as_ref()
            .map_or(0, |it| [&it.api_version, &it.kind, &it.namespace, &it.name].into_iter().map(text).sum());
        self.message.len()
            + self.hint.as_ref().map_or(0, text)
            + self.pointer.len()
            + self.app.len()
            + object
            + self.environments.iter().map(text).sum::<usize>()
            + self.span.as_ref().map_or(PLACE_BYTES, path)
            + self
                .related
                .iter()
                .map(|related| related.label.as_str().len() + path(&related.span))
                .sum::<usize>()
    }

    /// Returns path and line of all places of a confidential finding.
    pub(crate) fn confidential_lines(&self) -> impl Iterator<Item = (&str, u32)> {
        let places = self.span.iter().chain(self.related.iter().map(|related| &related.span));
        places.filter(|_| self.confidential).map(|span| (span.place.path.as_str(), span.place.line))
    }

    /// Returns a key that is equal for findings with the same rule, message and place.
    #[must_use]
    pub fn identity(&self) -> impl Eq + std::hash::Hash + use<> {
        let place =
            self.span.as_ref().map(|Span { place, .. }| (place.path.clone(), place.line, place.column));
        (self.rule.id, self.message.clone(), place)
    }

    /// Returns the sort key of a report: by place, then by rule.
    #[must_use]
    pub fn order(&self) -> impl Ord + '_ {
        let place =
            self.span.as_ref().map(|span| (span.place.path.as_str(), span.place.line, span.place.column));
        (place.is_none(), place, self.rule.id, &self.object, &self.pointer, &self.message)
    }
}

/// The most findings in a report; code scanning accepts 25,000.
const MAX_FINDINGS: usize = 20_000;
/// The most bytes of all findings; a format may write each text twice.
const MAX_BYTES: usize = 32 << 20;
/// The most characters of a message or hint.
const MAX_TEXT: usize = 2_000;
/// The most characters of a name; Kubernetes accepts 253.
const MAX_NAME: usize = 300;
/// The most related places of a finding.
const MAX_RELATED: usize = 100;
/// Estimated bytes of a place besides its path.
const PLACE_BYTES: usize = 100;

/// The rule of the finding that replaces all findings left out. No setting disables it.
static LEFT_OUT: RuleInfo = RuleInfo::new(
    RuleKind::Object,
    RulePage {
        id: "report/left-out",
        severity: Severity::Error,
        summary: "the report is full, and further findings were left out",
        text: include_str!("left_out.md"),
    },
);

fn cut(text: &mut String, most: usize) {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
}

/// The result of a `validate` run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The findings, in order.
    pub findings: Vec<Finding>,
    /// The number of checked inputs.
    pub checked: CheckedCounts,
    /// The checked apps, in order; empty for plain manifests.
    pub apps: Vec<AppEnvironments>,
    /// The number of suppressed findings.
    pub suppressed: usize,
    /// The number of findings in the baseline.
    pub in_baseline: usize,
    /// The number of findings that may be caused by what does not render.
    pub held_back: usize,
    /// Path and line of confidential findings that are not reported: no other finding may show that line.
    pub withheld: BTreeSet<(String, u32)>,
}

/// An app and its environments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppEnvironments {
    /// The app's directory as given.
    pub app: String,
    /// The checked environments, in order.
    pub environments: Vec<String>,
}

/// The numbers of checked inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckedCounts {
    /// Apps; 0 for plain manifests.
    pub apps: usize,
    /// Environments of all apps.
    pub environments: usize,
    /// Plain manifest files.
    pub files: usize,
    /// Objects, counted per environment.
    pub objects: usize,
}

impl Report {
    /// Returns the number of findings of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Reports whether a finding has at least the given severity; always false for `None`.
    #[must_use]
    pub fn fails(&self, fail_on: Option<Severity>) -> bool {
        fail_on.is_some_and(|least| self.findings.iter().any(|finding| finding.severity >= least))
    }

    /// Returns the report with paths and apps renamed, sorted by the new names.
    #[must_use]
    pub fn with_names(
        &self,
        path: &dyn Fn(&str) -> Option<String>,
        app: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let rename = |text: &mut String, name: &dyn Fn(&str) -> Option<String>| {
            if let Some(other) = name(text) {
                *text = other;
            }
        };
        let mut report = self.clone();
        for finding in &mut report.findings {
            rename(&mut finding.app, app);
            let related = finding.related.iter_mut().map(|related| &mut related.span);
            for span in finding.span.iter_mut().chain(related) {
                rename(&mut span.place.path, path);
            }
        }
        for known in &mut report.apps {
            rename(&mut known.app, app);
        }
        report.withheld = std::mem::take(&mut report.withheld)
            .into_iter()
            .map(|(name, line)| (path(&name).unwrap_or(name), line))
            .collect();
        report.findings.sort_by(|a, b| a.order().cmp(&b.order()));
        report
    }

    /// Limits the report to a printable size: keeps the most severe findings and truncates their texts. One more
    /// finding, as severe as the most severe of the others, reports how many were left out.
    ///
    /// Call this last: baselines and suppressions need all findings unchanged.
    pub fn limit_size(&mut self) {
        self.findings.iter_mut().for_each(Finding::shorten);
        let mut order: Vec<usize> = (0..self.findings.len()).collect();
        let severity = |number: &usize| self.findings.get(*number).map(|finding| Reverse(finding.severity));
        order.sort_by_key(severity);
        let mut bytes = 0;
        let kept = order.iter().take(MAX_FINDINGS).take_while(|number| {
            bytes += self.findings.get(**number).map_or(0, Finding::size);
            bytes <= MAX_BYTES
        });
        let kept: HashSet<usize> = kept.copied().collect();
        if kept.len() == self.findings.len() {
            return;
        }
        let mut left_out = Self::default();
        for (number, finding) in std::mem::take(&mut self.findings).into_iter().enumerate() {
            let to = if kept.contains(&number) { &mut self.findings } else { &mut left_out.findings };
            to.push(finding);
        }
        left_out.findings.iter().for_each(|finding| self.withhold(finding));
        self.findings.extend(left_out.left_out_finding());
    }

    /// Returns the counts by severity: `2 errors, 1 warning`, or `no findings`.
    pub(crate) fn count_summary(&self) -> String {
        let parts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
            .into_iter()
            .map(|severity| (self.count(severity), severity))
            .filter(|(count, _)| *count > 0)
            .map(|(count, severity)| quantity(count, severity.name()))
            .collect();
        if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
    }

    /// Returns one finding that replaces all findings of the report.
    fn left_out_finding(&self) -> Option<Finding> {
        let severity = self.findings.iter().map(|finding| finding.severity).max()?;
        let counts = self.count_summary();
        Some(Finding {
            hint: Some("fix the listed findings, or check fewer paths at once".to_owned()),
            ..Finding::new(
                &LEFT_OUT,
                severity,
                format!("more findings than a report holds: {counts} left out"),
            )
        })
    }

    /// Records the confidential lines of a finding that is not reported. Every caller that drops a finding must call
    /// this.
    pub fn withhold(&mut self, silenced: &Finding) {
        self.withheld.extend(silenced.confidential_lines().map(|(path, line)| (path.to_owned(), line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{CONFIG_RULE, REF_RULE, finding, object};

    fn bounded(findings: Vec<Finding>) -> Report {
        let mut report = Report { findings, ..Report::default() };
        report.limit_size();
        report
    }

    #[test]
    fn the_most_severe_findings_are_kept_and_the_others_counted() {
        let notes = (0..30_000).map(|line| finding(&CONFIG_RULE, "a.yaml", line + 1, 1, 1));
        let mut findings: Vec<Finding> = notes.collect();
        findings.push(finding(&REF_RULE, "z.yaml", 1, 1, 1));
        let report = bounded(findings);
        assert_eq!(report.findings.len(), MAX_FINDINGS + 1);
        assert_eq!(report.count(Severity::Error), 1, "it was the last one");
        let last = report.findings.last().unwrap();
        assert_eq!((last.rule.id, last.severity), ("report/left-out", Severity::Warning));
        assert_eq!(last.message, "more findings than a report holds: 10001 warnings left out");
        let errors = bounded(vec![finding(&REF_RULE, "a.yaml", 1, 1, 1); 30_000]);
        assert_eq!(errors.findings.last().unwrap().severity, Severity::Error);
        assert!(errors.fails(Some(Severity::Error)));
        assert_eq!(bounded(vec![finding(&REF_RULE, "a.yaml", 1, 1, 1); 3]).findings.len(), 3);
    }

    #[test]
    fn texts_are_limited_individually_and_in_total() {
        let long = |length: usize| "ä".repeat(length);
        let large = Finding {
            message: long(3_000),
            hint: Some(long(3_000)),
            object: Some(ObjectRef { name: long(3_000), ..object("Pod") }),
            related: vec![
                RelatedPlace {
                    label: RelatedLabel::Text(long(10)),
                    span: span_of("b.yaml"),
                    confidential: true
                };
                200
            ],
            environments: (0..1_000).map(|number| format!("environment-{number}")).collect(),
            ..finding(&REF_RULE, "a.yaml", 1, 1, 1)
        };
        let report = bounded(vec![large; 1_000]);
        let bytes: usize = report.findings.iter().map(Finding::size).sum();
        assert!(bytes < MAX_BYTES + 10_000, "{bytes}");
        assert!(report.findings.iter().all(|finding| finding.message.chars().count() <= MAX_TEXT + 1));
        assert_eq!(report.findings.last().unwrap().rule.id, "report/left-out");
    }

    fn span_of(path: &str) -> Span {
        Span { place: SourceLocation { path: path.to_owned(), line: 1, column: 1, rendered: None }, width: 1 }
    }
}
