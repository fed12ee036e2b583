//! Suppresses findings by settings in the app file, annotations, or comments, each with a reason.
//!
//! A suppression that is unused, expired or lacks a reason is a finding itself. Problems of stages cannot be
//! suppressed: such an app does not render.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{GlobBuilder, GlobMatcher};

use super::comment::{CommentMistake, SuppressionComment, comments};
use super::finder::FindingBuilder;
use super::input::{CheckedInput, ObjectSet};
use super::options::ValidateOptions;
use crate::rule::{Rule, RuleCheck};
use crate::rules::{self, suppression};
use crate::{Finding, Span};
use sealwave_core::diagnostic::{ProblemPlace, Severity};
use sealwave_core::document::Manifest;
use sealwave_core::names;
use sealwave_core::time::Date;
use sealwave_secrets::settings::IgnoreEntry;

/// A suppression.
pub(super) struct Suppression {
    /// The rules that each of its names or globs matches.
    rules: Vec<RuleIds>,
    scope: SuppressionScope,
    reason: String,
    until: Option<Date>,
    /// Its place.
    span: Option<Span>,
    /// The error in it, if any.
    malformed: Option<SuppressionError>,
    used: AtomicBool,
}

/// An error in a suppression, with a hint.
#[derive(Clone)]
struct SuppressionError {
    what: &'static str,
    hint: Cow<'static, str>,
}

impl SuppressionError {
    const fn new(what: &'static str) -> Self {
        Self { what, hint: Cow::Borrowed(suppression::FORM) }
    }

    fn unknown_rule(name: &str) -> Self {
        let closest = rules::closest_rule(name).map(|closest| format!("did you mean `{closest}`?"));
        let error = Self::new("it names a rule that does not exist");
        Self { hint: closest.map_or(error.hint, Cow::Owned), ..error }
    }
}

/// The findings that a suppression applies to.
enum SuppressionScope {
    /// Findings on a line.
    Line { path: String, line: u32 },
    /// Findings about an object in some environments.
    Object { environments: Vec<String>, kind: String, namespace: String, name: String },
    /// Findings that match all given patterns.
    Setting { object: Option<GlobMatcher>, path: Option<GlobMatcher>, environments: Vec<String> },
}

/// The ids of the rules that a name or glob matches.
type RuleIds = Arc<[&'static str]>;

/// The rules that names and globs match, each looked up once: a file may have thousands of comments with the same one.
#[derive(Default)]
pub(super) struct RuleNames(HashMap<String, Option<RuleIds>>);

impl RuleNames {
    /// Returns the rules that a name matches; `None` if it is malformed.
    fn ids(&mut self, name: &str) -> Option<RuleIds> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let ids = rule_glob(name)
            .map(|glob| rules::rules().map(|rule| rule.id).filter(|id| glob.is_match(id)).collect());
        self.0.insert(name.to_owned(), ids.clone());
        ids
    }
}

/// The suppressions for a whole run; their errors are reported once, at its end.
#[derive(Default)]
pub struct RunSuppressions {
    suppressions: Vec<Suppression>,
}

impl RunSuppressions {
    /// Creates suppressions from entries with their places.
    #[must_use]
    pub fn new(entries: &[(IgnoreEntry, Option<Span>)]) -> Self {
        let mut names = RuleNames::default();
        let suppressions =
            entries.iter().map(|(entry, span)| Suppression::from_setting(entry, span.clone(), &mut names));
        Self { suppressions: suppressions.collect() }
    }

    /// Returns findings about the suppressions at the end of a run; unused ones only if the run covered `everything`.
    pub fn findings(&self, options: &ValidateOptions, everything: bool) -> impl Iterator<Item = Finding> {
        let coverage = Coverage { has_gaps: !everything, ..Coverage::without_input(options) };
        self.suppressions.iter().filter_map(move |suppression| suppression.finding(&coverage))
    }
}

/// The coverage of a run: an unused suppression may apply to input that was not checked.
pub(super) struct Coverage<'a> {
    options: &'a ValidateOptions,
    /// Whether some input was not checked at all.
    has_gaps: bool,
    /// Files that could not be parsed completely.
    broken_files: BTreeSet<String>,
    /// Whether each object was checked on its own.
    one_by_one: bool,
}

