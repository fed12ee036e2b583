//! `secret/in-field`.

use std::collections::BTreeSet;

use super::command_lines::COMMAND_LINES;
use super::credential_drafts;
use crate::facts::checked_object::CheckedObject;
use crate::facts::credential::{self, CredentialKind};
use crate::facts::pods::located_containers;
use crate::facts::rule_context::RuleContext;
use crate::located::{FindingPlace, LocatedEntry, ObjectPath};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{MappingEntry, Node, NodeValue, SourceTexts};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/in-field",
        severity: Severity::Error,
        summary: "a field of an object that is not a Secret holds a credential",
        text: include_str!("in_field.md"),
    },
    RuleCheck::Object(check),
);

/// Minimum length of a credential.
const SHORTEST: usize = 12;

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    // These kinds have rules of their own, contain no readable values, or only document them.
    if matches!(object.kind, "ConfigMap" | "CustomResourceDefinition" | "SealedSecret" | "Secret") {
        return;
    }
    let is_custom = object.group.contains('.') && !object.group.ends_with(".k8s.io");
    let mut search = FieldSearch {
        object,
        texts: context.texts,
        is_custom,
        elsewhere: BTreeSet::new(),
        found: Vec::new(),
    };
    search.run();
    if search.found.is_empty() {
        return;
    }
    // Few objects get here, so the fields of other rules are only computed now.
    let elsewhere = checked_elsewhere(object);
    if !elsewhere.is_empty() {
        search = FieldSearch { elsewhere, found: Vec::new(), ..search };
        search.run();
    }
    search.found.into_iter().for_each(|draft| reporter.report(draft));
}

/// A search for credentials in the fields of an object.
struct FieldSearch<'a, 'o> {
    object: &'a CheckedObject<'o>,
    texts: &'a SourceTexts,
    is_custom: bool,
    /// The JSON pointers of nodes that other rules check.
    elsewhere: BTreeSet<String>,
    found: Vec<FindingDraft>,
}

impl FieldSearch<'_, '_> {
    fn run(&mut self) {
        let root = self.object.manifest.root().as_mapping();
        for entry in
            root.map_or(&[][..], |root| root.entries()).iter().filter(|entry| !is_header_field(&entry.key))
        {
            self.check(&NamedValue::from_entry(entry, &Trail::Root));
        }
    }

    /// Checks a field and its children; parsers bound the depth.
    fn check(&mut self, field: &NamedValue<'_>) {
        if !self.elsewhere.is_empty() && self.elsewhere.contains(&field.trail.path().pointer()) {
            return;
        }
        match &field.node.value {
            NodeValue::Mapping(mapping) => {
                // Names are only significant in custom resources.
                let name = Some(field.node).filter(|node| self.is_custom && node.get("value").is_some());
                let name = name.and_then(|node| node.get("name")?.as_str());
                let is_too_short =
                    |entry: &&MappingEntry| entry.value.as_str().is_some_and(|text| text.len() < SHORTEST);
                for entry in mapping.entries().iter().filter(|entry| !is_too_short(entry)) {
                    self.check(&NamedValue::from_entry(entry, &field.trail).with_name(name));
                }
            }
            NodeValue::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.check(&NamedValue::from_item(item, index, &field.trail));
                }
            }
            NodeValue::String(text) if text.len() >= SHORTEST => {
                let certain = certain_credential(field, text);
                let likely = || likely_credential(self.object, field, text, self.texts);
                self.found.extend(certain.or_else(|| self.is_custom.then(likely)?));
            }
            _ => {}
        }
    }
}

/// A value with its name.
struct NamedValue<'a> {
    name: &'a str,
    node: &'a Node,
    entry: Option<&'a MappingEntry>,
    trail: Trail<'a>,
}

/// The steps to a value, from the last to the first.
#[derive(Clone, Copy)]
enum Trail<'a> {
    Item(&'a Self, usize),
    Key(&'a Self, &'a str),
    Root,
}

