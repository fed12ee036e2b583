//! The `validate` stage, for CI: reports problems with the objects of an app, and their places in its sources.
//!
//! The rules of [`crate::rules`] check the examined objects. This module adds places and pointers to their findings,
//! merges equal findings of several environments, and applies suppressions. It is pure: nothing is read or fetched.

mod advice;
mod comment;
mod completion;
mod definitions;
mod echoes;
mod expanded_values;
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
pub use fallback::{CrdFallback, DefinitionSource, FallbackSchemas};
pub use packed::PackedSchemas;
pub use plain::{PlainInput, PlainResult, validate_plain};
pub use schema_set::SchemaSet;
pub use suppress::RunSuppressions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use finder::{FindingBuilder, app_file_place};
use schemas::SchemaCheck;

use super::examine::{ExaminedApp, ExaminedEnvironment};
use crate::rules::{
    self, CheckedEnvironment, CheckedObject, EmbeddedObject, EmbeddedPod, FindingDraft, Inventory,
    NeighborApps, NeighborObject, Reporter, RuleCheck, RuleContext, RuleSettings,
};
use crate::{Finding, RuleInfo, Span};
use sealwave_core::diagnostic::{Failure, Problem, Severity};
use sealwave_core::document::{Manifest, ObjectId};
use sealwave_core::time::Date;
use sealwave_kube::KindScopes;
use sealwave_kube::catalog::ObjectCatalog;
use sealwave_kube::schema::KubeVersion;

/// The options of a run.
#[derive(Clone, Debug, Default)]
pub struct ValidateOptions {
    /// The Kubernetes versions to check against; empty if schemas are not checked.
    pub kube_versions: Vec<KubeVersion>,
    /// The schemas of these versions, with the shared definitions.
    pub schemas: Arc<SchemaSet>,
    /// The definitions shared by all apps.
    pub definitions: Arc<Vec<KnownDefinition>>,
    /// The built-in definitions; `None` if disabled.
    pub packed: Option<Arc<PackedSchemas>>,
    /// The fallback for other definitions, if any.
    pub fallback: Option<Arc<dyn CrdFallback>>,
    /// Problems of the definitions that settings and flags name.
    pub definition_faults: Vec<Problem>,
    /// Settings about objects that exist elsewhere.
    pub settings: RuleSettings,
    /// The objects that the apps of the repository render, by environment.
    pub neighbours: Arc<BTreeMap<String, NeighborApps>>,
    /// The default namespace of plain objects.
    pub namespace: Option<String>,
    /// Whether an object of a kind without a schema is an error.
    pub strict_kinds: bool,
    /// Whether unknown fields and duplicate keys are warnings.
    pub lenient: bool,
    /// Kinds that are not checked: `Kind` or `group/version/Kind`.
    pub skip: Vec<String>,
    /// Kinds that are errors: `Kind` or `group/version/Kind`.
    pub reject: Vec<String>,
    /// The names of plain files that only provide objects for references and are not checked.
    pub context_files: Arc<BTreeSet<String>>,
    /// Today's date, which expires suppressions; `None` disables expiry.
    pub today: Option<Date>,
    /// Parts of the input that the run does not cover.
    pub gaps: CoverageGaps,
    /// Overridden severities of rules; `None` disables a rule.
    pub levels: BTreeMap<String, Option<Severity>>,
}

/// Parts of the input that a run does not cover. Suppressions for them are not reported as unused.
#[derive(Clone, Copy, Debug, Default)]
pub struct CoverageGaps {
    /// Environments, files or objects are excluded by flags.
    pub parts: bool,
    /// Sealing certificates are unknown, as there is no operator file.
    pub seals: bool,
    /// A flag or variable restricts the Kubernetes versions.
    pub versions: bool,
}

impl ValidateOptions {
    /// Reports whether a place of a finding is in a checked file; findings without a place always count.
    fn is_in_scope(&self, finding: &Finding) -> bool {
        let mut places = finding.span.iter().chain(finding.related.iter().map(|related| &related.span));
        finding.span.is_none() || places.any(|span| !self.context_files.contains(&span.place.path))
    }

    /// Reports whether the run finds all violations of a rule.
    fn covers_rule(&self, rule: &RuleInfo) -> bool {
        let by_version = ["api/", "schema/"].iter().any(|group| rule.id.starts_with(group));
        self.level(rule).is_some()
            && !(self.gaps.versions && by_version)
            && !(self.gaps.seals && rule.id == rules::seal::foreign_certificate::RULE.info.id)
            && !(self.reject.is_empty() && rule.id == rules::schema::REJECTED_KIND.info.id)
    }

