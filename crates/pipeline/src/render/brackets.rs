//! Counts the brackets of tags, at each of which the template parser recurses.
//!
//! A tag may have braces in its texts, so it does not always end at the first `}}`. In doubt too many brackets are counted,
//! never too few.

use super::tags::string_end;

/// The maximum number of brackets in a tag.
pub(super) const MAX_BRACKETS: usize = 128;
/// The bytes that may be scanned for each byte of a template: a tag may be in a text of another one.
const STEPS_PER_BYTE: usize = 64;

/// The result of a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BracketCount {
    Fits,
    TooMany,
    /// The tags take too many steps to scan.
    Unknown,
}

/// Counts the brackets in each tag of a template.
pub(super) fn count_brackets(text: &str) -> BracketCount {
    let steps = text.len().saturating_mul(STEPS_PER_BYTE);
    let mut counter = BracketCounter { text, steps, unclosed: Vec::new() };
    let mut starts = text.match_indices("{{").map(|(at, _)| at + 2);
    let found = starts.find_map(|start| match counter.tag(start) {
        BracketCount::Fits => None,
        other => Some(other),
    });
    found.unwrap_or(BracketCount::Fits)
}

struct BracketCounter<'t> {
    text: &'t str,
    steps: usize,
    /// The quotes that no text closes anymore.
    unclosed: Vec<u8>,
}

impl BracketCounter<'_> {
    fn tag(&mut self, start: usize) -> BracketCount {
        let bytes = self.text.as_bytes();
        let (mut at, mut count, mut open) = (start, 0_usize, 0_usize);
        while let Some(byte) = bytes.get(at) {
            let mut next = at + 1;
            match byte {
                b'(' => count += 1,
                // A tag in a tag: the parser stops here.
                b'{' if bytes.get(next) == Some(&b'{') => return BracketCount::Fits,
                b'{' => (count, open) = (count + 1, open + 1),
                b'}' if open > 0 => open -= 1,
                b'}' if bytes.get(next) == Some(&b'}') => return BracketCount::Fits,
                b'[' => {
                    count += 1;
                    match self.text.get(next..).and_then(|rest| rest.split_once(']')) {
                        Some((inner, _)) if is_clear(inner) => {}
                        _ => return self.rest(next, count),
                    }
                }
                b'"' | b'\'' => match self.text_end(at, *byte) {
                    Some(end) => {
                        // A text may be a key in brackets to the parser.
                        count += bytes.get(at..end).map_or(0, count_all);
                        next = end + 1;
                    }
                    // The parser refuses the tag here.
                    None => return BracketCount::Fits,
                },
                _ => {}
            }
            if count > MAX_BRACKETS {
                return BracketCount::TooMany;
            }
            if !self.charge(next - at) {
                return BracketCount::Unknown;
            }
            at = next;
        }
        BracketCount::Fits
    }

    /// Counts all that follows, because the end of the tag is unclear.
    fn rest(&mut self, from: usize, count: usize) -> BracketCount {
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        if !self.charge(rest.len()) {
            return BracketCount::Unknown;
        }
        if count + count_all(rest) > MAX_BRACKETS { BracketCount::TooMany } else { BracketCount::Fits }
    }

    const fn charge(&mut self, steps: usize) -> bool {
        self.steps = self.steps.saturating_sub(steps);
        self.steps > 0
    }

    /// Returns the offset of the quote that ends a text.
    fn text_end(&mut self, from: usize, quote: u8) -> Option<usize> {
        if self.unclosed.contains(&quote) {
            return None;
        }
        let end = string_end(self.text.as_bytes(), from, quote);
        if end.is_none() {
            self.unclosed.push(quote);
        }
        end
    }
}

fn count_all(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| matches!(byte, b'(' | b'[' | b'{')).count()
}

/// Reports whether the content of brackets ends there, both as a list and as a key.
fn is_clear(inner: &str) -> bool {
    if inner.contains(['\\', '{', '}']) {
        return !inner.contains(['"', '\'', '}', '\\']);
    }
    let mut quote = None;
    for c in inner.chars().filter(|c| matches!(c, '"' | '\'')) {
        match quote {
            None => quote = Some(c),
            Some(open) if open == c => quote = None,
            Some(_) => {}
        }
    }
    quote.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_up_to_the_end_of_a_tag() {
        let deep = "(a ".repeat(200);
        for (text, wanted) in [
            (format!("{{{{ {deep} }}}}"), BracketCount::TooMany),
            (format!("{{{{ f \"}}}}\" {deep} }}}}"), BracketCount::TooMany),
            (format!("{{{{ f '}}}}' {deep} }}}}"), BracketCount::TooMany),
            (format!("{{{{ f \"\\\"}}}}\" {deep} }}}}"), BracketCount::TooMany),
            (format!("{{{{ f {{\"a\": {{\"b\": 1}}}} {deep} }}}}"), BracketCount::TooMany),
            (format!("{{{{ f a.[}}}}] {deep} }}}}"), BracketCount::TooMany),
            (format!("{{{{ f a.[\"] \"}}}}\" {deep} }}}}"), BracketCount::TooMany),
            (format!("{{{{ f [\"]\"] a.[\"] \"}}}}\" {deep} }}}}"), BracketCount::TooMany),
            (format!("{{{{ f a.['] {deep} }}}} '"), BracketCount::TooMany),
            (format!("{{{{ f ['\"' '] \"}}}}\" {deep} }}}}"), BracketCount::TooMany),
            (format!("{{{{ a }}}} {deep} {{{{ b }}}}"), BracketCount::Fits),
            (format!("{{{{ f \"x\" [\"a\", 'b'] a.[b c] }}}} {deep}"), BracketCount::Fits),
            (format!("{{{{{{ a }}}}}} {deep}"), BracketCount::Fits),
            (format!("it's {{{{ a }}}} {deep}"), BracketCount::Fits),
            (format!("{{{{ a }}}} \"{deep}"), BracketCount::Fits),
            (String::new(), BracketCount::Fits),
        ] {
            assert_eq!(count_brackets(&text), wanted, "{}", text.replace(&deep, "…"));
        }
    }

    #[test]
    fn hostile_texts_take_a_bounded_number_of_steps() {
        for part in ["{{ \"", "{{ '", "{{ [\"", "{{ \"\\", "{{ a.[']", "{{ \"{{'", "{{", "{{ ["] {
            count_brackets(&part.repeat(200_000));
        }
    }
}
