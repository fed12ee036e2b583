//! Findings that are wanted as they are: the app file says so, an annotation, or a comment, each with a reason.
//!
//! A suppression that silences nothing, that is expired, or that gives no reason is a finding itself. What the stages
//! report cannot be silenced: such an app does not render.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{GlobBuilder, GlobMatcher};

use super::Checking;
use super::comment::{Comment, Slip, comments};
use super::finder::{Finder, named};
use crate::examine::ExaminedApp;
use crate::rules::{self, Check, Rule, suppression};
use crate::{Finding, Span};
use sealwave_core::diagnostic::{At, Severity};
use sealwave_core::document::Manifest;
use sealwave_core::names;
use sealwave_core::time::Date;
use sealwave_secrets::settings::IgnoreEntry;

/// One suppression.
pub(super) struct Suppression {
    /// The rules that each of its names means.
    rules: Vec<RuleIds>,
    scope: Scope,
    reason: String,
    until: Option<Date>,
    /// Where it stands.
    span: Option<Span>,
    /// What is wrong with it, where something is.
    malformed: Option<Malformed>,
    used: AtomicBool,
}

/// What is wrong with a suppression, and what to do.
#[derive(Clone, Copy)]
struct Malformed {
    what: &'static str,
    hint: &'static str,
}

impl Malformed {
    const fn new(what: &'static str) -> Self {
        Self { what, hint: suppression::FORM }
    }
}

/// Which findings a suppression is for.
enum Scope {
    /// Those on a line.
    Line { path: String, line: u32 },
    /// Those about one object of one environment.
    Object { environments: Vec<String>, kind: String, namespace: String, name: String },
    /// Those that have all that is given.
    Setting { object: Option<GlobMatcher>, path: Option<GlobMatcher>, environments: Vec<String> },
}

/// The ids of the rules that a name or a glob means.
type RuleIds = Arc<[&'static str]>;

/// What names and globs of rules mean, each looked up once: a file may have many thousand comments with the same one.
#[derive(Default)]
pub(super) struct RuleNames(HashMap<String, Option<RuleIds>>);

impl RuleNames {
    /// The rules that a name means; `None` where it is malformed.
    fn ids(&mut self, name: &str) -> Option<RuleIds> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let ids = glob(name)
            .map(|glob| rules::rules().map(|rule| rule.id).filter(|id| glob.is_match(id)).collect());
        self.0.insert(name.to_owned(), ids.clone());
        ids
    }
}

/// Suppressions for all that a run looks at; what is wrong with them is said once, at its end.
#[derive(Default)]
pub struct Standing {
    suppressions: Vec<Suppression>,
}

impl Standing {
    /// Takes entries and where each stands.
    #[must_use]
    pub fn new(entries: &[(IgnoreEntry, Option<Span>)]) -> Self {
        let mut names = RuleNames::default();
        let suppressions =
            entries.iter().map(|(entry, span)| Suppression::from_setting(entry, span.clone(), &mut names));
        Self { suppressions: suppressions.collect() }
    }

    /// What is wrong with them, after all was looked at; that one is not used, only if the run saw `everything`.
    pub fn findings(&self, checking: &Checking, everything: bool) -> impl Iterator<Item = Finding> {
        let judged = Judged { checking, blind: !everything, broken: BTreeSet::new(), one_by_one: false };
        self.suppressions.iter().filter_map(move |suppression| suppression.finding(&judged))
    }
}

/// By what suppressions are judged: one that silences nothing may be needed where the run did not look.
pub(super) struct Judged<'a> {
    checking: &'a Checking,
    /// Whether something was not looked at, wherever it is.
    blind: bool,
    /// Files of which something was not understood.
    broken: BTreeSet<String>,
    /// Whether objects were looked at without what is around them.
    one_by_one: bool,
}

