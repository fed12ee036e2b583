//! The tokens of CEL, as its specification defines them.

use std::sync::Arc;

use super::syntax_error::SyntaxError;

/// A token. Operators are represented by their text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CelToken<'s> {
    Bytes(Arc<[u8]>),
    Double(f64),
    End,
    Ident(&'s str),
    /// An integer without its sign: the smallest one has no positive counterpart.
    Int(u64),
    Operator(&'static str),
    Text(Arc<str>),
    Uint(u64),
}

/// The operators, longer ones first.
const OPERATORS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":",
    "+", "*", "/", "%",
];

/// Splits an expression into tokens.
pub(super) struct CelLexer<'s> {
    source: &'s str,
    at: usize,
}

type LexResult<T> = Result<T, SyntaxError>;

impl<'s> CelLexer<'s> {
    pub(super) const fn new(source: &'s str) -> Self {
        Self { source, at: 0 }
    }

    /// Returns the next token and its start.
    pub(super) fn next(&mut self) -> LexResult<(CelToken<'s>, usize)> {
        self.skip_blanks();
        let start = self.at;
        let Some(first) = self.peek(0) else { return Ok((CelToken::End, start)) };
        let token = match first {
            b'0'..=b'9' => self.number()?,
            b'.' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => self.number()?,
            b'"' | b'\'' => CelToken::Text(self.text(false)?),
            b'r' | b'R' if self.is_quote(1) => {
                self.at += 1;
                CelToken::Text(self.text(true)?)
            }
            b'b' | b'B' if self.is_quote(1) => {
                self.at += 1;
                CelToken::Bytes(self.quoted(false, true)?.into())
            }
            b'b' | b'B' if matches!(self.peek(1), Some(b'r' | b'R')) && self.is_quote(2) => {
                self.at += 2;
                CelToken::Bytes(self.quoted(true, true)?.into())
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => CelToken::Ident(self.take_while(is_name_byte)),
            b'`' => return Err(SyntaxError::unsupported(start)),
            _ => self.operator()?,
        };
        Ok((token, start))
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.as_bytes().get(self.at + ahead).copied()
    }

    fn is_quote(&self, ahead: usize) -> bool {
        matches!(self.peek(ahead), Some(b'"' | b'\''))
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn take_while(&mut self, wanted: fn(u8) -> bool) -> &'s str {
        let start = self.at;
        while self.peek(0).is_some_and(wanted) {
            self.at += 1;
        }
        self.source.get(start..self.at).unwrap_or("")
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0c));
            if !self.rest().starts_with("//") {
                return;
            }
            self.take_while(|byte| byte != b'\n');
        }
    }

    fn operator(&mut self) -> LexResult<CelToken<'s>> {
        let found = OPERATORS.iter().find(|operator| self.rest().starts_with(**operator));
        let operator = found.ok_or_else(|| SyntaxError::at(self.at, "unexpected character"))?;
        self.at += operator.len();
        Ok(CelToken::Operator(operator))
    }

    fn number(&mut self) -> LexResult<CelToken<'s>> {
        let start = self.at;
        if self.peek(0) == Some(b'0')
            && self.peek(1) == Some(b'x')
            && self.peek(2).is_some_and(|digit| digit.is_ascii_hexdigit())
        {
            self.at += 2;
            let digits = self.take_while(|byte| byte.is_ascii_hexdigit());
            return self.integer(start, u64::from_str_radix(digits, 16).ok());
        }
        self.take_while(|byte| byte.is_ascii_digit());
        let mut is_double = false;
        if self.peek(0) == Some(b'.') && self.peek(1).is_some_and(|digit| digit.is_ascii_digit()) {
            is_double = true;
            self.at += 1;
            self.take_while(|byte| byte.is_ascii_digit());
        }
        let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
        if matches!(self.peek(0), Some(b'e' | b'E'))
            && self.peek(1 + sign).is_some_and(|digit| digit.is_ascii_digit())
        {
            is_double = true;
            self.at += 1 + sign;
            self.take_while(|byte| byte.is_ascii_digit());
        }
        let digits = self.source.get(start..self.at).unwrap_or("");
        if !is_double {
            return self.integer(start, digits.parse().ok());
        }
        let double = digits.parse::<f64>().ok().filter(|double| double.is_finite());
        double.map(CelToken::Double).ok_or_else(|| SyntaxError::at(start, "number is out of range"))
    }

    fn integer(&mut self, start: usize, number: Option<u64>) -> LexResult<CelToken<'s>> {
        let number = number.ok_or_else(|| SyntaxError::at(start, "number is out of range"))?;
        if matches!(self.peek(0), Some(b'u' | b'U')) {
            self.at += 1;
            return Ok(CelToken::Uint(number));
        }
        Ok(CelToken::Int(number))
    }

    fn text(&mut self, raw: bool) -> LexResult<Arc<str>> {
        let start = self.at;
        let bytes = self.quoted(raw, false)?;
        let text = String::from_utf8(bytes).map_err(|_| SyntaxError::unsupported(start))?;
        Ok(text.into())
    }

    /// Reads a literal including its quotes.
    fn quoted(&mut self, raw: bool, is_bytes: bool) -> LexResult<Vec<u8>> {
        let start = self.at;
        let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| self.rest().starts_with(quotes));
        let quotes = quotes.unwrap_or("\"");
        let is_long = quotes.len() == 3;
        self.at += quotes.len();
        let mut out = Vec::new();
        loop {
            if self.rest().starts_with(quotes) {
                self.at += quotes.len();
                return Ok(out);
            }
            match self.peek(0) {
                None => return Err(SyntaxError::at(start, "string is not closed")),
                Some(b'\n' | b'\r') if !is_long => {
                    return Err(SyntaxError::at(start, "string is not closed"));
                }
                // Go normalizes line ends in long strings; not implemented.
                Some(b'\r') => return Err(SyntaxError::unsupported(start)),
                Some(b'\\') if !raw => self.escape(&mut out, is_bytes)?,
                Some(byte) => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>, is_bytes: bool) -> LexResult<()> {
        let start = self.at;
        let invalid = || SyntaxError::at(start, "escape sequence is not valid");
        let escaped = self.peek(1).ok_or_else(invalid)?;
        let (digits, radix, skipped) = match escaped {
            b'x' | b'X' => (2, 16, 2),
            b'u' => (4, 16, 2),
            b'U' => (8, 16, 2),
            b'0'..=b'3' => (3, 8, 1),
            _ => {
                let byte = simple_escape(escaped).ok_or_else(invalid)?;
                out.push(byte);
                self.at += 2;
                return Ok(());
            }
        };
        let number = self
            .rest()
            .get(skipped..skipped + digits)
            .filter(|digits| digits.chars().all(|digit| digit.is_digit(radix)));
        let number = number.and_then(|digits| u32::from_str_radix(digits, radix).ok()).ok_or_else(invalid)?;
        self.at += skipped + digits;
        match u8::try_from(number) {
            Ok(byte) if is_bytes && digits < 4 => out.push(byte),
            _ => {
                let c = char::from_u32(number).ok_or_else(invalid)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        Ok(())
    }
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

const fn simple_escape(escaped: u8) -> Option<u8> {
    Some(match escaped {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'"' | b'\'' | b'\\' | b'?' | b'`' => escaped,
        _ => return None,
    })
}
