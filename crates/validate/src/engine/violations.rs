//! From what a schema minds to what is said of it: under which rule, at which place, in which words.
//!
//! What the API server takes all the same, and what has a rule of its own, is passed over here. Nothing that may be a value
//! is named.

use super::advice;
use super::pointer::{NodePath, escape};
use crate::rules::{Draft, LaterStage, Object, Rule, schema as rules};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::schema::{Violation, ViolationKind};
use sealwave_kube::{is_secret_like, may_name};

/// What is said of a violation, with `only_in` at the end of its message; `None` where another rule says it.
pub(super) fn draft(
    object: &Object<'_>,
    violation: &Violation<'_>,
    only_in: &str,
    lenient: bool,
) -> Option<(&'static Rule, Draft)> {
    let root = object.manifest.root();
    if is_secret_data(object, violation) || is_variable(violation) {
        return None;
    }
    let rule = rule_of(&violation.kind);
    let message = match &violation.kind {
        ViolationKind::UnknownField { field, .. } => match nameable(root, violation, field) {
            Some(field) => format!("field `{field}` is not known"),
            None => "field is not known; it is not named, as it may be a value".to_owned(),
        },
        ViolationKind::DuplicateListKey { keys, .. } => {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            format!("item has the same {} as one before it", keys.join(" and "))
        }
        ViolationKind::DuplicateSetItem { .. } => "item of a set is the same as one before it".to_owned(),
        kind => advice::message(root, violation.pointer.as_str(), kind),
    };
    let mut draft =
        Draft::new(rule, position(root, violation), message + only_in).pointer(pointer(violation));
    if let Some(hint) = advice::hint(object, violation).or_else(|| violation.kind.hint()) {
        draft = draft.hint(hint);
    }
    if let ViolationKind::DuplicateListKey { first, .. } | ViolationKind::DuplicateSetItem { first } =
        violation.kind
    {
        draft = draft.related(first, "the one before is here");
    }
    if holds_unknown_text(root, violation) {
        draft = draft.confidential();
    }
    match &violation.kind {
        ViolationKind::Definition(fault) if fault.is_note() => draft = draft.severity(Severity::Note),
        ViolationKind::Definition(fault) if fault.is_warning() => draft = draft.severity(Severity::Warning),
        ViolationKind::UnknownField { .. } if lenient => {
            draft = draft.severity(Severity::Warning);
        }
        _ if is_taken(object, violation) => {
            draft = draft
                .severity(Severity::Warning)
                .hint("remove one of them: the API server takes both, but server-side apply refuses them");
        }
        _ => {}
    }
    Some((rule, draft))
}

