//! Searches for files that both parsers read differently: mutates the files of the test data and small texts.

use super::dialect::is_plain;
use super::dialect_tests::{SCALARS, UNUSUAL, all_files, assert_agreement, is_accepted_as_its_kind};
use super::*;

/// Parts that mutations insert.
const PARTS: [&str; 84] = [
    "\n",
    "\n\n",
    "\n  ",
    "\n    ",
    "\n- ",
    "\n  - ",
    "  ",
    " ",
    "- ",
    "-",
    ": ",
    ":",
    ":\n",
    "[",
    "]",
    "{",
    "}",
    ",",
    ", ",
    "'",
    "''",
    "\"",
    "\"\"",
    "#",
    " #",
    " # c\n",
    "? ",
    "?",
    "&x ",
    "*x",
    "!",
    "!!str ",
    "!!map ",
    "!!set ",
    "|",
    "|2\n",
    "|-\n",
    "|+\n   ",
    ">",
    ">-\n  ",
    "%YAML 1.1\n",
    "---",
    "---\n",
    "\n---\n",
    "...",
    "\n...\n",
    "<<",
    "<<: ",
    "\t",
    "\r",
    "\r\n",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{a0}",
    "\u{7f}",
    "\u{0}",
    "\u{1}",
    "\\",
    "\\n",
    "\\x41",
    "@",
    "`",
    "=",
    "~",
    "é",
    "\u{1f600}",
    "\u{e000}",
    "\u{fffd}",
    "\u{10ffff}",
    "0",
    "1_0",
    "0o17",
    "0x1f",
    "+1",
    "-0",
    "1e3",
    ".inf",
    "2026-12-31",
    "no",
    "null",
    "true",
    "a",
];

/// A generator of numbers, equal in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }

    /// Returns a position between two characters; often one next to white space or punctuation.
    fn position(&mut self, text: &str) -> usize {
        let wants_edge = self.below(3) > 0;
        let mut at = self.below(text.len() + 1);
        let is_edge = |at: usize| text.as_bytes().get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        while !text.is_char_boundary(at) || wants_edge && !is_edge(at) {
            at += 1;
        }
        at
    }

    /// Changes a text at one place.
    fn mutate(&mut self, text: &mut String) {
        let (from, to) = (self.position(text), self.position(text));
        let near = text[from..].char_indices().nth(1 + self.below(4)).map_or(text.len(), |(at, _)| from + at);
        match self.below(9) {
            0..4 => text.insert_str(from, self.pick(&PARTS)),
            4 => {
                let scalar = if self.below(2) == 0 { self.pick(&SCALARS) } else { self.pick(&UNUSUAL) };
                text.insert_str(from, scalar);
            }
            5 => text.replace_range(from..near, ""),
            6 => text.replace_range(from..near, self.pick(&PARTS)),
            7 => {
                // A value is replaced by a scalar.
                let end = text[from..].find('\n').map_or(text.len(), |at| from + at);
                let start = text[from..end].find(": ").map_or(end, |at| from + at + 2);
                let scalar = if self.below(3) > 0 { self.pick(&SCALARS) } else { self.pick(&UNUSUAL) };
                text.replace_range(start..end, scalar);
            }
            _ => {
                let copied = text[from.min(to)..from.max(to)].to_owned();
                if copied.len() < 400 {
                    let at = self.position(text);
                    text.insert_str(at, &copied);
                }
            }
        }
    }
}

/// Compares both parsers on a text whose values are read as they are, if it is plain.
fn compare_plain(text: &str) -> bool {
    let is_compared = is_plain(text)
        && tracked::parse::<serde_json::Value>(text).is_ok_and(|tracked| !tracked.has_unclear_scalar);
    if is_compared {
        let file = SettingsFile::new("x.yaml", text.as_bytes(), Limits::default());
        assert_agreement::<serde_json::Value>(text, &file);
    }
    is_compared
}

fn search(rounds: usize, seed: u64) -> usize {
    let mut numbers = Numbers(seed);
    let files: Vec<String> = all_files().into_iter().filter(|text| text.len() < 1_500).collect();
    let mut accepted = 0;
    for _ in 0..rounds {
        let mut text = files[numbers.below(files.len())].clone();
        for _ in 0..=numbers.below(3) {
            numbers.mutate(&mut text);
        }
        compare_plain(&text);
        accepted += usize::from(is_accepted_as_its_kind(&text));
        let mut small = "a: b\nc: [d, e]\n".to_owned();
        for _ in 0..=numbers.below(8) {
            numbers.mutate(&mut small);
        }
        compare_plain(&small);
    }
    accepted
}

#[test]
fn both_parsers_agree_on_some_mutated_files() {
    assert!(search(2_000, 0x5ea1) > 200);
}

#[test]
#[ignore = "takes minutes"]
fn both_parsers_agree_on_many_mutated_files() {
    for seed in 1..=8 {
        search(60_000, seed);
    }
}

/// Compares both parsers on all texts of up to `length` characters that matter to YAML, and returns how many were plain.
fn search_short(length: usize) -> usize {
    const CHARACTERS: [char; 16] =
        ['a', ':', ' ', '\n', '-', '[', ']', '{', '}', ',', '\'', '"', '#', '0', '~', '/'];
    let mut compared = 0;
    let mut texts = vec![String::new()];
    for _ in 0..length {
        let longer = texts.iter().flat_map(|text| CHARACTERS.iter().map(move |c| format!("{text}{c}")));
        texts = longer.collect();
        compared += texts.iter().filter(|text| compare_plain(text)).count();
    }
    compared
}

#[test]
fn both_parsers_agree_on_all_texts_of_three_characters() {
    assert!(search_short(3) > 500);
}

#[test]
#[ignore = "takes minutes"]
fn both_parsers_agree_on_all_texts_of_five_characters() {
    search_short(5);
}
