//! The sets of a repository, and the files that are left out: kustomizations, Flux, charts, excludes, several paths.

use serde_json::json;

use crate::support::validating::{BAD, CommandResult, GOOD, Report, Tree, command, run_in};
use crate::support::{copy_tree, root};

/// A pod that needs the ConfigMap `settings`.
const READER: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: reader}\nspec:\n  containers:\n  - name: a\n    image: 'a:1'\n    \
                      envFrom: [{configMapRef: {name: settings}}]\n";
const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";
const OTHER: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n";

fn missing(report: &Report) -> Vec<String> {
    let found = report.of("reference/missing-config-map").into_iter();
    found.map(|finding| finding["path"].as_str().unwrap().to_owned()).collect()
}

fn fails_with(ran: &CommandResult, text: &str) {
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(text), "{}", ran.stderr);
}

#[test]
fn each_given_directory_is_a_set() {
    let tree = Tree::new(&[("a/pod.yaml", READER), ("a/other.yaml", OTHER), ("b/settings.yaml", SETTINGS)]);
    assert_eq!(missing(&tree.report(&["a", "b"])), ["a/pod.yaml"]);
    assert!(missing(&tree.report(&["."])).is_empty());
    // A shell expands `*.yaml` to files, which belong together.
    assert!(missing(&tree.report(&["a/pod.yaml", "a/other.yaml", "b/settings.yaml"])).is_empty());
}

#[test]
fn definitions_are_shared_by_all_sets_and_apps() {
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: jobs.example.org}\nspec:\n  \
                      group: example.org\n  names: {kind: Job, plural: jobs}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    \
                      storage: true\n    schema: {openAPIV3Schema: {type: object, properties: {size: {type: integer}}}}\n";
    let job = "apiVersion: example.org/v1\nkind: Job\nmetadata: {name: a}\nsize: big\n";
    let tree = Tree::new(&[("a/crd.yaml", definition), ("b/job.yaml", job)]);
    assert_eq!(tree.report(&["a", "b"]).one("schema/type")["path"], "b/job.yaml");
    // Published definitions are often in one long file.
    let long = "# A line of a long file.\n".repeat(50_000);
    tree.write("a/crd.yaml", format!("{definition}---\n{long}"));
    assert_eq!(tree.report(&["a", "b"]).one("schema/type")["path"], "b/job.yaml");
    tree.write("app/sealwave.yaml", crate::support::validating::APP);
    tree.write("app/envs/dev/job.yaml", job);
    let report = tree.report(&["app", "a"]);
    assert_eq!(report.one("schema/type")["path"], "app/envs/dev/job.yaml");
}

