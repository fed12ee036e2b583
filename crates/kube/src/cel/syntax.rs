//! Reserved words, macros and operators of the language.

use super::ast::{BinaryOperator, FoldKind};
use super::lexer::CelToken;

/// Words that must not be used as variable names.
pub(super) const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// Returns the macro of this name and number of arguments, with its number of variables.
pub(super) fn find_macro(name: &str, arguments: usize) -> Option<(FoldKind, usize)> {
    Some(match (name, arguments) {
        ("all", 2 | 3) => (FoldKind::All, arguments - 1),
        ("exists", 2 | 3) => (FoldKind::Exists, arguments - 1),
        ("exists_one" | "existsOne", 2) | ("existsOne", 3) => (FoldKind::ExistsOne, arguments - 1),
        ("filter", 2) => (FoldKind::Filter, 1),
        ("map", 2 | 3) => (FoldKind::Map, 1),
        ("transformList", 3 | 4) => (FoldKind::Map, 2),
        ("transformMap" | "transformMapEntry", 3 | 4) => (FoldKind::Other, 2),
        ("optMap" | "optFlatMap", 2) => (FoldKind::Other, 1),
        _ => return None,
    })
}

/// Reports whether a name is a constant or operator, and so never a variable or field.
pub(super) fn is_keyword(name: &str) -> bool {
    matches!(name, "true" | "false" | "null" | "in")
}

/// Returns the operator of a token and its precedence.
pub(super) fn binary_operator(token: &CelToken<'_>) -> Option<(BinaryOperator, u8)> {
    use BinaryOperator::{
        Add, Divide, Equal, Greater, GreaterOrEqual, In, Less, LessOrEqual, Multiply, NotEqual, Remainder,
        Subtract,
    };
    Some(match token {
        CelToken::Ident("in") => (In, 0),
        CelToken::Operator("==") => (Equal, 0),
        CelToken::Operator("!=") => (NotEqual, 0),
        CelToken::Operator("<") => (Less, 0),
        CelToken::Operator("<=") => (LessOrEqual, 0),
        CelToken::Operator(">") => (Greater, 0),
        CelToken::Operator(">=") => (GreaterOrEqual, 0),
        CelToken::Operator("+") => (Add, 1),
        CelToken::Operator("-") => (Subtract, 1),
        CelToken::Operator("*") => (Multiply, 2),
        CelToken::Operator("/") => (Divide, 2),
        CelToken::Operator("%") => (Remainder, 2),
        _ => return None,
    })
}
