//! Parses `.ini` files like SOPS: by the rules of the Go package `ini.v1` with its default options.
//!
//! * Entries before the first section belong to `DEFAULT`. A section's name is everything up to the last `]` of its line,
//!   untrimmed.
//! * A key ends at the first `=` or `:`; it may be in `"…"`, `"""…"""` or backquotes. The key `-` becomes `#1`, `#2`, ….
//! * A value in backquotes or `"""…"""` is literal and may span lines. Any other value ends at the first `#` or `;`,
//!   loses one pair of quotes around it, and continues on the next line if it ends with `\`.

use std::collections::BTreeSet;
use std::iter::Enumerate;
use std::str::SplitInclusive;

use super::error::{SopsError, at_line};
use sealwave_core::diagnostic::DUPLICATE_KEY;

/// A section that SOPS adds to every file.
const DEFAULT_SECTION: &str = "DEFAULT";

const LONG_QUOTE: &str = "\"\"\"";

/// A section and its entries, in the order of the file. Several sections may have the same name.
pub(super) struct IniSection {
    pub(super) name: String,
    pub(super) entries: Vec<(String, String)>,
}

/// Parses a file.
///
/// # Errors
/// SOPS rejects the text, or it contains a duplicate key, for which SOPS uses the last value.
pub(super) fn parse(text: &str) -> Result<Vec<IniSection>, SopsError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = IniReader { lines: text.split_inclusive('\n').enumerate(), number: 0 };
    let mut sections = vec![IniSection::new(DEFAULT_SECTION)];
    let mut seen = BTreeSet::new();
    let mut unnamed = 1;
    while let Some(line) = reader.next_line() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            let end = header.rfind(']').ok_or_else(|| reader.error("a section has no `]`"))?;
            if end == 0 {
                return Err(reader.error("a section has no name"));
            }
            sections.push(IniSection::new(&header[..end]));
            unnamed = 1;
            continue;
        }
        let (name, value) = key_and_rest(line).map_err(|why| reader.error(why))?;
        let name = if name == "-" {
            unnamed += 1;
            format!("#{}", unnamed - 1)
        } else {
            name.to_owned()
        };
        let line_number = reader.number;
        let value = reader.value(value)?;
        let Some(section) = sections.last_mut() else { continue };
        if !seen.insert((section.name.clone(), name.clone())) {
            return Err(at_line(line_number, DUPLICATE_KEY));
        }
        section.entries.push((name, value));
    }
    Ok(sections)
}

impl IniSection {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), entries: Vec::new() }
    }
}

/// Splits a line into its key and what follows the delimiter.
fn key_and_rest(line: &str) -> Result<(&str, &str), &'static str> {
    const DELIMITERS: [char; 2] = ['=', ':'];
    let quote = match line.as_bytes() {
        [b'"', b'"', b'"', ..] if line.len() > 6 => LONG_QUOTE,
        [b'"', ..] => "\"",
        [b'`', ..] => "`",
        _ => "",
    };
    let (name, rest) = if quote.is_empty() {
        line.split_once(DELIMITERS).ok_or("a line has no `=`")?
    } else {
        let (name, behind) =
            line[quote.len()..].split_once(quote).ok_or("the quote of a key is not closed")?;
        (name, behind.split_once(DELIMITERS).ok_or("a line has no `=`")?.1)
    };
    match name.trim() {
        "" => Err("a key is empty"),
        name => Ok((name, rest)),
    }
}

/// Reads the lines of a file, including their line breaks.
struct IniReader<'a> {
    lines: Enumerate<SplitInclusive<'a, char>>,
    /// The number of the last line that was read, from 1.
    number: usize,
}

impl<'a> IniReader<'a> {
    fn next_line(&mut self) -> Option<&'a str> {
        let (index, line) = self.lines.next()?;
        self.number = index + 1;
        Some(line)
    }

    fn error(&self, why: &str) -> SopsError {
        at_line(self.number, why)
    }

    fn value(&mut self, rest: &str) -> Result<String, SopsError> {
        let text = rest.trim_start();
        let quote = if text.len() > 3 && text.starts_with(LONG_QUOTE) {
            LONG_QUOTE
        } else if text.starts_with('`') {
            "`"
        } else {
            return Ok(self.unquoted(text.trim()));
        };
        let inside = &text[quote.len()..];
        match inside.rfind(quote) {
            Some(end) => Ok(inside[..end].to_owned()),
            None => self.quoted_lines(inside, quote),
        }
    }

    fn quoted_lines(&mut self, first: &str, quote: &str) -> Result<String, SopsError> {
        let opened = self.number;
        let mut value = first.to_owned();
        while let Some(line) = self.next_line() {
            match line.rfind(quote) {
                // A backslash after the quote makes the quote part of the value.
                Some(end) if !line[end + quote.len()..].trim().ends_with('\\') => {
                    value.push_str(&line[..end]);
                    return Ok(value);
                }
                _ => value.push_str(line),
            }
        }
        Err(at_line(opened, "the quote of a value is not closed"))
    }

    fn unquoted(&mut self, text: &str) -> String {
        if let Some(first) = text.strip_suffix('\\') {
            return self.continued(first);
        }
        let text = text.split(['#', ';']).next().unwrap_or_default().trim();
        without_quotes(text).to_owned()
    }

    /// Appends lines until one does not end with a backslash.
    fn continued(&mut self, first: &str) -> String {
        let mut value = first.to_owned();
        while let Some(line) = self.next_line().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(line) = line.strip_suffix('\\') {
                value.push_str(line);
            } else {
                value.push_str(line);
                break;
            }
        }
        value
    }
}

