//! `config/env-duplicate`.

use std::collections::HashMap;

use crate::rules::{CheckedObject, FindingDraft, Reporter, Rule, RuleCheck, RuleContext};
use crate::{ApiRefusal, RuleInfo};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::pods::containers;

pub(crate) static RULE: Rule = Rule {
    info: RuleInfo {
        id: "config/env-duplicate",
        severity: Severity::Warning,
        enabled: true,
        refusal: ApiRefusal::Never,
        summary: "a container sets the same environment variable twice",
        page: include_str!("env_duplicate.md"),
    },
    check: RuleCheck::Pod(check),
};

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
                    .hint("remove one of them: depending on how the object is applied, the last one wins or neither does"),
            );
        }
    }
}
