//! Tests on real checkouts. They need Git, which `.ci/run` requires as well.

use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;
use sealwave_core::diagnostic::Explain as _;
use sealwave_programs::{GitAccess, GitLimits};
use sealwave_testkit::git;

use super::*;
use crate::file_changes::{ChangeRecord, ChangeSet, FileChange, FileChangeError};

struct Checkout {
    directory: tempfile::TempDir,
}

impl Checkout {
    /// Creates a checkout with two committed files, and a bare repository as its remote.
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let checkout = Self { directory };
        fs::create_dir(checkout.path()).expect("created");
        let remote = checkout.remote();
        git(checkout.directory.path(), &["init", "--quiet", "--bare", &remote]);
        checkout.git(&["init", "--quiet", "--initial-branch", "main"]);
        checkout.git(&["config", "user.name", "test"]);
        checkout.git(&["config", "user.email", "test@example.com"]);
        checkout.git(&["remote", "add", "origin", &remote]);
        checkout.write("a.yaml", "old\n");
        checkout.write("b.yaml", "old\n");
        checkout.git(&["add", "."]);
        checkout.git(&["commit", "--quiet", "-m", "first"]);
        checkout.git(&["push", "--quiet", "origin", "main"]);
        checkout
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("checkout")
    }

    fn remote(&self) -> String {
        self.directory.path().join("remote.git").display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("written");
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.path(), args)
    }

    fn tree(&self) -> WorkTree {
        WorkTree::find(&self.path()).expect("accepted").expect("a checkout")
    }

    fn change(&self, names: &[&str]) -> ChangeRecord {
        let changes = names.iter().map(|name| FileChange::new(*name, "old\n", "new\n")).collect();
        let set = ChangeSet::new(&self.path(), changes).expect("valid");
        set.apply(|_| Ok::<_, FileChangeError>(())).expect("applied");
        set.record()
    }
}

