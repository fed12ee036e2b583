//! Reads one source file: tokens without comments, strings and tests; the paths that it names.

use std::collections::BTreeSet;

/// The words in front of the name that they define.
const DEFINING: &[&str] = &["const", "enum", "fn", "static", "struct", "trait", "type"];

/// A token with its line. Text in quotes is the token `""`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

impl Token {
    fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// A path after `use`, or one in the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedPath {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    /// The names of the inline modules around it.
    pub(super) inside: Vec<String>,
}

/// A leaf of a `use` tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) path: NamedPath,
    /// The name in this file; `*` for all names of a module.
    pub(super) name: String,
    pub(super) is_public: bool,
}

/// A source file without its tests.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) imports: Vec<Import>,
    pub(super) paths: Vec<NamedPath>,
    /// All names in the code outside of `use`.
    pub(super) names: BTreeSet<String>,
    /// The names of types, functions and constants that it defines.
    pub(super) definitions: BTreeSet<String>,
    /// The modules that exist for tests only.
    pub(super) test_modules: BTreeSet<String>,
    /// The number of lines that do not belong to tests.
    pub(super) lines: usize,
    /// Constructs that would hide a dependency from this scan, with their lines.
    pub(super) tricks: Vec<(&'static str, usize)>,
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let (tokens, test_modules, test_lines) = without_tests(&tokens(text));
        let mut source = Self { test_modules, lines: text.lines().count() - test_lines, ..Self::default() };
        source.find_tricks(&tokens);
        source.definitions = tokens
            .windows(2)
            .filter(|pair| DEFINING.contains(&pair[0].text.as_str()) && pair[1].is_name())
            .map(|pair| pair[1].text.clone())
            .collect();
        source.scan(&tokens);
        source
    }

    fn scan(&mut self, tokens: &[Token]) {
        let mut inside: Vec<(String, usize)> = Vec::new();
        let mut depth = 0;
        let mut at = 0;
        while at < tokens.len() {
            let token = &tokens[at];
            let modules = || inside.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
            match token.text.as_str() {
                "use" if tokens.get(at + 1).is_some_and(|next| next.text != "<") => {
                    let end = position(tokens, at, ";");
                    let is_public = follows_visibility(&tokens[..at]);
                    self.add_imports(&tokens[at + 1..end], &modules(), is_public);
                    at = end;
                }
                "mod" if tokens.get(at + 2).is_some_and(|next| next.text == "{") => {
                    inside.push((tokens[at + 1].text.clone(), depth));
                    depth += 1;
                    at += 2;
                }
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    inside.retain(|(_, outer)| *outer < depth);
                }
                _ if token.is_name() => {
                    let segments = path_at(tokens, at);
                    self.names.extend(segments.iter().cloned());
                    let length = segments.len() * 2 - 1;
                    if segments.len() > 1 && (at == 0 || tokens[at - 1].text != "::") {
                        self.paths.push(NamedPath { segments, line: token.line, inside: modules() });
                    }
                    at += length - 1;
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn add_imports(&mut self, tree: &[Token], inside: &[String], is_public: bool) {
        for (segments, name, line) in leaves(tree) {
            let path = NamedPath { segments, line, inside: inside.to_vec() };
            self.imports.push(Import { path, name, is_public });
        }
    }

    fn find_tricks(&mut self, tokens: &[Token]) {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
        for (at, token) in tokens.iter().enumerate() {
            let trick = match token.text.as_str() {
                "#" if text(at + 1) == "[" && text(at + 2) == "path" => "#[path]",
                "include" if text(at + 1) == "!" => "include!",
                "extern" if text(at + 1) == "crate" => "extern crate",
                "super" if at > 3 && text(at - 2) == "super" && text(at - 4) == "super" => {
                    "super::super::super; write the path from `crate`"
                }
                name if (name == "crate" || name.starts_with("sealwave")) && text(at + 1) == "as" => {
                    "a crate under another name"
                }
                "*" if text(at.wrapping_sub(1)) == "::" => "an import of all names",
                _ => continue,
            };
            self.tricks.push((trick, token.line));
        }
    }
}

/// Splits a text into tokens. Comments vanish; a lifetime is its quote and a name.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let next = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
        let started = line;
        let (length, token) = match chars[at] {
            '/' if next(1) == '/' => (chars[at..].iter().take_while(|c| **c != '\n').count(), None),
            '/' if next(1) == '*' => (block_comment(&chars[at..]), None),
            '"' => (quoted(&chars[at..]), Some("\"\"".to_owned())),
            'r' | 'b' | 'c' if raw_string(&chars[at..]).is_some() => {
                (raw_string(&chars[at..]).unwrap_or(1), Some("\"\"".to_owned()))
            }
            '\'' if next(1) == '\\' || next(2) == '\'' => (character(&chars[at..]), Some("\"\"".to_owned())),
            ':' if next(1) == ':' => (2, Some("::".to_owned())),
            c if c.is_alphanumeric() || c == '_' => {
                let name: String =
                    chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                (name.chars().count(), Some(name))
            }
            c if c.is_whitespace() => (1, None),
            c => (1, Some(c.to_string())),
        };
        line += chars[at..at + length].iter().filter(|c| **c == '\n').count();
        tokens.extend(token.map(|text| Token { text, line: started }));
        at += length;
    }
    tokens
}

