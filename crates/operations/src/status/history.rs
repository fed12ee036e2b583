//! The age of committed items, from the history of their file.
//!
//! Not every commit that changes a file changes the value of an item: re-sealing, another item or an annotation do not. An item
//! is therefore as old as the first commit that has it, by the digest that its checksum is computed from: of the first
//! ciphertext while the record of re-sealing holds, else of the present one. A ciphertext that comes back is as old as before.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use sealwave_core::names::RESEALED;
use sealwave_core::time::Date;
use sealwave_programs::{GitAccess, GitLimits, git_line, run_git, run_git_with_input};
use sealwave_secrets::resealed::{ResealRecord, SealedItemId};

use crate::sealed_files::{SealedFile, compact_ciphertext};

/// The most versions of a file that are read, the newest first.
const MAX_VERSIONS: usize = 500;

/// Size limit of a version that is read.
const MAX_VERSION: u64 = 4 << 20;

/// The shortest word of a text that may be a ciphertext.
const MIN_WORD: usize = 16;

/// Size limit of all versions of a file.
const MAX_VERSIONS_SIZE: u64 = 64 << 20;

/// An item of a committed SealedSecret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedItem {
    /// Its key.
    pub key: String,
    /// The digest of its first ciphertext.
    pub digest: String,
    /// Its present ciphertext.
    pub ciphertext: String,
}

/// The age of committed items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommittedAge {
    /// The day of the oldest item; `None` if no item is committed.
    pub date: Option<Date>,
    /// Whether it may be older: the clone lacks the commits before, or they were not read.
    pub is_minimum: bool,
    /// The oldest item, if others are younger.
    pub item: Option<String>,
    /// The items whose ciphertexts are not committed.
    pub uncommitted: Vec<String>,
}

/// The versions of a file in Git, the newest first.
#[derive(Debug, Default)]
pub struct FileHistory {
    versions: Vec<FileVersion>,
}

#[derive(Debug)]
struct FileVersion {
    date: Date,
    /// Whether there may be older versions that were not read.
    is_end: bool,
    content: VersionContent,
}

#[derive(Debug)]
enum VersionContent {
    /// The digests of the first ciphertexts of all items.
    Items(BTreeSet<String>),
    /// The digests of all words of a text that is not a manifest, such as a template.
    Words(HashSet<u64>),
    /// The clone lacks it, or it is too large.
    Missing,
}

/// A commit that changed a file.
struct Change {
    date: Date,
    has_parents: bool,
    blob: String,
}

impl FileHistory {
    /// Reads the history of a file, through renames; `namespace` is that of objects without one. `None` if Git does not tell.
    #[must_use]
    pub fn read(file: &Path, namespace: &str) -> Option<Self> {
        let directory = sealwave_core::reach::directory_of(file);
        let name = Path::new("./").join(file.file_name()?);
        let mut args: Vec<&std::ffi::OsStr> = Vec::new();
        let limit = format!("--max-count={MAX_VERSIONS}");
        // Names are literal, and signatures are not verified, which would start a program.
        for arg in [
            "--literal-pathspecs",
            "log",
            limit.as_str(),
            "--no-show-signature",
            "--no-color",
            "--follow",
            "--diff-merges=first-parent",
            "--raw",
            "--no-abbrev",
            "--format=commit %ct %P",
            "--",
        ] {
            args.push(arg.as_ref());
        }
        args.push(name.as_os_str());
        let log = run_git(directory, GitAccess::Read, &args, &[]).ok()?;
        let shallow =
            run_git(directory, GitAccess::Read, &["rev-parse", "--is-shallow-repository"], &[]).ok()?;
        let is_shallow = git_line(&shallow) == b"true";
        let changes = changes(&String::from_utf8_lossy(&log));
        let blobs = read_blobs(directory, changes.iter().map(|change| change.blob.as_str()))?;
        let last = (changes.len() >= MAX_VERSIONS).then(|| changes.len() - 1);
        let versions = changes.into_iter().enumerate().map(|(index, change)| FileVersion {
            date: change.date,
            is_end: (is_shallow && !change.has_parents) || last == Some(index),
            content: content(blobs.get(&change.blob), namespace),
        });
        Some(Self { versions: versions.collect() })
    }

    /// Returns the age of the items of an object.
    #[must_use]
    pub fn age(&self, items: &[CommittedItem]) -> CommittedAge {
        let mut age = CommittedAge::default();
        let mut dates = BTreeSet::new();
        let mut oldest: Option<(Date, bool, &str)> = None;
        for item in items {
            match self.first(item) {
                Some((date, is_minimum)) => {
                    dates.insert(date);
                    if oldest.is_none_or(|(known, ..)| date < known) {
                        oldest = Some((date, is_minimum, &item.key));
                    }
                }
                None => age.uncommitted.push(item.key.clone()),
            }
        }
        if let Some((date, is_minimum, key)) = oldest {
            let is_alone = dates.len() == 1 && age.uncommitted.is_empty();
            (age.date, age.is_minimum) = (Some(date), is_minimum);
            age.item = (!is_alone).then(|| key.to_owned());
        }
        age
    }

    /// Returns the day of the oldest version with an item, and whether the item may be older.
    fn first(&self, item: &CommittedItem) -> Option<(Date, bool)> {
        let index = self.versions.iter().rposition(|version| version.content.has(item))?;
        let version = self.versions.get(index)?;
        let older = self.versions.get(index + 1..).unwrap_or_default();
        let is_lacking = older.iter().any(|older| matches!(older.content, VersionContent::Missing));
        Some((version.date, version.is_end || is_lacking))
    }
}

