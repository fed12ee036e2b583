//! Finds undeclared names. The checker knows the types of variables and fields only as far as schemas declare them.

use super::ast::{Expr, ExprKind, FoldKind};
use super::eval::TYPES;
use super::library::NAMESPACES;

/// A type, identified by a number from its source.
pub type TypeId = u32;

/// A source of types.
pub trait TypeSource {
    /// Returns the type of a field.
    fn field(&self, of: TypeId, name: &str) -> FieldType;
    /// Returns the type of the items of a list, or of the values of a map.
    fn element(&self, of: TypeId) -> Option<TypeId>;
    /// Reports whether a type is a list.
    fn is_list(&self, of: TypeId) -> bool;
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A type that the schema declares.
    Declared(TypeId),
    /// The field is not declared.
    Undeclared,
    /// The type is unknown.
    Unknown,
}

/// An undeclared name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameError<'e> {
    /// The name.
    pub name: &'e str,
    /// Whether it is a field name.
    pub is_field: bool,
    /// The start of the enclosing expression, in bytes.
    pub(crate) offset: usize,
}

struct NameChecker<'e, 't> {
    scope: Vec<(&'e str, Option<TypeId>)>,
    types: &'t dyn TypeSource,
    error: Option<NameError<'e>>,
}

pub(crate) fn check<'e>(
    expr: &'e Expr,
    variables: &[(&'e str, Option<TypeId>)],
    types: &dyn TypeSource,
) -> Option<NameError<'e>> {
    let mut checker = NameChecker { scope: variables.to_vec(), types, error: None };
    checker.visit(expr);
    checker.error
}

impl<'e> NameChecker<'e, '_> {
    fn report(&mut self, name: &'e str, is_field: bool, offset: usize) {
        self.error = self.error.or(Some(NameError { name, is_field, offset }));
    }

    /// Checks an expression and returns its type if it is known.
    fn visit(&mut self, expr: &'e Expr) -> Option<TypeId> {
        match &expr.kind {
            ExprKind::Ident(name) => self.ident(name, expr.offset),
            ExprKind::Select { operand, field, .. } | ExprKind::Has { operand, field } => {
                let of = if is_qualified(operand, &self.scope) { None } else { self.visit(operand) };
                match self.types.field(of?, field) {
                    FieldType::Declared(id) => return Some(id),
                    FieldType::Undeclared => self.report(field, true, expr.offset),
                    FieldType::Unknown => {}
                }
                None
            }
            ExprKind::Index { operand, index, .. } => {
                let of = self.visit(operand);
                self.visit(index);
                self.types.element(of?)
            }
            ExprKind::Fold(fold) => {
                let range = self.visit(&fold.range);
                let (first, second) = &fold.variables;
                let element = range.and_then(|range| self.types.element(range));
                let is_list = range.is_some_and(|range| self.types.is_list(range));
                let depth = self.scope.len();
                match second {
                    Some(second) => self.scope.extend([(&**first, None), (&**second, element)]),
                    None => self.scope.push((first, element.filter(|_| is_list))),
                }
                for part in fold.predicate.iter().chain(&fold.transform) {
                    self.visit(part);
                }
                self.scope.truncate(depth);
                range.filter(|_| fold.kind == FoldKind::Filter && is_list)
            }
            ExprKind::Call { target, arguments, .. } => {
                if let Some(target) = target
                    && !is_qualified(target, &self.scope)
                {
                    self.visit(target);
                }
                for argument in arguments {
                    self.visit(argument);
                }
                None
            }
            kind => {
                kind.each_child(&mut |child| {
                    self.visit(child);
                });
                None
            }
        }
    }

    fn ident(&mut self, name: &'e str, offset: usize) -> Option<TypeId> {
        if let Some((_, id)) = self.scope.iter().rev().find(|(bound, _)| *bound == name) {
            return *id;
        }
        if !TYPES.contains(&name) && !matches!(name, "type" | "optional_type") && !NAMESPACES.contains(&name)
        {
            self.report(name, false, offset);
        }
        None
    }
}

/// Reports whether an expression is the first part of a qualified name, as `sets` in `sets.contains`.
fn is_qualified(expr: &Expr, scope: &[(&str, Option<TypeId>)]) -> bool {
    match &expr.kind {
        ExprKind::Ident(name) => {
            NAMESPACES.contains(&&**name) && !scope.iter().any(|(bound, _)| **bound == **name)
        }
        ExprKind::Select { operand, .. } => is_qualified(operand, scope),
        _ => false,
    }
}
