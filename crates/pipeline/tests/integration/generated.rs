//! Tests of ConfigMaps and Secrets that the app file makes, and of the helper `file`.

use std::fmt::Write as _;
use std::process::Command;

use serde_json::{Value as Json, json};

use super::render::App;

const HEAD: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";

/// Creates an app with the environments `dev` and `prod`, these settings, and these files.
fn app(settings: &str, files: &[(&str, &str)]) -> App {
    let app = App::new(files);
    app.write("sealwave.yaml", format!("{HEAD}{settings}"));
    app.write("envs/dev/values.yaml", "{}\n").write("envs/prod/values.yaml", "{}\n");
    app
}

/// Returns the object of a kind and a name.
fn object(objects: &[Json], kind: &str, name: &str) -> Json {
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}: {objects:?}")).clone()
}

/// Returns the error of these settings without files.
fn error_of(settings: &str) -> String {
    app(settings, &[("a.txt", "a"), ("c/a.txt", "a")]).run().error()
}

#[test]
fn literals_files_and_env_files_become_a_config_map() {
    let settings = "\
configMaps:
  web:
    literals: {LOG_LEVEL: info, PORT: '8080'}
    files: [config/nginx.conf, 'types=config/mime types', pages, config/logo.png]
    envFiles: [config/app.env]
    labels: {grafana_dashboard: '1'}
    annotations: {a.io/b: c}
";
    let app = app(
        settings,
        &[
            ("config/nginx.conf", "server {\n  listen 80;\n}\n"),
            ("config/mime types", "\u{feff}text/html  html\r\n"),
            ("config/app.env", "\u{feff}# comment\nA=1\n\nB=\"x\"\n"),
            ("pages/index.html", "<p>"),
            ("pages/.hidden", "x"),
            ("pages/sub/other.html", "x"),
        ],
    );
    app.write("config/logo.png", b"\x89PNG\xff");
    let object = object(&app.run().json(), "ConfigMap", "web");
    let expected = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "web", "namespace": "shop", "labels": {"grafana_dashboard": "1"}, "annotations": {"a.io/b": "c"},
        },
        "data": {
            "A": "1", "B": "\"x\"", "LOG_LEVEL": "info", "PORT": "8080", "index.html": "<p>",
            "nginx.conf": "server {\n  listen 80;\n}\n", "types": "\u{feff}text/html  html\r\n",
        },
        "binaryData": {"logo.png": "iVBOR/8="},
    });
    assert_eq!(object, expected);
}

#[test]
fn texts_of_a_secret_are_string_data_and_other_bytes_are_data() {
    let settings = "\
secrets:
  tls:
    type: kubernetes.io/tls
    literals: {tls.key: '<file:tls#key>'}
    files: [tls.crt, store.jks]
    namespace: other
";
    let app = app(settings, &[("tls.crt", "-----BEGIN <file:tls#crt>\n")]);
    app.write("store.jks", b"\xfe\xed<file:a#b>");
    let object = object(&app.run().json(), "Secret", "tls");
    let expected = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "tls", "namespace": "other"},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.key": "<file:tls#key>", "tls.crt": "-----BEGIN <file:tls#crt>\n"},
        "data": {"store.jks": "/u08ZmlsZTphI2I+"},
    });
    assert_eq!(object, expected);
}

#[test]
fn numbers_and_booleans_are_texts_as_they_are_written() {
    let settings = "configMaps: {c: {literals: {A: 8080, B: 1.10, C: true, D: 0755, E: 1e3, F: ''}}}\n";
    let data = json!({"A": "8080", "B": "1.10", "C": "true", "D": "0755", "E": "1e3", "F": ""});
    assert_eq!(app(settings, &[]).run().data(), data);
    assert!(error_of("configMaps: {c: {literals: {A: [b]}}}\n").contains("wrong type, expected a string"));
    for missing in ["A: ", "A: null", "A: ~"] {
        let error = error_of(&format!("configMaps: {{c: {{literals: {{{missing}}}}}}}\n"));
        assert!(error.starts_with("sealwave.yaml:4:29: value is missing, expected a string"), "{error}");
    }
    assert!(error_of("configMaps: {c: {literals: [A=b]}}\n").contains("wrong type, expected a mapping"));
}

