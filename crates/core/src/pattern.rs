//! Translates regular expressions of Go (RE2), from schemas and CEL rules, for the crate `regex`.
//!
//! Both match in linear time and have nearly the same syntax. Differences are rewritten: in Go, `\d`, `\s`, `\w`
//! and `\b` are ASCII-only; a brace that does not start a repetition is literal; in brackets, `[`, `&&`, `--` and `~~`
//! are literal.

use regex::{Regex, RegexBuilder};

/// Maximum length of a pattern, in bytes.
const MAX_PATTERN: usize = 4096;
/// Classes of compiled patterns: the maximum size in bytes, and the cost of matching one byte of text, in steps. Nested
/// repetition grows exponentially, and so does the work; the API server has limits, too.
const CLASSES: [(usize, u64); 3] = [(8 << 10, 3), (64 << 10, 20), (512 << 10, 160)];

/// A compiled pattern.
#[derive(Debug)]
pub struct GoPattern {
    regex: Regex,
    /// The steps for each byte of a text.
    pub steps: u64,
}

impl GoPattern {
    /// Compiles a pattern. Returns `None` if it is not valid or too large.
    #[must_use]
    pub fn new(pattern: &str) -> Option<Self> {
        if pattern.len() > MAX_PATTERN {
            return None;
        }
        let mut builder = RegexBuilder::new(&rewrite_for_rust(pattern));
        CLASSES.iter().find_map(|(size, steps)| {
            let regex = builder.size_limit(*size).dfa_size_limit(*size * 8).build().ok()?;
            Some(Self { regex, steps: *steps })
        })
    }

    /// Reports whether Go would refuse a pattern's syntax, regardless of its size.
    #[must_use]
    pub fn is_malformed(pattern: &str) -> bool {
        // Patterns are parsed before their size is checked, and all exceed this limit.
        let build = || RegexBuilder::new(&rewrite_for_rust(pattern)).size_limit(1).build();
        pattern.len() <= MAX_PATTERN && matches!(build(), Err(regex::Error::Syntax(_)))
    }

    /// The cost of compiling a pattern that is refused, in units of the smallest class.
    pub const REFUSED: usize = 8;

    /// Returns the cost of compiling the pattern, in units of the smallest class.
    #[must_use]
    pub fn cost(&self) -> usize {
        match self.steps {
            ..10 => 1,
            10..100 => 8,
            100.. => 64,
        }
    }

    /// Reports whether a text matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Returns the first match in a text.
    #[must_use]
    pub fn find<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.regex.find(text).map(|found| found.as_str())
    }
}

fn rewrite_for_rust(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or("");
        match c {
            '\\' => rest = escape(rest, in_class, &mut out),
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                // A closing bracket at the start is literal.
                for literal in ["^", "]"] {
                    if let Some(after) = rest.strip_prefix(literal) {
                        out.push_str(if literal == "]" { r"\]" } else { literal });
                        rest = after;
                    }
                }
            }
            '[' if rest.starts_with(':') => out.push('['),
            ']' if in_class => {
                // The same bracket ends `[:alpha:]`.
                in_class =
                    out.ends_with(':') && out.rfind("[:").is_some_and(|start| !out[start..].contains(']'));
                out.push(']');
            }
            '[' | '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '-' if in_class && out.ends_with('-') => out.push_str(r"\-"),
            '{' if !in_class && !starts_repetition(rest) => out.push_str(r"\{"),
            c => out.push(c),
        }
    }
    out
}

/// Rewrites an escape sequence and returns the rest.
fn escape<'p>(rest: &'p str, in_class: bool, out: &mut String) -> &'p str {
    let Some(c) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let after = rest.get(c.len_utf8()..).unwrap_or("");
    match c {
        'd' if in_class => out.push_str("0-9"),
        's' if in_class => out.push_str(r"\t\n\f\r "),
        'w' if in_class => out.push_str("0-9A-Za-z_"),
        'd' => out.push_str("[0-9]"),
        's' => out.push_str(r"[\t\n\f\r ]"),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'D' => out.push_str("[^0-9]"),
        'S' => out.push_str(r"[^\t\n\f\r ]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        'b' | 'B' if !in_class => {
            out.push_str(r"(?-u:\");
            out.push(c);
            out.push(')');
        }
        '<' | '>' => out.push(c),
        // A class or character by name: the braces are not a repetition.
        'p' | 'P' | 'x' if after.starts_with('{') => {
            let end = after.find('}').map_or(after.len(), |end| end + 1);
            let (name, after) = after.split_at(end);
            out.push('\\');
            out.push(c);
            out.push_str(name);
            return after;
        }
        'Q' => {
            let (literal, after) = after.split_once(r"\E").unwrap_or((after, ""));
            out.push_str(&regex::escape(literal));
            return after;
        }
        c => {
            out.push('\\');
            out.push(c);
        }
    }
    after
}

