//! What is wrong with manifests: a finding, its rule, its place; and the report of a whole run.
//!
//! A finding never holds a value: messages name fields, keys and kinds. Whoever shows an excerpt of a source asks
//! [`Finding::confidential`] first.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};
use std::fmt;

use sealwave_core::diagnostic::{At, Problem, Severity};
use sealwave_core::document::Place;

/// The objects that the API server refuses where a rule reports an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiRefusal {
    /// Objects of Kubernetes' own kinds. It accepts a custom resource, and what its controller makes of it is refused later.
    BuiltInKinds,
    /// Objects of every kind.
    EveryKind,
    /// None.
    Never,
}

/// What a rule looks for, in the words of its page.
#[derive(Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// For example `secret/bad-base64`.
    pub id: &'static str,
    /// How much its findings matter, unless settings say otherwise.
    pub severity: Severity,
    /// Whether it runs without being asked for.
    pub enabled: bool,
    /// The objects with an error of the rule that the API server refuses, and `generate --validate` with it.
    pub refusal: ApiRefusal,
    /// One line: what it finds.
    pub summary: &'static str,
    /// The Markdown page beside the rule: a title with the id, the explanation, `## Example` and `## What to do`.
    pub page: &'static str,
}

/// The lines of a page between its explanation and its example.
const EXAMPLE: &str = "\n\n## Example\n\n```yaml\n";
/// The lines of a page between its example and its remedy.
const REMEDY: &str = "\n```\n\n## What to do\n\n";

impl RuleInfo {
    /// Returns the sections of the page; a section that the page lacks is empty.
    fn sections(&self) -> (&'static str, &'static str, &'static str) {
        let body = self.page.split_once("\n\n").map_or("", |(_title, body)| body);
        let (explanation, rest) = body.split_once(EXAMPLE).unwrap_or((body, ""));
        let (example, remedy) = rest.split_once(REMEDY).unwrap_or((rest, ""));
        (explanation, example, remedy.trim_end())
    }

    /// Returns the title of the page, which is the rule's id.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.page.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default()
    }

    /// Returns why the rule matters: what a cluster or Argo CD does with such an object.
    #[must_use]
    pub fn explanation(&self) -> &'static str {
        self.sections().0
    }

    /// Returns YAML that breaks the rule.
    #[must_use]
    pub fn example(&self) -> &'static str {
        self.sections().1
    }

    /// Returns what to do, with YAML where it helps.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.sections().2
    }
}

impl RuleInfo {
    /// Whether its findings may be silenced: not where an app does not render, and not what is said of suppressions.
    #[must_use]
    pub fn is_suppressible(&self) -> bool {
        !["app/", "suppression/", "yaml/syntax"].iter().any(|prefix| self.id.starts_with(prefix))
    }
}

impl RuleInfo {
    /// Returns whether the API server refuses an object with an error of this rule, custom resources perhaps aside.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        !matches!(self.refusal, ApiRefusal::Never)
    }

    /// Whether settings may change its severity, or turn it off: not what keeps an app or a document from being read.
    #[must_use]
    pub fn is_adjustable(&self) -> bool {
        !["app/", "yaml/syntax"].iter().any(|prefix| self.id.starts_with(prefix))
    }
}

/// A stretch of one line of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Where it starts.
    pub place: Place,
    /// Characters; 0 where that is not known.
    pub width: u32,
}

/// Another place that has to do with a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// What is there, for example `the Secret is here`.
    pub label: String,
    /// Where.
    pub span: Span,
    /// Whether no excerpt of the source may be shown there: only what is known to hold no secret is not.
    pub confidential: bool,
}

/// The object that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// Namespace; empty where there is none.
    pub namespace: String,
    /// Name; empty where only `generateName` is given.
    pub name: String,
}

impl ObjectRef {
    /// API group; empty for the core group.
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

/// One thing that is wrong with the manifests.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What looked for it.
    pub rule: &'static RuleInfo,
    /// How much it matters in this run.
    pub severity: Severity,
    /// Lower case, no full stop, subject first, literals in backticks; the same in every environment.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Where, where that is known.
    pub span: Option<Span>,
    /// Where else to look, in order.
    pub related: Vec<Related>,
    /// The object, where it is about one.
    pub object: Option<ObjectRef>,
    /// RFC 6901 pointer into the object; empty for all of it.
    pub pointer: String,
    /// The app's directory as the user knows it; empty for plain manifests.
    pub app: String,
    /// The environments that have it, in order; empty for plain manifests.
    pub environments: Vec<String>,
    /// Whether no excerpt of the source may be shown: it may hold a secret.
    pub confidential: bool,
}

