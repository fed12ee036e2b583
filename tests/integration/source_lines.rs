//! Source lines in the messages of all commands: shown where they cannot hold a secret, and nowhere else.

use std::process::{Command, Output};

use crate::support::small_app::SmallApp;
use crate::support::validating::{APP, Tree, command};
use crate::support::{MARKER, find_marker, sealwave};

/// A Deployment with a misspelled value on line 5.
const WEB: &str =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: typo}\nspec:\n  replicas: {{ web.replicsa }}\n";
/// The line as messages show it.
const SHOWN: &str = "5 |   replicas: {{ web.replicsa }}\n  |                ^^^^^^^^^^^^\n";

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Returns each command that reads the app and prints problems with its files, run on the app.
fn commands(app: &SmallApp) -> Vec<(&'static str, Command)> {
    let directory = app.path("app");
    let mut all: Vec<(&str, Command)> = ["generate", "refs", "render"]
        .into_iter()
        .map(|name| {
            let mut args = app.args();
            name.clone_into(&mut args[0]);
            let mut command = sealwave();
            command.args(args);
            (name, command)
        })
        .collect();
    for name in ["parameters", "validate"] {
        let mut command = sealwave();
        command.arg(name).arg(&directory);
        all.push((name, command));
    }
    all
}

/// Runs all commands, also with colors, and checks that none prints the marker.
fn check_commands(app: &SmallApp, what: &str) {
    for (name, mut command) in commands(app) {
        for color in ["0", "1"] {
            let output = command.env("CLICOLOR_FORCE", color).output().unwrap();
            let printed = text(&output);
            assert_eq!(find_marker(printed.as_bytes(), MARKER), None, "{name}, {what}:\n{printed}");
            assert!(!printed.contains("internal error"), "{name}, {what}:\n{printed}");
        }
    }
}

#[test]
fn a_line_without_a_secret_is_shown_by_each_command() {
    let app = SmallApp::new();
    app.write("app/base/typo.yaml.hbs", WEB);
    app.write("app/envs/dev/values.yaml", "web: {replicas: 2}\n");
    for (name, mut command) in commands(&app).into_iter().filter(|(name, _)| *name != "parameters") {
        let printed = text(&command.output().unwrap());
        assert!(printed.contains(SHOWN), "{name}: {printed}");
        assert!(printed.contains("= help: did you mean `web.replicas`?"), "{name}: {printed}");
    }
    // The app file may have any text in the wrong place.
    app.write("app/sealwave.yaml", &format!("{APP}namspace: shop\n"));
    for (name, mut command) in commands(&app) {
        let printed = text(&command.output().unwrap());
        assert!(printed.contains("sealwave.yaml:4:1"), "{name}: {printed}");
        assert!(!printed.contains("4 |"), "{name}: {printed}");
    }
}

#[test]
fn relative_and_absolute_directories_show_the_same_line() {
    let app = SmallApp::new();
    app.write("app/base/typo.yaml.hbs", WEB);
    for (here, directory) in [("", "app"), ("app", "."), ("app/base", ".."), ("app", "../app")] {
        let mut command = sealwave();
        command.current_dir(app.path(here)).args(["render", directory, "--env", "dev"]);
        let printed = text(&command.output().unwrap());
        assert!(printed.contains(SHOWN), "{here} {directory}: {printed}");
    }
}

#[test]
fn argo_cd_gets_messages_without_lines() {
    let app = SmallApp::new();
    app.write("app/base/typo.yaml.hbs", WEB);
    app.write("app/envs/dev/values.yaml", "web: {replicas: 2}\n");
    let mut runs = vec![("sidecar", app.sidecar("shop", "shop", "dev"))];
    for name in ["generate", "refs", "render"] {
        let mut command = sealwave();
        command
            .args([name, app.path("app").to_str().unwrap(), "--env", "dev"])
            .env("ARGOCD_APP_NAME", "shop");
        command
            .env("ARGOCD_APP_PROJECT_NAME", "shop")
            .env("SEALWAVE_OPERATOR", app.path("operator/operator.yaml"));
        runs.push((name, command));
    }
    for (name, mut command) in runs {
        let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
        let place = if name == "sidecar" {
            "base/typo.yaml.hbs:5:16".to_owned()
        } else {
            format!("{}:5:16", app.path("app/base/typo.yaml.hbs").display())
        };
        assert_eq!(
            stderr,
            format!(
                "error: value `web.replicsa` is not defined\n  --> {place}\n   = help: did you mean `web.replicas`?\n"
            ),
            "{name}"
        );
    }
}