impl<'a> Coverage<'a> {
    /// Returns the coverage of an app or of plain manifests.
    pub(super) fn new(input: CheckedInput<'a>) -> Self {
        let problems = || {
            let all = input.sets().flat_map(ObjectSet::problems);
            all.filter(|stage| stage.severity == Severity::Error)
        };
        let file = |at: &ProblemPlace| match at {
            ProblemPlace::Origin(origin) => Some(input.sources().location(*origin).path),
            ProblemPlace::Place(place) => Some(place.path.clone()),
            ProblemPlace::Unknown => None,
        };
        let is_broken_app = input.app().is_some() && problems().next().is_some();
        let without = Self::without_input(input.options());
        Self {
            has_gaps: without.has_gaps || is_broken_app,
            broken_files: problems().filter_map(|stage| file(&stage.problem.at)).collect(),
            ..without
        }
    }

    /// Returns the coverage of a run that checks no objects.
    pub(super) fn without_input(options: &'a ValidateOptions) -> Self {
        Self { options, has_gaps: options.gaps.parts, broken_files: BTreeSet::new(), one_by_one: false }
    }

    /// Marks that each object was checked on its own.
    pub(super) fn without_context(self) -> Self {
        Self { one_by_one: true, ..self }
    }

    /// Reports whether some input was not checked.
    pub(super) fn is_incomplete(&self) -> bool {
        self.has_gaps || self.one_by_one || !self.broken_files.is_empty()
    }

    fn sees(&self, suppression: &Suppression) -> bool {
        let is_in_broken_file = |span: &Span| self.broken_files.contains(&span.place.path);
        let is_named = |rule: &&&Rule| suppression.names(rule.info.id);
        !self.has_gaps
            && !suppression.span.as_ref().is_some_and(is_in_broken_file)
            && rules::RULES.iter().filter(is_named).all(|rule| {
                let is_per_object = rule.check.is_per_object() || matches!(rule.check, RuleCheck::Stage);
                self.options.covers_rule(&rule.info) && (is_per_object || !self.one_by_one)
            })
    }
}

/// Applies suppressions, and adds findings about the `own` ones; returns the remaining and the suppressed findings.
pub(super) fn apply(
    findings: Vec<Finding>,
    own: &[Suppression],
    run_suppressions: &RunSuppressions,
    coverage: &Coverage<'_>,
) -> (Vec<Finding>, Vec<Finding>) {
    let mut all = SuppressionIndex::new(own, run_suppressions, coverage.options.today);
    let (taken, mut kept): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| all.silences(finding));
    kept.extend(own.iter().filter_map(|suppression| suppression.finding(coverage)));
    (kept, taken)
}

