//! Runs `validate` as CI does: with baselines, in parts of a repository, beside files that do not render, and in shallow
//! clones.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::validating::{APP, BAD, CommandResult, GOOD, Tree, command};

/// A template that does not render: the value does not exist.
const UNRENDERED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config, namespace: shop}\ndata: {a: \"{{ nosuch }}\"}\n";

/// A Pod that reads a ConfigMap.
fn reader(map: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: reader, namespace: shop}}\nspec:\n  containers:\n  - name: main\n    \
         image: example.com/a:1\n    envFrom: [{{configMapRef: {{name: {map}}}}}]\n"
    )
}

/// Adds an app with the environment `dev`.
fn add_app(tree: &Tree, directory: &str, file: &str, text: &str) {
    tree.write(&format!("{directory}/sealwave.yaml"), APP);
    tree.write(&format!("{directory}/envs/dev/values.yaml"), "{}\n");
    tree.write(&format!("{directory}/base/{file}"), text);
}

/// Creates a repository with the apps `cart` and `shop`, which have one finding each, and a plain manifest with one.
fn repository() -> Tree {
    let tree = Tree::new(&[("platform/bad.yaml", BAD)]);
    tree.git(&["init", "-q"]);
    add_app(&tree, "apps/cart", "bad.yaml", &BAD.replace("bad", "cart"));
    add_app(&tree, "apps/shop", "bad.yaml", &BAD.replace("bad", "shop"));
    tree
}

fn run_below(tree: &Tree, directory: &str, args: &[&str]) -> CommandResult {
    command(&tree.root().join(directory), args).args(["-o", "json"]).output().unwrap().into()
}

fn known_and_code(ran: &CommandResult) -> (Value, i32) {
    (ran.report().summary()["known"].clone(), ran.code)
}

