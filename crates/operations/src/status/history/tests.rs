//! Tests on real repositories. The tests of the command `status` have the histories of the documentation.

use std::path::PathBuf;
use std::time::Duration;

use sealwave_secrets::SealingScope;
use sealwave_secrets::resealed::{SealedItemId, ciphertext_digest};
use sealwave_testkit::{git_command, git_output};

use super::*;

struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().expect("a directory"));
        repository.git(&["init", "--quiet", "--initial-branch", "main"], 1);
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        fs_err::canonicalize(self.0.path()).expect("a directory").join(name)
    }

    /// Runs Git on a day of January 2025.
    fn git(&self, args: &[&str], day: u8) -> String {
        let date = format!("2025-01-{day:02}T12:00:00Z");
        git_output(git_command(self.0.path()).args(args).env("GIT_COMMITTER_DATE", date))
    }

    /// Commits a file with these items.
    fn commit(&self, name: &str, items: &[(&str, &str)], day: u8) {
        self.write(name, items);
        self.git(&["add", "--all"], day);
        self.git(&["commit", "--quiet", "-m", "change"], day);
    }

    fn write(&self, name: &str, items: &[(&str, &str)]) {
        let items: Vec<String> = items.iter().map(|(key, text)| format!("    {key}: {text}\n")).collect();
        let text = format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: db, namespace: shop}}\n\
             spec:\n  encryptedData:\n{}",
            items.concat()
        );
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("created");
        fs_err::write(path, text).expect("written");
    }

    fn file(&self, name: &str, items: &[(&str, &str)]) -> CommittedFile {
        let item = |(key, ciphertext): &(&str, &str)| {
            let id = SealedItemId { namespace: "shop", name: "db", scope: SealingScope::Strict, key };
            let digest = sealwave_secrets::resealed::ResealRecord::default().original(&id, ciphertext);
            assert_eq!(digest, ciphertext_digest(ciphertext));
            CommittedItem { key: (*key).to_owned(), digest, ciphertext: (*ciphertext).to_owned() }
        };
        let items = items.iter().map(item).collect();
        CommittedFile { path: self.path(name), namespace: "shop".to_owned(), items }
    }
}

/// Returns the days, and whether they are minimums.
fn days(files: &[CommittedFile], limits: HistoryLimits) -> Vec<(Option<String>, bool)> {
    let ages = committed_ages(files, limits);
    ages.into_iter().map(|age| (age.date.map(|date| date.to_string()), age.is_minimum)).collect()
}

fn day(day: u8) -> (Option<String>, bool) {
    (Some(format!("2025-01-{day:02}")), false)
}

fn at_least(day: u8) -> (Option<String>, bool) {
    (Some(format!("2025-01-{day:02}")), true)
}

#[test]
fn many_files_are_found_in_one_walk_under_all_their_names() {
    let repository = Repository::new();
    repository.commit("a.yaml", &[("k", "AgB="), ("l", "AgC=")], 1);
    repository.commit("b/ü b.yaml", &[("k", "AgD=")], 2);
    repository.git(&["mv", "a.yaml", "b/*.yaml"], 3);
    repository.git(&["commit", "--quiet", "-m", "rename"], 3);
    repository.commit("b/*.yaml", &[("k", "AgB="), ("l", "AgE=")], 4);
    repository.git(&["mv", "b", "c"], 5);
    repository.git(&["commit", "--quiet", "-m", "rename"], 5);
    // A copy has the items of its original, and none of another name.
    repository.commit("copy.yaml", &[("k", "AgB="), ("l", "AgE=")], 6);
    repository.commit("c/new\nline.yaml", &[("k", "AgF=")], 7);
    let files = [
        repository.file("c/*.yaml", &[("k", "AgB=")]),
        repository.file("c/*.yaml", &[("l", "AgE=")]),
        repository.file("c/ü b.yaml", &[("k", "AgD=")]),
        repository.file("copy.yaml", &[("k", "AgB=")]),
        repository.file("c/new\nline.yaml", &[("k", "AgF=")]),
        repository.file("c/new\nline.yaml", &[("k", "AgG=")]),
        repository.file("none.yaml", &[("k", "AgB=")]),
        repository.file("c/*.yaml", &[]),
    ];
    let expected = [day(1), day(4), day(2), day(1), day(7), (None, false), (None, false), (None, false)];
    assert_eq!(days(&files, HistoryLimits::default()), expected);
    let ages = committed_ages(&files, HistoryLimits::default());
    assert_eq!([&ages[5].uncommitted, &ages[6].uncommitted], [&["k"], &["k"]]);
}

