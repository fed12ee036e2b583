//! `secret/in-values`.

use aho_corasick::AhoCorasick;

use crate::facts::credential::CredentialKind;
use crate::facts::credential::files::{self, CredentialFileFormat};
use crate::facts::scene::CheckedApp;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;
use sealwave_core::yaml;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/in-values",
        severity: Severity::Warning,
        summary: "a values file holds a credential",
        text: include_str!("in_values.md"),
    },
    RuleCheck::App(check),
);

/// Maximum number of findings per file.
const MOST: usize = 100;

fn check(app: &CheckedApp<'_>, reporter: &mut Reporter) {
    for file in app
        .files
        .iter()
        .filter(|file| file.form == CredentialFileFormat::Values && !files::is_encrypted(&file.content))
    {
        let Ok(documents) = yaml::read(&file.content, file.source, &files::limits()) else { continue };
        let mut found: Vec<(&Node, CredentialKind)> = Vec::new();
        for document in &documents {
            files::collect_in_tree("", document, &mut found);
        }
        found.truncate(MOST);
        let rendered = rendered_values(app, &found);
        for (number, (node, kind)) in found.iter().enumerate() {
            if rendered.get(number) == Some(&true) {
                continue;
            }
            let severity = if kind.is_certain() { Severity::Error } else { Severity::Warning };
            let message = format!("values file holds {}", kind.noun());
            reporter.report(
                FindingDraft::new(&RULE, node.origin, message)
                    .severity(severity)
                    .hint("put it into a secret store, refer to it with a placeholder, and change it")
                    .confidential(),
            );
        }
    }
}

/// Returns, for each value, whether an object of the app contains it.
fn rendered_values(app: &CheckedApp<'_>, found: &[(&Node, CredentialKind)]) -> Vec<bool> {
    let mut rendered = vec![false; found.len()];
    if found.is_empty() {
        return rendered;
    }
    let values = found.iter().map(|(node, _)| node.as_str().unwrap_or_default().trim());
    let Ok(searcher) = AhoCorasick::new(values) else { return rendered };
    for object in app.environments.iter().flat_map(|environment| &environment.objects) {
        mark_found(object.manifest.root(), &searcher, &mut rendered);
    }
    rendered
}

fn mark_found(node: &Node, searcher: &AhoCorasick, rendered: &mut [bool]) {
    if let Some(text) = node.as_str() {
        for hit in searcher.find_overlapping_iter(text) {
            if let Some(rendered) = rendered.get_mut(hit.pattern().as_usize()) {
                *rendered = true;
            }
        }
    }
    node.items().iter().for_each(|item| mark_found(item, searcher, rendered));
    for entry in node.entries() {
        mark_found(&entry.value, searcher, rendered);
    }
}
