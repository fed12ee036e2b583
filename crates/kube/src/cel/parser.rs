//! The parser: builds a syntax tree of bounded height, so that walking it never overflows the stack.

use super::ast::{CelLiteral, Expr, ExprKind, FoldKind, FoldMacro};
use super::lexer::{CelLexer, CelToken};
use super::syntax::{RESERVED, binary_operator, find_macro, is_keyword};
use super::syntax_error::SyntaxError;

/// Maximum length of an expression, in bytes.
const MAX_LENGTH: usize = 32 << 10;
/// Maximum height of a tree, and of nested brackets and conditions.
const MAX_HEIGHT: usize = 120;

type ParseResult<T> = Result<T, SyntaxError>;

/// Parses an expression.
pub(crate) fn parse(source: &str) -> ParseResult<Expr> {
    if source.len() > MAX_LENGTH {
        return Err(SyntaxError::unsupported(0));
    }
    let mut lexer = CelLexer::new(source);
    let (token, start) = lexer.next()?;
    let mut parser = ExprParser { lexer, token, start, depth: 0 };
    let expr = parser.expression()?;
    match parser.token {
        CelToken::End => Ok(expr),
        _ => Err(SyntaxError::at(parser.start, "unexpected text after the expression")),
    }
}

struct ExprParser<'s> {
    lexer: CelLexer<'s>,
    /// The current token.
    token: CelToken<'s>,
    start: usize,
    depth: usize,
}

impl<'s> ExprParser<'s> {
    fn advance(&mut self) -> ParseResult<CelToken<'s>> {
        let (token, start) = self.lexer.next()?;
        self.start = start;
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn is(&self, operator: &str) -> bool {
        matches!(&self.token, CelToken::Operator(found) if *found == operator)
    }

    fn take(&mut self, operator: &str) -> ParseResult<bool> {
        let found = self.is(operator);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, operator: &str, problem: &'static str) -> ParseResult<()> {
        if self.take(operator)? { Ok(()) } else { Err(SyntaxError::at(self.start, problem)) }
    }