fn block_comment(chars: &[char]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn quoted(chars: &[char]) -> usize {
    let mut at = 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn character(chars: &[char]) -> usize {
    let start = if chars.get(1) == Some(&'\\') { 3 } else { 2 };
    let rest = chars.iter().skip(start).take_while(|c| **c != '\'').count();
    (start + rest + 1).min(chars.len())
}

/// Returns the length of a literal such as `r#"…"#`, `b"…"` or `br"…"`.
fn raw_string(chars: &[char]) -> Option<usize> {
    let prefix = chars.iter().take_while(|c| ['b', 'c', 'r'].contains(c)).count();
    let is_raw = chars[..prefix].contains(&'r');
    let hashes = chars[prefix..].iter().take_while(|c| **c == '#').count();
    if prefix > 2 || chars.get(prefix + hashes) != Some(&'"') || (hashes > 0 && !is_raw) {
        return None;
    }
    if !is_raw {
        return Some(prefix + quoted(&chars[prefix..]));
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let start = prefix + hashes + 1;
    let found = chars[start..].windows(end.len()).position(|window| window == end.as_slice());
    Some(found.map_or(chars.len(), |found| start + found + end.len()))
}

/// Removes items under `#[cfg(test)]`; returns the names of those that are modules, and the number of removed lines.
fn without_tests(tokens: &[Token]) -> (Vec<Token>, BTreeSet<String>, usize) {
    let mut kept = Vec::new();
    let mut modules = BTreeSet::new();
    let mut lines = 0;
    let mut at = 0;
    while at < tokens.len() {
        if !is_test_attribute(&tokens[at..]) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        let start = at;
        while tokens.get(at).is_some_and(|token| token.text == "#") {
            at = closing(tokens, at + 1) + 1;
        }
        let end = item_end(tokens, at);
        let module = tokens[at..end].iter().position(|token| token.text == "mod").filter(|found| *found < 5);
        modules.extend(module.map(|found| tokens[at + found + 1].text.clone()));
        let last = &tokens[end.min(tokens.len()) - 1];
        lines += last.line + 1 - tokens[start].line;
        at = end;
    }
    (kept, modules, lines)
}

fn is_test_attribute(tokens: &[Token]) -> bool {
    let start: Vec<&str> = tokens.iter().take(3).map(|token| token.text.as_str()).collect();
    if start != ["#", "[", "cfg"] {
        return false;
    }
    let attribute = &tokens[..=closing(tokens, 1)];
    let names = |name: &str| attribute.iter().any(|token| token.text == name);
    names("test") && !names("not") && !names("any")
}

/// Returns the position of the bracket that closes the one at `at`.
fn closing(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (offset, token) in tokens[at..].iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + offset;
        }
    }
    tokens.len() - 1
}

/// Returns the position after an item: behind its `;` or its braces.
fn item_end(tokens: &[Token], start: usize) -> usize {
    let is_use = tokens[start..].iter().take(5).any(|token| token.text == "use");
    let mut at = start;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "{" if !is_use => return closing(tokens, at) + 1,
            "(" | "[" | "{" => at = closing(tokens, at),
            _ => {}
        }
        at += 1;
    }
    at
}

fn position(tokens: &[Token], from: usize, text: &str) -> usize {
    tokens[from..].iter().position(|token| token.text == text).map_or(tokens.len(), |found| from + found)
}

fn follows_visibility(before: &[Token]) -> bool {
    match before.last().map(|token| token.text.as_str()) {
        Some("pub") => true,
        Some(")") => {
            let open = before.iter().rposition(|token| token.text == "(").unwrap_or_default();
            open > 0 && before[open - 1].text == "pub"
        }
        _ => false,
    }
}

fn path_at(tokens: &[Token], at: usize) -> Vec<String> {
    let mut segments = vec![tokens[at].text.clone()];
    let mut at = at + 1;
    while at + 1 < tokens.len() && tokens[at].text == "::" && tokens[at + 1].is_name() {
        segments.push(tokens[at + 1].text.clone());
        at += 2;
    }
    segments
}