    /// Returns the severity of a rule in this run; `None` if it is disabled.
    fn level(&self, rule: &RuleInfo) -> Option<Severity> {
        match self.levels.get(rule.id) {
            Some(level) => *level,
            None => rule.enabled.then_some(rule.severity),
        }
    }

    /// Applies the severity of the draft's rule in this run.
    fn with_level(&self, draft: FindingDraft) -> FindingDraft {
        match self.levels.get(draft.rule.id) {
            Some(Some(level)) => draft.severity(*level),
            _ => draft,
        }
    }

    /// Returns the severity of a stage's problem under a rule; `None` if the rule is disabled.
    fn stage_level(&self, rule: &RuleInfo, reported: Severity) -> Option<Severity> {
        match self.levels.get(rule.id) {
            Some(level) if rule.is_adjustable() => *level,
            _ if self.lenient && rule.id == rules::document::DUPLICATE_KEY.info.id => Some(Severity::Warning),
            _ => Some(reported),
        }
    }
}

/// The result of a validation.
#[derive(Debug, Default)]
pub struct ValidationResult {
    /// The findings, in order.
    pub findings: Vec<Finding>,
    /// The suppressed findings, in order; excerpts must not show their confidential lines.
    pub suppressed: Vec<Finding>,
    /// Findings in unchecked files; excerpts must not show their confidential lines.
    pub out_of_scope: Vec<Finding>,
    /// Whether part of the input could not be checked.
    pub is_incomplete: bool,
}

impl ValidationResult {
    /// Moves findings in unchecked files to `passed_over`.
    fn drop_out_of_scope(&mut self, checking: &ValidateOptions) {
        if checking.context_files.is_empty() {
            return;
        }
        for findings in [&mut self.findings, &mut self.suppressed] {
            let (in_scope, other) =
                std::mem::take(findings).into_iter().partition(|finding| checking.is_in_scope(finding));
            *findings = in_scope;
            self.out_of_scope.extend::<Vec<Finding>>(other);
        }
    }
}

/// Validates an app.
#[must_use]
pub fn validate(
    app: &ExaminedApp,
    checking: &ValidateOptions,
    standing: &RunSuppressions,
) -> ValidationResult {
    let no_neighbours = NeighborApps::default();
    let own = own_schemas(app, checking);
    let set = own.as_ref().unwrap_or(&checking.schemas);
    let scopes: Vec<KindScopes> =
        app.environments.iter().map(|environment| checking.scopes(set, &environment.objects)).collect();
    let embedded: Vec<Vec<EmbeddedPod>> = app
        .environments
        .iter()
        .map(|environment| rules::embedded_pods::parse_embedded_pods(&environment.objects, &app.texts))
        .collect();
    let scenes: Vec<CheckedEnvironment<'_>> = app
        .environments
        .iter()
        .zip(scopes.iter().zip(&embedded))
        .map(|(environment, (scopes, embedded))| {
            let neighbours = checking.neighbours.get(&environment.name).unwrap_or(&no_neighbours);
            scene(app, environment, (scopes, embedded), neighbours, checking)
        })
        .collect();
    let mut drafts = check_schemas(&scenes, set, checking);
    drafts.extend(run_rules(&scenes, &app.other_files, checking));
    drafts.retain(|draft| {
        let object = draft.subject.and_then(|at| scenes.get(at.environment)?.objects.get(at.object));
        object.is_none_or(|object| !is_skipped(draft, object.manifest, checking))
    });
    let finder = FindingBuilder::new(app, checking);
    let mut findings: Vec<Finding> = finder.stage_findings().collect();
    findings.extend(finder.findings(echoes::without_covered(drafts)));
    let coverage = suppress::Coverage::new(app, checking);
    let (findings, suppressed) = suppress::apply(findings, &finder.suppressions(), standing, &coverage);
    ValidationResult {
        findings: merge::merge_environments(findings),
        suppressed: merge::merge_environments(suppressed),
        is_incomplete: coverage.is_incomplete(),
        ..ValidationResult::default()
    }
}

/// Returns the objects of each environment of a repository's apps, as seen by the others.
#[must_use]
pub fn neighbours(apps: &[&ExaminedApp]) -> BTreeMap<String, NeighborApps> {
    let name = |environment: &ExaminedEnvironment| Arc::from(environment.name.as_str());
    let environments = |app: &&ExaminedApp| {
        (Arc::from(app.directory.as_str()), app.environments.iter().map(name).collect::<Vec<Arc<str>>>())
    };
    let named: Vec<(Arc<str>, Vec<Arc<str>>)> = apps.iter().map(environments).collect();
    let made =
        apps.iter().flat_map(|app| app.environments.iter().flat_map(|environment| exports(app, environment)));
    let shared = apps.iter().flat_map(|app| {
        let directory: Arc<str> = app.directory.as_str().into();
        shared_paths(app).into_iter().map(move |path| (path, Arc::clone(&directory)))
    });
    NeighborApps::views(&named, made, shared)
}

