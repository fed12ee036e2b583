//! Seventh verb, for CI: what is wrong with the objects of an app, and where in its sources.
//!
//! The rules of [`crate::rules`] look at what was examined; here their findings get places and pointers, those of several
//! environments that are one become one, and suppressions are heard. Pure: nothing is read and nothing is fetched.

mod advice;
mod comment;
mod completion;
mod definitions;
mod dumped;
mod echoes;
mod fallback;
mod finder;
mod identities;
mod kustomization;
mod locate;
mod merge;
mod packed;
mod plain;
mod pointer;
mod scalars;
mod schema_set;
mod schemas;
mod stream;
mod suppress;
mod unknown;
mod violations;
mod windows;

pub use definitions::{DefinitionRef, KnownDefinition, distance};
pub use fallback::{Answer, DefinitionSource, Fallback};
pub use packed::PackedSchemas;
pub use plain::{PlainInput, PlainVerdict, validate_plain};
pub use schema_set::SchemaSet;
pub use suppress::Standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use finder::{Finder, app_file};
use schemas::SchemaCheck;

use super::examine::{ExaminedApp, ExaminedEnvironment};
use crate::rules::{
    self, Check, Draft, EmbeddedObject, EmbeddedPod, Environment, Inventory, Made, Neighbours, Object,
    Reporter, Scene, Settings,
};
use crate::{Finding, RuleInfo, Span};
use sealwave_core::diagnostic::{Failure, Problem, Severity};
use sealwave_core::document::{Manifest, ObjectId};
use sealwave_core::time::Date;
use sealwave_kube::Scopes;
use sealwave_kube::catalogue::Catalogue;
use sealwave_kube::schema::KubeVersion;

/// What a run was told.
#[derive(Clone, Debug, Default)]
pub struct Checking {
    /// The versions of Kubernetes to check against; none where schemas do not matter.
    pub kube_versions: Vec<KubeVersion>,
    /// Their schemas, with the definitions that are known to all.
    pub schemas: Arc<SchemaSet>,
    /// The definitions that are known to all.
    pub definitions: Arc<Vec<KnownDefinition>>,
    /// The built-in definitions; none where they are not wanted.
    pub packed: Option<Arc<PackedSchemas>>,
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
            && !(self.blind.seals && rule.id == rules::seal::foreign_certificate::RULE.info.id)
            && !(self.reject.is_empty() && rule.id == rules::schema::REJECTED_KIND.info.id)
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
            _ if self.lenient && rule.id == rules::document::DUPLICATE_KEY.info.id => Some(Severity::Warning),
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
    let embedded: Vec<Vec<EmbeddedPod>> = app
        .environments
        .iter()
        .map(|environment| rules::embedded_pods::read(&environment.objects, &app.texts))
        .collect();
    let scenes: Vec<Environment<'_>> = app
        .environments
        .iter()
        .zip(scopes.iter().zip(&embedded))
        .map(|(environment, (scopes, embedded))| {
            let neighbours = checking.neighbours.get(&environment.name).unwrap_or(&nobody);
            scene(app, environment, (scopes, embedded), neighbours, checking)
        })
        .collect();
    let mut drafts = check_schemas(&scenes, set, checking);
    drafts.extend(run(&scenes, &app.beside, checking));
    drafts.retain(|draft| {
        let object = draft.subject.and_then(|at| scenes.get(at.environment)?.objects.get(at.object));
        object.is_none_or(|object| !is_skipped(draft, object.manifest, checking))
    });
    let finder = Finder::new(app, checking);
    let mut findings: Vec<Finding> = finder.stages().collect();
    findings.extend(finder.findings(echoes::without_echoes(drafts)));
    let judged = suppress::Judged::new(app, checking);
    let (findings, suppressed) = suppress::apply(findings, &finder.suppressions(), standing, &judged);
    Verdict {
        findings: merge::merge(findings),
        suppressed: merge::merge(suppressed),
        blind: judged.is_blind(),
        ..Verdict::default()
    }
}

/// What each environment of a repository's apps makes, as the others see it.
#[must_use]
pub fn neighbours(apps: &[&ExaminedApp]) -> BTreeMap<String, Neighbours> {
    let name = |environment: &ExaminedEnvironment| Arc::from(environment.name.as_str());
    let environments = |app: &&ExaminedApp| {
        (Arc::from(app.directory.as_str()), app.environments.iter().map(name).collect::<Vec<Arc<str>>>())
    };
    let named: Vec<(Arc<str>, Vec<Arc<str>>)> = apps.iter().map(environments).collect();
    let made =
        apps.iter().flat_map(|app| app.environments.iter().flat_map(|environment| made(app, environment)));
    let shared = apps.iter().flat_map(|app| {
        let directory: Arc<str> = app.directory.as_str().into();
        shared_paths(app).into_iter().map(move |path| (path, Arc::clone(&directory)))
    });
    Neighbours::views(&named, made, shared)
}

