//! Tests with a marker in every fake secret. It must never appear in any output, plain or encoded, of successful or
//! failing runs, nor in files that a run leaves behind.

use std::path::Path;
use std::process::Output;

use crate::support::golden::generates_here;
use crate::support::small_app::SmallApp;
use crate::support::{MARKER, cases, find_marker, operator_of, root, sealwave, watched};
use sealwave::config::SourceAccess;
use sealwave::deadline::RunWatch;
use sealwave::shell;

fn run_watched(args: &[String], what: &str) -> Output {
    watched::run_watched(sealwave().args(args), what)
}

fn holds_marker(dir: &Path) -> bool {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .any(|entry| fs_err::read(entry.path()).is_ok_and(|bytes| find_marker(&bytes, MARKER).is_some()))
}

#[test]
fn successful_runs_of_the_scenarios_do_not_show_the_marker() {
    let sources = |scenario: &Path| ["aws-secrets", "operator"].map(|name| scenario.join(name));
    let marked = cases("scenario-")
        .iter()
        .filter(|scenario| sources(scenario).iter().any(|source| holds_marker(source)))
        .count();
    assert!(marked >= 3, "only {marked} scenarios have a marker to look for");
    for scenario in cases("scenario-") {
        let app = scenario.join("app");
        let project = fs_err::read_to_string(scenario.join("project")).expect("a project");
        for entry in fs_err::read_dir(app.join("envs")).expect("environments") {
            let environment = entry.expect("readable").file_name().to_string_lossy().into_owned();
            let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
            let operator = text(&scenario.join("operator/operator.yaml"));
            // The module `aws_moto` checks secrets from AWS.
            let generate =
                generates_here(&scenario, &environment).then(|| ("generate", Some(project.trim())));
            for (command, project) in generate.into_iter().chain([("render", None)]) {
                let mut args = vec![command.to_owned(), text(&app), "--env".to_owned(), environment.clone()];
                args.extend(["--operator".to_owned(), operator.clone()]);
                args.extend(project.iter().flat_map(|name| ["--project".to_owned(), (*name).to_owned()]));
                let output =
                    run_watched(&args, &format!("{command} of {} {environment}", scenario.display()));
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
        }
    }
}

#[test]
fn invalid_apps_do_not_show_the_marker() {
    for case in cases("bad/") {
        let app = case.join("app");
        let operator = operator_of(&case);
        let place = |line: &str| {
            line.replace("@app", app.to_str().expect("UTF-8"))
                .replace("@operator", operator.to_str().expect("UTF-8"))
        };
        let args: Vec<String> =
            fs_err::read_to_string(case.join("args")).expect("args").lines().map(place).collect();
        run_watched(&args, &case.display().to_string());
    }
}

/// Ways to break the small app around its secrets, each with a word of the expected message.
#[test]
fn failing_runs_do_not_show_the_marker() {
    type Fault = fn(&SmallApp);
    let secrets = "app/base/secrets.yaml";
    let faults: &[(&str, Fault)] = &[
        ("not found", |app| {
            app.replace("app/base/secrets.yaml", "db.yaml#password>\n", "db.yaml#missing>\n");
        }),
        ("db.yaml", |app| app.write("operator/secrets/db.yaml", "password: CANARY-1\npassword: CANARY-2\n")),
        ("db.yaml", |app| {
            app.write("operator/secrets/db.yaml", "password: [CANARY-1, {CANARY-2: 'CANARY}]\n");
        }),
        ("db.yaml", |app| app.write("operator/secrets/db.yaml", "\u{1}CANARY\n")),
        ("db.yaml", |app| app.replace("app/base/secrets.yaml", "| urlencode", "| base64decode")),
        ("db.yaml", |app| app.replace("app/base/secrets.yaml", "| urlencode", "| jsonPath {.a}")),
        ("modifier", |app| app.replace("app/base/secrets.yaml", "| urlencode", "| urlencode2")),
        ("secrets.yaml", |app| {
            app.write(
                "app/base/secrets.yaml",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: CANARY: b\n",
            );
        }),
        ("secrets.yaml", |app| {
            app.write(
                "app/base/secrets.yaml",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: CANARY\n",
            );
        }),
        ("secrets.yaml", |app| {
            app.write(
                "app/base/secrets.yaml",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: CANARY!}\n",
            );
        }),
        ("secrets.yaml", |app| {
            app.write(
                "app/base/secrets.yaml",
                "kind: Secret\nmetadata: {name: a}\nstringData: {a: CANARY}\n",
            );
        }),
        ("secrets.yaml", |app| {
            app.write(
                "app/base/secrets.yaml",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: CANARY}\ndata: {b: 7}\n",
            );
        }),
        ("secrets.yaml.hbs", |app| {
            app.write("app/base/secrets.yaml.hbs", "kind: Secret\nstringData: {a: CANARY {{ nothing }}}\n");
        }),
        ("secrets.yaml.hbs", |app| {
            app.write("app/base/secrets.yaml.hbs", "kind: Secret\nstringData: {a: CANARY {{#if}}\n");
        }),
        ("secrets.yaml.hbs", |app| {
            app.write("app/base/secrets.yaml.hbs", "kind: Secret\nstringData: {a: CANARY: {{ env }}\n");
        }),
        ("certificate", |app| {
            app.write("operator/dev.pem", "-----BEGIN CERTIFICATE-----\nCANARY\n-----END CERTIFICATE-----\n");
        }),
        ("seal-key", |app| app.write("operator/seal-key", "CANARY\n")),
        ("operator.yaml", |app| app.operator("epoch: [CANARY]\n")),
        ("operator.yaml", |app| app.operator("CANARY\n")),
        ("sealwave.yaml", |app| {
            app.write("app/sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\nwaves: CANARY\n");
        }),
        ("sealwave.yaml", |app| {
            app.write(
                "app/sealwave.yaml",
                "apiVersion: sealwave.dev/v1alpha1\nkind: App\npassword: CANARY\n",
            );
        }),
        ("values.yaml", |app| app.write("app/values.yaml", "CANARY\n")),
        ("1048576", |app| app.write("operator/secrets/web.txt", &"CANARY-".repeat(1 << 18))),
        ("shop", |app| {
            app.replace("app/base/config.yaml", "LOG_LEVEL: info", "LOG_LEVEL: <file:db.yaml#password>");
        }),
        ("ConfigMap", |app| {
            app.replace("app/base/config.yaml", "LOG_LEVEL: info", "LOG_LEVEL: <file:db.yaml#password>");
        }),
        ("key", |app| app.replace("app/base/secrets.yaml", "token:", "\"a key with CAN spaces\":")),
    ];
    for (index, (word, fault)) in faults.iter().enumerate() {
        let app = SmallApp::new();
        fault(&app);
        let what = format!("fault {index} ({word}) around {secrets}");
        let output = run_watched(&app.args(), &what);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{what}: {stderr}");
        assert!(output.stdout.is_empty(), "{what}: output in spite of a failure");
        assert!(stderr.contains(word), "{what}: {stderr}");
        assert!(!stderr.contains("internal error"), "{what}: {stderr}");
    }
}

