//! `secret/in-field`.

use super::show;
use crate::rules::credential::{self, Kind};
use crate::rules::metadata::each_metadata;
use crate::rules::pods::containers;
use crate::rules::{Check, Draft, Object, Reporter, Rule, Scene};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Entry, Node, Texts, Value};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/in-field",
        severity: Severity::Error,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a field of an object that is not a Secret holds a credential",
        page: include_str!("in_field.md"),
    },
    check: Check::Object(check),
};

/// Shorter texts hold none of these.
const SHORTEST: usize = 12;

fn check(object: &Object<'_>, scene: &Scene<'_>, reporter: &mut Reporter) {
    // Those have rules of their own, hold nothing readable, or document it.
    if matches!(object.kind, "ConfigMap" | "CustomResourceDefinition" | "SealedSecret" | "Secret") {
        return;
    }
    let is_custom = object.group.contains('.') && !object.group.ends_with(".k8s.io");
    let mut search =
        Search { object, texts: scene.texts, is_custom, elsewhere: Vec::new(), found: Vec::new() };
    search.all();
    if search.found.is_empty() {
        return;
    }
    // Hardly an object comes here, so only now it is asked what others look at.
    let elsewhere = looked_at_elsewhere(object);
    if !elsewhere.is_empty() {
        search = Search { elsewhere, found: Vec::new(), ..search };
        search.all();
    }
    search.found.into_iter().for_each(|draft| reporter.report(draft));
}

/// A search through the fields of an object.
struct Search<'a, 'o> {
    object: &'a Object<'o>,
    texts: &'a Texts,
    is_custom: bool,
    /// What is passed over, sorted.
    elsewhere: Vec<*const Node>,
    found: Vec<Draft>,
}

impl Search<'_, '_> {
    fn all(&mut self) {
        let root = self.object.manifest.root().as_mapping();
        for entry in root.map_or(&[][..], |root| root.entries()).iter().filter(|entry| !is_head(&entry.key)) {
            self.field(&Field::of_entry(entry));
        }
    }

    /// Looks at a field and what is in it: readers bound how deep that is.
    fn field(&mut self, field: &Field<'_>) {
        if self.elsewhere.binary_search(&std::ptr::from_ref(field.node)).is_ok() {
            return;
        }
        match &field.node.value {
            Value::Mapping(mapping) => {
                // Only of custom resources a name tells.
                let name = Some(field.node).filter(|node| self.is_custom && node.get("value").is_some());
                let name = name.and_then(|node| node.get("name")?.as_str());
                let is_too_short =
                    |entry: &&Entry| entry.value.as_str().is_some_and(|text| text.len() < SHORTEST);
                for entry in mapping.entries().iter().filter(|entry| !is_too_short(entry)) {
                    self.field(&Field::of_entry(entry).named(name));
                }
            }
            Value::Sequence(items) => items.iter().for_each(|item| self.field(&Field::of_item(item))),
            Value::String(text) if text.len() >= SHORTEST => {
                let found = sure(field, text);
                let likely = || likely(self.object, field, text, self.texts);
                self.found.extend(found.or_else(|| self.is_custom.then(likely)?));
            }
            _ => {}
        }
    }
}

/// A value, and what it is called.
struct Field<'a> {
    name: &'a str,
    node: &'a Node,
    entry: Option<&'a Entry>,
}

impl<'a> Field<'a> {
    fn of_entry(entry: &'a Entry) -> Self {
        Self { name: &entry.key, node: &entry.value, entry: Some(entry) }
    }

    fn of_item(node: &'a Node) -> Self {
        Self { name: "", node, entry: None }
    }

    /// The `value` of a parameter or a variable is called as the `name` beside it says.
    fn named(self, name: Option<&'a str>) -> Self {
        match name {
            Some(name) if self.name == "value" => Self { name, ..self },
            _ => self,
        }
    }
}

/// What is a credential by itself.
fn sure(field: &Field<'_>, text: &str) -> Option<Draft> {
    let kind = credential::detect(None, text)?;
    if credential::is_identifier(field.name, kind) {
        return None;
    }
    let counts = kind.is_certain() || matches!(kind, Kind::Publishable(_));
    counts.then(|| show::draft(&RULE, kind, field.node.origin, PLACE))
}

/// What is one by its name, in a field or in Helm's values as text.
fn likely(object: &Object<'_>, field: &Field<'_>, text: &str, texts: &Texts) -> Option<Draft> {
    let is_text = matches!(field.name, "values" | "valuesContent");
    if let Some(entry) = field.entry.filter(|_| is_text) {
        let found = credential::detect_in_lines(text).filter(|(_, kind)| *kind == Kind::Keyed)?;
        return Some(show::draft_in_file(&RULE, found, entry, PLACE, texts));
    }
    // There it is the name of an item.
    let is_name = object.group == "external-secrets.io" && field.name == "secretKey";
    let name = Some(field.name).filter(|name| !is_name && credential::is_named_so(name))?;
    let kind = credential::detect_strictly(name, text).filter(|kind| *kind == Kind::Keyed)?;
    Some(show::draft(&RULE, kind, field.node.origin, PLACE))
}

const PLACE: &str = "this field";

fn is_head(key: &str) -> bool {
    matches!(key, "apiVersion" | "kind" | "metadata")
}

/// The parts of an object that other rules look at, sorted: command lines, variables, annotations and labels.
fn looked_at_elsewhere(object: &Object<'_>) -> Vec<*const Node> {
    let Some(pod) = &object.pod else { return Vec::new() };
    let lines = containers(pod.spec).flat_map(super::command_lines).map(|(_, line)| line);
    let variables = containers(pod.spec).filter_map(|container| container.get("env"));
    let mut all: Vec<_> = lines.chain(variables).map(std::ptr::from_ref).collect();
    each_metadata(object, |metadata| {
        let notes = ["annotations", "labels"].iter().filter_map(|field| metadata.get(field));
        all.extend(notes.map(std::ptr::from_ref));
    });
    all.sort_unstable();
    all
}
