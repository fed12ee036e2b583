//! `cert-manager/duplicate-secret`.

use std::collections::HashMap;

use super::names::GROUP;
use crate::facts::later_stage::may_change;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "cert-manager/duplicate-secret",
        severity: Severity::Error,
        summary: "two Certificates write the same Secret",
        text: include_str!("duplicate_secret.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut seen: HashMap<(&str, &str, &str), (&str, Origin)> = HashMap::new();
    let certificates = environment.indexed_objects().filter(|(_, object)| object.is(GROUP, "Certificate"));
    for (number, object) in certificates {
        let Some(node) = object.manifest.root().at(&["spec", "secretName"]) else { continue };
        let Some(name) = node.as_str().filter(|name| !name.is_empty() && !may_change(name)) else {
            continue;
        };
        // Plain manifests of different directories may be for different clusters.
        let source = environment.context.sources.name(object.manifest.origin().source);
        let directory = source.rsplit_once('/').map_or("", |(directory, _)| directory);
        let place = if environment.is_plain() { directory } else { "" };
        let (first, at) = *seen.entry((place, object.namespace, name)).or_insert((object.name, node.origin));
        // The same Certificate twice is another rule's finding.
        if first != object.name {
            let severity = if environment.is_plain() { Severity::Warning } else { Severity::Error };
            reporter.report(
                FindingDraft::new(
                    &RULE,
                    node.origin,
                    format!("Secret `{name}` is also written by another Certificate"),
                )
                .severity(severity)
                .about_object(number)
                .related(at, "the other one is here")
                .hint("give each Certificate a Secret of its own"),
            );
        }
    }
}
