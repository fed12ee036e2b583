//! Source lines that may be shown beside a message.
//!
//! A [`ShownLine`] is made here only, after [`SecretSigns`] were asked about the text that it is from. Files are read
//! lazily, when a message is printed, and few are kept, as messages are sorted by place. Beyond any limit, no line is
//! returned.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use crate::bounded_file::read_file;

/// The name of standard input in places.
pub const STDIN: &str = "<stdin>";

/// Files larger than this are not read.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// The most files that are kept at once.
const MAX_FILES: usize = 16;
/// The most bytes of all kept files, unless the last file alone is larger.
const MAX_KEPT_BYTES: usize = 32 << 20;
/// The largest text that is searched for secrets; none of the lines of a larger one is shown.
const MAX_SEARCHED_BYTES: usize = 1 << 20;
/// Longer lines are not shown.
const MAX_LINE_BYTES: usize = 4096;
/// Lines before and after a line that give its context.
const BEFORE: u32 = 60;
const AFTER: u32 = 3;
/// Distance in bytes between the entries of the line index.
const STRIDE: usize = 4096;

/// Opens a source by the path in a finding; `None` if it may not be read.
type OpenSource = Box<dyn Fn(&Path) -> Option<fs_err::File>>;

/// The signs of secrets in sources. In doubt, a sign is there.
#[derive(Clone, Copy, Debug)]
pub struct SecretSigns {
    /// Reports whether the line at an index may hold a secret, judging by the lines around it.
    pub in_line: fn(&[String], usize) -> bool,
    /// Reports whether a text may hold a secret anywhere, whatever it looks like.
    pub in_text: fn(&str) -> bool,
}

/// A source line that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLine(String);

impl ShownLine {
    /// Returns the line without its line break.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Provides lines of sources by the paths in messages.
pub struct Excerpts {
    open: OpenSource,
    signs: SecretSigns,
    preloaded: BTreeMap<String, IndexedText>,
    files: RefCell<VecDeque<(String, Option<IndexedText>)>>,
}

impl Excerpts {
    /// Creates excerpts of regular files; `open` decides which files may be read.
    #[must_use]
    pub fn new(signs: SecretSigns, open: impl Fn(&Path) -> Option<fs_err::File> + 'static) -> Self {
        Self { open: Box::new(open), signs, preloaded: BTreeMap::new(), files: RefCell::default() }
    }

    /// Adds a text that is not in a file, for example standard input.
    pub fn preload(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.preloaded.insert(path.into(), IndexedText::new(text.into()));
    }

    /// Returns a line of an object that is known to hold no secret, unless the line itself may hold one.
    #[must_use]
    pub fn line_of_object(&self, path: &str, line: u32) -> Option<ShownLine> {
        let (mut lines, at) = self.around(path, line)?;
        let is_hidden = (self.signs.in_line)(&lines, at);
        (!is_hidden && at < lines.len()).then(|| ShownLine(lines.swap_remove(at)))
    }

    /// Returns a line of an unknown text, unless the text or the line may hold a secret.
    #[must_use]
    pub fn line_of_text(&self, path: &str, line: u32) -> Option<ShownLine> {
        self.is_harmless(path).then(|| self.line_of_object(path, line)).flatten()
    }

    /// Reports whether a source can be read and has no sign of a secret.
    #[must_use]
    pub fn is_harmless(&self, path: &str) -> bool {
        self.with_text(path, |text| text.is_harmless(self.signs)) == Some(true)
    }

    /// Returns a line with its surrounding lines and its index among them; `None` if a line before it is unavailable.
    fn around(&self, path: &str, line: u32) -> Option<(Vec<String>, usize)> {
        let first = line.saturating_sub(BEFORE).max(1);
        let mut lines: Vec<String> =
            (first..=line).map(|line| self.line(path, line)).collect::<Option<_>>()?;
        let after = line.saturating_add(1)..=line.saturating_add(AFTER);
        lines.extend(after.map_while(|line| self.line(path, line)));
        Some((lines, usize::try_from(line.checked_sub(first)?).ok()?))
    }

    /// Returns a line, counted from 1, without its line break; `None` if it is unavailable, not UTF-8, or too long.
    fn line(&self, path: &str, line: u32) -> Option<String> {
        self.with_text(path, |text| text.line(line)).flatten()
    }

