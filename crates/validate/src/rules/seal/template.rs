//! `seal/template`.

use std::collections::{HashMap, HashSet};

use super::sealed_secret::{is_sealed_secret, items};
use crate::facts::checked_object::CheckedObject;
use crate::facts::embedded::TextPlace;
use crate::facts::fields::{entries, key_origin, value};
use crate::facts::go_template::{self, VariableForm, fault_message_and_hint};
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_core::names::{is_item_key, item_label};
use sealwave_core::text::closest_name;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "seal/template",
        severity: Severity::Error,
        summary: "the template of a SealedSecret uses an unknown item, contains a sealed item, or does not parse",
        text: include_str!("template.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    if !is_sealed_secret(object) {
        return;
    }
    let Some(template) = object.manifest.root().at(&["spec", "template"]) else { return };
    if value(template, "stringData").is_some() {
        let message = "the controller ignores `stringData` of the template";
        let draft = FindingDraft::new(&RULE, key_origin(template, "stringData"), message);
        reporter.report(draft.severity(Severity::Warning).hint("write `data`, which takes plain text there"));
    }
    let sealed = items(object);
    let data = entries(template, "data");
    // Literal values of the template are variables for the other values.
    let plain = data.iter().filter(|entry| entry.value.as_str().is_some_and(|text| !text.contains("{{")));
    let names: Vec<&str> = sealed.iter().chain(plain).map(|entry| entry.key.as_str()).collect();
    let known: HashSet<&str> = names.iter().copied().collect();
    let sealed_at: HashMap<&str, Origin> =
        sealed.iter().map(|entry| (entry.key.as_str(), entry.key_origin)).collect();
    for entry in data {
        if let Some(both) = sealed_at.get(entry.key.as_str()) {
            let message = format!(
                "{} is sealed too, and which one counts depends on the controller",
                item_label(&entry.key)
            );
            reporter.report(
                FindingDraft::new(&RULE, entry.key_origin, message)
                    .severity(Severity::Warning)
                    .related(*both, "it is sealed here")
                    .hint("keep one of them, or rename one"),
            );
        }
        let Some(text) = entry.value.as_str() else { continue };
        let uses = go_template::find_uses(text);
        if uses.variables.is_empty() && uses.faults.is_empty() {
            continue;
        }
        let place = TextPlace::locate(context.texts, &entry.value);
        for (range, fault) in &uses.faults {
            let (message, hint) = fault_message_and_hint(*fault, text.get(range.clone()).unwrap_or_default());
            let draft =
                FindingDraft::new(&RULE, place.range_origin(text, range, entry.value.origin), message);
            reporter.report(draft.within(entry.value.origin).hint(hint));
        }
        // A missing field is not an error in sealed-secrets, so guarded uses are fine.
        for used in uses.variables.iter().filter(|used| !used.is_guarded) {
            let name = text.get(used.name.clone()).unwrap_or_default();
            if known.contains(name) {
                continue;
            }
            let shown = if is_item_key(name) { format!("item `{name}`") } else { "an item".to_owned() };
            let consequence = match used.form {
                VariableForm::Field => "it becomes `<no value>`",
                VariableForm::Index => "it is empty",
            };
            let hint = match closest_name(name, names.iter().copied()).filter(|meant| is_item_key(meant)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "seal the item, or correct the name".to_owned(),
            };
            let at = place.range_origin(text, &used.name, entry.value.origin);
            let message = format!("template uses {shown}, which is not sealed here: {consequence}");
            reporter.report(FindingDraft::new(&RULE, at, message).within(entry.value.origin).hint(hint));
        }
    }
}
