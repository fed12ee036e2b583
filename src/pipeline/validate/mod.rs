//! Seventh verb, for CI: what is wrong with the objects of an app, and where in its sources.
//!
//! The rules of [`crate::lints`] look at what was examined; here their findings get places and pointers, those of several
//! environments that are one become one, and suppressions are heard. Pure: nothing is read and nothing is fetched.

mod advice;
mod comment;
mod dumped;
mod fallback;
mod locate;
mod merge;
mod plain;
mod pointer;
mod scalars;
mod schemas;
mod stream;
mod suppress;
mod windows;

pub use fallback::{Answer, Fallback};
pub use plain::{PlainInput, PlainVerdict, validate_plain};
pub use schemas::SchemaSet;
pub use suppress::Standing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use locate::Locator;
use pointer::Way;
use schemas::SchemaCheck;

use super::examine::{ExaminedApp, ExaminedEnvironment, StageProblem};
use crate::diagnostic::{At, Failure, Finding, ObjectRef, Problem, Related, RuleInfo, Severity, Span};
use crate::lints::{
    self, Check, Draft, ENCRYPTED_LEFTOVER, Environment, Inventory, Made, Neighbours, Object, ObjectCheck,
    Reporter, Scene, Settings, is_of_sops,
};
use crate::model::catalogue::Catalogue;
use crate::model::{APP_FILE, Date, Manifest, ObjectId, Origin, Place, Scopes, display_path};
use crate::schema::KubeVersion;

/// What a run was told.
#[derive(Clone, Debug, Default)]
pub struct Checking {
    /// The versions of Kubernetes to check against; none where schemas do not matter.
    pub kube_versions: Vec<KubeVersion>,
    /// Their schemas, with the definitions that are known to all.
    pub schemas: Arc<SchemaSet>,
    /// The definitions that are known to all.
    pub definitions: Arc<Vec<Manifest>>,
    /// What knows of other definitions; none where nothing else is asked.
    pub fallback: Option<Arc<dyn Fallback>>,
    /// What is wrong with those that settings and flags name.
    pub definition_faults: Vec<Problem>,
    /// What exists elsewhere.
    pub settings: Settings,
    /// What the apps of the repository render, by environment.
    pub neighbours: Arc<BTreeMap<String, Neighbours>>,
    /// Where plain objects go that do not say it.
    pub namespace: Option<String>,
    /// Whether an object of a kind without a schema is an error.
    pub strict_kinds: bool,
    /// Whether unknown fields and keys given twice are warnings.
    pub lenient: bool,
    /// Kinds that are not checked: `Kind` or `group/version/Kind`.
    pub skip: Vec<String>,
    /// Kinds that are errors: `Kind` or `group/version/Kind`.
    pub reject: Vec<String>,
    /// Plain files, by their names, that are read for what others refer to, and not judged.
    pub unjudged: Arc<BTreeSet<String>>,
    /// The day of the run, after which suppressions count no more; none where no day passes.
    pub today: Option<Date>,
    /// What the run does not see.
    pub blind: Blind,
    /// The severity of rules whose own is not wanted; none where a rule is off.
    pub levels: BTreeMap<String, Option<Severity>>,
}

/// What a run does not see. A suppression may be for that, so it is not said to be unused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Blind {
    /// Environments, files or objects that flags leave out.
    pub parts: bool,
    /// For which certificate something was sealed: there is no operator file.
    pub seals: bool,
    /// Versions of Kubernetes other than those that a flag or a variable names.
    pub versions: bool,
}

impl Checking {
    /// Whether some place of a finding is in what is judged; what has no place is about everything.
    fn judges(&self, finding: &Finding) -> bool {
        let mut places = finding.span.iter().chain(finding.related.iter().map(|related| &related.span));
        finding.span.is_none() || places.any(|span| !self.unjudged.contains(&span.place.path))
    }

    /// Whether the run finds all that there is to find under a rule.
    fn sees(&self, rule: &RuleInfo) -> bool {
        let by_version = ["api/", "schema/"].iter().any(|group| rule.id.starts_with(group));
        self.level(rule).is_some()
            && !(self.blind.versions && by_version)
            && !(self.blind.seals && rule.id == lints::seal::foreign_certificate::RULE.info.id)
            && !(self.reject.is_empty() && rule.id == lints::schema::REJECTED_KIND.info.id)
    }

