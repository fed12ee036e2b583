//! `argocd/plugin-name`.

use crate::facts::applications::{app_path, application_sources};
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::text;
use crate::facts::rule_context::{KnownApp, RuleContext};
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, NodeValue};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "argocd/plugin-name",
        severity: Severity::Error,
        summary: "an Application leaves it to Argo CD whether an app is rendered by sealwave",
        text: include_str!("plugin_name.md"),
    },
    RuleCheck::Object(check),
);

/// Fields of a source with which Argo CD renders it itself.
const OWN_TOOLS: [&str; 3] = ["directory", "helm", "kustomize"];

/// The hint for an app.
const PLUGIN: &str = "set `plugin: {name: sealwave}`, with the name of your sidecar";

fn check(object: &CheckedObject<'_>, context: &RuleContext<'_>, reporter: &mut Reporter) {
    for source in application_sources(object) {
        if let Some(draft) = check_source(source, context) {
            reporter.report(draft);
        }
    }
}

fn check_source(source: &Node, context: &RuleContext<'_>) -> Option<FindingDraft> {
    let path_node = source.get("path")?;
    let path = app_path(path_node.as_str()?);
    let KnownApp { tool, .. } = context.settings.known_apps.get(path)?;
    let own =
        source.entries().iter().find(|entry| OWN_TOOLS.contains(&entry.key.as_str()) && is_set(&entry.value));
    let plugin = source.get("plugin").filter(|plugin| !matches!(plugin.value, NodeValue::Null));
    if let Some(own) = own {
        let message = match plugin {
            Some(_) => format!("`{}` is set beside `plugin`, which Argo CD refuses", own.key),
            None => format!("`{}` is set, so Argo CD renders app `{path}` without sealwave", own.key),
        };
        let hint = format!("move its options to `{path}/sealwave.yaml`, and {PLUGIN}");
        return Some(FindingDraft::new(&RULE, own.key_origin, message).hint(hint));
    }
    // Without such a tool, a directory that no plugin renders has no manifests that Argo CD could apply.
    let tool = (*tool)?.name();
    let message = match plugin {
        Some(plugin) if text(plugin, "name").is_some_and(|name| !name.is_empty()) => return None,
        Some(_) => {
            format!("`plugin.name` is missing, so app `{path}` syncs only if discovery finds the plugin")
        }
        None => format!(
            "`plugin.name` is missing: unless discovery finds the plugin, Argo CD renders app `{path}` with its own {tool}, and applies placeholders as values"
        ),
    };
    Some(FindingDraft::new(&RULE, path_node.origin, message).hint(PLUGIN))
}

/// Reports whether options are set: Argo CD drops an empty map, except that of a plugin.
fn is_set(options: &Node) -> bool {
    !options.entries().is_empty()
}
