//! ConfigMaps and Secrets that the app file makes, and the helper `file`, in whole runs: placeholders are sealed,
//! workloads restart, findings have places, and nothing shows a secret.

use crate::support::small_app::{SmallApp, find, item};
use crate::support::validating::Tree;
use crate::support::{MARKER, find_marker, sealwave};

/// Returns an app whose Deployment `api` reads the ConfigMap `web` and the Secret `db` that these settings make.
fn app(settings: &str) -> SmallApp {
    let app = SmallApp::new();
    let head = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";
    app.write("app/sealwave.yaml", &format!("{head}{settings}"));
    app.write("app/db.properties", "user=app\npassword=<file:db.yaml#password>\n");
    app.write("app/web.conf", "a\n");
    app.write(
        "app/base/user.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: user}\nspec:\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    \
         spec: {containers: [{name: a, image: 'a:1', envFrom: [{configMapRef: {name: made}}, {secretRef: {name: db}}]}]}\n",
    );
    app
}

const SETTINGS: &str = "\
configMaps: {made: {files: [web.conf]}}
secrets: {db: {literals: {token: '<file:web.txt>'}, files: [db.properties]}}
";

fn checksums(app: &SmallApp) -> String {
    let objects = app.generate();
    find(&objects, "Deployment", "user")["spec"]["template"]["metadata"]["annotations"].to_string()
}

#[test]
fn placeholders_of_literals_and_files_are_sealed_and_restart_pods() {
    let app = app(SETTINGS);
    let objects = app.generate();
    for key in ["token", "db.properties"] {
        assert!(item(&objects, "db", key).len() > 300, "{key}");
    }
    assert!(!objects.iter().any(|object| object["kind"] == "Secret"));
    let before = checksums(&app);
    app.write("app/web.conf", "b\n");
    let configured = checksums(&app);
    app.write("app/db.properties", "user=other\npassword=<file:db.yaml#password>\n");
    assert!(before != configured && configured != checksums(&app));
}

