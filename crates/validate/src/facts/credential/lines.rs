//! Finds credentials in the lines of a file: properties, environment files, YAML, JSON, XML, scripts.
//!
//! Files are not parsed, as they may have any format. The search looks for names of credentials and their values on the
//! same line. Except in YAML, an unquoted value that is not random is ignored: it is as likely a word of a program.

use std::cell::LazyCell;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::keyed::{is_credential, is_likely_credential};
use super::name::{DIRECTIVES, NameMeaning, name_meaning};
use super::sample;

static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = [
        "pass",
        "auth",
        "pwd",
        "secret",
        "token",
        "credential",
        "_key",
        "apikey",
        "api-key",
        "accesskey",
        "privatekey",
    ];
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
});

/// Returns the offset of the first line that assigns a credential.
pub(crate) fn find(text: &str) -> Option<usize> {
    let words = WORDS.as_ref()?;
    let is_yaml = LazyCell::new(|| reads_as_yaml(text));
    let mut from = 0;
    while let Some(hit) = words.find(text.get(from..)?) {
        let at = from + hit.start();
        let start = text.get(..at)?.rfind('\n').map_or(0, |before| before + 1);
        let end = memchr::memchr(b'\n', text.as_bytes().get(at..)?).map_or(text.len(), |length| at + length);
        let line = text.get(start..end)?;
        if assigns_credential(line) || is_yaml_password(line) && *is_yaml {
            return Some(start);
        }
        if has_value_below(line, text.get(end..)?) {
            return Some(end + 1);
        }
        from = end;
    }
    None
}

fn assigns_credential(line: &str) -> bool {
    !is_comment(line) && (is_assignment(line) || is_directive(line) || has_pair(line))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["#", ";", "*", "//", "/*", "-- ", "<!--"].iter().any(|start| line.starts_with(start))
}

/// Reports whether a line assigns a credential: `name = value`, `name: value`, `"name": "value",`, `export NAME=value`.
fn is_assignment(line: &str) -> bool {
    assignment(line).is_some_and(|(name, value)| !has_code(value) && is_likely_credential(name, value))
}

/// Reports whether a text contains characters of program code.
fn has_code(text: &str) -> bool {
    text.contains(['(', ')', '[', ']', '{', '}', ';', '`', '|', '<', '>', '$', ','])
}

/// Returns name and value of a line, without quotes.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.len() > MAX_LINE || is_comment(line) {
        return None;
    }
    let line = line.strip_prefix("export ").or_else(|| line.strip_prefix("- ")).unwrap_or(line);
    let (name, value) = line.split_once(['=', ':'])?;
    let name = name.trim().trim_matches(['"', '\'']);
    let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
    (!name.is_empty() && name.bytes().all(is_name_byte)).then_some((name, value))
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The most bytes of a value, with the text before it.
const MAX_VALUE: usize = 600;

/// The most bytes of a line that is read as an assignment.
const MAX_LINE: usize = 1024;

/// Reports whether a line is a directive such as Redis' `requirepass value`.
fn is_directive(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (Some(name), Some(value), None) = (words.next(), words.next(), words.next()) else { return false };
    DIRECTIVES.contains(&name) && is_credential(name, value.trim_matches(['"', '\'']))
}

/// Reports whether every line of a text could be YAML.
fn reads_as_yaml(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| {
        line.is_empty()
            || line.starts_with(['#', '-'])
            || line.ends_with(':')
            || line.contains(": ") && !line.ends_with([';', '{'])
    })
}

/// Reports whether a line sets a password in YAML, such as `password: SuperGeheim`.
fn is_yaml_password(line: &str) -> bool {
    line.contains(": ")
        && assignment(line).is_some_and(|(name, value)| {
            name_meaning(name) == Some(NameMeaning::Password)
                && !has_code(value)
                && is_distinctive(name, value)
        })
}

/// Reports whether a value is a credential and not a plain word.
fn is_distinctive(name: &str, value: &str) -> bool {
    is_credential(name, value) && (sample::is_mixed_value(value) || sample::has_camel_case(value))
}

/// Reports whether the next line holds the value of a credential, as in `name: DB_PASSWORD` and `value: …`.
fn has_value_below(line: &str, below: &str) -> bool {
    let Some(("name", name)) = assignment(line) else { return false };
    let next = below.strip_prefix('\n').and_then(|below| below.lines().next());
    let Some(("value", value)) = next.and_then(assignment) else { return false };
    !has_code(value) && is_distinctive(name, value)
}

