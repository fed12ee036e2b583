//! Lines of sources, read again when a report is printed.
//!
//! Files are read lazily and few are kept: findings come in the order of their places. Every bound leads to the same: no
//! excerpt. Nothing here decides whether a line may be shown; the [guard](super::ExcerptGuard) does.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io::Read as _;
use std::path::Path;

use super::STDIN;

/// Files larger than this are not read.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// So many files are kept at once, ...
const MAX_FILES: usize = 16;
/// ... of so many bytes together, or the last alone.
const MAX_KEPT_BYTES: usize = 32 << 20;
/// Longer lines are nothing to read for people.
const MAX_LINE_BYTES: usize = 4096;
/// Lines before one and after it that say what it holds.
const BEFORE: u32 = 60;
const AFTER: u32 = 3;
/// Distance of the positions that lines are counted from.
const STRIDE: usize = 4096;

/// Opens a source by the path that findings name; `None` where it may not be read.
type Open = Box<dyn Fn(&Path) -> Option<fs_err::File>>;

/// Gives lines of sources by the paths that findings name.
pub struct Excerpts {
    open: Open,
    preloaded: BTreeMap<String, Text>,
    files: RefCell<VecDeque<(String, Option<Text>)>>,
}

impl Excerpts {
    /// Reads the regular files that `open` opens: it decides which those are.
    #[must_use]
    pub fn new(open: impl Fn(&Path) -> Option<fs_err::File> + 'static) -> Self {
        Self { open: Box::new(open), preloaded: BTreeMap::new(), files: RefCell::default() }
    }

    /// Adds a text that is in no file, for example standard input.
    pub fn preload(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.preloaded.insert(path.into(), Text::new(text.into()));
    }

    /// A line with those around it, and which of them it is; none where one of those before it cannot be had.
    pub(super) fn around(&self, path: &str, line: u32) -> Option<(Vec<String>, usize)> {
        let first = line.saturating_sub(BEFORE).max(1);
        let mut lines: Vec<String> =
            (first..=line).map(|line| self.line(path, line)).collect::<Option<_>>()?;
        let after = line.saturating_add(1)..=line.saturating_add(AFTER);
        lines.extend(after.map_while(|line| self.line(path, line)));
        Some((lines, usize::try_from(line.checked_sub(first)?).ok()?))
    }

    /// A line, counted from 1, without its end; none where it cannot be had, is no UTF-8, or is too long.
    pub(super) fn line(&self, path: &str, line: u32) -> Option<String> {
        if let Some(text) = self.preloaded.get(path) {
            return text.line(line);
        }
        let mut files = self.files.borrow_mut();
        if !files.iter().any(|(known, _)| known == path) {
            let text = real(path).and_then(|real| read((self.open)(real)?)).map(Text::new);
            make_room(&mut files, text.as_ref().map_or(0, Text::size));
            files.push_back((path.to_owned(), text));
        }
        files.iter().find(|(known, _)| known == path)?.1.as_ref()?.line(line)
    }
}

/// The path of a file that is shown so; none where it may be another's: that of standard input, or of a name that is no
/// UTF-8, in which some character stands for what it was.
fn real(shown: &str) -> Option<&Path> {
    (shown != STDIN && !shown.contains(char::REPLACEMENT_CHARACTER)).then(|| Path::new(shown))
}

/// A regular file of a fair size.
fn read(file: fs_err::File) -> Option<Vec<u8>> {
    let about = file.metadata().ok()?;
    if !about.is_file() || about.len() > MAX_FILE_BYTES {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 <= MAX_FILE_BYTES).then_some(bytes)
}

fn make_room(files: &mut VecDeque<(String, Option<Text>)>, needed: usize) {
    let kept = |files: &VecDeque<(String, Option<Text>)>| -> usize {
        files.iter().filter_map(|(_, text)| text.as_ref()).map(Text::size).sum()
    };
    while files.len() >= MAX_FILES || (!files.is_empty() && kept(files) + needed > MAX_KEPT_BYTES) {
        files.pop_front();
    }
}

/// A text whose lines are found without a walk from its start, however many there are and however long.
struct Text {
    bytes: Vec<u8>,
    /// Line ends before each multiple of the stride.
    line_ends: Vec<u32>,
}

impl Text {
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

    /// Where a line starts: after as many line ends as there are lines before it.
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
    fn every_line_is_found_wherever_strides_end() {
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
    fn long_lines_and_broken_text_give_nothing() {
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
    fn few_files_are_kept_and_only_files_are_read() {
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
