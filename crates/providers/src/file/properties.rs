//! Parses Java's `.properties` files like `java.util.Properties.load`, in UTF-8.
//!
//! A line that starts with `#` or `!` is a comment; an odd number of `\` at the end of a line continues it, without the
//! leading white space of the next one. A key ends at the first unescaped `=`, `:` or white space. `\t`, `\n`,
//! `\r`, `\f` and `\uXXXX` are escapes (surrogates in pairs), `\` before anything else is removed. Trailing white
//! space belongs to the value.

use zeroize::Zeroizing;

use super::pairs::{KeyValuePairs, LineError};

pub(super) fn parse(text: &str) -> Result<KeyValuePairs, LineError> {
    let mut pairs = Vec::new();
    let mut lines = natural_lines(text).enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim_start_matches(is_space);
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = Zeroizing::new(line.to_owned());
        while continues(&logical) {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start_matches(is_space));
        }
        pairs.push(pair(&logical).map_err(|why| (index + 1, why))?);
    }
    Ok(pairs)
}

/// Splits at `\n`, `\r` and `\r\n`.
fn natural_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

fn continues(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

fn pair(line: &str) -> Result<(String, Zeroizing<String>), &'static str> {
    let mut escaped = false;
    let end = line
        .find(|c| {
            let ends = !escaped && (matches!(c, '=' | ':') || is_space(c));
            escaped = !escaped && c == '\\';
            ends
        })
        .unwrap_or(line.len());
    let rest = line[end..].trim_start_matches(is_space);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start_matches(is_space);
    Ok((unescape(&line[..end])?.to_string(), unescape(rest)?))
}

fn unescape(text: &str) -> Result<Zeroizing<String>, &'static str> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else { break };
        rest = &rest[c.len_utf8()..];
        match c {
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let (c, behind) =
                    unicode(rest).ok_or("a `\\u` is not followed by a character's four hex digits")?;
                out.push(c);
                rest = behind;
            }
            other => out.push(other),
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Parses the text after `\u`: four hex digits, or a surrogate pair.
fn unicode(text: &str) -> Option<(char, &str)> {
    let (high, rest) = unit(text)?;
    if let Some(c) = char::from_u32(high) {
        return Some((c, rest));
    }
    let (low, rest) = unit(rest.strip_prefix("\\u")?)?;
    let units = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
    char::decode_utf16(units).next()?.ok().filter(|c| c.len_utf16() == 2).map(|c| (c, rest))
}

fn unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u32::from_str_radix(digits, 16).ok().map(|unit| (unit, rest)))?
}

const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}