fn entries(tree: &Tree, file: &str) -> Vec<String> {
    let file: Value = serde_json::from_str(&tree.read(file)).unwrap();
    let entries = file["findings"].as_array().unwrap().iter();
    entries.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

// Baselines.

#[test]
fn a_baseline_covers_what_does_not_render_or_parse() {
    let tree = repository();
    tree.write("apps/cart/base/web.yaml.hbs", UNRENDERED);
    tree.write("apps/shop/sealwave.yaml", "kind: [\n");
    tree.write("platform/broken.yaml", "kind: [\n");
    for args in [&["--all", "apps"][..], &["platform"]] {
        let written = tree.run(&[args, &["--write-baseline", "b.json", "--fail-on", "never"]].concat());
        assert_eq!(written.code, 0, "{}", written.stderr);
        assert!(written.stderr.contains("baseline `b.json` has "), "{}", written.stderr);
        let ran = tree.run(&[args, &["--baseline", "b.json"]].concat());
        assert_eq!(ran.code, 0, "{args:?}: {:?}", ran.report().lines());
        assert_eq!(ran.stderr, "");
    }
    // What a comment may not silence, it still does not silence.
    tree.write(
        "apps/cart/base/web.yaml.hbs",
        format!("# sealwave: ignore app/render -- known\n{UNRENDERED}"),
    );
    assert!(!tree.report(&["apps/cart"]).of("app/render").is_empty());
}

#[test]
fn a_baseline_is_not_an_input() {
    let tree = repository();
    let written = tree.run(&["platform", "--write-baseline", "platform/b.json", "--fail-on", "never"]);
    assert_eq!(written.code, 0, "{}", written.stderr);
    for (args, baseline) in [
        (&["platform"][..], "platform/b.json"),
        (&["platform"], "./apps/../platform/b.json"),
        (&["platform/b.json", "platform/bad.yaml"], "platform/b.json"),
    ] {
        let ran = tree.run(&[args, &["--baseline", baseline]].concat());
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{args:?}");
        let checked = ran.report().summary().clone();
        assert_eq!(checked["lookedAt"]["files"], 1, "{args:?}: {checked}");
    }
    // Neither is a link to it, whichever of both is given.
    std::os::unix::fs::symlink("b.json", tree.root().join("platform/link.json")).unwrap();
    for baseline in ["platform/b.json", "platform/link.json"] {
        let ran = tree.run(&["platform", "--baseline", baseline]);
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{baseline}");
        assert_eq!(ran.report().summary()["lookedAt"]["files"], 1, "{baseline}");
    }
}

#[test]
fn a_baseline_works_in_every_directory() {
    let tree = repository();
    assert_eq!(tree.run(&["--all", "--write-baseline", "b.json"]).code, 1);
    assert_eq!(entries(&tree, "b.json"), ["apps/cart/base/bad.yaml", "apps/shop/base/bad.yaml"]);
    let apps = tree.root().join("apps").display().to_string();
    for (directory, args) in [
        (".", &["--all", "--baseline", "b.json"][..]),
        ("apps", &["--all", "--baseline", "../b.json"]),
        ("platform", &["--all", "--baseline", "../b.json", &apps]),
    ] {
        let ran = run_below(&tree, directory, args);
        assert_eq!(known_and_code(&ran), (json!(2), 0), "{directory}: {}", ran.stderr);
    }
    for args in [&["--baseline", "../../b.json"][..], &["--baseline", "../../b.json", "."]] {
        let ran = run_below(&tree, "apps/cart", args);
        assert_eq!((known_and_code(&ran), &*ran.stderr), ((json!(1), 0), ""));
    }
}

#[test]
fn the_paths_of_an_old_baseline_are_those_of_its_directory() {
    let tree = repository();
    run_below(&tree, "apps", &["--all", "--write-baseline", "b.json"]);
    let mut old: Value = serde_json::from_str(&tree.read("apps/b.json")).unwrap();
    old.as_object_mut().unwrap().remove("paths").unwrap();
    for entry in old["findings"].as_array_mut().unwrap() {
        for field in ["path", "app"] {
            entry[field] = entry[field].as_str().unwrap().strip_prefix("apps/").unwrap().into();
        }
    }
    tree.write("apps/old.json", old.to_string());
    let ran = run_below(&tree, "apps", &["--all", "--baseline", "old.json"]);
    assert_eq!((known_and_code(&ran), &*ran.stderr), ((json!(2), 0), ""));
    run_below(&tree, "apps", &["--all", "--baseline", "old.json", "--write-baseline", "new.json"]);
    assert_eq!(entries(&tree, "apps/new.json"), ["apps/cart/base/bad.yaml", "apps/shop/base/bad.yaml"]);
}

#[test]
fn a_run_on_a_part_says_nothing_of_the_rest_and_keeps_it() {
    let tree = repository();
    tree.run(&["--all", "--write-baseline", "b.json"]);
    tree.run(&["platform", "--write-baseline", "b.json"]);
    let all = ["apps/cart/base/bad.yaml", "apps/shop/base/bad.yaml", "platform/bad.yaml"];
    assert_eq!(entries(&tree, "b.json"), all);
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-qm", "one"]);
    let parts = [
        &["apps/cart"][..],
        &["--all"],
        &["--all", "apps"],
        &["platform"],
        &["platform/bad.yaml"],
        &["apps/cart", "--env", "dev"],
        &["--all", "--changed-since", "HEAD"],
        &["--all", "--rule", "schema/type=off"],
    ];
    for part in parts {
        let ran = tree.run(&[part, &["--baseline", "b.json"]].concat());
        let talk = ran.stderr.replace("note: nothing changed since that revision\n", "");
        assert_eq!((ran.code, &*talk), (0, ""), "{part:?}");
        assert_ne!(tree.run(&[part, &["--write-baseline", "b.json"]].concat()).code, 2);
        assert_eq!(entries(&tree, "b.json"), all, "{part:?}");
    }
    let written = tree.plain(&["apps/cart", "--write-baseline", "b.json"]);
    assert!(
        written.stderr.contains("3 findings; 2 of them outside of what this run checked"),
        "{}",
        written.stderr
    );
}

#[test]
fn what_was_repaired_is_reported_with_a_command() {
    let tree = repository();
    tree.run(&["--all", "--write-baseline", "b.json"]);
    tree.write("apps/cart/base/bad.yaml", GOOD);
    fs_err::remove_dir_all(tree.root().join("apps/shop")).unwrap();
    let ran = tree.run(&["--all", "--baseline", "b.json"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("2 findings in the baseline no longer occur"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`--write-baseline b.json`"), "{}", ran.stderr);
    tree.run(&["--all", "--write-baseline", "b.json"]);
    assert!(entries(&tree, "b.json").is_empty());
}

#[test]
fn what_a_broken_app_hides_is_not_gone() {
    let tree = repository();
    tree.run(&["--all", "--write-baseline", "b.json"]);
    tree.write("apps/cart/sealwave.yaml", "kind: [\n");
    let ran = tree.run(&["--all", "--baseline", "b.json"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.stderr, "");
    tree.run(&["--all", "--write-baseline", "b.json"]);
    assert!(entries(&tree, "b.json").contains(&"apps/cart/base/bad.yaml".to_owned()));
}

// What does not render.

fn held_back(ran: &CommandResult) -> u64 {
    ran.report().summary()["heldBack"].as_u64().unwrap()
}

#[test]
fn an_object_that_does_not_render_is_not_missing() {
    let app = Tree::app(&[("base/config.yaml.hbs", UNRENDERED), ("base/reader.yaml", &reader("config"))]);
    let ran = app.run(&[]);
    assert!(ran.report().of("reference/missing-config-map").is_empty(), "{:?}", ran.report().lines());
    // So is the note that nothing uses the other ConfigMap.
    assert_eq!((ran.code, held_back(&ran)), (1, 2));
    let text = app.plain(&[]).stdout;
    assert!(text.contains("2 held back, as what does not render may be the cause"), "{text}");
    // Another name has nothing to do with it.
    app.write("base/reader.yaml", reader("other"));
    let ran = app.run(&[]);
    assert_eq!((ran.report().of("reference/missing-config-map").len(), held_back(&ran)), (1, 1));
    // A computed name may be any name.
    app.write("base/config.yaml.hbs", UNRENDERED.replace("name: config", "name: {{ env }}"));
    let ran = app.run(&[]);
    assert_eq!((ran.report().of("reference/missing-config-map").len(), held_back(&ran)), (0, 2));
}

#[test]
fn an_object_that_another_app_does_not_render_is_not_missing() {
    let tree = Tree::new(&[]);
    add_app(&tree, "apps/a", "config.yaml.hbs", UNRENDERED);
    add_app(&tree, "apps/b", "reader.yaml", &reader("config"));
    add_app(&tree, "apps/c", "reader.yaml", &reader("other"));
    let ran = tree.run(&["--all"]);
    assert_eq!(ran.report().one("reference/missing-config-map")["app"], "apps/c");
    assert_eq!(held_back(&ran), 1);
    // Nothing is known of an app that cannot be loaded.
    tree.write("apps/a/sealwave.yaml", "kind: [\n");
    let ran = tree.run(&["--all"]);
    assert_eq!((ran.report().of("reference/missing-config-map").len(), held_back(&ran)), (0, 2));
    // Alone, the app lacks the object.
    assert_eq!(held_back(&tree.run(&["apps/b"])), 0);
}

#[test]
fn an_object_in_a_plain_file_that_does_not_parse_is_not_missing() {
    let tree = Tree::new(&[("m/good.yaml", GOOD), ("m/reader.yaml", &reader("config"))]);
    assert_eq!(tree.report(&["m"]).of("reference/missing-config-map").len(), 1);
    tree.write("m/config.yaml", "kind: ConfigMap\nmetadata: {name: config}\ndata: [\n");
    let ran = tree.run(&["m"]);
    assert_eq!((ran.report().of("reference/missing-config-map").len(), held_back(&ran)), (0, 1));
    tree.write("m/config.yaml", "kind: ConfigMap\nmetadata: {name: other}\ndata: [\n");
    assert_eq!(held_back(&tree.run(&["m"])), 0);
}

#[test]
fn a_suppression_of_what_is_held_back_is_used() {
    let silenced = reader("config").replace(
        "{name: config}}]",
        "{name: config}}] # sealwave: ignore reference/missing-config-map -- why",
    );
    let tree = Tree::new(&[]);
    add_app(&tree, "apps/a", "config.yaml.hbs", UNRENDERED);
    add_app(&tree, "apps/b", "reader.yaml", &silenced);
    let ran = tree.run(&["--all"]);
    assert!(ran.report().of("suppression/unused").is_empty(), "{:?}", ran.report().lines());
    assert_eq!(ran.report().summary()["suppressed"], 1);
}

#[test]
fn a_kind_without_a_schema_is_noted_with_all_environments() {
    let unknown = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: NAME}\n";
    let app = Tree::app(&[
        ("envs/dev/a.yaml", &unknown.replace("NAME", "a")),
        ("envs/prod/b.yaml", &unknown.replace("NAME", "b")),
    ]);
    assert_eq!(app.report(&[]).one("schema/unknown-kind")["environments"], json!(["dev", "prod"]));
    app.remove("envs/prod/b.yaml");
    assert_eq!(app.report(&[]).one("schema/unknown-kind")["environments"], json!(["dev"]));
}

// Git.

fn rejected(ran: &CommandResult) -> &str {
    assert_eq!((ran.code, &*ran.stdout), (2, ""), "{}", ran.stderr);
    &ran.stderr
}

#[test]
fn git_errors_say_what_to_do() {
    let tree = repository();
    let since = |tree: &Tree, revision: &str| tree.plain(&["platform", "--changed-since", revision]);
    assert!(rejected(&since(&tree, "HEAD")).contains("repository has no commits"));
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-qm", "one"]);
    tree.git(&["update-ref", "refs/remotes/origin/trunk", "HEAD"]);
    tree.git(&["tag", "release-1"]);
    let unknown = since(&tree, "trunk");
    assert!(rejected(&unknown).contains("revision `trunk` does not exist"), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("did you mean `origin/trunk`?"), "{}", unknown.stderr);
    assert!(rejected(&since(&tree, "relaese-1")).contains("did you mean `release-1`?"));
    assert!(rejected(&since(&tree, "origin/zzz")).contains("`git fetch origin zzz:origin/zzz`"));
    tree.git(&["checkout", "-q", "--orphan", "alone"]);
    tree.git(&["commit", "-qm", "other"]);
    let apart = since(&tree, "origin/trunk");
    assert!(
        rejected(&apart).contains("`origin/trunk` and the checked-out commit have no common ancestor\n"),
        "{}",
        apart.stderr
    );
    let outside = Tree::new(&[("platform/bad.yaml", BAD)]);
    let ran: CommandResult = command(outside.root(), &["platform", "--changed-since", "HEAD"])
        .env("GIT_CEILING_DIRECTORIES", outside.root().parent().unwrap())
        .output()
        .unwrap()
        .into();
    assert!(rejected(&ran).contains("`platform` is not in a Git repository"), "{}", ran.stderr);
}

#[test]
fn without_git_changes_are_unknown() {
    let tree = repository();
    let ran: CommandResult = command(tree.root(), &["platform", "--changed-since", "HEAD"])
        .env("PATH", tree.root())
        .output()
        .unwrap()
        .into();
    assert!(rejected(&ran).contains("`git` is not installed"), "{}", ran.stderr);
}

#[test]
fn a_shallow_clone_is_named_with_the_settings_of_ci() {
    let tree = repository();
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-qm", "one"]);
    tree.git(&["branch", "trunk"]);
    tree.write("platform/more.yaml", GOOD);
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-qm", "two"]);
    let clone = tempfile::tempdir().unwrap();
    let source = format!("file://{}", tree.root().display());
    let cloned = |args: &[&str]| {
        assert!(Command::new("git").current_dir(clone.path()).args(args).output().unwrap().status.success());
    };
    cloned(&["clone", "-q", "--depth", "1", &source, "copy"]);
    let copy = clone.path().join("copy");
    let since = || -> CommandResult {
        command(&copy, &["platform", "--changed-since", "origin/trunk"]).output().unwrap().into()
    };
    let ran = since();
    assert!(
        rejected(&ran).contains("revision `origin/trunk` does not exist: the clone is shallow"),
        "{}",
        ran.stderr
    );
    for setting in ["`fetch-depth: 0`", "`GIT_DEPTH: 0`", "`git fetch --unshallow`"] {
        assert!(ran.stderr.replace('\n', " ").contains(setting), "{}", ran.stderr);
    }
    cloned(&["-C", "copy", "fetch", "-q", "--depth", "1", "origin", "trunk:refs/remotes/origin/trunk"]);
    let ran = since();
    assert!(rejected(&ran).contains("no common ancestor: the clone is shallow"), "{}", ran.stderr);
    cloned(&["-C", "copy", "fetch", "-q", "--unshallow"]);
    assert_eq!(since().code, 0);
}

// Applications.

#[test]
fn an_application_names_an_environment_of_its_app() {
    let application = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop, namespace: argocd}\nspec:\n  \
                       project: shop\n  destination: {server: https://kubernetes.default.svc, namespace: shop}\n  source:\n    \
                       repoURL: https://git.example.com/shop.git\n    path: apps/shop\n    plugin: {parameters: [{name: env, string: dex}]}\n";
    let tree = repository();
    tree.write("argocd/shop.yaml", application);
    let run = |args: &[&str]| tree.report(&[&["argocd", "apps/shop"], args].concat());
    let found = run(&[]);
    assert_eq!(found.one("argocd/unknown-environment")["hint"], "did you mean `dev`?");
    // With `--env`, not all environments are known; without the app, none is.
    assert!(run(&["--env", "dev"]).of("argocd/unknown-environment").is_empty());
    assert!(tree.report(&["argocd"]).of("argocd/unknown-environment").is_empty());
    // The path counts from the root of the repository, wherever the command runs.
    let below = run_below(&tree, "apps", &["../argocd", "shop"]).report();
    below.one("argocd/unknown-environment");
}
