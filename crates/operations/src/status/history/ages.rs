//! The search for the first version with each item.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sealwave_core::reach::repository_root;
use sealwave_core::time::Date;
use sealwave_programs::{GitAccess, GitLimits, GitObjects, GitRunError, git_line, git_path, run_git};

use super::content::VersionContent;
use super::item::{CommittedAge, CommittedItem};
use super::log::{LogChange, LogCommit, LogOrder, read_changes, read_renames};

/// The most files in one `git log`: more would not fit into its arguments.
const MAX_FILES: usize = 1_000;

/// The time for finding the newest versions after a limit was reached.
const NEWEST_TIME: Duration = Duration::from_mins(2);

/// The items of a SealedSecret in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedFile {
    /// The full path, without links.
    pub path: PathBuf,
    /// The namespace of objects without one.
    pub namespace: String,
    /// The items.
    pub items: Vec<CommittedItem>,
}

/// The limits of reading the history of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Size limit of a version.
    pub version_size: u64,
    /// Size limit of all versions.
    pub size: u64,
    /// Size limit of a log.
    pub log_size: u64,
    /// Time until the end.
    pub time: Duration,
    /// The most names of a file, one after the other.
    pub names: usize,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        Self {
            version_size: 4 << 20,
            size: 1 << 30,
            log_size: 1 << 30,
            time: Duration::from_mins(5),
            names: 10,
        }
    }
}

/// The age of an item, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ItemAge {
    /// Git does not tell.
    Unknown,
    /// No version has it.
    Uncommitted,
    /// A version of this day has it, and it may be older.
    Since(Date, bool),
}

/// An item that is searched for.
struct SearchedItem<'a> {
    /// The index of the SealedSecret.
    file: usize,
    namespace: &'a str,
    item: &'a CommittedItem,
    age: ItemAge,
}

/// A file under one of its names.
#[derive(Default)]
struct FileSearch<'a> {
    /// The items that no version had so far.
    open: Vec<SearchedItem<'a>>,
    /// The items that a version had.
    found: Vec<SearchedItem<'a>>,
    /// The version that was read last.
    last: Option<String>,
    /// Whether versions before the present one were not read.
    is_incomplete: bool,
    /// The commit that created the file, if its first version has an item.
    created_in: Option<String>,
}

/// The search in one repository.
struct RepositorySearch {
    top: PathBuf,
    limits: HistoryLimits,
    end: Instant,
    size_left: u64,
    is_shallow: bool,
    objects: GitObjects,
}

/// Paths before a commit, by the paths after it.
type EarlierNames = BTreeMap<Vec<u8>, Vec<u8>>;

/// Files by the name under which they are searched for, relative to the top.
type FilesByName<'a> = BTreeMap<PathBuf, FileSearch<'a>>;

/// Returns the age of the items of each SealedSecret. Git is asked once for all files of a repository.
#[must_use]
pub fn committed_ages(files: &[CommittedFile], limits: HistoryLimits) -> Vec<CommittedAge> {
    let mut repositories: BTreeMap<&Path, Vec<usize>> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        if let Some(top) = repository_root(&file.path) {
            repositories.entry(top).or_default().push(index);
        }
    }
    let mut ages: Vec<Vec<(&CommittedItem, ItemAge)>> = vec![Vec::new(); files.len()];
    for (top, indices) in repositories {
        let Ok(mut search) = RepositorySearch::new(top, limits) else { continue };
        for searched in search.run(files_by_name(top, files, &indices)) {
            if let Some(ages) = ages.get_mut(searched.file) {
                ages.push((searched.item, searched.age));
            }
        }
    }
    ages.iter().map(|items| age_of(items)).collect()
}

/// Returns the age of a SealedSecret from those of its items.
fn age_of(items: &[(&CommittedItem, ItemAge)]) -> CommittedAge {
    let mut age = CommittedAge::default();
    let mut dates = BTreeSet::new();
    let mut oldest: Option<(Date, bool, &str)> = None;
    for (item, known) in items {
        match known {
            ItemAge::Since(date, is_minimum) => {
                dates.insert(*date);
                if oldest.is_none_or(|(known, ..)| *date < known) {
                    oldest = Some((*date, *is_minimum, &item.key));
                }
            }
            ItemAge::Uncommitted => age.uncommitted.push(item.key.clone()),
            ItemAge::Unknown => {}
        }
    }
    if let Some((date, is_minimum, key)) = oldest {
        let is_alone = dates.len() == 1 && age.uncommitted.is_empty();
        (age.date, age.is_minimum) = (Some(date), is_minimum);
        age.item = (!is_alone).then(|| key.to_owned());
    }
    age
}