impl Trail<'_> {
    fn path(&self) -> ObjectPath {
        match self {
            Self::Item(list, index) => list.path().item(*index),
            Self::Key(mapping, key) => mapping.path().key(key),
            Self::Root => ObjectPath::root(),
        }
    }
}

impl<'a> NamedValue<'a> {
    fn from_entry(entry: &'a MappingEntry, mapping: &'a Trail<'a>) -> Self {
        Self {
            name: &entry.key,
            node: &entry.value,
            entry: Some(entry),
            trail: Trail::Key(mapping, &entry.key),
        }
    }

    fn from_item(node: &'a Node, index: usize, list: &'a Trail<'a>) -> Self {
        Self { name: "", node, entry: None, trail: Trail::Item(list, index) }
    }

    /// Returns the entry with the path of its mapping.
    fn located_entry(&self, entry: &'a MappingEntry) -> LocatedEntry<'a> {
        let mapping = match self.trail {
            Trail::Item(parent, _) | Trail::Key(parent, _) => parent.path(),
            Trail::Root => ObjectPath::root(),
        };
        LocatedEntry::new(entry, mapping)
    }

    fn place(&self) -> FindingPlace {
        FindingPlace::new(self.node.origin, self.trail.path())
    }

    /// Renames the `value` of a parameter or variable to the `name` next to it.
    fn with_name(self, name: Option<&'a str>) -> Self {
        match name {
            Some(name) if self.name == "value" => Self { name, ..self },
            _ => self,
        }
    }
}

/// Reports a value that is certainly a credential.
fn certain_credential(field: &NamedValue<'_>, text: &str) -> Option<FindingDraft> {
    let kind = credential::detect(None, text)?;
    if credential::is_identifier(field.name, kind) {
        return None;
    }
    let counts = kind.is_certain() || matches!(kind, CredentialKind::Publishable(_));
    counts.then(|| credential_drafts::credential_draft(&RULE, kind, field.place(), PLACE))
}

/// Reports a value that is a credential by its name, in a field or in Helm values as text.
fn likely_credential(
    object: &CheckedObject<'_>,
    field: &NamedValue<'_>,
    text: &str,
    texts: &SourceTexts,
) -> Option<FindingDraft> {
    let is_text = matches!(field.name, "values" | "valuesContent");
    if let Some(entry) = field.entry.filter(|_| is_text) {
        let found = credential::detect_in_lines(text).filter(|(_, kind)| *kind == CredentialKind::Keyed)?;
        return Some(credential_drafts::credential_draft_in_file(
            &RULE,
            found,
            &field.located_entry(entry),
            PLACE,
            texts,
        ));
    }
    // In this group, it is the name of an item.
    let is_name = object.group == "external-secrets.io" && field.name == "secretKey";
    let name = Some(field.name).filter(|name| !is_name && credential::is_credential_name(name))?;
    let kind = credential::detect_strictly(name, text).filter(|kind| *kind == CredentialKind::Keyed)?;
    Some(credential_drafts::credential_draft(&RULE, kind, field.place(), PLACE))
}

const PLACE: &str = "this field";

fn is_header_field(key: &str) -> bool {
    matches!(key, "apiVersion" | "kind" | "metadata")
}

/// Returns the JSON pointers of the nodes that other rules check: command lines, variables, annotations and labels.
fn checked_elsewhere(object: &CheckedObject<'_>) -> BTreeSet<String> {
    let Some(pod) = object.located_pod_spec() else { return BTreeSet::new() };
    let mut all = BTreeSet::new();
    for container in located_containers(pod) {
        all.extend(
            COMMAND_LINES
                .iter()
                .map(|path| path.iter().fold(container.path.clone(), |path, key| path.key(key)).pointer()),
        );
        all.insert(container.path.key("env").pointer());
    }
    for metadata in object.located_metadata() {
        all.extend(["annotations", "labels"].map(|field| metadata.path.key(field).pointer()));
    }
    all
}
