//! Tests of changing files.

use super::*;

#[derive(Debug, thiserror::Error)]
enum TestError {
    #[error(transparent)]
    Change(#[from] FileChangeError),
    #[error("the journal cannot be written")]
    Journal,
}

/// Twelve files with their old contents, in two directories.
fn files() -> (tempfile::TempDir, Vec<FileChange>) {
    let directory = tempfile::tempdir().expect("a directory");
    let changes = (0..12)
        .map(|number| {
            let path = PathBuf::from(format!("{}/{number:02}.yaml", if number < 6 { "a" } else { "b" }));
            let full = directory.path().join(&path);
            fs::create_dir_all(full.parent().expect("a parent")).expect("created");
            fs::write(&full, format!("old {number}\n")).expect("written");
            FileChange::new(path, format!("old {number}\n"), format!("new {number}\n"))
        })
        .collect();
    (directory, changes)
}

fn contents(root: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for directory in ["a", "b"] {
        for entry in fs::read_dir(root.join(directory)).expect("readable") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(root).expect("below").display().to_string();
            all.push((name, fs::read_to_string(&path).unwrap_or_default()));
        }
    }
    all.sort();
    all
}

fn all_are(root: &Path, state: &str) -> bool {
    let contents = contents(root);
    contents.len() == 12 && contents.iter().all(|(_, text)| text.starts_with(state))
}

fn set(directory: &tempfile::TempDir, changes: &[FileChange]) -> ChangeSet {
    ChangeSet::new(directory.path(), changes.to_vec()).expect("valid paths")
}

fn apply(set: &ChangeSet) -> Result<(), TestError> {
    set.apply(|_| Ok::<_, TestError>(()))
}

#[test]
fn all_files_are_replaced() {
    let (directory, changes) = files();
    apply(&set(&directory, &changes)).expect("applied");
    assert!(all_are(directory.path(), "new"), "{:?}", contents(directory.path()));
}

