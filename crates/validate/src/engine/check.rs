//! Checks an input as a whole: schemas, rules, suppressions.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::context::{AppContext, PlainContext};
use super::finder::FindingBuilder;
use super::held_back::HeldBack;
use super::input::{CheckedInput, ObjectSet};
use super::manifests::PlainManifests;
use super::options::ValidateOptions;
use super::result::ValidationResult;
use super::schema_set::SchemaSet;
use super::schemas::SchemaCheck;
use super::suppress::{self, Coverage, RunSuppressions};
use super::{echoes, merge};
use crate::definitions::{DefinitionRef, KnownDefinition, defined_kind};
use crate::examine::ExaminedApp;
use crate::facts::app_settings::AppSettings;
use crate::facts::checked_object::CheckedObject;
use crate::facts::embedded_pods::{EmbeddedObject, EmbeddedPod, parse_embedded_pods, with_item_pointer};
use crate::facts::inventory::Inventory;
use crate::facts::neighbors::NeighborApps;
use crate::facts::rule_context::RuleContext;
use crate::facts::scene::{AppEnvironment, CheckedApp, CheckedEnvironment};
use crate::index::EnvironmentIndex;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{Finding, RuleInput, rules};
use sealwave_core::document::Manifest;
use sealwave_kube::KindScopes;
use sealwave_kube::catalog::ObjectCatalog;
use sealwave_kube::catalog::ObjectIndex;
use sealwave_kube::pods::WorkloadKind;

/// Validates an app.
#[must_use]
pub fn validate(
    app: &ExaminedApp,
    context: &AppContext,
    run_suppressions: &RunSuppressions,
) -> ValidationResult {
    check_input(CheckedInput::App(app, context), run_suppressions).0
}

/// Checks a set of plain manifests that is small enough; returns also the messages that are reported only once.
pub(super) fn check_plain(
    manifests: &PlainManifests,
    context: &PlainContext,
    run_suppressions: &RunSuppressions,
) -> (ValidationResult, HashSet<String>) {
    check_input(CheckedInput::Plain(manifests, context), run_suppressions)
}

fn check_input(
    input: CheckedInput<'_>,
    run_suppressions: &RunSuppressions,
) -> (ValidationResult, HashSet<String>) {
    let context = input.check_context();
    let own = own_schemas(input);
    let set = own.as_ref().unwrap_or_else(|| context.schemas.schemas());
    let scopes: Vec<KindScopes> =
        input.sets().map(|objects| context.scopes(set, objects.objects())).collect();
    let embedded: Vec<Vec<EmbeddedPod>> =
        input.sets().map(|objects| parse_embedded_pods(objects.objects(), input.texts())).collect();
    let scenes: Vec<CheckedEnvironment<'_>> = input
        .sets()
        .zip(scopes.iter().zip(&embedded))
        .map(|(objects, (scopes, embedded))| scene(input, objects, scopes, embedded))
        .collect();
    let (mut drafts, reported_once) = check_schemas(&scenes, set, input);
    drafts.extend(run_rules(&scenes, input));
    drafts.retain(|draft| {
        let object = checked_object(draft, &scenes);
        object.is_none_or(|object| !is_skipped(draft, object.manifest, input.options()))
    });
    let held_back = HeldBack::new(input);
    for draft in &mut drafts {
        draft.held_back = held_back.contains(draft);
    }
    let finder = FindingBuilder::new(input);
    let mut findings: Vec<Finding> = finder.stage_findings().collect();
    findings.extend(finder.findings(echoes::without_covered(drafts)));
    let coverage = Coverage::new(input);
    let (findings, suppressed) =
        suppress::apply(findings, &finder.suppressions(), run_suppressions, &coverage);
    let (held_back, findings): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().partition(|finding| finding.held_back);
    let result = ValidationResult {
        held_back: merge::merge_environments(held_back),
        findings: merge::merge_environments(findings),
        suppressed: merge::merge_environments(suppressed),
        is_incomplete: coverage.is_incomplete(),
        ..ValidationResult::default()
    };
    (result, reported_once)
}

