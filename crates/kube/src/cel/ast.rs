//! The syntax tree of an expression.

use std::sync::Arc;

/// An expression and its height: the length of its longest path to a leaf.
#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(super) height: usize,
    /// The start in the text, in bytes.
    pub(crate) offset: usize,
}

/// The kind of an expression.
#[derive(Debug)]
pub(crate) enum ExprKind {
    /// `a && b && c`
    And(Vec<Expr>),
    /// An operator with two operands, other than `&&` and `||`.
    Binary(BinaryOperator, Box<Expr>, Box<Expr>),
    /// `f(a)` and `a.f(b)`
    Call { target: Option<Box<Expr>>, function: Box<str>, arguments: Vec<Expr> },
    /// `a ? b : c`
    Conditional(Box<[Expr; 3]>),
    /// A macro such as `a.all(x, …)`.
    Fold(Box<FoldMacro>),
    /// `has(a.b)`
    Has { operand: Box<Expr>, field: Arc<str> },
    /// A variable or a type.
    Ident(Box<str>),
    /// `a[b]`, or `a[?b]` if optional.
    Index { operand: Box<Expr>, index: Box<Expr>, optional: bool },
    /// `[a, b]`
    List(Vec<Expr>),
    /// A constant.
    Literal(CelLiteral),
    /// `{a: b}`
    Map(Vec<(Expr, Expr)>),
    /// `-a`
    Negate(Box<Expr>),
    /// `!a`
    Not(Box<Expr>),
    /// `a || b || c`
    Or(Vec<Expr>),
    /// `a.b`, or `a.?b` if optional.
    Select { operand: Box<Expr>, field: Arc<str>, optional: bool },
    /// Valid syntax that is not evaluated: messages, optional entries of lists and maps.
    Unsupported(Vec<Expr>),
}

/// A constant.
#[derive(Clone, Debug)]
pub(crate) enum CelLiteral {
    Bool(bool),
    Bytes(Arc<[u8]>),
    Double(f64),
    Int(i64),
    Null,
    Text(Arc<str>),
    Uint(u64),
}

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Add,
    Divide,
    Equal,
    Greater,
    GreaterOrEqual,
    In,
    Less,
    LessOrEqual,
    Multiply,
    NotEqual,
    Remainder,
    Subtract,
}

/// A macro that iterates over the items of a list or the keys of a map.
#[derive(Debug)]
pub(crate) struct FoldMacro {
    pub(crate) kind: FoldKind,
    pub(crate) range: Expr,
    /// The variable for each item (or map key); with two, the index or key, and the value.
    pub(crate) variables: (Box<str>, Option<Box<str>>),
    /// The condition on each item.
    pub(crate) predicate: Option<Expr>,
    /// The result for each item.
    pub(crate) transform: Option<Expr>,
}

/// The kind of a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
    /// A macro that is not evaluated.
    Other,
}

impl Expr {
    pub(super) fn new(kind: ExprKind, offset: usize) -> Self {
        let mut height = 0;
        kind.each_child(&mut |child| height = height.max(child.height));
        Self { kind, height: height + 1, offset }
    }
}

impl ExprKind {
    /// Passes each direct child to `visit`, in text order.
    pub(crate) fn each_child<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        match self {
            Self::And(all) | Self::Or(all) | Self::List(all) | Self::Unsupported(all) => {
                all.iter().for_each(visit);
            }
            Self::Binary(_, left, right) => [left, right].into_iter().for_each(|side| visit(side)),
            Self::Call { target, arguments, .. } => {
                if let Some(target) = target {
                    visit(target);
                }
                arguments.iter().for_each(visit);
            }
            Self::Conditional(parts) => parts.iter().for_each(visit),
            Self::Fold(fold) => {
                visit(&fold.range);
                fold.predicate.iter().chain(&fold.transform).for_each(visit);
            }
            Self::Has { operand, .. }
            | Self::Select { operand, .. }
            | Self::Negate(operand)
            | Self::Not(operand) => {
                visit(operand);
            }
            Self::Index { operand, index, .. } => [operand, index].into_iter().for_each(|side| visit(side)),
            Self::Map(entries) => entries.iter().for_each(|(key, value)| {
                visit(key);
                visit(value);
            }),
            Self::Ident(_) | Self::Literal(_) => {}
        }
    }
}
