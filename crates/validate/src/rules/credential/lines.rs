//! Credentials in the lines of a file: properties, environment files, YAML, JSON, XML, scripts.
//!
//! Files are not parsed, as they may be of any format. A name that calls its value a credential is looked for, and what it is
//! given on the same line; a word without quotes and chance is a word of a program as likely as a password, but for YAML.

use std::cell::LazyCell;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::keyed::{is_credential, is_made};
use super::name::{Claim, DIRECTIVES, claim};
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

/// Where the first line of a file starts that gives a credential.
pub(super) fn find(text: &str) -> Option<usize> {
    let words = WORDS.as_ref()?;
    let is_yaml = LazyCell::new(|| reads_as_yaml(text));
    let mut from = 0;
    while let Some(hit) = words.find(text.get(from..)?) {
        let at = from + hit.start();
        let start = text.get(..at)?.rfind('\n').map_or(0, |before| before + 1);
        let end = memchr::memchr(b'\n', text.as_bytes().get(at..)?).map_or(text.len(), |length| at + length);
        let line = text.get(start..end)?;
        if gives_one(line) || is_yaml_password(line) && *is_yaml {
            return Some(start);
        }
        if is_valued_below(line, text.get(end..)?) {
            return Some(end + 1);
        }
        from = end;
    }
    None
}

fn gives_one(line: &str) -> bool {
    !is_comment(line) && (is_assignment(line) || is_directive(line) || has_pair(line))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["#", ";", "*", "//", "/*", "-- ", "<!--"].iter().any(|start| line.starts_with(start))
}

/// Whether a line gives a credential to a name: `name = value`, `name: value`, `"name": "value",`, `export NAME=value`.
fn is_assignment(line: &str) -> bool {
    assignment(line).is_some_and(|(name, value)| !has_code(value) && is_made(name, value))
}

/// Whether a text has what is of a program rather than of a password.
fn has_code(text: &str) -> bool {
    text.contains(['(', ')', '[', ']', '{', '}', ';', '`', '|', '<', '>', '$', ','])
}

/// Name and value of a line, without quotes.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.len() > MAX_LINE || is_comment(line) {
        return None;
    }
    let line = line.strip_prefix("export ").or_else(|| line.strip_prefix("- ")).unwrap_or(line);
    let (name, value) = line.split_once(['=', ':'])?;
    let name = name.trim().trim_matches(['"', '\'']);
    let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
    (!name.is_empty() && name.bytes().all(is_of_name)).then_some((name, value))
}

const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// More than a credential, and what leads to it, takes.
const MAX_VALUE: usize = 600;

/// A longer line is no assignment that a person wrote.
const MAX_LINE: usize = 1024;

/// `requirepass value`, as Redis has it.
fn is_directive(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let (Some(name), Some(value), None) = (words.next(), words.next(), words.next()) else { return false };
    DIRECTIVES.contains(&name) && is_credential(name, value.trim_matches(['"', '\'']))
}

/// Whether every line of a text could be one of YAML.
fn reads_as_yaml(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| {
        line.is_empty()
            || line.starts_with(['#', '-'])
            || line.ends_with(':')
            || line.contains(": ") && !line.ends_with([';', '{'])
    })
}

/// `password: SuperGeheim`: in YAML, where a program's words are not to be feared.
fn is_yaml_password(line: &str) -> bool {
    line.contains(": ")
        && assignment(line).is_some_and(|(name, value)| {
            claim(name) == Some(Claim::Password) && !has_code(value) && is_chosen(name, value)
        })
}

/// Whether it is a credential that is no plain word.
fn is_chosen(name: &str, value: &str) -> bool {
    is_credential(name, value) && (sample::is_odd(value) || sample::has_hump(value))
}

