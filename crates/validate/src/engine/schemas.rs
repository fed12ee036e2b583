//! Checks objects against schemas for every requested Kubernetes version; equal violations are reported once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use compact_str::CompactString;

use super::context::CheckContext;
use super::fallback::{DefinitionSource, FallbackSchemas};
use super::schema_set::SchemaSet;
use super::unknown::UnknownKind;
use super::{packed, violations};
use crate::definitions::{CrdCandidate, CrdCandidates};
use crate::facts::checked_object::CheckedObject;
use crate::index::EnvironmentIndex;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::Rule;
use crate::rules::{api, schema as rules};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Origin, SourceId, Sources};
use sealwave_kube::cel::CelBudget;
use sealwave_kube::schema::{
    CheckOptions, KindSchema, KubeVersion, PackedDefinition, Schemas, Violation, ViolationKind,
};

/// The most definitions that a finding lists.
const MAX_SHOWN_DEFINITIONS: usize = 8;

/// Checks objects; reports once per kind what could not be checked.
pub(super) struct SchemaCheck<'s> {
    set: &'s SchemaSet,
    context: CheckContext<'s>,
    /// Whether the objects are plain manifests, in which another tool may replace variables later.
    is_plain: bool,
    /// Kinds by `apiVersion` and kind.
    kinds: BTreeMap<CompactString, BTreeMap<CompactString, Rc<KindState>>>,
    /// Kinds with different definitions, also by the source of the object.
    conflicting: BTreeMap<(SourceId, CompactString, CompactString), Rc<KindState>>,
    /// Messages that are reported only once, with their environments.
    once: HashMap<String, Vec<EnvironmentIndex>>,
    /// The environment of the current object.
    environment: EnvironmentIndex,
    /// The source of the current kind's definition, if it is not obvious.
    source: Option<DefinitionSource>,
    /// The remaining budget for evaluating rules.
    budget: CelBudget,
}

/// The schemas and properties of a kind, looked up once per kind.
#[derive(Debug)]
struct KindState {
    /// Schemas of other kinds of the group, from the repository.
    neighbours: Option<Arc<SchemaSet>>,
    /// The schemas of the kind, if they are not those of the run.
    own: Option<Arc<SchemaSet>>,
    /// The source of the definition, if it is not obvious.
    source: Option<DefinitionSource>,
    /// The schema in each version, if any.
    schemas: Vec<Option<KindSchema>>,
    /// Whether the API is neither deprecated nor removed.
    is_settled: bool,
    /// Whether it has CEL rules.
    has_rules: bool,
}

impl KindState {
    /// Uses the definition of the run, else one in the repository, else a built-in one.
    fn new(set: &SchemaSet, context: CheckContext<'_>, object: &CheckedObject<'_>) -> Self {
        let Some(FallbackSchemas { schemas, source }) = context.look_up_fallback(set, object.manifest) else {
            return Self::from_set(set, None, None, object);
        };
        let own = source.is_some().then(|| Arc::clone(&schemas));
        Self { neighbours: Some(schemas), ..Self::from_set(set, own, source, object) }
    }

    /// Uses a definition chosen among several.
    fn chosen(set: &SchemaSet, contender: &CrdCandidate<Arc<SchemaSet>>, object: &CheckedObject<'_>) -> Self {
        let source = DefinitionSource::File(contender.place().clone());
        Self::from_set(set, contender.set.clone(), Some(source), object)
    }

    fn from_set(
        set: &SchemaSet,
        own: Option<Arc<SchemaSet>>,
        source: Option<DefinitionSource>,
        object: &CheckedObject<'_>,
    ) -> Self {
        let version = object.version;
        let set = own.as_deref().unwrap_or(set);
        let schema_in = |schemas: &Schemas| schemas.kind(object.group, version, object.kind);
        let schemas = set.versions.iter().map(schema_in).collect();
        let is_settled = set.versions.iter().all(|schemas| {
            let life = schemas.life_cycle(object.group, version, object.kind);
            life.is_none_or(|life| {
                !life.deprecated && life.removed_in.is_none_or(|gone| gone > schemas.version())
            })
        });
        let count = |schemas: &Schemas| schemas.rule_count(object.group, version, object.kind);
        let has_rules = set.versions.first().is_some_and(|schemas| count(schemas) > 0);
        Self { neighbours: None, own, source, schemas, is_settled, has_rules }
    }
}