/// The valid suppressions by line and object, so that a finding is compared only with those that may apply.
pub(super) struct SuppressionIndex<'s> {
    /// Indices of groups, by line and by object.
    lines: HashMap<(&'s str, u32), usize>,
    objects: HashMap<(&'s str, &'s str, &'s str), usize>,
    groups: Vec<SuppressionGroup<'s>>,
    /// Suppressions from settings, which are few.
    settings: Vec<&'s Suppression>,
    /// Suppressions from settings, by rule.
    by_rule: HashMap<&'static str, Vec<&'s Suppression>>,
}

/// Suppressions for one line, or for objects with one name.
#[derive(Default)]
struct SuppressionGroup<'s> {
    all: Vec<&'s Suppression>,
    /// Cached results by rule and environments, which decide whether one of the suppressions matches.
    known: HashMap<(&'static str, Vec<String>), bool>,
}

impl<'s> SuppressionIndex<'s> {
    pub(super) fn new(
        own: &'s [Suppression],
        run_suppressions: &'s RunSuppressions,
        today: Option<Date>,
    ) -> Self {
        let mut index = Self {
            lines: HashMap::new(),
            objects: HashMap::new(),
            groups: Vec::new(),
            settings: Vec::new(),
            by_rule: HashMap::new(),
        };
        let is_valid = |one: &&Suppression| one.malformed.is_none() && !one.is_expired(today);
        for one in own.iter().chain(&run_suppressions.suppressions).filter(is_valid) {
            let next = index.groups.len();
            let group = match &one.scope {
                SuppressionScope::Line { path, line } => *index.lines.entry((path, *line)).or_insert(next),
                SuppressionScope::Object { kind, namespace, name, .. } => {
                    *index.objects.entry((kind, namespace, name)).or_insert(next)
                }
                SuppressionScope::Setting { .. } => {
                    index.settings.push(one);
                    continue;
                }
            };
            if group == next {
                index.groups.push(SuppressionGroup::default());
            }
            index.groups.get_mut(group).into_iter().for_each(|group| group.all.push(one));
        }
        index
    }

    /// Reports whether a suppression matches a finding; marks all that match as used.
    pub(super) fn silences(&mut self, finding: &Finding) -> bool {
        if !finding.rule.is_suppressible() && !finding.rule.is_suppressible_by_file() {
            return false;
        }
        let line = finding.span.as_ref().map(|Span { place, .. }| (place.path.as_str(), place.line));
        let object = finding.object.as_ref();
        let object = object.map(|it| (it.kind.as_str(), it.namespace.as_str(), it.name.as_str()));
        let groups =
            [line.and_then(|line| self.lines.get(&line)), object.and_then(|key| self.objects.get(&key))];
        let mut silenced = false;
        for number in groups.into_iter().flatten() {
            silenced |= self.groups.get_mut(*number).is_some_and(|group| group.silences(finding));
        }
        let settings = &self.settings;
        let named = self
            .by_rule
            .entry(finding.rule.id)
            .or_insert_with(|| settings.iter().copied().filter(|one| one.names(finding.rule.id)).collect());
        mark_used(named, finding) | silenced
    }
}

impl SuppressionGroup<'_> {
    fn silences(&mut self, finding: &Finding) -> bool {
        let key = (finding.rule.id, finding.environments.clone());
        let all = &self.all;
        *self.known.entry(key).or_insert_with(|| mark_used(all, finding))
    }
}

/// Marks all suppressions that match a finding as used; reports whether any does.
fn mark_used(suppressions: &[&Suppression], finding: &Finding) -> bool {
    let mut silenced = false;
    for suppression in suppressions.iter().filter(|suppression| suppression.matches(finding)) {
        suppression.used.store(true, Ordering::Relaxed);
        silenced = true;
    }
    silenced
}

impl Suppression {
    fn is_expired(&self, today: Option<Date>) -> bool {
        matches!((self.until, today), (Some(until), Some(today)) if until < today)
    }

    fn matches(&self, finding: &Finding) -> bool {
        self.may_suppress(finding) && self.names(finding.rule.id) && self.scope.holds(finding)
    }

    /// Reports whether findings of the rule may be suppressed like this: those about a file that cannot be read only by
    /// an entry for the file, and not in an app, whose other findings depend on it.
    fn may_suppress(&self, finding: &Finding) -> bool {
        let names_file = matches!(&self.scope, SuppressionScope::Setting { path: Some(_), .. });
        finding.rule.is_suppressible()
            || finding.rule.is_suppressible_by_file() && names_file && finding.app.is_empty()
    }

    /// Reports whether it applies to a rule.
    fn names(&self, rule: &str) -> bool {
        self.rules.iter().any(|ids| ids.contains(&rule))
    }

    /// Returns a finding if the suppression is malformed, expired or unused.
    fn finding(&self, coverage: &Coverage<'_>) -> Option<Finding> {
        let (rule, message, hint): (&Rule, String, &str) =
            if let Some(SuppressionError { what, hint }) = &self.malformed {
                (&suppression::MALFORMED, format!("suppression is invalid: {what}"), hint)
            } else if self.is_expired(coverage.options.today) {
                let message = format!(
                    "suppression has expired{}",
                    self.until.map(|day| format!(" on {day}")).unwrap_or_default()
                );
                (
                    &suppression::EXPIRED,
                    message,
                    "fix the suppressed finding, or set a later date and a reason that is still valid",
                )
            } else if !self.used.load(Ordering::Relaxed) && coverage.sees(self) {
                (&suppression::UNUSED, "suppression is unused".to_owned(), "remove it")
            } else {
                return None;
            };
        let severity = coverage.options.level(&rule.info)?;
        Some(Finding {
            hint: Some(hint.to_owned()),
            span: self.span.clone(),
            ..Finding::new(&rule.info, severity, message)
        })
    }

