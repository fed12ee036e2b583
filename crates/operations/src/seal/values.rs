//! Values of flags: texts, files, and files of assignments.
//!
//! The flags are those of `kubectl create secret generic`. Unlike there, quotes around a literal belong to it, an assignment
//! without `=` is not read from the environment, and nothing is skipped silently. No message shows a value, or a key that may be
//! one.
//!
//! A literal is a text as in `stringData` of a manifest, so it may have placeholders. The content of a file is never read as
//! anything else than bytes.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::directory::{read_own_file, regular_entries, shown_name};
use super::value_notes::{FinalLineBreak, QuotedValue, SealedAsItIs, SkippedEntries, VisibleLiteral};
use sealwave_core::bounded_file::{BoundedReadError, read_regular_file, read_stream};
use sealwave_core::diagnostic::{
    Explain, Failure, NOT_REGULAR_FILE, NOT_UTF8, Note, Problem, ProblemCollector, io_reason,
};
use sealwave_core::document::{Node, NodeValue, Origin, SourceId, display_path};
use sealwave_core::names::{MAX_ITEM_KEY, is_item_key, item_label};
use sealwave_secrets::placeholder::PlaceholderText;
use sealwave_secrets::values::SecretValue;

/// The largest file, in bytes: what a Secret can hold.
const MAX_FILE: u64 = 1 << 20;

/// The most entries of a directory.
const MAX_ENTRIES: usize = 4096;

/// The file that stands for standard input.
const STDIN: &str = "-";

/// The directories with the open files of a process, which the shell names for `<(command)`.
const OPEN_FILES: [&str; 3] = ["/dev/fd/", "/proc/self/fd/", "/dev/stdin"];

/// The flags that have values.
#[derive(Clone, Copy, Debug, Default)]
pub struct ValueFlags<'a> {
    /// `KEY=VALUE`.
    pub literals: &'a [String],
    /// `[KEY=]PATH`, or a directory; `-` is standard input.
    pub files: &'a [String],
    /// Files with a line `KEY=VALUE` per item.
    pub env_files: &'a [PathBuf],
}

/// Items of a Secret, in the order of their keys.
#[derive(Default)]
pub struct SecretItems(BTreeMap<String, ItemSource>);

/// The value of an item.
enum ItemSource {
    /// The content of a file.
    Bytes(SecretValue),
    /// A text that may have placeholders.
    Text(SecretValue),
}

/// A reason why a flag gives no item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum ValueError {
    #[error("{flag} number {number} has no `=`; it is not shown, since it may be a value")]
    NoAssignment { flag: &'static str, number: usize },
    #[error("key of {flag} number {number} is not valid; it is not shown, since it may be a value")]
    Key { flag: &'static str, number: usize },
    #[error("name of file `{path}` is not a valid key of an item")]
    FileName { path: String },
    #[error("directory of {} gives several items", item_label(.0))]
    KeyOfDirectory(String),
    #[error("directory `{path}` has more than {MAX_ENTRIES} entries")]
    LargeDirectory { path: String },
    #[error("`--from-file -` needs a key")]
    StdinWithoutKey,
    #[error("`--from-env-file -` does not read standard input")]
    EnvStdin,
    #[error("line {line} of `{path}` starts with `export`")]
    EnvExport { path: String, line: usize },
    #[error("standard input is used by two flags")]
    StdinTwice,
    // Instead of a path, a value may have been given.
    #[error("file of {} cannot be read: {reason}", item_label(.key))]
    UnreadableItem { key: String, reason: String },
    #[error("`{path}` cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("`{path}` {NOT_UTF8}")]
    NotText { path: String },
    #[error("line {line} of `{path}` has no `=`; it is not shown, since it may be a value")]
    EnvLine { path: String, line: usize },
    #[error("key in line {line} of `{path}` is not valid; it is not shown, since it may be a value")]
    EnvKey { path: String, line: usize },
    #[error("{} is given twice", item_label(.0))]
    Duplicate(String),
}

impl Explain for ValueError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoAssignment { .. } => "write `--from-literal KEY=VALUE`".to_owned(),
            Self::Key { .. } | Self::EnvKey { .. } => {
                format!("a key has 1 to {MAX_ITEM_KEY} letters, digits, `-`, `_` or `.`")
            }
            Self::FileName { path } => format!("write `--from-file KEY={path}`"),
            Self::KeyOfDirectory(_) => {
                "write `--from-file PATH` without a key: each file of the directory is an item".to_owned()
            }
            Self::LargeDirectory { .. } => "name each file: `--from-file PATH/FILE`".to_owned(),
            Self::StdinWithoutKey => "write `--from-file KEY=-`".to_owned(),
            Self::EnvStdin => {
                "write the lines to a file, or name an open file: `--from-env-file <(COMMAND)`".to_owned()
            }
            Self::EnvExport { .. } => "remove `export`: each line is `KEY=VALUE`".to_owned(),
            Self::StdinTwice => "write one of the values to a file".to_owned(),
            Self::NotText { .. } => "pass a binary value with `--from-file KEY=PATH`".to_owned(),
            Self::EnvLine { .. } => "write `KEY=VALUE`, or start a comment with `#`".to_owned(),
            Self::Duplicate(_) => "give each key once".to_owned(),
            Self::UnreadableItem { key, .. } => {
                format!("check the path after `--from-file {key}=`; it is not shown, since it may be a value")
            }
            Self::Unreadable { .. } => return None,
        })
    }
}

