//! `validate` in a repository: which unnamed definitions are used, and how paths are reported.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;

use crate::support::examined;
use crate::support::validating::{APP, BAD, CommandResult, GOOD, Tree, run_in};
use sealwave_validate::engine::{
    CrdFallback, FallbackSchemas, PlainContext, PlainInput, RunSuppressions, SchemaContext, validate_plain,
};
use serde_json::Value;

/// Returns a definition of `example.org/v1 Job` whose field has a type.
fn definition(kind: &str) -> String {
    scoped(kind, "Namespaced", "v1")
}

fn scoped(kind: &str, scope: &str, version: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: jobs.example.org}}\nspec:\n  group: example.org\n  \
         names: {{kind: Job, plural: jobs, singular: job, listKind: JobList}}\n  scope: {scope}\n  versions:\n  - name: {version}\n    served: true\n    storage: true\n    \
         schema:\n      openAPIV3Schema:\n        type: object\n        x-kubernetes-validations: [{{rule: 'true'}}]\n        properties:\n          spec:\n            type: object\n            \
         properties: {{rounds: {{type: {kind}}}}}\n"
    )
}

const CUSTOM: &str = "apiVersion: example.org/v1\nkind: Job\nmetadata: {name: a}\nspec: {rounds: many}\n";

/// Returns a repository with other files and an app that has a custom resource.
fn repository(files: &[(&str, &str)]) -> Tree {
    let tree = Tree::new(&[
        ("apps/shop/sealwave.yaml", APP),
        ("apps/shop/envs/dev/values.yaml", "{}\n"),
        ("apps/shop/base/job.yaml", CUSTOM),
        ("plain/job.yaml", CUSTOM),
    ]);
    fs_err::create_dir(tree.root().join(".git")).unwrap();
    for (path, text) in files {
        tree.write(path, text);
    }
    tree
}

/// Returns the type that the field must have, by the finding about its value; `None` if no definition was used.
fn wanted(ran: &CommandResult) -> Option<String> {
    let report = ran.report();
    let found = report.of("schema/type");
    assert!(found.len() <= 1, "{:?}", report.lines());
    assert_eq!(found.is_empty(), report.of("schema/unknown-kind").len() == 1, "{:?}", report.lines());
    let message = found.first()?["message"].as_str().unwrap().to_owned();
    ["integer", "boolean", "object", "array"]
        .into_iter()
        .find(|kind| message.contains(kind))
        .map(str::to_owned)
        .or_else(|| panic!("{message}"))
}

#[test]
fn a_definition_in_the_repository_is_used() {
    let tree = repository(&[("platform/crds/job.yaml", &definition("integer"))]);
    for args in
        [&["apps/shop"][..], &["plain"], &["plain/job.yaml"], &["--all", "."], &["plain", "apps/shop"]]
    {
        let ran = tree.run(args);
        let report = ran.report();
        assert_eq!((ran.code, report.of("schema/unknown-kind").len()), (1, 0), "{args:?}");
        let found = report.of("schema/type");
        assert!(found.iter().all(|found| found["pointer"] == "/spec/rounds"), "{:?}", report.lines());
        assert_eq!(found.len(), args.iter().filter(|arg| arg.starts_with(['a', 'p', '-'])).count());
        // Rules are evaluated only for objects that are valid otherwise.
        assert_eq!(report.of("schema/unevaluated-rules").len(), 0);
        assert_eq!(ran.stderr, "");
    }
    assert_eq!(tree.run(&["plain", "--strict-kinds", "--rule", "schema/type=off"]).code, 0);
    let below = run_in(&tree.root().join("plain"), &["job.yaml"], None);
    assert_eq!(wanted(&below).as_deref(), Some("integer"));
    let absolute = tree.root().join("plain");
    let elsewhere = Tree::new(&[]);
    let ran = run_in(elsewhere.root(), &[absolute.to_str().unwrap()], None);
    assert_eq!(wanted(&ran).as_deref(), Some("integer"));
}