fn paths<'a>(names: &'a [&'a str]) -> impl Iterator<Item = &'a Path> {
    names.iter().map(Path::new)
}

fn origin_main() -> PushTarget {
    PushTarget { remote: "origin".to_owned(), branch: "main".to_owned() }
}

#[test]
fn a_directory_without_git_has_no_work_tree() {
    let directory = tempfile::tempdir().expect("a directory");
    assert!(WorkTree::find(directory.path()).expect("readable").is_none());
    assert!(matches!(WorkTree::find(&directory.path().join("none")), Err(WorkTreeError::Directory { .. })));
}

#[test]
fn only_the_files_of_the_plan_must_be_clean() {
    let checkout = Checkout::new();
    let tree = checkout.tree();
    tree.require_clean(paths(&["a.yaml", "b.yaml"]), None).expect("clean");
    checkout.write("b.yaml", "edited\n");
    tree.require_clean(paths(&["a.yaml"]), None).expect("clean");
    let unclean = tree.require_clean(paths(&["a.yaml", "b.yaml"]), None);
    assert!(
        matches!(&unclean, Err(WorkTreeError::Unclean(paths)) if *paths == [Path::new("b.yaml")]),
        "{unclean:?}"
    );
    // What is staged is not committed either.
    checkout.git(&["add", "b.yaml"]);
    checkout.write("b.yaml", "old\n");
    assert!(matches!(tree.require_clean(paths(&["b.yaml"]), None), Err(WorkTreeError::Unclean(_))));
}

#[test]
fn new_and_ignored_files_are_not_clean() {
    let checkout = Checkout::new();
    checkout.write("new.yaml", "new\n");
    checkout.write("ignored.yaml", "new\n");
    checkout.write(".gitignore", "ignored.yaml\n");
    for name in ["new.yaml", "ignored.yaml"] {
        let unclean = checkout.tree().require_clean(paths(&[name]), None);
        assert!(matches!(unclean, Err(WorkTreeError::Unclean(_))), "{name}: {unclean:?}");
    }
}

#[test]
fn names_are_not_patterns_or_flags() {
    let checkout = Checkout::new();
    for name in ["*.yaml", ":(glob)x", "--all", "a\nb.yaml", "ü.yaml"] {
        checkout.write(name, "old\n");
    }
    checkout.write("other.yaml", "new\n");
    let tree = checkout.tree();
    for name in ["*.yaml", ":(glob)x", "--all", "a\nb.yaml", "ü.yaml"] {
        let unclean = tree.require_clean(paths(&[name]), None);
        assert!(
            matches!(&unclean, Err(WorkTreeError::Unclean(paths)) if *paths == [Path::new(name)]),
            "{unclean:?}"
        );
    }
}

#[test]
fn the_files_of_an_interrupted_run_count_as_clean() {
    let checkout = Checkout::new();
    let record = checkout.change(&["a.yaml"]);
    let tree = checkout.tree();
    assert!(matches!(tree.require_clean(paths(&["a.yaml"]), None), Err(WorkTreeError::Unclean(_))));
    tree.require_clean(paths(&["a.yaml", "b.yaml"]), Some(&record)).expect("its own change");
    checkout.write("a.yaml", "edited\n");
    let edited = tree.require_clean(paths(&["a.yaml"]), Some(&record));
    assert!(matches!(edited, Err(WorkTreeError::Unclean(_))));
}

#[test]
fn a_commit_holds_the_files_of_the_plan_only() {
    let checkout = Checkout::new();
    checkout.write("b.yaml", "staged\n");
    checkout.git(&["add", "b.yaml"]);
    checkout.change(&["a.yaml"]);
    let tree = checkout.tree();
    let commit = tree.commit(paths(&["a.yaml"]), "Re-seal").expect("committed");
    assert_eq!(commit, Some(tree.head().expect("a commit")));
    assert_eq!(checkout.git(&["show", "--format=%s", "--name-only", "HEAD"]).trim(), "Re-seal\n\na.yaml");
    assert_eq!(checkout.git(&["diff", "--cached", "--name-only"]).trim(), "b.yaml");
    assert_eq!(tree.commit(paths(&["a.yaml"]), "Again").expect("nothing to commit"), None);
}

#[cfg(unix)]
#[test]
fn no_hook_of_the_repository_runs() {
    use std::os::unix::fs::PermissionsExt;
    let checkout = Checkout::new();
    let hooks = checkout.path().join("hooks");
    fs::create_dir(&hooks).expect("created");
    for hook in ["pre-commit", "commit-msg", "post-commit", "pre-push", "reference-transaction"] {
        let path = hooks.join(hook);
        fs::write(&path, format!("#!/bin/sh\ntouch {}/{hook}.ran\n", checkout.path().display()))
            .expect("written");
        fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("changed");
    }
    checkout.git(&["config", "core.hooksPath", "hooks"]);
    let record = checkout.change(&["a.yaml"]);
    let tree = checkout.tree();
    tree.commit(paths(&["a.yaml"]), "Re-seal").expect("committed");
    tree.push(&origin_main(), &record).expect("pushed");
    let ran: Vec<_> = fs::read_dir(checkout.path())
        .expect("readable")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "ran"))
        .collect();
    assert!(ran.is_empty(), "{ran:?}");
}

#[test]
fn a_pushed_branch_is_delivered_if_it_is_the_target() {
    let checkout = Checkout::new();
    let record = checkout.change(&["a.yaml"]);
    let tree = checkout.tree();
    assert!(!tree.is_delivered(&origin_main(), &record).expect("fetched"));
    tree.commit(paths(&["a.yaml"]), "Re-seal").expect("committed");
    assert_eq!(tree.push(&origin_main(), &record).expect("pushed"), Delivery::Delivered);
}