/// Reports whether a line assigns a credential anywhere: `{"a": {"password": "…"}}`, `-Ddb.password=…`, `<password>…<`.
fn has_pair(line: &str) -> bool {
    let Some(words) = WORDS.as_ref() else { return false };
    let mut from = 0;
    while let Some(hit) = line.get(from..).and_then(|rest| words.find(rest)) {
        let name = name_around(line, from, from + hit.start());
        from = name.end.max(from + hit.end());
        let (Some(before), Some(text), Some(rest)) =
            (line.get(..name.start), line.get(name.clone()), line.get(name.end..))
        else {
            continue;
        };
        let value = value_after_name(before, text, rest);
        if value.is_some_and(|value| !has_code(value) && is_likely_credential(text, value)) {
            return true;
        }
    }
    false
}

/// Returns the range of the name around a word.
fn name_around(line: &str, from: usize, word: usize) -> Range<usize> {
    let count = |bytes: &mut dyn Iterator<Item = &u8>| bytes.take_while(|byte| is_name_byte(**byte)).count();
    let before = line.as_bytes().get(from..word).unwrap_or_default();
    let after = line.as_bytes().get(word..).unwrap_or_default();
    word - count(&mut before.iter().rev())..word + count(&mut after.iter())
}

/// Returns the value assigned to a name, given the text before and after it.
fn value_after_name<'a>(before: &str, name: &str, rest: &'a str) -> Option<&'a str> {
    // Longer values are not credentials.
    let rest = rest.get(..rest.floor_char_boundary(MAX_VALUE))?;
    if let Some(value) = rest.strip_prefix('>').filter(|_| before.ends_with('<')) {
        return value.split_once("</").map(|(value, _)| value);
    }
    if let Some(value) = rest.strip_prefix(' ').filter(|_| name.starts_with("--")) {
        return Some(value_at(value));
    }
    let rest = strip_quote(rest).trim_start();
    match rest.strip_prefix(',') {
        // `{"name": "DB_PASSWORD", "value": "…"}`
        Some(next) => {
            strip_quote(next.trim_start()).strip_prefix("value").map(strip_quote).and_then(value_after_sign)
        }
        None => value_after_sign(rest),
    }
}

/// Returns the value after `=` or `:`.
fn value_after_sign(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    let value = rest.strip_prefix("=>").or_else(|| rest.strip_prefix('=')).or_else(|| {
        // Without a quote or a space, it is a tag, a port or part of a path.
        rest.strip_prefix(':').filter(|value| value.starts_with(['"', '\'', '\\', ' ']))
    })?;
    Some(value_at(value.trim_start())).filter(|value| !value.starts_with('='))
}

/// Returns a value up to its closing quote, or up to the end of an unquoted value.
fn value_at(text: &str) -> &str {
    let inside = strip_quote(text);
    let end = if inside.len() < text.len() {
        inside.find(['"', '\'', '\\'])
    } else {
        inside.find(|c: char| {
            c.is_whitespace() || matches!(c, '=' | ',' | '"' | '\'' | '\\' | '}' | ']' | ')' | '&' | ';')
        })
    };
    inside.get(..end.unwrap_or(inside.len())).unwrap_or_default()
}

/// Strips an opening quote, which may be escaped.
fn strip_quote(text: &str) -> &str {
    text.trim_start_matches('\\').strip_prefix(['"', '\'']).unwrap_or(text)
}

/// Reports whether a line of any source may assign a credential.
pub(crate) fn may_assign_credential(line: &str) -> bool {
    let Some(words) = WORDS.as_ref() else { return true };
    let may_assign = |part: &str| {
        assignment(part.trim_start_matches(['#', '-', ';', ' ']))
            .is_some_and(|(name, value)| may_be_credential(name, value))
    };
    words.is_match(line)
        && (line.split(['{', '}', ',', '[', ']', '&', ';', '?']).any(may_assign)
            || line.split_whitespace().any(may_assign)
            || may_assign(line)
            || assigns_credential(line))
}

fn may_be_credential(name: &str, value: &str) -> bool {
    name_meaning(name).is_some_and(|claim| claim != NameMeaning::Auth || is_credential(name, value))
        && value.len() >= 4
        && !sample::is_placeholder(value)
        && !matches!(value, "true" | "false")
}
