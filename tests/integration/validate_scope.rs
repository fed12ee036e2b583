//! The inputs, changes and outputs of `validate`: a fault must never pass because it was not checked.

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::validating::{APP, BAD, CommandResult, GOOD, Report, Tree, command};
use serde_json::{Value, json};

fn paths(report: &Report) -> Vec<&str> {
    report.findings().iter().filter_map(|found| found["path"].as_str()).collect()
}

fn app_at(tree: &Tree, directory: &str, manifest: &str) {
    tree.write(&format!("{directory}/sealwave.yaml"), APP);
    tree.write(&format!("{directory}/envs/dev/values.yaml"), "{}\n");
    tree.write(&format!("{directory}/base/a.yaml"), manifest);
}

fn link(tree: &Tree, target: &str, path: &str) {
    symlink(target, tree.root().join(path)).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs_err::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn commit(tree: &Tree) {
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-qm", "one"]);
}

fn repository(files: &[(&str, &str)]) -> Tree {
    let tree = Tree::new(files);
    tree.git(&["init", "-q"]);
    commit(&tree);
    tree
}

fn looked_at(ran: &CommandResult) -> Value {
    ran.report().summary()["lookedAt"].clone()
}

/// Asserts that the run is rejected with a message.
#[track_caller]
fn assert_rejected(ran: &CommandResult, words: &str) {
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

// Apps.

#[test]
fn an_app_file_with_an_error_is_an_app() {
    let slips = [
        "kind: app\napiVersion: sealwave.dev/v1alpha1\n",
        "kind: App\napiVersion: sealwve.dev/v1alpha1\n",
        "namespace: shop\n",
        "",
    ];
    for slip in slips {
        let tree = Tree::new(&[]);
        app_at(&tree, "one", GOOD);
        app_at(&tree, "two", GOOD);
        tree.write("two/sealwave.yaml", slip);
        for args in [&["--all", "."][..], &["two"]] {
            let ran = tree.run(args);
            assert_eq!(ran.code, 1, "{slip}: {}{}", ran.stdout, ran.stderr);
            let report = ran.report();
            assert_eq!(report.one("app/load")["path"], "two/sealwave.yaml", "{slip}");
        }
    }
}

#[test]
fn an_environment_without_an_object_is_an_error() {
    let app = Tree::new(&[("sealwave.yaml", APP), ("envs/dev/values.yaml", "{}\n")]);
    app.write("envs/prod/good.yaml", GOOD);
    let report = app.report(&[]);
    let found = report.one("app/render");
    assert_eq!(found["message"], "environment `dev` renders no objects");
    assert_eq!(found["path"], "sealwave.yaml");
    assert_eq!((&found["severity"], &found["environments"]), (&json!("error"), &json!(["dev"])));
}

#[test]
fn an_app_that_does_not_load_is_counted() {
    let tree = Tree::new(&[("sealwave.yaml", "kind: app\n")]);
    let ran = tree.plain(&[]);
    assert!(ran.stdout.contains("in 0 objects of 1 app"), "{}", ran.stdout);
}

#[test]
fn apps_and_plain_manifests_below_a_directory_are_checked_in_one_run() {
    let tree = Tree::new(&[("plain/bad.yaml", BAD)]);
    app_at(&tree, "one", BAD);
    assert_eq!(paths(&tree.report(&["."])), ["one/base/a.yaml", "plain/bad.yaml"]);
    assert_eq!(paths(&tree.report(&[])), ["one/base/a.yaml", "plain/bad.yaml"], "also without a path");
    assert_eq!(paths(&tree.report(&["--all", "."])), ["one/base/a.yaml"]);
    assert_eq!(paths(&tree.report(&["one"])), ["one/base/a.yaml"]);
    tree.remove("plain/bad.yaml");
    assert_eq!(paths(&tree.report(&["."])), ["one/base/a.yaml"], "only apps");
}

#[test]
fn with_all_a_directory_without_an_app_is_an_error() {
    let tree = Tree::new(&[("plain/bad.yaml", BAD)]);
    app_at(&tree, "one", GOOD);
    assert_rejected(&tree.run(&["--all", "plain"]), "no apps found below `plain`");
    assert_rejected(&tree.run(&["--all", ".", "plain"]), "no apps found below `plain`");
}

// Links, pipes, hidden files.

#[test]
fn links_to_files_are_followed() {
    let tree = Tree::new(&[("bad.yaml", BAD), ("plain/good.yaml", GOOD), ("files/app.yaml", APP)]);
    tree.git(&["init", "-q"]);
    link(&tree, "../bad.yaml", "plain/link.yaml");
    assert_eq!(paths(&tree.report(&["plain"])), ["plain/link.yaml"]);
    // Within the directory, it is one file.
    link(&tree, "good.yaml", "plain/same.yaml");
    assert_eq!(tree.report(&["plain"]).findings().len(), 1);
    app_at(&tree, "two", BAD);
    tree.remove("two/sealwave.yaml");
    link(&tree, "../files/app.yaml", "two/sealwave.yaml");
    for args in [&["--all", "."][..], &["two"]] {
        assert_eq!(paths(&tree.report(args)), ["two/base/a.yaml"], "{args:?}");
    }
    link(&tree, "two", "three");
    assert_eq!(paths(&tree.report(&["three"])), ["three/base/a.yaml"]);
    assert_eq!(paths(&tree.report(&["--all", "three"])), ["three/base/a.yaml"]);
}

#[test]
fn links_to_directories_are_reported_and_not_followed() {
    let tree =
        Tree::new(&[("elsewhere/bad.yaml", BAD), ("plain/good.yaml", GOOD), ("plain/sub/more.txt", "")]);
    tree.git(&["init", "-q"]);
    link(&tree, "../elsewhere", "plain/link");
    link(&tree, "sub", "plain/inside");
    let ran = tree.run(&["plain"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stderr.contains("symbolic link `plain/link` points to another directory"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("inside"), "{}", ran.stderr);
}

#[test]
fn unreadable_manifests_are_always_reported() {
    let tree = Tree::new(&[("plain/good.yaml", GOOD)]);
    link(&tree, "nowhere.yaml", "plain/link.yaml");
    let found = tree.report(&["plain"]).one("yaml/syntax").clone();
    assert_eq!((&found["path"], &found["severity"]), (&json!("plain/link.yaml"), &json!("error")));
    assert_eq!(found["message"], "file is a broken symbolic link");
    assert_rejected(&tree.run(&["plain/link.yaml"]), "`plain/link.yaml` is a broken symbolic link");
    tree.remove("plain/link.yaml");
    assert!(Command::new("mkfifo").arg(tree.root().join("plain/pipe.yaml")).status().unwrap().success());
    let ran = tree.run(&["plain"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(ran.report().one("yaml/syntax")["message"], "file is not a regular file");
    app_at(&tree, "one", GOOD);
    tree.remove("one/sealwave.yaml");
    link(&tree, "nowhere", "one/sealwave.yaml");
    for args in [&["--all", "."][..], &["one"]] {
        let report = tree.report(args);
        let found = report.one("app/load");
        assert_eq!(found["path"], "one/sealwave.yaml", "{args:?}");
        assert_eq!(found["message"], "app file is a broken symbolic link");
    }
}

#[test]
fn links_to_definitions_are_followed() {
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: jobs.example.org}\nspec:\n  \
                      group: example.org\n  names: {kind: Job, plural: jobs}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    \
                      storage: true\n    schema: {openAPIV3Schema: {type: object}}\n";
    let tree = Tree::new(&[("crds/..real/job", definition)]);
    tree.write("job.yaml", "apiVersion: example.org/v1\nkind: Job\nmetadata: {name: a}\n");
    link(&tree, "..real", "crds/..data");
    link(&tree, "..data/job", "crds/job.yaml");
    let args = ["job.yaml", "--strict-kinds", "--crds", "crds"];
    assert_eq!(tree.run(&args).code, 0);
    link(&tree, "..data/nothing", "crds/other.yaml");
    assert_rejected(&tree.run(&args), "`crds/other.yaml` cannot be read: file not found");
    tree.remove("crds/other.yaml");
    assert!(Command::new("mkfifo").arg(tree.root().join("crds/pipe.yaml")).status().unwrap().success());
    assert_rejected(&tree.run(&args), "`crds/pipe.yaml` is neither a file nor a directory");
}

#[test]
fn only_gitignore_hides_files() {
    let tree = Tree::new(&[("plain/bad.yaml", BAD), ("plain/good.yaml", GOOD), (".ignore", "*\n")]);
    app_at(&tree, "one", BAD);
    assert_eq!(paths(&tree.report(&["plain"])), ["plain/bad.yaml"]);
    assert_eq!(paths(&tree.report(&["--all", "."])), ["one/base/a.yaml"]);
    tree.write(".gitignore", "bad.yaml\n");
    assert_eq!(tree.report(&["plain"]).findings().len(), 0);
    tree.git(&["init", "-q"]);
    assert_eq!(tree.report(&["plain"]).findings().len(), 0, "that of a directory above counts");
    // As in Git, a `.gitignore` above the repository has no effect.
    fs_err::create_dir(tree.root().join("plain/.git")).unwrap();
    assert_eq!(paths(&tree.report(&["plain"])), ["plain/bad.yaml"]);
}

#[test]
fn two_spellings_of_a_path_are_one_input() {
    let tree = Tree::new(&[("ok.yaml", GOOD)]);
    app_at(&tree, "a", GOOD);
    app_at(&tree, "b", &GOOD.replace("good", "other"));
    link(&tree, "b", "c");
    link(&tree, "ok.yaml", "same.yaml");
    for args in [&["ok.yaml", "./ok.yaml"][..], &["ok.yaml", "same.yaml", "a/../ok.yaml"]] {
        let ran = tree.run(args);
        assert_eq!((ran.code, &looked_at(&ran)["files"]), (0, &json!(1)), "{}", ran.stdout);
    }
    for (args, count) in [
        (&["b", "./b"][..], 1),
        (&["b", "c"], 1),
        (&["b", "b/sealwave.yaml"], 1),
        (&["--all", ".", "a", "b"], 2),
    ] {
        let ran = tree.run(args);
        assert_eq!((ran.code, &looked_at(&ran)["apps"]), (0, &json!(count)), "{args:?}: {}", ran.stdout);
    }
}

#[test]
fn unreadable_paths_are_reported_with_a_reason() {
    let tree = Tree::new(&[("shut/a.yaml", GOOD), ("b.yaml", GOOD)]);
    for args in [["nowhere.yaml"], ["b.yaml/c.yaml"]] {
        assert_rejected(&tree.run(&args), "` cannot be read: file not found");
    }
    assert_rejected(&tree.run(&["b.yaml", "--crds", "no"]), "`no` cannot be read: file not found");
    assert_rejected(&tree.run(&["b.yaml", "--config", "no"]), "`no` cannot be read: file not found");
    assert_rejected(&tree.run(&["b.yaml", "--baseline", "no"]), "`no` cannot be read: file not found");
    let shut = tree.root().join("shut");
    set_mode(&shut, 0);
    // Root may read everything.
    if fs_err::read_dir(&shut).is_err() {
        assert_rejected(&tree.run(&["shut/a.yaml"]), "`shut/a.yaml` cannot be read: permission denied");
        let found = tree.report(&["."]).one("yaml/syntax").clone();
        assert_eq!(found["path"], "shut");
        assert_eq!(found["message"], "file or directory cannot be read: permission denied");
    }
    set_mode(&shut, 0o755);
}

// Flags.

#[test]
fn options_that_select_nothing_are_rejected() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
    let tree = Tree::new(&[("a.yaml", &format!("{GOOD}---\n{secret}"))]);
    let report = tree.report(&["a.yaml", "--reject", "Secret, ConfigMap"]);
    assert_eq!(report.of("schema/rejected-kind").len(), 2);
    for flag in ["--reject", "--skip"] {
        for kind in ["secret", "/v1/Secret", "a/b/c/d", "", " ", "Secret,", "apps/Deployment"] {
            assert_rejected(&tree.run(&["a.yaml", flag, kind]), flag);
        }
    }
    assert_rejected(&tree.run(&["a.yaml", "--reject", "secret"]), "did you mean `Secret`?");
    assert_rejected(&tree.run(&["a.yaml", "--reject", "a/b/c/d"]), "`group/version/Kind`");
    assert_eq!(tree.run(&["a.yaml", "--reject", "example.org/v1/Widget"]).code, 0);
}

#[test]
fn lists_are_trimmed_and_never_empty() {
    let tree = Tree::app(&[]);
    for args in [
        ["--kube-version", "1.31, 1.32"],
        ["-e", "dev, prod"],
        ["--rule", " image/latest=off , config/no-rollout-trigger=off"],
    ] {
        assert_eq!(tree.run(&args).code, 0, "{args:?}: {}", tree.run(&args).stderr);
    }
    assert_eq!(tree.report(&["-e", "dev,prod"]).summary()["lookedAt"]["environments"], 2);
    for args in [["--kube-version", ""], ["-e", ""], ["-e", "dev,"]] {
        assert_eq!(tree.run(&args).code, 2, "{args:?}");
    }
}

#[test]
fn invalid_namespaces_are_rejected() {
    let tree = Tree::new(&[("a.yaml", GOOD)]);
    for name in ["Bad NS!", "-a", "a.b", &"a".repeat(64)] {
        assert_rejected(
            &tree.run(&["a.yaml", &format!("--namespace={name}")]),
            "is not a valid namespace name",
        );
    }
    let report = tree.report(&["a.yaml", "-n", "shop", "--reject", "ConfigMap"]);
    assert_eq!(report.findings()[0]["object"]["namespace"], "shop");
}

#[test]
fn an_invalid_operator_file_is_one_error() {
    let tree = Tree::new(&[("plain.yaml", GOOD), ("operator.yaml", "kind: Operator\n")]);
    app_at(&tree, "a", GOOD);
    app_at(&tree, "b", GOOD);
    for args in [&["--all", "."][..], &["plain.yaml"], &["--all", ".", "--fail-on", "never"]] {
        let mut flags = args.to_vec();
        flags.extend(["--operator", "nowhere.yaml"]);
        let ran = tree.run(&flags);
        assert_rejected(&ran, "operator file `nowhere.yaml` cannot be read: file not found");
        assert_eq!(ran.stderr.matches("error").count(), 1, "{}", ran.stderr);
        let mut named = command(tree.root(), args);
        let ran: CommandResult = named.env("SEALWAVE_OPERATOR", "operator.yaml").output().unwrap().into();
        assert_eq!(ran.code, 2, "{}", ran.stdout);
    }
}

// Changes.

#[test]
fn git_settings_cannot_hide_changes() {
    let tree = repository(&[("a/good.yaml", GOOD), ("a/hidden.yaml", ""), ("a/skipped.yaml", "")]);
    tree.git(&["config", "diff.relative", "true"]);
    tree.git(&["config", "diff.ignoreSubmodules", "all"]);
    tree.git(&["config", "status.showUntrackedFiles", "no"]);
    tree.git(&["update-index", "--assume-unchanged", "a/hidden.yaml"]);
    tree.git(&["update-index", "--skip-worktree", "a/skipped.yaml"]);
    tree.write("a/hidden.yaml", BAD.replace("bad", "hidden"));
    tree.write("a/skipped.yaml", BAD.replace("bad", "skipped"));
    tree.write("excluded", "*.yaml\n");
    tree.git(&["config", "core.excludesFile", "excluded"]);
    tree.write("a/good.yaml", BAD);
    tree.write("a/new.yaml", BAD.replace("bad", "new"));
    assert_eq!(
        paths(&tree.report(&["--changed-since", "HEAD", "a"])),
        ["a/good.yaml", "a/hidden.yaml", "a/new.yaml", "a/skipped.yaml"]
    );
}

#[test]
fn in_a_hook_the_repository_of_the_paths_is_used() {
    let tree = repository(&[("a/bad.yaml", GOOD)]);
    tree.write("a/bad.yaml", BAD);
    let mut hooked = command(tree.root(), &["--changed-since", "HEAD", "a", "-o", "json"]);
    hooked.env("GIT_DIR", tree.root().join(".git")).env("GIT_PREFIX", "").env("GIT_INDEX_FILE", ".git/index");
    let ran: CommandResult = hooked.output().unwrap().into();
    assert_eq!(paths(&ran.report()), ["a/bad.yaml"], "{}", ran.stderr);
}

#[test]
fn changes_in_submodules_count() {
    let inner = repository(&[("readme", "")]);
    app_at(&inner, "app", BAD);
    commit(&inner);
    let tree = repository(&[("readme", "")]);
    let source = inner.root().to_str().unwrap();
    tree.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", source, "sub"]);
    commit(&tree);
    let since = ["--changed-since", "HEAD", "--all", "."];
    assert_eq!(tree.report(&since).findings().len(), 0);
    // A changed or new file inside.
    tree.write("sub/app/base/new.yaml", GOOD);
    assert_eq!(paths(&tree.report(&since)), ["sub/app/base/a.yaml"]);
    // Another commit is checked out, then committed.
    tree.git(&["-C", "sub", "add", "-A"]);
    tree.git(&["-C", "sub", "commit", "-qm", "two"]);
    assert_eq!(paths(&tree.report(&since)), ["sub/app/base/a.yaml"]);
    commit(&tree);
    assert_eq!(tree.report(&since).findings().len(), 0);
    for path in [&["--all", "."][..], &["sub/app"], &["--all", "sub"]] {
        let args = [&["--changed-since", "HEAD~1"], path].concat();
        assert_eq!(paths(&tree.report(&args)), ["sub/app/base/a.yaml"], "{path:?}");
    }
    // The submodule does not have this revision.
    tree.git(&["branch", "base"]);
    let args = ["--changed-since", "base", "sub/app"];
    assert_eq!(paths(&tree.report(&args)), ["sub/app/base/a.yaml"]);
    assert_rejected(
        &tree.run(&["--changed-since", "nowhere", "sub/app"]),
        "revision `nowhere` does not exist",
    );
}

#[test]
fn a_nested_repository_counts_as_changed() {
    let tree = repository(&[("readme", "")]);
    app_at(&tree, "inner/app", BAD);
    tree.git(&["-C", "inner", "init", "-q"]);
    let report = tree.report(&["--changed-since", "HEAD", "--all", "."]);
    assert_eq!(paths(&report), ["inner/app/base/a.yaml"]);
}

#[test]
fn unchanged_manifests_provide_objects_for_references() {
    let reader = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  containers:\n  - name: main\n    image: example.com/a:1\n    \
             envFrom: [{{configMapRef: {{name: good}}}}]\n"
        )
    };
    let custom = "apiVersion: example.org/v1\nkind: Job\nmetadata: {name: old}\n";
    let tree = repository(&[
        ("p/bad.yaml", BAD),
        ("p/custom.yaml", custom),
        ("p/good.yaml", GOOD),
        ("p/z.yaml", ""),
    ]);
    let since = ["--changed-since", "HEAD", "p"];
    assert_eq!(looked_at(&tree.run(&since))["files"], 0);
    tree.write("p/z.yaml", reader("z"));
    let ran = tree.run(&since);
    assert!(ran.report().of("reference/missing-config-map").is_empty(), "{}", ran.stdout);
    assert!(!paths(&ran.report()).contains(&"p/bad.yaml"), "{}", ran.stdout);
    assert_eq!(looked_at(&ran), json!({"apps": 0, "environments": 0, "files": 1, "objects": 1}));
    // A duplicate of an unchanged object, at any position in the order of files.
    for path in ["p/a.yaml", "p/zz.yaml"] {
        tree.write(path, GOOD);
        let report = tree.report(&since);
        assert_eq!(report.one("resource/duplicate-id")["path"], path);
        assert_eq!(report.one("resource/duplicate-id")["related"][0]["path"], "p/good.yaml");
        tree.remove(path);
    }
    // A message reported once per kind is reported at a changed object.
    tree.write("p/z.yaml", custom.replace("old", "new"));
    assert_eq!(paths(&tree.report(&since)), ["p/z.yaml"]);
}

#[test]
fn unchanged_manifests_provide_objects_in_a_stream() {
    let filler = format!("# {}\n", "x".repeat(9 << 20));
    let tree = repository(&[("p/bad.yaml", BAD), ("p/good.yaml", GOOD), ("p/large.yaml", &filler)]);
    tree.write("p/z.yaml", GOOD);
    let ran = tree.run(&["--changed-since", "HEAD", "p"]);
    assert_eq!(paths(&ran.report()), ["p/z.yaml"], "{}", ran.stdout);
    assert_eq!(ran.report().one("resource/duplicate-id")["related"][0]["path"], "p/good.yaml");
    assert_eq!(looked_at(&ran), json!({"apps": 0, "environments": 0, "files": 1, "objects": 1}));
}

#[test]
fn changed_links_count() {
    let tree = repository(&[("p/good.yaml", GOOD), ("other/bad.yaml", BAD), ("other/good.yaml", GOOD)]);
    link(&tree, "../other/good.yaml", "p/link.yaml");
    commit(&tree);
    let since = ["--changed-since", "HEAD", "p"];
    tree.remove("p/link.yaml");
    link(&tree, "../other/bad.yaml", "p/link.yaml");
    assert_eq!(paths(&tree.report(&since)), ["p/link.yaml"]);
    commit(&tree);
    tree.write("other/bad.yaml", BAD.replace('7', "8"));
    assert_eq!(paths(&tree.report(&since)), ["p/link.yaml"]);
}

#[test]
fn file_and_repository_names_may_be_any_bytes() {
    let outer = Tree::new(&[]);
    let top = outer.root().join("top \n");
    fs_err::create_dir(&top).unwrap();
    let name = OsStr::from_bytes(b"caf\xe9.yaml");
    let git = |args: &[&str]| {
        let mut all = vec!["-C", "top \n"];
        all.extend(args);
        outer.git(&all);
    };
    git(&["init", "-q"]);
    fs_err::write(top.join("a.yaml"), GOOD).unwrap();
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    fs_err::write(top.join(name), BAD).unwrap();
    let ran: CommandResult =
        command(&top, &["--changed-since", "HEAD", ".", "-o", "json"]).output().unwrap().into();
    assert_eq!((ran.code, ran.report().of("schema/type").len()), (1, 1), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn git_runs_no_programs_from_repository_settings() {
    let tree = repository(&[("p/a.yaml", GOOD), ("p/b.yaml", GOOD.replace("good", "b").as_str())]);
    let ran_file = tree.root().join("ran");
    let program = |name: &str| format!("sh -c 'echo {name} >> {}; cat' -", ran_file.display());
    for (key, name) in [
        ("filter.evil.clean", "clean"),
        ("filter.evil.smudge", "smudge"),
        ("filter.other.process", "process"),
        ("core.fsmonitor", "fsmonitor"),
        ("diff.external", "external"),
        ("diff.evil.textconv", "textconv"),
        ("diff.evil.command", "command"),
        ("core.pager", "pager"),
    ] {
        tree.git(&["config", key, &program(name)]);
    }
    tree.git(&["config", "filter.evil.required", "true"]);
    let hook = format!("#!/bin/sh\necho hook >> {}\n", ran_file.display());
    for name in ["post-index-change", "pre-commit", "fsmonitor-watchman"] {
        let path = format!(".git/hooks/{name}");
        tree.write(&path, &hook);
        set_mode(&tree.root().join(&path), 0o755);
    }
    tree.write(".gitattributes", "a.yaml filter=evil diff=evil\nb.yaml filter=other diff=evil\n");
    // Git has another time for `b.yaml`. `a.yaml` seems newer than the index, so Git does not trust its time.
    tree.write("p/b.yaml", GOOD.replace("good", "b"));
    let index = fs_err::File::options().append(true).open(tree.root().join(".git/index")).unwrap();
    index.file().set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1)).unwrap();
    let ran = tree.run(&["--changed-since", "HEAD", "p"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    tree.write("p/a.yaml", BAD);
    let ran = tree.run(&["--changed-since", "HEAD", "p"]);
    assert_eq!(paths(&ran.report()), ["p/a.yaml"]);
    assert!(!ran_file.exists(), "{}", fs_err::read_to_string(&ran_file).unwrap());
    // Without these options, the program would have run.
    let _ = Command::new("git").args(["status"]).current_dir(tree.root()).output().unwrap();
    assert!(ran_file.exists());
}

// Outputs.

#[test]
fn inputs_are_not_overwritten() {
    let tree = Tree::new(&[
        ("ok.yaml", GOOD),
        ("m/deploy.yaml", GOOD),
        ("validation.yaml", "kind: Validation\napiVersion: sealwave.dev/v1alpha1\n"),
    ]);
    tree.write("known.json", "");
    app_at(&tree, "app", GOOD);
    tree.write("app/patch.yaml", "data: {theme: light}\n");
    tree.write(
        "app/sealwave.yaml",
        format!("{APP}environments:\n  dev: {{patches: [{{target: {{kind: ConfigMap, name: good}}, file: patch.yaml}}]}}\n"),
    );
    let read = "is an input of this run";
    for (args, path, words) in [
        (&["ok.yaml", "-o", "json=ok.yaml"][..], "ok.yaml", read),
        (&["ok.yaml", "-o", "json=./m/../ok.yaml"], "ok.yaml", read),
        (&["m", "-o", "json=m/deploy.yaml"], "m/deploy.yaml", read),
        (&["m", "--config", "validation.yaml", "-o", "json=validation.yaml"], "validation.yaml", read),
        (&["app", "-o", "json=app/base/a.yaml"], "app/base/a.yaml", read),
        (&["app", "-o", "json=app/sealwave.yaml"], "app/sealwave.yaml", read),
        (&["app", "-o", "json=app/patch.yaml"], "app/patch.yaml", read),
        (&["m", "--write-baseline", "ok.yaml"], "ok.yaml", "`ok.yaml` is not a baseline"),
        (&["m", "--write-baseline", "m/deploy.yaml"], "m/deploy.yaml", "`m/deploy.yaml` is not a baseline"),
    ] {
        let before = tree.read(path);
        let ran = tree.plain(args);
        assert_rejected(&ran, words);
        assert_eq!(tree.read(path), before);
    }
    tree.run(&["m", "--write-baseline", "known.json"]);
    assert!(tree.read("known.json").contains("ValidationBaseline"));
    assert_rejected(&tree.plain(&["m", "--baseline", "known.json", "-o", "json=known.json"]), read);
    assert_eq!(tree.run(&["m", "--baseline", "known.json", "--write-baseline", "known.json"]).code, 0);
    assert_rejected(
        &tree.plain(&["m", "--write-baseline", "-"]),
        "baseline cannot be written to standard output",
    );
    assert!(!tree.root().join("-").exists());
}

#[test]
fn two_reports_cannot_have_one_file() {
    let tree = Tree::new(&[("m/ok.yaml", GOOD)]);
    link(&tree, "x", "y");
    for args in [
        ["-o", "json=x", "-o", "sarif=./x"],
        ["-o", "json=x", "-o", "sarif=y"],
        ["-o", "sarif=a", "--write-baseline", "a"],
        ["-o", "sarif=a", "--write-baseline", "m/../a"],
    ] {
        assert_rejected(&tree.plain(&[&["m"], &args[..]].concat()), "two reports would be written to");
    }
    assert!(!tree.root().join("x").exists() && !tree.root().join("a").exists());
}

#[test]
fn replaced_files_keep_mode_and_links() {
    let tree = Tree::new(&[("m/ok.yaml", GOOD), ("old.json", "")]);
    let mode = |path: &str| fs_err::metadata(tree.root().join(path)).unwrap().permissions().mode() & 0o777;
    set_mode(&tree.root().join("old.json"), 0o600);
    link(&tree, "old.json", "link.json");
    link(&tree, "new.json", "dangling.json");
    assert_eq!(tree.plain(&["m", "-o", "json=link.json", "-o", "sarif=dangling.json"]).code, 0);
    assert_eq!((mode("old.json"), tree.read("old.json").contains("ValidationReport")), (0o600, true));
    assert!(tree.read("new.json").contains("sarif"));
    for path in ["link.json", "dangling.json"] {
        assert!(tree.root().join(path).is_symlink(), "{path}");
    }
}

#[test]
fn reports_are_written_all_or_none() {
    let tree = Tree::new(&[("m/ok.yaml", GOOD), ("a.json", "before")]);
    let ran =
        tree.plain(&["m", "-o", "json=a.json", "-o", "sarif=none/b.json", "--write-baseline", "c.json"]);
    assert_rejected(&ran, "`none/b.json` cannot be written: directory not found; no report was written");
    assert_eq!(tree.read("a.json"), "before");
    let mut left: Vec<_> =
        fs_err::read_dir(tree.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.json", "m"]);
}

#[test]
fn reports_are_not_read_as_manifests() {
    let tree = Tree::new(&[("bad.yaml", BAD)]);
    let args = [
        ".",
        "-o",
        "gitlab=gl.json",
        "-o",
        "sarif=s.json",
        "-o",
        "json=r.json",
        "-o",
        "junit=j.yaml",
        "--write-baseline",
        "known.json",
    ];
    for _ in 0..3 {
        let ran = tree.plain(&args);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let report: Value = serde_json::from_str(&tree.read("r.json")).unwrap();
        assert_eq!(report["findings"].as_array().unwrap().len(), 1);
        assert_eq!(report["summary"]["lookedAt"]["files"], 1);
    }
    tree.remove("gl.json");
    tree.remove("s.json");
    tree.remove("j.yaml");
    // Reports of sealwave's own kinds are recognized by their contents.
    assert_eq!(tree.report(&["."]).findings().len(), 1);
}

const SUPPLIED: &str =
    "apiVersion: sealwave.dev/v1alpha1\nkind: App\nexternalSecrets: {stores: {aws-sm: {name: aws}}}\n";
const SUPPLIED_SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {a: <aws-sm:shop/db#a>}\n";
const SUPPLIED_POD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  \
    selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      \
    containers: [{name: web, image: example.com/web:1, envFrom: [{secretRef: {name: db}}]}]\n";

/// Returns the messages of `secret/one-step-switch` since the last commit.
fn one_step_switches(tree: &Tree, app: &str) -> Vec<String> {
    let report = tree.report(&["--changed-since", "HEAD", app]);
    let found = report.of("secret/one-step-switch");
    found.iter().map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_backend_that_changed_in_one_step_is_found_by_git() {
    let tree = repository(&[
        ("shop/sealwave.yaml", &format!("{SUPPLIED}environments: {{dev: {{}}}}\n")),
        ("shop/base/secrets.yaml", SUPPLIED_SECRET),
        ("shop/base/web.yaml", SUPPLIED_POD),
    ]);
    let set = |settings: &str| tree.write("shop/sealwave.yaml", format!("{SUPPLIED}{settings}"));
    set("environments: {dev: {backend: external-secrets}}\n");
    let message =
        "backend changes from `sealed-secrets` to `external-secrets` in one step, and a pod uses the Secret";
    assert_eq!(one_step_switches(&tree, "shop"), [message]);
    // The Secret is the same in another file.
    tree.write("shop/base/new.yaml", SUPPLIED_SECRET);
    tree.remove("shop/base/secrets.yaml");
    assert_eq!(one_step_switches(&tree, "shop"), [message]);
    tree.write("shop/base/secrets.yaml", SUPPLIED_SECRET);
    tree.remove("shop/base/new.yaml");
    // A new environment was not in use.
    set("environments: {dev: {}, prod: {backend: external-secrets}}\n");
    assert_eq!(one_step_switches(&tree, "shop"), [""; 0]);
    // Nor was a new Secret.
    set("environments: {dev: {secretBackends: {new: external-secrets}}}\n");
    tree.write("shop/base/new.yaml", SUPPLIED_SECRET.replace("name: db", "name: new"));
    tree.write("shop/base/use.yaml", SUPPLIED_POD.replace("name: db", "name: new").replace("web", "use"));
    assert_eq!(one_step_switches(&tree, "shop"), [""; 0]);
    tree.remove("shop/base/new.yaml");
    tree.remove("shop/base/use.yaml");
    // The release, and then the new backend.
    set("environments: {dev: {backend: {from: sealed-secrets, to: external-secrets}}}\n");
    assert_eq!(one_step_switches(&tree, "shop"), [""; 0]);
    commit(&tree);
    set("environments: {dev: {backend: external-secrets}}\n");
    assert_eq!(one_step_switches(&tree, "shop"), [""; 0]);
}

#[test]
fn a_plain_secret_that_is_replaced_in_one_step_is_found_by_git() {
    let plain =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db, annotations: {}}\nstringData: {a: CANARY}\n";
    let message = |to: &str| format!("a plain Secret is replaced by `{to}` in one step, and a pod uses it");
    let prune = "argocd.argoproj.io/sync-options: 'Prune=false'";
    let managed = "sealedsecrets.bitnami.com/managed: 'true'";
    for (annotations, external, sealed) in [
        (String::new(), 1, 1),
        (prune.to_owned(), 0, 1),
        (managed.to_owned(), 1, 1),
        (format!("{prune}, {managed}"), 0, 0),
    ] {
        let released = plain.replace("annotations: {}", &format!("annotations: {{{annotations}}}"));
        let tree = repository(&[
            ("shop/db.yaml", &released),
            ("shop/envs/prod/other.yaml", &plain.replace("name: db", "name: other")),
            ("shop/web.yaml", SUPPLIED_POD),
        ]);
        tree.remove("shop/db.yaml");
        tree.remove("shop/web.yaml");
        tree.write("shop/base/db.yaml", SUPPLIED_SECRET);
        tree.write("shop/base/web.yaml", SUPPLIED_POD);
        for (to, expected) in [("external-secrets", external), ("sealed-secrets", sealed)] {
            let settings =
                format!("{SUPPLIED}environments: {{dev: {{backend: {to}}}, prod: {{backend: {to}}}}}\n");
            tree.write("shop/sealwave.yaml", settings);
            let found = one_step_switches(&tree, "shop");
            assert!(found.iter().all(|found| *found == message(to)), "{found:?}");
            assert_eq!(!found.is_empty(), expected == 1, "{annotations} {to} {found:?}");
        }
    }
}

#[test]
fn an_earlier_app_file_that_cannot_be_read_is_no_earlier_app() {
    for (index, earlier) in ["", "apiVersion: [", "kind: App\n", &"#".repeat(2 << 20)].iter().enumerate() {
        let tree = repository(&[
            ("shop/sealwave.yaml", earlier),
            ("shop/base/secrets.yaml", SUPPLIED_SECRET),
            ("shop/base/web.yaml", SUPPLIED_POD),
        ]);
        tree.write(
            "shop/sealwave.yaml",
            format!("{SUPPLIED}environments: {{dev: {{backend: external-secrets}}}}\n"),
        );
        assert_eq!(one_step_switches(&tree, "shop"), [""; 0], "{index}");
    }
}

#[test]
fn a_committed_sealed_secret_and_a_template_are_found_in_git() {
    let sealed = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: db, namespace: shop}\nspec: {encryptedData: {a: AgB=}}\n";
    let app_file = format!("{SUPPLIED}environments: {{dev: {{}}}}\n");
    let tree = repository(&[
        ("shop/sealwave.yaml", &app_file),
        ("shop/base/web.yaml", SUPPLIED_POD),
        ("shop/envs/dev/--db.yaml", sealed),
        ("other/sealwave.yaml", &app_file),
        ("other/base/web.yaml", SUPPLIED_POD),
        ("other/base/secrets.yaml.hbs", SUPPLIED_SECRET),
    ]);
    tree.remove("shop/envs/dev/--db.yaml");
    tree.write("shop/base/db.yaml", SUPPLIED_SECRET);
    for app in ["shop", "other"] {
        assert_eq!(one_step_switches(&tree, app), [""; 0]);
        let text = format!("{SUPPLIED}environments: {{dev: {{backend: external-secrets}}}}\n");
        tree.write(&format!("{app}/sealwave.yaml"), text);
        assert_eq!(one_step_switches(&tree, app).len(), 1, "{app}");
    }
}