#[test]
fn another_branch_waits_for_its_merge_however_it_is_merged() {
    let checkout = Checkout::new();
    checkout.git(&["checkout", "--quiet", "-b", "rotation"]);
    let record = checkout.change(&["a.yaml"]);
    let tree = checkout.tree();
    tree.commit(paths(&["a.yaml"]), "Re-seal").expect("committed");
    let delivery = tree.push(&origin_main(), &record).expect("pushed");
    assert_eq!(delivery, Delivery::WaitingForMerge { pushed: Some("rotation".to_owned()) });
    assert!(!tree.is_delivered(&origin_main(), &record).expect("fetched"));
    // The branch is squashed.
    let other = checkout.directory.path().join("other");
    git(checkout.directory.path(), &["clone", "--quiet", "--branch", "main", &checkout.remote(), "other"]);
    git(&other, &["config", "user.name", "test"]);
    git(&other, &["config", "user.email", "test@example.com"]);
    git(&other, &["merge", "--quiet", "--squash", "origin/rotation"]);
    git(&other, &["commit", "--quiet", "-m", "squashed"]);
    git(&other, &["push", "--quiet", "origin", "main"]);
    assert!(tree.is_delivered(&origin_main(), &record).expect("fetched"));
}

#[test]
fn a_refused_push_is_explained() {
    let checkout = Checkout::new();
    let record = checkout.change(&["a.yaml"]);
    let tree = checkout.tree();
    tree.commit(paths(&["a.yaml"]), "Re-seal").expect("committed");
    git(Path::new(&checkout.remote()), &["config", "receive.denyNonFastForwards", "true"]);
    let other = checkout.directory.path().join("other");
    git(checkout.directory.path(), &["clone", "--quiet", "--branch", "main", &checkout.remote(), "other"]);
    git(
        &other,
        &["-c", "user.name=t", "-c", "user.email=t@e", "commit", "--quiet", "--allow-empty", "-m", "other"],
    );
    git(&other, &["push", "--quiet", "origin", "main"]);
    let refused = tree.push(&origin_main(), &record);
    assert!(matches!(refused, Err(WorkTreeError::PushRefused { .. })), "{refused:?}");
}

#[test]
fn without_a_branch_nothing_is_pushed() {
    let checkout = Checkout::new();
    checkout.git(&["checkout", "--quiet", "--detach"]);
    let record = checkout.change(&["a.yaml"]);
    assert!(matches!(checkout.tree().push(&origin_main(), &record), Err(WorkTreeError::NoBranch)));
}

#[test]
fn a_target_that_cannot_be_pushed_to_is_known_before_a_change() {
    let checkout = Checkout::new();
    let missing = PushTarget { remote: "none".to_owned(), branch: "main".to_owned() };
    let error = checkout.tree().require_target(&missing).expect_err("no remote");
    assert!(error.hint().is_some_and(|hint| hint.contains("--remote")), "{error}");
    let remote = tempfile::tempdir().expect("a directory");
    let address = remote.path().display().to_string();
    checkout.git(&["init", "--quiet", "--bare", &address]);
    checkout.git(&["remote", "add", "elsewhere", &address]);
    let target = PushTarget { remote: "elsewhere".to_owned(), branch: "main".to_owned() };
    assert!(matches!(checkout.tree().require_target(&target), Err(WorkTreeError::NoTarget { .. })));
    checkout.git(&["push", "--quiet", "elsewhere", "HEAD:refs/heads/main"]);
    checkout.tree().require_target(&target).expect("the branch is there");
    checkout.git(&["checkout", "--quiet", "--detach"]);
    assert!(matches!(checkout.tree().require_target(&target), Err(WorkTreeError::NoBranch)));
    let delivery = |commits, target| checkout.tree().require_delivery(commits, target);
    assert!(matches!(delivery(true, None), Err(WorkTreeError::NoBranchForCommit)));
    assert!(matches!(delivery(true, Some(&target)), Err(WorkTreeError::NoBranch)));
    delivery(false, None).expect("nothing is committed");
}

/// Limits that a call which waits for something reaches soon.
fn short() -> GitLimits {
    GitLimits { time: std::time::Duration::from_millis(500), ..GitLimits::LOCAL }
}