#[cfg(unix)]
#[test]
fn permissions_stay() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, changes) = files();
    let path = directory.path().join("a/03.yaml");
    fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("changed");
    apply(&set(&directory, &changes)).expect("applied");
    assert_eq!(fs::metadata(&path).expect("exists").permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_file_that_changed_since_the_plan_stops_everything() {
    let (directory, changes) = files();
    fs::write(directory.path().join("b/09.yaml"), "old but edited\n").expect("written");
    let error = apply(&set(&directory, &changes));
    assert!(matches!(error, Err(TestError::Change(FileChangeError::Changed(_)))), "{error:?}");
    assert!(all_are(directory.path(), "old"), "{:?}", contents(directory.path()));
}

#[test]
fn nothing_is_replaced_without_a_journal() {
    let (directory, changes) = files();
    let error = set(&directory, &changes).apply(|_| Err(TestError::Journal));
    assert!(matches!(error, Err(TestError::Journal)));
    assert!(all_are(directory.path(), "old"), "{:?}", contents(directory.path()));
}

#[test]
fn files_before_a_failure_are_restored() {
    let (directory, changes) = files();
    let set = set(&directory, &changes);
    // Between staging and replacing, a directory takes the name of the tenth file, so that it cannot be replaced.
    let error = set.apply(|_| {
        let tenth = directory.path().join("b/09.yaml");
        fs::remove_file(&tenth).expect("removed");
        fs::create_dir(&tenth).expect("created");
        Ok::<_, TestError>(())
    });
    assert!(matches!(error, Err(TestError::Change(FileChangeError::Io { .. }))), "{error:?}");
    let contents = contents(directory.path());
    assert_eq!(contents.len(), 12, "{contents:?}");
    assert!(contents.iter().all(|(_, text)| !text.starts_with("new")), "{contents:?}");
}

#[test]
fn an_interrupted_change_is_finished_by_the_next_run() {
    for replaced in 0..=12 {
        let (directory, changes) = files();
        let set = set(&directory, &changes);
        let record = set.record();
        // What a run leaves that is killed after it replaced some files.
        for (index, change) in changes.iter().enumerate() {
            let target = directory.path().join(change.path());
            let written = if index < replaced { target } else { stage::staged_path(&target) };
            fs::write(written, change.after()).expect("written");
        }
        assert!(record.finish().expect("finished"), "{replaced}");
        assert!(all_are(directory.path(), "new"), "{:?}", contents(directory.path()));
        assert!(record.finish().expect("finished"), "{replaced}");
    }
}

#[test]
fn a_change_that_was_not_staged_completely_is_planned_again() {
    let (directory, changes) = files();
    let set = set(&directory, &changes);
    let record = set.record();
    for change in &changes[..7] {
        let staged = stage::staged_path(&directory.path().join(change.path()));
        fs::write(staged, change.after()).expect("written");
    }
    assert!(!record.finish().expect("nothing to finish"));
    apply(&set).expect("applied");
    assert!(all_are(directory.path(), "new"), "{:?}", contents(directory.path()));
}

#[test]
fn edits_after_an_interrupted_change_are_kept() {
    let (directory, changes) = files();
    let record = set(&directory, &changes).record();
    for change in &changes {
        fs::write(directory.path().join(change.path()), change.after()).expect("written");
    }
    fs::write(directory.path().join("a/02.yaml"), "edited\n").expect("written");
    assert!(matches!(record.finish(), Err(FileChangeError::ChangedSince(path)) if path.ends_with("02.yaml")));
    assert_eq!(fs::read_to_string(directory.path().join("a/02.yaml")).expect("readable"), "edited\n");
}

#[test]
fn paths_that_leave_the_root_are_refused() {
    let (directory, _) = files();
    let refused = |path: &str| {
        ChangeSet::new(directory.path(), vec![FileChange::new(path, "a", "b")]).expect_err("refused")
    };
    for path in ["../a/01.yaml", "/etc/passwd", "a/../a/01.yaml"] {
        assert!(matches!(refused(path), FileChangeError::Outside(_)), "{path}");
    }
    assert!(matches!(refused("a"), FileChangeError::NotRegular(_)));
    assert!(matches!(refused("a/none.yaml"), FileChangeError::Io { .. }));
    let change = || FileChange::new("a/01.yaml", "a", "b");
    let twice = ChangeSet::new(directory.path(), vec![change(), change()]);
    assert!(matches!(twice, Err(FileChangeError::Twice(_))));
}

#[cfg(unix)]
#[test]
fn links_are_refused_and_never_followed() {
    use fs_err::os::unix::fs::symlink;
    let (directory, changes) = files();
    let outside = tempfile::tempdir().expect("a directory");
    fs::write(outside.path().join("victim"), "victim\n").expect("written");
    symlink(outside.path(), directory.path().join("c")).expect("a link");
    symlink(outside.path().join("victim"), directory.path().join("a/link.yaml")).expect("a link");
    for path in ["c/victim", "a/link.yaml"] {
        let change = FileChange::new(path, "victim\n", "changed\n");
        let error = ChangeSet::new(directory.path(), vec![change]).expect_err("refused");
        assert!(matches!(error, FileChangeError::NotRegular(_)), "{error:?}");
    }
    fs::remove_file(directory.path().join("a/link.yaml")).expect("removed");
    // A link at the name of the new contents is replaced, not followed.
    let staged = stage::staged_path(&directory.path().join("a/01.yaml"));
    symlink(outside.path().join("victim"), staged).expect("a link");
    apply(&set(&directory, &changes)).expect("applied");
    assert_eq!(fs::read_to_string(outside.path().join("victim")).expect("readable"), "victim\n");
    assert!(all_are(directory.path(), "new"), "{:?}", contents(directory.path()));
}

#[test]
fn contents_that_do_not_change_are_left_out() {
    let (directory, mut changes) = files();
    changes.push(FileChange::new("a/00.yaml", "old 0\n", "old 0\n"));
    let set = set(&directory, &changes[..12]);
    assert_eq!(set.paths().count(), 12);
    let none = ChangeSet::new(directory.path(), changes.split_off(12)).expect("valid");
    assert!(none.is_empty());
}
