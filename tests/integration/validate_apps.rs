//! `validate` on apps: places of findings, duplicates, suppressions, and the selection of inputs.

use crate::support::validating::{APP, BAD, GOOD, Report, Tree};
use serde_json::{Value, json};

/// Returns the start of a Deployment.
fn deployment(replicas: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{app: web}}}}\n  \
         template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      containers:\n      - {{name: web, image: example.com/web:1}}\n"
    )
}

/// Returns path, line, column and width.
fn place(finding: &Value) -> Value {
    json!([finding["path"], finding["line"], finding["column"], finding["width"]])
}

fn environments(finding: &Value) -> Vec<&str> {
    finding["environments"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

// Places of findings.

#[test]
fn literal_text_of_a_template_is_found_on_its_line() {
    let app = Tree::app(&[("base/web.yaml.hbs", &format!("# {{{{ env }}}}\n{}", deployment("three")))]);
    let report = app.report(&[]);
    let found = report.one("schema/type");
    assert_eq!(place(found), json!(["base/web.yaml.hbs", 6, 13, 5]));
    assert_eq!(found["pointer"], "/spec/replicas");
    assert_eq!(found["related"], json!([]));
    assert_eq!(environments(found), ["dev", "prod"]);
}

#[test]
fn an_expression_leads_to_the_value_behind_it() {
    let app = Tree::app(&[
        ("base/web.yaml.hbs", &deployment("{{ web.replicas }}")),
        ("values.yaml", "web:\n  replicas: three\n"),
    ]);
    let report = app.report(&[]);
    let found = report.one("schema/type");
    assert_eq!(place(found), json!(["base/web.yaml.hbs", 5, 13, 18]));
    assert_eq!(place(&found["related"][0]), json!(["values.yaml", 2, 13, 5]));
    assert_eq!(environments(found), ["dev", "prod"]);
}

#[test]
fn the_value_of_the_environment_is_located() {
    let app = Tree::app(&[
        ("base/web.yaml.hbs", &deployment("{{ web.replicas }}")),
        ("values.yaml", "web:\n  replicas: 3\n"),
        ("envs/prod/values.yaml", "web:\n  replicas: many\n"),
    ]);
    let report = app.report(&[]);
    let found = report.one("schema/type");
    assert_eq!(place(&found["related"][0]), json!(["envs/prod/values.yaml", 2, 13, 4]));
    assert_eq!(environments(found), ["prod"]);
}

#[test]
fn a_finding_is_at_its_json_patch_in_the_app_file() {
    let app = Tree::app(&[
        ("base/web.yaml", &deployment("1")),
        (
            "sealwave.yaml",
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev: {}\n  prod:\n    patches:\n    \
             - target: {kind: Deployment, name: web}\n      patch:\n      - {op: replace, path: /spec/replicas, value: many}\n",
        ),
    ]);
    let report = app.report(&[]);
    let found = report.one("schema/type");
    assert_eq!((&found["path"], environments(found)), (&json!("sealwave.yaml"), vec!["prod"]));
    assert_eq!(found["pointer"], "/spec/replicas");
}

#[test]
fn a_finding_is_at_its_merge_patch_in_a_file() {
    let app = Tree::app(&[
        ("base/web.yaml", &deployment("1")),
        (
            "sealwave.yaml",
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev: {}\n  prod:\n    patches:\n    \
             - target: {kind: Deployment, name: web}\n      file: envs/prod/patches/web.yaml\n",
        ),
        ("envs/prod/patches/web.yaml", "spec:\n  minReadySeconds: 5\n  replicas: many\n"),
    ]);
    let report = app.report(&[]);
    let found = report.one("schema/type");
    assert_eq!(place(found), json!(["envs/prod/patches/web.yaml", 3, 13, 4]));
}

#[test]
fn findings_in_partials_are_located() {
    let app = Tree::app(&[
        ("base/web.yaml.hbs", &deployment("{{> replicas}}")),
        ("partials/replicas.hbs", "three"),
    ]);
    let report = app.report(&[]);
    let found = report.one("schema/type");
    let path = found["path"].as_str().unwrap();
    assert!(["base/web.yaml.hbs", "partials/replicas.hbs"].contains(&path), "{path}");
    assert_eq!(found["pointer"], "/spec/replicas");
}

// Duplicates.

#[test]
fn a_broken_environment_does_not_hide_the_others() {
    let app = Tree::app(&[
        ("base/bad.yaml", BAD),
        ("envs/dev/broken.yaml.hbs", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ nothing }}}\n"),
    ]);
    let ran = app.run(&[]);
    assert_eq!(ran.code, 1);
    let report = ran.report();
    assert_eq!(environments(report.one("app/render")), ["dev"]);
    assert!(environments(report.one("schema/type")).contains(&"prod"));
}

