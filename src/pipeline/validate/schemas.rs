//! Objects against schemas, for every version of Kubernetes that is asked for: one finding for what several versions say.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use compact_str::CompactString;

use super::Checking;
use crate::diagnostic::Severity;
use crate::lints::{Draft, Object, Reporter, Rule, api, schema as rules};
use crate::model::{Manifest, Node, Origin, Value, is_secret_like, may_name};
use crate::schema::{CheckOptions, KindSchema, Known, KubeVersion, Schemas, Violation, ViolationKind};

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
    kinds: BTreeMap<CompactString, BTreeMap<CompactString, KindState>>,
    /// What was said once and is not to be said again.
    once: HashSet<String>,
}

/// What is known of a kind, so that it is looked up once and not for each object.
#[derive(Clone, Debug)]
struct KindState {
    /// In each version; `None` where it has none.
    schemas: Rc<[Option<KindSchema>]>,
    /// Whether its API stays, and it has no rules that only a cluster evaluates.
    is_settled: bool,
}

impl<'s> SchemaCheck<'s> {
    pub(super) fn new(set: &'s SchemaSet, checking: &'s Checking) -> Self {
        Self { set, checking, kinds: BTreeMap::new(), once: HashSet::new() }
    }

    /// The messages that are said once, of however many objects.
    pub(super) fn into_once(self) -> HashSet<String> {
        self.once
    }

    /// What is known of an object's kind.
    fn kind(&mut self, object: &Object<'_>) -> KindState {
        let api_version = object.manifest.api_version();
        let known = self.kinds.get(api_version).and_then(|kinds| kinds.get(object.kind));
        if let Some(known) = known {
            return known.clone();
        }
        let version = version_of(object);
        let of = |schemas: &Schemas| schemas.kind(object.group, version, object.kind);
        let schemas = self.set.versions.iter().map(of).collect();
        let state = KindState { schemas, is_settled: self.is_settled(object) };
        let kinds = self.kinds.entry(api_version.into()).or_default();
        kinds.insert(object.kind.into(), state.clone());
        state
    }

    /// Reports everything that is wrong with one object.
    pub(super) fn check(&mut self, object: &Object<'_>, reporter: &mut Reporter) {
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
        let set = self.set;
        let kind = self.kind(object);
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
        for (violation, versions) in found {
            self.violation(object, &violation, &self.only_in(&versions), reporter);
        }
        if !unknown.is_empty() {
            self.unknown_kind(object, &unknown, reporter);
        }
        if !kind.is_settled {
            self.life_cycle(object, reporter);
            self.unevaluated(object, reporter);
        }
    }

    /// Whether there is nothing to say of an object's kind itself.
    fn is_settled(&self, object: &Object<'_>) -> bool {
        let version = version_of(object);
        self.set.versions.iter().all(|schemas| {
            let life = schemas.life_cycle(object.group, version, object.kind);
            let stays = life.is_none_or(|life| {
                !life.deprecated && life.removed_in.is_none_or(|gone| gone > schemas.version())
            });
            stays && schemas.unchecked_rules(object.group, version, object.kind) == 0
        })
    }

