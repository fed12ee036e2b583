//! `secret/in-env`.

use super::credential_drafts;
use crate::facts::checked_object::CheckedObject;
use crate::facts::credential;
use crate::facts::pods::containers;
use crate::facts::rule_context::RuleContext;
use crate::reporter::Reporter;
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::Node;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Secret,
    RulePage {
        id: "secret/in-env",
        severity: Severity::Warning,
        summary: "a container's environment variable holds a credential in plaintext",
        text: include_str!("in_env.md"),
    },
    RuleCheck::Pod(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(pod) = &object.pod else { return };
    for container in containers(pod.spec) {
        for variable in container.items_at(&["env"]) {
            let Some(value) = variable.get("value") else { continue };
            let Some(text) = value.as_str() else { continue };
            let name = variable.get("name").and_then(Node::as_str).unwrap_or_default();
            let single = Some(text).filter(|text| !text.trim_end().contains('\n'));
            // `JAVA_OPTS` and JSON are checked like files.
            let kind = single
                .and_then(|text| credential::detect(Some(name), text))
                .or_else(|| credential::detect_in_lines(text).map(|(_, kind)| kind));
            if let Some(kind) = kind {
                let place = format!("environment variable `{name}`");
                reporter.report(credential_drafts::credential_draft(&RULE, kind, value.origin, &place));
            }
        }
    }
}