#[test]
fn a_broken_document_does_not_hide_its_neighbours() {
    let files = [("all.yaml", &*format!("{BAD}---\na: [1\n---\n{}", BAD.replace("bad", "worse")))];
    let report = Tree::new(&files).report(&["all.yaml"]);
    assert_eq!(report.of("yaml/syntax").len(), 1, "{:?}", report.lines());
    assert_eq!(report.of("schema/type").len(), 2, "{:?}", report.lines());
}

// Suppressions.

fn ignoring(entry: &str) -> Tree {
    Tree::app(&[
        ("base/bad.yaml", BAD),
        ("sealwave.yaml", &format!("{APP}validate:\n  ignore:\n  - {entry}\n")),
    ])
}

#[test]
fn the_app_file_suppresses() {
    let ran = ignoring("{rule: schema/type, object: ConfigMap/shop/bad, reason: known, until: 2026-12-31}")
        .run(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(ran.report().summary()["suppressed"], 1);
    let ran = ignoring("{rule: 'schema/*', path: base/bad.yaml, reason: known}").run(&[]);
    assert_eq!((ran.code, ran.report().findings().len()), (0, 0), "{}", ran.stdout);
}

#[test]
fn suppressions_need_a_valid_date_a_reason_and_a_use() {
    let rules = |entry: &str| {
        let ran = ignoring(entry).run(&[]);
        let report = ran.report();
        let rules: Vec<String> =
            report.findings().iter().map(|found| found["rule"].as_str().unwrap().to_owned()).collect();
        (ran.code, rules.join(" "))
    };
    let found = |code: i32, rules: &str| (code, rules.to_owned());
    assert_eq!(
        rules("{rule: schema/type, reason: a, until: 2025-12-31}"),
        found(1, "schema/type suppression/expired")
    );
    // A suppression is valid on its last day: SOURCE_DATE_EPOCH is 2026-01-01.
    assert_eq!(rules("{rule: schema/type, reason: a, until: 2026-01-01}"), found(0, ""));
    assert_eq!(rules("{rule: schema/enum, reason: a}"), found(1, "schema/type suppression/unused"));
    assert_eq!(rules("{rule: schema/typo, reason: a}"), found(1, "schema/type suppression/malformed"));
    assert_eq!(rules("{rule: schema/type, reason: ' '}"), found(1, "schema/type suppression/malformed"));
    assert_eq!(
        rules("{rule: schema/type, reason: a, environments: [dev]}"),
        found(1, "schema/type"),
        "prod still has it"
    );
}

#[test]
fn source_date_epoch_sets_the_date() {
    let app = ignoring("{rule: schema/type, reason: a, until: 2026-06-30}");
    let code = |seconds: &str| {
        let mut command = crate::support::validating::command(app.root(), &["-o", "json"]);
        command.env("SOURCE_DATE_EPOCH", seconds).output().unwrap().status.code()
    };
    assert_eq!(code("1767225600"), Some(0));
    assert_eq!(code("1798761600"), Some(1));
}

#[test]
fn annotations_and_comments_suppress() {
    let annotated = BAD.replace(
        "{name: bad}",
        "{name: bad, annotations: {ignore.sealwave.dev/schema.type: the controller takes numbers}}",
    );
    let above =
        BAD.replace("\ndata:", "\n# sealwave: ignore schema/type -- the controller takes numbers\ndata:");
    let beside = BAD.replace(": 7}", ": 7} # sealwave: ignore schema/type until 2027-01-01 -- known");
    for text in [&annotated, &above, &beside] {
        let ran = Tree::app(&[("base/bad.yaml", text)]).run(&[]);
        assert_eq!(ran.code, 0, "{text}{}", ran.stdout);
        assert_eq!(ran.report().findings().len(), 0, "{}", ran.stdout);
        let ran = Tree::new(&[("bad.yaml", text)]).run(&["bad.yaml"]);
        assert_eq!((ran.code, &ran.report().summary()["suppressed"]), (0, &json!(1)), "{text}{}", ran.stdout);
    }
    let nothing = BAD.replace("\ndata:", "\n# sealwave: ignore schema/type\ndata:");
    let report = Tree::app(&[("base/bad.yaml", &nothing)]).report(&[]);
    assert_eq!(report.one("suppression/malformed")["line"], 4);
    assert_eq!(report.of("schema/type").len(), 1);
}

#[test]
fn problems_of_stages_cannot_be_suppressed() {
    let app = ignoring("{rule: app/render, reason: a}");
    app.write("envs/dev/broken.yaml.hbs", "kind: {{ nothing }}\n");
    let report = app.report(&[]);
    assert_eq!(report.of("app/render").len(), 1, "{:?}", report.lines());
}

// Settings.

#[test]
fn settings_change_severities() {
    let app = Tree::app(&[
        ("base/bad.yaml", BAD),
        ("sealwave.yaml", &format!("{APP}validate: {{rules: {{schema/type: note}}}}\n")),
    ]);
    assert_eq!(app.report(&[]).one("schema/type")["severity"], "note");
    assert_eq!(app.report(&["--rule", "schema/type=warning"]).one("schema/type")["severity"], "warning");
    assert!(app.report(&["--rule", "schema/type=off"]).findings().is_empty());
    let ran = app.run(&["--rule", "schema/typo=off"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("schema/type"), "{}", ran.stderr);
}

const READER: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: reader}\nspec:\n  containers:\n  - name: main\n    image: example.com/a:1\n    \
                      envFrom: [{secretRef: {name: elsewhere}}]\n";

#[test]
fn external_objects_are_not_missing() {
    let dangling = |app: &Tree, args: &[&str]| app.report(args).of("reference/missing-secret").len();
    let app = Tree::app(&[("base/reader.yaml", READER)]);
    assert_eq!(dangling(&app, &[]), 1);
    assert_eq!(dangling(&app, &["--external", "Secret/shop/else*"]), 0);
    assert_eq!(dangling(&app, &["--external", "Secret/other/*"]), 1);
    app.write("sealwave.yaml", format!("{APP}validate: {{external: [Secret/*/elsewhere]}}\n"));
    assert_eq!(dangling(&app, &[]), 0);
    app.write("sealwave.yaml", APP);
    app.write(
        "ci/validation.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: Validation\nvalidate: {external: [Secret/shop/*]}\n",
    );
    assert_eq!(dangling(&app, &["--config", "ci/validation.yaml"]), 0);
    app.write("ci/validation.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\n");
    assert_eq!(app.run(&["--config", "ci/validation.yaml"]).code, 2);
}

#[test]
fn a_baseline_silences_known_findings() {
    let app = Tree::app(&[("base/bad.yaml", BAD)]);
    assert_eq!(app.run(&["--write-baseline", "known.json"]).code, 1);
    let ran = app.run(&["--baseline", "known.json"]);
    assert_eq!((ran.code, &ran.report().summary()["known"]), (0, &json!(1)), "{}", ran.stdout);
    app.write("base/worse.yaml", BAD.replace("bad", "worse"));
    let ran = app.run(&["--baseline", "known.json"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.report().one("schema/type")["path"], "base/worse.yaml");
    app.remove("base/worse.yaml");
    app.write("base/bad.yaml", GOOD.replace("good", "bad"));
    let ran = app.run(&["--baseline", "known.json"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stderr.contains("baseline"), "gone entries are not reported: {}", ran.stderr);
}

#[test]
fn a_baseline_is_per_environment() {
    let app = Tree::app(&[
        ("base/web.yaml.hbs", &deployment("{{ web.replicas }}")),
        ("values.yaml", "web: {replicas: 3}\n"),
        ("envs/dev/values.yaml", "web: {replicas: many}\n"),
    ]);
    assert_eq!(app.run(&["--write-baseline", "known.json"]).code, 1);
    let ran = app.run(&["--baseline", "known.json"]);
    assert_eq!((ran.code, ran.report().findings().len()), (0, 0));
    app.write("values.yaml", "web: {replicas: many}\n");
    let ran = app.run(&["--baseline", "known.json"]);
    let report = ran.report();
    assert_eq!((ran.code, environments(report.one("schema/type"))), (1, vec!["prod"]));
    // A file of an older version: no entry has environments.
    let mut old: Value = serde_json::from_str(&app.read("known.json")).unwrap();
    for entry in old["findings"].as_array_mut().unwrap() {
        assert!(entry.as_object_mut().unwrap().remove("environments").is_some());
    }
    app.write("old.json", old.to_string());
    let ran = app.run(&["--baseline", "old.json"]);
    assert_eq!((ran.code, ran.report().findings().len()), (0, 0), "{}", ran.stdout);
}

#[test]
fn unchecked_environments_are_not_reported_as_gone() {
    let app = Tree::app(&[("envs/prod/bad.yaml", BAD), ("envs/dev/bad.yaml", BAD)]);
    assert_eq!(app.run(&["--write-baseline", "known.json"]).code, 1);
    for args in [&["--env", "dev"][..], &["--env", "prod"], &[]] {
        let ran = app.run(&[&["--baseline", "known.json"], args].concat());
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{args:?}");
    }
    app.remove("envs/prod/bad.yaml");
    let stderr = |args: &[&str]| app.run(&[&["--baseline", "known.json"], args].concat()).stderr;
    assert_eq!(stderr(&["--env", "dev"]), "");
    for args in [&["--env", "prod"][..], &[]] {
        assert!(
            stderr(args).contains("1 finding in the baseline no longer occurs"),
            "{args:?}: {}",
            stderr(args)
        );
    }
}

#[test]
fn several_formats_in_one_run() {
    let app = Tree::app(&[("base/bad.yaml", BAD)]);
    let forms = ["human", "json", "sarif", "junit", "github", "gitlab"];
    let mut args = Vec::new();
    let named: Vec<String> = forms.iter().map(|form| format!("{form}=out.{form}")).collect();
    for output in &named {
        args.extend(["--output", output]);
    }
    args.extend(["--output", "github"]);
    let ran = app.plain(&args);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("::error "), "{}", ran.stdout);
    for form in forms {
        assert!(app.read(&format!("out.{form}")).contains("schema/type"), "{form}");
    }
    assert_eq!(app.plain(&["--output", "nonsense"]).code, 2);
}

#[test]
fn exit_codes_follow_fail_on() {
    let app = Tree::app(&[
        ("base/bad.yaml", BAD),
        ("sealwave.yaml", &format!("{APP}validate: {{rules: {{schema/type: warning}}}}\n")),
    ]);
    let code = |fail_on: &str| app.run(&["--fail-on", fail_on]).code;
    assert_eq!([code("error"), code("warning"), code("note"), code("never")], [0, 1, 1, 0]);
    assert_eq!(app.run(&["nowhere"]).code, 2);
    assert_eq!(app.run(&["--fail-on", "often"]).code, 2);
    app.write("sealwave.yaml", APP);
    assert_eq!((app.run(&[]).code, app.run(&["--fail-on", "never"]).code), (1, 0));
}

// Selection of inputs.

/// Returns two apps; `b` reads a Secret of `a`.
fn neighbours() -> Tree {
    Tree::new(&[
        ("apps/a/sealwave.yaml", APP),
        ("apps/a/envs/dev/values.yaml", "{}\n"),
        (
            "apps/a/base/secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: elsewhere}\nstringData: {a: <file:x#y>}\n",
        ),
        ("apps/b/sealwave.yaml", APP),
        ("apps/b/envs/dev/values.yaml", "{}\n"),
        ("apps/b/base/reader.yaml", READER),
    ])
}

#[test]
fn apps_see_objects_of_other_apps() {
    let tree = neighbours();
    let report = tree.report(&["--all", "."]);
    assert!(report.of("reference/missing-secret").is_empty(), "{:?}", report.lines());
    assert_eq!(report.summary()["lookedAt"]["apps"], 2);
    assert_eq!(tree.report(&["apps/b"]).of("reference/missing-secret").len(), 1);
}

#[test]
fn keys_of_other_apps_are_checked_if_complete() {
    let asks = |key: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: asks}}\nspec:\n  containers:\n  - name: a\n    image: a:1\n    env:\n    \
             - {{name: A, valueFrom: {{secretKeyRef: {{name: elsewhere, key: {key}}}}}}}\n"
        )
    };
    let tree = neighbours();
    tree.write("apps/b/base/asks.yaml", asks("nokey"));
    let report = tree.report(&["--all", "."]);
    let found = report.of("reference/missing-key");
    assert_eq!(found.len(), 1, "{:?}", report.lines());
    assert_eq!(found[0]["message"], "Secret `elsewhere` has no key `nokey`");
    tree.write("apps/b/base/asks.yaml", asks("a"));
    assert!(tree.report(&["--all", "."]).of("reference/missing-key").is_empty());
    // Another tool adds keys.
    tree.write("apps/b/base/asks.yaml", asks("nokey"));
    tree.write("apps/a/base/secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: elsewhere}\n");
    assert!(tree.report(&["--all", "."]).of("reference/missing-key").is_empty());
}

