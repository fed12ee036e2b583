//! Tabs in the indentation at the start of a line.
//!
//! Kubernetes refuses most of them, but the fast parser accepts some. A block scalar may contain them after its first
//! line has set its indentation, if the tab is beyond it. All others are left to the exact parser.

/// Counts the lines of a document that start with a tab and that the fast parser reads correctly.
pub(super) struct TabbedLines<'a> {
    /// The text from the current line.
    rest: &'a str,
    /// The current line, starting at 1.
    line: usize,
    /// The number of lines with such a tab.
    found: usize,
    /// The number of those that a block scalar may contain.
    explained: usize,
}

impl<'a> TabbedLines<'a> {
    /// Tracks a document with this many tabbed lines.
    pub(super) const fn new(text: &'a str, found: usize) -> Self {
        Self { rest: text, line: 1, found, explained: 0 }
    }

    /// Records a block scalar that extends from its header's line to `end`. Must be called in order.
    pub(super) fn block_scalar(&mut self, header: usize, end: usize) {
        if self.found == 0 {
            return;
        }
        // An indentation in the header can only be less than that of the first line.
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

    /// Moves forward to a line.
    fn go_to(&mut self, line: usize) -> &'a str {
        while self.line < line {
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
            self.line += 1;
        }
        self.rest.split('\n').next().unwrap_or("")
    }

    /// Reports whether any tabbed line is outside the block scalars that may contain it.
    pub(super) const fn are_doubtful(&self) -> bool {
        self.explained < self.found
    }
}