#[test]
fn a_placeholder_in_a_file_of_a_config_map_is_an_error() {
    let app = app("configMaps: {made: {files: [db.properties]}}\n");
    let directory = app.path("app");
    let output = sealwave().current_dir(directory).args(["render", "--env", "dev"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    let wanted = "placeholder of provider `file` is outside of a Secret's data, in ConfigMap `shop/made`";
    assert!(error.contains(wanted) && error.contains("db.properties"), "{error}");
}

#[test]
fn placeholders_in_binary_files_stay_as_they_are() {
    let app = app("secrets: {db: {files: [store]}}\nconfigMaps: {made: {files: [store]}}\n");
    fs_err::write(app.path("app/store"), b"\xff<file:db.yaml#password>").unwrap();
    let objects = app.generate();
    assert_eq!(
        find(&objects, "ConfigMap", "made")["binaryData"]["store"],
        "/zxmaWxlOmRiLnlhbWwjcGFzc3dvcmQ+"
    );
    assert!(item(&objects, "db", "store").len() > 300);
}

#[test]
fn findings_name_the_entry_or_the_file() {
    let settings = "\
configMaps:
  web:
    files: [app.properties]
    labels: {'a b': c}
";
    let tree = Tree::app(&[("app.properties", "url=postgresql://app:hunter2@db/app\n")]);
    tree.write("sealwave.yaml", tree.read("sealwave.yaml") + settings);
    let report = tree.report(&["."]);
    let lines = report.lines();
    assert!(
        lines.iter().any(|line| line.ends_with(" app.properties:0") || line.contains("app.properties:")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.contains("/metadata/labels") && line.ends_with("sealwave.yaml:7")),
        "{lines:?}"
    );
}

/// A line of the app file can hold a literal of a Secret beside an object without one.
#[test]
fn no_report_shows_a_literal_of_a_secret() {
    const VALUE: &str = "CANARY-hunter2-Xk29dLq8Vz";
    for settings in [
        "{configMaps: {web: {literals: {a: b}, labels: {'a b': c}}}, secrets: {db: {literals: {k: VALUE, '! x': VALUE}}}}",
        "{secrets: {db: {literals: {k: VALUE}}}, configMaps: {web: {literals: {a: b}, labels: {'a b': c}}}}",
        "{secrets: {db: {literals: {k: VALUE}, labels: {'a b': c}, type: kubernetes.io/tls}}}",
        "{secrets: {db: {literals: [k=VALUE]}}}",
        "{secrets: {db: {files: [k=VALUE]}}}",
        "{secrets: {db: {files: [k=a=VALUE]}}}",
        "{secrets: {db: {envFiles: [VALUE]}}}",
        "{secrets: {db: {envFiles: [db.env]}}}",
        "{secrets: {db: {files: [db.bin, db.env]}}}",
        "{configMaps: {web: {envFiles: [db.env], literals: {a: b}}}}",
    ] {
        let head = "apiVersion: sealwave.dev/v1alpha1, kind: App, namespace: shop, ";
        let text = settings.replacen('{', &format!("{{{head}"), 1).replace("VALUE", VALUE);
        let tree = Tree::app(&[("sealwave.yaml", &format!("{text}\n"))]);
        tree.write("db.env", format!("export A={VALUE}\n{VALUE}\n1{VALUE}=a\n"));
        tree.write("db.bin", [VALUE.as_bytes(), b"\xff"].concat());
        tree.write("base/t.yaml.hbs", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t, labels: {'a b': c}}\ndata: {k: {{toJson (file \"db.bin\")}}, l: {{file \"db.env\"}}}\n");
        for format in ["github", "gitlab", "human", "json", "junit", "sarif"] {
            let ran = tree.plain(&[".", "--output", format]);
            let text = ran.stdout + &ran.stderr;
            assert_eq!(find_marker(text.as_bytes(), MARKER), None, "{settings} {format}: {text}");
        }
        for command in ["render", "refs"] {
            let ran = sealwave().current_dir(tree.root()).args([command, "--env", "dev"]).output().unwrap();
            let text = [ran.stdout, ran.stderr].concat();
            assert_eq!(find_marker(&text, MARKER), None, "{settings}: {}", String::from_utf8_lossy(&text));
        }
    }
}

#[test]
fn a_file_of_the_helper_is_in_no_message() {
    let tree = Tree::app(&[("secret.txt", "CANARY-hunter2-Xk29dLq8Vz: [a\n")]);
    for template in [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndata:\n  {{file \"secret.txt\"}}\n",
        "{{file \"secret.txt\"}}",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndata: {k: {{indent (file \"secret.txt\") \"a\"}}}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndata: {k: {{fromYaml (file \"secret.txt\")}}}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndata: {k: {{file (file \"secret.txt\")}}}\n",
    ] {
        tree.write("base/t.yaml.hbs", template);
        for args in [&["render", "--env", "dev"][..], &["validate", "."]] {
            let ran = sealwave().current_dir(tree.root()).args(args).output().unwrap();
            let text = [ran.stdout, ran.stderr].concat();
            assert!(!ran.status.success());
            assert_eq!(find_marker(&text, MARKER), None, "{template}: {}", String::from_utf8_lossy(&text));
        }
    }
}

#[test]
fn hostile_names_stay_on_their_line() {
    let settings =
        "configMaps: {\"a\\e[2J\\n::error::x\": {labels: {}}, b: {files: [\"c\\e[2J\\n::error::x\"]}}\n";
    let tree = Tree::app(&[]);
    tree.write("sealwave.yaml", tree.read("sealwave.yaml") + settings);
    let render = sealwave().current_dir(tree.root()).args(["render", "--env", "dev"]).output().unwrap();
    let texts = ["github", "gitlab", "human", "json", "junit", "sarif"].map(|format| {
        let ran = tree.plain(&[".", "--output", format]);
        ran.stdout + &ran.stderr
    });
    for text in texts.into_iter().chain([String::from_utf8(render.stderr).unwrap()]) {
        assert!(text.contains("has no keys") && text.contains("cannot be read"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("\n::error::x"), "{text}");
    }
}