#[test]
fn an_object_of_two_apps_in_one_cluster_is_a_duplicate() {
    const SAME: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: same}\ndata: {a: b}\n";
    let tree = neighbours();
    tree.write("apps/a/base/same.yaml", SAME);
    tree.write("apps/b/base/same.yaml", SAME);
    let report = tree.report(&["--all", "."]);
    let found = report.of("resource/duplicate-id");
    assert_eq!(found.len(), 2, "{:?}", report.lines());
    let message = found[0]["message"].as_str().unwrap();
    assert!(message.ends_with("is also rendered by app `apps/b`"), "{message}");
    assert!(tree.report(&["apps/a"]).of("resource/duplicate-id").is_empty());
    let cluster = format!("{APP}environments: {{dev: {{cluster: other}}}}\n");
    tree.write("apps/b/sealwave.yaml", &cluster);
    assert!(tree.report(&["--all", "."]).of("resource/duplicate-id").is_empty());
    // Without a namespace, each Application uses its own.
    let homeless = APP.replace("namespace: shop\n", "");
    tree.write("apps/a/sealwave.yaml", &homeless);
    tree.write("apps/b/sealwave.yaml", &homeless);
    assert!(tree.report(&["--all", "."]).of("resource/duplicate-id").is_empty());
}

#[test]
fn all_skips_ignored_files_and_continues_after_a_broken_app() {
    let tree = neighbours();
    tree.write(".gitignore", "ignored/\n");
    tree.write("ignored/c/sealwave.yaml", "nonsense: [\n");
    assert_eq!(tree.report(&["--all", "."]).summary()["lookedAt"]["apps"], 2);
    tree.write("apps/c/sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\nwaves: 7\n");
    let ran = tree.run(&["--all", "."]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report = ran.report();
    assert_eq!(report.summary()["lookedAt"]["apps"], 3);
    assert!(report.at("error").all(|found| found["app"] == "apps/c"), "{:?}", report.lines());
    assert_eq!(Tree::new(&[("a.yaml", GOOD)]).run(&["--all", "."]).code, 2, "no app found");
}

fn paths(report: &Report) -> Vec<&str> {
    report.findings().iter().filter_map(|found| found["path"].as_str()).collect()
}

#[test]
fn changed_since_checks_only_changes() {
    let tree = Tree::new(&[
        ("apps/a/sealwave.yaml", APP),
        ("apps/a/envs/dev/values.yaml", "{}\n"),
        ("apps/a/base/bad.yaml", BAD),
        ("apps/b/sealwave.yaml", &APP.replace("shop", "other")),
        ("apps/b/envs/dev/values.yaml", "{}\n"),
        ("apps/b/base/bad.yaml", BAD),
        ("apps/b/base/gone.yaml", GOOD),
        ("plain/old.yaml", BAD),
        ("plain/changed.yaml", GOOD),
    ]);
    tree.git(&["init", "-q"]);
    tree.git(&["add", "."]);
    tree.git(&["commit", "-qm", "one"]);
    let since = ["--changed-since", "HEAD", "--all", "apps"];
    let ran = tree.run(&since);
    assert_eq!((ran.code, ran.report().findings().len()), (0, 0), "{}", ran.stdout);
    assert!(ran.stderr.contains("nothing changed"), "{}", ran.stderr);
    // A changed, new, deleted or renamed file changes its app.
    tree.write("apps/a/base/bad.yaml", BAD.replace('7', "8"));
    assert_eq!(paths(&tree.report(&since)), ["apps/a/base/bad.yaml"]);
    // Git compares times in seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    tree.write("apps/a/base/bad.yaml", BAD);
    assert!(tree.run(&since).stderr.contains("nothing changed"), "touched, but the same");
    tree.write("apps/a/base/new.yaml", GOOD);
    assert_eq!(paths(&tree.report(&since)), ["apps/a/base/bad.yaml"]);
    tree.remove("apps/a/base/new.yaml");
    tree.remove("apps/b/base/gone.yaml");
    assert_eq!(paths(&tree.report(&since)), ["apps/b/base/bad.yaml"]);
    tree.git(&["checkout", "-q", "."]);
    tree.git(&["mv", "apps/b/base/gone.yaml", "apps/b/base/renamed.yaml"]);
    assert_eq!(paths(&tree.report(&since)), ["apps/b/base/bad.yaml"]);
    tree.git(&["commit", "-qm", "two"]);
    assert_eq!(
        paths(&tree.report(&["--changed-since", "HEAD~1", "--all", "apps"])),
        ["apps/b/base/bad.yaml"]
    );
    // Plain files are selected individually.
    tree.write("plain/changed.yaml", BAD.replace("bad", "changed"));
    assert_eq!(paths(&tree.report(&["--changed-since", "HEAD", "plain"])), ["plain/changed.yaml"]);
}

#[test]
fn invalid_revisions_are_rejected() {
    let tree = Tree::new(&[("a.yaml", GOOD)]);
    tree.git(&["init", "-q"]);
    tree.git(&["add", "."]);
    tree.git(&["commit", "-qm", "one"]);
    for revision in ["--changed-since=nowhere", "--changed-since=--output=stolen", "--changed-since=-h"] {
        let ran = tree.run(&[revision, "a.yaml"]);
        assert_eq!(ran.code, 2, "{revision}: {}", ran.stdout);
    }
    assert!(!tree.root().join("stolen").exists());
    assert_eq!(Tree::new(&[("a.yaml", GOOD)]).run(&["--changed-since", "HEAD", "a.yaml"]).code, 2);
}

#[test]
fn plain_files_directories_and_standard_input() {
    let tree = Tree::new(&[
        ("plain/bad.yaml", BAD),
        ("plain/sub/good.yml", GOOD),
        ("plain/notes.txt", "not: [yaml"),
        (
            "plain/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [bad.yaml]\n",
        ),
    ]);
    let report = tree.report(&["plain"]);
    assert_eq!(paths(&report), ["plain/bad.yaml"]);
    assert_eq!(report.summary()["lookedAt"]["objects"], 2);
    assert_eq!(tree.run(&["plain/sub/good.yml"]).code, 0);
    let ran = crate::support::validating::run_in(tree.root(), &["-"], Some("plain/bad.yaml"));
    assert_eq!((ran.code, place(ran.report().one("schema/type"))), (1, json!(["<stdin>", 4, 15, 1])));
    assert_eq!(tree.run(&["empty"]).code, 2);
    fs_err::create_dir(tree.root().join("empty")).unwrap();
    assert_eq!(tree.run(&["empty"]).code, 2);
}

#[test]
fn several_versions_of_kubernetes() {
    // Known since 1.34.
    let text = "apiVersion: resource.k8s.io/v1\nkind: DeviceClass\nmetadata: {name: a}\nspec: {}\n";
    let tree = Tree::new(&[("a.yaml", text)]);
    let unknown = |args: &[&str]| {
        let mut all = vec!["a.yaml"];
        all.extend(args);
        tree.report(&all).of("schema/unknown-kind").len()
    };
    assert_eq!(unknown(&["--kube-version", "1.36"]), 0);
    assert_eq!(unknown(&["--kube-version", "1.30"]), 1);
    assert_eq!(unknown(&["--kube-version", "1.30,1.36"]), 1);
    let with_variable = |args: &[&str]| {
        let mut command = crate::support::validating::command(tree.root(), args);
        command.args(["a.yaml", "-o", "json"]).env("KUBE_VERSION", "1.30").output().unwrap().status.code()
    };
    assert_eq!((with_variable(&[]), with_variable(&["--kube-version", "1.36"])), (Some(1), Some(0)));
    assert_eq!(tree.run(&["a.yaml", "--kube-version", "one"]).code, 2);
}

const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: jobs.example.org}\nspec:\n  group: example.org\n  \
                          names: {kind: Job, plural: jobs, singular: job, listKind: JobList}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    \
                          schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n            type: object\n            \
                          properties: {rounds: {type: integer}}\n";