/// Reports whether a brace is followed by `n}`, `n,}` or `n,m}`.
fn starts_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match inside.split_once(',') {
        Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
        None => is_number(inside),
    }
}

#[cfg(test)]
mod tests {
    use super::GoPattern;

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, good, bad) in [
            (r"^\d+$", "123", "١٢٣"),
            (r"^[\d.]+$", "1.2", "١"),
            (r"^\w+$", "az_9", "é"),
            (r"^[^\s]+$", "a\u{a0}b", "a b"),
            (r"^\S+$", "é", "a b"),
            (r"^[\W]$", "é", "e"),
            (r"^a{2}$", "aa", "a{2}"),
            (r"^a{$", "a{", "aa"),
            (r"^\{\{a}}$", "{{a}}", "a"),
            (r"^{a}$", "{a}", "a"),
            (r"^a{,2}$", "a{,2}", "aa"),
            (r"^[[a]$", "[", "]"),
            (r"^[]a]$", "]", "["),
            (r"^[^]a]$", "b", "]"),
            (r"^[a&&b]+$", "a&b", "c"),
            (r"^[+--]$", ",", "/"),
            (r"^[[:alpha:]-]+$", "a-b", "1"),
            (r"^[[:alpha:]0-9]+[[]$", "a1[", "a1"),
            (r"^\Qa.b\E$", "a.b", "axb"),
            (r"^\Qa.b", "a.b", "axb"),
            (r"\bfoo\b", "éfoo", "xfoo"),
            (r"^(?i)ab$", "AB", "ac"),
            (r"^(?P<x>a)\/\-\_$", "a/-_", "a"),
            (r"^\<a\>$", "<a>", "a"),
            (r"^\p{Lu}\pN$", "É1", "é1"),
            (r"^\x{e9}$", "é", "e"),
            (r"^.$", "é", "ab"),
            (r"^a|b$", "b", "c"),
            (r"\z", "anything", "\u{0}never"),
        ] {
            let regex = GoPattern::new(pattern).unwrap_or_else(|| panic!("{pattern} is valid"));
            assert!(regex.is_match(good), "{pattern} matches {good:?}");
            assert!(!regex.is_match(bad) || bad.contains("never"), "{pattern} does not match {bad:?}");
        }
    }

    #[test]
    fn hostile_and_malformed_patterns_are_refused() {
        let long = "a".repeat(5000);
        let deep = "(".repeat(2000) + &")".repeat(2000);
        for pattern in [
            "(",
            "a**b(?=c)",
            "(?=a)",
            r"(a)\1",
            r"\",
            "[",
            "[a",
            "(((a{100}){100}){100}){100}",
            &long,
            &deep,
        ] {
            assert!(GoPattern::new(pattern).is_none(), "{}", pattern.chars().take(30).collect::<String>());
        }
    }

    #[test]
    fn malformed_patterns_differ_from_large_ones() {
        for pattern in ["(", "(?=a)", r"(a)\1", "[a", r"\"] {
            assert!(GoPattern::is_malformed(pattern), "{pattern}");
        }
        let long = "a".repeat(5000);
        for pattern in ["", "a", "(((a{100}){100}){100}){100}", r"^\d+$", r"\Qa(\E", long.as_str()] {
            assert!(!GoPattern::is_malformed(pattern), "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_panics(pattern in "[\\\\\\[\\]{}()^$a-z0-9,:&~\\-é?*+|QEdDsSwWbBpP<>]{0,24}") {
            let _ = GoPattern::new(&pattern);
        }
    }
}
