//! Decides whether an apparent comment is text: part of a block scalar or a quoted scalar.
//!
//! The parser does not return comments, so the source text is scanned, only if it contains a suppression. Templates are
//! not YAML before they are rendered: lines that hold only a tag are skipped.
//!
//! A text is read once, line by line. The outline holds the state that later lines depend on: the lines that are less
//! indented than all lines after them, and the open quotes after each.

/// The lines so far that may contain the following ones, each less indented than the next.
#[derive(Debug, Default)]
pub(super) struct ScalarOutline {
    holders: Vec<HolderLine>,
}

/// A line that may contain the lines below it.
#[derive(Debug)]
struct HolderLine {
    indentation: usize,
    /// The block scalar, if the line ends with the header of one.
    block: Option<BlockScalar>,
    /// The effect of this line, and the lines up to the next holder, on open quotes.
    quotes: QuoteEffect,
}

/// A block scalar.
#[derive(Debug)]
struct BlockScalar {
    /// The column of its key or dash.
    column: usize,
    /// The indentation of its lines; `None` until its first line is read.
    indentation: Option<usize>,
}

impl ScalarOutline {
    /// Reports whether the `#` at a byte of the next line is within a scalar.
    pub(super) fn is_text(&self, line: &str, hash: usize) -> bool {
        let own = indentation(line);
        let outer = self.holders.partition_point(|holder| holder.indentation < own);
        let mut least = own;
        for holder in self.holders.iter().take(outer).rev() {
            if holder.block.as_ref().is_some_and(|block| block.holds(least, own)) {
                return true;
            }
            least = holder.indentation;
        }
        // The nearest holder is the first line that may have opened a quote that is still open.
        let since = self.holders.iter().skip(outer.saturating_sub(1));
        let open =
            since.filter(|_| outer > 0).fold(OpenQuote::Nothing, |open, holder| holder.quotes.after(open));
        open.after(line.get(..hash).unwrap_or_default()) != OpenQuote::Nothing
    }

    /// Adds a line.
    pub(super) fn add_line(&mut self, line: &str) {
        let own = indentation(line);
        if let Some(BlockScalar { indentation: unknown @ None, .. }) =
            self.holders.last_mut().and_then(|holder| holder.block.as_mut())
            && !line.trim().is_empty()
        {
            *unknown = Some(own);
        }
        let quotes = QuoteEffect::from_line(line);
        if !is_content(line) {
            if let Some(holder) = self.holders.last_mut() {
                holder.quotes = holder.quotes.then(quotes);
            }
            return;
        }
        let outer = self.holders.partition_point(|holder| holder.indentation < own);
        let closed = self.holders.split_off(outer);
        if let Some(holder) = self.holders.last_mut() {
            holder.quotes = closed.iter().fold(holder.quotes, |quotes, inner| quotes.then(inner.quotes));
        }
        self.holders.push(HolderLine { indentation: own, block: BlockScalar::from_line(line), quotes });
    }
}

impl BlockScalar {
    /// Returns the block scalar whose header ends a line.
    fn from_line(line: &str) -> Option<Self> {
        let column = block_column(line)?;
        let given = header(line).and_then(|(_, given)| given);
        Some(Self { column, indentation: given.map(|given| column + given) })
    }

    /// Reports whether a line with indentation `own` is in the scalar, if no line between is indented less than
    /// `least`.
    fn holds(&self, least: usize, own: usize) -> bool {
        self.column < least && self.indentation.is_none_or(|indentation| own >= indentation)
    }
}

/// The open quote, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OpenQuote {
    Nothing,
    Double,
    Single,
}

/// For each possible open quote before a text, the open quote after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct QuoteEffect {
    nothing: OpenQuote,
    double: OpenQuote,
    single: OpenQuote,
}

impl QuoteEffect {
    const NONE: Self =
        Self { nothing: OpenQuote::Nothing, double: OpenQuote::Double, single: OpenQuote::Single };

    /// Returns the effect of a line.
    fn from_line(line: &str) -> Self {
        if memchr::memchr2(b'"', b'\'', line.as_bytes()).is_none() {
            return Self::NONE;
        }
        Self {
            nothing: OpenQuote::Nothing.after(line),
            double: OpenQuote::Double.after(line),
            single: OpenQuote::Single.after(line),
        }
    }

