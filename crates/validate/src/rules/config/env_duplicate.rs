//! `config/env-duplicate`.

use std::collections::HashMap;

use crate::facts::checked_object::CheckedObject;
use crate::facts::rule_context::RuleContext;
use crate::reporter::{FindingDraft, Reporter};
use crate::rule::{Rule, RuleCheck};
use crate::{RuleKind, RulePage};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule::new(
    RuleKind::Object,
    RulePage {
        id: "config/env-duplicate",
        severity: Severity::Warning,
        summary: "a container sets the same environment variable twice",
        text: include_str!("env_duplicate.md"),
    },
    RuleCheck::AnyPod(check),
);

fn check(object: &CheckedObject<'_>, _: &RuleContext<'_>, reporter: &mut Reporter) {
    let Some(pod) = &object.pod else { return };
    for (_, container) in containers(pod.spec) {
        check_variables(container, reporter);
    }
}

fn check_variables(container: &Node, reporter: &mut Reporter) {
    let mut seen: HashMap<&str, Origin> = HashMap::new();
    for name in container.items_at(&["env"]).iter().filter_map(|variable| variable.get("name")) {
        let Some(text) = name.as_str() else { continue };
        if let Some(first) = seen.insert(text, name.origin) {
            let message = format!("environment variable `{text}` is set twice in one container");
            reporter.report(
                FindingDraft::new(&RULE, name.origin, message)
                    .related(first, "it is set here first")
                    .hint("remove one of them: depending on how the object is applied, the last one takes precedence or neither does"),
            );
        }
    }
}
