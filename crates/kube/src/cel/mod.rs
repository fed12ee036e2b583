//! CEL, the expression language of Kubernetes' validation rules: parser, static checks, evaluator, library, budget.
//!
//! Expressions come from definitions and policies in a repository, so they are hostile input: the text, the height of its
//! tree and the work of an evaluation are bounded, and nothing here panics or reads anything but its variables.
//! The engine never guesses. What it does not implement exactly as the API server does ends an evaluation with
//! [`Stop::Unknown`], and the caller reports the rule as not evaluated.
//!
//! This module knows neither schemas nor lints. It must never print a value of a variable.

mod ast;
mod budget;
mod check;
mod eval;
mod fold;
mod lexer;
mod library;
mod operators;
mod parser;
mod result;
mod syntax;
mod value;

#[cfg(test)]
mod tests;

pub use budget::{Budget, Stop};
pub(crate) use check::NameError;
pub use check::{FieldType, TypeId, TypeSource};
pub use result::ResultType;
pub use syntax::SyntaxError;
pub(crate) use value::List;
pub use value::{MapKind, Value};

use ast::{Expr, ExprKind};
use eval::Evaluation;

/// An expression that can be evaluated.
#[derive(Debug)]
pub struct Program {
    expr: Expr,
}

impl Program {
    /// Parses an expression.
    pub fn compile(source: &str) -> Result<Self, SyntaxError> {
        parser::parse(source).map(|expr| Self { expr })
    }

    /// Evaluates the expression with these variables, within a part of the budget.
    pub fn evaluate(&self, variables: &[(&str, Value)], budget: &mut Budget) -> Result<Value, Stop> {
        budget.run(|budget| {
            let scope = variables.iter().map(|(name, value)| (*name, value.clone())).collect();
            Evaluation { scope, budget }.eval(&self.expr)
        })
    }

    /// Evaluates the expression as a condition.
    pub fn holds(&self, variables: &[(&str, Value)], budget: &mut Budget) -> Result<bool, Stop> {
        self.evaluate(variables, budget).and_then(|value| eval::boolean(&value))
    }

    /// Returns whether a variable of this name occurs.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        fn search(expr: &Expr, name: &str) -> bool {
            let mut found = matches!(&expr.kind, ExprKind::Ident(ident) if **ident == *name);
            expr.kind.each_child(&mut |child| found = found || search(child, name));
            found
        }
        search(&self.expr, name)
    }

    /// Returns the type of the result, as far as the expression tells; `dynamic` are variables without a type.
    pub fn result(&self, dynamic: &[&str]) -> ResultType {
        result::of(&self.expr, dynamic)
    }

    /// Returns the first name that nothing declares, of a variable or of a field; the API server refuses such an
    /// expression. Only what is certain is reported: functions are not checked.
    pub fn check_names<'e>(
        &'e self,
        variables: &[(&'e str, Option<TypeId>)],
        types: &dyn TypeSource,
    ) -> Option<NameError<'e>> {
        check::check(&self.expr, variables, types)
    }
}

/// The value of a text as a duration, as Go parses it.
pub(crate) fn duration(text: &str) -> Option<Value> {
    library::parse_duration(text).ok().map(Value::Duration)
}

/// The value of a text as a point in time by RFC 3339.
pub(crate) fn timestamp(text: &str) -> Option<Value> {
    library::parse_timestamp(text).map(Value::Timestamp)
}
