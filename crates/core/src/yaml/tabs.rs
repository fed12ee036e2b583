//! Tabs at the start of a line, within the indentation.
//!
//! Kubernetes refuses most of them; the fast parser takes some. A block scalar may hold them, once its first line has settled
//! its indentation and the tab is behind it. All others are for the exact parser to judge. Nothing here judges by itself.

/// Counts the lines of a document that start with a tab and are rightly read by the fast parser.
pub(super) struct TabbedLines<'a> {
    /// The text from the current line on.
    rest: &'a str,
    /// The number of that line, from 1.
    line: usize,
    /// Lines of the document with such a tab.
    found: usize,
    /// Those that a block scalar may hold.
    explained: usize,
}

impl<'a> TabbedLines<'a> {
    /// Watches a document with that many tabbed lines.
    pub(super) const fn new(text: &'a str, found: usize) -> Self {
        Self { rest: text, line: 1, found, explained: 0 }
    }

    /// Takes account of a block scalar that reaches from the line of its header to another. They come in their order.
    pub(super) fn block_scalar(&mut self, header: usize, end: usize) {
        if self.found == 0 {
            return;
        }
        // A header that states another indentation can only state less than the first line has.
        let mut indentation = None;
        for number in header + 1..=end {
            let line = self.go_to(number);
            let spaces = line.len() - line.trim_start_matches(' ').len();
            match (line.as_bytes().get(spaces), indentation) {
                (None | Some(b'\r'), None) => {}
                (Some(b'\t'), None) => return,
                (Some(_), None) => indentation = Some(spaces),
                (Some(b'\t'), Some(indentation)) if spaces >= indentation => self.explained += 1,
                _ => {}
            }
        }
    }

    /// Goes forward to a line.
    fn go_to(&mut self, line: usize) -> &'a str {
        while self.line < line {
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
            self.line += 1;
        }
        self.rest.split('\n').next().unwrap_or("")
    }

    /// Returns whether some of these lines is in no block scalar that may hold it.
    pub(super) const fn are_doubtful(&self) -> bool {
        self.explained < self.found
    }
}
