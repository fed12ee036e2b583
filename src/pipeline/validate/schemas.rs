//! Objects against schemas, for every version of Kubernetes that is asked for: one finding for what several versions say.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use compact_str::CompactString;

use super::Checking;
use super::fallback::Answer;
use super::unknown::Unknown;
use super::violations;
use crate::cel::Budget;
use crate::diagnostic::Severity;
use crate::lints::{Draft, ENCRYPTED_LEFTOVER, Object, Reporter, Rule, api, schema as rules, sops_block};
use crate::model::{Manifest, Node, Origin, Place};
use crate::schema::{CheckOptions, KindSchema, KubeVersion, Schemas, Scope, Violation, ViolationKind};

/// The schemas of each version that is asked for, custom resources included.
#[derive(Debug, Default)]
pub struct SchemaSet {
    versions: Vec<Schemas>,
}

impl SchemaSet {
    /// The schemas of these versions and definitions; a later definition of a kind replaces an earlier one.
    pub fn new<'c>(versions: &[KubeVersion], definitions: impl IntoIterator<Item = &'c Node>) -> Self {
        let mut set = Self { versions: versions.iter().copied().map(Schemas::new).collect() };
        definitions.into_iter().for_each(|definition| set.add(definition));
        set
    }

    /// Adds a definition.
    pub(super) fn add(&mut self, definition: &Node) {
        for schemas in &mut self.versions {
            // What is wrong with one is reported where it is an object itself.
            let _ = schemas.add_crd(definition);
        }
    }

    /// Whether some version of a kind exists; `None` where no version of Kubernetes is asked for.
    pub(super) fn knows_kind(&self, group: &str, kind: &str) -> Option<bool> {
        self.versions.first().map(|schemas| schemas.knows_kind(group, kind))
    }

    /// Where objects of a kind live, as far as that is known.
    pub(super) fn scope(&self, group: &str, kind: &str) -> Option<Scope> {
        self.versions.first()?.scope(group, kind)
    }
}

/// The kind of what defines custom resources.
pub(super) const DEFINITION: &str = "CustomResourceDefinition";

/// Whether a tree defines custom resources.
pub(super) fn is_definition(object: &Manifest) -> bool {
    object.is("apiextensions.k8s.io", DEFINITION)
}

/// Checks objects, and says of each kind once what could not be checked.
pub(super) struct SchemaCheck<'s> {
    set: &'s SchemaSet,
    checking: &'s Checking,
    /// By `apiVersion` and kind.
    kinds: BTreeMap<CompactString, BTreeMap<CompactString, Rc<KindState>>>,
    /// What was said once and is not to be said again.
    once: HashSet<String>,
    /// Where the kind at hand is defined, where nobody named that place.
    at: Option<Place>,
    /// What evaluating rules may still take.
    budget: Budget,
}

/// What is known of a kind, so that it is looked up once and not for each object.
#[derive(Debug)]
struct KindState {
    /// What the fallback said.
    answer: Option<Answer>,
    /// In each version; `None` where it has none.
    schemas: Vec<Option<KindSchema>>,
    /// Whether its API stays.
    is_settled: bool,
    /// Whether it has rules in CEL.
    has_rules: bool,
}

impl KindState {
    fn new(set: &SchemaSet, checking: &Checking, object: &Object<'_>) -> Self {
        let version = object.version;
        let answer = checking.fall_back(set, object.manifest);
        let set = answer.as_ref().and_then(Answer::defining).unwrap_or(set);
        let of = |schemas: &Schemas| schemas.kind(object.group, version, object.kind);
        let schemas = set.versions.iter().map(of).collect();
        let is_settled = set.versions.iter().all(|schemas| {
            let life = schemas.life_cycle(object.group, version, object.kind);
            life.is_none_or(|life| {
                !life.deprecated && life.removed_in.is_none_or(|gone| gone > schemas.version())
            })
        });
        let count = |schemas: &Schemas| schemas.rule_count(object.group, version, object.kind);
        let has_rules = set.versions.first().is_some_and(|schemas| count(schemas) > 0);
        Self { answer, schemas, is_settled, has_rules }
    }
}

impl<'s> SchemaCheck<'s> {
    pub(super) fn new(set: &'s SchemaSet, checking: &'s Checking) -> Self {
        Self {
            set,
            checking,
            kinds: BTreeMap::new(),
            once: HashSet::new(),
            at: None,
            budget: Budget::default(),
        }
    }

    /// The messages that are said once, of however many objects.
    pub(super) fn into_once(self) -> HashSet<String> {
        self.once
    }

    /// What is known of an object's kind.
    fn kind(&mut self, object: &Object<'_>) -> Rc<KindState> {
        let api_version = object.api_version;
        let known = self.kinds.get(api_version).and_then(|kinds| kinds.get(object.kind));
        if let Some(known) = known {
            return Rc::clone(known);
        }
        let state = Rc::new(KindState::new(self.set, self.checking, object));
        let kinds = self.kinds.entry(api_version.into()).or_default();
        kinds.insert(object.kind.into(), Rc::clone(&state));
        state
    }

