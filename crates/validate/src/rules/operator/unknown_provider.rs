//! `operator/unknown-provider`.

use super::view::view;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::text::closest_name;
use sealwave_secrets::placeholder::DEFAULT_PROVIDER;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "operator/unknown-provider",
        severity: Severity::Error,
        summary: "a placeholder names a provider that the operator file does not have",
        text: include_str!("unknown_provider.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let Some(operator) = view(environment) else { return };
    for used in environment.secrets() {
        let name = used.reference.provider.as_str();
        // An app without a default provider is reported elsewhere.
        if name == DEFAULT_PROVIDER || operator.providers.contains(name) {
            continue;
        }
        let message = format!("provider `{name}` is not in the operator file");
        let hint = match closest_name(name, operator.providers.iter().map(String::as_str)) {
            Some(close) => format!("did you mean `{close}`?"),
            None => "correct the name, or ask the operator to add it under `providers`".to_owned(),
        };
        reporter.report(FindingDraft::new(&RULE, used.origin, message).about_object(used.object).hint(hint));
    }
}
