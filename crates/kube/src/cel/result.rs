//! The type of an expression's result, as far as its outermost part determines it.

use super::ast::{BinaryOperator, CelLiteral, Expr, ExprKind, FoldKind};

/// The type of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultType {
    /// A boolean.
    Bool,
    /// Only known during evaluation, which the API server refuses.
    Dynamic,
    /// The null value.
    Null,
    /// Neither a boolean, a text, nor null.
    Other,
    /// A string.
    Text,
    /// Not determined by the expression.
    Unknown,
}

/// Returns the type of the result of an expression; `dynamic` are variables without a type.
pub(crate) fn result_type(expr: &Expr, dynamic: &[&str]) -> ResultType {
    match &expr.kind {
        ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Not(_) | ExprKind::Has { .. } => ResultType::Bool,
        ExprKind::Binary(operator, ..) => match operator {
            BinaryOperator::Equal
            | BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual
            | BinaryOperator::In
            | BinaryOperator::Less
            | BinaryOperator::LessOrEqual
            | BinaryOperator::NotEqual => ResultType::Bool,
            BinaryOperator::Add
            | BinaryOperator::Divide
            | BinaryOperator::Multiply
            | BinaryOperator::Remainder
            | BinaryOperator::Subtract => ResultType::Unknown,
        },
        ExprKind::Conditional(parts) => {
            let [_, first, second] = &**parts;
            let (first, second) = (result_type(first, dynamic), result_type(second, dynamic));
            if first == second { first } else { ResultType::Unknown }
        }
        ExprKind::Fold(fold)
            if matches!(fold.kind, FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne) =>
        {
            ResultType::Bool
        }
        ExprKind::List(_) | ExprKind::Map(_) => ResultType::Other,
        ExprKind::Literal(literal) => match literal {
            CelLiteral::Bool(_) => ResultType::Bool,
            CelLiteral::Null => ResultType::Null,
            CelLiteral::Text(_) => ResultType::Text,
            CelLiteral::Bytes(_) | CelLiteral::Double(_) | CelLiteral::Int(_) | CelLiteral::Uint(_) => {
                ResultType::Other
            }
        },
        ExprKind::Negate(operand) if matches!(operand.kind, ExprKind::Literal(_)) => ResultType::Other,
        ExprKind::Call { target: Some(_), function, arguments }
            if &**function == "size" && arguments.is_empty() =>
        {
            ResultType::Other
        }
        ExprKind::Call { target: None, function, arguments } if arguments.len() == 1 => match &**function {
            "double" | "int" | "size" | "uint" => ResultType::Other,
            "string" => ResultType::Text,
            _ => ResultType::Unknown,
        },
        _ if is_dynamic(expr, dynamic) => ResultType::Dynamic,
        _ => ResultType::Unknown,
    }
}

/// Reports whether an expression is a variable without a type, or a part of one.
fn is_dynamic(expr: &Expr, dynamic: &[&str]) -> bool {
    match &expr.kind {
        ExprKind::Ident(name) => dynamic.contains(&&**name),
        ExprKind::Index { operand, optional: false, .. }
        | ExprKind::Select { operand, optional: false, .. } => is_dynamic(operand, dynamic),
        _ => false,
    }
}