impl Finding {
    /// A finding of which nothing is known but this: it has no place, and it is confidential.
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
        }
    }

    /// What a stage says; where that has no place, it has none.
    #[must_use]
    pub(crate) fn of_problem(rule: &'static RuleInfo, severity: Severity, problem: &Problem) -> Self {
        let span = match &problem.at {
            At::Place(place) => Some(Span { place: place.clone(), width: 0 }),
            At::Nowhere | At::Origin(_) => None,
        };
        Self { hint: problem.hint.clone(), span, ..Self::new(rule, severity, problem.message.clone()) }
    }

    /// Cuts texts that are longer than anyone reads, and places beside its own that are too many.
    fn shorten(&mut self) {
        cut(&mut self.message, MAX_TEXT);
        self.hint.iter_mut().for_each(|hint| cut(hint, MAX_TEXT));
        self.related.truncate(MAX_RELATED);
        for related in &mut self.related {
            cut(&mut related.label, MAX_TEXT);
        }
        if let Some(ObjectRef { api_version, kind, namespace, name }) = &mut self.object {
            for text in [api_version, kind, namespace, name] {
                cut(text, MAX_NAME);
            }
        }
    }

    /// About how many bytes it has in a report.
    fn size(&self) -> usize {
        let text = |text: &String| text.len();
        let path = |span: &Span| span.place.path.len() + FIXED;
        let object = self
            .object
            .as_ref()
            .map_or(0, |of| [&of.api_version, &of.kind, &of.namespace, &of.name].into_iter().map(text).sum());
        self.message.len()
            + self.hint.as_ref().map_or(0, text)
            + self.pointer.len()
            + self.app.len()
            + object
            + self.environments.iter().map(text).sum::<usize>()
            + self.span.as_ref().map_or(FIXED, path)
            + self.related.iter().map(|related| related.label.len() + path(&related.span)).sum::<usize>()
    }

    /// Path and line of its places, where it is confidential.
    pub(crate) fn confidential_lines(&self) -> impl Iterator<Item = (&str, u32)> {
        let places = self.span.iter().chain(self.related.iter().map(|related| &related.span));
        places.filter(|_| self.confidential).map(|span| (span.place.path.as_str(), span.place.line))
    }

    /// What two findings have in common that say the same of the same place.
    #[must_use]
    pub fn identity(&self) -> impl Eq + std::hash::Hash + use<> {
        let place =
            self.span.as_ref().map(|Span { place, .. }| (place.path.clone(), place.line, place.column));
        (self.rule.id, self.message.clone(), place)
    }

    /// The order of a report: by place, then by rule.
    #[must_use]
    pub fn order(&self) -> impl Ord + '_ {
        let place =
            self.span.as_ref().map(|span| (span.place.path.as_str(), span.place.line, span.place.column));
        (place.is_none(), place, self.rule.id, &self.object, &self.pointer, &self.message)
    }
}

/// Findings of a report; code scanning takes 25,000.
const MAX_FINDINGS: usize = 20_000;
/// Bytes of their texts, before a form writes each of them once or twice.
const MAX_BYTES: usize = 32 << 20;
/// Characters of a message or hint.
const MAX_TEXT: usize = 2_000;
/// Characters of a name; Kubernetes takes 253.
const MAX_NAME: usize = 300;
/// Places beside a finding's own.
const MAX_RELATED: usize = 100;
/// What a place takes beside its path.
const FIXED: usize = 100;

/// The rule of the finding that stands for all that are left out. No setting turns it off.
static LEFT_OUT: RuleInfo = RuleInfo {
    id: "report/left-out",
    severity: Severity::Error,
    enabled: true,
    refusal: ApiRefusal::Never,
    summary: "the report is full, and further findings were left out",
    page: include_str!("left_out.md"),
};

fn cut(text: &mut String, most: usize) {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
}

/// What a whole run of `validate` came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The findings, in order.
    pub findings: Vec<Finding>,
    /// What was looked at.
    pub looked_at: LookedAt,
    /// The apps that were looked at, in order; none for plain manifests.
    pub apps: Vec<AppEnvironments>,
    /// Findings that a suppression silences.
    pub suppressed: usize,
    /// Findings that a baseline knows.
    pub known: usize,
    /// Path and line of confidential findings that are silenced: no other finding may show that line.
    pub withheld: BTreeSet<(String, u32)>,
}

/// An app and its environments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppEnvironments {
    /// The app's directory as the user knows it.
    pub app: String,
    /// The environments that were looked at, in order.
    pub environments: Vec<String>,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookedAt {
    /// Apps; none for plain manifests.
    pub apps: usize,
    /// Environments of all apps.
    pub environments: usize,
    /// Files of plain manifests.
    pub files: usize,
    /// Objects, those of each environment counted.
    pub objects: usize,
}

impl Report {
    /// How many findings are of this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Whether something is at least this severe; never, where nothing is to fail a run.
    #[must_use]
    pub fn fails(&self, fail_on: Option<Severity>) -> bool {
        fail_on.is_some_and(|least| self.findings.iter().any(|finding| finding.severity >= least))
    }

    /// The same with other names for paths and apps, where there are any, in the order of these.
    #[must_use]
    pub fn renamed(
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

    /// Keeps the report to what can be printed, whatever a repository makes: the gravest findings, each with texts that are
    /// no longer than people read. One more finding, as grave as the gravest of the others, tells how many those are.
    ///
    /// Call it last: baselines and suppressions need all findings, as they are.
    pub fn bound(&mut self) {
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
        self.findings.extend(left_out.stand_in());
    }

    /// A finding in place of all of these.
    fn stand_in(&self) -> Option<Finding> {
        let severity = self.findings.iter().map(|finding| finding.severity).max()?;
        let counts = super::report::counts(self);
        Some(Finding {
            hint: Some("repair what is listed, or check fewer paths at once".to_owned()),
            ..Finding::new(
                &LEFT_OUT,
                severity,
                format!("more findings than a report holds: {counts} left out"),
            )
        })
    }

    /// Remembers of a finding that is silenced which lines it says hold a secret. Whoever drops a finding calls this.
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
        report.bound();
        report
    }

    #[test]
    fn the_gravest_findings_stay_and_the_others_are_counted_and_fail() {
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
    fn texts_are_bounded_one_by_one_and_together() {
        let long = |length: usize| "ä".repeat(length);
        let large = Finding {
            message: long(3_000),
            hint: Some(long(3_000)),
            object: Some(ObjectRef { name: long(3_000), ..object("Pod") }),
            related: vec![Related { label: long(10), span: span_of("b.yaml"), confidential: true }; 200],
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
        Span { place: Place { path: path.to_owned(), line: 1, column: 1, rendered: None }, width: 1 }
    }
}