impl<'a> Judged<'a> {
    /// What could be seen of an app, or of plain manifests.
    pub(super) fn new(app: &ExaminedApp, checking: &'a Checking) -> Self {
        let problems = || {
            let all = app.environments.iter().flat_map(|environment| &environment.problems);
            all.filter(|said| said.severity == Severity::Error)
        };
        let file = |at: &At| match at {
            At::Origin(origin) => Some(app.sources.place(*origin).path),
            At::Place(place) => Some(place.path.clone()),
            At::Nowhere => None,
        };
        let is_app = !app.directory.is_empty();
        Self {
            checking,
            blind: checking.blind.parts || is_app && problems().next().is_some(),
            broken: problems().filter_map(|said| file(&said.problem.at)).collect(),
            one_by_one: false,
        }
    }

    /// The same, of an object without what is around it.
    pub(super) fn one_by_one(self) -> Self {
        Self { one_by_one: true, ..self }
    }

    /// Whether something was not looked at.
    pub(super) fn is_blind(&self) -> bool {
        self.blind || self.one_by_one || !self.broken.is_empty()
    }

    fn sees(&self, suppression: &Suppression) -> bool {
        let is_broken = |span: &Span| self.broken.contains(&span.place.path);
        let of = |rule: &&&Rule| suppression.names(rule.info.id);
        !self.blind
            && !suppression.span.as_ref().is_some_and(is_broken)
            && rules::RULES.iter().filter(of).all(|rule| {
                let alone = rule.check.is_of_objects() || matches!(rule.check, Check::Stage);
                self.checking.sees(&rule.info) && (alone || !self.one_by_one)
            })
    }
}

/// Takes away what is wanted, and adds what is wrong with `own` suppressions; what was taken comes second.
pub(super) fn apply(
    findings: Vec<Finding>,
    own: &[Suppression],
    standing: &Standing,
    judged: &Judged<'_>,
) -> (Vec<Finding>, Vec<Finding>) {
    let mut all = SuppressionIndex::new(own, standing, judged.checking.today);
    let (taken, mut kept): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| all.silences(finding));
    kept.extend(own.iter().filter_map(|suppression| suppression.finding(judged)));
    (kept, taken)
}

/// The suppressions that count, by what they are for: no finding is compared with those of other lines and objects.
pub(super) struct SuppressionIndex<'s> {
    /// Numbers of groups, by lines and by objects.
    lines: HashMap<(&'s str, u32), usize>,
    objects: HashMap<(&'s str, &'s str, &'s str), usize>,
    groups: Vec<Group<'s>>,
    /// Settings; a settings file has few.
    settings: Vec<&'s Suppression>,
    /// Those among the settings that name a rule.
    by_rule: HashMap<&'static str, Vec<&'s Suppression>>,
}

/// Suppressions for one line, or for objects of one name.
#[derive(Default)]
struct Group<'s> {
    all: Vec<&'s Suppression>,
    /// Whether some of them is for findings of a rule in environments: all such findings are alike to them.
    known: HashMap<(&'static str, Vec<String>), bool>,
}

impl<'s> SuppressionIndex<'s> {
    pub(super) fn new(own: &'s [Suppression], standing: &'s Standing, today: Option<Date>) -> Self {
        let mut index = Self {
            lines: HashMap::new(),
            objects: HashMap::new(),
            groups: Vec::new(),
            settings: Vec::new(),
            by_rule: HashMap::new(),
        };
        let counts = |one: &&Suppression| one.malformed.is_none() && !one.is_expired(today);
        for one in own.iter().chain(&standing.suppressions).filter(counts) {
            let next = index.groups.len();
            let group = match &one.scope {
                Scope::Line { path, line } => *index.lines.entry((path, *line)).or_insert(next),
                Scope::Object { kind, namespace, name, .. } => {
                    *index.objects.entry((kind, namespace, name)).or_insert(next)
                }
                Scope::Setting { .. } => {
                    index.settings.push(one);
                    continue;
                }
            };
            if group == next {
                index.groups.push(Group::default());
            }
            index.groups.get_mut(group).into_iter().for_each(|group| group.all.push(one));
        }
        index
    }

    /// Whether some suppression is for a finding; each that is counts as used.
    pub(super) fn silences(&mut self, finding: &Finding) -> bool {
        if !finding.rule.is_suppressible() {
            return false;
        }
        let line = finding.span.as_ref().map(|Span { place, .. }| (place.path.as_str(), place.line));
        let object = finding.object.as_ref();
        let object = object.map(|of| (of.kind.as_str(), of.namespace.as_str(), of.name.as_str()));
        let groups =
            [line.and_then(|line| self.lines.get(&line)), object.and_then(|of| self.objects.get(&of))];
        let mut silenced = false;
        for number in groups.into_iter().flatten() {
            silenced |= self.groups.get_mut(*number).is_some_and(|group| group.silences(finding));
        }
        let settings = &self.settings;
        let named = self
            .by_rule
            .entry(finding.rule.id)
            .or_insert_with(|| settings.iter().copied().filter(|one| one.names(finding.rule.id)).collect());
        use_all(named, finding) | silenced
    }
}

impl Group<'_> {
    fn silences(&mut self, finding: &Finding) -> bool {
        let key = (finding.rule.id, finding.environments.clone());
        let all = &self.all;
        *self.known.entry(key).or_insert_with(|| use_all(all, finding))
    }
}

