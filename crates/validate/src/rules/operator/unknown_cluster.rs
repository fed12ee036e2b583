//! `operator/unknown-cluster`.

use super::view::view;
use crate::facts::scene::CheckedEnvironment;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::text::closest_name;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "operator/unknown-cluster",
        severity: Severity::Error,
        summary: "an environment is for a cluster that the operator file does not have",
        text: include_str!("unknown_cluster.md"),
    },
    RuleCheck::Environment(check),
);

fn check(environment: &CheckedEnvironment<'_>, reporter: &mut Reporter) {
    let Some(operator) = view(environment) else { return };
    let Some(app) = &environment.app else { return };
    let name = app.cluster;
    let Some(at) = app.sealed_for.filter(|_| !operator.clusters.contains(name)) else { return };
    let message = format!("cluster `{name}` is not in the operator file");
    let hint = match closest_name(name, operator.clusters.iter().map(String::as_str)) {
        Some(close) => format!("did you mean `{close}`? it is set by `cluster` of the environment"),
        None => {
            "correct `cluster` of the environment, or ask the operator to add it under `clusters`".to_owned()
        }
    };
    reporter.report(FindingDraft::new(&RULE, at, message).about_environment().hint(hint));
}