    fn name(&mut self, problem: &'static str) -> ParseResult<&'s str> {
        match self.token {
            CelToken::Ident(name) if !is_keyword(name) => {
                self.advance()?;
                Ok(name)
            }
            _ => Err(SyntaxError::at(self.start, problem)),
        }
    }

    fn node(kind: ExprKind, offset: usize) -> ParseResult<Expr> {
        let expr = Expr::new(kind, offset);
        if expr.height > MAX_HEIGHT { Err(SyntaxError::unsupported(offset)) } else { Ok(expr) }
    }

    fn expression(&mut self) -> ParseResult<Expr> {
        if self.depth >= MAX_HEIGHT {
            return Err(SyntaxError::unsupported(self.start));
        }
        self.depth += 1;
        let offset = self.start;
        let mut expr = self.chain("||")?;
        if self.take("?")? {
            let yes = self.chain("||")?;
            self.expect(":", "`:` is missing after `?`")?;
            let no = self.expression()?;
            expr = Self::node(ExprKind::Conditional(Box::new([expr, yes, no])), offset)?;
        }
        self.depth -= 1;
        Ok(expr)
    }

    /// Parses `a || b || c`, or the same with `&&`.
    fn chain(&mut self, operator: &'static str) -> ParseResult<Expr> {
        let offset = self.start;
        let first = self.chain_part(operator)?;
        if !self.is(operator) {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.take(operator)? {
            all.push(self.chain_part(operator)?);
        }
        Self::node(if operator == "||" { ExprKind::Or(all) } else { ExprKind::And(all) }, offset)
    }

    fn chain_part(&mut self, operator: &str) -> ParseResult<Expr> {
        if operator == "||" { self.chain("&&") } else { self.binary(0) }
    }

    /// Parses operators of at least this precedence.
    fn binary(&mut self, least: u8) -> ParseResult<Expr> {
        let offset = self.start;
        let mut left = self.unary()?;
        while let Some((operator, precedence)) = binary_operator(&self.token)
            && precedence >= least
        {
            self.advance()?;
            let right = self.binary(precedence + 1)?;
            left = Self::node(ExprKind::Binary(operator, Box::new(left), Box::new(right)), offset)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> ParseResult<Expr> {
        let offset = self.start;
        let mut times = 0_usize;
        for (operator, wrap) in [
            ("!", ExprKind::Not as fn(Box<Expr>) -> ExprKind),
            ("-", ExprKind::Negate as fn(Box<Expr>) -> ExprKind),
        ] {
            while self.take(operator)? {
                times += 1;
                // The sign is part of a number.
                if operator == "-"
                    && let Some(literal) = self.negative()?
                {
                    let number = Self::node(ExprKind::Literal(literal), offset)?;
                    let mut expr = self.suffixes(number, offset)?;
                    for _ in 1..times {
                        expr = Self::node(wrap(Box::new(expr)), offset)?;
                    }
                    return Ok(expr);
                }
            }
            if times > 0 {
                if times > MAX_HEIGHT {
                    return Err(SyntaxError::unsupported(offset));
                }
                let mut expr = self.member()?;
                for _ in 0..times {
                    expr = Self::node(wrap(Box::new(expr)), offset)?;
                }
                return Ok(expr);
            }
        }
        self.member()
    }

    /// Parses the number after a minus sign.
    fn negative(&mut self) -> ParseResult<Option<CelLiteral>> {
        let literal = match self.token {
            CelToken::Int(number) => {
                let number = 0_i64.checked_sub_unsigned(number);
                CelLiteral::Int(number.ok_or_else(|| SyntaxError::at(self.start, "number is out of range"))?)
            }
            CelToken::Double(number) => CelLiteral::Double(-number),
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some(literal))
    }

    fn member(&mut self) -> ParseResult<Expr> {
        let offset = self.start;
        let expr = self.primary()?;
        self.suffixes(expr, offset)
    }

    fn suffixes(&mut self, mut expr: Expr, offset: usize) -> ParseResult<Expr> {
        loop {
            if self.take(".")? {
                let optional = self.take("?")?;
                let field = self.name("field name is missing after `.`")?;
                expr = if !optional && self.take("(")? {
                    let arguments = self.arguments()?;
                    Self::member_call(expr, field, arguments, offset)?
                } else {
                    let operand = Box::new(expr);
                    Self::node(ExprKind::Select { operand, field: field.into(), optional }, offset)?
                };
            } else if self.take("[")? {
                let optional = self.take("?")?;
                let index = Box::new(self.expression()?);
                self.expect("]", "`]` is missing")?;
                expr = Self::node(ExprKind::Index { operand: Box::new(expr), index, optional }, offset)?;
            } else if self.is("{") && is_name(&expr) {
                self.advance()?;
                let fields = self.entries(true)?.into_iter().map(|(_, value)| value);
                expr = Self::node(ExprKind::Unsupported(fields.collect()), offset)?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn arguments(&mut self) -> ParseResult<Vec<Expr>> {
        let mut all = Vec::new();
        if self.take(")")? {
            return Ok(all);
        }
        loop {
            all.push(self.expression()?);
            if !self.take(",")? {
                self.expect(")", "`)` is missing")?;
                return Ok(all);
            }
        }
    }

    fn primary(&mut self) -> ParseResult<Expr> {
        let offset = self.start;
        let leading_dot = self.take(".")?;
        let literal = match self.advance()? {
            CelToken::Ident(name) => return self.named(name, leading_dot, offset),
            _ if leading_dot => return Err(SyntaxError::at(offset, "name is missing after `.`")),
            CelToken::Operator("(") => {
                let inner = self.expression()?;
                self.expect(")", "`)` is missing")?;
                return Ok(inner);
            }
            CelToken::Operator("[") => return self.list(offset),
            CelToken::Operator("{") => return self.map(offset),
            CelToken::Bytes(bytes) => CelLiteral::Bytes(bytes),
            CelToken::Double(number) => CelLiteral::Double(number),
            CelToken::Int(number) => {
                let number = i64::try_from(number);
                CelLiteral::Int(number.map_err(|_| SyntaxError::at(offset, "number is out of range"))?)
            }
            CelToken::Text(text) => CelLiteral::Text(text),
            CelToken::Uint(number) => CelLiteral::Uint(number),
            CelToken::End => return Err(SyntaxError::at(offset, "expression ends too early")),
            CelToken::Operator(_) => return Err(SyntaxError::at(offset, "expression is missing")),
        };
        Self::node(ExprKind::Literal(literal), offset)
    }

    fn named(&mut self, name: &str, leading_dot: bool, offset: usize) -> ParseResult<Expr> {
        let literal = match name {
            "true" => Some(CelLiteral::Bool(true)),
            "false" => Some(CelLiteral::Bool(false)),
            "null" => Some(CelLiteral::Null),
            "in" => return Err(SyntaxError::at(offset, "expression is missing before `in`")),
            _ => None,
        };
        if let Some(literal) = literal {
            if leading_dot {
                return Err(SyntaxError::at(offset, "name is missing after `.`"));
            }
            return Self::node(ExprKind::Literal(literal), offset);
        }
        if RESERVED.contains(&name) {
            return Err(SyntaxError::at(offset, "name is a reserved word"));
        }
        if self.take("(")? {
            let arguments = self.arguments()?;
            return Self::global_call(name, arguments, offset);
        }
        Self::node(ExprKind::Ident(name.into()), offset)
    }

    fn list(&mut self, offset: usize) -> ParseResult<Expr> {
        let mut all = Vec::new();
        let mut has_optional = false;
        while !self.take("]")? {
            if self.is(",") && all.is_empty() {
                self.advance()?;
                self.expect("]", "expression is missing before `,`")?;
                break;
            }
            has_optional |= self.take("?")?;
            all.push(self.expression()?);
            if !self.take(",")? {
                self.expect("]", "`]` is missing")?;
                break;
            }
        }
        Self::node(if has_optional { ExprKind::Unsupported(all) } else { ExprKind::List(all) }, offset)
    }

    fn map(&mut self, offset: usize) -> ParseResult<Expr> {
        let entries = self.entries(false)?;
        if entries.iter().any(|(key, _)| key.is_none()) {
            return Self::node(
                ExprKind::Unsupported(entries.into_iter().map(|(_, value)| value).collect()),
                offset,
            );
        }
        let entries = entries.into_iter().filter_map(|(key, value)| Some((key?, value)));
        Self::node(ExprKind::Map(entries.collect()), offset)
    }

    /// Parses entries up to the closing brace; the key is `None` if it is optional or a field name.
    fn entries(&mut self, fields: bool) -> ParseResult<Vec<(Option<Expr>, Expr)>> {
        let mut all = Vec::new();
        while !self.take("}")? {
            if self.is(",") && all.is_empty() {
                self.advance()?;
                self.expect("}", "expression is missing before `,`")?;
                break;
            }
            let optional = self.take("?")?;
            let key = if fields {
                self.name("field name is missing")?;
                None
            } else {
                Some(self.expression()?)
            };
            self.expect(":", "`:` is missing")?;
            let value = self.expression()?;
            all.push((key.filter(|_| !optional), value));
            if !self.take(",")? {
                self.expect("}", "`}` is missing")?;
                break;
            }
        }
        Ok(all)
    }

    fn global_call(name: &str, mut arguments: Vec<Expr>, offset: usize) -> ParseResult<Expr> {
        if name == "has" && arguments.len() == 1 {
            let argument = arguments.pop().map(|argument| argument.kind);
            let Some(ExprKind::Select { operand, field, optional: false }) = argument else {
                return Err(SyntaxError::at(offset, "argument of `has` is not a field"));
            };
            return Self::node(ExprKind::Has { operand, field }, offset);
        }
        Self::node(ExprKind::Call { target: None, function: name.into(), arguments }, offset)
    }

    fn member_call(target: Expr, name: &str, arguments: Vec<Expr>, offset: usize) -> ParseResult<Expr> {
        let Some((kind, variables)) = find_macro(name, arguments.len()) else {
            let target = Some(Box::new(target));
            return Self::node(ExprKind::Call { target, function: name.into(), arguments }, offset);
        };
        let mut arguments = arguments.into_iter();
        let mut names = Vec::with_capacity(2);
        for argument in arguments.by_ref().take(variables) {
            match argument.kind {
                ExprKind::Ident(name) => names.push(name),
                _ => {
                    return Err(SyntaxError::at(argument.offset, "variable of a macro is not a simple name"));
                }
            }
        }
        let mut names = names.into_iter();
        let Some(first) = names.next() else { return Err(SyntaxError::unsupported(offset)) };
        let mut predicate = arguments.next();
        let mut transform = arguments.next();
        // `map` with one expression has no predicate; the other macros have no transform.
        if kind == FoldKind::Map && transform.is_none() {
            std::mem::swap(&mut predicate, &mut transform);
        }
        let variables = (first, names.next());
        Self::node(
            ExprKind::Fold(Box::new(FoldMacro { kind, range: target, variables, predicate, transform })),
            offset,
        )
    }
}

/// Reports whether an expression is a name: `a`, `a.b`.
fn is_name(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Ident(_) => true,
        ExprKind::Select { operand, optional: false, .. } => is_name(operand),
        _ => false,
    }
}