/// Returns the files of a repository under their present names.
fn files_by_name<'a>(top: &Path, files: &'a [CommittedFile], indices: &[usize]) -> FilesByName<'a> {
    let mut by_name = FilesByName::new();
    for (index, file) in indices.iter().filter_map(|index| Some((*index, files.get(*index)?))) {
        let Ok(path) = file.path.strip_prefix(top) else { continue };
        let searched = file.items.iter().map(|item| SearchedItem {
            file: index,
            namespace: &file.namespace,
            item,
            age: ItemAge::Uncommitted,
        });
        by_name.entry(path.to_owned()).or_default().open.extend(searched);
    }
    by_name
}

impl RepositorySearch {
    fn new(top: &Path, limits: HistoryLimits) -> Result<Self, GitRunError> {
        let shallow = run_git(top, GitAccess::Read, &["rev-parse", "--is-shallow-repository"], &[])?;
        let now = Instant::now();
        // The newest versions are read even after the end.
        let time = limits.time.saturating_add(NEWEST_TIME);
        Ok(Self {
            top: top.to_owned(),
            limits,
            end: now.checked_add(limits.time).unwrap_or(now),
            size_left: limits.size,
            is_shallow: git_line(&shallow) == b"true",
            objects: GitObjects::open(top, GitLimits { time, output: u64::MAX })?,
        })
    }

    /// Searches for all items, also under earlier names of their files.
    fn run<'a>(&mut self, mut files: FilesByName<'a>) -> Vec<SearchedItem<'a>> {
        let mut done = Vec::new();
        for _ in 0..self.limits.names {
            self.search(&mut files);
            let (finished, renamed) = self.earlier_names(files);
            done.extend(finished);
            files = renamed;
            if files.is_empty() {
                return done;
            }
        }
        // There may be still older versions.
        let left = files.into_values().flat_map(FileSearch::into_items);
        done.extend(left.map(SearchedItem::with_minimum));
        done
    }

    /// Searches in the versions of the files under their names, from the oldest on.
    fn search(&mut self, files: &mut FilesByName<'_>) {
        let names: Vec<PathBuf> = files.keys().cloned().collect();
        for names in names.chunks(MAX_FILES) {
            let paths: Vec<&Path> = names.iter().map(PathBuf::as_path).collect();
            let limits = self.log_limits();
            let mut open: BTreeMap<Vec<u8>, &mut FileSearch<'_>> = files
                .iter_mut()
                .filter(|(name, _)| paths.contains(&name.as_path()))
                .map(|(name, file)| (name.as_os_str().as_encoded_bytes().to_vec(), file))
                .collect();
            if self.is_exhausted() {
                self.read_newest(&mut open);
                continue;
            }
            let top = self.top.clone();
            let read = read_changes(&top, &paths, LogOrder::OldestFirst, limits, |commit, change| {
                if self.is_exhausted() {
                    return false;
                }
                if let Some(file) = open.get_mut(&change.path) {
                    self.read_version(file, commit, &change);
                    if file.open.is_empty() {
                        open.remove(&change.path);
                    }
                }
                !open.is_empty()
            });
            if !open.is_empty() && (read.is_err() || self.is_exhausted()) {
                self.read_newest(&mut open);
            }
        }
    }

    /// Searches for the items that are left in a version.
    fn read_version(&mut self, file: &mut FileSearch<'_>, commit: &LogCommit, change: &LogChange) {
        let is_first = file.last.is_none();
        let Some(blob) = &change.blob else { return };
        file.is_incomplete |= self.is_shallow && !commit.has_parents;
        if file.last.as_ref() == Some(blob) {
            return;
        }
        file.last = Some(blob.clone());
        let limit = self.limits.version_size.min(self.size_left);
        match self.objects.blob(blob, limit) {
            Ok(Some(bytes)) => {
                self.size_left = self.size_left.saturating_sub(bytes.len() as u64);
                let has_found = file.find_in(&bytes, commit.date);
                let is_creation = is_first && has_found && change.is_new && !file.is_incomplete;
                file.created_in = is_creation.then(|| commit.id.clone()).or_else(|| file.created_in.take());
            }
            Ok(None) => file.is_incomplete = true,
            // Git does not answer any more.
            Err(_) => self.size_left = 0,
        }
    }

    /// Searches for the items that are left in the newest versions only: they are at least as old.
    fn read_newest(&mut self, open: &mut BTreeMap<Vec<u8>, &mut FileSearch<'_>>) {
        let names: Vec<Vec<u8>> = open.keys().cloned().collect();
        let paths: Vec<PathBuf> = names.into_iter().map(git_path).collect();
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let limits = GitLimits { time: NEWEST_TIME, output: self.limits.log_size };
        let top = self.top.clone();
        let mut waiting: BTreeSet<Vec<u8>> = open.keys().cloned().collect();
        let read = read_changes(&top, &paths, LogOrder::NewestFirst, limits, |commit, change| {
            if let (true, Some(file)) = (waiting.remove(&change.path), open.get_mut(&change.path)) {
                file.is_incomplete = true;
                let blob =
                    change.blob.and_then(|id| self.objects.blob(&id, self.limits.version_size).ok()?);
                match blob {
                    Some(bytes) => {
                        file.find_in(&bytes, commit.date);
                    }
                    None => file.set_unknown(),
                }
            }
            !waiting.is_empty()
        });
        if read.is_err() {
            waiting.iter().filter_map(|name| open.remove(name)).for_each(FileSearch::set_unknown);
        }
    }

    /// Returns the items of files without earlier names, and the other files under those.
    fn earlier_names<'a>(&self, files: FilesByName<'a>) -> (Vec<SearchedItem<'a>>, FilesByName<'a>) {
        let mut by_commit: BTreeMap<String, Option<EarlierNames>> = BTreeMap::new();
        let (mut done, mut renamed) = (Vec::new(), FilesByName::new());
        for (name, file) in files {
            let Some(commit) = file.created_in.clone() else {
                done.extend(file.into_items());
                continue;
            };
            let names = by_commit.entry(commit).or_insert_with_key(|commit| self.renames(commit));
            match names {
                None => done.extend(file.into_items().map(SearchedItem::with_minimum)),
                Some(names) => match names.get(name.as_os_str().as_encoded_bytes()) {
                    None => done.extend(file.into_items()),
                    Some(earlier) => {
                        // Several files may be copies of one.
                        let earlier = renamed.entry(git_path(earlier.clone())).or_default();
                        earlier.open.extend(file.into_items());
                    }
                },
            }
        }
        (done, renamed)
    }

    /// Returns the earlier names of files that a commit renamed or copied; `None` if Git does not tell.
    fn renames(&self, commit: &str) -> Option<EarlierNames> {
        let mut names = EarlierNames::new();
        let add = |change: LogChange| {
            if let Some(new_path) = change.new_path {
                names.insert(new_path, change.path);
            }
        };
        read_renames(&self.top, commit, self.log_limits(), add).ok()?;
        Some(names)
    }

    fn is_exhausted(&self) -> bool {
        self.size_left == 0 || Instant::now() >= self.end
    }

    fn log_limits(&self) -> GitLimits {
        let time = self.end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        GitLimits { time, output: self.limits.log_size }
    }
}