impl VersionContent {
    fn has(&self, item: &CommittedItem) -> bool {
        match self {
            Self::Items(digests) => digests.contains(&item.digest),
            Self::Words(words) => words.contains(&word_digest(&compact_ciphertext(&item.ciphertext))),
            Self::Missing => false,
        }
    }
}

/// Reads the output of `git log`. A commit that deletes the file has no version of it.
fn changes(log: &str) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut commit = None;
    for line in log.lines() {
        if let Some(rest) = line.strip_prefix("commit ") {
            let (seconds, parents) = rest.split_once(' ').unwrap_or((rest, ""));
            let date = seconds.parse().ok().and_then(Date::from_unix_seconds);
            commit = date.map(|date| (date, !parents.is_empty()));
        } else if let (Some((date, has_parents)), Some(raw)) = (commit, line.strip_prefix(':')) {
            let blob = raw.split(' ').nth(3).unwrap_or_default();
            let is_id = blob.bytes().all(|byte| byte.is_ascii_hexdigit()) && blob.len() >= 40;
            if is_id && blob.bytes().any(|byte| byte != b'0') {
                changes.push(Change { date, has_parents, blob: blob.to_owned() });
            }
        }
    }
    changes
}

/// Reads blobs that are not too large, by id. The clone may lack some.
fn read_blobs<'a>(directory: &Path, ids: impl Iterator<Item = &'a str>) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut blobs = BTreeMap::new();
    let ids: Vec<&str> = ids.collect::<BTreeSet<&str>>().into_iter().collect();
    let mut left = MAX_VERSIONS_SIZE;
    for ids in ids.chunks(500) {
        let sizes = batch(directory, "--batch-check", ids)?;
        let mut readable = Vec::new();
        for line in String::from_utf8_lossy(&sizes).lines() {
            let mut words = line.split(' ');
            let (id, kind, size) = (words.next(), words.next(), words.next());
            let size = size.and_then(|size| size.parse::<u64>().ok());
            let fits = kind == Some("blob") && size.is_some_and(|size| size <= MAX_VERSION.min(left));
            if let (Some(id), Some(size), true) = (id, size, fits) {
                left -= size;
                readable.push(id.to_owned());
            }
        }
        if !readable.is_empty() {
            let ids: Vec<&str> = readable.iter().map(String::as_str).collect();
            split_batch(&batch(directory, "--batch", &ids)?, &mut blobs)?;
        }
    }
    Some(blobs)
}

fn batch(directory: &Path, mode: &str, ids: &[&str]) -> Option<Vec<u8>> {
    let input = format!("{}\n", ids.join("\n"));
    run_git_with_input(directory, GitAccess::Read, &["cat-file", mode], input.as_bytes(), GitLimits::LOCAL)
        .ok()
}

/// Splits the output of `git cat-file --batch`: a line with id, kind and size, the bytes, and a line break.
fn split_batch(mut output: &[u8], blobs: &mut BTreeMap<String, Vec<u8>>) -> Option<()> {
    while let Some(end) = output.iter().position(|byte| *byte == b'\n') {
        let header = std::str::from_utf8(output.get(..end)?).ok()?;
        let (id, size) = (header.split(' ').next()?, header.rsplit(' ').next()?);
        let (start, size) = (end + 1, size.parse::<usize>().ok()?);
        blobs.insert(id.to_owned(), output.get(start..start + size)?.to_vec());
        output = output.get(start + size + 1..)?;
    }
    Some(())
}

/// Returns the digests of the words that may be ciphertexts. Looking for each item in the text itself would take the product of
/// both sizes.
fn words(text: &str) -> HashSet<u64> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    // An equals sign before a ciphertext is not a part of it.
    let ciphertext = |word: &'_ str| {
        let before = word.trim_end_matches('=').rfind('=').map_or(0, |at| at + 1);
        before..word.len()
    };
    let words = text.split(|c| !is_base64(c)).filter_map(|word| word.get(ciphertext(word)));
    words.filter(|word| word.len() >= MIN_WORD).map(word_digest).collect()
}

/// Returns a digest that differs for different words with near certainty; it is never shown or kept.
fn word_digest(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

fn content(bytes: Option<&Vec<u8>>, namespace: &str) -> VersionContent {
    let Some(bytes) = bytes else { return VersionContent::Missing };
    let Ok(file) = SealedFile::read("", bytes.clone()) else {
        return VersionContent::Words(words(&String::from_utf8_lossy(bytes)));
    };
    let mut digests = BTreeSet::new();
    for object in file.objects() {
        let record = object.annotation(RESEALED).and_then(|text| ResealRecord::parse(text).ok());
        let record = record.unwrap_or_default();
        let namespace = if object.namespace.is_empty() { namespace } else { &object.namespace };
        for item in &object.items {
            let id = SealedItemId { namespace, name: &object.name, scope: object.scope, key: &item.key };
            digests.insert(record.original(&id, &item.ciphertext));
        }
    }
    VersionContent::Items(digests)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphertexts_of_texts_are_found_as_words() {
        let ciphertext = format!("{}+/w==", "AgB".repeat(100));
        let item = |ciphertext: &str| CommittedItem {
            key: "k".to_owned(),
            digest: String::new(),
            ciphertext: ciphertext.to_owned(),
        };
        for before in ["{{ x }}: [", "k: ", "k: '", "k: \"", "k=", "- "] {
            let text = format!("{before}{ciphertext}\n{{{{ x }}}}: [");
            let version = content(Some(&text.into_bytes()), "shop");
            assert!(matches!(version, VersionContent::Words(_)), "{before}");
            assert!(version.has(&item(&ciphertext)), "{before}");
            assert!(!version.has(&item(&ciphertext.replace("+/w", "+/x"))), "{before}");
        }
    }
}
