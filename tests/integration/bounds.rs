//! Tests of the limits for hostile repositories: each attack ends in an error that names the limit and the place, and
//! ordinary apps pass.

use std::fmt::Write as _;
use std::process::Output;

use crate::support::{objects, sealwave};
use tempfile::TempDir;

const HEAD: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";

/// An app with one environment.
struct App {
    directory: TempDir,
}

impl App {
    fn new(files: &[(&str, &str)]) -> Self {
        let app = Self { directory: TempDir::new().unwrap() };
        app.write("sealwave.yaml", &format!("{HEAD}environments: {{dev: {{}}}}\n"));
        for (path, text) in files {
            app.write(path, text);
        }
        app
    }

    /// Creates an app with patches, each for all objects of kind `ConfigMap`.
    fn patched(files: &[(&str, &str)], patches: &[&str]) -> Self {
        let app = Self::new(files);
        let mut entries = String::new();
        for (index, patch) in patches.iter().enumerate() {
            app.write(&format!("patches/{index}.yaml"), patch);
            writeln!(entries, "    - {{target: {{kind: ConfigMap}}, file: patches/{index}.yaml}}").unwrap();
        }
        app.write("sealwave.yaml", &format!("{HEAD}environments:\n  dev:\n    patches:\n{entries}"));
        app
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn run(&self, command: &str) -> Output {
        let directory = self.directory.path().to_str().unwrap();
        let mut run = sealwave();
        run.args([command, directory, "--env", "dev"]);
        if command == "generate" {
            let root = crate::support::root();
            let operator = root.join("testdata/bad-operator/operator.yaml");
            run.args(["--operator", operator.to_str().unwrap(), "--project", "shop"]);
        }
        run.output().unwrap()
    }

    /// Returns the error of a run that must be refused.
    fn refusal(&self, command: &str) -> String {
        let output = self.run(command);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(output.stdout.is_empty());
        stderr
    }

    /// Checks the first line and the place of an error, and that it is the only one.
    fn refused_with(&self, message: &str, place: &str) {
        let stderr = self.refusal("render");
        let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(
            errors.len() == 1 && errors[0].contains(message),
            "{message}: {}",
            &stderr[..stderr.len().min(2000)]
        );
        assert!(stderr.contains(place), "{place}: {}", &stderr[..stderr.len().min(2000)]);
    }

    fn rendered(&self) -> usize {
        let output = self.run("render");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}", &stderr[..stderr.len().min(2000)]);
        output.stdout.len()
    }
}

/// Concatenates the texts of a range of numbers.
fn series(count: usize, make: impl Fn(usize) -> String) -> String {
    (0..count).map(make).collect::<Vec<_>>().concat()
}

fn config_map(index: usize, data: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{index}}}\ndata:\n{data}")
}

fn config_maps(count: usize, data: &str) -> String {
    series(count, |index| config_map(index, data))
}

#[test]
fn aliases_are_summed_over_the_environment() {
    let aliased = |index: usize| {
        let mut data = format!("  s: &s {}\n", "x".repeat(16_000));
        (0..500).for_each(|key| writeln!(data, "  a{key}: *s").unwrap());
        config_map(index, &data)
    };
    // Eight megabytes each, so that no document exceeds its own limit.
    let one = |from: usize| (from..from + 2).map(aliased).collect::<String>();
    let app = App::new(&[("base/a.yaml", &one(0)), ("base/b.yaml", &one(2)), ("base/c.yaml", &one(4))]);
    app.refused_with("more than 33554432 bytes of aliased text in total", "base/c.yaml:");
    assert!(App::new(&[("base/a.yaml", &one(0))]).rendered() > 16_000_000);
    let nodes = "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n".to_owned()
        + "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]\n";
    let many =
        series(40, |n| format!("---\napiVersion: a.io/v1\nkind: Any\nmetadata: {{name: n{n}}}\n{nodes}"));
    App::new(&[("base/a.yaml", &many)])
        .refused_with("more than 209715200 bytes of memory in total", "base/a.yaml:");
}