    const fn after(self, open: OpenQuote) -> OpenQuote {
        match open {
            OpenQuote::Nothing => self.nothing,
            OpenQuote::Double => self.double,
            OpenQuote::Single => self.single,
        }
    }

    /// Returns the effect of this part followed by another.
    const fn then(self, next: Self) -> Self {
        Self {
            nothing: next.after(self.nothing),
            double: next.after(self.double),
            single: next.after(self.single),
        }
    }
}

impl OpenQuote {
    /// Returns the open quote at the end of a line, or of its start.
    fn after(self, line: &str) -> Self {
        let mut open = self;
        let mut before = '\n';
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            match (open, c) {
                (Self::Double, '\\') => drop(chars.next()),
                (Self::Single, '\'') if chars.peek() == Some(&'\'') => drop(chars.next()),
                (Self::Double, '"') | (Self::Single, '\'') => open = Self::Nothing,
                (Self::Nothing, '"' | '\'') if before.is_whitespace() || "[{,(:".contains(before) => {
                    open = if c == '"' { Self::Double } else { Self::Single };
                }
                (Self::Nothing, '#') if before.is_whitespace() => break,
                _ => {}
            }
            before = c;
        }
        open
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Reports whether a line is not blank, a comment or a template tag.
fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && !line.starts_with("{{")
}

/// Returns the column of the key or dash of a block scalar whose header ends the line.
fn block_column(line: &str) -> Option<usize> {
    let (before, _) = header(line)?;
    let mut column = indentation(line);
    let mut rest = line.get(column..before)?;
    while let Some(inner) = rest.strip_prefix("- ").map(|inner| inner.trim_start_matches(' ')) {
        if inner.is_empty() {
            break;
        }
        column += rest.len() - inner.len();
        rest = inner;
    }
    Some(column)
}

