//! Checks of label selectors.

use super::FieldChecker;
use super::forms::{LABEL_VALUE, QUALIFIED};
use crate::facts::fields::{items, key_origin, start_origin, text, value};
use crate::facts::name_syntax::is_label_value;
use sealwave_core::document::Node;

/// Operators that need `values`.
const WITH_VALUES: &[&str] = &["In", "NotIn"];
const WITHOUT_VALUES: &[&str] = &["DoesNotExist", "Exists"];
const COMPARISONS: &[&str] = &["Gt", "Lt"];

impl FieldChecker<'_> {
    /// Checks the keys and values of a mapping of labels.
    pub(crate) fn check_labels(&mut self, labels: Option<&Node>, noun: &str) {
        for entry in labels.and_then(Node::as_mapping).map_or(&[][..], |mapping| mapping.entries()) {
            if !(QUALIFIED.accepts)(&entry.key) && !self.may_fill(&entry.key) {
                self.report(entry.key_origin, format!("the {noun} key is not valid"), QUALIFIED.hint);
            }
            let value = entry.value.as_str().filter(|text| !is_label_value(text) && !self.may_fill(text));
            if value.is_some() {
                self.report(entry.value.origin, format!("the {noun} value is not valid"), LABEL_VALUE.hint);
            }
        }
    }

    /// Checks the expressions of a label selector, but not its `matchLabels`.
    pub(crate) fn check_expressions(&mut self, selector: &Node, field: &str) {
        for expression in items(selector, field).iter().filter(|one| one.as_mapping().is_some()) {
            self.check_expression(expression);
        }
    }

    /// Checks a label selector.
    pub(crate) fn check_selector(&mut self, selector: &Node) {
        self.check_labels(selector.get("matchLabels"), "selector");
        self.check_expressions(selector, "matchExpressions");
    }

    /// Checks operator, key and values of one expression.
    pub(crate) fn check_expression(&mut self, expression: &Node) {
        self.check_operator(expression);
        for value in items(expression, "values") {
            self.check_form(value, "values", &LABEL_VALUE);
        }
    }

    /// Checks operator and key of one expression.
    pub(crate) fn check_operator(&mut self, expression: &Node) {
        let values = items(expression, "values");
        let operator = text(expression, "operator").unwrap_or_default();
        let at = if expression.get("values").is_some() {
            key_origin(expression, "values")
        } else {
            start_origin(expression)
        };
        if WITH_VALUES.contains(&operator) && values.is_empty() {
            let message = format!("an expression with the operator `{operator}` has no `values`");
            self.report(at, message, "add the values, or use `Exists`");
        } else if WITHOUT_VALUES.contains(&operator) && !values.is_empty() {
            let message = format!("an expression with the operator `{operator}` has `values`");
            self.report(at, message, "remove them, or use `In`");
        } else if COMPARISONS.contains(&operator) && values.len() != 1 {
            let message =
                format!("an expression with the operator `{operator}` does not have exactly one value");
            self.report(at, message, "give it one number, in quotes");
        }
        if let Some(key) = value(expression, "key") {
            match key.as_str() {
                Some("") => self.report(key.origin, "the key of an expression is empty", QUALIFIED.hint),
                _ => self.check_form(key, "key", &QUALIFIED),
            }
        }
    }
}