#[test]
fn a_finding_names_the_definition_used() {
    let text = format!("# one\n---\n{}", definition("integer"));
    let tree = repository(&[("platform/crds/job.yaml", &text)]);
    let defined = |ran: CommandResult| {
        let report = ran.report();
        let related = &report.one("schema/type")["related"];
        assert_eq!((related.as_array().unwrap().len(), &related[0]["line"]), (1, &3.into()), "{related}");
        related[0]["path"].as_str().unwrap().to_owned()
    };
    assert_eq!(defined(tree.run(&["plain"])), "platform/crds/job.yaml");
    assert_eq!(defined(tree.run(&["./apps/shop"])), "platform/crds/job.yaml");
    let shop = tree.root().join("apps/shop");
    assert_eq!(defined(run_in(&shop, &["."], None)), "../../platform/crds/job.yaml");
    assert_eq!(
        defined(run_in(&shop, &["base/../../../plain/job.yaml"], None)),
        "base/../../../platform/crds/job.yaml"
    );
    let absolute = tree.root().join("plain");
    let full = tree.root().join("platform/crds/job.yaml");
    assert_eq!(defined(tree.run(&[absolute.to_str().unwrap()])), full.to_str().unwrap());
    symlink(&absolute, shop.join("link")).unwrap();
    let linked = defined(run_in(&shop, &["link/job.yaml"], None));
    assert_eq!(fs_err::canonicalize(shop.join(linked)).unwrap(), fs_err::canonicalize(&full).unwrap());
    let human = tree.plain(&["plain"]).stdout;
    assert!(human.contains("the kind is defined here: platform/crds/job.yaml:3:1"), "{human}");
    // A definition among the manifests, or a named one, is not mentioned.
    let named = tree.report(&["plain", "--crds", "platform/crds/job.yaml"]);
    assert_eq!(named.one("schema/type")["related"], serde_json::json!([]));
}

#[test]
fn in_a_list_and_in_json_too() {
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}",
        definition("integer").lines().enumerate().fold(String::new(), |text, (number, line)| {
            text + if number == 0 { "- " } else { "  " } + line + "\n"
        })
    );
    assert_eq!(wanted(&repository(&[("list.yml", &list)]).run(&["plain"])).as_deref(), Some("integer"));
    let json = r#"{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "jobs.example.org"},
        "spec": {"group": "example.org", "names": {"kind": "Job", "plural": "jobs"}, "scope": "Namespaced", "versions": [{"name": "v1",
        "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object",
        "properties": {"rounds": {"type": "boolean"}}}}}}}]}}"#;
    assert_eq!(wanted(&repository(&[("job.json", json)]).run(&["plain"])).as_deref(), Some("boolean"));
}

#[test]
fn definitions_outside_the_repository_are_not_used() {
    let text = definition("integer");
    for path in ["build/job.yaml", ".hidden/job.yaml", "crds/job.yaml.hbs", "crds/job.txt"] {
        let tree = repository(&[(".gitignore", "build/\n"), (path, &text)]);
        assert_eq!(wanted(&tree.run(&["plain"])), None, "{path}");
        assert_eq!(wanted(&tree.run(&["apps/shop"])), None, "{path}");
    }
    // Beside the repository, and outside any repository.
    let outer = Tree::new(&[("crds/job.yaml", &text), ("inner/plain/job.yaml", CUSTOM)]);
    assert_eq!(wanted(&outer.run(&["inner"])), None);
    fs_err::create_dir(outer.root().join("inner/.git")).unwrap();
    assert_eq!(wanted(&outer.run(&["inner"])), None);
    symlink(outer.root().join("crds"), outer.root().join("inner/crds")).unwrap();
    symlink(outer.root().join("crds/job.yaml"), outer.root().join("inner/job.yaml")).unwrap();
    assert_eq!(wanted(&outer.run(&["inner/plain"])), None, "links lead out of it");
    // A worktree has a `.git` file.
    fs_err::remove_dir(outer.root().join("inner/.git")).unwrap();
    outer.write(".git", "gitdir: elsewhere\n");
    assert_eq!(wanted(&outer.run(&["inner/plain"])).as_deref(), Some("integer"));
}