impl ValueFlags<'_> {
    /// Reports whether no flag is given.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.literals.is_empty() && self.files.is_empty() && self.env_files.is_empty()
    }

    /// Reads all values; `stdin` is read at most once.
    ///
    /// # Errors
    /// All flags that give no item, and items that are given twice.
    pub fn read(&self, stdin: impl Read, notes: &mut Vec<Note>) -> Result<SecretItems, Failure> {
        let mut reader = ValueReader {
            stdin: Some(stdin),
            items: SecretItems::default(),
            problems: ProblemCollector::default(),
            notes,
        };
        for (number, literal) in (1..).zip(self.literals) {
            reader.add(|_| split_literal(literal, number));
        }
        for (number, file) in (1..).zip(self.files) {
            if file != STDIN && Path::new(file).is_dir() {
                reader.directory(Path::new(file));
            } else {
                reader.add(|reader| reader.file(file, number));
            }
        }
        for file in self.env_files {
            reader.env_file(file);
        }
        if !self.literals.is_empty() {
            reader.notes.push(Note::warning(Problem::new(&VisibleLiteral)));
        }
        let ValueReader { items, problems, .. } = reader;
        problems.check().map(|()| items)
    }
}

struct ValueReader<'n, R> {
    stdin: Option<R>,
    items: SecretItems,
    problems: ProblemCollector,
    notes: &'n mut Vec<Note>,
}

type Item = (String, ItemSource);

impl<R: Read> ValueReader<'_, R> {
    fn add(&mut self, read: impl FnOnce(&mut Self) -> Result<Item, ValueError>) {
        match read(self) {
            Ok((key, _)) if self.items.0.contains_key(&key) => {
                self.problems.push(Problem::new(&ValueError::Duplicate(key)));
            }
            Ok((key, value)) => {
                self.items.0.insert(key, value);
            }
            Err(error) => self.problems.push(Problem::new(&error)),
        }
    }

    fn file(&mut self, flag: &str, number: usize) -> Result<Item, ValueError> {
        let (key, path) = match flag.split_once('=') {
            Some((key, path)) if is_item_key(key) && path != STDIN && Path::new(path).is_dir() => {
                return Err(ValueError::KeyOfDirectory(key.to_owned()));
            }
            Some((key, path)) if is_item_key(key) => (key.to_owned(), path),
            Some(_) => return Err(ValueError::Key { flag: "`--from-file`", number }),
            None if flag == STDIN => return Err(ValueError::StdinWithoutKey),
            None => {
                let name = Path::new(flag).file_name().and_then(|name| name.to_str());
                let name = name.filter(|name| is_item_key(name));
                let name =
                    name.ok_or_else(|| ValueError::FileName { path: display_path(Path::new(flag)) })?;
                (name.to_owned(), flag)
            }
        };
        let value = self.read(&key, path)?;
        self.note_content(&key, &value);
        Ok((key, ItemSource::Bytes(value)))
    }

    /// Reads each regular file of a directory, in the order of their names, as kubectl does. No link is followed.
    fn directory(&mut self, directory: &Path) {
        let shown = || display_path(directory);
        let mut entries = match regular_entries(directory, MAX_ENTRIES + 1) {
            Ok(entries) if entries.len() > MAX_ENTRIES => {
                let error = ValueError::LargeDirectory { path: shown() };
                return self.problems.push(Problem::new(&error));
            }
            Ok(entries) => entries,
            Err(error) => {
                let error = ValueError::Unreadable { path: shown(), reason: io_reason(error.kind()) };
                return self.problems.push(Problem::new(&error));
            }
        };
        entries.sort();
        let (files, skipped): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, is_file)| *is_file);
        for (name, _) in files {
            self.add(|reader| reader.entry(&directory.join(name)));
        }
        if !skipped.is_empty() {
            let skipped = skipped.iter().map(|(name, _)| format!("`{}`", shown_name(name))).collect();
            let note = SkippedEntries { directory: shown(), skipped };
            self.notes.push(Note::warning(Problem::new(&note)));
        }
    }

    fn entry(&mut self, path: &Path) -> Result<Item, ValueError> {
        let name = path.file_name().and_then(|name| name.to_str()).filter(|name| is_item_key(name));
        let key = name.ok_or_else(|| ValueError::FileName { path: display_path(path) })?.to_owned();
        let mut bytes = read_own_file(path, MAX_FILE)
            .map_err(|error| ValueError::UnreadableItem { key: key.clone(), reason: reason(&error) })?;
        let value = SecretValue::new(std::mem::take(&mut *bytes));
        self.note_content(&key, &value);
        Ok((key, ItemSource::Bytes(value)))
    }

    fn read(&mut self, key: &str, path: &str) -> Result<SecretValue, ValueError> {
        let read = if path == STDIN {
            read_stream(self.stdin.take().ok_or(ValueError::StdinTwice)?, MAX_FILE)
        } else {
            read_value_file(Path::new(path))
        };
        let unreadable = |error: BoundedReadError| ValueError::UnreadableItem {
            key: key.to_owned(),
            reason: reason(&error),
        };
        let mut bytes = read.map_err(unreadable)?;
        Ok(SecretValue::new(std::mem::take(&mut *bytes)))
    }

    /// Adds notes about content that is probably not meant.
    fn note_content(&mut self, key: &str, value: &SecretValue) {
        let Some(text) = value.expose_str() else { return };
        if text.strip_suffix('\n').is_some_and(|line| !line.contains('\n')) {
            self.notes.push(Note::warning(Problem::new(&FinalLineBreak(key.to_owned()))));
        }
        if PlaceholderText::parse(text).map_or(true, |parsed| !parsed.is_literal()) {
            self.notes.push(Note::warning(Problem::new(&SealedAsItIs(key.to_owned()))));
        }
    }

    /// Reads a file of assignments. Lines that are blank or start with `#` are ignored.
    fn env_file(&mut self, path: &Path) {
        let shown = || display_path(path);
        if path.as_os_str() == STDIN {
            return self.problems.push(Problem::new(&ValueError::EnvStdin));
        }
        let bytes = match read_value_file(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let error = ValueError::Unreadable { path: shown(), reason: reason(&error) };
                return self.problems.push(Problem::new(&error));
            }
        };
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return self.problems.push(Problem::new(&ValueError::NotText { path: shown() }));
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (line, content) in (1..).zip(text.lines()) {
            let content = content.trim_start();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            if let Some((key, value)) = content.split_once('=')
                && is_item_key(key)
                && is_quoted(value)
            {
                let note = QuotedValue { key: key.to_owned(), path: shown(), line };
                self.notes.push(Note::warning(Problem::new(&note)));
            }
            self.add(|_| match content.split_once('=') {
                Some((key, value)) if is_item_key(key) => {
                    Ok((key.to_owned(), ItemSource::Bytes(value_of(value))))
                }
                Some((key, _)) if key.split_once([' ', '\t']).is_some_and(|(word, _)| word == "export") => {
                    Err(ValueError::EnvExport { path: shown(), line })
                }
                Some(_) => Err(ValueError::EnvKey { path: shown(), line }),
                None => Err(ValueError::EnvLine { path: shown(), line }),
            });
        }
    }
}

