//! CEL, the expression language of Kubernetes' validation rules: parser, static checks, evaluator, library, budget.
//!
//! Expressions come from definitions and policies in a repository and are hostile input: the length of the text, the
//! height of its tree and the work of an evaluation are bounded. This module must not panic, and reads only its
//! variables. It never guesses: an evaluation that needs something not implemented exactly as in the API server ends
//! with [`EvalStop::Unknown`], and the caller reports the rule as not evaluated.
//!
//! This module does not depend on schemas or lints. It must never print the value of a variable.

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
mod syntax_error;
mod value;

#[cfg(test)]
mod tests;

pub use budget::{CelBudget, EvalStop};
pub(crate) use check::NameError;
pub use check::{FieldType, TypeId, TypeSource};
pub use result::ResultType;
pub use syntax_error::SyntaxError;
pub(crate) use value::CelList;
pub use value::{CelValue, MapKind};

use ast::{Expr, ExprKind};
use eval::Evaluation;

/// A compiled expression.
#[derive(Debug)]
pub struct CelProgram {
    expr: Expr,
}

impl CelProgram {
    /// Parses an expression.
    ///
    /// # Errors
    /// The expression is malformed or exceeds the limits.
    pub fn compile(source: &str) -> Result<Self, SyntaxError> {
        parser::parse(source).map(|expr| Self { expr })
    }

    /// Evaluates the expression with these variables, within the budget.
    ///
    /// # Errors
    /// The evaluation stops without a result: an error, an exhausted budget, or something unsupported.
    pub fn evaluate(
        &self,
        variables: &[(&str, CelValue)],
        budget: &mut CelBudget,
    ) -> Result<CelValue, EvalStop> {
        budget.run(|budget| {
            let scope = variables.iter().map(|(name, value)| (*name, value.clone())).collect();
            Evaluation { scope, budget }.eval(&self.expr)
        })
    }

    /// Evaluates the expression as a condition.
    ///
    /// # Errors
    /// The evaluation stops without a result: an error, an exhausted budget, or something unsupported.
    pub fn evaluate_condition(
        &self,
        variables: &[(&str, CelValue)],
        budget: &mut CelBudget,
    ) -> Result<bool, EvalStop> {
        self.evaluate(variables, budget).and_then(|value| eval::as_bool(&value))
    }

    /// Reports whether the expression contains a variable of this name.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        fn search(expr: &Expr, name: &str) -> bool {
            let mut found = matches!(&expr.kind, ExprKind::Ident(ident) if **ident == *name);
            expr.kind.each_child(&mut |child| found = found || search(child, name));
            found
        }
        search(&self.expr, name)
    }

    /// Returns the type of the result, as far as the expression determines it; `dynamic` are variables without a type.
    #[must_use]
    pub fn result_type(&self, dynamic: &[&str]) -> ResultType {
        result::result_type(&self.expr, dynamic)
    }

    /// Returns the first undeclared name of a variable or field; the API server refuses such an expression. Reports
    /// only certain errors: functions are not checked.
    pub fn check_names<'e>(
        &'e self,
        variables: &[(&'e str, Option<TypeId>)],
        types: &dyn TypeSource,
    ) -> Option<NameError<'e>> {
        check::check(&self.expr, variables, types)
    }
}

/// Returns a text as a duration, as Go parses it.
pub(crate) fn duration_value(text: &str) -> Option<CelValue> {
    library::parse_duration(text).ok().map(CelValue::Duration)
}

/// Returns a text as an RFC 3339 timestamp.
pub(crate) fn timestamp_value(text: &str) -> Option<CelValue> {
    library::parse_timestamp(text).map(CelValue::Timestamp)
}
