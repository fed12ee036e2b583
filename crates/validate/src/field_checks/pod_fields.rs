//! Checks of references to fields and resources of a pod.

use super::FieldChecker;
use super::forms::{QUALIFIED, QUALIFIED_ANY_CASE};
use sealwave_core::document::Node;

/// Checks `fieldPath` of a `fieldRef`.
pub(crate) fn check_pod_field(source: &Node, known: &[&'static str], checker: &mut FieldChecker<'_>) {
    let Some(field) = source.get("fieldPath") else { return };
    if let Some(path) = field.as_str()
        && !is_pod_field(path, known)
        && !checker.may_fill(path)
    {
        let hint = match similar(path, known) {
            Some(other) => format!("did you mean `{other}`?"),
            None => "see `kubectl explain pod.spec.containers.env.valueFrom.fieldRef`; for labels and annotations, write \
                     `metadata.labels['key']`"
                .to_owned(),
        };
        checker.report(field.origin, "this pod field is not available", hint);
    }
}

/// Checks `resource` of a `resourceFieldRef`.
pub(crate) fn check_resource_field(source: &Node, checker: &mut FieldChecker<'_>) {
    let Some(resource) = source.get("resource") else { return };
    let Some(name) = resource.as_str() else { return };
    let is_known = name.split_once('.').is_some_and(|(side, name)| {
        matches!(side, "limits" | "requests")
            && (matches!(name, "cpu" | "ephemeral-storage" | "memory") || name.starts_with("hugepages-"))
    });
    if !is_known && !checker.may_fill(name) {
        let hint =
            "write `limits` or `requests`, a dot, and `cpu`, `memory`, `ephemeral-storage` or `hugepages-…`";
        checker.report(resource.origin, "this container resource is not available", hint);
    }
}

/// Returns whether a path is an available pod field, a label or an annotation.
fn is_pod_field(path: &str, known: &[&str]) -> bool {
    let is_entry = || {
        let (field, rest) = path.split_once("['")?;
        let key = rest.strip_suffix("']")?;
        let form = match field {
            "metadata.annotations" => &QUALIFIED_ANY_CASE,
            "metadata.labels" => &QUALIFIED,
            _ => return None,
        };
        (form.accepts)(key).then_some(())
    };
    known.contains(&path) || is_entry().is_some()
}

fn similar(path: &str, known: &[&'static str]) -> Option<&'static str> {
    let name = path.rsplit('.').next().unwrap_or_default();
    let has_same_end =
        |field: &&&str| field.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(name));
    known.iter().find(has_same_end).copied()
}