#[test]
fn named_and_rendered_definitions_take_precedence() {
    let tree =
        repository(&[("plain-crds.yaml", &definition("integer")), ("named.yaml", &definition("boolean"))]);
    assert_eq!(wanted(&tree.run(&["plain", "--crds", "named.yaml"])).as_deref(), Some("boolean"));
    tree.write("apps/shop/base/definition.yaml", definition("array"));
    assert_eq!(wanted(&tree.run(&["apps/shop"])).as_deref(), Some("array"));
    // A definition that another app of the run renders takes precedence over a nearer one.
    tree.remove("apps/shop/base/definition.yaml");
    tree.write("apps/shop/crds/job.yaml", definition("object"));
    tree.write("apps/platform/sealwave.yaml", APP);
    tree.write("apps/platform/envs/dev/values.yaml", "{}\n");
    tree.write("apps/platform/base/definition.yaml.hbs", definition("array"));
    assert_eq!(wanted(&tree.run(&["apps/shop"])).as_deref(), Some("object"));
    assert_eq!(wanted(&tree.run(&["--all", "apps"])).as_deref(), Some("array"));
    // For another version of a named definition, no other definition is searched.
    tree.write("named.yaml", scoped("boolean", "Namespaced", "v2"));
    let report = tree.report(&["plain", "--crds", "named.yaml"]);
    assert_eq!(report.one("schema/unknown-kind")["hint"], "it exists as `v2`");
}

#[test]
fn the_nearest_definition_is_used_then_the_first() {
    let tree = repository(&[
        ("a/job.yaml", &definition("integer")),
        ("b/job.yaml", &definition("object")),
        ("apps/shop/crds/job.yaml", &definition("boolean")),
    ]);
    assert_eq!(wanted(&tree.run(&["apps/shop"])).as_deref(), Some("boolean"));
    assert_eq!(wanted(&tree.run(&["plain"])).as_deref(), Some("integer"));
    tree.write("plain/crds/job.yaml", definition("array"));
    assert_eq!(wanted(&tree.run(&["plain/job.yaml"])).as_deref(), Some("array"));
    // A definition that serves the version takes precedence over a nearer one.
    tree.write("plain/crds/job.yaml", scoped("array", "Namespaced", "v2"));
    assert_eq!(wanted(&tree.run(&["plain/job.yaml"])).as_deref(), Some("integer"));
    for path in ["a/job.yaml", "b/job.yaml", "apps/shop/crds/job.yaml"] {
        tree.remove(path);
    }
    let report = tree.report(&["plain/job.yaml"]);
    let unknown = report.one("schema/unknown-kind");
    assert_eq!((&unknown["severity"], &unknown["hint"]), (&"error".into(), &"it exists as `v2`".into()));
}

#[test]
fn standard_input_uses_the_working_directory() {
    let tree = repository(&[("crds/job.yaml", &definition("integer"))]);
    assert_eq!(wanted(&run_in(tree.root(), &["-"], Some("plain/job.yaml"))).as_deref(), Some("integer"));
    tree.write("plain/job.yaml", CUSTOM);
    assert_eq!(
        wanted(&run_in(&tree.root().join("plain"), &["-"], Some("job.yaml"))).as_deref(),
        Some("integer")
    );
}

