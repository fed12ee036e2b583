//! Checks the rules of custom resources' schemas besides types.

use super::bound::RangeBound;
use super::node::{NodeId, ValueRules};
use super::path::ValuePath;
use super::violation::ViolationKind;
use super::walk::{SchemaWalk, as_float, enum_texts, equal_in_json, nearest_value};
use sealwave_core::document::{Node, NodeValue};

impl<'a> SchemaWalk<'a, '_> {
    pub(super) fn rules(&mut self, rules: &'a ValueRules, node: &'a Node, at: &ValuePath<'_>, depth: usize) {
        if let Some(values) = &rules.values {
            self.steps += values.len() as u64;
            if !values.iter().any(|value| equal_in_json(value, node)) {
                let allowed = enum_texts(values);
                let closest = node.as_str().and_then(|text| nearest_value(text, &allowed));
                self.report(ViolationKind::NotInEnum { allowed, closest }, at, node.origin);
            }
        }
        match &node.value {
            NodeValue::Mapping(mapping) => {
                let length = self.effects.map_or(mapping.len(), |effects| effects.len(mapping));
                self.length("fields", rules.fields, length, node, at);
            }
            NodeValue::Number(_) => self.amount(rules, node, at),
            NodeValue::Sequence(items) => self.length("items", rules.items, items.len(), node, at),
            NodeValue::String(text) => self.characters(rules, text, node, at),
            NodeValue::Bool(_) | NodeValue::Null => {}
        }
        self.alternatives(rules, node, at, depth);
    }

    fn length(
        &mut self,
        of: &'static str,
        (least, most): (Option<u64>, Option<u64>),
        length: usize,
        node: &Node,
        at: &ValuePath<'_>,
    ) {
        let length = length as u64;
        let bound = match (least, most) {
            (Some(least), _) if length < least => RangeBound::AtLeast(least),
            (_, Some(most)) if length > most => RangeBound::AtMost(most),
            _ => return,
        };
        self.report(ViolationKind::Length { of, bound }, at, node.origin);
    }

    fn characters(&mut self, rules: &'a ValueRules, text: &str, node: &Node, at: &ValuePath<'_>) {
        if rules.characters != (None, None) {
            self.length("characters", rules.characters, text.chars().count(), node, at);
        }
        let Some((pattern, compiled)) = rules.pattern.and_then(|index| self.schemas.pattern(index)) else {
            return;
        };
        self.steps += text.len() as u64 * compiled.steps;
        if !self.is_over() && !compiled.is_match(text) {
            self.report(ViolationKind::Pattern { pattern }, at, node.origin);
        }
    }

    fn amount(&mut self, rules: &ValueRules, node: &Node, at: &ValuePath<'_>) {
        let Some(number) = as_float(node) else { return };
        for bound in [rules.minimum, rules.maximum].into_iter().flatten() {
            let holds = match bound {
                RangeBound::Above(bound) => number > bound,
                RangeBound::AtLeast(bound) => number >= bound,
                RangeBound::AtMost(bound) => number <= bound,
                RangeBound::Below(bound) => number < bound,
            };
            if !holds {
                self.report(ViolationKind::Range { bound }, at, node.origin);
            }
        }
        if let Some(factor) = rules.factor.filter(|factor| *factor > 0.0) {
            let times = number / factor;
            // Like the API server, but with a tolerance for binary fractions.
            if (times - times.round()).abs() > 1e-9 * times.abs().max(1.0) {
                self.report(ViolationKind::MultipleOf { factor }, at, node.origin);
            }
        }
    }

    fn alternatives(&mut self, rules: &'a ValueRules, node: &'a Node, at: &ValuePath<'_>, depth: usize) {
        let in_branch = std::mem::replace(&mut self.in_branch, true);
        for branch in &rules.all_of {
            self.value(*branch, node, at, depth + 1);
        }
        self.in_branch = in_branch;
        let any =
            rules.any_of.is_empty() || rules.any_of.iter().any(|branch| self.holds(*branch, node, depth));
        if !any {
            self.report(ViolationKind::Unfit { keyword: "anyOf" }, at, node.origin);
        }
        let one = rules.one_of.is_empty()
            || rules.one_of.iter().filter(|branch| self.holds(**branch, node, depth)).take(2).count() == 1;
        if !one {
            self.report(ViolationKind::Unfit { keyword: "oneOf" }, at, node.origin);
        }
        if rules.not.is_some_and(|branch| self.holds(branch, node, depth)) {
            self.report(ViolationKind::Unfit { keyword: "not" }, at, node.origin);
        }
    }

    /// Returns whether a value matches a branch, without reporting violations.
    fn holds(&mut self, branch: NodeId, node: &'a Node, depth: usize) -> bool {
        let mut ignore = |_| {};
        let mut trial = SchemaWalk {
            schemas: self.schemas,
            strict: self.strict,
            lenient: self.lenient,
            sink: &mut ignore,
            reported: 0,
            max_reported: 1,
            steps: self.steps,
            effects: self.effects,
            in_branch: true,
            anchor: None,
        };
        trial.value(branch, node, &ValuePath::ROOT, depth + 1);
        let holds = trial.reported == 0;
        self.steps = trial.steps;
        holds
    }
}