#[test]
fn documents_and_nodes_are_summed_over_the_environment() {
    let app = App::new(&[("base/a.yaml", &"---\n".repeat(30_000)), ("base/b.yaml", &"---\n".repeat(30_000))]);
    app.refused_with("more than 50000 documents in total", "base/b.yaml:");
    let app = App::new(&[("base/a.json", &"{}\n".repeat(50_001))]);
    assert!(app.refusal("render").contains("more than 50000 documents in total"));
    let lists = format!("  a: [{}]\n", vec!["{a: 1}"; 200_000].join(","));
    let files = [0, 1, 2].map(|index| config_map(index, &lists));
    let app = App::new(&[("base/a.yaml", &files[0]), ("base/b.yaml", &files[1]), ("base/c.yaml", &files[2])]);
    app.refused_with("more than 209715200 bytes of memory in total", "base/c.yaml:");
    let app = App::new(&[("values.yaml", &format!("a: [{}]\n", vec!["[]"; 600_000].join(",")))]);
    app.refused_with("more than 500000 nodes", "values.yaml:1:");
    let entries = |prefix: &str| series(220_000, |n| format!("{prefix}{n}: {{a: 1}}\n"));
    let app = App::new(&[("values.yaml", &entries("a")), ("envs/dev/values.yaml", &entries("b"))]);
    app.refused_with("values take more than 67108864 bytes of memory", "values.yaml");
}

#[test]
fn long_keys_of_values_are_refused() {
    let values = format!("m:\n  ? {}\n  : 1\n", "k".repeat(1025));
    App::new(&[("values.yaml", &values)])
        .refused_with("key of the values is longer than 1024 bytes", "values.yaml:2:5");
}