    /// The severity of a rule in this run; none where it does not run.
    fn level(&self, rule: &RuleInfo) -> Option<Severity> {
        match self.levels.get(rule.id) {
            Some(level) => *level,
            None => rule.enabled.then_some(rule.severity),
        }
    }

    /// A draft with the severity that its rule has in this run.
    fn leveled(&self, draft: Draft) -> Draft {
        match self.levels.get(draft.rule.id) {
            Some(Some(level)) => draft.severity(*level),
            _ => draft,
        }
    }

    /// The severity of what a stage says under a rule; none where the rule is off.
    fn level_of_stage(&self, rule: &RuleInfo, said: Severity) -> Option<Severity> {
        match self.levels.get(rule.id) {
            Some(level) if rule.is_adjustable() => *level,
            _ if self.lenient && rule.id == lints::document::DUPLICATE_KEY.info.id => Some(Severity::Warning),
            _ => Some(said),
        }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What is wrong, in order.
    pub findings: Vec<Finding>,
    /// What is wanted as it is, in order; whoever shows a source must know what it withholds.
    pub suppressed: Vec<Finding>,
    /// What is wrong where nobody looks; whoever shows a source must know what it withholds.
    pub passed_over: Vec<Finding>,
    /// Whether something kept a part of it from being looked at.
    pub blind: bool,
}

impl Verdict {
    /// Passes over what is in no place that is judged.
    fn narrow(&mut self, checking: &Checking) {
        if checking.unjudged.is_empty() {
            return;
        }
        for findings in [&mut self.findings, &mut self.suppressed] {
            let (judged, other) =
                std::mem::take(findings).into_iter().partition(|finding| checking.judges(finding));
            *findings = judged;
            self.passed_over.extend::<Vec<Finding>>(other);
        }
    }
}

/// Looks for everything that is wrong with an app.
#[must_use]
pub fn validate(app: &ExaminedApp, checking: &Checking, standing: &Standing) -> Verdict {
    let nobody = Neighbours::default();
    let own = own_schemas(app, checking);
    let set = own.as_ref().unwrap_or(&checking.schemas);
    let scopes: Vec<Scopes> =
        app.environments.iter().map(|environment| checking.scopes(set, &environment.objects)).collect();
    let scenes: Vec<Environment<'_>> = app
        .environments
        .iter()
        .zip(&scopes)
        .map(|(environment, scopes)| {
            let neighbours = checking.neighbours.get(&environment.name).unwrap_or(&nobody);
            scene(app, environment, scopes, neighbours, checking)
        })
        .collect();
    let mut drafts = check_schemas(&scenes, set, checking);
    drafts.extend(run(&scenes, checking));
    drafts.retain(|draft| {
        let object = draft.subject.and_then(|at| scenes.get(at.environment)?.objects.get(at.object));
        object.is_none_or(|object| !is_skipped(draft, object.manifest, checking))
    });
    let finder = Finder::new(app, checking);
    let mut findings: Vec<Finding> = finder.stages().collect();
    findings.extend(drafts.into_iter().map(|draft| finder.finding(draft)));
    let judged = suppress::Judged::new(app, checking);
    let (findings, suppressed) = suppress::apply(findings, &finder.suppressions(), standing, &judged);
    Verdict {
        findings: merge::merge(findings),
        suppressed: merge::merge(suppressed),
        blind: judged.is_blind(),
        ..Verdict::default()
    }
}

/// What each environment of a repository's apps makes. An app without an environment of some name counts there with all
/// that it has: what several environments share often has none, or one of its own.
#[must_use]
pub fn neighbours(apps: &[&ExaminedApp]) -> BTreeMap<String, Neighbours> {
    let names: BTreeSet<&str> =
        apps.iter().flat_map(|app| &app.environments).map(|environment| environment.name.as_str()).collect();
    let mut all: BTreeMap<String, Neighbours> = BTreeMap::new();
    for app in apps {
        for environment in &app.environments {
            let made = made(app, environment);
            let has = |name: &str| app.environments.iter().any(|environment| environment.name == name);
            for name in names.iter().filter(|name| **name == environment.name || !has(name)) {
                let cluster = (**name == environment.name).then(|| environment.cluster.as_str().into());
                let made = made
                    .iter()
                    .map(|(id, made)| (id.clone(), Made { cluster: cluster.clone(), ..made.clone() }));
                all.entry((*name).to_owned()).or_default().extend(made);
            }
        }
    }
    all
}

/// What an environment makes: its objects, and what they supply.
fn made(app: &ExaminedApp, environment: &ExaminedEnvironment) -> Vec<(ObjectId, Made)> {
    let objects: Vec<Object<'_>> =
        environment.objects.iter().map(|manifest| Object::new(manifest, &app.workloads)).collect();
    let inventory = Inventory::new(&Catalogue::new(&environment.objects), &objects);
    let directory: Arc<str> = app.directory.as_str().into();
    let made = |keys, object| Made { app: Arc::clone(&directory), cluster: None, keys, object };
    let supplied = inventory.exports().map(|(id, contents)| (id, made(contents.all(), None)));
    let itself = objects
        .iter()
        .map(|object| (object.manifest.id(), made(None, Some(app.sources.place(object.name_at())))));
    supplied.chain(itself).collect()
}

/// What is wrong with definitions of custom resources that others are checked against.
#[must_use]
pub fn definition_faults(checking: &Checking, standing: &Standing) -> Verdict {
    let rule = &lints::schema::DEFINITION.info;
    let Some(severity) = checking.level(rule) else { return Verdict::default() };
    let finding = |problem: &Problem| Finding {
        rule,
        severity,
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        span: match &problem.at {
            At::Place(place) => Some(Span { place: place.clone(), width: 0 }),
            At::Nowhere | At::Origin(_) => None,
        },
        related: Vec::new(),
        object: None,
        pointer: String::new(),
        app: String::new(),
        environments: Vec::new(),
        confidential: true,
    };
    let findings = checking.definition_faults.iter().map(finding).collect();
    let judged = suppress::Judged::new(&ExaminedApp::plain(), checking);
    let (findings, suppressed) = suppress::apply(findings, &[], standing, &judged);
    Verdict { findings: merge::merge(findings), suppressed: merge::merge(suppressed), ..Verdict::default() }
}

/// What is wrong with an app that cannot even be examined.
#[must_use]
pub fn refused(directory: &str, failure: &Failure) -> Verdict {
    let app_file = app_file(directory);
    let finding = |problem: &Problem| Finding {
        rule: problem.rule.and_then(lints::rule).unwrap_or(&lints::app::LOAD.info),
        severity: Severity::Error,
        message: problem.message.clone(),
        hint: problem.hint.clone(),
        span: match &problem.at {
            At::Place(place) => Some(Span { place: place.clone(), width: 0 }),
            At::Nowhere | At::Origin(_) => Some(Span { place: app_file.clone(), width: 0 }),
        },
        related: Vec::new(),
        object: None,
        pointer: String::new(),
        app: directory.to_owned(),
        environments: Vec::new(),
        confidential: true,
    };
    let findings = failure.problems().iter().map(finding).collect();
    Verdict { findings, blind: true, ..Verdict::default() }
}

fn scene<'a>(
    app: &'a ExaminedApp,
    environment: &'a ExaminedEnvironment,
    scopes: &'a Scopes,
    neighbours: &'a Neighbours,
    checking: &'a Checking,
) -> Environment<'a> {
    let objects: Vec<Object<'_>> =
        environment.objects.iter().map(|manifest| Object::new(manifest, &app.workloads)).collect();
    let catalogue = Catalogue::new(&environment.objects);
    let inventory = Inventory::new(&catalogue, &objects);
    Environment {
        name: &environment.name,
        scene: Scene {
            is_plain: environment.name.is_empty(),
            texts: &app.texts,
            sources: &app.sources,
            scopes,
            settings: &checking.settings,
        },
        inventory,
        objects,
        catalogue,
        secrets: &environment.secrets,
        emitted: environment.emitted.as_deref(),
        values: environment.values.as_ref(),
        app: &app.directory,
        cluster: &environment.cluster,
        neighbours,
    }
}

