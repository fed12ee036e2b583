//! Reads lines of sources again when a report is printed.
//!
//! Files are read lazily and few are kept, as findings are sorted by place. Beyond any limit, no excerpt is returned.
//! This module does not decide whether a line may be shown; the [guard](super::ExcerptGuard) does.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use super::STDIN;
use sealwave_core::bounded_file::read_file;

/// Files larger than this are not read.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// The most files that are kept at once.
const MAX_FILES: usize = 16;
/// The most bytes of all kept files, unless the last file alone is larger.
const MAX_KEPT_BYTES: usize = 32 << 20;
/// Longer lines are not shown.
const MAX_LINE_BYTES: usize = 4096;
/// Lines before and after a line that give its context.
const BEFORE: u32 = 60;
const AFTER: u32 = 3;
/// Distance in bytes between the entries of the line index.
const STRIDE: usize = 4096;

/// Opens a source by the path in a finding; `None` if it may not be read.
type OpenSource = Box<dyn Fn(&Path) -> Option<fs_err::File>>;

/// Provides lines of sources by the paths in findings.
pub struct Excerpts {
    open: OpenSource,
    preloaded: BTreeMap<String, IndexedText>,
    files: RefCell<VecDeque<(String, Option<IndexedText>)>>,
}

impl Excerpts {
    /// Creates excerpts of regular files; `open` decides which files may be read.
    #[must_use]
    pub fn new(open: impl Fn(&Path) -> Option<fs_err::File> + 'static) -> Self {
        Self { open: Box::new(open), preloaded: BTreeMap::new(), files: RefCell::default() }
    }

    /// Adds a text that is not in a file, for example standard input.
    pub fn preload(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.preloaded.insert(path.into(), IndexedText::new(text.into()));
    }

    /// Returns a line with its surrounding lines and its index among them; `None` if a line before it is unavailable.
    pub(super) fn around(&self, path: &str, line: u32) -> Option<(Vec<String>, usize)> {
        let first = line.saturating_sub(BEFORE).max(1);
        let mut lines: Vec<String> =
            (first..=line).map(|line| self.line(path, line)).collect::<Option<_>>()?;
        let after = line.saturating_add(1)..=line.saturating_add(AFTER);
        lines.extend(after.map_while(|line| self.line(path, line)));
        Some((lines, usize::try_from(line.checked_sub(first)?).ok()?))
    }

    /// Returns a line, counted from 1, without its line break; `None` if it is unavailable, not UTF-8, or too long.
    pub(super) fn line(&self, path: &str, line: u32) -> Option<String> {
        if let Some(text) = self.preloaded.get(path) {
            return text.line(line);
        }
        let mut files = self.files.borrow_mut();
        if !files.iter().any(|(known, _)| known == path) {
            let text = source_path(path)
                .and_then(|source_path| read((self.open)(source_path)?))
                .map(IndexedText::new);
            make_room(&mut files, text.as_ref().map_or(0, IndexedText::size));
            files.push_back((path.to_owned(), text));
        }
        files.iter().find(|(known, _)| known == path)?.1.as_ref()?.line(line)
    }
}

/// Returns the path of a displayed name; `None` if the name might not be a file's own path: for standard input, and for
/// names with replacement characters.
fn source_path(shown: &str) -> Option<&Path> {
    (shown != STDIN && !shown.contains(char::REPLACEMENT_CHARACTER)).then(|| Path::new(shown))
}

/// Reads a regular file up to the size limit.
fn read(file: fs_err::File) -> Option<Vec<u8>> {
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > MAX_FILE_BYTES {
        return None;
    }
    let mut bytes = read_file(file, MAX_FILE_BYTES).ok()?;
    Some(std::mem::take(&mut *bytes))
}

fn make_room(files: &mut VecDeque<(String, Option<IndexedText>)>, needed: usize) {
    let kept = |files: &VecDeque<(String, Option<IndexedText>)>| -> usize {
        files.iter().filter_map(|(_, text)| text.as_ref()).map(IndexedText::size).sum()
    };
    while files.len() >= MAX_FILES || (!files.is_empty() && kept(files) + needed > MAX_KEPT_BYTES) {
        files.pop_front();
    }
}