    /// Creates a suppression from an entry of `validate.ignore`.
    pub(super) fn from_setting(entry: &IgnoreEntry, span: Option<Span>, names: &mut RuleNames) -> Self {
        let mut malformed = None;
        let mut compile = |text: &Option<String>| {
            let matcher = text.as_deref().map(glob);
            malformed = malformed
                .take()
                .or(matches!(matcher, Some(None)).then_some(SuppressionError::new("a pattern is invalid")));
            matcher.flatten()
        };
        let scope = SuppressionScope::Setting {
            object: compile(&entry.object),
            path: compile(&entry.path),
            environments: entry.environments.clone(),
        };
        let new = Self::new(&[&entry.rule], scope, &entry.reason, entry.until, span, names);
        Self { malformed: malformed.or(new.malformed), ..new }.check_reason()
    }

    fn from_comment(comment: &SuppressionComment, span: Span, names: &mut RuleNames) -> Self {
        let rules: Vec<&str> = comment.rules.iter().map(String::as_str).collect();
        let scope = SuppressionScope::Line { path: span.place.path.clone(), line: comment.target };
        let mut suppression =
            Self::new(&rules, scope, &comment.reason, comment.until.ok().flatten(), Some(span), names);
        let wrong = match comment.mistake {
            Some(CommentMistake::Mark) => Some("it does not start with `# sealwave: ignore `"),
            Some(CommentMistake::Separator) => Some("` -- ` is missing before its reason"),
            None => comment.until.is_err().then_some("its date is invalid"),
        };
        suppression.malformed = wrong.map(SuppressionError::new).or(suppression.malformed);
        suppression.check_reason()
    }

    fn new(
        rules: &[&str],
        scope: SuppressionScope,
        reason: &str,
        until: Option<Date>,
        span: Option<Span>,
        names: &mut RuleNames,
    ) -> Self {
        let wanted: BTreeSet<&str> = rules.iter().copied().collect();
        let ids: Vec<RuleIds> = wanted.iter().filter_map(|rule| names.ids(rule)).collect();
        let is_unknown = |rule: &&&str| names.ids(rule).is_none_or(|ids| ids.is_empty());
        let unknown = wanted.iter().find(is_unknown).copied().or_else(|| wanted.is_empty().then_some(""));
        let malformed = unknown.map(SuppressionError::unknown_rule);
        Self {
            rules: ids,
            scope,
            reason: reason.to_owned(),
            until,
            span,
            malformed,
            used: AtomicBool::new(false),
        }
    }

    /// Rejects a date in an annotation, as annotations do not expire.
    fn reject_date(self) -> Self {
        let day = self.reason.split("until ").skip(1).find_map(|rest| rest.get(..10)?.parse::<Date>().ok());
        let has_date = day.is_some_and(|day| {
            let until = format!("until {day}");
            self.reason.starts_with(&until) || self.reason.contains(&format!("{until} --"))
        });
        let malformed = has_date.then_some(SuppressionError {
            what: "an annotation cannot have a date",
            hint: "write a comment, `# sealwave: ignore RULE until YYYY-MM-DD -- REASON`, or an entry of `validate.ignore`".into(),
        });
        Self { malformed: self.malformed.or(malformed), ..self }
    }

    fn check_reason(self) -> Self {
        let reason = self.reason.trim().is_empty().then_some(SuppressionError::new("it has no reason"));
        Self { malformed: self.malformed.or(reason), ..self }
    }
}