fn is_remote_limit<T: std::fmt::Debug>(result: &Result<T, WorkTreeError>) -> bool {
    matches!(result, Err(error @ WorkTreeError::GitLimit { access: GitAccess::Remote, .. })
        if error.to_string().contains("did not end within") && error.hint().is_some())
}

#[test]
fn a_remote_that_never_answers_is_given_up() {
    let checkout = Checkout::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    for scheme in ["git", "http"] {
        checkout.git(&["remote", "set-url", "origin", &format!("{scheme}://{address}/repository")]);
        let record = checkout.change(&["a.yaml"]);
        let tree = checkout.tree().with_limits(GitAccess::Remote, short());
        let results = [
            tree.require_target(&origin_main()),
            tree.is_delivered(&origin_main(), &record).map(drop),
            tree.push(&origin_main(), &record).map(drop),
        ];
        for result in results {
            assert!(is_remote_limit(&result), "{scheme}: {result:?}");
        }
        checkout.git(&["checkout", "--quiet", "--", "a.yaml"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_programs_of_a_call_that_is_given_up_are_ended() {
    let checkout = Checkout::new();
    let pids = checkout.directory.path().join("pids");
    let command = format!("sh -c 'echo $$ >> {0}; sleep 3000 & echo $! >> {0}; wait' #", pids.display());
    checkout.git(&["config", "core.sshCommand", &command]);
    checkout.git(&["config", "ssh.variant", "simple"]);
    checkout.git(&["remote", "set-url", "origin", "ssh://localhost/repository"]);
    let limits = GitLimits { time: std::time::Duration::from_secs(5), ..GitLimits::LOCAL };
    let result = checkout.tree().with_limits(GitAccess::Remote, limits).require_target(&origin_main());
    assert!(is_remote_limit(&result), "{result:?}");
    let pids = fs::read_to_string(&pids).expect("both started");
    assert_eq!(pids.lines().count(), 2, "{pids}");
    for pid in pids.lines() {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        assert!(status.is_empty() || status.contains("State:\tZ"), "{status}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_of_git_is_given_up() {
    let checkout = Checkout::new();
    let made = Command::new("mkfifo").arg(checkout.path().join(".gitattributes")).status();
    assert!(made.expect("mkfifo is installed").success());
    let result =
        checkout.tree().with_limits(GitAccess::Read, short()).require_clean(paths(&["a.yaml"]), None);
    assert!(matches!(&result, Err(WorkTreeError::GitLimit { access: GitAccess::Read, .. })), "{result:?}");
}

#[test]
fn a_call_that_would_ask_for_a_password_fails_instead() {
    use std::io::{Read as _, Write as _};
    let checkout = Checkout::new();
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut connection in server.incoming().flatten() {
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    checkout.git(&["remote", "set-url", "origin", &format!("http://{address}/repository")]);
    let error = checkout.tree().require_target(&origin_main()).expect_err("no password");
    assert!(error.to_string().contains("terminal prompts disabled"), "{error}");
    // A helper of the user is asked nevertheless.
    let asked = checkout.directory.path().join("asked");
    let helper = format!("!touch {}; echo username=x; echo password=y; #", asked.display());
    checkout.git(&["config", "credential.helper", &helper]);
    checkout.tree().require_target(&origin_main()).expect_err("a wrong password");
    assert!(asked.exists());
}

/// Creates a checkout whose attributes are committed, with the file as a checkout writes it.
fn with_attributes(attributes: &str) -> Checkout {
    let checkout = Checkout::new();
    checkout.write(".gitattributes", &format!("{attributes}\n"));
    checkout.git(&["add", "."]);
    checkout.git(&["commit", "--quiet", "-m", "attributes"]);
    checkout.git(&["push", "--quiet", "origin", "main"]);
    checkout.git(&["rm", "--quiet", "--cached", "a.yaml"]);
    fs::remove_file(checkout.path().join("a.yaml")).expect("removed");
    checkout.git(&["reset", "--quiet", "--hard"]);
    checkout
}

#[test]
fn attributes_do_not_hide_that_files_are_delivered() {
    for attributes in [
        "* text eol=crlf",
        "* text=auto eol=crlf",
        "* ident",
        "* -text",
        "* export-ignore",
        "* -filter",
        "* binary",
    ] {
        let checkout = with_attributes(attributes);
        checkout.git(&["checkout", "--quiet", "-b", "rotation"]);
        let before = fs::read(checkout.path().join("a.yaml")).expect("readable");
        let changes = vec![FileChange::new("a.yaml", before, "new: $Id$\r\n")];
        let set = ChangeSet::new(&checkout.path(), changes).expect("valid");
        set.apply(|_| Ok::<_, FileChangeError>(())).expect("applied");
        let mut record = set.record();
        let tree = checkout.tree();
        tree.require_clean(paths(&["a.yaml"]), Some(&record)).expect("its own change");
        tree.commit(paths(&["a.yaml"]), "Re-seal").expect("committed");
        tree.note_committed(&mut record).expect("read");
        assert!(record.files().iter().all(|file| file.blob.is_some()), "{attributes}");
        let delivery = tree.push(&origin_main(), &record).expect("pushed");
        assert!(matches!(delivery, Delivery::WaitingForMerge { .. }), "{attributes}: {delivery:?}");
        checkout.git(&["push", "--quiet", "origin", "rotation:main"]);
        assert!(tree.is_delivered(&origin_main(), &record).expect("fetched"), "{attributes}");
        // A change of the branch is seen, also by a run that finds another branch checked out.
        checkout.git(&["checkout", "--quiet", "main"]);
        tree.note_committed(&mut record).expect("read");
        assert!(tree.is_delivered(&origin_main(), &record).expect("fetched"), "{attributes}");
        checkout.write("a.yaml", "other\n");
        checkout.git(&["commit", "--quiet", "-a", "-m", "other"]);
        checkout.git(&["push", "--quiet", "--force", "origin", "main"]);
        assert!(!tree.is_delivered(&origin_main(), &record).expect("fetched"), "{attributes}");
    }
}

#[test]
fn attributes_with_which_git_stores_something_else_are_refused() {
    for (attributes, named) in [
        ("* filter=x", "filter=x"),
        ("[attr]hidden filter=git-crypt\n*.yaml hidden", "filter=git-crypt"),
        ("a.yaml filter=lfs diff=lfs merge=lfs -text", "filter=lfs"),
        ("* working-tree-encoding=UTF-16", "working-tree-encoding=UTF-16"),
    ] {
        let checkout = Checkout::new();
        checkout.write(".gitattributes", &format!("{attributes}\n"));
        let error = checkout.tree().require_clean(paths(&["a.yaml"]), None).expect_err("refused");
        assert!(matches!(error, WorkTreeError::Transformed { .. }), "{error}");
        assert!(error.to_string().contains(&format!("attribute `{named}` of `a.yaml`")), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("!filter")), "{error}");
        // The hint helps.
        checkout.write(".gitattributes", &format!("{attributes}\na.yaml !filter !working-tree-encoding\n"));
        checkout.tree().require_clean(paths(&["a.yaml"]), None).expect("clean");
    }
}

#[test]
fn a_link_on_the_target_is_not_the_file() {
    let checkout = Checkout::new();
    let mut record = checkout.change(&["a.yaml"]);
    let tree = checkout.tree();
    tree.commit(paths(&["a.yaml"]), "Re-seal").expect("committed");
    tree.note_committed(&mut record).expect("read");
    let blob = checkout.git(&["rev-parse", "HEAD:a.yaml"]);
    checkout.git(&["update-index", "--cacheinfo", &format!("120000,{},a.yaml", blob.trim())]);
    checkout.git(&["commit", "--quiet", "-m", "link"]);
    checkout.git(&["push", "--quiet", "origin", "main"]);
    assert!(!tree.is_delivered(&origin_main(), &record).expect("fetched"));
}