#[test]
fn environments_add_and_replace_keys_and_objects() {
    let settings = "\
configMaps:
  web: {literals: {A: a, B: b}, files: [c.txt, 'env/{{env}}.txt'], labels: {x: '1'}, namespace: one}
secrets:
  db: {type: a/b, literals: {p: '<file:p#p>'}}
environments:
  prod:
    configMaps:
      web: {literals: {c.txt: replaced}, files: [A=a.txt], labels: {x: '2', z: '3'}, namespace: two}
      more: {literals: {k: v}}
    secrets:
      db: {type: c/d, literals: {q: '<file:q#q>'}}
";
    let files =
        [("c.txt", "c"), ("a.txt", "from file"), ("env/dev.txt", "in dev"), ("env/prod.txt", "in prod")];
    let app = app(settings, &files);
    let (dev, prod) = (app.run_as("dev").json(), app.run_as("prod").json());
    let web = object(&dev, "ConfigMap", "web");
    assert_eq!(web["data"], json!({"A": "a", "B": "b", "c.txt": "c", "dev.txt": "in dev"}));
    assert_eq!((&web["metadata"]["namespace"], dev.len()), (&json!("one"), 2));
    let web = object(&prod, "ConfigMap", "web");
    let data = json!({"A": "from file", "B": "b", "c.txt": "replaced", "prod.txt": "in prod"});
    assert_eq!(web["data"], data);
    assert_eq!(web["metadata"]["labels"], json!({"x": "2", "z": "3"}));
    assert_eq!((&web["metadata"]["namespace"], prod.len()), (&json!("two"), 3));
    let db = object(&prod, "Secret", "db");
    assert_eq!((&db["type"], db["stringData"].as_object().unwrap().len()), (&json!("c/d"), 2));
}

#[test]
fn patches_apply_to_made_objects() {
    let settings = "\
configMaps: {web: {literals: {A: a, B: b}}}
environments:
  dev: {patches: [{target: {kind: ConfigMap, name: web}, patch: {data: {B: null}, immutable: true}}]}
";
    let outcome = app(settings, &[]).run();
    assert_eq!(outcome.data(), json!({"A": "a"}));
    assert_eq!(outcome.json()[0]["immutable"], true);
}

#[test]
fn places_are_those_of_the_app_file_and_of_the_files() {
    let settings = "\
configMaps:
  web:
    literals: {A: text}
    files: [a.txt]
    envFiles: [a.env]
";
    let outcome = app(settings, &[("a.txt", "x"), ("a.env", "\n  B=b\n")]).run();
    for (path, place) in [
        (&["metadata"][..], "sealwave.yaml:5:3"),
        (&["data", "A"], "sealwave.yaml:6:19"),
        (&["data", "a.txt"], "a.txt"),
        (&["data", "B"], "a.env:2:5"),
    ] {
        assert_eq!(outcome.place(0, path), place, "{path:?}");
    }
}

#[test]
fn named_files_are_neither_manifests_nor_templates() {
    let settings = "\
configMaps: {web: {files: [base/web.json, base/page.html.hbs, 'base/{{env}}.yaml', base/dashboards]}}
environments:
  prod: {secrets: {s: {files: [base/store.yaml]}}}
";
    let app = app(
        settings,
        &[
            ("base/web.json", "{}"),
            ("base/page.html.hbs", "{{no such}}"),
            ("base/dev.yaml", "a: b"),
            ("base/prod.yaml", "a: b"),
            ("base/dashboards/a.json", "{}"),
        ],
    );
    app.write("base/store.yaml", b"\xff");
    let data = json!({"a.json": "{}", "dev.yaml": "a: b", "page.html.hbs": "{{no such}}", "web.json": "{}"});
    assert_eq!(app.run_as("dev").data(), data);
    assert_eq!(app.run_as("prod").json().len(), 2);
}

