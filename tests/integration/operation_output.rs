//! The output of commands that change something: the plan comes first, and what was done stays known after an error.

use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};

use sealwave::deadline::RunWatch;
use sealwave::shell;
use sealwave_testkit::stub_server::StubReply;
use serde_json::{Value, json};

use crate::canary_operations::place::Place;
use crate::canary_operations::sealed_file;
use crate::support::aws_user;

const PLACE: &str = "aws-sm:shop/db#AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY";
const ROTATE: [&str; 12] = [
    "rotate",
    "aws",
    "--user",
    "airflow",
    "--env",
    "dev",
    "--operator",
    "operator/operator.yaml",
    "--no-backup",
    "--yes",
    "--write",
    PLACE,
];

fn refusal(code: &str) -> StubReply {
    StubReply::json(400, json!({"__type": code, "message": "CANARY"}).to_string())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn run(place: &Place, args: &[&str]) -> Output {
    place.command(args).output().expect("the binary starts")
}

/// Runs with a standard output that has no reader.
fn run_unread(place: &Place, args: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    place.command(args).stdout(writer).output().expect("the binary starts")
}

#[test]
fn the_plan_is_written_before_the_first_change_and_results_as_they_come() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let output = tempfile::NamedTempFile::new().expect("a file");
    let (path, log) = (output.path().to_owned(), Arc::clone(&seen));
    let place = Place::with_account(&aws_user::start_with(move |operation| {
        let written = fs_err::read_to_string(&path).expect("readable");
        log.lock().expect("not poisoned").push((operation.to_owned(), written));
        None
    }));
    let file = output.reopen().expect("opened");
    let output = place.command(&ROTATE).stdout(file).output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let seen = seen.lock().expect("not poisoned");
    let at = |operation: &str| &seen.iter().find(|(known, _)| known == operation).expect(operation).1;
    let created = at("CreateAccessKey");
    assert!(created.contains("Steps\n  1. create an access key for user `airflow`"), "{created}");
    assert!(!created.contains("created access key"), "{created}");
    let written = at("PutSecretValue");
    assert!(written.contains("\ncreated access key `AKIAEXAMPLENEW000001`\n"), "{written}");
}