    /// Passes the text of a source on; `None` if it is not available.
    fn with_text<T>(&self, path: &str, read: impl FnOnce(&IndexedText) -> T) -> Option<T> {
        if let Some(text) = self.preloaded.get(path) {
            return Some(read(text));
        }
        let mut files = self.files.borrow_mut();
        if !files.iter().any(|(known, _)| known == path) {
            let text = source_path(path)
                .and_then(|source_path| read_regular((self.open)(source_path)?))
                .map(IndexedText::new);
            make_room(&mut files, text.as_ref().map_or(0, IndexedText::size));
            files.push_back((path.to_owned(), text));
        }
        files.iter().find(|(known, _)| known == path)?.1.as_ref().map(read)
    }
}

/// Returns the path of a displayed name; `None` if the name might not be a file's own path: for standard input, and for
/// names with replacement characters.
fn source_path(shown: &str) -> Option<&Path> {
    (shown != STDIN && !shown.contains(char::REPLACEMENT_CHARACTER)).then(|| Path::new(shown))
}

/// Reads a regular file up to the size limit.
fn read_regular(file: fs_err::File) -> Option<Vec<u8>> {
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
    /// Whether the text has no sign of a secret, once that was asked.
    is_harmless: OnceCell<bool>,
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
        Self { bytes, line_ends, is_harmless: OnceCell::new() }
    }

    fn size(&self) -> usize {
        self.bytes.len() + self.line_ends.len() * size_of::<u32>()
    }

    fn is_harmless(&self, signs: SecretSigns) -> bool {
        *self.is_harmless.get_or_init(|| {
            self.bytes.len() <= MAX_SEARCHED_BYTES
                && str::from_utf8(&self.bytes).is_ok_and(|text| !(signs.in_text)(text))
        })
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

    /// A text or a line with this word has a sign of a secret.
    const SIGNS: SecretSigns = SecretSigns {
        in_line: |lines, at| lines[at].contains("password"),
        in_text: |text| text.contains("kind: Secret"),
    };

    fn preloaded(text: &str) -> Excerpts {
        let mut excerpts = Excerpts::new(SIGNS, |_| None);
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
        let mut excerpts = Excerpts::new(SIGNS, |_| None);
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
        let excerpts = Excerpts::new(SIGNS, move |path| fs_err::File::open(root.join(path)).ok());
        for number in 0..40 {
            assert_eq!(excerpts.line(&format!("{number}.yaml"), 1), Some(format!("a: {number}")));
        }
        assert_eq!(excerpts.files.borrow().len(), MAX_FILES);
        assert_eq!(excerpts.line(".", 1), None);
        assert_eq!(excerpts.line("missing.yaml", 1), None);
        fs_err::File::create(dir.path().join("large.yaml")).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
        assert_eq!(excerpts.line("large.yaml", 1), None);
    }

    #[test]
    fn only_lines_without_signs_are_shown() {
        let excerpts = preloaded("a: 1\npassword: x\n");
        let shown = |line: Option<ShownLine>| line.map(|line| line.text().to_owned());
        assert_eq!(shown(excerpts.line_of_text("-", 1)).as_deref(), Some("a: 1"));
        assert_eq!(shown(excerpts.line_of_text("-", 2)), None);
        assert_eq!(shown(excerpts.line_of_object("-", 2)), None);
        let excerpts = preloaded("a: 1\nkind: Secret\n");
        assert_eq!(shown(excerpts.line_of_text("-", 1)), None);
        assert_eq!(shown(excerpts.line_of_object("-", 1)).as_deref(), Some("a: 1"));
        let large = format!("a: 1\n{}", "#\n".repeat(MAX_SEARCHED_BYTES / 2));
        assert_eq!(shown(preloaded(&large).line_of_text("-", 1)), None);
        let mut excerpts = Excerpts::new(SIGNS, |_| None);
        excerpts.preload("-", b"a: 1\n\xff".to_vec());
        assert_eq!(shown(excerpts.line_of_text("-", 1)), None);
        assert!(!excerpts.is_harmless("missing"));
    }

    #[test]
    fn the_line_is_from_the_text_that_was_searched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.yaml");
        fs_err::write(&path, "a: 1\n").unwrap();
        let file = path.clone();
        let excerpts = Excerpts::new(SIGNS, move |_| fs_err::File::open(&file).ok());
        assert!(excerpts.is_harmless("a.yaml"));
        fs_err::write(&path, "CANARY\nkind: Secret\n").unwrap();
        assert_eq!(excerpts.line_of_text("a.yaml", 1).unwrap().text(), "a: 1");
    }
}