const CUSTOM: &str = "apiVersion: example.org/v1\nkind: Job\nmetadata: {name: a}\nspec: {rounds: many}\n";

#[test]
fn custom_resource_schemas_have_several_sources() {
    let app = Tree::app(&[("base/job.yaml", CUSTOM)]);
    let report = app.report(&[]);
    assert_eq!(report.one("schema/unknown-kind")["severity"], "note");
    assert_eq!(app.report(&["--strict-kinds"]).one("schema/unknown-kind")["severity"], "error");
    app.write("crds/job.yaml", DEFINITION);
    assert_eq!(app.report(&["--crds", "crds"]).one("schema/type")["pointer"], "/spec/rounds");
    app.write("sealwave.yaml", format!("{APP}validate: {{crds: [crds/job.yaml]}}\n"));
    assert_eq!(app.report(&[]).of("schema/type").len(), 1);
    app.write("sealwave.yaml", APP);
    app.write("base/definition.yaml", DEFINITION);
    assert_eq!(app.report(&["--strict-kinds"]).of("schema/type").len(), 1);
    let ran = app.run(&["--crds", "nowhere"]);
    assert_eq!(ran.code, 2);
}

#[test]
fn kinds_are_skipped_and_rejected() {
    let app = Tree::app(&[("base/bad.yaml", BAD)]);
    assert!(app.report(&["--skip", "ConfigMap"]).findings().is_empty());
    assert_eq!(app.report(&["--reject", "v1/ConfigMap"]).of("schema/rejected-kind").len(), 2);
    assert_eq!(app.report(&["--skip", "ConfigMap", "--reject", "ConfigMap"]).findings().len(), 2);
}

