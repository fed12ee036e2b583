//! `validate` and symbolic links: links inside the repository are followed; nothing outside is read or shown.

use std::os::unix::fs::symlink;

use crate::support::validating::{APP, BAD, CommandResult, GOOD, Tree, command, run_in};

const CANARY: &str = "CANARYLABEL";

/// Returns a manifest outside the repository with a finding on a line with the canary.
fn foreign() -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {CANARY}}}\ndata: {{a: 7, {CANARY}: x}}\n")
}

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: jobs.example.org}\nspec:\n  \
    group: example.org\n  names: {kind: Job, plural: jobs}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    \
    storage: true\n    schema: {openAPIV3Schema: {type: object}}\n";

/// Returns a tree with a repository `repo`, which has `m/good.yaml`, and a directory `home` with foreign files.
fn outer() -> Tree {
    let tree = Tree::new(&[
        ("repo/m/good.yaml", GOOD),
        ("home/deploy.yaml", &foreign()),
        ("home/crds/job.yaml", &format!("# {CANARY}\n{DEFINITION}")),
    ]);
    fs_err::create_dir(tree.root().join("repo/.git")).unwrap();
    tree
}

fn link(tree: &Tree, target: &str, path: &str) {
    let path = tree.root().join(path);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = fs_err::remove_file(&path);
    symlink(target, path).unwrap();
}

const FORMS: [&str; 6] = ["github", "gitlab", "human", "json", "junit", "sarif"];

/// Runs in `repo` in every format, and checks that the output has nothing foreign.
#[track_caller]
fn in_every_format(tree: &Tree, args: &[&str]) -> Vec<CommandResult> {
    let run = |form: &str| -> CommandResult {
        let args = [args, &["--output", form]].concat();
        command(&tree.root().join("repo"), &args).output().unwrap().into()
    };
    let ran: Vec<CommandResult> = FORMS.iter().map(|form| run(form)).collect();
    for (form, ran) in FORMS.iter().zip(&ran) {
        assert!(
            !ran.stdout.contains(CANARY) && !ran.stderr.contains(CANARY),
            "{form}: {}{}",
            ran.stdout,
            ran.stderr
        );
    }
    ran
}

#[test]
fn a_link_that_leaves_the_repository_is_reported_and_not_followed() {
    let tree = outer();
    let absolute = tree.root().join("home/deploy.yaml");
    link(&tree, "../../home", "repo/inner/directory");
    for target in [
        "../../home/deploy.yaml",
        "../../home/nothing.yaml",
        "../inner/directory/deploy.yaml",
        "../inner/directory/nothing.yaml",
        "../../repo/../home/deploy.yaml",
        absolute.to_str().unwrap(),
        "/proc/self/environ",
        "/proc/self/cwd/../../home/deploy.yaml",
        "/dev/stdin",
        "/dev/zero",
        "/nonexistent.yaml",
    ] {
        link(&tree, target, "repo/m/b.yaml");
        for ran in in_every_format(&tree, &["m"]) {
            assert_eq!(ran.code, 0, "{target}: {}{}", ran.stdout, ran.stderr);
            let words = "symbolic link `m/b.yaml` leaves the repository and is not followed";
            assert!(ran.stderr.contains(words), "{target}: {}", ran.stderr);
            assert!(!ran.stderr.contains("home"), "{target}: {}", ran.stderr);
        }
    }
    link(&tree, "b.yaml", "repo/m/a.yaml");
    let ran = run_in(&tree.root().join("repo"), &["m"], None);
    assert_eq!(ran.stderr.matches("leaves the repository").count(), 2, "{}", ran.stderr);
}

#[test]
fn output_does_not_depend_on_files_outside() {
    let tree = outer();
    let stderr = |target: &str| {
        link(&tree, target, "repo/m/b.yaml");
        let ran = run_in(&tree.root().join("repo"), &["m"], None);
        (ran.code, ran.stderr, ran.stdout)
    };
    let there = stderr("../../home/deploy.yaml");
    for target in
        ["../../home/nothing.yaml", "../../home", "../../nowhere/a.yaml", "/etc/shadow", "/root/.ssh/a"]
    {
        assert_eq!(stderr(target), there, "{target}");
    }
}

