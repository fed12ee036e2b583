//! `operator/policy`.

use super::view::view;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage, RuleTopic};
use sealwave_core::diagnostic::{Explain as _, Severity};

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "operator/policy",
        severity: Severity::Error,
        summary: "the operator's policy does not allow the app to use a reference",
        text: include_str!("policy.md"),
    },
    RuleCheck::Environment(check),
)
.about(RuleTopic::Security);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let Some(operator) = view(environment) else { return };
    let Some(app) = &environment.app else { return };
    let Some(policy) = operator.bind(app.name) else { return };
    for used in app.secrets {
        // Another rule reports unknown providers.
        if !operator.providers.contains(used.reference.provider.as_str()) {
            continue;
        }
        let Some(secret) = environment.object(used.object) else { continue };
        let Some(refusal) = policy.refusal(used, secret, app.cluster) else { continue };
        let draft = FindingDraft::new(&RULE, used.origin, refusal.to_string()).about_object(used.object);
        reporter.report(match refusal.hint() {
            Some(hint) => draft.hint(hint),
            None => draft,
        });
    }
}