#[test]
fn a_stream_uses_repository_definitions_everywhere() {
    let filler = format!("---\n# {}\n", "x".repeat(4 << 20));
    let text = format!(
        "{}{filler}---\n{CUSTOM}{filler}{filler}---\n{}",
        definition("integer"),
        CUSTOM.replace("{name: a}", "{name: b}")
    );
    let tree = repository(&[("all/all.yaml", &text)]);
    tree.remove("plain/job.yaml");
    let ran = tree.run(&["all"]);
    assert!(ran.stderr.contains("each object was checked on its own"), "{}", ran.stderr);
    assert_eq!(ran.report().of("schema/type").len(), 2, "{:?}", ran.report().lines());
    let ran = run_in(tree.root(), &["-"], Some("all/all.yaml"));
    assert_eq!(ran.report().of("schema/type").len(), 2, "{:?}", ran.report().lines());
}

#[test]
fn repository_definitions_set_the_scope_of_kinds() {
    let tree = repository(&[("crds/job.yaml", &scoped("integer", "Cluster", "v1"))]);
    let missing = ["plain", "--rule", "resource/missing-namespace=warning"];
    assert!(tree.report(&missing).of("resource/missing-namespace").is_empty());
    tree.write("plain/job.yaml", CUSTOM.replace("{name: a}", "{name: a, namespace: shop}"));
    assert_eq!(tree.report(&["plain"]).of("resource/cluster-scoped-with-namespace").len(), 1);
    // The app's own namespace is not a fault.
    assert!(tree.report(&["apps/shop"]).of("resource/cluster-scoped-with-namespace").is_empty());
    tree.remove("crds/job.yaml");
    assert!(tree.report(&["plain"]).of("resource/cluster-scoped-with-namespace").is_empty());
    tree.write("plain/job.yaml", CUSTOM);
    assert_eq!(tree.report(&missing).of("resource/missing-namespace").len(), 1);
}

#[test]
fn an_unknown_kind_suggests_one_of_its_group() {
    let tree = repository(&[("crds/job.yaml", &definition("integer"))]);
    tree.write("plain/job.yaml", CUSTOM.replace("Job", "Jobb"));
    let report = tree.report(&["plain"]);
    let unknown = report.one("schema/unknown-kind");
    assert_eq!(
        (&unknown["severity"], &unknown["hint"]),
        (&"note".into(), &"did you mean `Job` of `example.org/v1`?".into())
    );
}