/// Marks all that are for a finding as used, and tells whether there is one.
fn use_all(suppressions: &[&Suppression], finding: &Finding) -> bool {
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
        finding.rule.is_suppressible() && self.names(finding.rule.id) && self.scope.holds(finding)
    }

    /// Whether it is for findings of a rule.
    fn names(&self, rule: &str) -> bool {
        self.rules.iter().any(|ids| ids.contains(&rule))
    }

    /// What is wrong with it.
    fn finding(&self, judged: &Judged<'_>) -> Option<Finding> {
        let (rule, message, hint): (&Rule, String, &str) =
            if let Some(Malformed { what, hint }) = self.malformed {
                (&suppression::MALFORMED, format!("suppression does not count: {what}"), hint)
            } else if self.is_expired(judged.checking.today) {
                let message = format!(
                    "suppression has expired{}",
                    self.until.map(|day| format!(" on {day}")).unwrap_or_default()
                );
                (
                    &suppression::EXPIRED,
                    message,
                    "repair what it silences, or give it a later day and a reason that still holds",
                )
            } else if !self.used.load(Ordering::Relaxed) && judged.sees(self) {
                (&suppression::UNUSED, "suppression silences nothing".to_owned(), "remove it")
            } else {
                return None;
            };
        let severity = judged.checking.level(&rule.info)?;
        Some(Finding {
            hint: Some(hint.to_owned()),
            span: self.span.clone(),
            ..Finding::new(&rule.info, severity, message)
        })
    }

    /// One entry of `validate.ignore`.
    pub(super) fn from_setting(entry: &IgnoreEntry, span: Option<Span>, names: &mut RuleNames) -> Self {
        let mut malformed = None;
        let mut compile = |text: &Option<String>| {
            let matcher = text.as_deref().map(glob);
            malformed = malformed
                .or(matches!(matcher, Some(None)).then_some(Malformed::new("a pattern is malformed")));
            matcher.flatten()
        };
        let scope = Scope::Setting {
            object: compile(&entry.object),
            path: compile(&entry.path),
            environments: entry.environments.clone(),
        };
        let new = Self::new(&[&entry.rule], scope, &entry.reason, entry.until, span, names);
        Self { malformed: malformed.or(new.malformed), ..new }.checked()
    }

    fn from_comment(comment: &Comment, span: Span, names: &mut RuleNames) -> Self {
        let rules: Vec<&str> = comment.rules.iter().map(String::as_str).collect();
        let scope = Scope::Line { path: span.place.path.clone(), line: comment.target };
        let mut suppression =
            Self::new(&rules, scope, &comment.reason, comment.until.ok().flatten(), Some(span), names);
        let wrong = match comment.slip {
            Some(Slip::Mark) => Some("it does not start with `# sealwave: ignore `"),
            Some(Slip::Separator) => Some("` -- ` is missing before its reason"),
            None => comment.until.is_err().then_some("its date is not one"),
        };
        suppression.malformed = wrong.map(Malformed::new).or(suppression.malformed);
        suppression.checked()
    }

    fn new(
        rules: &[&str],
        scope: Scope,
        reason: &str,
        until: Option<Date>,
        span: Option<Span>,
        names: &mut RuleNames,
    ) -> Self {
        let wanted: BTreeSet<&str> = rules.iter().copied().collect();
        let ids: Vec<RuleIds> = wanted.iter().filter_map(|rule| names.ids(rule)).collect();
        let malformed = if ids.is_empty() || ids.len() < wanted.len() || ids.iter().any(|ids| ids.is_empty())
        {
            Some(Malformed::new("it names no rule that there is"))
        } else {
            None
        };
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

    /// An annotation has no last day; one that says so anyway would count for ever.
    fn without_day(self) -> Self {
        let day = self.reason.split("until ").skip(1).find_map(|rest| rest.get(..10)?.parse::<Date>().ok());
        let says_so = day.is_some_and(|day| {
            let until = format!("until {day}");
            self.reason.starts_with(&until) || self.reason.contains(&format!("{until} --"))
        });
        let malformed = says_so.then_some(Malformed {
            what: "an annotation takes no last day",
            hint: "write a comment, `# sealwave: ignore RULE until YYYY-MM-DD -- REASON`, or an entry of `validate.ignore`",
        });
        Self { malformed: self.malformed.or(malformed), ..self }
    }

    fn checked(self) -> Self {
        let reason = self.reason.trim().is_empty().then_some(Malformed::new("it gives no reason"));
        Self { malformed: self.malformed.or(reason), ..self }
    }
}