#[test]
fn a_search_that_reaches_a_limit_knows_a_minimum() {
    let repository = Repository::new();
    for number in 1..=9 {
        repository.commit("a.yaml", &[("k", "AgB="), ("l", &format!("AgC{number}"))], number);
    }
    let files = [repository.file("a.yaml", &[("k", "AgB=")]), repository.file("a.yaml", &[("l", "AgC9")])];
    assert_eq!(days(&files, HistoryLimits::default()), [day(1), day(9)]);
    let unlimited = HistoryLimits::default();
    let two_versions = 2 * fs_err::read(repository.path("a.yaml")).expect("readable").len() as u64;
    for (limits, expected) in [
        // The oldest versions are read first, so the first item is known exactly.
        (HistoryLimits { size: two_versions, ..unlimited }, [day(1), at_least(9)]),
        (HistoryLimits { time: Duration::ZERO, ..unlimited }, [at_least(9), at_least(9)]),
        (HistoryLimits { version_size: 10, ..unlimited }, [(None, false), (None, false)]),
    ] {
        assert_eq!(days(&files, limits), expected, "{limits:?}");
    }
    // More names than are followed.
    for (number, name) in ["b.yaml", "c.yaml", "d.yaml"].into_iter().enumerate() {
        let before = ["a.yaml", "b.yaml", "c.yaml"][number];
        repository.git(&["mv", before, name], 20);
        repository.git(&["commit", "--quiet", "-m", "rename"], 20);
    }
    let files = [repository.file("d.yaml", &[("k", "AgB=")])];
    assert_eq!(days(&files, unlimited), [day(1)]);
    assert_eq!(days(&files, HistoryLimits { names: 2, ..unlimited }), [at_least(20)]);
}

#[test]
fn a_shallow_clone_and_a_replaced_commit_are_not_believed() {
    let repository = Repository::new();
    repository.commit("a.yaml", &[("k", "AgB=")], 1);
    repository.commit("a.yaml", &[("k", "AgB="), ("l", "AgC=")], 2);
    repository.commit("a.yaml", &[("k", "AgB="), ("l", "AgD=")], 3);
    // A reference that would make the second commit the first one.
    let second = repository.git(&["rev-parse", "HEAD~1"], 4);
    let tree = repository.git(&["rev-parse", "HEAD~1^{tree}"], 4);
    let root = repository.git(&["commit-tree", tree.trim(), "-m", "root"], 4);
    repository.git(&["replace", second.trim(), root.trim()], 4);
    fs_err::create_dir_all(repository.path(".git/info")).expect("created");
    fs_err::write(repository.path(".git/info/grafts"), &second).expect("written");
    let files = [repository.file("a.yaml", &[("k", "AgB=")]), repository.file("a.yaml", &[("l", "AgD=")])];
    assert_eq!(days(&files, HistoryLimits::default()), [day(1), day(3)]);
    let clone = tempfile::tempdir().expect("a directory");
    let source = format!("file://{}", repository.path("").display());
    let shallow = Repository(clone);
    shallow.git(&["clone", "--quiet", "--depth", "2", &source, "."], 5);
    let files = [shallow.file("a.yaml", &[("k", "AgB=")]), shallow.file("a.yaml", &[("l", "AgD=")])];
    assert_eq!(days(&files, HistoryLimits::default()), [at_least(2), at_least(3)]);
}