/// The schemas with those definitions that the app brings itself; none where it brings none.
fn own_schemas(app: &ExaminedApp, checking: &Checking) -> Option<SchemaSet> {
    let objects = || app.environments.iter().flat_map(|environment| &environment.objects);
    let own = objects().filter(|object| schemas::is_definition(object));
    own.clone().next()?;
    let all = checking.definitions.iter().chain(own).map(Manifest::root);
    Some(SchemaSet::new(&checking.kube_versions, all))
}

fn check_schemas(environments: &[Environment<'_>], set: &SchemaSet, checking: &Checking) -> Vec<Draft> {
    let mut reporter = Reporter::default();
    let mut check = SchemaCheck::new(set, checking);
    for (number, environment) in environments.iter().enumerate() {
        // What is said once of a kind is said where somebody looks.
        let (judged, others): (Vec<_>, Vec<_>) =
            environment.objects.iter().enumerate().partition(|(_, view)| {
                !checking.unjudged.contains(environment.scene.sources.name(view.manifest.origin().source))
            });
        for (object, view) in judged.into_iter().chain(others) {
            reporter.look_at(number, Some(object));
            check.check(view, &mut reporter);
        }
    }
    reporter.take()
}

/// Runs every rule that is on.
fn run(environments: &[Environment<'_>], checking: &Checking) -> Vec<Draft> {
    let mut reporter = Reporter::default();
    let mut drafts = Vec::new();
    for rule in lints::RULES {
        if checking.level(&rule.info).is_none() {
            continue;
        }
        match &rule.check {
            Check::App(check) => {
                reporter.look_at(0, None);
                check(&lints::App { environments }, &mut reporter);
            }
            Check::Environment(check) => {
                for (number, environment) in environments.iter().enumerate() {
                    reporter.look_at(number, None);
                    check(environment, &mut reporter);
                }
            }
            Check::Object(check) => {
                for (number, environment) in environments.iter().enumerate() {
                    for (object, view) in environment.objects.iter().enumerate() {
                        reporter.look_at(number, Some(object));
                        check(view, &environment.scene, &mut reporter);
                    }
                }
            }
            Check::Stage => {}
        }
        drafts.extend(reporter.take().into_iter().map(|draft| checking.leveled(draft)));
    }
    drafts
}

/// Those rules that are on and need one object at a time.
fn object_checks(checking: &Checking) -> impl Iterator<Item = ObjectCheck> {
    let on = lints::RULES.iter().filter(|rule| checking.level(&rule.info).is_some());
    on.filter_map(|rule| match &rule.check {
        Check::Object(check) => Some(*check),
        _ => None,
    })
}

/// Whether it is about an object that is not to be looked at; that such an object must not be there is said all the same.
fn is_skipped(draft: &Draft, object: &Manifest, checking: &Checking) -> bool {
    draft.rule.id != lints::schema::REJECTED_KIND.info.id && schemas::selects(&checking.skip, object)
}

/// Gives findings their places.
struct Finder<'a> {
    app: &'a ExaminedApp,
    checking: &'a Checking,
    locator: Locator<'a>,
}

impl<'a> Finder<'a> {
    fn new(app: &'a ExaminedApp, checking: &'a Checking) -> Self {
        let values = app.environments.iter().filter_map(|environment| environment.values.as_ref()).collect();
        Self { app, checking, locator: Locator::new(&app.sources, &app.texts, values) }
    }

    /// What the stages said.
    fn stages(&self) -> impl Iterator<Item = Finding> + use<'_, 'a> {
        self.app.environments.iter().flat_map(move |environment| {
            // A stage says where an object starts, which has no width.
            let objects = environment.objects.iter().filter(|_| !environment.problems.is_empty());
            let starts: BTreeMap<Origin, Origin> =
                objects.map(|object| (object.origin(), object.root().shown_at())).collect();
            let encrypted = self.encrypted(environment);
            let problems =
                environment.problems.iter().filter(move |said| !is_of_any(&encrypted, &said.problem));
            problems.filter_map(move |problem| self.stage(environment, &starts, problem))
        })
    }

    /// The objects that SOPS encrypted: what a stage minds about them has a rule of its own, where that is on.
    fn encrypted<'e>(&self, environment: &'e ExaminedEnvironment) -> Vec<&'e Manifest> {
        let is_said = self.checking.level(&ENCRYPTED_LEFTOVER.info).is_some();
        let objects = environment.objects.iter().filter(|_| is_said && !environment.problems.is_empty());
        objects.filter(|object| lints::sops_block(object).is_some()).collect()
    }

    fn stage(
        &self,
        environment: &ExaminedEnvironment,
        starts: &BTreeMap<Origin, Origin>,
        said: &StageProblem,
    ) -> Option<Finding> {
        let problem = &said.problem;
        let rule = problem.rule.and_then(lints::rule).unwrap_or(&said.rule.info);
        let severity = self.checking.level_of_stage(rule, said.severity)?;
        let (span, related) = match &problem.at {
            // Plain manifests have no such file.
            At::Nowhere => {
                let file = Some(&self.app.directory).filter(|directory| !directory.is_empty());
                (file.map(|directory| Span { place: app_file(directory), width: 0 }), Vec::new())
            }
            At::Origin(origin) => {
                let origin = *starts.get(origin).unwrap_or(origin);
                let (span, mut related) = self.locator.locate(origin);
                // Nor is it known what a stage trips over.
                for value in &mut related {
                    value.confidential = true;
                }
                (Some(span), related)
            }
            At::Place(place) => (Some(Span { place: place.clone(), width: 0 }), Vec::new()),
        };
        Some(Finding {
            rule,
            severity,
            message: problem.message.clone(),
            hint: problem.hint.clone(),
            span,
            related,
            object: None,
            pointer: String::new(),
            app: self.app.directory.clone(),
            environments: named(environment),
            // What stands there was not understood; it may be a part of a Secret.
            confidential: true,
        })
    }

    fn finding(&self, draft: Draft) -> Finding {
        let subject = draft.subject;
        let environment = subject.and_then(|subject| self.app.environments.get(subject.environment));
        let object = subject.and_then(|subject| environment?.objects.get(subject.object));
        let confidential = draft.confidential || object.is_some_and(Manifest::is_secret_like);
        let root = object.map(Manifest::root);
        let given = draft.pointer.as_deref().map(Way::given);
        let way = root.and_then(|root| Some((root, given.or_else(|| Way::to(root, draft.at))?)));
        let at = way.as_ref().map_or(draft.at, |(root, way)| way.place(root, draft.at));
        let (span, mut related) = self.place(draft.at, at);
        // The values behind a place are no more secret than the place, where all of them is there.
        for related in &mut related {
            related.confidential |= confidential;
        }
        related.splice(
            0..0,
            draft.related.into_iter().map(|(at, label)| {
                let inside = root.is_some_and(|root| Way::to(root, at).is_some());
                self.related(at, label, confidential || !inside)
            }),
        );
        related.extend(draft.elsewhere.into_iter().map(|(place, label)| Related {
            label,
            span: Span { place, width: 0 },
            confidential: true,
        }));
        // What several environments share may be named as the other place of itself.
        related.retain(|related| !is_same(&related.span.place, &span.place));
        Finding {
            rule: draft.rule,
            severity: draft.severity,
            message: draft.message,
            hint: draft.hint,
            span: Some(span),
            related,
            object: object.map(object_ref),
            pointer: way.map(|(root, way)| way.pointer(root)).unwrap_or_default(),
            app: self.app.directory.clone(),
            environments: environment.map(named).unwrap_or_default(),
            confidential,
        }
    }

    /// Where it stands, or where it is better shown; a value that a template printed leads to where it comes from.
    fn place(&self, at: Origin, better: Origin) -> (Span, Vec<Related>) {
        let shown = self.locator.locate(better);
        if at == better || !shown.1.is_empty() {
            return shown;
        }
        Some(self.locator.locate(at)).filter(|(_, values)| !values.is_empty()).unwrap_or(shown)
    }

    /// Another place; what stands in another object may be a secret whatever this finding is about.
    fn related(&self, at: Origin, label: String, confidential: bool) -> Related {
        Related { label, span: self.locator.locate(at).0, confidential }
    }
}

/// Whether a problem is about what stands in one of these objects only since SOPS encrypted it.
fn is_of_any(encrypted: &[&Manifest], problem: &Problem) -> bool {
    matches!(problem.at, At::Origin(at) if encrypted.iter().any(|object| is_of_sops(object, at)))
}

/// The place of what is wrong with an app as a whole.
fn app_file(directory: &str) -> Place {
    Place { path: display_path(&Path::new(directory).join(APP_FILE)), line: 0, column: 0, rendered: None }
}

fn is_same(a: &Place, b: &Place) -> bool {
    (&a.path, a.line, a.column) == (&b.path, b.line, b.column)
}

/// Its name, where it has one: plain manifests are of no environment.
fn named(environment: &ExaminedEnvironment) -> Vec<String> {
    Some(environment.name.clone()).filter(|name| !name.is_empty()).into_iter().collect()
}

fn object_ref(manifest: &Manifest) -> ObjectRef {
    ObjectRef {
        api_version: manifest.api_version().to_owned(),
        kind: manifest.kind().to_owned(),
        namespace: manifest.namespace().to_owned(),
        name: manifest.name().to_owned(),
    }
}
