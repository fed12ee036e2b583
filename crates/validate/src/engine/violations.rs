//! Turns schema violations into findings: chooses the rule, the location and the wording.
//!
//! Violations that the API server accepts, or that another rule reports, are skipped. Messages name nothing that may be
//! a value.

use super::advice;
use super::pointer::NodePath;
use crate::facts::checked_object::CheckedObject;
use crate::facts::later_stage::LaterStage;
use crate::located::escape_step;
use crate::reporter::{FindingDraft, ValueSpelling};
use crate::rule::Rule;
use crate::rules::schema as rules;
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::{Node, Origin};
use sealwave_kube::schema::{JsonType, ValueType, Violation, ViolationKind};
use sealwave_kube::{is_secret_like, may_show_key};

/// Returns the draft for a violation, with `only_in` appended to the message; `None` if another rule reports it.
pub(super) fn draft(
    object: &CheckedObject<'_>,
    violation: &Violation<'_>,
    only_in: &str,
    lenient: bool,
) -> Option<(&'static Rule, FindingDraft)> {
    let root = object.manifest.root();
    if is_secret_data(object, violation) || is_variable(violation) {
        return None;
    }
    let rule = rule_of(&violation.kind);
    let message = match &violation.kind {
        ViolationKind::UnknownField { field, .. } => match displayable_name(root, violation, field) {
            Some(field) => format!("field `{field}` is unknown"),
            None => "field is unknown; its name is not shown, since it may be a value".to_owned(),
        },
        ViolationKind::DuplicateListKey { keys, .. } => {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            format!("item has the same {} as an earlier item", keys.join(" and "))
        }
        ViolationKind::DuplicateSetItem { .. } => "item of a set equals an earlier item".to_owned(),
        kind => advice::message(root, violation.pointer.as_str(), kind),
    };
    let mut draft =
        FindingDraft::new(rule, position(root, violation), message + only_in).pointer(pointer(violation));
    let special = advice::hint(object, violation);
    if let (None, Some(spelling)) = (&special, wanted_spelling(&violation.kind)) {
        draft = draft.spelling(spelling);
    }
    if let Some(hint) = special.or_else(|| violation.kind.hint()) {
        draft = draft.hint(hint);
    }
    if let ViolationKind::DuplicateListKey { first, .. } | ViolationKind::DuplicateSetItem { first } =
        violation.kind
    {
        draft = draft.related(first, "the earlier item is here");
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
        _ if is_accepted(object, violation) => {
            draft = draft
                .severity(Severity::Warning)
                .hint("remove one of them; the API server accepts both, but server-side apply rejects them");
        }
        _ => {}
    }
    Some((rule, draft))
}

/// Returns the spelling that gives a value of the wrong type the right one.
const fn wanted_spelling(kind: &ViolationKind<'_>) -> Option<ValueSpelling> {
    match kind {
        ViolationKind::WrongType {
            expected: ValueType::String,
            found: JsonType::Boolean | JsonType::Integer | JsonType::Number,
        } => Some(ValueSpelling::Quoted),
        ViolationKind::WrongType {
            expected: ValueType::Boolean | ValueType::Integer | ValueType::Number,
            found: JsonType::String,
        } => Some(ValueSpelling::Unquoted),
        _ => None,
    }
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

/// Reports whether the violation is about base64 in a Secret, which has its own rule that knows placeholders.
fn is_secret_data(object: &CheckedObject<'_>, violation: &Violation<'_>) -> bool {
    matches!(violation.kind, ViolationKind::Format { .. })
        && object.is("", "Secret")
        && violation.pointer.as_str().starts_with("/data/")
}

/// Reports whether the violation is a duplicate environment variable, which has its own rule: the API server only
/// warns.
fn is_variable(violation: &Violation<'_>) -> bool {
    let list = violation.pointer.as_str().rsplit_once('/').map_or("", |(list, _)| list);
    matches!(violation.kind, ViolationKind::DuplicateListKey { .. }) && list.ends_with("/env")
}

/// Reports whether the value contains a variable (`${SIZE:=5Gi}`) whose replacement may be valid.
pub(super) fn has_variable(object: &CheckedObject<'_>, violation: &Violation<'_>) -> bool {
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

/// The depth to which values are searched for variables for `oneOf`, `anyOf` and `not`.
const ALTERNATIVE_DEPTH: usize = 3;
/// The depth to which values are searched for variables for CEL rules, which read deeper.
const RULE_DEPTH: usize = 8;

fn node_at<'o>(object: &CheckedObject<'o>, violation: &Violation<'_>) -> &'o Node {
    NodePath::from_pointer(object.manifest.root(), violation.pointer.as_str()).end().0
}

/// Reports whether a value, its items, or its selected fields contain a variable.
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

/// Reports whether the API server accepts a duplicate item, at most with a warning.
fn is_accepted(object: &CheckedObject<'_>, violation: &Violation<'_>) -> bool {
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

/// Reports whether the violation is an unknown field with a text, whose meaning is unknown.
fn holds_unknown_text(root: &Node, violation: &Violation<'_>) -> bool {
    matches!(violation.kind, ViolationKind::UnknownField { .. })
        && NodePath::from_pointer(root, &pointer(violation)).end().0.as_str().is_some()
}

/// Returns the position of a violation; for a duplicate key, of its first part on the item's first line.
fn position(root: &Node, violation: &Violation<'_>) -> Origin {
    let ViolationKind::DuplicateListKey { keys, .. } = &violation.kind else { return violation.origin };
    let (item, _) = NodePath::from_pointer(root, violation.pointer.as_str()).end();
    let mut parts = keys.iter().filter_map(|key| item.get(key)).map(|part| part.origin);
    let is_on_first_line =
        |part: &Origin| part.source == violation.origin.source && part.line == violation.origin.line;
    parts.find(is_on_first_line).unwrap_or(violation.origin)
}

/// Returns the pointer to the violation, including the name of a missing or unknown field.
fn pointer(violation: &Violation<'_>) -> String {
    let at = violation.pointer.as_str();
    match &violation.kind {
        ViolationKind::MissingField { field } | ViolationKind::UnknownField { field, .. } => {
            format!("{at}/{}", escape_step(field))
        }
        _ => at.to_owned(),
    }
}

/// Returns the name of an unknown field, unless it may be a misplaced value.
fn displayable_name<'f>(root: &Node, violation: &Violation<'_>, field: &'f str) -> Option<&'f str> {
    if !is_secret_like(root) {
        return Some(field);
    }
    let path: Vec<&str> = violation.pointer.as_str().split('/').skip(1).collect();
    let value = path.iter().try_fold(root, |node, key| node.get(key))?.get(field)?;
    may_show_key(&path, field, value).then_some(field)
}