/// Returns the secret paths that production shares with another environment of an app.
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

/// Returns the objects of an environment and the objects that they create.
fn exports(app: &ExaminedApp, environment: &ExaminedEnvironment) -> Vec<(ObjectId, NeighborObject)> {
    let objects: Vec<CheckedObject<'_>> =
        environment.objects.iter().map(|manifest| CheckedObject::new(manifest, &app.workloads)).collect();
    let inventory = Inventory::new(&ObjectCatalog::new(&environment.objects), &objects, &[]);
    let directory: Arc<str> = app.directory.as_str().into();
    let (name, cluster): (Arc<str>, Arc<str>) =
        (environment.name.as_str().into(), environment.cluster.as_str().into());
    let made = |keys, object| NeighborObject {
        app: Arc::clone(&directory),
        environment: Arc::clone(&name),
        cluster: Arc::clone(&cluster),
        keys,
        object,
    };
    let supplied = inventory.created_objects().map(|(id, contents)| (id, made(contents.all_keys(), None)));
    let itself = objects
        .iter()
        .map(|object| (object.manifest.id(), made(None, Some(app.sources.location(object.name_origin())))));
    supplied.chain(itself).collect()
}

/// Reports the faults of custom resource definitions that are used as schemas.
#[must_use]
pub fn definition_faults(checking: &ValidateOptions, standing: &RunSuppressions) -> ValidationResult {
    let rule = &rules::schema::DEFINITION.info;
    let Some(severity) = checking.level(rule) else { return ValidationResult::default() };
    let finding = |problem: &Problem| Finding::from_problem(rule, severity, problem);
    let findings = checking.definition_faults.iter().map(finding).collect();
    let coverage = suppress::Coverage::new(&ExaminedApp::plain(), checking);
    let (findings, suppressed) = suppress::apply(findings, &[], standing, &coverage);
    ValidationResult {
        findings: merge::merge_environments(findings),
        suppressed: merge::merge_environments(suppressed),
        ..ValidationResult::default()
    }
}

/// Returns the findings for an app that cannot be examined.
#[must_use]
pub fn failed_examination(directory: &str, failure: &Failure) -> ValidationResult {
    let app_file = app_file_place(directory);
    let finding = |problem: &Problem| {
        let rule = &problem.kind.map_or(&rules::app::LOAD, rules::rule_of).info;
        let finding = Finding::from_problem(rule, Severity::Error, problem);
        let span = finding.span.or_else(|| Some(Span { place: app_file.clone(), width: 0 }));
        Finding { span, app: directory.to_owned(), ..finding }
    };
    let findings = failure.problems().iter().chain(failure.omitted_problem().as_ref()).map(finding).collect();
    ValidationResult { findings, is_incomplete: true, ..ValidationResult::default() }
}

fn scene<'a>(
    app: &'a ExaminedApp,
    environment: &'a ExaminedEnvironment,
    (scopes, embedded): (&'a KindScopes, &'a [EmbeddedPod]),
    neighbours: &'a NeighborApps,
    checking: &'a ValidateOptions,
) -> CheckedEnvironment<'a> {
    let objects: Vec<CheckedObject<'_>> =
        environment.objects.iter().map(|manifest| CheckedObject::new(manifest, &app.workloads)).collect();
    let catalogue = ObjectCatalog::new(&environment.objects);
    let embedded: Vec<EmbeddedObject<'_>> = embedded.iter().map(EmbeddedObject::new).collect();
    let inventory = Inventory::new(&catalogue, &objects, &embedded);
    CheckedEnvironment {
        name: &environment.name,
        context: RuleContext {
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
        unusual_spellings: &environment.written_scalars,
        unused_values: &environment.unused_values,
        app: &app.directory,
        cluster: &environment.cluster,
        sealed_for: environment.sealed_for,
        neighbors: neighbours,
        uses: std::cell::OnceCell::new(),
        conflicts: std::cell::OnceCell::new(),
    }
}

/// Returns the schemas with the app's own definitions; `None` if it has none.
fn own_schemas(app: &ExaminedApp, checking: &ValidateOptions) -> Option<SchemaSet> {
    let mut own = app.definitions().peekable();
    let has_own = own.peek().is_some();
    let all = own.chain(checking.definitions.iter().map(KnownDefinition::view));
    has_own.then(|| SchemaSet::with_places(&checking.kube_versions, all))
}