/// The paths that production and another environment of an app read.
fn shared_paths(app: &ExaminedApp) -> BTreeSet<rules::SecretPath> {
    let all = app.environments.iter();
    let environments: Vec<_> = all
        .map(|environment| {
            let object = |number: usize| environment.objects.get(number);
            rules::EnvironmentSecrets::new(&environment.name, &environment.secrets, object)
        })
        .collect();
    rules::shared_paths(&environments)
}

/// What an environment makes: its objects, and what they supply.
fn made(app: &ExaminedApp, environment: &ExaminedEnvironment) -> Vec<(ObjectId, Made)> {
    let objects: Vec<Object<'_>> =
        environment.objects.iter().map(|manifest| Object::new(manifest, &app.workloads)).collect();
    let inventory = Inventory::new(&Catalogue::new(&environment.objects), &objects, &[]);
    let directory: Arc<str> = app.directory.as_str().into();
    let (name, cluster): (Arc<str>, Arc<str>) =
        (environment.name.as_str().into(), environment.cluster.as_str().into());
    let made = |keys, object| Made {
        app: Arc::clone(&directory),
        environment: Arc::clone(&name),
        cluster: Arc::clone(&cluster),
        keys,
        object,
    };
    let supplied = inventory.exports().map(|(id, contents)| (id, made(contents.all(), None)));
    let itself = objects
        .iter()
        .map(|object| (object.manifest.id(), made(None, Some(app.sources.place(object.name_at())))));
    supplied.chain(itself).collect()
}

/// What is wrong with definitions of custom resources that others are checked against.
#[must_use]
pub fn definition_faults(checking: &Checking, standing: &Standing) -> Verdict {
    let rule = &rules::schema::DEFINITION.info;
    let Some(severity) = checking.level(rule) else { return Verdict::default() };
    let finding = |problem: &Problem| Finding::of_problem(rule, severity, problem);
    let findings = checking.definition_faults.iter().map(finding).collect();
    let judged = suppress::Judged::new(&ExaminedApp::plain(), checking);
    let (findings, suppressed) = suppress::apply(findings, &[], standing, &judged);
    Verdict { findings: merge::merge(findings), suppressed: merge::merge(suppressed), ..Verdict::default() }
}

/// What is wrong with an app that cannot even be examined.
#[must_use]
pub fn refused(directory: &str, failure: &Failure) -> Verdict {
    let app_file = app_file(directory);
    let finding = |problem: &Problem| {
        let rule = problem.rule.and_then(rules::rule).unwrap_or(&rules::app::LOAD.info);
        let finding = Finding::of_problem(rule, Severity::Error, problem);
        let span = finding.span.or_else(|| Some(Span { place: app_file.clone(), width: 0 }));
        Finding { span, app: directory.to_owned(), ..finding }
    };
    let findings = failure.problems().iter().chain(failure.rest().as_ref()).map(finding).collect();
    Verdict { findings, blind: true, ..Verdict::default() }
}

fn scene<'a>(
    app: &'a ExaminedApp,
    environment: &'a ExaminedEnvironment,
    (scopes, embedded): (&'a Scopes, &'a [EmbeddedPod]),
    neighbours: &'a Neighbours,
    checking: &'a Checking,
) -> Environment<'a> {
    let objects: Vec<Object<'_>> =
        environment.objects.iter().map(|manifest| Object::new(manifest, &app.workloads)).collect();
    let catalogue = Catalogue::new(&environment.objects);
    let embedded: Vec<EmbeddedObject<'_>> = embedded.iter().map(EmbeddedObject::new).collect();
    let inventory = Inventory::new(&catalogue, &objects, &embedded);
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
        embedded,
        catalogue,
        secrets: &environment.secrets,
        emitted: environment.emitted.as_deref(),
        values: environment.values.as_ref(),
        written: &environment.written,
        unused: &environment.unused,
        app: &app.directory,
        cluster: &environment.cluster,
        sealed_for: environment.sealed_for,
        neighbours,
        uses: std::cell::OnceCell::new(),
        conflicts: std::cell::OnceCell::new(),
    }
}

