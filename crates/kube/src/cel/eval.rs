//! The evaluator. It walks the tree and charges every step and every byte that it creates.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ast::{Expr, ExprKind};
use super::budget::{Budget, Fault, Stop};
use super::library;
use super::operators::{binary, negate};
use super::value::{List, MapKind, Value, equal};

pub(super) type Outcome = Result<Value, Stop>;

/// Names of types that are also values.
pub(super) const TYPES: [&str; 10] =
    ["bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "uint"];

/// An evaluation: the variables in scope, innermost last, and the remaining budget.
pub(super) struct Evaluation<'p, 'b> {
    pub(super) scope: Vec<(&'p str, Value)>,
    pub(super) budget: &'b mut Budget,
}

impl<'p> Evaluation<'p, '_> {
    pub(super) fn eval(&mut self, expr: &'p Expr) -> Outcome {
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
                if boolean(&self.eval(condition)?)? { self.eval(yes) } else { self.eval(no) }
            }
            ExprKind::Fold(fold) => self.fold(fold),
            ExprKind::Has { operand, field } => {
                let operand = self.eval(operand)?;
                Ok(Value::Bool(has(&operand, field)?))
            }
            ExprKind::Ident(name) => self.variable(name),
            ExprKind::Index { operand, index, optional } => {
                let (operand, index) = (self.eval(operand)?, self.eval(index)?);
                access(operand, *optional, |value| self.index(value, &index))
            }
            ExprKind::List(all) => {
                self.budget.spend(all.len())?;
                let items: Result<Vec<Value>, Stop> =
                    all.iter().map(|item| self.eval(item)?.visible()).collect();
                items.map(Value::list)
            }
            ExprKind::Literal(literal) => Ok(literal.into()),
            ExprKind::Map(entries) => self.map(entries),
            ExprKind::Negate(operand) => negate(&self.eval(operand)?),
            ExprKind::Not(operand) => Ok(Value::Bool(!boolean(&self.eval(operand)?)?)),
            ExprKind::Select { operand, field, optional } => {
                let operand = self.eval(operand)?;
                access(operand, *optional, |value| select(value, field))
            }
            ExprKind::Unsupported(_) => Err(Stop::Unknown),
        }
    }

    fn variable(&self, name: &str) -> Outcome {
        if let Some((_, value)) = self.scope.iter().rev().find(|(bound, _)| *bound == name) {
            return Ok(value.clone());
        }
        TYPES.iter().find(|known| **known == name).map(|known| Value::Type(known)).ok_or(Stop::Unknown)
    }

    /// Evaluates `&&` or `||`: one operand with the `decisive` value decides, regardless of the others.
    fn logical(&mut self, all: &'p [Expr], decisive: bool) -> Outcome {
        let mut undecided = None;
        for operand in all {
            match self.eval(operand).and_then(|value| boolean(&value)) {
                Ok(flag) if flag == decisive => return Ok(Value::Bool(decisive)),
                Ok(_) => {}
                Err(stop) => undecided = Some(worse(undecided, stop)?),
            }
        }
        undecided.map_or(Ok(Value::Bool(!decisive)), Err)
    }

    fn map(&mut self, entries: &'p [(Expr, Expr)]) -> Outcome {
        let mut all = BTreeMap::new();
        self.budget.spend(entries.len())?;
        for (key, value) in entries {
            let (Value::Text(key), value) = (self.eval(key)?, self.eval(value)?.visible()?) else {
                return Err(Stop::Unknown);
            };
            if all.insert(key, value).is_some() {
                return Err(Stop::Unknown);
            }
        }
        Ok(Value::map(all, MapKind::Data))
    }

    fn index(&mut self, value: &Value, index: &Value) -> Outcome {
        match (value, index) {
            (Value::List(list), Value::Int(index)) => {
                let item = usize::try_from(*index).ok().and_then(|index| list.items.get(index));
                item.cloned().ok_or(Stop::Fault(Fault::IndexOutOfBounds))
            }
            (Value::Map(_), Value::Text(key)) => {
                self.budget.spend_bytes(key.len())?;
                select(value, key)
            }
            _ => Err(Stop::Unknown),
        }
    }

    fn call(&mut self, target: Option<&'p Expr>, function: &str, arguments: &'p [Expr]) -> Outcome {
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
pub(super) fn boolean(value: &Value) -> Result<bool, Stop> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        _ => Err(Stop::Unknown),
    }
}

/// Combines two reasons why operands have no value: exhaustion ends at once, unknown outweighs an error.
pub(super) fn worse(before: Option<Stop>, now: Stop) -> Result<Stop, Stop> {
    match (before, now) {
        (_, Stop::TooMuch) => Err(Stop::TooMuch),
        (Some(Stop::Unknown), _) | (_, Stop::Unknown) => Ok(Stop::Unknown),
        (_, fault) => Ok(fault),
    }
}

fn has(operand: &Value, field: &str) -> Result<bool, Stop> {
    match operand {
        Value::Map(map) => match (map.entries.get(field), map.kind) {
            (Some(Value::Unknown), _) => Err(Stop::Unknown),
            (Some(_), _) => Ok(true),
            (None, MapKind::Partial(absent)) if absent.binary_search(&field).is_err() => Err(Stop::Unknown),
            (None, _) => Ok(false),
        },
        Value::Optional(Some(inner)) => has(inner, field),
        Value::Optional(None) => Ok(false),
        _ => Err(Stop::Unknown),
    }
}

/// Returns the field of an object, or the entry of a map.
fn select(operand: &Value, field: &str) -> Outcome {
    let Value::Map(map) = operand else { return Err(Stop::Unknown) };
    match map.entries.get(field) {
        Some(Value::Unknown) => Err(Stop::Unknown),
        Some(value) => Ok(value.clone()),
        None if has(operand, field)? => Err(Stop::Unknown),
        None => Err(Stop::Fault(Fault::NoSuchKey)),
    }
}

/// Accesses a value, or the value of an optional; for these, an absent entry is not an error.
fn access(operand: Value, optional: bool, mut look: impl FnMut(&Value) -> Outcome) -> Outcome {
    let (found, optional) = match &operand {
        Value::Optional(None) => return Ok(operand),
        Value::Optional(Some(inner)) => (look(inner), true),
        value => (look(value), optional),
    };
    match found {
        Ok(value) if optional => Ok(Value::Optional(Some(Arc::new(value.visible()?)))),
        Err(Stop::Fault(Fault::NoSuchKey | Fault::IndexOutOfBounds)) if optional => Ok(Value::Optional(None)),
        found => found,
    }
}

/// Reports whether a list contains an item, or a map a key.
pub(super) fn contains(container: &Value, wanted: &Value, budget: &mut Budget) -> Result<bool, Stop> {
    match (container, wanted) {
        (Value::List(list), wanted) => has_item(list, wanted, budget),
        (Value::Map(map), Value::Text(key)) if map.kind != MapKind::Object => {
            budget.spend_bytes(key.len())?;
            has(container, key)
        }
        _ => Err(Stop::Unknown),
    }
}

/// Reports whether an item of a list equals a value.
pub(super) fn has_item(list: &List, wanted: &Value, budget: &mut Budget) -> Result<bool, Stop> {
    let mut unsure = false;
    for item in &list.items {
        match equal(item, wanted, budget) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(Stop::Unknown) => unsure = true,
            Err(stop) => return Err(stop),
        }
    }
    if unsure { Err(Stop::Unknown) } else { Ok(false) }
}