#[test]
fn an_error_leaves_the_plan_the_results_and_the_way_to_continue() {
    let is_denied = Arc::new(Mutex::new(true));
    let denied = Arc::clone(&is_denied);
    let account = aws_user::start_with(move |operation| {
        let denied = *denied.lock().expect("not poisoned") && operation == "PutSecretValue";
        denied.then(|| refusal("AccessDeniedException"))
    });
    let place = Place::with_account(&account);
    let rotate = ["--backup", "backups/key.json"];
    let args: Vec<&str> = ROTATE.into_iter().filter(|arg| *arg != "--no-backup").chain(rotate).collect();
    let output = run(&place, &args);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    for expected in [
        "\nSteps\n",
        "\ncreated access key `AKIAEXAMPLENEW000001`\n",
        "\nbacked it up to `",
        "\nfailed: the journal has what was done; after the error is repaired, run the same command again to continue\n",
    ] {
        assert_eq!(stdout.matches(expected).count(), 1, "{expected}: {stdout}");
    }
    assert!(stderr.contains("not allowed to call `secretsmanager:PutSecretValue`"), "{stderr}");
    assert!(!stdout.contains("secretsmanager:PutSecretValue"), "{stdout}");

    let output = run(&place, &[&args[..], &["-o", "json"]].concat());
    assert_eq!(output.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(
        (&report["outcome"]["state"], &report["outcome"]["continues"]),
        (&json!("failed"), &json!(true))
    );
    let error = report["outcome"]["error"].as_str().expect("a text");
    assert!(error.contains("secretsmanager:PutSecretValue") && !error.contains("CANARY"), "{error}");
    assert_eq!(report["plan"]["operation"], "rotate aws");
    assert!(report["results"].is_array());

    *is_denied.lock().expect("not poisoned") = false;
    let output = run(&place, &[&args[..], &["-o", "json"]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!((output.status.code(), &report["outcome"]["state"]), (Some(1), &json!("waiting")));
    let results = report["results"].to_string();
    assert!(
        results.contains("wrote `aws-sm:shop/db`") && !results.contains("created access key"),
        "{results}"
    );
}

#[test]
fn each_error_of_an_apply_has_one_document() {
    for (args, refused) in [
        (&["put", "aws-sm:shop/db#other", "--from-file", "value"][..], "PutSecretValue"),
        (&["rotate", "aws-secret", "shop/db"], "RotateSecret"),
    ] {
        let account = aws_user::start_with(move |operation| {
            (operation == refused).then(|| refusal("AccessDeniedException"))
        });
        let place = Place::with_account(&account);
        let args = [args, &["--operator", "operator/operator.yaml", "--yes"]].concat();
        let output = run(&place, &[&args[..], &["-o", "json"]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let report: Value = serde_json::from_slice(&output.stdout).expect("one document");
        assert_eq!(report["outcome"]["state"], "failed", "{args:?}");
        assert_eq!((&report["outcome"]["continues"], &report["results"]), (&json!(false), &json!([])));
        let output = run(&place, &args);
        assert!(text(&output.stdout).ends_with("\n\nfailed\n"), "{}", text(&output.stdout));
        assert!(text(&output.stdout).contains("\nSteps\n") && !output.stderr.is_empty());
    }
}

#[test]
fn nothing_changes_if_the_plan_cannot_be_printed() {
    let changes = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&changes);
    let account = aws_user::start_with(move |operation| {
        if ["CreateAccessKey", "PutSecretValue", "RotateSecret"].contains(&operation) {
            log.lock().expect("not poisoned").push(operation.to_owned());
        }
        None
    });
    let place = Place::with_account(&account);
    sealed_file(&place);
    place.commit();
    let file = "repository/envs/dev/sealed-secrets/sealed-aws.yaml";
    let before = place.read(file);
    let operator = ["--operator", "operator/operator.yaml"];
    let keys = ["--key", "keys/rsa2048.key", "--cert", "keys/rsa3072.crt"];
    for args in [
        ROTATE.to_vec(),
        [&["put", "aws-sm:shop/db#other", "--from-file", "value", "--yes"][..], &operator].concat(),
        [&["rotate", "aws-secret", "shop/db", "--yes"][..], &operator].concat(),
        [&["reseal", "repository", "--env", "dev", "--yes"][..], &keys].concat(),
        vec!["rotate", "controller-key", "--key-size", "2048", "--backup", "backups/keys.json", "--yes"],
        vec!["seal", "--merge-into", file, "--from-file", "new=value", "--cert", "keys/rsa2048.crt"],
    ] {
        let output = run_unread(&place, &args);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {stderr}");
        assert!(stderr.contains("plan cannot be printed, so nothing was changed"), "{args:?}: {stderr}");
        assert_eq!(
            run(&place, &args).status.code(),
            Some(i32::from(args[0] == "rotate" && args[1] == "aws"))
        );
        place.write(file, &before);
    }
    assert!(!changes.lock().expect("not poisoned").is_empty(), "the last runs changed something");
}

#[test]
fn a_reader_that_goes_away_does_not_end_what_was_begun() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let reader = Arc::new(Mutex::new(Some(reader)));
    let held = Arc::clone(&reader);
    let account = aws_user::start_with(move |operation| {
        if operation == "CreateAccessKey" {
            held.lock().expect("not poisoned").take();
        }
        None
    });
    let place = Place::with_account(&account);
    let output = place.command(&ROTATE).stdout(writer).stderr(Stdio::piped()).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(reader.lock().expect("not poisoned").is_none());
    place.wait_days(2);
    let output = run(&place, &ROTATE);
    assert_eq!(output.status.code(), Some(1));
    let stdout = text(&output.stdout);
    assert!(stdout.contains("\ndeactivated the old access key") && !stdout.contains("\ncreated"), "{stdout}");
}

#[test]
fn a_run_without_a_result_still_prints_what_it_did() {
    let output = shell::run(&RunWatch::start(), |watch| {
        watch.set_unfinished_output(|failure| failure.to_string().into_bytes());
        panic!("expected");
    });
    let output = output.expect("an output");
    assert!(text(&output.stdout).contains("ended without a result") && output.failure.is_some());
    assert!(shell::run(&RunWatch::start(), |_| panic!("expected")).is_err());
}