/// `name: DB_PASSWORD` and `value: …` below it, as manifests within files have it.
fn is_valued_below(line: &str, below: &str) -> bool {
    let Some(("name", name)) = assignment(line) else { return false };
    let next = below.strip_prefix('\n').and_then(|below| below.lines().next());
    let Some(("value", value)) = next.and_then(assignment) else { return false };
    !has_code(value) && is_chosen(name, value)
}

/// Whether a credential is given somewhere within a line: `{"a": {"password": "…"}}`, `-Ddb.password=…`, `<password>…<`.
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
        let value = value_behind(before, text, rest);
        if value.is_some_and(|value| !has_code(value) && is_made(text, value)) {
            return true;
        }
    }
    false
}

/// The name that has a word in it.
fn name_around(line: &str, from: usize, word: usize) -> Range<usize> {
    let count = |bytes: &mut dyn Iterator<Item = &u8>| bytes.take_while(|byte| is_of_name(**byte)).count();
    let before = line.as_bytes().get(from..word).unwrap_or_default();
    let after = line.as_bytes().get(word..).unwrap_or_default();
    word - count(&mut before.iter().rev())..word + count(&mut after.iter())
}

/// What a name is given, by what is before and behind it.
fn value_behind<'a>(before: &str, name: &str, rest: &'a str) -> Option<&'a str> {
    // Longer values are none.
    let rest = rest.get(..rest.floor_char_boundary(MAX_VALUE))?;
    if let Some(value) = rest.strip_prefix('>').filter(|_| before.ends_with('<')) {
        return value.split_once("</").map(|(value, _)| value);
    }
    if let Some(value) = rest.strip_prefix(' ').filter(|_| name.starts_with("--")) {
        return Some(value_at(value));
    }
    let rest = unquoted(rest).trim_start();
    match rest.strip_prefix(',') {
        // `{"name": "DB_PASSWORD", "value": "…"}`
        Some(next) => unquoted(next.trim_start()).strip_prefix("value").map(unquoted).and_then(given),
        None => given(rest),
    }
}

/// A value behind `=` or `:`.
fn given(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    let value = rest.strip_prefix("=>").or_else(|| rest.strip_prefix('=')).or_else(|| {
        // Without a quote or a space it is a tag, a port, a part of a path.
        rest.strip_prefix(':').filter(|value| value.starts_with(['"', '\'', '\\', ' ']))
    })?;
    Some(value_at(value.trim_start())).filter(|value| !value.starts_with('='))
}

/// A value up to its quote, or to what ends one without.
fn value_at(text: &str) -> &str {
    let inside = unquoted(text);
    let end = if inside.len() < text.len() {
        inside.find(['"', '\'', '\\'])
    } else {
        inside.find(|c: char| {
            c.is_whitespace() || matches!(c, '=' | ',' | '"' | '\'' | '\\' | '}' | ']' | ')' | '&' | ';')
        })
    };
    inside.get(..end.unwrap_or(inside.len())).unwrap_or_default()
}

/// Without the quote at its start, which may be escaped.
fn unquoted(text: &str) -> &str {
    text.trim_start_matches('\\').strip_prefix(['"', '\'']).unwrap_or(text)
}

/// Whether a line of any source may give one.
pub(super) fn may_be_in(line: &str) -> bool {
    let Some(words) = WORDS.as_ref() else { return true };
    let may_be_one = |part: &str| {
        assignment(part.trim_start_matches(['#', '-', ';', ' ']))
            .is_some_and(|(name, value)| may_be(name, value))
    };
    words.is_match(line)
        && (line.split(['{', '}', ',', '[', ']', '&', ';', '?']).any(may_be_one)
            || line.split_whitespace().any(may_be_one)
            || may_be_one(line)
            || gives_one(line))
}

fn may_be(name: &str, value: &str) -> bool {
    claim(name).is_some_and(|claim| claim != Claim::Auth || is_credential(name, value))
        && value.len() >= 4
        && !sample::is_placeholder(value)
        && !matches!(value, "true" | "false")
}
