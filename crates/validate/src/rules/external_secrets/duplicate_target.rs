//! `external-secrets/duplicate-target`.

use std::collections::HashMap;

use super::spec::text;
use crate::facts::checked_object::CheckedObject;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Origin;
use sealwave_kube::catalog::{ESO_GROUP, ObjectIndex};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "external-secrets/duplicate-target",
        severity: Severity::Error,
        summary: "an ExternalSecret and another object create the same Secret",
        text: include_str!("duplicate_target.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut seen: HashMap<(&str, &str), Origin> = HashMap::new();
    let external = |(_, object): &(ObjectIndex, &CheckedObject<'_>)| object.is(ESO_GROUP, "ExternalSecret");
    for (number, object) in environment.indexed_objects().filter(external) {
        let root = object.manifest.root();
        if matches!(text(root, &["spec", "target", "creationPolicy"]), Some("Merge" | "None")) {
            continue;
        }
        let target = text(root, &["spec", "target", "name"]).filter(|name| !name.is_empty());
        let at = match (target, root.at(&["spec", "target", "name"])) {
            (Some(_), Some(name)) => name.origin,
            _ => object.name_origin(),
        };
        let target = target.unwrap_or(object.name);
        if target.is_empty() {
            continue;
        }
        let message = |by: &str| format!("Secret `{target}` is also created by {by}");
        if let Some(first) = seen.get(&(object.namespace, target)) {
            let severity = match environment.is_plain() {
                true if environment.may_be_apart(*first, at) => Severity::Note,
                true => Severity::Warning,
                false => Severity::Error,
            };
            reporter.report(
                FindingDraft::new(&RULE, at, message("another ExternalSecret"))
                    .severity(severity)
                    .about_object(number)
                    .related(*first, "the other one is here")
                    .hint("give each its own Secret, or use `creationPolicy: Merge` for one of them"),
            );
            continue;
        }
        seen.insert((object.namespace, target), at);
        let secret = environment.catalog.find("", "Secret", object.namespace, target);
        if let Some(secret) = secret.and_then(|secret| environment.object(secret)) {
            let is_apart = environment.may_be_apart(secret.name_origin(), at);
            reporter.report(
                FindingDraft::new(&RULE, at, message("a Secret of the manifests"))
                    .severity(if is_apart { Severity::Note } else { Severity::Warning })
                    .about_object(number)
                    .related(secret.name_origin(), "the Secret is here")
                    .hint("remove one of them, or use `creationPolicy: Merge` in the ExternalSecret"),
            );
        }
    }
}