/// Returns the object that a draft is about, if it is about one.
fn checked_object<'s, 'a>(
    draft: &FindingDraft,
    environments: &'s [CheckedEnvironment<'a>],
) -> Option<&'s CheckedObject<'a>> {
    let environment = draft.subject.environment()?.of(environments)?;
    draft.subject.object()?.of(&environment.objects)
}

/// Returns the objects of a set with what rules need to check them.
fn scene<'a>(
    input: CheckedInput<'a>,
    set: ObjectSet<'a>,
    scopes: &'a KindScopes,
    embedded: &'a [EmbeddedPod],
) -> CheckedEnvironment<'a> {
    let workloads: &[WorkloadKind] = input.app().map_or(&[], |app| &app.workloads);
    let objects: Vec<CheckedObject<'_>> =
        set.objects().iter().map(|manifest| CheckedObject::new(manifest, workloads)).collect();
    let catalog = ObjectCatalog::new(set.objects());
    let embedded: Vec<EmbeddedObject<'_>> = embedded.iter().map(EmbeddedObject::new).collect();
    let inventory = Inventory::new(&catalog, &objects, &embedded);
    CheckedEnvironment {
        app: app_environment(input, set),
        context: RuleContext {
            is_plain: input.app().is_none(),
            texts: input.texts(),
            sources: input.sources(),
            scopes,
            settings: &input.options().settings,
        },
        inventory,
        objects,
        embedded,
        catalog,
        neighbors: neighbors(input, set),
        uses: std::cell::OnceCell::new(),
        conflicts: std::cell::OnceCell::new(),
    }
}

fn app_environment<'a>(input: CheckedInput<'a>, set: ObjectSet<'a>) -> Option<AppEnvironment<'a>> {
    let (app, environment) = (input.app()?, set.environment()?);
    Some(AppEnvironment {
        name: &environment.name,
        directory: &app.directory,
        cluster: &environment.cluster,
        sealed_for: environment.sealed_for,
        secrets: &environment.secrets,
        emitted: environment.emitted.as_deref(),
        values: environment.values.as_ref(),
        unusual_spellings: &environment.written_scalars,
        unused_values: &environment.unused_values,
    })
}

/// Returns the objects of other apps that the objects may refer to.
fn neighbors<'a>(input: CheckedInput<'a>, set: ObjectSet<'a>) -> &'a NeighborApps {
    static NONE: LazyLock<NeighborApps> = LazyLock::new(NeighborApps::default);
    match (input, set) {
        (CheckedInput::App(_, context), ObjectSet::Environment(environment)) => {
            context.neighbors.get(&environment.name).unwrap_or(&NONE)
        }
        _ => &NONE,
    }
}

/// Returns the schemas with the input's own definitions; `None` if it has none.
fn own_schemas(input: CheckedInput<'_>) -> Option<SchemaSet> {
    let own: Vec<DefinitionRef<'_>> = input.definitions().collect();
    if own.is_empty() {
        return None;
    }
    let own_files: HashSet<&str> = own.iter().map(|definition| definition.place.path.as_str()).collect();
    let groups: HashSet<&str> =
        input.sets().flat_map(|set| set.objects().iter().map(Manifest::group)).collect();
    // The definitions of the run may include those of the input, and are many in a repository with many sets.
    let is_wanted = |definition: &DefinitionRef<'_>| {
        let is_own = !definition.is_named && own_files.contains(definition.place.path.as_str());
        !is_own && defined_kind(definition.object.root()).is_some_and(|(group, _)| groups.contains(group))
    };
    let others = input.check_context().schemas.definitions.iter().map(KnownDefinition::view);
    let others: Vec<DefinitionRef<'_>> = others.filter(is_wanted).collect();
    Some(SchemaSet::with_places(&input.options().kube_versions, own.iter().cloned().chain(others)))
}

