//! `secret/in-field`.

use std::collections::HashSet;

use super::show;
use crate::diagnostic::{RuleInfo, Severity};
use crate::lints::credential;
use crate::lints::{Check, Object, Reporter, Rule, Scene};
use crate::model::{Node, Value};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "secret/in-field",
        severity: Severity::Error,
        enabled: true,
        summary: "a field of an object that is no Secret holds a credential",
        explanation: "Only Secrets are masked and guarded as such. A custom resource with a token or a URI with a \
                      password in it is shown by Argo CD as it is, is readable for everybody who may list its kind, \
                      and is in the repository. Only what is a credential beyond doubt counts here: a token with its \
                      issuer's prefix, a private key, a URI with a password.",
        example: "kind: Alert\nspec:\n  url: https://bot:Tr0ub4dor-3@chat.internal/hook\n",
        remedy: "Most kinds have a field beside it that refers to a Secret (`secretRef`, `existingSecret`, `passwordSecret`): \
                 use that one.",
    },
    check: Check::Object(check),
};

/// Shorter texts hold none of these.
const SHORTEST: usize = 14;

fn check(object: &Object<'_>, _: &Scene<'_>, reporter: &mut Reporter) {
    // Those have rules of their own, hold nothing readable, or document it.
    if matches!(object.kind, "ConfigMap" | "CustomResourceDefinition" | "SealedSecret" | "Secret") {
        return;
    }
    let Some(root) = object.manifest.root().as_mapping() else { return };
    let elsewhere = looked_at_elsewhere(object);
    let fields = root.entries().iter().filter(|entry| !is_head(&entry.key));
    let mut stack: Vec<&Node> = fields.map(|entry| &entry.value).collect();
    while let Some(node) = stack.pop() {
        match &node.value {
            _ if elsewhere.contains(&std::ptr::from_ref(node)) => {}
            Value::Mapping(mapping) => stack.extend(mapping.entries().iter().map(|entry| &entry.value)),
            Value::Sequence(items) => stack.extend(items),
            Value::String(text) if text.len() >= SHORTEST => {
                if let Some(kind) = credential::detect(None, text).filter(|kind| kind.is_certain()) {
                    reporter.report(show::draft(&RULE, kind, node.origin, "this field"));
                }
            }
            _ => {}
        }
    }
}

fn is_head(key: &str) -> bool {
    matches!(key, "apiVersion" | "kind" | "metadata")
}

/// The parts of an object that other rules look at: command lines, variables, annotations and labels.
fn looked_at_elsewhere(object: &Object<'_>) -> HashSet<*const Node> {
    let Some(pod) = &object.pod else { return HashSet::new() };
    let lines = super::containers(pod.spec).flat_map(super::command_lines).map(|(_, line)| line);
    let variables = super::containers(pod.spec).filter_map(|container| container.get("env"));
    let metadata = super::metadata(object);
    let notes =
        metadata.iter().flat_map(|metadata| ["annotations", "labels"].map(|field| metadata.get(field)));
    lines.chain(variables).chain(notes.flatten()).map(std::ptr::from_ref).collect()
}