    /// Reports everything that is wrong with one object.
    pub(super) fn check(&mut self, object: &Object<'_>, reporter: &mut Reporter) {
        self.at = None;
        if selects(&self.checking.reject, object.manifest) {
            let message = format!("kind `{}` is not wanted here", object.kind);
            self.report(
                reporter,
                &rules::REJECTED_KIND,
                Draft::new(&rules::REJECTED_KIND, kind_origin(object), message),
            );
        }
        if selects(&self.checking.skip, object.manifest) {
            return;
        }
        let kind = self.kind(object);
        let neighbours = kind.answer.as_ref().map(|answer| &*answer.schemas);
        self.at = kind.answer.as_ref().and_then(|answer| answer.at.clone());
        let set = kind.answer.as_ref().and_then(Answer::defining).unwrap_or(self.set);
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
        // As in the API server, rules are evaluated of what is valid otherwise.
        if is_valid && kind.has_rules {
            self.evaluate_rules(set, object, reporter);
        }
        if !unknown.is_empty() {
            self.unknown_kind(object, &unknown, neighbours, reporter);
        }
        if !kind.is_settled {
            self.life_cycle(set, object, reporter);
        }
    }

    /// Says that some version has the object's API no more, else that one advises against it.
    fn life_cycle(&self, set: &SchemaSet, object: &Object<'_>, reporter: &mut Reporter) {
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
            None => "there is no version that takes its place; remove the object".to_owned(),
        };
        self.report(reporter, rule, Draft::new(rule, at, message).hint(hint));
    }

    /// ` in Kubernetes 1.25`, where it is not so in all versions that are asked for.
    fn only_in(&self, versions: &[KubeVersion]) -> String {
        if versions.len() == self.set.versions.len() {
            return String::new();
        }
        let names: Vec<String> = versions.iter().map(ToString::to_string).collect();
        format!(" in Kubernetes {}", names.join(", "))
    }

    fn violation(
        &self,
        object: &Object<'_>,
        violation: &Violation<'_>,
        only_in: &str,
        reporter: &mut Reporter,
    ) {
        if !self.is_of_sops(object, violation)
            && let Some((rule, draft)) = violations::draft(object, violation, only_in, self.checking.lenient)
        {
            self.report(reporter, rule, draft);
        }
    }

    /// The field `sops` has a rule of its own, which knows that another tool may take it away.
    fn is_of_sops(&self, object: &Object<'_>, violation: &Violation<'_>) -> bool {
        matches!(violation.kind, ViolationKind::UnknownField { field: "sops", .. })
            && violation.pointer.as_str().is_empty()
            && self.checking.level(&ENCRYPTED_LEFTOVER.info).is_some()
            && sops_block(object.manifest).is_some()
    }

    /// Removals and deprecations have rules of their own.
    fn unknown_kind(
        &mut self,
        object: &Object<'_>,
        unknown: &[&Schemas],
        neighbours: Option<&SchemaSet>,
        reporter: &mut Reporter,
    ) {
        let rule = &rules::UNKNOWN_KIND;
        let mut said: Vec<(String, Option<String>, bool, Vec<KubeVersion>)> = Vec::new();
        for schemas in unknown {
            let known = schemas.knows(object.group, object.version, object.kind);
            let similar = || neighbours?.versions.first()?.similar(object.group, object.kind);
            let Some(Unknown { message, hint, certain }) = Unknown::of(object, known, similar) else {
                continue;
            };
            match said.iter_mut().find(|(same, ..)| *same == message) {
                Some((.., versions)) => versions.push(schemas.version()),
                None => said.push((message, hint, certain, vec![schemas.version()])),
            }
        }
        for (message, hint, certain, versions) in said {
            let certain = certain || self.checking.strict_kinds;
            let message = message + &self.only_in(&versions);
            if !certain && !self.once.insert(message.clone()) {
                continue;
            }
            let mut draft = Draft::new(rule, kind_origin(object), message);
            let hint = hint.unwrap_or_else(|| {
                "put its definition into the repository, give it with `--crds` or `validate.crds`, or leave the kind \
                 out with `--skip`"
                    .to_owned()
            });
            draft = draft.hint(hint);
            if certain {
                draft = draft.severity(Severity::Error);
            }
            self.report(reporter, rule, draft);
        }
    }

    /// Evaluates the rules of a custom resource. They are the same in each version of Kubernetes.
    fn evaluate_rules(&mut self, set: &SchemaSet, object: &Object<'_>, reporter: &mut Reporter) {
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
        if self.once.insert(message.clone()) {
            self.report(reporter, rule, Draft::new(rule, kind_origin(object), message));
        }
    }

    /// Settings may change a rule's severity, or turn it off.
    fn report(&self, reporter: &mut Reporter, rule: &'static Rule, mut draft: Draft) {
        if let Some(at) = &self.at {
            draft = draft.elsewhere(at.clone(), "the kind is defined here");
        }
        if self.checking.level(&rule.info).is_some() {
            reporter.report(self.checking.leveled(draft));
        }
    }
}

/// Adds a violation, or the version to one that is the same.
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

fn kind_origin(object: &Object<'_>) -> Origin {
    object.manifest.root().get("kind").map_or(object.manifest.origin(), |kind| kind.origin)
}

/// Whether a list of kinds names an object's: `Kind`, `version/Kind` or `group/version/Kind`.
pub(super) fn selects(kinds: &[String], object: &Manifest) -> bool {
    kinds.iter().any(|kind| match kind.rsplit_once('/') {
        None => kind == object.kind(),
        Some((api_version, kind)) => kind == object.kind() && api_version == object.api_version(),
    })
}