#[test]
fn each_overlay_is_a_set_and_findings_in_the_base_name_it() {
    let tree = Tree::new(&[
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", READER),
        ("dev/kustomization.yaml", "resources: [../base, settings.yaml]\n"),
        ("dev/settings.yaml", SETTINGS),
        ("generated/kustomization.yaml", "resources: [../base]\nconfigMapGenerator: [{name: settings}]\n"),
        ("prod/kustomization.yaml", "resources: [../base, other.yaml]\n"),
        ("prod/other.yaml", OTHER),
    ]);
    let ran = tree.run(&["."]);
    let report = ran.report();
    let found = report.one("reference/missing-config-map");
    assert_eq!((&found["path"], &found["severity"]), (&json!("base/pod.yaml"), &json!("warning")));
    let hint = found["hint"].as_str().unwrap();
    assert!(hint.contains("only in the set of `prod`"), "{hint}");
    assert_eq!(report.summary()["lookedAt"], json!({"apps": 0, "environments": 0, "files": 7, "objects": 3}));
    assert!(ran.stderr.contains("4 kustomizations not built"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`kubectl kustomize DIR | sealwave validate -`"), "{}", ran.stderr);
}

#[test]
fn a_suppression_in_a_base_is_used_if_one_overlay_needs_it() {
    let pod = READER.replace(
        "{name: settings}}]",
        "{name: settings}}] # sealwave: ignore reference/* -- it is made by hand",
    );
    let tree = Tree::new(&[
        ("base/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("base/pod.yaml", pod.as_str()),
        ("dev/kustomization.yaml", "resources: [../base, settings.yaml]\n"),
        ("dev/settings.yaml", SETTINGS),
        ("prod/kustomization.yaml", "resources: [../base]\n"),
    ]);
    assert!(tree.report(&["."]).of("suppression/unused").is_empty());
    tree.write("prod/settings.yaml", SETTINGS);
    tree.write("prod/kustomization.yaml", "resources: [../base, settings.yaml]\n");
    assert_eq!(tree.report(&["."]).of("suppression/unused").len(), 1);
}

#[test]
fn kustomizations_cannot_reach_out_and_always_end() {
    let tree = Tree::new(&[
        ("secret.yaml", BAD),
        ("repo/a/kustomization.yaml", "resources: [../b, ../../secret.yaml, ../../../../../etc]\n"),
        ("repo/b/kustomization.yaml", "resources: [../a, ../b, ., /etc/passwd]\nbases: {a: b}\n"),
        ("repo/b/good.yaml", GOOD),
    ]);
    let ran = run_in(&tree.root().join("repo"), &["."], None);
    assert_eq!((ran.code, ran.report().findings().len()), (0, 0), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn hostile_kustomizations_and_charts_are_not_read() {
    let tree = Tree::new(&[("secret.yaml", "CANARY: 1\n"), ("repo/good.yaml", GOOD)]);
    let repo = tree.root().join("repo");
    for directory in ["fifo", "long", "deep", "chart", "link"] {
        fs_err::create_dir(repo.join(directory)).unwrap();
    }
    for pipe in ["fifo/kustomization.yaml", "chart/Chart.yaml"] {
        assert!(std::process::Command::new("mkfifo").arg(repo.join(pipe)).status().unwrap().success());
    }
    std::os::unix::fs::symlink("../../secret.yaml", repo.join("link/kustomization.yaml")).unwrap();
    tree.write("repo/long/kustomization.yaml", format!("resources: []\n#{}\n", "x".repeat(2 << 20)));
    tree.write(
        "repo/deep/kustomization.yaml",
        format!("resources: {}{}\n", "[".repeat(5_000), "]".repeat(5_000)),
    );
    let ran = run_in(&repo, &["."], None);
    let report = ran.report();
    let mut found: Vec<String> =
        report.findings().iter().map(|found| found["path"].as_str().unwrap().to_owned()).collect();
    found.sort();
    assert_eq!(found, ["chart/Chart.yaml", "deep/kustomization.yaml", "fifo/kustomization.yaml"]);
    assert!(ran.stderr.contains("`./link/kustomization.yaml` leaves the repository"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("CANARY") && !ran.stderr.contains("CANARY"));
}

#[test]
fn settings_name_sets() {
    let settings =
        |sets: &str| format!("apiVersion: sealwave.dev/v1alpha1\nkind: Validation\nsets: {sets}\n");
    let tree = Tree::new(&[
        ("k/a/pod.yaml", READER),
        ("k/a/other.yaml", OTHER),
        ("k/b/settings.yaml", SETTINGS),
        ("k/v.yaml", &settings("[{paths: [a/**]}, {name: second, paths: [b]}]")),
    ]);
    let args = [".", "--config", "k/v.yaml"];
    assert_eq!(missing(&tree.report(&args)), ["k/a/pod.yaml"]);
    tree.write("k/v.yaml", settings("[{paths: [a/**, b/**]}]"));
    assert!(missing(&tree.report(&args)).is_empty());
    tree.write("k/v.yaml", settings("[{paths: ['a/[']}]"));
    fails_with(&tree.run(&args), "path of a set is not a valid glob: `a/[`");
    tree.write("k/v.yaml", settings("[{paths: []}]"));
    fails_with(&tree.run(&args), "set has no paths");
}

#[test]
fn charts_are_skipped_with_the_command_that_renders_them() {
    let chart = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
    let tree = Tree::new(&[
        ("good.yaml", GOOD),
        ("charts/web/Chart.yaml", chart),
        ("charts/web/values.yaml", "a: 1\n"),
        ("charts/web/templates/a.yaml", "a: {{ .Values.a }}\n"),
        ("charts/web/charts/sub/Chart.yaml", chart),
        ("charts/web/charts/sub/templates/a.yaml", "{{ .Values.a }}\n"),
    ]);
    let ran = tree.run(&["."]);
    assert_eq!((ran.code, ran.report().findings().len()), (0, 0), "{}", ran.stdout);
    assert_eq!(ran.stderr.matches("Helm chart").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("`helm template NAME charts/web | sealwave validate -`"), "{}", ran.stderr);
    fails_with(&tree.run(&["charts/web"]), "`charts/web` is a Helm chart, not manifests");
    fails_with(&tree.run(&["charts/web"]), "`helm template NAME charts/web | sealwave validate -`");
    for number in 0..7 {
        tree.write(&format!("charts/c{number}/Chart.yaml"), chart);
    }
    let ran = tree.run(&["."]);
    assert!(ran.stderr.contains("8 Helm charts below `.` skipped"), "{}", ran.stderr);
    fails_with(&tree.run(&["charts"]), "all manifest files below `charts` are in Helm charts");
}

#[test]
fn the_name_of_a_chart_is_never_part_of_a_command_line() {
    let tree = Tree::new(&[("good.yaml", GOOD)]);
    for name in ["a b", "$(touch x)", "-f", "a\nb", "a;b"] {
        tree.write(&format!("{name}/Chart.yaml"), "name: a\nversion: 1.0.0\n");
    }
    let ran = tree.run(&["."]);
    assert_eq!(
        ran.stderr.matches("`helm template NAME DIR | sealwave validate -`").count(),
        5,
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stderr.matches("`helm template").count(), 5, "{}", ran.stderr);
    assert!(!ran.stderr.contains("a\nb"), "{}", ran.stderr);
}

#[test]
fn excluded_files_are_not_read() {
    let tree = Tree::new(&[
        ("a/bad.yaml", BAD),
        ("vendor/bad.yaml", BAD),
        ("k/vendor/bad.yaml", BAD),
        (
            "k/v.yaml",
            "apiVersion: sealwave.dev/v1alpha1\nkind: Validation\nexclude: [/vendor/, nothing.yaml]\n",
        ),
    ]);
    let paths = |args: &[&str]| {
        let report = tree.report(args);
        report
            .of("schema/type")
            .iter()
            .map(|found| found["path"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths(&[".", "--exclude", "vendor"]), ["a/bad.yaml"]);
    assert_eq!(paths(&[".", "--exclude", "/vendor"]), ["a/bad.yaml", "k/vendor/bad.yaml"]);
    // As in a `.gitignore`, a directory that is kept does not keep the files in it.
    fails_with(
        &tree.run(&[".", "--exclude", "*.yaml", "--exclude", "!a/"]),
        "no manifest files found below `.`",
    );
    assert_eq!(paths(&[".", "--config", "k/v.yaml"]), ["a/bad.yaml", "vendor/bad.yaml"]);
    assert_eq!(paths(&["a", "vendor", "--exclude", "vendor"]), ["a/bad.yaml"]);
    assert_eq!(paths(&["a/bad.yaml", "vendor/bad.yaml", "--exclude", "a/"]), ["vendor/bad.yaml"]);
    let ran = tree.run(&[".", "--config", "k/v.yaml"]);
    assert!(ran.stderr.contains("exclude pattern `nothing.yaml` matches nothing"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("`/vendor/`"), "{}", ran.stderr);
    fails_with(&tree.run(&[".", "--exclude", "{"]), "exclude pattern is not a valid glob: `{`");
}

#[test]
fn quiet_shows_errors_and_the_result() {
    let tree = Tree::new(&[
        ("bad.yaml", BAD),
        ("pod.yaml", READER),
        ("chart/Chart.yaml", "name: a\nversion: 1.0.0\n"),
    ]);
    let ran = tree.plain(&["-q", "."]);
    assert!(ran.stdout.contains("schema/type") && ran.stdout.contains("failed: 1 error"), "{}", ran.stdout);
    assert!(
        !ran.stdout.contains("note[") && !ran.stdout.contains("warning[") && !ran.stdout.contains("by rule")
    );
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
}

#[test]
fn people_see_twenty_notes_of_a_rule_and_programs_all() {
    let tree = Tree::new(&[]);
    for number in 0..25 {
        let kind = format!("apiVersion: example.org/v1\nkind: Kind{number}\nmetadata: {{name: a}}\n");
        tree.write(&format!("{number}.yaml"), kind);
    }
    let ran = tree.plain(&["."]);
    assert_eq!(ran.stdout.matches("note[schema/unknown-kind]").count(), 20, "{}", ran.stdout);
    assert!(
        ran.stdout.contains("5 more notes of schema/unknown-kind not shown; `-o json` has all"),
        "{}",
        ran.stdout
    );
    assert_eq!(tree.report(&["."]).of("schema/unknown-kind").len(), 25);
}

#[test]
fn globs_select_rules() {
    let tree = Tree::new(&[("bad.yaml", BAD)]);
    assert!(tree.report(&[".", "--rule", "schema/*=off"]).findings().is_empty());
    assert!(tree.report(&[".", "--rule", "*=off"]).findings().is_empty());
    // A rule's own severity takes precedence, whatever the order.
    for flag in ["schema/type=warning,schema/*=off", "schema/*=off,schema/type=warning"] {
        assert_eq!(tree.report(&[".", "--rule", flag]).one("schema/type")["severity"], "warning", "{flag}");
    }
    fails_with(&tree.run(&[".", "--rule", "shema/*=off"]), "glob `shema/*` matches no rule");
    fails_with(&tree.run(&[".", "--rule", "shema/*=off"]), "did you mean `schema/*`?");
    fails_with(&tree.run(&[".", "--rule", "schema/tipe=off"]), "did you mean `schema/type`?");
    fails_with(&tree.run(&[".", "--rule", "app/l*=off"]), "cannot be changed");
    let settings = |ignore: &str| {
        format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Validation\nvalidate:\n  ignore: [{{{ignore}, reason: known}}]\n"
        )
    };
    for rule in ["'*'", "'schema/*'", "schema/type"] {
        tree.write(".v.yaml", settings(&format!("rule: {rule}")));
        assert!(tree.report(&[".", "--config", ".v.yaml"]).findings().is_empty(), "{rule}");
    }
    tree.write(".v.yaml", settings("rule: shema/type"));
    let report = tree.report(&[".", "--config", ".v.yaml"]);
    assert_eq!(report.one("suppression/malformed")["hint"], "did you mean `schema/type`?");
}

#[test]
fn settings_can_ignore_a_file_that_cannot_be_read_but_a_comment_cannot() {
    let tree =
        Tree::new(&[("broken.yaml", "a: [ # sealwave: ignore yaml/syntax -- no\n"), ("good.yaml", GOOD)]);
    assert_eq!(tree.run(&["."]).code, 1);
    let settings = |entry: &str| {
        format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Validation\nvalidate:\n  ignore: [{{rule: {entry}, reason: known}}]\n"
        )
    };
    for (entry, code) in [
        ("yaml/syntax, path: broken.yaml", 0),
        ("'*', path: '*.yaml'", 0),
        ("yaml/syntax", 1),
        ("'*'", 1),
        ("yaml/syntax, path: other.yaml", 1),
    ] {
        tree.write(".v.yaml", settings(entry));
        assert_eq!(tree.run(&[".", "--config", ".v.yaml"]).code, code, "{entry}");
    }
}

#[test]
fn files_of_other_tools_are_counted_and_parts_of_objects_are_errors() {
    let tree = Tree::new(&[
        ("good.yaml", GOOD),
        ("dashboard.json", "{\"title\": \"a\", \"panels\": []}\n"),
        ("values.yaml", "image: {tag: '1'}\n"),
        ("list.yml", "- hosts: all\n"),
        ("template.yaml", "a: {{ .Values.a }}\n"),
    ]);
    let ran = tree.run(&["."]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(
        ran.stderr.contains("3 files skipped: not Kubernetes objects, for example `dashboard.json`"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.report().one("yaml/syntax")["severity"], "note");
    // What the user names is checked.
    assert_eq!(tree.run(&["values.yaml"]).code, 1);
    assert_eq!(tree.run(&["template.yaml"]).code, 1);
    // A document beside an object, and an object that lacks a part, are mistakes.
    for text in [&format!("{GOOD}---\na: 1\n"), "kind: ConfigMap\n", "metadata: {name: a}\n", "spec: {}\n"] {
        tree.write("values.yaml", text);
        assert_eq!(tree.run(&["."]).code, 1, "{text}");
    }
}

#[test]
fn the_messy_repository_has_only_useful_findings() {
    let tree = Tree::new(&[]);
    copy_tree(&root().join("testdata/messy/repository"), tree.root());
    std::os::unix::fs::symlink("moved.yaml", tree.root().join("platform/ingress/network.yaml")).unwrap();
    tree.git(&["init", "-q"]);
    let mut command = command(tree.root(), &[".", "--config", "validation.yaml", "--kube-version", "1.36"]);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let found = format!("{}\n--- standard error\n{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{found}");
    crate::support::golden::check_golden(&root().join("testdata/messy"), "report.txt", &found);
}
