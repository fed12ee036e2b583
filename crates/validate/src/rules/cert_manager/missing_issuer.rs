//! `cert-manager/missing-issuer`.

use super::names::GROUP;
use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::text;
use crate::facts::presence::PresenceIndex;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "cert-manager/missing-issuer",
        severity: Severity::Warning,
        summary: "a Certificate or an Ingress names an issuer that does not exist",
        text: include_str!("missing_issuer.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut presence = None;
    for (number, object) in environment.indexed_objects() {
        for (kind, name) in issuers(object) {
            let Some(issuer) = name.as_str().filter(|issuer| !issuer.is_empty()) else { continue };
            let presence = presence.get_or_insert_with(|| PresenceIndex::new(environment));
            let namespace = |kind: &str| if kind == "ClusterIssuer" { "" } else { object.namespace };
            if presence.has_object(GROUP, kind, namespace(kind), issuer) {
                continue;
            }
            let other = if kind == "Issuer" { "ClusterIssuer" } else { "Issuer" };
            let draft = FindingDraft::new(&RULE, name.origin, format!("{kind} `{issuer}` does not exist"))
                .about_object(number);
            let in_app = if kind == "Issuer" { Severity::Warning } else { Severity::Note };
            reporter.report(if presence.has_object(GROUP, other, namespace(other), issuer) {
                draft.hint(format!("a {other} of this name exists: write `kind: {other}`"))
            } else {
                draft.severity(presence.severity_of_missing((GROUP, kind), namespace(kind), in_app)).hint(
                    "add the issuer, correct its name, or declare it as existing elsewhere (`--external`)",
                )
            });
        }
    }
}

/// Returns the issuers that an object refers to, as kind and name node.
fn issuers<'a>(object: &CheckedObject<'a>) -> Vec<(&'static str, &'a Node)> {
    let root = object.manifest.root();
    match (object.group, object.kind) {
        (GROUP, "Certificate") => {
            let Some(reference) = root.at(&["spec", "issuerRef"]) else { return Vec::new() };
            let is_own = text(reference, "group").is_none_or(|group| group == GROUP);
            let kind = match text(reference, "kind") {
                None | Some("Issuer") => "Issuer",
                Some("ClusterIssuer") => "ClusterIssuer",
                Some(_) => return Vec::new(),
            };
            reference.get("name").filter(|_| is_own).map(|name| (kind, name)).into_iter().collect()
        }
        ("networking.k8s.io", "Ingress") | ("gateway.networking.k8s.io", "Gateway") => {
            let annotations = root.at(&["metadata", "annotations"]);
            let annotation = |name: &str| annotations.and_then(|annotations| annotations.get(name));
            if annotation("cert-manager.io/issuer-kind").is_some()
                || annotation("cert-manager.io/issuer-group").is_some()
            {
                return Vec::new();
            }
            let named = [
                ("Issuer", annotation("cert-manager.io/issuer")),
                ("ClusterIssuer", annotation("cert-manager.io/cluster-issuer")),
            ];
            named.into_iter().filter_map(|(kind, name)| Some((kind, name?))).collect()
        }
        _ => Vec::new(),
    }
}