const fn rule_of(kind: &ViolationKind<'_>) -> &'static Rule {
    match kind {
        ViolationKind::Definition(_) => &rules::DEFINITION,
        ViolationKind::DuplicateListKey { .. } | ViolationKind::DuplicateSetItem { .. } => &rules::LIST_KEY,
        ViolationKind::Format { .. } => &rules::FORMAT,
        ViolationKind::Length { .. }
        | ViolationKind::MultipleOf { .. }
        | ViolationKind::Pattern { .. }
        | ViolationKind::Range { .. }
        | ViolationKind::Unfit { .. } => &rules::VALUE,
        ViolationKind::MissingField { .. } => &rules::REQUIRED,
        ViolationKind::NotInEnum { .. } => &rules::ENUM,
        ViolationKind::Rule { .. } => &rules::CEL,
        ViolationKind::TooComplex | ViolationKind::TooDeep => &rules::TOO_COMPLEX,
        ViolationKind::UnknownField { .. } => &rules::UNKNOWN_FIELD,
        ViolationKind::WrongType { .. } => &rules::TYPE,
    }
}

/// Base64 of a Secret has a rule of its own, which knows placeholders.
fn is_secret_data(object: &Object<'_>, violation: &Violation<'_>) -> bool {
    matches!(violation.kind, ViolationKind::Format { .. })
        && object.is("", "Secret")
        && violation.pointer.as_str().starts_with("/data/")
}

/// A variable given twice has a rule of its own: the API server warns of it and takes the object.
fn is_variable(violation: &Violation<'_>) -> bool {
    let list = violation.pointer.as_str().rsplit_once('/').map_or("", |(list, _)| list);
    matches!(violation.kind, ViolationKind::DuplicateListKey { .. }) && list.ends_with("/env")
}

/// Returns true where a value with a variable in it (`${SIZE:=5Gi}`) does not fit: what replaces the variable may fit.
pub(super) fn is_of_variable(object: &Object<'_>, violation: &Violation<'_>) -> bool {
    match &violation.kind {
        ViolationKind::Format { .. }
        | ViolationKind::Length { .. }
        | ViolationKind::MultipleOf { .. }
        | ViolationKind::NotInEnum { .. }
        | ViolationKind::Pattern { .. }
        | ViolationKind::Range { .. }
        | ViolationKind::WrongType { .. } => {
            node_at(object, violation).as_str().is_some_and(|text| LaterStage::Variables.may_fill(text))
        }
        ViolationKind::UnknownField { field, .. } => LaterStage::Variables.may_fill(field),
        ViolationKind::Unfit { .. } => {
            holds_variable(node_at(object, violation), ALTERNATIVE_DEPTH, &|_| true)
        }
        ViolationKind::Rule { rule, .. } => {
            holds_variable(node_at(object, violation), RULE_DEPTH, &|field| rule.contains(field))
        }
        _ => false,
    }
}

/// How far below a value the alternatives of `oneOf`, `anyOf` and `not` are searched for variables.
const ALTERNATIVE_DEPTH: usize = 3;
/// The same for rules, which look further.
const RULE_DEPTH: usize = 8;

fn node_at<'o>(object: &Object<'o>, violation: &Violation<'_>) -> &'o Node {
    NodePath::given(object.manifest.root(), violation.pointer.as_str()).end().0
}

/// Returns true where a variable stands in a value, in its items, or in its fields that are named as asked for.
fn holds_variable(node: &Node, depth: usize, is_read: &dyn Fn(&str) -> bool) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    if let Some(text) = node.as_str() {
        return LaterStage::Variables.may_fill(text);
    }
    if let Some(mapping) = node.as_mapping() {
        let mut entries = mapping.entries().iter();
        return entries.any(|entry| is_read(&entry.key) && holds_variable(&entry.value, depth, is_read));
    }
    node.items().iter().any(|item| holds_variable(item, depth, is_read))
}

/// Whether the API server takes an item twice, with a warning at most.
fn is_taken(object: &Object<'_>, violation: &Violation<'_>) -> bool {
    let list = violation.pointer.as_str().rsplit_once('/').map_or("", |(list, _)| list);
    match &violation.kind {
        ViolationKind::DuplicateSetItem { .. } => list == "/metadata/finalizers",
        ViolationKind::DuplicateListKey { keys, .. } if matches!(object.group, "" | "apps" | "batch") => {
            keys.contains(&"containerPort")
                || list.ends_with("/hostAliases")
                || list.ends_with("/imagePullSecrets")
                || object.kind == "ServiceAccount" && list == "/secrets"
        }
        _ => false,
    }
}

/// Whether it is a field that is not known, with text of which nobody can say what it is.
fn holds_unknown_text(root: &Node, violation: &Violation<'_>) -> bool {
    matches!(violation.kind, ViolationKind::UnknownField { .. })
        && NodePath::given(root, &pointer(violation)).end().0.as_str().is_some()
}

/// Where it is: of an item that has the key of another, the first part of the key that stands on the item's first line.
fn position(root: &Node, violation: &Violation<'_>) -> Origin {
    let ViolationKind::DuplicateListKey { keys, .. } = &violation.kind else { return violation.origin };
    let (item, _) = NodePath::given(root, violation.pointer.as_str()).end();
    let mut parts = keys.iter().filter_map(|key| item.get(key)).map(|part| part.origin);
    let near = |part: &Origin| part.source == violation.origin.source && part.line == violation.origin.line;
    parts.find(near).unwrap_or(violation.origin)
}

/// The way to it; of a field that is missing, to where it would be.
fn pointer(violation: &Violation<'_>) -> String {
    let at = violation.pointer.as_str();
    match &violation.kind {
        ViolationKind::MissingField { field } | ViolationKind::UnknownField { field, .. } => {
            format!("{at}/{}", escape(field))
        }
        _ => at.to_owned(),
    }
}

/// The name of an unknown field, where it cannot be a value that slipped out of its place.
fn nameable<'f>(root: &Node, violation: &Violation<'_>, field: &'f str) -> Option<&'f str> {
    if !is_secret_like(root) {
        return Some(field);
    }
    let path: Vec<&str> = violation.pointer.as_str().split('/').skip(1).collect();
    let value = path.iter().try_fold(root, |node, key| node.get(key))?.get(field)?;
    may_name(&path, field, value).then_some(field)
}