#[test]
fn no_line_of_a_secret_is_shown() {
    let value = "CANARY hunter";
    for (path, broken) in [
        ("base/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: \"VALUE\n"),
        ("base/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: [VALUE\n"),
        ("base/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n\ta: VALUE\n"),
        ("base/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: VALUE: b\n"),
        ("base/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: VALUE}}\n"),
        ("base/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: <env:VALUE\n"),
        ("base/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: VALUE}\n"),
        ("base/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: {b: VALUE}}\n"),
        ("base/a.yaml", "apiVersion: v1\nmetadata: {name: a}\ndata: {a: \"VALUE\n"),
        ("base/a.yaml", "a: \"VALUE\n"),
        ("base/a.yaml", "{\"a\": \"VALUE\"\n"),
        ("base/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {password: \"VALUE}\n"),
        (
            "base/a.yaml.hbs",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: VALUE{{ nope }}}\n",
        ),
        (
            "base/a.yaml.hbs",
            "apiVersion: v1\nkind: {{ nope }}\nmetadata: {name: a}\nstringData: {a: VALUE}\n",
        ),
        ("base/a.yaml.hbs", "apiVersion: v1\nkind: {{#if nope}}\ndata: {a: VALUE {{ | }}}\n"),
        ("base/a.yaml.hbs", "apiVersion: v1\nkind: {{k}}\ndata: {a: VALUE {{ nope }}}\n"),
        ("base/a.yaml.hbs", "{{> secret a=\"VALUE\" b=nope}}\n"),
        ("base/a.yaml.hbs", "{{> nope a=\"VALUE\"}}\n"),
        ("base/a.yaml.hbs", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n{{> nope a=\"VALUE\"}}\n"),
        ("partials/secret.hbs", "stringData: {a: VALUE {{ }}\n"),
        ("partials/secret.hbs", "data: {a: VALUE {{nope}} }\n"),
        ("values.yaml", "a: VALUE\nb: VALUE: c\n"),
        ("values.yaml", "a: VALUE\n\tb: VALUE\n"),
        ("values.yaml", "- VALUE\n"),
        ("envs/dev/values.yaml", "a: \"VALUE\n"),
        (
            "sealwave.yaml",
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\npatches:\n- target: {name: api}\n  patch: |\n    data: {a: VALUE: b}\n",
        ),
        ("sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\npassword: VALUE\n"),
    ] {
        let app = SmallApp::new();
        app.write(
            "app/base/use.yaml.hbs",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n{{> secret}}\n",
        );
        app.write(&format!("app/{path}"), &broken.replace("VALUE", value));
        check_commands(&app, broken);
    }
}

#[cfg(unix)]
#[test]
fn no_line_of_another_file_is_shown() {
    use std::os::unix::fs::symlink;
    let app = SmallApp::new();
    let broken = format!("apiVersion: v1\nkind: ConfigMap\na: \"{MARKER}\n");
    fs_err::create_dir_all(app.path("app/.git")).unwrap();
    app.write("outside/a.yaml", &broken);
    app.write("app/.git/a.yaml", &broken);
    for target in ["../../outside/a.yaml", "../.git/a.yaml"] {
        let link = app.path("app/base/link.yaml");
        let _ = fs_err::remove_file(&link);
        symlink(target, &link).unwrap();
        check_commands(&app, target);
    }
    fs_err::remove_file(app.path("app/base/link.yaml")).unwrap();
    // An operator file in the app's directory.
    app.write("app/operator.yaml", &format!("apiVersion: v1\nkind: ConfigMap\nsealKeyFile: [{MARKER}\n"));
    let mut command = sealwave();
    command.args(["render", "--env", "dev", "--operator", "operator.yaml"]).current_dir(app.path("app"));
    let printed = text(&command.output().unwrap());
    assert!(printed.contains("operator.yaml:") && !printed.contains(MARKER), "{printed}");
    // A values file of a provider in the app's directory, which has no kind.
    app.write("app/operator/secrets/db.yaml", &format!("password: {MARKER}: x\n"));
    check_commands(&app, "a file of a provider");
}

#[test]
fn long_lines_are_shortened_or_left_out() {
    let app = SmallApp::new();
    for (length, is_shown) in [(2_000, true), (5_000, false)] {
        let line = format!("  a: {} {{{{ nope }}}}", "x".repeat(length));
        app.write(
            "app/base/a.yaml.hbs",
            &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n{line}\n"),
        );
        for (name, mut command) in commands(&app).into_iter().filter(|(name, _)| *name != "parameters") {
            let printed = text(&command.output().unwrap());
            assert!(printed.lines().all(|line| line.chars().count() < 500), "{name}: {}", printed.len());
            assert_eq!(printed.contains("xxxxx {{ nope }}"), is_shown, "{name}: {printed}");
        }
    }
}

#[test]
fn empty_standard_input_is_a_warning() {
    for (text, is_empty) in [("", true), ("\n# nothing\n---\n", true), ("a: b\n", false)] {
        let tree = Tree::new(&[("in", text)]);
        let mut command = command(tree.root(), &["-"]);
        let output = command.stdin(std::fs::File::open(tree.root().join("in")).unwrap()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr.contains("warning: standard input holds no manifests"), is_empty, "{stderr}");
    }
}