    /// Says that some version has the object's API no more, else that one advises against it.
    fn life_cycle(&self, object: &Object<'_>, reporter: &mut Reporter) {
        let api_version = object.manifest.api_version();
        let version = version_of(object);
        let (mut removed, mut deprecated) = (None, None);
        for schemas in &self.set.versions {
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
        let root = object.manifest.root();
        if is_secret_data(object, violation) || is_variable(violation) {
            return;
        }
        let rule = rule_of(&violation.kind);
        let message = match &violation.kind {
            ViolationKind::UnknownField { field, .. } => match nameable(root, violation, field) {
                Some(field) => format!("field `{field}` is not known"),
                None => "field is not known; it is not named, as it may be a value".to_owned(),
            },
            ViolationKind::DuplicateListKey { keys, .. } => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                format!("item has the same {} as one before it", keys.join(" and "))
            }
            ViolationKind::DuplicateSetItem { .. } => "item of a set is the same as one before it".to_owned(),
            kind => kind.to_string(),
        };
        let mut draft =
            Draft::new(rule, position(root, violation), message + only_in).pointer(pointer(violation));
        if let Some(hint) = violation.kind.hint() {
            draft = draft.hint(hint);
        }
        if let ViolationKind::DuplicateListKey { first, .. } | ViolationKind::DuplicateSetItem { first } =
            violation.kind
        {
            draft = draft.related(first, "the one before is here");
        }
        if holds_unknown_text(root, violation) {
            draft = draft.confidential();
        }
        match &violation.kind {
            ViolationKind::Definition(fault) if fault.is_note() => draft = draft.severity(Severity::Note),
            ViolationKind::UnknownField { .. } if self.checking.lenient => {
                draft = draft.severity(Severity::Warning);
            }
            _ => {}
        }
        self.report(reporter, rule, draft);
    }

    /// Removals and deprecations have rules of their own.
    fn unknown_kind(&mut self, object: &Object<'_>, unknown: &[&Schemas], reporter: &mut Reporter) {
        let rule = &rules::UNKNOWN_KIND;
        let version = version_of(object);
        let mut said: Vec<(String, Option<String>, bool, Vec<KubeVersion>)> = Vec::new();
        for schemas in unknown {
            let (message, hint, certain) = match schemas.knows(object.group, version, object.kind) {
                Known::Removed { .. } | Known::Yes => continue,
                Known::NotYet { introduced } => (
                    format!(
                        "`{}` of this version does not exist before Kubernetes {introduced}",
                        object.kind
                    ),
                    None,
                    true,
                ),
                Known::OtherVersions(versions) => {
                    let versions: Vec<String> =
                        versions.iter().map(|version| format!("`{version}`")).collect();
                    let hint = if versions.is_empty() {
                        "its definition serves no version".to_owned()
                    } else {
                        format!("it exists as {}", versions.join(", "))
                    };
                    (format!("kind `{}` does not exist in this `apiVersion`", object.kind), Some(hint), true)
                }
                Known::No { meant } => {
                    let hint = meant
                        .as_ref()
                        .map(|(api_version, kind)| format!("did you mean `{kind}` of `{api_version}`?"));
                    let built_in =
                        !object.group.contains('.') || object.group.ends_with(".k8s.io") && meant.is_some();
                    let message = if built_in {
                        format!("kind `{}` does not exist", object.kind)
                    } else {
                        format!(
                            "there is no schema for kind `{}`; fields of its objects were not checked",
                            object.kind
                        )
                    };
                    (message, hint, built_in)
                }
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
                "give its definition with `--crds` or `validate.crds`, or leave it out with `--skip`"
                    .to_owned()
            });
            draft = draft.hint(hint);
            if certain {
                draft = draft.severity(Severity::Error);
            }
            self.report(reporter, rule, draft);
        }
    }

    fn unevaluated(&mut self, object: &Object<'_>, reporter: &mut Reporter) {
        let version = version_of(object);
        let Some(schemas) = self.set.versions.first() else { return };
        let count = schemas.unchecked_rules(object.group, version, object.kind);
        if count == 0 {
            return;
        }
        let rule = &rules::UNEVALUATED;
        let rules = if count == 1 { "rule" } else { "rules" };
        let message =
            format!("kind `{}` has {count} validation {rules} that only a cluster evaluates", object.kind);
        if self.once.insert(message.clone()) {
            self.report(reporter, rule, Draft::new(rule, kind_origin(object), message));
        }
    }

    /// Settings may change a rule's severity, or turn it off.
    fn report(&self, reporter: &mut Reporter, rule: &'static Rule, draft: Draft) {
        if self.checking.level(&rule.info).is_some() {
            reporter.report(self.checking.leveled(draft));
        }
    }
}

/// The version in an object's `apiVersion`.
fn version_of<'o>(object: &Object<'o>) -> &'o str {
    object.manifest.api_version().rsplit('/').next().unwrap_or_default()
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

