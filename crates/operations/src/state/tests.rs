//! Tests of journals.

use sealwave_testkit::git;

use super::*;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum TestState {
    Begun,
    Halfway { step: u32 },
}

fn id(name: &str) -> OperationId {
    OperationId::new("test", [name, "dev"])
}

#[test]
fn the_next_run_reads_the_last_state() {
    let directory = tempfile::tempdir().expect("a directory");
    let state = StateDirectory::open(&directory.path().join("a/b")).expect("created");
    let mut journal = state.journal::<TestState>(id("x")).expect("opened");
    assert_eq!(journal.state(), None);
    journal.record(TestState::Begun).expect("recorded");
    journal.record(TestState::Halfway { step: 2 }).expect("recorded");
    drop(journal);
    let journal = state.journal::<TestState>(id("x")).expect("opened");
    assert_eq!(journal.state(), Some(&TestState::Halfway { step: 2 }));
    assert_eq!(state.journal::<TestState>(id("y")).expect("opened").state(), None);
    journal.finish().expect("removed");
    assert_eq!(state.journal::<TestState>(id("x")).expect("opened").state(), None);
}

#[test]
fn two_runs_cannot_have_one_journal() {
    let directory = tempfile::tempdir().expect("a directory");
    let state = StateDirectory::open(directory.path()).expect("opened");
    let journal = state.journal::<TestState>(id("x")).expect("opened");
    let second = state.journal::<TestState>(id("x"));
    assert!(matches!(second, Err(StateError::InUse(_))), "{second:?}");
    drop(journal);
    assert!(state.journal::<TestState>(id("x")).is_ok());
}

#[test]
fn damaged_and_foreign_journals_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let state = StateDirectory::open(directory.path()).expect("opened");
    let mut journal = state.journal::<TestState>(id("x")).expect("opened");
    journal.record(TestState::Begun).expect("recorded");
    let path = journal.path().to_owned();
    drop(journal);
    let text = fs::read_to_string(&path).expect("readable");
    let read = |text: &str| {
        fs::write(&path, text).expect("written");
        state.journal::<TestState>(id("x")).map(|journal| journal.state().cloned())
    };
    assert!(matches!(read(&text), Ok(Some(TestState::Begun))));
    assert!(matches!(read(text.get(..20).expect("long")), Err(StateError::Unreadable(_))));
    assert!(matches!(
        read(&text.replace("\"version\": 1", "\"version\": 2")),
        Err(StateError::OtherVersion(_))
    ));
    assert!(matches!(read(&text.replace("\"dev\"", "\"prod\"")), Err(StateError::OtherOperation(_))));
    assert!(matches!(read(&text.replace("Begun", "Ended")), Err(StateError::Unreadable(_))));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_use_journals() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("state");
    let state = StateDirectory::open(&path).expect("created");
    let mut journal = state.journal::<TestState>(id("x")).expect("opened");
    journal.record(TestState::Begun).expect("recorded");
    assert_eq!((mode(&path), mode(journal.path())), (0o700, 0o600));
    fs::set_permissions(&path, PermissionsExt::from_mode(0o770)).expect("changed");
    assert!(matches!(StateDirectory::open(&path), Err(StateError::OthersCanWrite(_))));
}

#[test]
fn a_journal_of_a_commit_is_not_believed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ci/state");
    let begin = || {
        let state = StateDirectory::open(&path).expect("opened");
        state.journal::<TestState>(id("x"))
    };
    begin().expect("opened").record(TestState::Begun).expect("recorded");
    git(directory.path(), &["init", "--quiet"]);
    // A directory within a checkout is fine, such as a cache of a CI job.
    assert_eq!(begin().expect("opened").state(), Some(&TestState::Begun));
    git(directory.path(), &["add", "--force", "ci"]);
    assert!(matches!(begin(), Err(StateError::Committed(_))));
    git(directory.path(), &["rm", "--quiet", "-r", "--cached", "ci"]);
    assert!(begin().is_ok());
    // If Git does not tell, it is not believed either.
    fs::write(directory.path().join(".git/config"), "[").expect("written");
    assert!(matches!(begin(), Err(StateError::Committed(_))));
    fs::remove_dir_all(&path).expect("removed");
    assert_eq!(begin().expect("opened").state(), None);
    // The file of the lock is not created somewhere else.
    #[cfg(unix)]
    {
        let lock = path.join(id("x").file_name()).with_extension("lock");
        fs::remove_file(&lock).expect("removed");
        std::os::unix::fs::symlink(directory.path().join("elsewhere"), &lock).expect("a link");
        assert!(matches!(begin(), Err(StateError::Linked(_))));
        assert!(!directory.path().join("elsewhere").exists());
    }
}