/// The fast parser would keep all of it in memory, since the start of a line could be a key.
#[test]
fn a_collection_on_one_long_line_is_read_like_any_other() {
    let item = "{a: [1, 'x'], b: text},";
    let text = format!("[{}]\n", item.repeat(3000));
    assert!(text.len() > 64_000);
    let app = App::new(&[
        (
            "base/t.yaml.hbs",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {count: \"{{len (fromYaml v)}}\"}\n",
        ),
        ("values.yaml", &format!("v: |\n  {text}")),
    ]);
    let output = app.run("render");
    assert!(String::from_utf8_lossy(&output.stdout).contains("count: \"3000\""));
}

#[test]
fn the_number_of_problems_is_limited() {
    for (path, text) in [
        ("base/a.yaml", "a: 1\n---\n".repeat(5000)),
        ("base/a.yaml", "a: [\n---\n".repeat(5000)),
        ("base/a.yaml", "a: 1\na: 1\n".repeat(5000)),
        ("base/a.json", "{\"a\": 1}\n".repeat(5000)),
        ("base/a.yaml", config_map(1, "  a: b\n").repeat(5000)),
        ("base/a.yaml", config_map(1, &series(5000, |n| format!("  a{n}: <file:a.yaml#b>\n")))),
    ] {
        let stderr = App::new(&[(path, &text)]).refusal("render");
        let count = stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert!((1..=200).contains(&count), "{count} problems of {}", &text[..20]);
    }
    let files: Vec<(String, String)> =
        (0..300).map(|n| (format!("base/{n}.yaml.hbs"), "{{nope}}".to_owned())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert!(App::new(&files).refusal("render").matches("error: ").count() <= 200);
}

#[test]
fn the_output_is_bounded_and_the_largest_objects_are_named() {
    let large = format!("  a: {}\n", "x".repeat(9_500_000));
    let files: Vec<(String, String)> = (0..6)
        .map(|n| (format!("base/{n}.yaml"), config_map(n, &large)))
        .chain([("base/small.yaml".to_owned(), config_map(9, "  a: b\n"))])
        .collect();
    let mut files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert!(App::new(&files).rendered() > 50_000_000);
    // Ten megabytes in clear, and more than a hundred when written out.
    let escaped = config_map(7, &format!("  a: \"{}\"\n", "\\a".repeat(5_000_000)));
    let copies = config_map(8, &format!("  a: \"{}\"\n", "\\a".repeat(4_900_000)));
    files.truncate(4);
    files.extend([("base/escaped.yaml", escaped.as_str()), ("base/more.yaml", copies.as_str())]);
    for command in ["render", "generate"] {
        let stderr = App::new(&files).refusal(command);
        assert!(stderr.contains("output is larger than 94371840 bytes"), "{command}: {stderr}");
        assert!(
            stderr.contains("ConfigMap `shop/m0` (9277 KiB)") && !stderr.contains("`shop/m9`"),
            "{stderr}"
        );
        assert!(stderr.contains("split the app"), "{stderr}");
    }
    let deep = format!("x: {}\"{}\"{}", "{a: ".repeat(100), "y\\n".repeat(1_000_000), "}".repeat(100));
    let app = App::new(&[("base/deep.yaml", &format!("{}{deep}\n", config_map(1, "  a: b\n")))]);
    assert!(app.refusal("render").contains("output is larger than 94371840 bytes"));
}

#[test]
fn the_work_of_patches_is_limited() {
    let copies = series(20, |n| format!("- {{op: copy, from: /data/a, path: /data/b{n}}}\n"));
    let text = format!("  a: {}\n", "x".repeat(3_000_000));
    App::patched(&[("base/a.yaml", &config_map(1, &text))], &[&copies])
        .refused_with("too large or too deep", "patches/0.yaml:");
    let four: String = copies.lines().take(4).fold(String::new(), |all, line| all + line + "\n");
    let (first, second) = (config_maps(3, &text), [3, 4].map(|n| config_map(n, &text)).concat());
    App::patched(&[("base/a.yaml", &first), ("base/b.yaml", &second)], &[&four])
        .refused_with("patches add more than 50331648 bytes", "patches/0.yaml:");
    let merge = format!("data: {{x: {}}}\n", "y".repeat(900_000));
    App::patched(&[("base/a.yaml", &config_maps(100, "  a: b\n"))], &[&merge])
        .refused_with("patches add more than 50331648 bytes", "patches/0.yaml:1:1");
    let adds = series(1000, |n| format!("- {{op: add, path: /data/k{n}, value: x}}\n"));
    App::patched(&[("base/a.yaml", &config_map(1, &text))], &[&adds])
        .refused_with("patches take too many steps", "patches/0.yaml:");
    let tests: String = (0..1000).map(|_| "- {op: test, path: /data, value: {a: b}}\n".to_owned()).collect();
    assert!(App::patched(&[("base/a.yaml", &config_maps(20, "  a: b\n"))], &[&tests]).rendered() > 0);
    let few = series(20, |n| format!("- {{op: add, path: /data/k{n}, value: x}}\n"));
    assert!(
        App::patched(&[("base/a.yaml", &config_maps(500, "  a: b\n"))], &[few.as_str(); 3]).rendered() > 0
    );
}

const DATA: &str = "metadata: {name: x}\nstringData: {a: canary-in-clear}\n";

#[test]
fn plain_secrets_are_never_printed() {
    let cases = [
        ("apiVersion: v1\nkind: secret\n", "holds `stringData` of a Secret"),
        ("apiVersion: v1\nkind: Secert\n", "holds `stringData` of a Secret"),
        ("apiVersion: core/v1\nkind: Secret\n", "holds `stringData` of a Secret"),
        ("apiVersion: v1\nkind: \" Secret\"\n", "holds `stringData` of a Secret"),
        ("apiVersion: v1\nkind: \"Secret\\u200b\"\n", "holds `stringData` of a Secret"),
        ("apiVersion: v1\nkind: ConfigMap\n", "holds `stringData` of a Secret"),
        ("apiVersion: a.io/v1\nkind: Thing\n", "holds `stringData` of a Secret"),
    ];
    for (head, message) in cases {
        assert_not_printed(&App::new(&[("base/a.yaml", &format!("{head}{DATA}"))]), message);
    }
    for kind in ["secret", "Secrets"] {
        let text = format!(
            "apiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\ndata: {{a: Y2FuYXJ5LWluLWNsZWFy}}\n"
        );
        assert_not_printed(&App::new(&[("base/a.yaml", &text)]), "holds `data` of a Secret");
    }
    let template = "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: t}\nobjects:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: x}\n  stringData: {a: canary-in-clear}\n";
    assert_not_printed(&App::new(&[("base/a.yaml", template)]), "holds a Secret with values in `objects`");
    let parameter = template.replace("canary-in-clear", "\"${PASSWORD}\"");
    assert!(App::new(&[("base/a.yaml", &parameter)]).rendered() > 0);
    // `data` of a custom resource has its own meaning.
    let custom = "apiVersion: apiextensions.crossplane.io/v1alpha1\nkind: EnvironmentConfig\nmetadata: {name: x}\ndata: {a: b}\n";
    assert!(App::new(&[("base/a.yaml", custom)]).rendered() > 0);
}

#[test]
fn patches_cannot_expose_a_plain_secret() {
    let list = format!("apiVersion: v1\nkind: Secret\n{DATA}").replace('\n', "\n    ");
    for patch in [
        format!("items:\n  - {list}\n"),
        format!("kind: List\nitems:\n  - {list}\n"),
        format!("kind: SecretList\nitems:\n  - {list}\n"),
        format!("- op: add\n  path: /items\n  value:\n  - {list}\n"),
        "items: []\n".to_owned(),
    ] {
        let app = App::patched(&[("base/a.yaml", &config_map(1, "  a: b\n"))], &[&patch]);
        assert_not_printed(&app, "patch turns ConfigMap `shop/m1` into a list");
    }
    for (patch, message) in [
        ("kind: secret\nstringData: {a: canary-in-clear}\n", "holds `stringData` of a Secret"),
        (
            "apiVersion: core/v1\nkind: Secret\ndata: null\nstringData: {a: canary-in-clear}\n",
            "holds `stringData` of a Secret",
        ),
        ("stringData: {a: canary-in-clear}\n", "holds `stringData` of a Secret"),
    ] {
        assert_not_printed(&App::patched(&[("base/a.yaml", &config_map(1, "  a: b\n"))], &[patch]), message);
    }
    // Objects that become Secrets before Secrets are searched for are sealed like any other.
    let patch = "kind: Secret\ndata: null\nstringData: {a: canary-in-clear}\n";
    let app = App::patched(&[("base/a.yaml", &config_map(1, "  a: b\n"))], &[patch]);
    for command in ["generate", "render"] {
        let output = app.run(command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert!(stdout.contains("SealedSecret") && !stdout.contains("canary-in-clear"), "{stdout}");
    }
}

#[test]
fn a_secret_in_a_list_of_any_kind_is_sealed() {
    let secret = format!("apiVersion: v1\nkind: Secret\n{DATA}").replace('\n', "\n  ");
    for head in ["apiVersion: v1\nkind: List", "apiVersion: a.io/v1\nkind: Bundle\nmetadata: {name: b}"] {
        let nested = format!("{head}\nitems:\n- {secret}\n");
        let twice = format!("{head}\nitems:\n- {}\n", nested.trim_end().replace('\n', "\n  "));
        for text in [nested, twice] {
            let output = App::new(&[("base/a.yaml", &text)]).run("generate");
            let stdout = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(objects(&stdout).iter().all(|object| object["kind"] == "SealedSecret"), "{stdout}");
            assert!(!stdout.contains("canary-in-clear"));
        }
    }
}

fn assert_not_printed(app: &App, message: &str) {
    for command in ["generate", "render"] {
        let stderr = app.refusal(command);
        assert!(stderr.contains(message), "{command}: {message}: {stderr}");
        assert!(stderr.contains("= help: ") && !stderr.contains("canary-in-clear"), "{stderr}");
    }
}

#[test]
fn ordinary_large_apps_pass() {
    let line = "    server.option = \"value\"  # in step with the others\n";
    let data = format!("  file.conf: |\n{}", line.repeat(4000));
    let files: Vec<(String, String)> = (0..9)
        .map(|file| {
            (format!("base/{file}.yaml"), (0..10).map(|n| config_map(file * 10 + n, &data)).collect())
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert!(App::new(&files).rendered() > 19_000_000);
    let values = series(5000, |n| format!("  key{n}: {{a: [1, 2], b: text}}\n"));
    let template = "{{#each all}}\n{{> map name=@key}}\n{{/each}}\n";
    let partial = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{lower name}}}\ndata: {b: {{b}}, n: \"{{len a}}\"}\n";
    let app = App::new(&[
        ("values.yaml", &format!("all:\n{values}")),
        ("base/t.yaml.hbs", template),
        ("partials/map.hbs", partial),
    ]);
    assert!(app.rendered() > 500_000);
}