#[test]
fn a_committed_literal_is_sealed_and_not_shown() {
    let app = SmallApp::new();
    app.write(
        "app/base/literal.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: literal\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{\"stringData\":{\"a\":\"CANARY\"}}'\n\
         stringData: {a: CANARY-literal}\ndata: {b: Q0FOQVJZ}\n",
    );
    app.write(
        "app/base/token.yaml",
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/service-account-token\nmetadata:\n  name: token\n  annotations:\n    kubernetes.io/service-account.name: api\n    kubectl.kubernetes.io/last-applied-configuration: '{\"data\":{\"token\":\"Q0FOQVJZ\"}}'\n",
    );
    for command in ["generate", "render", "refs"] {
        let mut args = app.args();
        args[0] = command.to_owned();
        let output = run_watched(&args, command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Not [`MARKER`], since the name of this file, which a panic may show, contains it.
const PAYLOAD: &str = "CANARYVALUE";

const PANICKING_CHILD: &str = "SEALWAVE_TEST_PANICKING_CHILD";

/// The child process of the next test, in which a run panics while it holds a value.
#[test]
fn panicking_child() {
    #[expect(clippy::disallowed_methods, reason = "tells the child from the parent")]
    if std::env::var_os(PANICKING_CHILD).is_none() {
        return;
    }
    shell::install_panic_hook();
    let result = shell::run(&RunWatch::start(), |_| panic!("{PAYLOAD} in a payload"));
    shell::MessagePrinter::new(SourceAccess::default())
        .print_failure(&result.expect_err("a panic is a failure"));
}

#[test]
fn a_panic_shows_only_its_location() {
    let child = std::env::current_exe().expect("this test");
    let output = std::process::Command::new(child)
        .args(["--exact", "canary::panicking_child", "--nocapture"])
        .env(PANICKING_CHILD, "1")
        .env("RUST_BACKTRACE", "full")
        .current_dir(root())
        .output()
        .expect("the child starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("internal error at tests/integration/canary.rs"), "{stderr}");
    assert!(stderr.contains("error: internal error: the run ended without a result"), "{stderr}");
    for bytes in [&output.stdout, &output.stderr] {
        assert_eq!(find_marker(bytes, PAYLOAD), None);
    }
}
