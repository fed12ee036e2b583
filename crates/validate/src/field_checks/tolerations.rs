//! Checks of tolerations, which pods and admission settings share.

use super::forms::{LABEL_VALUE, QUALIFIED};
use super::{FieldCheck, FieldChecker};
use crate::facts::fields::{key_origin, start_origin, text, value};
use sealwave_core::document::Node;

/// Checks tolerations.
pub(crate) fn check_tolerations(tolerations: &[Node], checker: &mut FieldChecker<'_>) {
    for toleration in tolerations.iter().filter(|toleration| toleration.as_mapping().is_some()) {
        check_toleration(toleration, checker);
    }
}

fn check_toleration(toleration: &Node, checker: &mut FieldChecker<'_>) {
    checker.check_field(toleration, &FieldCheck::form("key", &QUALIFIED));
    let operator = text(toleration, "operator");
    if text(toleration, "key").is_none() && operator != Some("Exists") {
        let message = "a toleration without `key` needs the operator `Exists`";
        checker.report(
            start_origin(toleration),
            message,
            "add the key, or `operator: Exists` for all taints",
        );
    }
    if value(toleration, "tolerationSeconds").is_some() && text(toleration, "effect") != Some("NoExecute") {
        let message = "`tolerationSeconds` needs the effect `NoExecute`";
        checker.report(
            key_origin(toleration, "tolerationSeconds"),
            message,
            "remove it, or set `effect: NoExecute`",
        );
    }
    match operator {
        None | Some("Equal") => checker.check_field(toleration, &FieldCheck::form("value", &LABEL_VALUE)),
        Some("Exists") if text(toleration, "value").is_some() => {
            let message = "a toleration with the operator `Exists` has a `value`";
            checker.report(key_origin(toleration, "value"), message, "remove it, or use `Equal`");
        }
        Some("Gt" | "Lt") => {
            let message =
                "the operators `Gt` and `Lt` of a toleration are disabled by default in all versions";
            checker.report(key_origin(toleration, "operator"), message, "use `Equal` or `Exists`");
        }
        _ => {}
    }
}