impl Scope {
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

/// `*` ends at a `/`, as in the operator's policy.
fn glob(pattern: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().ok()?;
    Some(glob.compile_matcher())
}

impl Finder<'_> {
    /// The app's own suppressions: settings, comments and annotations.
    pub(super) fn suppressions(&self) -> Vec<Suppression> {
        let mut found = self.written();
        found.extend(self.annotated());
        found
    }

    /// Those of settings and comments.
    pub fn written(&self) -> Vec<Suppression> {
        let mut names = RuleNames::default();
        let mut found = Vec::new();
        for (entry, origin) in &self.app.ignore {
            let span = self.locator.locate(*origin).0;
            found.push(Suppression::from_setting(entry, Some(span), &mut names));
        }
        for (source, text) in self.app.texts.iter() {
            if self.app.sources.is_rendered(source) {
                continue;
            }
            for comment in comments(text.content(), text.lines_before()) {
                let place = sealwave_core::document::Place {
                    path: self.app.sources.name(source).to_owned(),
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

    /// Those of annotations; one that several environments share counts once.
    pub(super) fn annotated(&self) -> Vec<Suppression> {
        let mut names = RuleNames::default();
        let mut found: BTreeMap<(Span, String, String), Suppression> = BTreeMap::new();
        for environment in &self.app.environments {
            for object in &environment.objects {
                for entry in object.annotations().map_or(&[][..], |annotations| annotations.entries()) {
                    let Some(id) = entry.key.strip_prefix(names::IGNORE_PREFIX) else { continue };
                    let rule = id.replacen('.', "/", 1);
                    let (span, _) = self.locator.locate(entry.key_origin);
                    let key = (span.clone(), rule.clone(), object.namespace().to_owned());
                    let same = found.entry(key).or_insert_with(|| {
                        let reason = entry.value.as_str().unwrap_or_default();
                        let suppression = Suppression::new(
                            &[&rule],
                            of_object(object),
                            reason,
                            None,
                            Some(span),
                            &mut names,
                        );
                        suppression.checked().without_day()
                    });
                    if let Scope::Object { environments, .. } = &mut same.scope {
                        // Plain manifests are of no environment.
                        environments.extend(named(environment));
                    }
                }
            }
        }
        found.into_values().collect()
    }
}

fn of_object(object: &Manifest) -> Scope {
    Scope::Object {
        environments: Vec::new(),
        kind: object.kind().to_owned(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
    }
}