impl<'a> FileSearch<'a> {
    /// Moves the items that a version has to those that are found. Returns whether there are any.
    fn find_in(&mut self, bytes: &[u8], date: Date) -> bool {
        let mut contents: BTreeMap<&str, VersionContent> = BTreeMap::new();
        let before = self.found.len();
        for mut searched in std::mem::take(&mut self.open) {
            let namespace = searched.namespace;
            let content =
                contents.entry(namespace).or_insert_with(|| VersionContent::read(bytes.to_vec(), namespace));
            if content.has(searched.item) {
                // A version under an earlier name is an earlier one, whatever its date.
                searched.age = ItemAge::Since(date, self.is_incomplete);
                self.found.push(searched);
            } else {
                self.open.push(searched);
            }
        }
        self.found.len() > before
    }

    fn set_unknown(&mut self) {
        for searched in &mut self.open {
            if searched.age == ItemAge::Uncommitted {
                searched.age = ItemAge::Unknown;
            }
        }
    }

    /// Returns all items. Those that are known by another name may be older, if not all versions under this one were read.
    fn into_items(self) -> impl Iterator<Item = SearchedItem<'a>> {
        let is_incomplete = self.is_incomplete;
        let left = self.open.into_iter();
        let left = left.map(move |item| if is_incomplete { item.with_minimum() } else { item });
        self.found.into_iter().chain(left)
    }
}

impl SearchedItem<'_> {
    /// Notes that the item may be older.
    fn with_minimum(mut self) -> Self {
        if let ItemAge::Since(date, _) = self.age {
            self.age = ItemAge::Since(date, true);
        }
        self
    }
}