#[test]
fn errors_name_the_entry_and_the_remedy() {
    for (settings, wanted) in [
        (
            "configMaps: {web: {files: [c/b.txt]}}",
            "sealwave.yaml:4:28: file `c/b.txt` cannot be read: file not found\n  hint: did you mean `c/a.txt`?\n",
        ),
        (
            "configMaps: {web: {files: ['{{ env }}.conf']}}",
            "sealwave.yaml:4:28: file `{{ env }}.conf` cannot be read: file not found\n  hint: the path is relative to the directory of `sealwave.yaml`\n",
        ),
        (
            "configMaps: {web: {literals: {a.txt: b}, files: [c/a.txt]}}",
            "sealwave.yaml:4:50: key `a.txt` is already set at sealwave.yaml:4:31\n  hint: remove one; to replace a key in one environment, set it under `environments`\n",
        ),
        (
            "configMaps: {web: {files: [a.txt, c/a.txt]}}",
            "sealwave.yaml:4:35: key `a.txt` is already set at sealwave.yaml:4:28\n",
        ),
        (
            "configMaps: {web: {labels: {a: b}}}",
            "sealwave.yaml:4:14: ConfigMap `web` has no keys\n  hint: add `literals`, `files` or `envFiles`, or remove the entry\n",
        ),
        (
            "configMaps: {web: {files: [a=b=c]}}",
            "sealwave.yaml:4:28: entry of `files` is neither `PATH` nor `KEY=PATH`",
        ),
        ("configMaps: {web: {files: [k=c]}}", "sealwave.yaml:4:28: `files` gives a key to a directory"),
        ("configMaps: {web: {files: [/etc/passwd]}}", "sealwave.yaml:4:28: path is absolute"),
        (
            "configMaps: {web: {files: ['a b=a.txt']}}",
            "sealwave.yaml:4:28: key is not valid; it is not shown",
        ),
        ("configMaps: {'': {literals: {a: b}}}", "sealwave.yaml:4:14: name of the ConfigMap is empty"),
        (
            "secrets: {db: {files: [password=hunter2]}}",
            "sealwave.yaml:4:24: file cannot be read: file not found",
        ),
        (
            "secrets: {db: {literals: {'hunter2 x': b}}}",
            "sealwave.yaml:4:27: key is not valid; it is not shown",
        ),
    ] {
        let error = error_of(&format!("{settings}\n"));
        assert!(error.starts_with(wanted), "{settings}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn lines_of_an_env_file_are_not_shown_in_errors() {
    let app =
        app("secrets: {db: {envFiles: [db.env]}}\n", &[("db.env", "A=1\nhunter2\nexport B=hunter2\nA=2\n")]);
    let error = app.run().error();
    for wanted in [
        "db.env:2:1: line is not `KEY=VALUE`; it is not shown",
        "db.env:3:1: name of the variable is not valid; it is not shown",
        "db.env:4:1: key `A` is already set at db.env:1:1",
    ] {
        assert!(error.contains(wanted), "{error}");
    }
    assert!(!error.contains("hunter2"), "{error}");
    app.write("db.env", b"A=1\nB=\xff\n");
    assert!(app.run().error().starts_with("db.env:2:3: text is not valid UTF-8"));
}

#[test]
fn a_manifest_of_the_same_name_is_a_duplicate_that_names_both() {
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n";
    let error = app("configMaps: {web: {literals: {A: a}}}\n", &[("base/web.yaml", manifest)]).run().error();
    assert!(
        error.starts_with("sealwave.yaml:4:14: ConfigMap `shop/web` is already defined at base/web.yaml:1:1"),
        "{error}"
    );
}

#[test]
fn files_out_of_the_repository_are_refused() {
    let made =
        |path: &str| app(&format!("secrets: {{s: {{files: ['{path}'], envFiles: ['k/{path}']}}}}\n"), &[]);
    let outside = |app: App| {
        let error = app.run().error();
        assert!(error.contains("leaves the repository") || error.contains("is absolute"), "{error}");
        assert!(!error.contains("root:"), "{error}");
        error
    };
    outside(made("../../secret"));
    outside(made("../.git/config"));
    outside(made("/etc/passwd"));
    let app = made("link");
    app.link("/etc/passwd", "link").link("../../../../../../../../etc/passwd", "k/link");
    outside(app);
    // Whether a file outside exists is not revealed.
    let errors = ["etc/passwd", "etc/no-such-file"].map(|file| {
        let app = made(&format!("link/{file}"));
        app.link("../../../../../../../../", "link").link("../../../../../../../../../", "k/link");
        outside(app).replace(file, "")
    });
    assert_eq!(errors[0], errors[1]);
    let patched = ["etc/passwd", "etc/no-such-file"].map(|file| {
        let patch = format!("{{target: {{kind: ConfigMap}}, file: link/{file}}}");
        let app = self::app(&format!("environments: {{dev: {{patches: [{patch}]}}}}\n"), &[]);
        app.link("../../../../../../../../", "link");
        outside(app).replace(file, "")
    });
    assert_eq!(patched[0], patched[1]);
    // A directory of links.
    let app = self::app("configMaps: {c: {files: [d]}}\n", &[]);
    app.link("/etc/passwd", "d/a").link("../../../../../../../../etc", "d/b");
    outside(app);
    // Another directory of the repository is within reach.
    let app = self::app("configMaps: {c: {files: [../shared/a.txt]}}\n", &[("../shared/a.txt", "a")]);
    assert_eq!(app.run().data(), json!({"a.txt": "a"}));
}

#[test]
fn special_and_large_files_are_refused() {
    let app = app("configMaps: {c: {files: [f]}}\n", &[("base/a.txt", "")]);
    let file = app.directory().join("f");
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    assert!(app.run().error().contains("f: path is neither a file nor a directory"));
    fs_err::remove_file(&file).unwrap();
    app.write("f", vec![b'a'; 20 << 20]);
    assert!(app.run().error().contains("f: file is larger than 10485760 bytes"));
    app.write("f", vec![b'a'; (1 << 20) + 1]);
    let error = app.run().error();
    assert!(
        error.starts_with("sealwave.yaml:4:14: ConfigMap `c` has more than 1048576 bytes of data"),
        "{error}"
    );
    app.write("f", vec![b'\xff'; 1 << 20]);
    assert_eq!(app.run().json().len(), 1);
    app.write("f", b"\0GITCRYPT\0x");
    assert!(app.run().error().contains("f: file is encrypted with git-crypt"));
}

#[test]
fn hostile_numbers_of_literals_and_files_end() {
    let mut settings = "configMaps:\n  c:\n    literals:\n".to_owned();
    for number in 0..10_000 {
        writeln!(settings, "      k{number}: v").unwrap();
    }
    settings.push_str("      __proto__: v\n");
    let data = app(&settings, &[]).run().data();
    assert_eq!((data.as_object().unwrap().len(), &data["__proto__"]), (10_001, &json!("v")));
    // One file, named many times.
    let mut settings = "configMaps:\n  c:\n    files:\n".to_owned();
    for number in 0..12_000 {
        writeln!(settings, "    - k{number}=f").unwrap();
    }
    let app = app(&settings, &[]);
    app.write("f", vec![b'a'; 9 << 20]);
    assert!(app.run().error().contains("files of the environment have more than 67108864 bytes in total"));
    app.write("f", "");
    assert!(app.run().error().contains("environment has more than 10000 files and directories"));
}

#[test]
fn hostile_names_are_not_printed_as_they_are() {
    let name = "a\u{1b}[2J\n::error::x";
    let app = app("configMaps: {c: {files: [d]}}\n", &[(&format!("d/{name}"), "a")]);
    let error = app.run().error();
    assert!(error.starts_with("sealwave.yaml:4:26: name of the file is not a valid key"), "{error}");
}

/// Returns the result of a template with a call of `file`, or the error.
fn template(item: &str, files: &[(&str, &str)]) -> App {
    let app = app("", files);
    app.write(
        "base/t.yaml.hbs",
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  k: {item}\n"),
    );
    app
}

#[test]
fn the_helper_reads_a_text_of_the_app() {
    let files = [("files/a.conf", "a {\n  b;\n}\n"), ("values.yaml", "names: [a]\n")];
    for item in [
        "|{{nindent 4 (file \"files/a.conf\")}}",
        "{{toJson (file \"./files/../files/a.conf\")}}",
        "{{#each names}}{{toJson (file (printf \"files/%s.conf\" this))}}{{/each}}",
    ] {
        let data = template(item, &files).run().data();
        assert_eq!(data["k"].as_str().unwrap().trim_end(), "a {\n  b;\n}", "{item}");
    }
}

#[test]
fn lines_of_the_helper_must_be_indented_alike() {
    let files = [("two", "a\nb\n"), ("one", "a\n")];
    for (item, hint) in [
        ("{{file \"two\"}}", "  hint: `file` writes several lines: write `{{nindent 4 (file \"PATH\")}}`\n"),
        ("|\n    {{file \"two\"}}", "  hint: write `{{indent 4 (file \"PATH\")}}` at the start of the line"),
        (
            "|\n    {{indent 4 (file \"two\")}}",
            "  hint: write `{{indent 4 (file \"PATH\")}}` at the start of the line",
        ),
    ] {
        let error = template(item, &files).run().error();
        assert!(
            error.contains(": only the first line of `file` is indented\n") && error.contains(hint),
            "{error}"
        );
    }
    assert_eq!(template("{{file \"one\"}}", &files).run().data()["k"], "a");
    assert_eq!(template("|\n{{indent 4 (file \"two\")}}", &files).run().data()["k"], "a\nb\n");
}

#[test]
fn the_helper_is_bounded_to_the_directory_of_the_app() {
    let files = [("../shared/a.txt", "hunter2"), ("files/a.txt", "hunter2"), ("values.yaml", "p: hunter2\n")];
    for (item, wanted) in [
        (
            "{{file \"files/b.txt\"}}",
            "base/t.yaml.hbs:5:6: file `files/b.txt` cannot be read: file not found\n  hint: did you mean `files/a.txt`?",
        ),
        ("{{file p}}", "base/t.yaml.hbs:5:6: file cannot be read: file not found\n"),
        ("{{file (cat p)}}", ": file cannot be read: file not found\n"),
        ("{{file \"../shared/a.txt\"}}", ": path leaves the directory of the app\n"),
        ("{{file \"link\"}}", ": link leaves the directory of the app\n"),
        ("{{file \"up/shared/a.txt\"}}", ": path leaves the directory of the app\n"),
        ("{{file \"up/shared/none.txt\"}}", ": path leaves the directory of the app\n"),
        ("{{file \"passwd\"}}", ": link is absolute\n"),
        ("{{file \"/etc/passwd\"}}", ": path is absolute\n"),
        ("{{file \"files\"}}", ": path is neither a file nor a directory\n"),
        ("{{file \"\"}}", ": path is neither a file nor a directory\n"),
        ("{{file \"pipe\"}}", ": path is neither a file nor a directory\n"),
        ("{{file \"large\"}}", ": file is larger than 10485760 bytes\n"),
        (
            "{{file \"result\"}}",
            ": result of helper `file` takes 9437200 bytes; at most 8388608 are allowed\n",
        ),
        ("{{file \"binary\"}}", ": text is not valid UTF-8\n"),
        ("{{file}}", "helper `file` takes 1 argument, and no named ones"),
    ] {
        let app = template(item, &files);
        app.link("../shared/a.txt", "link").link("..", "up").link("/etc/passwd", "passwd");
        app.write("large", vec![b'a'; 20 << 20])
            .write("result", vec![b'a'; 9 << 20])
            .write("binary", b"hunter2\xff");
        assert!(Command::new("mkfifo").arg(app.directory().join("pipe")).status().unwrap().success());
        let error = app.run().error();
        assert!(error.starts_with("base/t.yaml.hbs:5:") && error.contains(wanted), "{item}: {error}");
        assert!(!error.contains("hunter2"), "{item}: {error}");
    }
}

#[test]
fn the_helper_reads_each_file_once_within_the_limits() {
    let app = template("{{#each list}}{{#if (file \"f\")}}x{{/if}}{{/each}}", &[]);
    let list: Vec<usize> = (0..200).collect();
    app.write("values.yaml", json!({ "list": list }).to_string()).write("f", vec![b'a'; 1 << 20]);
    assert_eq!(app.run().data()["k"].as_str().unwrap().len(), 200);
    let app = template("{{#each list}}{{#if (file (printf \"f%d\" this))}}x{{/if}}{{/each}}", &[]);
    let list: Vec<usize> = (0..12).collect();
    app.write("values.yaml", json!({ "list": list }).to_string());
    for number in 0..12 {
        app.write(&format!("f{number}"), vec![b'a'; 7 << 20]);
    }
    let error = app.run().error();
    assert!(error.contains("files of the environment have more than 67108864 bytes in total"), "{error}");
}