/// Returns the start of a block scalar header and its explicit indentation.
fn header(line: &str) -> Option<(usize, Option<usize>)> {
    let line = line.split_once(" #").map_or(line, |(line, _)| line).trim_end();
    let marks = line.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
    let before = marks.strip_suffix(['|', '>'])?;
    let holder = before.trim_end().rsplit([' ', '\t']).next().unwrap_or_default();
    let holds = holder.is_empty()
        || holder.ends_with(':')
        || matches!(holder, "-" | "?" | "---")
        || holder.starts_with(['!', '&']);
    let given = line.get(marks.len()..)?.chars().find_map(|c| c.to_digit(10)).and_then(|n| n.try_into().ok());
    (holds && (before.is_empty() || before.ends_with([' ', '\t']))).then_some((before.len(), given))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<bool> {
        let mut outline = ScalarOutline::default();
        let mut found = Vec::new();
        for line in text.split('\n') {
            found.extend(line.match_indices("#!").map(|(at, _)| outline.is_text(line, at)));
            outline.add_line(line);
        }
        found
    }

    /// A reference implementation that walks up from each `#!`: slow, but simple.
    fn texts_by_walking_up(text: &str) -> Vec<bool> {
        text.match_indices("#!").map(|(at, _)| walked::is_text(text, at)).collect()
    }

    #[test]
    fn lines_of_block_scalars_are_text() {
        for text in [
            "data:\n  a: |\n    #! x\n",
            "data:\n  a: |-\n    y\n      z\n\n      #! x\n",
            "data:\n  a: >2+ # why\n     y\n    #! x\n",
            "- |\n # y\n #! x\n",
            "- a: !!str |\n    b: 1 #! x\n",
            "a:\n- - |\n    {{#if b}}\n    #! x\n",
        ] {
            assert_eq!(texts(text), [true], "{text}");
        }
    }

    #[test]
    fn quoted_text_is_text() {
        for text in [
            "a: \"x #! y\"",
            "a: 'it''s #! y'",
            "a: [b, \"x #! y\"]",
            "a: \"x\n  #! y\n  z\"",
            "a:\n  b: 'x\n    y\n    #! y'",
        ] {
            assert_eq!(texts(text), [true], "{text}");
        }
    }

    #[test]
    fn comments_are_comments() {
        for text in [
            "#! x\na: 1\n",
            "a: 1 #! x\n",
            "a: | #! x\n  b\n",
            "a: |\n  b\n#! x\nc: 1\n",
            "- a: |\n    b\n  #! x\n  c: 1\n",
            "a:\n  b: |\n    c\n  #! x\n  d: 1\n",
            "a:\n  b: |\n      c\n    #! x\n  d: 1\n",
            "a: it's #! x\n",
            "a: \"x\" #! y\n",
            "a: \"x\n  y\" #! y\n",
            "a: b | c\n  #! x\n",
            "a:\n  # don't\n  b: 1 #! x\n",
            "{{#if a}}\n  a: 1 #! x\n{{/if}}\n",
        ] {
            assert_eq!(texts(text), [false], "{text}");
        }
    }

    proptest! {
        #[test]
        fn one_pass_equals_the_reference_implementation(
            lines in proptest::collection::vec(
                (0..7_usize, prop_oneof![
                    Just("a: |"), Just("- a: >-"), Just("- - |2"), Just("a: |1 # x"), Just("k: v #! c"), Just("#! c"),
                    Just("# it's"), Just("a: \"x"), Just("y\" #! z"), Just("b: 'it''s"), Just("'#! q"), Just(""),
                    Just("{{#if a}}"), Just("text \\\" #! x"), Just("a: [\"b\", 'c"), Just("x"), Just("é: 'ü"),
                ]),
                0..24,
            )
        ) {
            let lines: Vec<String> = lines.into_iter().map(|(n, line)| format!("{}{line}", " ".repeat(n))).collect();
            let text = lines.join("\n");
            prop_assert_eq!(texts(&text), texts_by_walking_up(&text), "{}", text);
        }
    }

    mod walked {
        use super::super::{block_column, header, indentation, is_content};

        /// Reports whether the `#` at `hash` is within a scalar.
        pub(super) fn is_text(text: &str, hash: usize) -> bool {
            let Some(before) = text.get(..hash) else { return false };
            let start = before.rfind('\n').map_or(0, |end| end + 1);
            let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
            let own = indentation(line);
            let mut least = own;
            let mut end = start;
            // The first line that may have opened a quote that is still open.
            let mut opened_at = start;
            while least > 0 && end > 0 {
                let from = text.get(..end - 1).and_then(|rest| rest.rfind('\n')).map_or(0, |end| end + 1);
                let above = text.get(from..end - 1).unwrap_or_default();
                if is_content(above) && indentation(above) < least {
                    if opened_at == start {
                        opened_at = from;
                    }
                    if block_column(above).is_some_and(|column| column < least)
                        && own >= block_indentation(above, text.get(end..hash).unwrap_or_default())
                    {
                        return true;
                    }
                    least = indentation(above);
                }
                end = from;
            }
            is_quoted(text.get(opened_at..hash).unwrap_or_default())
        }

        /// Returns the indentation of the lines of a block scalar.
        fn block_indentation(header_line: &str, content: &str) -> usize {
            match header(header_line) {
                Some((_, Some(given))) => block_column(header_line).unwrap_or_default() + given,
                _ => content.lines().find(|line| !line.trim().is_empty()).map_or(0, indentation),
            }
        }

        /// Reports whether a quote is open at the end of a text that starts outside quotes.
        fn is_quoted(text: &str) -> bool {
            let mut open = None;
            let mut before = '\n';
            let mut chars = text.chars().peekable();
            while let Some(c) = chars.next() {
                match (open, c) {
                    (Some('"'), '\\') => drop(chars.next()),
                    (Some('\''), '\'') if chars.peek() == Some(&'\'') => drop(chars.next()),
                    (Some(quote), c) if c == quote => open = None,
                    (None, '"' | '\'') if before.is_whitespace() || "[{,(:".contains(before) => {
                        open = Some(c);
                    }
                    (None, '#') if before.is_whitespace() => {
                        chars.by_ref().find(|c| *c == '\n');
                        before = '\n';
                        continue;
                    }
                    _ => {}
                }
                before = c;
            }
            open.is_some()
        }
    }
}