#[test]
fn lenient_makes_unknown_fields_warnings() {
    let app = Tree::app(&[(
        "base/bad.yaml",
        &GOOD.replace("\ndata:", "\ndaten: {}\ndata:").replace("good", "other"),
    )]);
    assert_eq!(app.report(&[]).one("schema/unknown-field")["severity"], "error");
    let ran = app.run(&["--lenient"]);
    assert_eq!((ran.code, &ran.report().one("schema/unknown-field")["severity"]), (0, &json!("warning")));
}

#[test]
fn one_environment_of_several() {
    let app = Tree::app(&[("envs/prod/bad.yaml", BAD)]);
    assert_eq!(environments(app.report(&[]).one("schema/type")), ["prod"]);
    let report = app.report(&["--env", "dev"]);
    assert_eq!((report.findings().len(), &report.summary()["lookedAt"]["environments"]), (0, &json!(1)));
    assert_eq!(app.report(&["--env", "dev", "--env", "prod"]).findings().len(), 1);
    assert_eq!(app.run(&["--env", "staging"]).code, 2, "an environment that no app has");
}

#[test]
fn an_unknown_environment_is_an_error() {
    let plain = Tree::new(&[("a.yaml", GOOD)]);
    let ran = plain.run(&["--env", "prod", "a.yaml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("no app has an environment `prod`"), "{}", ran.stderr);
    // An app that cannot be examined may have the environment, and its error is reported.
    let broken = Tree::new(&[("sealwave.yaml", "a: [\n")]);
    let ran = broken.run(&["--env", "prod"]);
    assert_eq!((ran.code, ran.report().findings().len()), (1, 1), "{}", ran.stderr);
    // An unchanged app may have it too.
    let unchanged = Tree::app(&[]);
    unchanged.git(&["init", "-q"]);
    unchanged.git(&["add", "."]);
    unchanged.git(&["commit", "-qm", "one"]);
    assert_eq!(unchanged.run(&["--env", "dev", "--changed-since", "HEAD"]).code, 0);
}

#[test]
fn every_report_matches_its_schema() {
    let schema: Value = serde_json::from_str(
        &fs_err::read_to_string(crate::support::root().join("docs/reference/validation-report.schema.json"))
            .unwrap(),
    )
    .unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let app =
        Tree::app(&[("base/bad.yaml", BAD), ("base/broken.yaml", "a: [\n"), ("base/reader.yaml", READER)]);
    let report = app.report(&[]);
    assert!(report.findings().len() >= 2);
    assert!(
        validator.is_valid(&report.0),
        "{:?}",
        validator.iter_errors(&report.0).next().map(|error| error.to_string())
    );
}

#[test]
fn an_object_that_sops_encrypted_has_one_error() {
    let encrypted = "ENC[AES256_GCM,data:abc=,iv:abc=,tag:abc=,type:str]";
    let secret = |field: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\n{field}: {{password: \"{encrypted}\"}}\n\
             sops: {{mac: \"{encrypted}\", version: 3.9.0}}\n"
        )
    };
    for field in ["data", "stringData"] {
        let app = Tree::app(&[("base/secret.yaml", &secret(field))]);
        let report = app.report(&[]);
        let errors: Vec<_> = report.at("error").map(|finding| finding["rule"].as_str().unwrap()).collect();
        assert_eq!(errors, ["secret/encrypted-leftover"], "{field}");
    }
}

#[test]
fn definitions_named_by_an_app_must_be_in_its_repository() {
    let elsewhere = Tree::new(&[("crd.yaml", "apiVersion: v1\n")]);
    let tree = Tree::new(&[
        (".git/HEAD", ""),
        ("app/envs/dev/values.yaml", "{}\n"),
        ("app/base/good.yaml", GOOD),
        ("crds/empty.yaml", GOOD),
    ]);
    let link =
        |to: &std::path::Path, name: &str| std::os::unix::fs::symlink(to, tree.root().join(name)).unwrap();
    link(&elsewhere.root().join("crd.yaml"), "crds/there.yaml");
    link(&elsewhere.root().join("gone.yaml"), "gone.yaml");
    link(elsewhere.root(), "directory");
    for path in [
        "/etc/hostname",
        "../../outside",
        "../crds",
        "../gone.yaml",
        "../directory/crd.yaml",
        "../directory/no.yaml",
    ] {
        let app = format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nvalidate: {{crds: [{path}]}}\n"
        );
        tree.write("app/sealwave.yaml", app);
        let report = tree.report(&["app"]);
        let finding = report.one("app/load");
        let named = if path == "../crds" { "app/../crds/there.yaml" } else { path };
        assert_eq!(finding["message"], format!("`{named}` leaves the repository"), "{path}");
        assert_eq!(finding["line"], 4, "{path}");
    }
}