fn check_schemas(
    environments: &[CheckedEnvironment<'_>],
    set: &SchemaSet,
    input: CheckedInput<'_>,
) -> (Vec<FindingDraft>, HashSet<String>) {
    let mut reporter = Reporter::default();
    let is_plain = input.app().is_none();
    let mut check = SchemaCheck::new(set, input.check_context(), is_plain);
    for (number, environment) in environments.iter().enumerate() {
        // Messages that are reported once per kind go to a checked object if there is one.
        let (checked, others): (Vec<_>, Vec<_>) = environment.indexed_objects().partition(|(_, view)| {
            !input.is_context_file(environment.context.sources.name(view.manifest.origin().source))
        });
        let number = EnvironmentIndex::new(number);
        check.start_environment(number);
        for (object, view) in checked.into_iter().chain(others) {
            reporter.start_object(number, object);
            check.check(view, environment.context.sources, &mut reporter);
        }
    }
    let mut drafts = reporter.take_findings();
    check.add_environments(&mut drafts);
    (drafts, check.into_reported_once())
}

/// Runs every enabled rule.
fn run_rules(environments: &[CheckedEnvironment<'_>], input: CheckedInput<'_>) -> Vec<FindingDraft> {
    let files = input.app().map_or(&[][..], |app| &app.other_files);
    let unread = input.app().map_or(&[][..], |app| &app.unread);
    let no_settings = AppSettings::default();
    let settings = input.app().map_or(&no_settings, |app| &app.settings);
    let mut reporter = Reporter::default();
    let mut drafts = Vec::new();
    for rule in rules::RULES {
        if input.options().level(&rule.info).is_none() {
            continue;
        }
        match &rule.check {
            RuleCheck::App(check) => {
                reporter.start_input();
                let defined_kinds = defined_kinds(input);
                check(&CheckedApp { environments, files, unread, settings, defined_kinds }, &mut reporter);
            }
            RuleCheck::AnyPod(_)
            | RuleCheck::Environment(_)
            | RuleCheck::Object(_)
            | RuleCheck::ObjectAndEnvironment(..)
            | RuleCheck::Pod(_) => {
                for (number, environment) in environments.iter().enumerate() {
                    let number = EnvironmentIndex::new(number);
                    if let Some(check) = rule.check.environment_check() {
                        reporter.start_environment(number);
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
                .map(|draft| input.options().with_level(complete_embedded(draft, environments))),
        );
    }
    drafts
}

/// Returns the groups and kinds that definitions of the run or settings of the app define.
fn defined_kinds(input: CheckedInput<'_>) -> Vec<(&str, &str)> {
    let definitions = input.check_context().schemas.definitions.iter();
    let definitions = definitions.filter_map(|definition| defined_kind(definition.object.root()));
    let workloads = input.app().into_iter().flat_map(|app| &app.workloads);
    definitions.chain(workloads.map(|kind| (kind.group.as_str(), kind.kind.as_str()))).collect()
}

/// Runs a rule on the pods within the `ConfigMaps` of an environment.
fn check_embedded(
    rule: &Rule,
    number: EnvironmentIndex,
    environment: &CheckedEnvironment<'_>,
    reporter: &mut Reporter,
) {
    if environment.embedded.is_empty() || !rule.check.is_for_embedded_pods() {
        return;
    }
    for pod in &environment.embedded {
        if let Some(check) = rule.check.object_check(&pod.object) {
            reporter.start_object(number, pod.owner());
            check(&pod.object, &environment.context, reporter);
        }
    }
}

/// Completes the draft for a pod within a ConfigMap.
fn complete_embedded(draft: FindingDraft, environments: &[CheckedEnvironment<'_>]) -> FindingDraft {
    match draft.subject.environment().and_then(|index| index.of(environments)) {
        Some(environment) if !environment.embedded.is_empty() => {
            with_item_pointer(draft, &environment.embedded)
        }
        _ => draft,
    }
}

/// Runs a rule on the objects of an environment.
pub(super) fn check_objects(
    rule: &Rule,
    environment: EnvironmentIndex,
    objects: &[CheckedObject<'_>],
    scene: &RuleContext<'_>,
    reporter: &mut Reporter,
) {
    for (index, object) in ObjectIndex::enumerate(objects) {
        if let Some(check) = rule.check.object_check(object) {
            reporter.start_object(environment, index);
            check(object, scene, reporter);
        }
    }
}

/// Reports whether a draft is about a skipped object; rejected kinds are reported even for skipped objects.
pub(super) fn is_skipped(draft: &FindingDraft, object: &Manifest, options: &ValidateOptions) -> bool {
    draft.rule.input != RuleInput::RejectedKinds && options.skip.selects(object)
}