#[test]
fn files_in_the_repository_never_fail_a_run() {
    let tree = repository(&[
        ("a/broken.yaml", "kind: CustomResourceDefinition\nspec: {group: example.org, names: {kind: Job\n"),
        (
            "a/template.yaml",
            "{{- if .Values.crds }}\nkind: CustomResourceDefinition # example.org Job\n{{ end }}\n",
        ),
        (
            "a/odd.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: [example.org]\n",
        ),
        ("a/deep.yaml", &format!("# CustomResourceDefinition example.org\n{}", "[".repeat(100_000))),
        ("a/faulty.yaml", &definition("[nonsense]").replace("jobs", "works").replace("Job", "Work")),
    ]);
    fs_err::write(tree.root().join("a/binary.yaml"), b"CustomResourceDefinition example.org \xff\xfe\0")
        .unwrap();
    fs_err::File::create(tree.root().join("a/huge.yaml")).unwrap().set_len(4 << 30).unwrap();
    symlink("self", tree.root().join("a/self")).unwrap();
    symlink(tree.root(), tree.root().join("a/circle")).unwrap();
    symlink("/dev/zero", tree.root().join("a/zero.yaml")).unwrap();
    let fifo = tree.root().join("a/fifo.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let ran = tree.run(&["plain"]);
    assert_eq!((ran.code, wanted(&ran)), (0, None), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("`a/broken.yaml` mentions kind `Job`, but some of its documents cannot be parsed"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("huge"), "{}", ran.stderr);
    let below = run_in(&tree.root().join("plain"), &["job.yaml"], None);
    assert!(below.stderr.contains("`../a/broken.yaml` mentions kind `Job`"), "{}", below.stderr);
    // If a definition is found, broken files beside it are not mentioned.
    tree.write("z/job.yaml", definition("integer"));
    let ran = tree.run(&["plain"]);
    assert_eq!((wanted(&ran).as_deref(), &*ran.stderr), (Some("integer"), ""));
}

#[test]
fn a_broken_document_does_not_hide_the_definition_beside_it() {
    let tree = repository(&[("crds.yaml", &format!("a: [1\n---\n{}", definition("integer")))]);
    assert_eq!(wanted(&tree.run(&["plain"])).as_deref(), Some("integer"));
}

#[test]
fn thousands_of_files_are_searched_quickly() {
    let tree = repository(&[("z/job.yaml", &definition("integer"))]);
    for number in 0..4_000 {
        let text = if number % 4 == 0 {
            definition("boolean").replace("example.org", "example.net")
        } else {
            GOOD.to_owned()
        };
        tree.write(&format!("data/d{}/{number}.yaml", number % 40), text);
    }
    assert_eq!(wanted(&tree.run(&["plain"])).as_deref(), Some("integer"));
}

/// A fallback that records its lookups and finds nothing.
#[derive(Debug, Default)]
struct RecordingFallback(std::sync::Mutex<Vec<String>>);

impl CrdFallback for RecordingFallback {
    fn look_up(&self, group: &str, version: &str, kind: &str) -> Option<FallbackSchemas> {
        self.0.lock().unwrap().push(format!("{group}/{version} {kind}"));
        None
    }
}

#[test]
fn only_kinds_without_a_schema_are_looked_up() {
    let asked = |text: &'static str, skip: &[&str]| {
        let fallback = std::sync::Arc::new(RecordingFallback::default());
        let flags: Vec<&str> = skip.iter().flat_map(|kind| ["--skip", kind]).collect();
        let options = examined::options(&[&["--no-packed-definitions"], &flags[..]].concat());
        let schemas = SchemaContext::extendable(&options).with_fallback(fallback.clone());
        let context = PlainContext::new(options, schemas, None, BTreeSet::new());
        let open = || Ok(Box::new(text.as_bytes()) as Box<dyn std::io::Read>);
        let input = PlainInput { name: "a.yaml".to_owned(), open: Box::new(open) };
        validate_plain(vec![input], &context, &RunSuppressions::new(&[])).unwrap();
        let mut asked = fallback.0.lock().unwrap().clone();
        asked.dedup();
        asked
    };
    assert_eq!(asked(CUSTOM, &[]), ["example.org/v1 Job"]);
    assert!(asked(CUSTOM, &["Job"]).is_empty());
    assert!(asked(GOOD, &[]).is_empty());
    for known in [
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\nrules: []\n",
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\nspec: {}\n",
        "apiVersion: v1\nkind: Confusion\nmetadata: {name: a}\n",
    ] {
        assert!(asked(known, &[]).is_empty(), "{known}");
    }
}

/// Returns a repository with faults in an app and plain manifests, and one fault without a place.
fn faulty() -> Tree {
    let tree = repository(&[
        ("apps/shop/base/a b,ü:%.yaml", BAD),
        (
            "apps/shop/base/twice.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1, replicas: 2}\n",
        ),
        ("plain/bad.yaml", BAD),
    ]);
    tree.remove("apps/shop/base/job.yaml");
    tree.remove("plain/job.yaml");
    tree
}

/// Runs in a directory and returns the output for services: SARIF, GitLab and GitHub.
fn for_services(directory: &std::path::Path, path: &str) -> [String; 3] {
    ["sarif", "gitlab", "github"].map(|form| {
        let mut command = crate::support::validating::command(directory, &[path, "--output", form]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    })
}

#[test]
fn services_get_paths_from_the_repository_root() {
    let tree = faulty();
    let elsewhere = Tree::new(&[]);
    let root = tree.root();
    for (named, below) in [("apps/shop", "."), ("plain", "."), ("plain/bad.yaml", "bad.yaml")] {
        let reports = for_services(root, named);
        let directory = if root.join(named).is_dir() { root.join(named) } else { root.join("plain") };
        assert_eq!(for_services(&directory, below), reports, "{named} from below");
        let absolute = root.join(named);
        assert_eq!(
            for_services(elsewhere.root(), absolute.to_str().unwrap()),
            reports,
            "{named} from elsewhere"
        );
    }
    let [sarif, gitlab, github] = for_services(&root.join("apps/shop"), ".");
    assert!(sarif.contains(r#""uri": "apps/shop/base/a%20b%2C%C3%BC%3A%25.yaml""#), "{sarif}");
    assert!(gitlab.contains(r#""path": "apps/shop/base/a b,ü:%.yaml""#), "{gitlab}");
    assert!(github.contains("file=apps/shop/base/a b%2Cü%3A%25.yaml,"), "{github}");
    assert!(!sarif.contains("file://"), "{sarif}");
    let prints = |text: &str| {
        let log: Value = serde_json::from_str(text).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["partialFingerprints"].to_string()).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(prints(&sarif), sarif.matches("partialFingerprints").count());
}

#[test]
fn other_formats_keep_the_given_paths() {
    let tree = faulty();
    let ran = run_in(&tree.root().join("plain"), &["."], None);
    assert_eq!(ran.report().one("schema/type")["path"], "bad.yaml");
    let absolute = tree.root().join("plain/bad.yaml");
    let ran = run_in(tree.root(), &[absolute.to_str().unwrap()], None);
    assert_eq!(ran.report().one("schema/type")["path"], absolute.to_str().unwrap());
    let human = tree.plain(&["plain/../plain/bad.yaml"]);
    assert!(human.stdout.contains("plain/../plain/bad.yaml:4:15"), "{}", human.stdout);
}

#[test]
fn without_a_repository_paths_are_unchanged() {
    let tree = faulty();
    fs_err::remove_dir(tree.root().join(".git")).unwrap();
    let [sarif, gitlab, _] = for_services(&tree.root().join("plain"), "bad.yaml");
    assert!(sarif.contains(r#""uri": "bad.yaml""#), "{sarif}");
    assert!(gitlab.contains(r#""path": "bad.yaml""#), "{gitlab}");
    let absolute = tree.root().join("plain/bad.yaml");
    let [sarif, gitlab, _] = for_services(tree.root(), absolute.to_str().unwrap());
    let absolute = absolute.to_str().unwrap();
    assert!(sarif.contains(&format!(r#""uri": "file://{absolute}""#)), "{sarif}");
    assert!(gitlab.contains(&format!(r#""path": "{absolute}""#)), "{gitlab}");
}

#[test]
fn standard_input_and_an_app_that_does_not_render_have_their_names() {
    let tree = faulty();
    let mut command = crate::support::validating::command(tree.root(), &["-", "--output", "gitlab"]);
    command.stdin(fs_err::File::open(tree.root().join("plain/bad.yaml")).unwrap().into_parts().0);
    let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(output.contains(r#""path": "<stdin>""#), "{output}");
    tree.write("apps/shop/sealwave.yaml", format!("{APP}waves: 7\n"));
    let [_, gitlab, github] = for_services(&tree.root().join("apps/shop"), ".");
    assert!(gitlab.contains(r#""path": "apps/shop/sealwave.yaml""#), "{gitlab}");
    assert!(github.starts_with("::error file=apps/shop/sealwave.yaml,"), "{github}");
    // A finding about an app as a whole is at its app file.
    let tree = Tree::new(&[("apps/none/sealwave.yaml", APP), (".git", "")]);
    let [_, gitlab, github] = for_services(&tree.root().join("apps/none"), ".");
    assert!(gitlab.contains(r#""path": "apps/none/sealwave.yaml""#), "{gitlab}");
    assert!(github.starts_with("::error file=apps/none/sealwave.yaml,title"), "{github}");
}
