//! `reference/missing-governing-service`.

use crate::diagnostic::{ApiRefusal, RuleInfo, Severity};
use crate::lints::fields::value;
use crate::lints::presence::Presence;
use crate::lints::{Check, Draft, Environment, Reporter, Rule};

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "reference/missing-governing-service",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a StatefulSet names a governing Service that does not exist",
        explanation: "`spec.serviceName` is the Service that gives each pod of a StatefulSet its own DNS name, such as \
                      `db-0.db.shop.svc`. The API server accepts a name that does not exist; the pods then start, but their names do \
                      not resolve, and a cluster of databases or brokers never forms. Among plain manifests it is a note where no \
                      other Service of the namespace is in the set.",
        example: "kind: StatefulSet\nmetadata: {name: db}\nspec:\n  serviceName: database   # the Service is called `db`\n",
        remedy: "Correct the name, or add a headless Service (`clusterIP: None`) of that name. For one that something outside of the \
                 app makes, write `validate.external: [Service/<namespace>/<name>]` into `sealwave.yaml`.",
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
