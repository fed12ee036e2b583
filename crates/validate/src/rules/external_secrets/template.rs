//! `external-secrets/template`.

use std::collections::HashSet;

use super::spec::spec;
use crate::facts::checked_object::CheckedObject;
use crate::facts::embedded::TextPlace;
use crate::facts::fields::{entries, items};
use crate::facts::go_template::{self, VariableForm, VariableUse};
use crate::facts::later_stage::may_change;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_core::names::is_item_key;
use sealwave_core::text::closest_name;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "external-secrets/template",
        severity: Severity::Error,
        summary: "the template of an ExternalSecret uses an undefined variable, or does not parse",
        text: include_str!("template.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(spec) = spec(object) else { return };
    let Some(template) = spec.at(&["target", "template"]) else { return };
    let keys = defined(spec);
    let known: Option<HashSet<&str>> = keys.as_ref().map(|keys| keys.iter().copied().collect());
    for value in templates(template) {
        let Some(source) = value.as_str() else { continue };
        let uses = go_template::find_uses(source);
        if uses.variables.is_empty() && uses.faults.is_empty() {
            continue;
        }
        let place = TextPlace::locate(context.texts, value);
        for (range, fault) in &uses.faults {
            let name = source.get(range.clone()).unwrap_or_default();
            let (message, hint) = go_template::fault_message_and_hint(*fault, name);
            let draft = FindingDraft::new(&RULE, place.range_origin(source, range, value.origin), message);
            reporter.report(draft.within(value.origin).hint(hint));
        }
        let (Some(keys), Some(known)) = (&keys, &known) else { continue };
        for used in &uses.variables {
            let name = source.get(used.name.clone()).unwrap_or_default();
            if !known.contains(name) {
                let at = place.range_origin(source, &used.name, value.origin);
                reporter.report(undefined_draft(used, name, keys, at).within(value.origin));
            }
        }
    }
}

/// Returns the variables that `data` defines; `None` if the store may define more.
fn defined(spec: &Node) -> Option<Vec<&str>> {
    if !items(spec, "dataFrom").is_empty() {
        return None;
    }
    let keys = items(spec, "data").iter().filter_map(|item| item.get("secretKey")?.as_str());
    let keys: Vec<&str> = keys.collect();
    // A key that another tool fills in may be any of them.
    (!keys.iter().any(|key| may_change(key))).then_some(keys)
}

/// Returns all strings of a target's template that the controller executes.
fn templates(template: &Node) -> Vec<&Node> {
    let metadata = template.get("metadata");
    let mappings = [
        Some(entries(template, "data")),
        metadata.map(|metadata| entries(metadata, "annotations")),
        metadata.map(|metadata| entries(metadata, "labels")),
    ];
    let literals = items(template, "templateFrom").iter().filter_map(|from| from.get("literal"));
    mappings.into_iter().flatten().flatten().map(|entry| &entry.value).chain(literals).collect()
}

fn undefined_draft(used: &VariableUse, name: &str, keys: &[&str], at: Origin) -> FindingDraft {
    let shown = if is_item_key(name) { format!("variable `{name}`") } else { "a variable".to_owned() };
    let hint = match closest_name(name, keys.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "add an item with this `secretKey` to `data`, or correct the name".to_owned(),
    };
    let message = match used.form {
        VariableForm::Field => format!("template uses {shown}, which no item of `data` defines"),
        VariableForm::Index => format!("template uses {shown}, which no item of `data` defines: it is empty"),
    };
    FindingDraft::new(&RULE, at, message).hint(hint)
}