/// Expands a `use` tree into its paths, with the name that each gets.
fn leaves(tree: &[Token]) -> Vec<(Vec<String>, String, usize)> {
    let mut found = Vec::new();
    let mut prefix: Vec<String> = Vec::new();
    let mut at = 0;
    while at < tree.len() {
        match tree[at].text.as_str() {
            "::" => {}
            "{" => {
                let end = closing(tree, at);
                for part in parts(&tree[at + 1..end]) {
                    let nested = leaves(part).into_iter();
                    found.extend(nested.map(|(mut path, name, line)| {
                        path.splice(0..0, prefix.iter().cloned());
                        if path.last().is_some_and(|last| last == "self") {
                            path.pop();
                        }
                        let name =
                            if name == "self" { path.last().cloned().unwrap_or_default() } else { name };
                        (path, name, line)
                    }));
                }
                return found;
            }
            "as" => {
                let name = tree.get(at + 1).map_or_else(String::new, |token| token.text.clone());
                found.push((prefix, name, tree[at].line));
                return found;
            }
            "*" => {
                found.push((prefix, "*".to_owned(), tree[at].line));
                return found;
            }
            name => prefix.push(name.to_owned()),
        }
        at += 1;
    }
    if let (Some(name), Some(first)) = (prefix.last().cloned(), tree.first()) {
        found.push((prefix, name, first.line));
    }
    found
}

/// Splits the inside of braces at its commas.
fn parts(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => at = closing(tokens, at),
            "," => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&tokens[start..]);
    parts
}

#[test]
fn comments_and_strings_are_not_code() {
    let text = r##"
// use crate::a;
/* use crate::b; /* nested */ use crate::c; */
/// crate::d
const X: &str = "use crate::e; \" use crate::f;";
const Y: &[u8] = br#"use crate::g; " "#;
const Z: (char, char, char) = ('"', '\'', '\u{22}');
fn f<'a>(x: &'a str) -> crate::h::H<'a> { "}" }
"##;
    let source = Source::read(text);
    assert_eq!(source.imports, []);
    let paths: Vec<String> = source.paths.iter().map(|path| path.segments.join("::")).collect();
    assert_eq!(paths, ["crate::h::H"]);
    assert_eq!(source.paths[0].line, 8);
}

#[test]
fn use_trees_are_expanded() {
    let text = "
use std::fmt;
use crate::{a::{self, B, c::{D as E, F}}, g};
pub(crate) use super::h::I;
mod inner { use super::J; }
fn f() -> impl Iterator + use<'_> { K::new() }
";
    let source = Source::read(text);
    let shown: Vec<String> = source
        .imports
        .iter()
        .map(|import| {
            let public = if import.is_public { "pub " } else { "" };
            let inside = import.path.inside.join("::");
            format!("{public}{inside}|{} as {}", import.path.segments.join("::"), import.name)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "|std::fmt as fmt",
            "|crate::a as a",
            "|crate::a::B as B",
            "|crate::a::c::D as E",
            "|crate::a::c::F as F",
            "|crate::g as g",
            "pub |super::h::I as I",
            "inner|super::J as J",
        ]
    );
    assert!(source.names.contains("K"));
    assert!(!source.names.contains("B"), "a name in `use` is not a use of the name");
}

#[test]
fn tests_are_left_out() {
    let text = "
fn f() {}
#[cfg(test)]
use crate::a::{A, B};
#[cfg(test)]
mod tests;
#[cfg(all(test, unix))]
#[allow(dead_code)]
pub(crate) mod testing { use crate::b; fn g() { } }
#[cfg(not(test))]
use crate::c::C;
#[cfg(test)]
fn only_here() { crate::d::e() }
";
    let source = Source::read(text);
    let paths: Vec<String> = source.imports.iter().map(|import| import.path.segments.join("::")).collect();
    assert_eq!(paths, ["crate::c::C"]);
    assert!(source.paths.is_empty());
    assert!(source.test_modules.iter().map(String::as_str).eq(["testing", "tests"]));
    assert_eq!(source.lines, 4);
}

#[test]
fn hidden_dependencies_are_found() {
    let text = "
#[path = \"../other.rs\"]
mod other;
include!(\"more.rs\");
use crate as root;
use sealwave_core as core;
use crate::a::*;
fn f() { super::super::g(); super::super::super::h(); let _ = 2 * 3; }
";
    let lines: Vec<usize> = Source::read(text).tricks.into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, [2, 4, 5, 6, 7, 8]);
}