#[test]
fn links_to_outside_directories_are_not_followed() {
    let tree = outer();
    link(&tree, "../../home", "repo/m/home");
    let ran = &in_every_format(&tree, &["m"])[3];
    assert!(ran.stderr.contains("symbolic link `m/home` leaves the repository"), "{}", ran.stderr);
    tree.write("repo/app/sealwave.yaml", APP);
    tree.write("repo/app/envs/dev/values.yaml", "{}\n");
    link(&tree, "../../home", "repo/app/base");
    link(&tree, "../../../../home/deploy.yaml", "repo/app/envs/dev/deploy.yaml");
    for ran in in_every_format(&tree, &["app"]) {
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    }
    let ran = &in_every_format(&tree, &["--all", "."])[3];
    assert_eq!(ran.code, 1, "{}", ran.stderr);
}

#[test]
fn links_that_the_user_names_are_followed() {
    let tree = outer();
    link(&tree, "../../home/deploy.yaml", "repo/m/b.yaml");
    let ran = run_in(&tree.root().join("repo"), &["m/b.yaml"], None);
    assert_eq!((ran.code, ran.report().of("schema/type").len()), (1, 1), "{}{}", ran.stdout, ran.stderr);
    link(&tree, "repo/m", "given");
    let ran = tree.run(&["given"]);
    assert!(ran.stderr.contains("symbolic link `given/b.yaml` leaves the repository"), "{}", ran.stderr);
    let human: CommandResult = command(tree.root(), &["home/deploy.yaml"]).output().unwrap().into();
    assert!(human.stdout.contains(CANARY), "its lines are shown: {}", human.stdout);
}

#[test]
fn without_a_repository_the_given_directory_is_the_limit() {
    let tree = Tree::new(&[("m/good.yaml", GOOD), ("bad.yaml", BAD), ("m/sub/bad.yaml", BAD)]);
    link(&tree, "../bad.yaml", "m/out.yaml");
    link(&tree, "sub/bad.yaml", "m/in.yaml");
    let ran = tree.run(&["m"]);
    assert!(ran.stderr.contains("symbolic link `m/out.yaml` leaves the repository"), "{}", ran.stderr);
    let paths: Vec<_> = ran.report().findings().iter().map(|found| found["path"].clone()).collect();
    assert_eq!(paths, ["m/in.yaml"]);
}

#[test]
fn worktrees_and_submodules_have_their_own_limits() {
    let tree = outer();
    tree.write("repo/sub/.git", "gitdir: ../.git/modules/sub\n");
    tree.write("repo/sub/good.yaml", GOOD);
    tree.write("repo/bad.yaml", BAD);
    link(&tree, "../bad.yaml", "repo/sub/out.yaml");
    let ran = run_in(&tree.root().join("repo"), &["sub"], None);
    assert!(ran.stderr.contains("symbolic link `sub/out.yaml` leaves the repository"), "{}", ran.stderr);
    // From outside, it is part of the surrounding repository.
    let ran = run_in(&tree.root().join("repo"), &["."], None);
    assert!(!ran.stderr.contains("out.yaml"), "{}", ran.stderr);
}

#[test]
fn definitions_outside_are_not_read() {
    let tree = outer();
    tree.write("repo/job.yaml", "apiVersion: example.org/v1\nkind: Job\nmetadata: {name: a}\n");
    link(&tree, "../../home/crds/job.yaml", "repo/crds/job.yaml");
    for args in [&["job.yaml", "--strict-kinds"][..], &["job.yaml", "--strict-kinds", "--crds", "crds"]] {
        for ran in in_every_format(&tree, args) {
            assert_ne!(ran.code, 0, "{args:?} {}{}", ran.stdout, ran.stderr);
        }
    }
    let ran = run_in(&tree.root().join("repo"), &["job.yaml", "--crds", "crds"], None);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`crds/job.yaml` leaves the repository"), "{}", ran.stderr);
    // A link that the user names is followed.
    let ran =
        run_in(&tree.root().join("repo"), &["job.yaml", "--strict-kinds", "--crds", "crds/job.yaml"], None);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    tree.write("repo/app/sealwave.yaml", format!("{APP}validate: {{crds: [crds]}}\n"));
    tree.write("repo/app/envs/dev/a.yaml", GOOD);
    for target in ["../../../home/crds/job.yaml", "/nonexistent"] {
        link(&tree, target, "repo/app/crds/job.yaml");
        let ran = run_in(&tree.root().join("repo"), &["app"], None);
        let found = ran.report().one("app/load").clone();
        assert!(found["message"].as_str().unwrap().ends_with("leaves the repository"), "{found}");
    }
}
