//! `reference/dangling-gateway`.

use crate::facts::checked_object::CheckedObject;
use crate::facts::fields::{items, text};
use crate::facts::presence::PresenceIndex;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

const GROUP: &str = "gateway.networking.k8s.io";

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/dangling-gateway",
        severity: Severity::Warning,
        summary: "a route is attached to a Gateway or a listener that does not exist",
        text: include_str!("dangling_gateway.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

/// Maximum number of listeners searched per Gateway.
const LISTENERS: usize = 1_000;

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut presence = None;
    for (number, object) in environment.indexed_objects().filter(|(_, object)| is_route(object)) {
        let Some(spec) = object.manifest.root().get("spec") else { continue };
        for parent in items(spec, "parentRefs") {
            let is_gateway = text(parent, "kind").is_none_or(|kind| kind == "Gateway")
                && text(parent, "group").is_none_or(|group| group == GROUP);
            let Some(node) = parent.get("name").filter(|_| is_gateway) else { continue };
            let Some(name) = node.as_str().filter(|name| !name.is_empty()) else { continue };
            let namespace = text(parent, "namespace").unwrap_or(object.namespace);
            let presence = presence.get_or_insert_with(|| PresenceIndex::new(environment));
            if !presence.has_object(GROUP, "Gateway", namespace, name) {
                let draft = FindingDraft::new(&RULE, node.origin, format!("Gateway `{name}` does not exist"));
                let hint =
                    "correct the name or the namespace, or declare it as existing elsewhere (`--external`)";
                let severity = presence.severity_of_missing((GROUP, "Gateway"), namespace, Severity::Note);
                reporter.report(draft.about_object(number).severity(severity).hint(hint));
            } else if let Some(draft) = check_section(environment, parent, namespace, name) {
                reporter.report(draft.about_object(number));
            }
        }
    }
}

fn is_route(object: &CheckedObject<'_>) -> bool {
    object.group == GROUP && object.kind.ends_with("Route")
}

/// Reports a listener that the Gateway does not have.
fn check_section(
    environment: &CheckedEnvironment<'_>,
    parent: &Node,
    namespace: &str,
    name: &str,
) -> Option<FindingDraft> {
    let section = parent.get("sectionName")?;
    let wanted = section.as_str().filter(|wanted| !wanted.is_empty())?;
    let gateway = environment.catalog.find(GROUP, "Gateway", namespace, name)?;
    let listeners = environment.object(gateway)?.manifest.root().at(&["spec", "listeners"])?;
    let names = listeners.items().iter().map(|listener| text(listener, "name"));
    if listeners.items().len() > LISTENERS || names.into_iter().any(|name| name == Some(wanted)) {
        return None;
    }
    Some(
        FindingDraft::new(&RULE, section.origin, format!("Gateway `{name}` does not have this listener"))
            .related(listeners.origin, "its listeners are here")
            .hint("name one of the Gateway's listeners, or omit `sectionName`"),
    )
}