/// Removes one pair of quotes, if the text contains no other quotes of that kind.
fn without_quotes(text: &str) -> &str {
    let inside = |quote: char| {
        let inside = text.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inside.contains(quote)).then_some(inside)
    };
    inside('\'').or_else(|| inside('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &str) -> String {
        let sections = parse(&format!("k = {value}")).expect("well formed");
        sections[0].entries[0].1.clone()
    }

    /// Each expected value is the one that sops 3.13.2 reads.
    #[test]
    fn r02_values_are_read_like_sops() {
        for (text, expected) in [
            ("plain ; inline", "plain"),
            ("a;b", "a"),
            ("\"quoted # x\"", "\"quoted"),
            ("`back # tick ; x`", "back # tick ; x"),
            ("'single'", "single"),
            ("\"p", "\"p"),
            ("one \\\n   two \\\n  three\n", "one two three"),
            ("one \\\n\nx = y\n", "one "),
            ("one \\", "one "),
            ("\"\"\"multi\nline \"quoted\"\ntext\"\"\"\n", "multi\nline \"quoted\"\ntext"),
            ("\"\"\"a\n\"\"\" \\\nb\"\"\" ; c\n", "a\n\"\"\" \\\nb"),
            ("\"\"\"one line\"\"\"", "one line"),
            ("", ""),
            ("# comment", ""),
            ("\"it's\" and 'more'", "\"it's\" and 'more'"),
            ("\" padded \"", " padded "),
            ("\u{e4} # \u{fc}", "\u{e4}"),
            ("a=b:c", "a=b:c"),
            ("''", ""),
            ("'", "'"),
            ("`a\r\nb`\r\n", "a\r\nb"),
            ("a\r\n", "a"),
        ] {
            assert_eq!(one(text), expected, "{text}");
        }
    }

    #[test]
    fn r02_sections_and_keys_are_read_like_sops() {
        let text = "\u{feff}top = 1\n[DEFAULT]\nx = 2\n[ sp ]\n`k=y` = 3\n\"\"\"a:b\"\"\" : 4\n\"q\"=5\nc:6=7\n- = 8\n- = 9\n[odd]name] ; x\n-=1\n";
        let found: Vec<(String, String, String)> = parse(text)
            .expect("well formed")
            .into_iter()
            .flat_map(|section| {
                let name = section.name;
                section.entries.into_iter().map(move |(key, value)| (name.clone(), key, value))
            })
            .collect();
        let found: Vec<_> = found.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
        assert_eq!(
            found,
            [
                ("DEFAULT", "top", "1"),
                ("DEFAULT", "x", "2"),
                (" sp ", "k=y", "3"),
                (" sp ", "a:b", "4"),
                (" sp ", "q", "5"),
                (" sp ", "c", "6=7"),
                (" sp ", "#1", "8"),
                (" sp ", "#2", "9"),
                ("odd]name", "#1", "1"),
            ]
        );
    }

    #[test]
    fn syntax_errors_name_the_line() {
        for (text, line) in [
            ("CANARY\n", 1),
            ("a=1\n[CANARY\n", 2),
            ("[]\n", 1),
            ("=CANARY\n", 1),
            (" : CANARY\n", 1),
            ("`CANARY = 1\n", 1),
            ("a=1\nb = `CANARY\nx\n", 2),
            ("a = \"\"\"CANARY\n", 1),
            ("a = 1\na = CANARY\n", 2),
            ("[a]\nb=1\n[c]\n[a]\nb=2\n", 5),
        ] {
            let message = parse(text).err().expect(text).to_string();
            assert!(
                message.ends_with(&format!("(line {line})")) && !message.contains("CANARY"),
                "{text}: {message}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics(text in "(a|=|:|\\[|\\]|\"|\"\"\"|`|'|#|;|\\\\|\n|\r\n| |\t|-|\u{e4}|\u{a0}){0,30}") {
            let _ = parse(&text);
        }
    }
}
