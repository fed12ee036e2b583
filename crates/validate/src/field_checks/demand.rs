//! Constraints that the API server puts on a single field.

use super::FieldChecker;
use super::forms::TextForm;
use crate::facts::fields::{integer, key_origin, quoted_list, start_origin, value};
use sealwave_core::document::{Node, NodeValue};
use sealwave_kube::Quantity;

/// A field of a mapping, with its constraint.
pub(crate) struct FieldCheck {
    /// Key of the field.
    pub(crate) name: &'static str,
    /// Constraint on the value.
    pub(crate) demand: Demand,
}

/// A constraint on the value of a field.
pub(crate) enum Demand {
    /// The field is absent, for this reason.
    Absent(&'static str),
    /// An integer is at least this number.
    AtLeast(i64),
    /// An integer is within these bounds, both included.
    Between(i64, i64),
    /// A string has this form; an empty one counts as absent.
    Form(&'static TextForm),
    /// Each string of a list has this form.
    Items(&'static TextForm),
    /// A quantity is not negative.
    NotNegative,
    /// A string, list or mapping is not empty. The schema reports missing ones.
    NotEmpty,
    /// A string is one of these.
    OneOf(&'static [&'static str]),
    /// The field is present and not empty.
    Present,
    /// An integer or a percentage: not negative, and at most this many percent.
    Share(Option<u32>),
}

/// Creates a field from its name and constraint.
pub(crate) const fn new_field(name: &'static str, demand: Demand) -> FieldCheck {
    FieldCheck { name, demand }
}

impl FieldCheck {
    /// Requires that a field is absent, with the reason.
    pub(crate) const fn absent(name: &'static str, reason: &'static str) -> Self {
        new_field(name, Demand::Absent(reason))
    }

    /// Requires a minimum.
    pub(crate) const fn at_least(name: &'static str, least: i64) -> Self {
        new_field(name, Demand::AtLeast(least))
    }

    /// Requires a number within bounds.
    pub(crate) const fn between(name: &'static str, least: i64, most: i64) -> Self {
        new_field(name, Demand::Between(least, most))
    }

    /// Requires a form of a string that is not empty.
    pub(crate) const fn form(name: &'static str, form: &'static TextForm) -> Self {
        new_field(name, Demand::Form(form))
    }

    /// Requires a form of each string in a list.
    pub(crate) const fn items(name: &'static str, form: &'static TextForm) -> Self {
        new_field(name, Demand::Items(form))
    }

    /// Requires that a quantity is not negative.
    pub(crate) const fn not_negative(name: &'static str) -> Self {
        new_field(name, Demand::NotNegative)
    }

    /// Requires that a value, if present, is not empty.
    pub(crate) const fn not_empty(name: &'static str) -> Self {
        new_field(name, Demand::NotEmpty)
    }

    /// Requires one of some strings.
    pub(crate) const fn one_of(name: &'static str, allowed: &'static [&'static str]) -> Self {
        new_field(name, Demand::OneOf(allowed))
    }

    /// Requires that a field is present and not empty.
    pub(crate) const fn present(name: &'static str) -> Self {
        new_field(name, Demand::Present)
    }

    /// Requires an integer or a percentage.
    pub(crate) const fn share(name: &'static str, most_percent: Option<u32>) -> Self {
        new_field(name, Demand::Share(most_percent))
    }
}

impl FieldChecker<'_> {
    /// Checks one field of a mapping.
    pub(crate) fn check_field(&mut self, parent: &Node, field: &FieldCheck) {
        let name = field.name;
        let Some(node) = value(parent, name) else {
            if matches!(field.demand, Demand::Present) {
                self.report(start_origin(parent), format!("`{name}` is missing"), format!("add `{name}`"));
            }
            return;
        };
        match &field.demand {
            Demand::Absent(reason) => {
                self.report(
                    key_origin(parent, name),
                    format!("`{name}` is not allowed {reason}"),
                    "remove it",
                );
            }
            Demand::AtLeast(least) => self.check_bounds(node, name, *least, i64::MAX),
            Demand::Between(least, most) => self.check_bounds(node, name, *least, *most),
            Demand::Form(form) => self.check_form(node, name, form),
            Demand::Items(form) => {
                node.items().iter().for_each(|item| self.check_item_form(item, name, form));
            }
            Demand::NotNegative => self.check_not_negative(node, name),
            Demand::NotEmpty | Demand::Present if is_empty(node) => {
                self.report(key_origin(parent, name), format!("`{name}` is empty"), "give it a value");
            }
            Demand::NotEmpty | Demand::Present => {}
            Demand::OneOf(allowed) => self.check_one_of(node, name, allowed),
            Demand::Share(most) => self.check_share(node, name, *most),
        }
    }

    fn check_bounds(&mut self, node: &Node, name: &str, least: i64, most: i64) {
        let Some(number) = integer(node).filter(|number| !(least..=most).contains(number)) else { return };
        let (message, hint) = match (least, most) {
            (0, _) if number < 0 => (format!("`{name}` is negative"), "write 0 or more".to_owned()),
            (_, i64::MAX) => (format!("`{name}` is less than {least}"), format!("write {least} or more")),
            _ => (
                format!("`{name}` is not between {least} and {most}"),
                format!("write a number from {least} to {most}"),
            ),
        };
        self.report(node.origin, message, hint);
    }

    /// Checks that a string has a form; an empty one counts as absent.
    pub(crate) fn check_form(&mut self, node: &Node, name: &str, form: &TextForm) {
        if node.as_str().is_some_and(|text| !text.is_empty()) {
            self.check_item_form(node, name, form);
        }
    }

    fn check_item_form(&mut self, node: &Node, name: &str, form: &TextForm) {
        if let Some(text) = node.as_str().filter(|text| !(form.accepts)(text) && !self.may_fill(text)) {
            let fault = if text.is_empty() { "is empty" } else { form.fault };
            self.report(node.origin, format!("`{name}` {fault}"), form.hint);
        }
    }

    fn check_not_negative(&mut self, node: &Node, name: &str) {
        if Quantity::from_node(node).is_some_and(Quantity::is_negative) {
            self.report(node.origin, format!("`{name}` is negative"), "write the amount without the sign");
        }
    }

    fn check_one_of(&mut self, node: &Node, name: &str, allowed: &[&str]) {
        let is_other = |text: &str| !text.is_empty() && !allowed.contains(&text) && !self.may_fill(text);
        if node.as_str().is_some_and(is_other) {
            let hint = format!("write {}", quoted_list(allowed));
            self.report(node.origin, format!("`{name}` is not one of the allowed values"), hint);
        }
    }

    fn check_share(&mut self, node: &Node, name: &str, most: Option<u32>) {
        let Some(text) = node.as_str() else {
            self.check_bounds(node, name, 0, i64::MAX);
            return;
        };
        if self.may_fill(text) {
            return;
        }
        let digits = text
            .strip_suffix('%')
            .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
        match (digits, most) {
            (None, _) => {
                let message = format!("`{name}` is neither a whole number nor a percentage");
                self.report(
                    node.origin,
                    message,
                    "write a number without quotes, or a percentage like `50%`",
                );
            }
            (Some(digits), Some(most)) if digits.parse::<u32>().map_or(true, |percent| percent > most) => {
                let message = format!("`{name}` is more than {most}%");
                self.report(node.origin, message, format!("write at most `{most}%`"));
            }
            _ => {}
        }
    }
}

/// Returns whether a value holds nothing.
fn is_empty(node: &Node) -> bool {
    match &node.value {
        NodeValue::String(text) => text.is_empty(),
        NodeValue::Mapping(mapping) => mapping.is_empty(),
        NodeValue::Sequence(items) => items.is_empty(),
        _ => false,
    }
}
