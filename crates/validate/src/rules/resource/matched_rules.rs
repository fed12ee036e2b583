//! Rules of webhooks and admission policies that select requests.

use crate::facts::fields::{items, key_origin, start_origin, value};
use crate::field_checks::FieldChecker;
use sealwave_core::document::Node;

/// Checks rules of webhooks and admission policies.
pub(super) fn check_rules(rules: &[Node], checker: &mut FieldChecker<'_>) {
    for rule in rules.iter().filter(|rule| rule.as_mapping().is_some()) {
        for field in ["apiGroups", "apiVersions", "operations", "resources"] {
            check_list(rule, field, checker);
        }
        let resources = items(rule, "resources");
        let is_all = |node: &Node| matches!(node.as_str(), Some("*/*"));
        if resources.len() > 1 && resources.iter().any(is_all) {
            let message = "`resources` has other items besides `*/*`";
            checker.report(key_origin(rule, "resources"), message, "keep only `*/*`");
        }
    }
}

fn check_list(rule: &Node, field: &str, checker: &mut FieldChecker<'_>) {
    let all = items(rule, field);
    if all.is_empty() {
        let has_other = value(rule, field).is_some_and(|node| node.as_sequence().is_none());
        if !has_other {
            let message = format!("the rule has no `{field}`");
            let at = if rule.get(field).is_some() { key_origin(rule, field) } else { start_origin(rule) };
            checker.report(at, message, format!("add `{field}`, for example `[\"*\"]`"));
        }
    } else if all.len() > 1 && all.iter().any(|node| node.as_str() == Some("*")) {
        let message = format!("`{field}` has other items besides `*`");
        // `*` does not include subresources.
        let is_covered = field != "resources"
            || all.iter().any(|node| node.as_str().is_some_and(|text| text != "*" && !text.contains('/')));
        if is_covered {
            checker.report(key_origin(rule, field), message, "keep only `*`");
        }
    }
    if matches!(field, "apiVersions" | "resources") && all.iter().any(|node| node.as_str() == Some("")) {
        checker.report(
            key_origin(rule, field),
            format!("`{field}` of a rule has an empty item"),
            "write `*` for all",
        );
    }
}