impl<'s> SchemaCheck<'s> {
    pub(super) fn new(set: &'s SchemaSet, context: CheckContext<'s>, is_plain: bool) -> Self {
        Self {
            set,
            context,
            is_plain,
            kinds: BTreeMap::new(),
            conflicting: BTreeMap::new(),
            once: HashMap::new(),
            environment: EnvironmentIndex::FIRST,
            source: None,
            budget: CelBudget::default(),
        }
    }

    /// Returns the messages that are reported only once.
    pub(super) fn into_reported_once(self) -> HashSet<String> {
        self.once.into_keys().collect()
    }

    /// Starts the check of an environment.
    pub(super) const fn start_environment(&mut self, environment: EnvironmentIndex) {
        self.environment = environment;
    }

    /// Adds the further environments of the messages that are reported only once.
    pub(super) fn add_environments(&self, drafts: &mut [FindingDraft]) {
        for draft in drafts {
            if let Some(environments) = self.once.get(&draft.message) {
                draft.environments.clone_from(environments);
            }
        }
    }

    /// Records a message for the current environment; reports whether it is new.
    fn is_first(&mut self, message: &str) -> bool {
        if let Some(environments) = self.once.get_mut(message) {
            if environments.last() != Some(&self.environment) {
                environments.push(self.environment);
            }
            return false;
        }
        self.once.insert(message.to_owned(), vec![self.environment]);
        true
    }

    /// Returns the state of an object's kind.
    fn kind(
        &mut self,
        object: &CheckedObject<'_>,
        sources: &Sources,
        reporter: &mut Reporter,
    ) -> Rc<KindState> {
        let api_version = object.api_version;
        let known = self.kinds.get(api_version).and_then(|kinds| kinds.get(object.kind));
        if let Some(known) = known {
            return Rc::clone(known);
        }
        if let Some(contenders) = self.set.contenders(object.group, object.kind) {
            return self.choose(contenders, object, sources, reporter);
        }
        let state = Rc::new(KindState::new(self.set, self.context, object));
        let kinds = self.kinds.entry(api_version.into()).or_default();
        kinds.insert(object.kind.into(), Rc::clone(&state));
        state
    }

    /// Chooses among different definitions, and reports the conflict once.
    fn choose(
        &mut self,
        contenders: &CrdCandidates<Arc<SchemaSet>>,
        object: &CheckedObject<'_>,
        sources: &Sources,
        reporter: &mut Reporter,
    ) -> Rc<KindState> {
        let source = object.manifest.origin().source;
        let key = (source, object.api_version.into(), object.kind.into());
        if let Some(known) = self.conflicting.get(&key) {
            return Rc::clone(known);
        }
        let chosen = contenders.choose(object.version, sources.name(source));
        let state = chosen.map_or_else(
            || KindState::from_set(self.set, None, None, object),
            |contender| KindState::chosen(self.set, contender, object),
        );
        let state = Rc::clone(self.conflicting.entry(key).or_insert_with(|| Rc::new(state)));
        let places = contenders.places();
        let message = format!("kind `{}` has {} different definitions", object.kind, places.len());
        if self.is_first(&message) {
            self.source = None;
            let mut draft = FindingDraft::new(&rules::SEVERAL_DEFINITIONS, kind_origin(object), message);
            draft = draft.hint(
                "each object is checked against the nearest one that serves its version; validate one cluster at a time, or \
                 pass the right one with `--crds`",
            );
            for place in places.into_iter().take(MAX_SHOWN_DEFINITIONS) {
                draft = draft.related_file(place.clone(), "a definition is here");
            }
            self.report(reporter, &rules::SEVERAL_DEFINITIONS, draft);
        }
        state
    }

