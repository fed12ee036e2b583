//! Parses `.env` files: one `NAME=value` per line.
//!
//! `#` starts a comment at the start of a line and after white space; `export ` before a name is ignored.
//! `'…'` is literal; `"…"` supports `\n`, `\r`, `\t`, `\\`, `\"`, `\'`, `\$` and a newline after `\`, which is removed;
//! both may span lines. Other values end with their line and are trimmed.
//! `$` has no meaning: variables are never expanded, since that would read the environment of the process.

use zeroize::Zeroizing;

use super::pairs::{KeyValuePairs, LineError};

pub(super) fn parse(text: &str) -> Result<KeyValuePairs, LineError> {
    let mut reader = DotenvParser { text, at: 0 };
    let mut pairs = Vec::new();
    loop {
        reader.skip(|c| c.is_ascii_whitespace());
        match reader.peek() {
            None => return Ok(pairs),
            Some('#') => reader.skip(|c| c != '\n'),
            Some(_) => pairs.push(reader.pair()?),
        }
    }
}

struct DotenvParser<'a> {
    text: &'a str,
    at: usize,
}

impl DotenvParser<'_> {
    fn pair(&mut self) -> Result<(String, Zeroizing<String>), LineError> {
        let mut name = self.name()?;
        self.skip(is_blank);
        if name == "export" && self.peek() != Some('=') {
            name = self.name()?;
            self.skip(is_blank);
        }
        if self.next() != Some('=') {
            return Err(self.error("a name is not followed by `=`"));
        }
        self.skip(is_blank);
        let value = match self.peek() {
            Some('\'') => self.single_quoted()?,
            Some('"') => self.double_quoted()?,
            _ => return Ok((name, self.bare())),
        };
        let closed = self.at;
        self.skip(is_blank);
        match self.peek() {
            None | Some('\n') => Ok((name, value)),
            Some('\r') if self.text[self.at..].starts_with("\r\n") => Ok((name, value)),
            Some('#') if self.at > closed => {
                self.skip(|c| c != '\n');
                Ok((name, value))
            }
            Some(_) => Err(self.error("a closing quote is followed by text")),
        }
    }

    fn name(&mut self) -> Result<String, LineError> {
        let start = self.at;
        self.skip(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        let name = &self.text[start..self.at];
        if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            Ok(name.to_owned())
        } else {
            Err(self.error("a line does not start with a name"))
        }
    }

    fn bare(&mut self) -> Zeroizing<String> {
        let start = self.at;
        self.skip(|c| c != '\n');
        let line = &self.text[start..self.at];
        let bytes = line.as_bytes();
        let comment = (0..bytes.len())
            .find(|at| bytes[*at] == b'#' && (*at == 0 || matches!(bytes[at - 1], b' ' | b'\t')));
        Zeroizing::new(line[..comment.unwrap_or(line.len())].trim_ascii().to_owned())
    }

    fn single_quoted(&mut self) -> Result<Zeroizing<String>, LineError> {
        let open = self.at;
        self.at += 1;
        self.skip(|c| c != '\'');
        let value = Zeroizing::new(self.text[open + 1..self.at].to_owned());
        match self.next() {
            Some(_) => Ok(value),
            None => Err(self.error_at(open, "a quote is not closed")),
        }
    }

    fn double_quoted(&mut self) -> Result<Zeroizing<String>, LineError> {
        let open = self.at;
        self.at += 1;
        let mut value = Zeroizing::new(String::new());
        loop {
            match self.next() {
                None => return Err(self.error_at(open, "a quote is not closed")),
                Some('"') => return Ok(value),
                Some('\\') => value.extend(self.escape()?),
                Some(c) => value.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<Option<char>, LineError> {
        match self.next() {
            Some('n') => Ok(Some('\n')),
            Some('r') => Ok(Some('\r')),
            Some('t') => Ok(Some('\t')),
            Some(c @ ('\\' | '"' | '\'' | '$')) => Ok(Some(c)),
            Some('\n') => Ok(None),
            Some('\r') if self.peek() == Some('\n') => {
                self.at += 1;
                Ok(None)
            }
            _ => Err(self.error("a `\\` in double quotes does not start a known escape")),
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip(&mut self, belongs: impl Fn(char) -> bool) {
        let rest = &self.text[self.at..];
        self.at += rest.find(|c| !belongs(c)).unwrap_or(rest.len());
    }

    fn error(&self, why: &'static str) -> LineError {
        self.error_at(self.at, why)
    }

    fn error_at(&self, at: usize, why: &'static str) -> LineError {
        (self.text[..at].matches('\n').count() + 1, why)
    }
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}
