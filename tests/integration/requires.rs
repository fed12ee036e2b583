//! Tests of `requires`: every command that reads an app refuses to run with a version that the app does not allow.

use crate::support::sealwave;
use crate::support::small_app::SmallApp;

const THIS_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Returns an app with this line in its app file, which is the fourth.
fn app_with(line: &str) -> SmallApp {
    let app = SmallApp::new();
    app.replace("app/sealwave.yaml", "namespace: shop\n", &format!("namespace: shop\n{line}\n"));
    app
}

/// Runs a command on the app. Returns its output and exit code.
fn run(app: &SmallApp, arguments: &str) -> (String, Option<i32>) {
    let output = sealwave()
        .current_dir(app.path("app"))
        .args(arguments.split(' '))
        .env("SOURCE_DATE_EPOCH", "1767225600")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.code())
}

#[test]
fn every_command_that_reads_an_app_refuses_another_version() {
    let operator = "--operator ../operator/operator.yaml --project shop";
    for line in [
        "requires: {sealwave: '>=77.1'}",
        "requires: {sealwave: '>=77.1'}\nnewField: 1",
        "requires: {sealwave: '>=77.1', other: 1}",
    ] {
        let app = app_with(line);
        for (command, code) in [
            (format!("generate {operator}"), 2),
            ("parameters".to_owned(), 2),
            ("refs".to_owned(), 2),
            ("render".to_owned(), 2),
            ("validate".to_owned(), 1),
        ] {
            let (text, found) = run(&app, &command);
            assert_eq!(found, Some(code), "{command}: {text}");
            let message = format!("app needs sealwave >=77.1; this is {THIS_VERSION}");
            assert!(text.contains(&message) && text.contains("sealwave.yaml:4:"), "{command}: {text}");
            assert!(text.contains("use a version that `requires` allows"), "{command}: {text}");
            assert!(!text.contains("newField"), "{command}: {text}");
        }
    }
}

#[test]
fn an_allowed_version_changes_nothing() {
    let (expected, _) = run(&SmallApp::new(), "render");
    for requirement in ["*", ">=0.0.1", "<77", THIS_VERSION] {
        let app = app_with(&format!("requires: {{sealwave: '{requirement}'}}"));
        assert_eq!(run(&app, "render"), (expected.clone(), Some(0)), "{requirement}");
    }
    assert_eq!(run(&app_with("requires: {}"), "render").1, Some(0));
}

#[test]
fn malformed_requirements_have_their_place() {
    for (line, expected) in [
        (
            "requires: {sealwave: latest}",
            "4: `requires.sealwave`: wrong value, expected versions such as `>=0.4, <0.6`",
        ),
        ("requires: {sealwave: '>=0.4 <0.6'}", "4: `requires.sealwave`: wrong value"),
        ("requires: {sealwave: {a: b}}", "4: `requires.sealwave`: wrong type"),
        ("requires: {sealwave: [a]}", "4: `requires.sealwave`: wrong type"),
        ("requires: '>=0.4'", "4: `requires`: wrong type"),
        ("requires: {sealwav: '1'}", "4: `requires`: unknown field `sealwav`"),
    ] {
        let (text, code) = run(&app_with(line), "render");
        let (place, message) = expected.split_once(": ").unwrap();
        assert_eq!(code, Some(2), "{line}: {text}");
        assert!(
            text.contains(message) && text.contains(&format!("sealwave.yaml:{place}:")),
            "{line}: {text}"
        );
        assert!(!text.contains("latest"), "{line}: {text}");
    }
}

#[test]
fn a_hostile_requirement_ends_in_one_plain_line() {
    let long = "0.1, ".repeat(50_000);
    for line in
        ["requires: {sealwave: \"\\e[31m>=1\\n\"}".to_owned(), format!("requires: {{sealwave: '{long}'}}")]
    {
        let (text, code) = run(&app_with(&line), "render");
        assert_eq!(code, Some(2));
        assert!(!text.contains('\u{1b}') && text.len() < 2_000, "{text}");
    }
}