/// A text with an index of lines, so that a line is found without a scan from the start.
struct IndexedText {
    bytes: Vec<u8>,
    /// The number of line breaks before each multiple of the stride.
    line_ends: Vec<u32>,
}

impl IndexedText {
    fn new(bytes: Vec<u8>) -> Self {
        let mut line_ends = vec![0];
        let mut count = 0_u32;
        for stride in bytes.chunks(STRIDE) {
            count =
                count.saturating_add(u32::try_from(memchr::memchr_iter(b'\n', stride).count()).unwrap_or(0));
            line_ends.push(count);
        }
        Self { bytes, line_ends }
    }

    fn size(&self) -> usize {
        self.bytes.len() + self.line_ends.len() * size_of::<u32>()
    }

    fn line(&self, line: u32) -> Option<String> {
        let rest = self.bytes.get(self.start(line)?..)?;
        let window = rest.get(..=MAX_LINE_BYTES).unwrap_or(rest);
        let end = match memchr::memchr(b'\n', window) {
            Some(end) => end,
            None if window.len() == rest.len() => rest.len(),
            None => return None,
        };
        let text = str::from_utf8(rest.get(..end)?).ok()?;
        Some(text.strip_suffix('\r').unwrap_or(text).to_owned())
    }

    /// Returns the offset of a line: after as many line breaks as there are lines before it.
    fn start(&self, line: u32) -> Option<usize> {
        let before = line.checked_sub(1)?;
        if before == 0 {
            return Some(0);
        }
        let stride = self.line_ends.partition_point(|ends| *ends < before).checked_sub(1)?;
        let skip = before - self.line_ends.get(stride)?;
        let from = stride * STRIDE;
        let nth = usize::try_from(skip).ok()?.checked_sub(1)?;
        memchr::memchr_iter(b'\n', self.bytes.get(from..)?).nth(nth).map(|end| from + end + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preloaded(text: &str) -> Excerpts {
        let mut excerpts = Excerpts::new(|_| None);
        excerpts.preload("-", text);
        excerpts
    }

    #[test]
    fn lines_are_found_across_strides() {
        let lines: Vec<String> = (0..3000_usize).map(|n| format!("{n}{}", "x".repeat(n % 97))).collect();
        let excerpts = preloaded(&lines.join("\r\n"));
        for (index, expected) in lines.iter().enumerate() {
            assert_eq!(excerpts.line("-", u32::try_from(index + 1).unwrap()).as_ref(), Some(expected));
        }
        assert_eq!(excerpts.line("-", 3001), None);
        assert_eq!(excerpts.line("-", 0), None);
        assert_eq!(preloaded(&"\n".repeat(10_000)).line("-", 9_999).as_deref(), Some(""));
    }

    #[test]
    fn long_lines_and_invalid_text_have_no_excerpt() {
        let long = "x".repeat(MAX_LINE_BYTES);
        assert_eq!(preloaded(&long).line("-", 1), Some(long.clone()));
        assert_eq!(preloaded(&format!("{long}x\ny")).line("-", 1), None);
        assert_eq!(preloaded(&format!("{long}x\ny")).line("-", 2).as_deref(), Some("y"));
        let mut excerpts = Excerpts::new(|_| None);
        excerpts.preload("-", vec![0xff, b'\n', b'a']);
        assert_eq!(excerpts.line("-", 1), None);
        assert_eq!(excerpts.line("-", 2).as_deref(), Some("a"));
    }

    #[test]
    fn few_files_are_kept_and_only_regular_files_are_read() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..40 {
            fs_err::write(dir.path().join(format!("{number}.yaml")), format!("a: {number}\n")).unwrap();
        }
        let root = dir.path().to_owned();
        let excerpts = Excerpts::new(move |path| fs_err::File::open(root.join(path)).ok());
        for number in 0..40 {
            assert_eq!(excerpts.line(&format!("{number}.yaml"), 1), Some(format!("a: {number}")));
        }
        assert_eq!(excerpts.files.borrow().len(), MAX_FILES);
        assert_eq!(excerpts.line(".", 1), None);
        assert_eq!(excerpts.line("missing.yaml", 1), None);
        fs_err::File::create(dir.path().join("large.yaml")).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
        assert_eq!(excerpts.line("large.yaml", 1), None);
    }
}
