//! The demands of the API server on one field.

use super::FieldChecker;
use super::forms::Form;
use crate::rules::fields::{integer, key_at, listed, start, value};
use sealwave_core::document::{Node, Value};
use sealwave_kube::Quantity;

/// A field of a mapping, and what must hold for it.
pub struct Field {
    /// Its key.
    pub(in crate::rules) name: &'static str,
    /// What must hold.
    pub(in crate::rules) demand: Demand,
}

/// A demand on the value of a field.
pub enum Demand {
    /// There is none.
    Absent(&'static str),
    /// A whole number is not less than this.
    AtLeast(i64),
    /// A whole number lies within these bounds.
    Between(i64, i64),
    /// A text has a form; an empty one is absent.
    Form(&'static Form),
    /// Each text of a list has a form.
    Items(&'static Form),
    /// A quantity is not negative.
    NotNegative,
    /// A text, a list or a mapping that is there is not empty. The schema finds what is missing.
    NotEmpty,
    /// A text is one of these.
    OneOf(&'static [&'static str]),
    /// There is one, and it is not empty.
    Present,
    /// A whole number or a percentage: not negative, and at most this many percent.
    Share(Option<u32>),
}

/// Makes a row of a table.
pub(in crate::rules) const fn row(name: &'static str, demand: Demand) -> Field {
    Field { name, demand }
}

impl Field {
    /// Demands that a field is not there, and says why.
    pub(in crate::rules) const fn absent(name: &'static str, reason: &'static str) -> Self {
        row(name, Demand::Absent(reason))
    }

    /// Demands a least number.
    pub(in crate::rules) const fn at_least(name: &'static str, least: i64) -> Self {
        row(name, Demand::AtLeast(least))
    }

    /// Demands a number within bounds.
    pub(in crate::rules) const fn between(name: &'static str, least: i64, most: i64) -> Self {
        row(name, Demand::Between(least, most))
    }

    /// Demands that a text that is not empty has a form.
    pub(in crate::rules) const fn form(name: &'static str, form: &'static Form) -> Self {
        row(name, Demand::Form(form))
    }

    /// Demands that each text of a list has a form.
    pub(in crate::rules) const fn items(name: &'static str, form: &'static Form) -> Self {
        row(name, Demand::Items(form))
    }

    /// Demands that a quantity is not negative.
    pub(in crate::rules) const fn not_negative(name: &'static str) -> Self {
        row(name, Demand::NotNegative)
    }

    /// Demands that what is there is not empty.
    pub(in crate::rules) const fn not_empty(name: &'static str) -> Self {
        row(name, Demand::NotEmpty)
    }

    /// Demands one of a few texts.
    pub(in crate::rules) const fn one_of(name: &'static str, allowed: &'static [&'static str]) -> Self {
        row(name, Demand::OneOf(allowed))
    }

    /// Demands that a field is there and not empty.
    pub(in crate::rules) const fn present(name: &'static str) -> Self {
        row(name, Demand::Present)
    }

    /// Demands a whole number or a percentage.
    pub(in crate::rules) const fn share(name: &'static str, most_percent: Option<u32>) -> Self {
        row(name, Demand::Share(most_percent))
    }
}

impl FieldChecker<'_> {
    /// Checks one field of a mapping.
    pub(in crate::rules) fn field(&mut self, parent: &Node, field: &Field) {
        let name = field.name;
        let Some(node) = value(parent, name) else {
            if matches!(field.demand, Demand::Present) {
                self.report(start(parent), format!("`{name}` is missing"), format!("add `{name}`"));
            }
            return;
        };
        match &field.demand {
            Demand::Absent(reason) => {
                self.report(key_at(parent, name), format!("`{name}` is not allowed {reason}"), "remove it");
            }
            Demand::AtLeast(least) => self.bounds(node, name, *least, i64::MAX),
            Demand::Between(least, most) => self.bounds(node, name, *least, *most),
            Demand::Form(form) => self.form(node, name, form),
            Demand::Items(form) => node.items().iter().for_each(|item| self.item_form(item, name, form)),
            Demand::NotNegative => self.not_negative(node, name),
            Demand::NotEmpty | Demand::Present if is_empty(node) => {
                self.report(key_at(parent, name), format!("`{name}` is empty"), "give it a value");
            }
            Demand::NotEmpty | Demand::Present => {}
            Demand::OneOf(allowed) => self.one_of(node, name, allowed),
            Demand::Share(most) => self.share(node, name, *most),
        }
    }

    fn bounds(&mut self, node: &Node, name: &str, least: i64, most: i64) {
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

    /// Checks that a text has a form; an empty one is absent.
    pub(in crate::rules) fn form(&mut self, node: &Node, name: &str, form: &Form) {
        if node.as_str().is_some_and(|text| !text.is_empty()) {
            self.item_form(node, name, form);
        }
    }

    fn item_form(&mut self, node: &Node, name: &str, form: &Form) {
        if let Some(text) = node.as_str().filter(|text| !(form.accepts)(text) && !self.may_fill(text)) {
            let what = if text.is_empty() { "is empty" } else { form.fault };
            self.report(node.origin, format!("`{name}` {what}"), form.hint);
        }
    }

    fn not_negative(&mut self, node: &Node, name: &str) {
        if Quantity::of(node).is_some_and(Quantity::is_negative) {
            self.report(node.origin, format!("`{name}` is negative"), "write the amount without the sign");
        }
    }

    fn one_of(&mut self, node: &Node, name: &str, allowed: &[&str]) {
        let is_other = |text: &str| !text.is_empty() && !allowed.contains(&text) && !self.may_fill(text);
        if node.as_str().is_some_and(is_other) {
            let hint = format!("write {}", listed(allowed));
            self.report(node.origin, format!("`{name}` is not one of the allowed values"), hint);
        }
    }

    fn share(&mut self, node: &Node, name: &str, most: Option<u32>) {
        let Some(text) = node.as_str() else {
            self.bounds(node, name, 0, i64::MAX);
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
        Value::String(text) => text.is_empty(),
        Value::Mapping(mapping) => mapping.is_empty(),
        Value::Sequence(items) => items.is_empty(),
        _ => false,
    }
}
