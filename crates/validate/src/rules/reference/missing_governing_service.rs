//! `reference/missing-governing-service`.

use crate::rules::fields::value;
use crate::rules::presence::Presence;
use crate::rules::{Check, Draft, Environment, Reporter, Rule};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-governing-service",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a StatefulSet names a governing Service that does not exist",
        page: include_str!("missing_governing_service.md"),
    },
    check: Check::Environment(check),
};

fn check(environment: &Environment<'_>, reporter: &mut Reporter) {
    let mut presence = None;
    for (number, object) in environment.objects.iter().enumerate() {
        if !object.is("apps", "StatefulSet") {
            continue;
        }
        let spec = object.manifest.root().get("spec");
        let Some(service) = spec.and_then(|spec| value(spec, "serviceName")) else { continue };
        let Some(name) = service.as_str().filter(|name| !name.is_empty()) else { continue };
        let presence = presence.get_or_insert_with(|| Presence::of(environment));
        if presence.has("", "Service", object.namespace, name) {
            continue;
        }
        let namespace = if object.namespace.is_empty() { "*" } else { object.namespace };
        let hint = format!(
            "correct the name, or declare it as existing elsewhere: `--external Service/{namespace}/{name}`"
        );
        reporter.report(
            Draft::new(&RULE, service.origin, format!("Service `{name}` does not exist"))
                .about(number)
                .severity(presence.severity(("", "Service"), object.namespace, RULE.info.severity))
                .hint(hint),
        );
    }
}
