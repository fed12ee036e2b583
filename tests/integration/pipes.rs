//! Tests of `generate -` and `render -`: manifests from standard input, also through the real Helm as its post-renderer.
//!
//! `SEALWAVE_TEST_HELM` and `SEALWAVE_TEST_HELM4` name the binaries of Helm 3 and 4.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::small_app::{SmallApp, checksums, find, item};
use crate::support::{MARKER, find_marker, root, sealwave};
use sealwave_testkit::skipped;

const MANIFESTS: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: api}
stringData: {password: '<file:db.yaml#password>'}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: web}
  data: {THEME: dark}";

/// Runs a command with this standard input.
fn piped(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A run that fails early does not read its input.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    let output = child.wait_with_output().expect("it ends");
    for bytes in [&output.stdout, &output.stderr] {
        assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
    }
    output
}

/// Returns standard output of a run that must succeed.
fn output_of(command: &mut Command, input: &[u8]) -> String {
    let output = piped(command, input);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns standard error of a run that must be refused.
fn refused(command: &mut Command, input: &[u8]) -> String {
    let output = piped(command, input);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(output.stdout.is_empty() && !stderr.contains("internal error"), "{stderr}");
    stderr
}

fn objects(text: &str) -> Vec<Value> {
    let documents = yaml_serde::Deserializer::from_str(text);
    let objects = documents.map(|document| serde::Deserialize::deserialize(document).expect("YAML"));
    objects.filter(|object: &Value| !object.is_null()).collect()
}

/// Returns `generate -` in an empty directory, with the operator file of an app.
fn generate(app: &SmallApp, directory: &Path) -> Command {
    let mut command = sealwave();
    command.current_dir(directory).args(["generate", "-"]).args(arguments(app));
    command
}

/// Returns the arguments of `generate` after the directory.
fn arguments(app: &SmallApp) -> Vec<String> {
    let operator = app.path("operator/operator.yaml").display().to_string();
    ["--env=dev", &format!("--operator={operator}"), "--project=shop", "--app=web", "--namespace=shop"]
        .map(str::to_owned)
        .into()
}

fn render(directory: &Path) -> Command {
    let mut command = sealwave();
    command.current_dir(directory).args(["render", "-", "--env", "dev", "--namespace", "shop"]);
    command
}

#[test]
fn manifests_are_sealed_without_an_app_file() {
    let (app, empty) = (SmallApp::new(), TempDir::new().unwrap());
    let text = output_of(&mut generate(&app, empty.path()), MANIFESTS.as_bytes());
    let sealed = objects(&text);
    assert_eq!(sealed.len(), 2);
    item(&sealed, "api", "password");
    assert_eq!(find(&sealed, "ConfigMap", "web")["metadata"]["namespace"], "shop");
    assert!(text.starts_with("---\n") && text.matches("---\n").count() == 2, "{text}");
    // Equal input gives equal bytes, and the same ones as for files of an app.
    assert_eq!(text, output_of(&mut generate(&app, empty.path()), MANIFESTS.as_bytes()));
    app.write(
        "other/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nenvironments: {dev: {}}\n",
    );
    app.write("other/base/all.yaml", MANIFESTS);
    let mut of_files = sealwave();
    of_files.arg("generate").arg(app.path("other")).args(arguments(&app)).args(["--output", "yaml"]);
    assert_eq!(text, output_of(&mut of_files, b""));
    let lines = output_of(generate(&app, empty.path()).args(["--output", "json"]), MANIFESTS.as_bytes());
    assert_eq!(
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>(),
        sealed
    );
}

#[test]
fn settings_of_an_app_file_apply_but_not_its_sources() {
    let (app, empty) = (SmallApp::new(), TempDir::new().unwrap());
    app.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: of-app\nenvironments:\n  dev:\n    patches:\n    - \
         target: {kind: ConfigMap, name: web}\n      patch: [{op: replace, path: /data/THEME, value: light}]\n",
    );
    let check = |text: &str| {
        let objects = objects(text);
        assert_eq!(objects.len(), 2, "{text}");
        let config = find(&objects, "ConfigMap", "web");
        assert_eq!(
            (&config["data"]["THEME"], &config["metadata"]["namespace"]),
            (&"light".into(), &"of-app".into())
        );
    };
    check(&output_of(&mut generate(&app, &app.path("app")), MANIFESTS.as_bytes()));
    check(&output_of(&mut render(&app.path("app")), MANIFESTS.as_bytes()));
    for file in ["app", "app/sealwave.yaml"] {
        let file = app.path(file).display().to_string();
        check(&output_of(generate(&app, empty.path()).args(["--app-file", &file]), MANIFESTS.as_bytes()));
    }
    let mut unknown = generate(&app, &app.path("app"));
    let text = refused(unknown.args(["--validate"]).arg("--app-file").arg(empty.path()), b"a: b");
    assert!(text.contains("`sealwave.yaml` cannot be read: file not found"), "{text}");
    let mut other = sealwave();
    other.current_dir(app.path("app")).args(["render", "-", "--env", "prod"]);
    let text = refused(&mut other, MANIFESTS.as_bytes());
    assert!(text.contains("environment `prod` does not exist; known environments: `dev`"), "{text}");
}

