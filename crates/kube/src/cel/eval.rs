//! The evaluator. It walks the tree and charges every step and every byte that it creates.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Expr, ExprKind};
use super::budget::{CelBudget, EvalError, EvalStop};
use super::library;
use super::operators::{binary, negate};
use super::value::{CelValue, EvalResult, MapKind, has};

/// Names of types that are also values.
pub(super) const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "uint"];

/// An evaluation: the variables in scope, innermost last, and the remaining budget.
pub(super) struct Evaluation<'p, 'b> {
    pub(super) scope: Vec<(&'p str, CelValue)>,
    pub(super) budget: &'b mut CelBudget,
}

impl<'p> Evaluation<'p, '_> {
    pub(super) fn eval(&mut self, expr: &'p Expr) -> EvalResult {
        self.budget.spend(1)?;
        match &expr.kind {
            ExprKind::And(all) => self.logical(all, false),
            ExprKind::Or(all) => self.logical(all, true),
            ExprKind::Binary(operator, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                binary(*operator, &left, &right, self.budget)
            }
            ExprKind::Call { target, function, arguments } => {
                self.call(target.as_deref(), function, arguments)
            }
            ExprKind::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                if as_bool(&self.eval(condition)?)? { self.eval(yes) } else { self.eval(no) }
            }
            ExprKind::Fold(fold) => self.fold(fold),
            ExprKind::Has { operand, field } => {
                let operand = self.eval(operand)?;
                Ok(CelValue::Bool(has(&operand, field)?))
            }
            ExprKind::Ident(name) => self.variable(name),
            ExprKind::Index { operand, index, optional } => {
                let (operand, index) = (self.eval(operand)?, self.eval(index)?);
                access(operand, *optional, |value| self.index(value, &index))
            }
            ExprKind::List(all) => {
                self.budget.spend(all.len())?;
                let items: Result<Vec<CelValue>, EvalStop> =
                    all.iter().map(|item| self.eval(item)?.visible()).collect();
                items.map(CelValue::list)
            }
            ExprKind::Literal(literal) => Ok(literal.into()),
            ExprKind::Map(entries) => self.map(entries),
            ExprKind::Negate(operand) => negate(&self.eval(operand)?),
            ExprKind::Not(operand) => Ok(CelValue::Bool(!as_bool(&self.eval(operand)?)?)),
            ExprKind::Select { operand, field, optional } => {
                let operand = self.eval(operand)?;
                access(operand, *optional, |value| select(value, field))
            }
            ExprKind::Unsupported(_) => Err(EvalStop::Unknown),
        }
    }

    fn variable(&self, name: &str) -> EvalResult {
        if let Some((_, value)) = self.scope.iter().rev().find(|(bound, _)| *bound == name) {
            return Ok(value.clone());
        }
        TYPES.iter().find(|known| **known == name).map(|known| CelValue::Type(known)).ok_or(EvalStop::Unknown)
    }

    /// Evaluates `&&` or `||`: one operand with the `decisive` value decides, regardless of the others.
    fn logical(&mut self, all: &'p [Expr], decisive: bool) -> EvalResult {
        let mut undecided = None;
        for operand in all {
            match self.eval(operand).and_then(|value| as_bool(&value)) {
                Ok(flag) if flag == decisive => return Ok(CelValue::Bool(decisive)),
                Ok(_) => {}
                Err(stop) => undecided = Some(combine_stops(undecided, stop)?),
            }
        }
        undecided.map_or(Ok(CelValue::Bool(!decisive)), Err)
    }

    fn map(&mut self, entries: &'p [(Expr, Expr)]) -> EvalResult {
        let mut all = BTreeMap::new();
        self.budget.spend(entries.len())?;
        for (key, value) in entries {
            let (CelValue::Text(key), value) = (self.eval(key)?, self.eval(value)?.visible()?) else {
                return Err(EvalStop::Unknown);
            };
            if all.insert(key, value).is_some() {
                return Err(EvalStop::Unknown);
            }
        }
        Ok(CelValue::map(all, MapKind::Data))
    }

    fn index(&mut self, value: &CelValue, index: &CelValue) -> EvalResult {
        match (value, index) {
            (CelValue::List(list), CelValue::Int(index)) => {
                let item = usize::try_from(*index).ok().and_then(|index| list.items.get(index));
                item.cloned().ok_or(EvalStop::Fault(EvalError::IndexOutOfBounds))
            }
            (CelValue::Map(_), CelValue::Text(key)) => {
                self.budget.spend_bytes(key.len())?;
                select(value, key)
            }
            _ => Err(EvalStop::Unknown),
        }
    }

    fn call(&mut self, target: Option<&'p Expr>, function: &str, arguments: &'p [Expr]) -> EvalResult {
        let mut values = Vec::with_capacity(arguments.len() + 1);
        let namespace = match target.map(|target| &target.kind) {
            Some(ExprKind::Ident(name)) if !self.scope.iter().any(|(bound, _)| **bound == **name) => {
                Some(&**name)
            }
            _ => None,
        };
        if namespace.is_none()
            && let Some(target) = target
        {
            values.push(self.eval(target)?);
        }
        for argument in arguments {
            values.push(self.eval(argument)?);
        }
        match (namespace, target) {
            (Some(namespace), _) => library::qualified(namespace, function, &values, self.budget),
            (None, Some(_)) => library::member(function, &values, self.budget),
            (None, None) => library::global(function, &values, self.budget),
        }
    }
}

/// Returns a value as a condition.
pub(super) fn as_bool(value: &CelValue) -> Result<bool, EvalStop> {
    match value {
        CelValue::Bool(flag) => Ok(*flag),
        _ => Err(EvalStop::Unknown),
    }
}

/// Combines two reasons why operands have no value: exhaustion ends at once, unknown outweighs an error.
pub(super) fn combine_stops(before: Option<EvalStop>, now: EvalStop) -> Result<EvalStop, EvalStop> {
    match (before, now) {
        (_, EvalStop::TooMuch) => Err(EvalStop::TooMuch),
        (Some(EvalStop::Unknown), _) | (_, EvalStop::Unknown) => Ok(EvalStop::Unknown),
        (_, fault) => Ok(fault),
    }
}

/// Returns the field of an object, or the entry of a map.
fn select(operand: &CelValue, field: &str) -> EvalResult {
    let CelValue::Map(map) = operand else { return Err(EvalStop::Unknown) };
    match map.entries.get(field) {
        Some(CelValue::Unknown) => Err(EvalStop::Unknown),
        Some(value) => Ok(value.clone()),
        None if has(operand, field)? => Err(EvalStop::Unknown),
        None => Err(EvalStop::Fault(EvalError::NoSuchKey)),
    }
}

/// Accesses a value, or the value of an optional; for these, an absent entry is not an error.
fn access(operand: CelValue, optional: bool, mut look: impl FnMut(&CelValue) -> EvalResult) -> EvalResult {
    let (found, optional) = match &operand {
        CelValue::Optional(None) => return Ok(operand),
        CelValue::Optional(Some(inner)) => (look(inner), true),
        value => (look(value), optional),
    };
    match found {
        Ok(value) if optional => Ok(CelValue::Optional(Some(Arc::new(value.visible()?)))),
        Err(EvalStop::Fault(EvalError::NoSuchKey | EvalError::IndexOutOfBounds)) if optional => {
            Ok(CelValue::Optional(None))
        }
        found => found,
    }
}