const fn rule_of(kind: &ViolationKind<'_>) -> &'static Rule {
    match kind {
        ViolationKind::Definition(_) => &rules::DEFINITION,
        ViolationKind::DuplicateListKey { .. } | ViolationKind::DuplicateSetItem { .. } => &rules::LIST_KEY,
        ViolationKind::Format { .. } => &rules::FORMAT,
        ViolationKind::Length { .. }
        | ViolationKind::MultipleOf { .. }
        | ViolationKind::Pattern { .. }
        | ViolationKind::Range { .. }
        | ViolationKind::Unfit { .. } => &rules::VALUE,
        ViolationKind::MissingField { .. } => &rules::REQUIRED,
        ViolationKind::NotInEnum { .. } => &rules::ENUM,
        ViolationKind::TooComplex | ViolationKind::TooDeep => &rules::TOO_COMPLEX,
        ViolationKind::UnknownField { .. } => &rules::UNKNOWN_FIELD,
        ViolationKind::WrongType { .. } => &rules::TYPE,
    }
}

/// Base64 of a Secret has a rule of its own, which knows placeholders.
fn is_secret_data(object: &Object<'_>, violation: &Violation<'_>) -> bool {
    matches!(violation.kind, ViolationKind::Format { .. })
        && object.is("", "Secret")
        && violation.pointer.as_str().starts_with("/data/")
}

/// A variable given twice has a rule of its own: the API server warns of it and takes the object.
fn is_variable(violation: &Violation<'_>) -> bool {
    let list = violation.pointer.as_str().rsplit_once('/').map_or("", |(list, _)| list);
    matches!(violation.kind, ViolationKind::DuplicateListKey { .. }) && list.ends_with("/env")
}

/// Whether it is a field that is not known, with text of which nobody can say what it is.
fn holds_unknown_text(root: &Node, violation: &Violation<'_>) -> bool {
    let ViolationKind::UnknownField { field, .. } = violation.kind else { return false };
    let parent = node_at(root, violation.pointer.as_str());
    parent.and_then(|(node, _)| node.get(field)).is_some_and(|value| value.as_str().is_some())
}

/// What a pointer leads to, and where its key stands.
fn node_at<'n>(root: &'n Node, pointer: &str) -> Option<(&'n Node, Option<Origin>)> {
    let mut found = (root, None);
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let node = found.0;
        found = match node.as_mapping().and_then(|mapping| mapping.entry(&step)) {
            Some(entry) => (&entry.value, Some(entry.key_origin)),
            None => (node.items().get(step.parse::<usize>().ok()?)?, None),
        };
    }
    Some(found)
}

/// Where it is shown: a collection that starts below its key, at the key.
fn position(root: &Node, violation: &Violation<'_>) -> Origin {
    match node_at(root, violation.pointer.as_str()) {
        // What a patch put there stands elsewhere than the key.
        Some((node, Some(key)))
            if node.origin == violation.origin
                && key.source == node.origin.source
                && key.line < node.origin.line
                && matches!(node.value, Value::Mapping(_) | Value::Sequence(_)) =>
        {
            key
        }
        _ => violation.origin,
    }
}

/// The way to it; of a field that is missing, to where it would be.
fn pointer(violation: &Violation<'_>) -> String {
    let at = violation.pointer.as_str();
    match &violation.kind {
        ViolationKind::MissingField { field } | ViolationKind::UnknownField { field, .. } => {
            format!("{at}/{}", super::pointer::escape(field))
        }
        _ => at.to_owned(),
    }
}

/// The name of an unknown field, where it cannot be a value that slipped out of its place.
fn nameable<'f>(root: &Node, violation: &Violation<'_>, field: &'f str) -> Option<&'f str> {
    if !is_secret_like(root) {
        return Some(field);
    }
    let path: Vec<&str> = violation.pointer.as_str().split('/').skip(1).collect();
    let value = path.iter().try_fold(root, |node, key| node.get(key))?.get(field)?;
    may_name(&path, field, value).then_some(field)
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