impl SuppressionScope {
    fn holds(&self, finding: &Finding) -> bool {
        let in_one_of = |environments: &[String]| {
            environments.is_empty() || finding.environments.iter().any(|name| environments.contains(name))
        };
        match self {
            Self::Line { path, line } => {
                let on_line = |span: &Span| span.place.path == *path && span.place.line == *line;
                finding.span.as_ref().is_some_and(on_line)
            }
            Self::Object { environments, kind, namespace, name } => {
                in_one_of(environments)
                    && finding.object.as_ref().is_some_and(|object| {
                        object.kind == *kind && object.namespace == *namespace && object.name == *name
                    })
            }
            Self::Setting { object, path, environments } => {
                let object_fits = object.as_ref().is_none_or(|glob| {
                    let object = finding.object.as_ref();
                    object.is_some_and(|object| {
                        glob.is_match(format!("{}/{}/{}", object.kind, object.namespace, object.name))
                    })
                });
                let path_fits = path.as_ref().is_none_or(|glob| {
                    finding.span.as_ref().is_some_and(|span| glob.is_match(&span.place.path))
                });
                object_fits && path_fits && in_one_of(environments)
            }
        }
    }
}

/// Compiles a glob over the ids of rules; `*` matches all of them.
fn rule_glob(pattern: &str) -> Option<GlobMatcher> {
    Some(GlobBuilder::new(pattern).build().ok()?.compile_matcher())
}

/// Compiles a glob; `*` does not match `/`, as in the operator's policy.
fn glob(pattern: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().ok()?;
    Some(glob.compile_matcher())
}

impl FindingBuilder<'_> {
    /// Returns the app's own suppressions: from settings, comments and annotations.
    pub(super) fn suppressions(&self) -> Vec<Suppression> {
        let mut found = self.setting_and_comment_suppressions();
        found.extend(self.annotation_suppressions());
        found
    }

    /// Returns the suppressions from settings and comments.
    pub(super) fn setting_and_comment_suppressions(&self) -> Vec<Suppression> {
        let mut names = RuleNames::default();
        let mut found = Vec::new();
        for (entry, origin) in self.input.app().iter().flat_map(|app| &app.ignore) {
            let span = self.locator.locate(*origin).0;
            found.push(Suppression::from_setting(entry, Some(span), &mut names));
        }
        for (source, text) in self.input.texts().iter() {
            if self.input.sources().is_rendered(source) {
                continue;
            }
            for comment in comments(text.content(), text.lines_before()) {
                let place = sealwave_core::document::SourceLocation {
                    path: self.input.sources().name(source).to_owned(),
                    line: comment.line,
                    column: comment.column,
                    rendered: None,
                };
                let span = Span { place, width: comment.width };
                found.push(Suppression::from_comment(&comment, span, &mut names));
            }
        }
        found
    }

    /// Returns the suppressions from annotations; one shared by several environments counts once.
    pub(super) fn annotation_suppressions(&self) -> Vec<Suppression> {
        let mut names = RuleNames::default();
        let mut found: BTreeMap<(Span, String, String), Suppression> = BTreeMap::new();
        for set in self.input.sets() {
            for object in set.objects() {
                for entry in object.annotations().map_or(&[][..], |annotations| annotations.entries()) {
                    let Some(id) = entry.key.strip_prefix(names::IGNORE_PREFIX) else { continue };
                    let rule = id.replacen('.', "/", 1);
                    let (span, _) = self.locator.locate(entry.key_origin);
                    let key = (span.clone(), rule.clone(), object.namespace().to_owned());
                    let same = found.entry(key).or_insert_with(|| {
                        let reason = entry.value.as_str().unwrap_or_default();
                        let suppression = Suppression::new(
                            &[&rule],
                            object_scope(object),
                            reason,
                            None,
                            Some(span),
                            &mut names,
                        );
                        suppression.check_reason().reject_date()
                    });
                    if let SuppressionScope::Object { environments, .. } = &mut same.scope {
                        environments.extend(set.environment_names());
                    }
                }
            }
        }
        found.into_values().collect()
    }
}

fn object_scope(object: &Manifest) -> SuppressionScope {
    SuppressionScope::Object {
        environments: Vec::new(),
        kind: object.kind().to_owned(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
    }
}