#[test]
fn objects_are_checked_like_those_of_files() {
    let (app, empty) = (SmallApp::new(), TempDir::new().unwrap());
    let wrong = MANIFESTS.replace("data: {THEME: dark}", "dota: {THEME: dark}");
    let text = refused(generate(&app, empty.path()).arg("--validate"), wrong.as_bytes());
    assert!(text.contains("<stdin>:12:3") && text.contains("schema/"), "{text}");
    let refusing = "projects: [none]";
    app.replace("operator/operator.yaml", "projects: ['*']", refusing);
    let text = refused(&mut generate(&app, empty.path()), MANIFESTS.as_bytes());
    assert!(text.contains("<stdin>:4:24") && text.contains("policy"), "{text}");
    // A finding without a file is at the defaults, and not in a file that does not exist.
    let other = app.path("operator/operator.yaml").display().to_string();
    let mut unknown = sealwave();
    unknown.current_dir(empty.path()).args([
        "generate",
        "-",
        "--env=prod",
        "--project=shop",
        "--operator",
        &other,
    ]);
    let text =
        refused(&mut unknown, MANIFESTS.replace("{name: api}", "{name: api, namespace: shop}").as_bytes());
    assert!(text.contains("cluster `prod` is not in the operator file\n  --> <defaults>\n"), "{text}");
}

#[test]
fn references_of_a_pipe_are_listed() {
    let empty = TempDir::new().unwrap();
    let mut refs = sealwave();
    refs.current_dir(empty.path()).args(["refs", "-", "--env", "dev", "--namespace", "shop"]);
    let text = output_of(&mut refs, MANIFESTS.as_bytes());
    assert!(text.contains("file:db.yaml#password") && text.contains("<stdin>:4:24"), "{text}");
}

#[test]
fn the_sidecar_reads_no_pipe() {
    let app = SmallApp::new();
    let text = refused(app.sidecar("web", "shop", "dev").arg("-"), MANIFESTS.as_bytes());
    assert!(
        text.contains("manifests from standard input must not be used when Argo CD runs sealwave"),
        "{text}"
    );
    let text = refused(app.sidecar("web", "shop", "dev").args(["--app-file", "."]), b"");
    assert!(text.contains("`--app-file` is for manifests from standard input only"), "{text}");
}

#[test]
fn hostile_input_ends_in_an_error() {
    let (app, empty) = (SmallApp::new(), TempDir::new().unwrap());
    let all = |input: &[u8]| {
        let [generated, rendered] =
            [refused(&mut generate(&app, empty.path()), input), refused(&mut render(empty.path()), input)];
        assert_eq!(generated.lines().next(), rendered.lines().next());
        generated
    };
    for empty in ["", "\n", "---\n# Source: web/templates/none.yaml\n---\n"] {
        let text = all(empty.as_bytes());
        assert!(text.contains("standard input holds no manifests\n  --> <stdin>\n"), "{text}");
        assert!(text.contains("`set -o pipefail`"), "{text}");
    }
    let text = all(b"kind: List\napiVersion: v1\nitems: []\n");
    assert!(text.contains("renders no objects") && text.contains("pipefail"), "{text}");
    assert!(all(b"a: 1\nb: \xff\xfe\n").contains("<stdin>:2:4"));
    assert!(all(b"a: [1\n").contains("<stdin>:"));
    let text = all(b"kind: Secret\napiVersion: v1\nmetadata: {name: a}\nstringData: {a: CANARY\n");
    assert!(!text.contains("stringData"), "{text}");
    let text = all(
        b"kind: \"\x1b[31mConfigMap\"\napiVersion: v1\nmetadata: {name: \"a\\nerror: b\"}\ndata: 1\n---\na\n",
    );
    assert!(!text.contains('\u{1b}') && !text.contains("\nerror: b"), "{text}");
    let deep = "a: ".to_owned() + &"[".repeat(100_000);
    assert!(all(deep.as_bytes()).contains("<stdin>:"));
    let mut bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (before, name) in ('a'..='h').zip('b'..='i') {
        let aliases = vec![format!("*{before}"); 9].join(",");
        bomb += &[name.to_string(), format!(": &{name} ["), aliases, "]\n".to_owned()].concat();
    }
    assert!(all(bomb.as_bytes()).contains("<stdin>"));
}

#[test]
fn endless_input_ends_at_the_limit() {
    let empty = TempDir::new().unwrap();
    for line in ["# comment\n", "a: b\n---\n", "aaaaaaaaaaaaaaaaaaaa"] {
        let mut command = render(empty.path());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut input = child.stdin.take().expect("a pipe");
        let block = line.repeat(100_000);
        let mut written = 0_usize;
        // It ends when sealwave no longer reads.
        while input.write_all(block.as_bytes()).is_ok() {
            written += block.len();
            assert!(written < 1 << 28, "it reads without end");
        }
        drop(input);
        let output = child.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("standard input is larger than 67108864 bytes"), "{text}");
    }
}

