//! Splits a stream into windows of whole documents, so that a long stream is never in memory as a whole.

use std::io::{self, Read};

use memchr::{memchr_iter, memmem};

/// The bytes read at a time, so that the objects fit a core's cache; a longer document makes a longer window.
const WINDOW: usize = 64 << 10;

/// The limit bytes of a document; a longer one is rejected and skipped.
const MAX_DOCUMENT: usize = 64 << 20;

/// The limit bytes of a JSON stream, which has no separators to split at.
const MAX_JSON: usize = 256 << 20;

const SEPARATOR: &[u8] = b"\n---";

/// Reads a stream in windows.
pub(super) struct WindowReader<R> {
    reader: R,
    buffer: Vec<u8>,
    lines_before: u32,
    is_at_end: bool,
    limits: (usize, usize),
}

/// One or more whole documents of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StreamWindow {
    pub(super) bytes: Vec<u8>,
    pub(super) lines_before: u32,
    /// Whether its only document is too long; then it has no bytes.
    pub(super) is_oversized: bool,
}

impl<R: Read> WindowReader<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self::with_limits(reader, WINDOW, MAX_DOCUMENT)
    }

    const fn with_limits(reader: R, window: usize, document: usize) -> Self {
        Self { reader, buffer: Vec::new(), lines_before: 0, is_at_end: false, limits: (window, document) }
    }

    /// Returns the next window; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<StreamWindow>> {
        let (window, document) = self.limits;
        let mut wanted = window;
        loop {
            self.fill(wanted)?;
            if self.is_at_end {
                return Ok((!self.buffer.is_empty()).then(|| self.take(self.buffer.len())));
            }
            if let Some(at) = memmem::rfind(&self.buffer, SEPARATOR) {
                return Ok(Some(self.take(at + 1)));
            }
            let limit = if self.is_json() { MAX_JSON } else { document };
            if self.buffer.len() > limit {
                return self.skip_document().map(Some);
            }
            wanted = wanted.saturating_mul(2);
        }
    }

    fn is_json(&self) -> bool {
        self.lines_before == 0 && self.buffer.trim_ascii_start().starts_with(b"{")
    }

    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        let missing = wanted.saturating_sub(self.buffer.len());
        if missing == 0 || self.is_at_end {
            return Ok(());
        }
        let read = self.reader.by_ref().take(missing as u64).read_to_end(&mut self.buffer)?;
        self.is_at_end = read < missing;
        Ok(())
    }

    fn take(&mut self, length: usize) -> StreamWindow {
        let rest = self.buffer.split_off(length);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let lines_before = self.lines_before;
        self.lines_before = lines_before.saturating_add(lines(&bytes));
        StreamWindow { bytes, lines_before, is_oversized: false }
    }

    /// Skips the rest of a document that is too long.
    fn skip_document(&mut self) -> io::Result<StreamWindow> {
        let lines_before = self.lines_before;
        loop {
            if let Some(at) = memmem::find(&self.buffer, SEPARATOR) {
                self.take(at + 1);
                break;
            }
            if self.is_at_end {
                self.take(self.buffer.len());
                break;
            }
            // Keep a possible start of a separator.
            self.take(self.buffer.len().saturating_sub(SEPARATOR.len()));
            self.fill(WINDOW)?;
        }
        Ok(StreamWindow { bytes: Vec::new(), lines_before, is_oversized: true })
    }
}

fn lines(bytes: &[u8]) -> u32 {
    u32::try_from(memchr_iter(b'\n', bytes).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows_of(text: &str, window: usize, document: usize) -> Vec<(String, u32, bool)> {
        let mut windows = WindowReader::with_limits(text.as_bytes(), window, document);
        let mut all = Vec::new();
        while let Some(window) = windows.next().unwrap() {
            all.push((String::from_utf8(window.bytes).unwrap(), window.lines_before, window.is_oversized));
        }
        all
    }

    #[test]
    fn windows_hold_whole_documents() {
        let text = "a: 1\n---\nb: 2\n---\nc: 3\n";
        assert_eq!(windows_of(text, 1000, 1000), [(text.to_owned(), 0, false)]);
        let whole: String = windows_of(text, 12, 1000).into_iter().map(|(text, ..)| text).collect();
        assert_eq!(whole, text);
        assert_eq!(
            windows_of(text, 12, 1000),
            [
                ("a: 1\n".to_owned(), 0, false),
                ("---\nb: 2\n".to_owned(), 1, false),
                ("---\nc: 3\n".to_owned(), 3, false)
            ]
        );
        assert_eq!(windows_of("", 12, 1000), []);
    }

    #[test]
    fn a_document_that_is_too_long_is_skipped() {
        let text = format!("a: 1\n---\nb: {}\n---\nc: 3\n", "x".repeat(500));
        assert_eq!(
            windows_of(&text, 12, 100),
            [("a: 1\n".to_owned(), 0, false), (String::new(), 1, true), ("---\nc: 3\n".to_owned(), 3, false)]
        );
    }
}
