//! `argocd/unknown-environment`.

use std::collections::BTreeSet;

use crate::facts::applications::{app_path, application_sources};
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, text};
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::text::closest_name;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "argocd/unknown-environment",
        // The Application may be for another repository.
        severity: Severity::Warning,
        summary: "an Application names an environment that its app does not have",
        text: include_str!("unknown_environment.md"),
    },
    RuleCheck::Object(check),
);

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    for source in application_sources(object) {
        if let Some(draft) = check_source(source, context) {
            reporter.report(draft);
        }
    }
}

fn check_source(source: &Node, context: &RuleContext<'_>) -> Option<FindingDraft> {
    let plugin = source.get("plugin")?;
    let path_node = source.get("path")?;
    let path = app_path(path_node.as_str()?);
    let environments = context.settings.known_apps.get(path)?.environments.as_ref()?;
    let parameter =
        items(plugin, "parameters").iter().find(|parameter| text(parameter, "name") == Some("env"));
    let Some(parameter) = parameter else {
        return (environments.len() > 1).then(|| {
            let message = format!("parameter `env` is missing, and app `{path}` has several environments");
            FindingDraft::new(&RULE, path_node.origin, message)
                .hint(format!("name one of {}", list(environments)))
        });
    };
    let value = parameter.get("string")?;
    let name = value.as_str().filter(|name| !name.contains("{{"))?;
    if environments.contains(name) {
        return None;
    }
    let hint = match closest_name(name, environments.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it has {}", list(environments)),
    };
    let message = format!("app `{path}` has no environment of this name");
    Some(FindingDraft::new(&RULE, value.origin, message).hint(hint))
}

/// Lists the names of a few environments.
fn list(environments: &BTreeSet<String>) -> String {
    const MAX_NAMES: usize = 10;
    let names: Vec<String> = environments.iter().take(MAX_NAMES).map(|name| format!("`{name}`")).collect();
    let more = if environments.len() > MAX_NAMES { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}