fn check_schemas(
    environments: &[CheckedEnvironment<'_>],
    set: &SchemaSet,
    checking: &ValidateOptions,
) -> Vec<FindingDraft> {
    let mut reporter = Reporter::default();
    let is_plain = environments.first().is_some_and(CheckedEnvironment::is_plain);
    let mut check = SchemaCheck::new(set, checking, is_plain);
    for (number, environment) in environments.iter().enumerate() {
        // Messages that are reported once per kind go to a checked object if there is one.
        let (checked, others): (Vec<_>, Vec<_>) =
            environment.objects.iter().enumerate().partition(|(_, view)| {
                !checking
                    .context_files
                    .contains(environment.context.sources.name(view.manifest.origin().source))
            });
        for (object, view) in checked.into_iter().chain(others) {
            reporter.set_subject(number, Some(object));
            check.check(view, environment.context.sources, &mut reporter);
        }
    }
    reporter.take_findings()
}

/// Runs every enabled rule.
fn run_rules(
    environments: &[CheckedEnvironment<'_>],
    files: &[rules::TrackedFile],
    checking: &ValidateOptions,
) -> Vec<FindingDraft> {
    let mut reporter = Reporter::default();
    let mut drafts = Vec::new();
    for rule in rules::RULES {
        if checking.level(&rule.info).is_none() {
            continue;
        }
        match &rule.check {
            RuleCheck::App(check) => {
                reporter.set_subject(0, None);
                check(&rules::CheckedApp { environments, files }, &mut reporter);
            }
            RuleCheck::Environment(_)
            | RuleCheck::Object(_)
            | RuleCheck::ObjectAndEnvironment(..)
            | RuleCheck::Pod(_) => {
                for (number, environment) in environments.iter().enumerate() {
                    if let Some(check) = rule.check.environment_check() {
                        reporter.set_subject(number, None);
                        check(environment, &mut reporter);
                    }
                    check_objects(rule, number, &environment.objects, &environment.context, &mut reporter);
                    check_embedded(rule, number, environment, &mut reporter);
                }
            }
            RuleCheck::Stage => {}
        }
        drafts.extend(
            reporter
                .take_findings()
                .into_iter()
                .map(|draft| checking.with_level(complete_embedded(draft, environments))),
        );
    }
    drafts
}

/// Runs a rule on the pods within the `ConfigMaps` of an environment.
fn check_embedded(
    rule: &rules::Rule,
    number: usize,
    environment: &CheckedEnvironment<'_>,
    reporter: &mut Reporter,
) {
    if environment.embedded.is_empty() || !rules::embedded_pods::is_checked_by(rule) {
        return;
    }
    for pod in &environment.embedded {
        if let Some(check) = rule.check.object_check(&pod.object) {
            reporter.set_subject(number, Some(pod.owner()));
            check(&pod.object, &environment.context, reporter);
        }
    }
}

/// Completes the draft for a pod within a ConfigMap.
fn complete_embedded(draft: FindingDraft, environments: &[CheckedEnvironment<'_>]) -> FindingDraft {
    match draft.subject.and_then(|subject| environments.get(subject.environment)) {
        Some(environment) if !environment.embedded.is_empty() => {
            rules::embedded_pods::with_item_pointer(draft, &environment.embedded)
        }
        _ => draft,
    }
}

/// Runs a rule on the objects of an environment.
fn check_objects(
    rule: &rules::Rule,
    environment: usize,
    objects: &[CheckedObject<'_>],
    scene: &RuleContext<'_>,
    reporter: &mut Reporter,
) {
    for (number, object) in objects.iter().enumerate() {
        if let Some(check) = rule.check.object_check(object) {
            reporter.set_subject(environment, Some(number));
            check(object, scene, reporter);
        }
    }
}

/// Returns the enabled rules that check one object at a time.
fn object_rules(checking: &ValidateOptions) -> impl Iterator<Item = &'static rules::Rule> {
    let rules = rules::RULES.iter().copied().filter(|rule| rule.check.is_per_object());
    rules.filter(|rule| checking.level(&rule.info).is_some())
}

/// Reports whether a draft is about a skipped object; rejected kinds are reported even for skipped objects.
fn is_skipped(draft: &FindingDraft, object: &Manifest, checking: &ValidateOptions) -> bool {
    draft.rule.id != rules::schema::REJECTED_KIND.info.id && schemas::selects(&checking.skip, object)
}