    /// Checks an object from one of the sources.
    pub(super) fn check(&mut self, object: &CheckedObject<'_>, sources: &Sources, reporter: &mut Reporter) {
        self.source = None;
        if self.context.options.reject.selects(object.manifest) {
            let message = format!("kind `{}` is not allowed here", object.kind);
            self.report(
                reporter,
                &rules::REJECTED_KIND,
                FindingDraft::new(&rules::REJECTED_KIND, kind_origin(object), message),
            );
        }
        if self.context.options.skip.selects(object.manifest) {
            return;
        }
        let kind = self.kind(object, sources, reporter);
        self.source.clone_from(&kind.source);
        let set = kind.own.as_deref().unwrap_or(self.set);
        let mut found: Vec<(Violation<'_>, Vec<KubeVersion>)> = Vec::new();
        let mut unknown = Vec::new();
        for (schemas, kind) in set.versions.iter().zip(kind.schemas.iter()) {
            let Some(kind) = kind else {
                unknown.push(schemas);
                continue;
            };
            let root = object.manifest.root();
            schemas.check_kind(*kind, root, CheckOptions { strict: true }, &mut |violation| {
                note(&mut found, violation, schemas.version());
            });
        }
        let is_valid = found.is_empty() && unknown.is_empty();
        for (violation, versions) in found {
            self.violation(object, &violation, &self.only_in(&versions), reporter);
        }
        // As in the API server, rules are evaluated only for objects that are valid otherwise.
        if is_valid && kind.has_rules {
            self.evaluate_rules(set, object, reporter);
        }
        if !unknown.is_empty() {
            self.unknown_kind(object, &unknown, kind.neighbours.as_deref(), reporter);
        }
        if !kind.is_settled {
            self.life_cycle(set, object, reporter);
        }
    }

    /// Reports an API that is removed in a requested version, else one that is deprecated.
    fn life_cycle(&self, set: &SchemaSet, object: &CheckedObject<'_>, reporter: &mut Reporter) {
        let api_version = object.api_version;
        let version = object.version;
        let (mut removed, mut deprecated) = (None, None);
        for schemas in &set.versions {
            let Some(life) = schemas.life_cycle(object.group, version, object.kind) else { continue };
            if life.removed_in.is_some_and(|gone| gone <= schemas.version()) {
                removed = removed.or(Some(life));
            } else if life.deprecated {
                deprecated = Some(life);
            }
        }
        let what = format!("{} of `{api_version}`", object.kind);
        let (rule, message, life) = match (removed, deprecated) {
            (Some(life), _) => {
                let when = life.removed_in.map(|gone| format!(" in Kubernetes {gone}")).unwrap_or_default();
                (&api::REMOVED, format!("{what} was removed{when}"), life)
            }
            (None, Some(life)) => {
                let since = life.deprecated_since.filter(|since| *since > KubeVersion::OLDEST);
                let since = since.map(|since| format!(" since Kubernetes {since}")).unwrap_or_default();
                let until =
                    life.removed_in.map(|gone| format!(", and removed in {gone}")).unwrap_or_default();
                (&api::DEPRECATED, format!("{what} is deprecated{since}{until}"), life)
            }
            (None, None) => return,
        };
        let at =
            object.manifest.root().get("apiVersion").map_or(object.manifest.origin(), |node| node.origin);
        let hint = match life.replacement {
            Some(other) => format!("write `{other}`, and compare the fields"),
            None => "no replacement exists; remove the object".to_owned(),
        };
        self.report(reporter, rule, FindingDraft::new(rule, at, message).hint(hint));
    }

    /// Returns ` in Kubernetes 1.25`, or nothing if all requested versions are affected.
    fn only_in(&self, versions: &[KubeVersion]) -> String {
        if versions.len() == self.set.versions.len() {
            return String::new();
        }
        let names: Vec<String> = versions.iter().map(ToString::to_string).collect();
        format!(" in Kubernetes {}", names.join(", "))
    }

    fn violation(
        &self,
        object: &CheckedObject<'_>,
        violation: &Violation<'_>,
        only_in: &str,
        reporter: &mut Reporter,
    ) {
        let has_own_rule = self.is_of_sops(object, violation)
            || self.is_plain && violations::has_variable(object, violation);
        if !has_own_rule
            && let Some((rule, mut draft)) =
                violations::draft(object, violation, only_in, self.context.options.lenient)
        {
            if self.built_in().is_some() {
                draft = packed::soften(violation, draft);
            }
            self.report(reporter, rule, draft);
        }
    }

    /// Returns the built-in definition that the current object is checked against.
    const fn built_in(&self) -> Option<PackedDefinition> {
        match self.source {
            Some(DefinitionSource::BuiltIn(definition)) => Some(definition),
            _ => None,
        }
    }

    /// Reports whether the violation is the field `sops`, which has its own rule, as another tool may remove it.
    fn is_of_sops(&self, object: &CheckedObject<'_>, violation: &Violation<'_>) -> bool {
        matches!(violation.kind, ViolationKind::UnknownField { field: "sops", .. })
            && violation.pointer.as_str().is_empty()
            && self.context.options.explained_positions(object.manifest).any(|at| at == violation.origin)
    }

    /// Reports a kind without a schema; removals and deprecations have their own rules.
    fn unknown_kind(
        &mut self,
        object: &CheckedObject<'_>,
        unknown: &[&Schemas],
        neighbours: Option<&SchemaSet>,
        reporter: &mut Reporter,
    ) {
        if let Some(definition) = self.built_in() {
            let (rule, mut draft) = packed::other_version(definition, object, kind_origin(object));
            if self.context.options.strict_kinds && draft.severity == Severity::Note {
                draft = draft.severity(Severity::Error);
            }
            if draft.severity > Severity::Note || self.is_first(&draft.message) {
                self.report(reporter, rule, draft);
            }
            return;
        }
        let rule = &rules::UNKNOWN_KIND;
        let mut messages: Vec<(String, Option<String>, bool, Vec<KubeVersion>)> = Vec::new();
        for schemas in unknown {
            let known = schemas.lookup(object.group, object.version, object.kind);
            let built_in = || {
                self.context.options.packed.as_ref()?;
                PackedDefinition::similar(object.group, object.kind)
            };
            let nearby = || neighbours?.versions.first()?.similar_kind(object.group, object.kind);
            let similar = || nearby().or_else(built_in);
            let Some(UnknownKind { message, hint, is_certain: certain }) =
                UnknownKind::from_lookup(object, known, similar)
            else {
                continue;
            };
            match messages.iter_mut().find(|(same, ..)| *same == message) {
                Some((.., versions)) => versions.push(schemas.version()),
                None => messages.push((message, hint, certain, vec![schemas.version()])),
            }
        }
        for (message, hint, certain, versions) in messages {
            let certain = certain || self.context.options.strict_kinds;
            let message = message + &self.only_in(&versions);
            if !certain && !self.is_first(&message) {
                continue;
            }
            let mut draft = FindingDraft::new(rule, kind_origin(object), message);
            let hint = hint.unwrap_or_else(|| {
                "add its definition to the repository, pass it with `--crds` or `validate.crds`, or skip the kind with \
                 `--skip`"
                    .to_owned()
            });
            draft = draft.hint(hint);
            if certain {
                draft = draft.severity(Severity::Error);
            }
            self.report(reporter, rule, draft);
        }
    }

    /// Evaluates the rules of a custom resource, which are the same in each Kubernetes version.
    fn evaluate_rules(&mut self, set: &SchemaSet, object: &CheckedObject<'_>, reporter: &mut Reporter) {
        let Some(schemas) = set.versions.first() else { return };
        let mut found = Vec::new();
        let root = object.manifest.root();
        let count = schemas.evaluate_rules(root, &mut self.budget, &mut |violation| found.push(violation));
        for violation in found {
            self.violation(object, &violation, "", reporter);
        }
        if count == 0 {
            return;
        }
        let all = schemas.rule_count(object.group, object.version, object.kind);
        let rule = &rules::UNEVALUATED;
        let are = if count == 1 { "is" } else { "are" };
        let message =
            format!("{count} of {all} validation rules of kind `{}` {are} not evaluated", object.kind);
        if self.is_first(&message) {
            self.report(reporter, rule, FindingDraft::new(rule, kind_origin(object), message));
        }
    }

    /// Reports a draft, unless its rule is disabled, with the severity from settings.
    fn report(&self, reporter: &mut Reporter, rule: &'static Rule, mut draft: FindingDraft) {
        match &self.source {
            Some(DefinitionSource::File(at)) => {
                draft = draft.related_file(at.clone(), "the kind is defined here");
            }
            Some(DefinitionSource::BuiltIn(definition)) => draft = packed::name_release(*definition, draft),
            None => {}
        }
        if self.context.options.level(&rule.info).is_some() {
            reporter.report(self.context.options.with_level(draft));
        }
    }
}

/// Adds a violation, or its version to an equal one.
fn note<'a>(
    found: &mut Vec<(Violation<'a>, Vec<KubeVersion>)>,
    violation: Violation<'a>,
    version: KubeVersion,
) {
    let same = |(other, _): &&mut (Violation<'_>, _)| {
        other.origin == violation.origin && other.kind == violation.kind && other.pointer == violation.pointer
    };
    match found.iter_mut().find(same) {
        Some((_, versions)) => versions.push(version),
        None => found.push((violation, vec![version])),
    }
}

fn kind_origin(object: &CheckedObject<'_>) -> Origin {
    object.manifest.root().get("kind").map_or(object.manifest.origin(), |kind| kind.origin)
}
