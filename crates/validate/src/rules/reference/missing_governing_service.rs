//! `reference/missing-governing-service`.

use crate::facts::fields::value;
use crate::facts::presence::PresenceIndex;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "reference/missing-governing-service",
        severity: Severity::Warning,
        summary: "a StatefulSet names a governing Service that does not exist",
        text: include_str!("missing_governing_service.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Absence);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let mut presence = None;
    for (number, object) in environment.indexed_objects() {
        if !object.is("apps", "StatefulSet") {
            continue;
        }
        let spec = object.manifest.root().get("spec");
        let Some(service) = spec.and_then(|spec| value(spec, "serviceName")) else { continue };
        let Some(name) = service.as_str().filter(|name| !name.is_empty()) else { continue };
        let presence = presence.get_or_insert_with(|| PresenceIndex::new(environment));
        if presence.has_object("", "Service", object.namespace, name) {
            continue;
        }
        let namespace = if object.namespace.is_empty() { "*" } else { object.namespace };
        let hint = format!(
            "correct the name, or declare it as existing elsewhere: `--external Service/{namespace}/{name}`"
        );
        reporter.report(
            FindingDraft::new(&RULE, service.origin, format!("Service `{name}` does not exist"))
                .about_object(number)
                .severity(presence.severity_of_missing(("", "Service"), object.namespace, RULE.info.severity))
                .hint(hint),
        );
    }
}