/// Reports whether a value is in quotes, which a shell would remove.
fn is_quoted(value: &str) -> bool {
    let value = value.trim();
    ['"', '\''].iter().any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote))
}

fn split_literal(literal: &str, number: usize) -> Result<Item, ValueError> {
    const FLAG: &str = "`--from-literal`";
    let (key, value) = literal.split_once('=').ok_or(ValueError::NoAssignment { flag: FLAG, number })?;
    if !is_item_key(key) {
        return Err(ValueError::Key { flag: FLAG, number });
    }
    Ok((key.to_owned(), ItemSource::Text(value_of(value))))
}

fn value_of(text: &str) -> SecretValue {
    SecretValue::new(text.as_bytes().to_vec())
}

/// Reads a regular file, or the output of a command that the shell passes as an open file.
fn read_value_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, BoundedReadError> {
    let is_open_file = path.to_str().is_some_and(|path| OPEN_FILES.iter().any(|open| path.starts_with(open)));
    if is_open_file {
        read_stream(fs_err::File::open(path)?, MAX_FILE)
    } else {
        read_regular_file(path, MAX_FILE)
    }
}

fn reason(error: &BoundedReadError) -> String {
    match error {
        BoundedReadError::Io(error) => io_reason(error.kind()),
        BoundedReadError::NotRegular => format!("it {NOT_REGULAR_FILE}"),
        BoundedReadError::TooLarge => {
            format!("it is larger than {MAX_FILE} bytes, which a Secret cannot hold")
        }
    }
}

impl SecretItems {
    /// Returns the number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Reports whether there are no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns a Secret with the items.
    pub(super) fn secret(&self, source: SourceId, secret_type: Option<&str>) -> Node {
        let at = Origin::whole(source);
        let text = |text: &str| Node::string(text, at);
        let mut root = Node::new(NodeValue::Null, at);
        if let Some(fields) = root.mapping_at_mut(&[]) {
            fields.insert("apiVersion", at, text("v1"));
            fields.insert("kind", at, text("Secret"));
            if let Some(secret_type) = secret_type {
                fields.insert("type", at, text(secret_type));
            }
        }
        for (key, value) in &self.0 {
            let (section, node) = match value {
                ItemSource::Bytes(value) => match value.expose_str() {
                    Some(plain) => ("stringData", text(&PlaceholderText::literal(plain).to_source())),
                    None => ("data", text(&Zeroizing::new(STANDARD.encode(value.expose())))),
                },
                ItemSource::Text(value) => ("stringData", text(value.expose_str().unwrap_or_default())),
            };
            if let Some(items) = root.mapping_at_mut(&[section]) {
                items.insert(key.as_str(), at, node);
            }
        }
        root
    }
}