/// The schemas with those definitions that the app brings itself; none where it brings none.
fn own_schemas(app: &ExaminedApp, checking: &Checking) -> Option<SchemaSet> {
    let mut own = app.definitions().peekable();
    let has_own = own.peek().is_some();
    let all = own.chain(checking.definitions.iter().map(KnownDefinition::view));
    has_own.then(|| SchemaSet::with_places(&checking.kube_versions, all))
}

fn check_schemas(environments: &[Environment<'_>], set: &SchemaSet, checking: &Checking) -> Vec<Draft> {
    let mut reporter = Reporter::default();
    let is_plain = environments.first().is_some_and(Environment::is_plain);
    let mut check = SchemaCheck::new(set, checking, is_plain);
    for (number, environment) in environments.iter().enumerate() {
        // What is said once of a kind is said where somebody looks.
        let (judged, others): (Vec<_>, Vec<_>) =
            environment.objects.iter().enumerate().partition(|(_, view)| {
                !checking.unjudged.contains(environment.scene.sources.name(view.manifest.origin().source))
            });
        for (object, view) in judged.into_iter().chain(others) {
            reporter.look_at(number, Some(object));
            check.check(view, environment.scene.sources, &mut reporter);
        }
    }
    reporter.take()
}

/// Runs every rule that is on.
fn run(environments: &[Environment<'_>], files: &[rules::FileBeside], checking: &Checking) -> Vec<Draft> {
    let mut reporter = Reporter::default();
    let mut drafts = Vec::new();
    for rule in rules::RULES {
        if checking.level(&rule.info).is_none() {
            continue;
        }
        match &rule.check {
            Check::App(check) => {
                reporter.look_at(0, None);
                check(&rules::App { environments, files }, &mut reporter);
            }
            Check::Environment(_) | Check::Object(_) | Check::ObjectAndEnvironment(..) | Check::Pod(_) => {
                for (number, environment) in environments.iter().enumerate() {
                    if let Some(check) = rule.check.of_environment() {
                        reporter.look_at(number, None);
                        check(environment, &mut reporter);
                    }
                    check_objects(rule, number, &environment.objects, &environment.scene, &mut reporter);
                    check_embedded(rule, number, environment, &mut reporter);
                }
            }
            Check::Stage => {}
        }
        drafts.extend(reporter.take().into_iter().map(|draft| checking.leveled(placed(draft, environments))));
    }
    drafts
}

/// Lets a rule look at the pods within the `ConfigMaps` of an environment.
fn check_embedded(rule: &rules::Rule, number: usize, environment: &Environment<'_>, reporter: &mut Reporter) {
    if environment.embedded.is_empty() || !rules::embedded_pods::is_checked_by(rule) {
        return;
    }
    for pod in &environment.embedded {
        if let Some(check) = rule.check.of_object(&pod.object) {
            reporter.look_at(number, Some(pod.owner()));
            check(&pod.object, &environment.scene, reporter);
        }
    }
}

/// Completes a finding about a pod within a ConfigMap.
fn placed(draft: Draft, environments: &[Environment<'_>]) -> Draft {
    match draft.subject.and_then(|subject| environments.get(subject.environment)) {
        Some(environment) if !environment.embedded.is_empty() => {
            rules::embedded_pods::placed(draft, &environment.embedded)
        }
        _ => draft,
    }
}

/// Lets a rule look at the objects of an environment, one after another.
fn check_objects(
    rule: &rules::Rule,
    environment: usize,
    objects: &[Object<'_>],
    scene: &Scene<'_>,
    reporter: &mut Reporter,
) {
    for (number, object) in objects.iter().enumerate() {
        if let Some(check) = rule.check.of_object(object) {
            reporter.look_at(environment, Some(number));
            check(object, scene, reporter);
        }
    }
}

/// Those rules that are on and need one object at a time.
fn object_rules(checking: &Checking) -> impl Iterator<Item = &'static rules::Rule> {
    let rules = rules::RULES.iter().copied().filter(|rule| rule.check.is_of_objects());
    rules.filter(|rule| checking.level(&rule.info).is_some())
}

/// Whether it is about an object that is not to be looked at; that such an object must not be there is said all the same.
fn is_skipped(draft: &Draft, object: &Manifest, checking: &Checking) -> bool {
    draft.rule.id != rules::schema::REJECTED_KIND.info.id && schemas::selects(&checking.skip, object)
}