#[test]
fn without_settings_an_environment_must_be_named() {
    let empty = TempDir::new().unwrap();
    let mut unnamed = sealwave();
    let text = refused(unnamed.current_dir(empty.path()).args(["render", "-"]), MANIFESTS.as_bytes());
    assert!(text.contains("no environment is given") && text.contains("`--env`"), "{text}");
    let mut invalid = sealwave();
    invalid.current_dir(empty.path()).args(["render", "-", "--env", "../Prod\n"]);
    let text = refused(&mut invalid, MANIFESTS.as_bytes());
    assert!(text.contains("environment name is not valid"), "{text}");
    // A file that is meant to be the app file is not passed over.
    fs_err::write(empty.path().join("sealwave.yml"), "apiVersion: sealwave.dev/v1alpha1\nkind: App\n")
        .unwrap();
    let text = refused(&mut render(empty.path()), MANIFESTS.as_bytes());
    assert!(text.contains("`sealwave.yml` is not read"), "{text}");
}

/// Returns a binary of the test run, or reports that the test is skipped.
fn helm(variable: &str) -> Option<Command> {
    #[expect(clippy::disallowed_methods, reason = "the environment of the test run, not of the program")]
    let found = std::env::var_os(variable).filter(|value| !value.is_empty());
    if found.is_none() {
        skipped(&format!("{variable} is not set, so the post-renderer of this Helm was NOT tested"));
    }
    found.map(Command::new)
}

/// Returns `helm template` of the test chart.
fn helm_template(mut helm: Command, directory: &Path) -> Command {
    let binary = Path::new(env!("CARGO_BIN_EXE_sealwave")).parent().expect("a directory");
    helm.env_clear()
        .env("HOME", directory)
        .env("PATH", binary)
        .current_dir(directory)
        .args(["template", "web", "--namespace", "shop"])
        .arg(root().join("testdata/pipes/chart"));
    helm
}

/// Adds arguments for the post-renderer.
fn add_arguments<'a>(command: &mut Command, all: impl IntoIterator<Item = &'a str>) {
    command.args(["--post-renderer", "sealwave"]);
    command.args(all.into_iter().map(|argument| format!("--post-renderer-args={argument}")));
}

#[test]
fn helm_3_prints_the_same_bytes_as_the_pipe() {
    let variable = "SEALWAVE_TEST_HELM";
    let (app, home) = (SmallApp::new(), TempDir::new().unwrap());
    let template = || helm(variable).map(|helm| helm_template(helm, home.path()));
    let (Some(mut alone), Some(mut with_renderer)) = (template(), template()) else { return };
    // Helm 3 does not pass hooks to a post-renderer.
    let rendered = output_of(alone.arg("--no-hooks"), b"");
    let expected = output_of(&mut generate(&app, home.path()), rendered.as_bytes());
    let arguments = arguments(&app);
    add_arguments(
        &mut with_renderer,
        ["generate", "-"].into_iter().chain(arguments.iter().map(String::as_str)),
    );
    assert_eq!(output_of(with_renderer.arg("--no-hooks"), b""), expected);
    let sealed = objects(&expected);
    item(&sealed, "db", "url");
    assert!(!checksums(&sealed, "web").contains("null"));
}

#[test]
fn helm_4_prints_the_same_objects_as_the_pipe() {
    let variable = "SEALWAVE_TEST_HELM4";
    let (app, home) = (SmallApp::new(), TempDir::new().unwrap());
    let template = || helm(variable).map(|helm| helm_template(helm, home.path()));
    let (Some(mut alone), Some(mut with_renderer)) = (template(), template()) else { return };
    let rendered = output_of(&mut alone, b"");
    let expected = output_of(&mut generate(&app, home.path()), rendered.as_bytes());
    let plugins = home.path().join("plugins");
    crate::support::copy_tree(&root().join("manifests/helm-post-renderer"), &plugins.join("sealwave"));
    let arguments = arguments(&app);
    add_arguments(&mut with_renderer, arguments.iter().map(String::as_str));
    let text = output_of(with_renderer.env("HELM_PLUGINS", &plugins), b"");
    let by_name = |text: &str| {
        let mut objects = objects(text);
        objects.sort_by_key(|object| format!("{} {}", object["kind"], object["metadata"]["name"]));
        objects
    };
    assert_eq!(by_name(&text), by_name(&expected));
    let sealed = objects(&text);
    assert_eq!(sealed.len(), 4);
    // Hooks are sealed, too.
    item(&sealed, "migrate", "password");
    assert!(!text.contains("postrender-filename"), "{text}");
}

#[test]
fn the_plugin_has_the_version_of_sealwave() {
    let plugin = fs_err::read_to_string(root().join("manifests/helm-post-renderer/plugin.yaml")).unwrap();
    assert!(plugin.contains(concat!("\nversion: ", env!("CARGO_PKG_VERSION"), "\n")), "{plugin}");
}
