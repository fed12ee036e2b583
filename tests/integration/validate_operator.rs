//! `validate --operator --project`: reports before a merge what `generate` would reject in the sidecar, without
//! fetching.

use crate::support::small_app::SmallApp;
use crate::support::validating::{CommandResult, Report, command};

const OPERATOR: &str = "operator/operator.yaml";

/// Runs on the app with the operator file and flags.
fn run(app: &SmallApp, flags: &[&str]) -> CommandResult {
    let args = [&["app", "--operator", OPERATOR, "--output", "json"], flags].concat();
    command(&app.path(""), &args).output().unwrap().into()
}

fn report(app: &SmallApp, flags: &[&str]) -> Report {
    run(app, flags).report()
}

/// Returns file, line, column, width and environments of a finding.
fn place(finding: &serde_json::Value) -> (String, u64, u64, u64, Vec<String>) {
    let number = |key: &str| finding[key].as_u64().unwrap_or(0);
    let environments = finding["environments"].as_array().unwrap();
    let environments = environments.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    (
        finding["path"].as_str().unwrap().to_owned(),
        number("line"),
        number("column"),
        number("width"),
        environments,
    )
}

const POLICY: [&str; 4] = ["--project", "shop", "--namespace", "shop"];

#[test]
fn accepted_apps_have_no_operator_findings() {
    let app = SmallApp::new();
    app.generate();
    let ran = run(&app, &POLICY);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.report().findings().iter().all(|found| !found["rule"].as_str().unwrap().starts_with("operator/"))
    );
    assert!(!ran.stderr.contains("policy"), "{}", ran.stderr);
}

#[test]
fn an_unknown_provider_is_reported_with_a_suggestion() {
    let app = SmallApp::new();
    app.replace("app/base/secrets.yaml", "<file:web.txt>", "<fil:web.txt>");
    app.write("app/envs/prod/values.yaml", "{}\n");
    for flags in [&[][..], &POLICY] {
        let report = report(&app, flags);
        let found = report.one("operator/unknown-provider");
        let environments = vec!["dev".to_owned(), "prod".to_owned()];
        assert_eq!(place(found), ("app/base/secrets.yaml".to_owned(), 12, 10, 13, environments));
        assert_eq!(found["message"], "provider `fil` is not in the operator file");
        assert_eq!(found["hint"], "did you mean `file`?");
        assert_eq!(found["pointer"], "/stringData/token");
        assert_eq!(found["object"]["name"], "web");
    }
}

#[test]
fn an_unknown_cluster_is_reported_at_its_name() {
    let app = SmallApp::new();
    app.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev: {cluster: dve}\n",
    );
    let report = report(&app, &[]);
    let found = report.one("operator/unknown-cluster");
    assert_eq!(place(found), ("app/sealwave.yaml".to_owned(), 5, 18, 3, vec!["dev".to_owned()]));
    assert!(found["hint"].as_str().unwrap().starts_with("did you mean `dev`?"), "{found}");
    // By default, it is the environment's name.
    let app = SmallApp::new();
    app.write("app/envs/prod/values.yaml", "{}\n");
    let report = report_of(&app);
    assert_eq!(
        report.one("operator/unknown-cluster")["message"],
        "cluster `prod` is not in the operator file"
    );
}

fn report_of(app: &SmallApp) -> Report {
    report(app, &[])
}

#[test]
fn the_policy_is_checked_for_every_use_and_destination() {
    let app = SmallApp::new();
    let operator = app.path(OPERATOR);
    let text = fs_err::read_to_string(&operator).unwrap();
    let start = text.find("policy:").unwrap();
    let policy = "policy: [{name: shop, projects: [shop], clusters: [dev], allow: ['file:db.yaml']}]\n";
    fs_err::write(&operator, format!("{}{policy}", &text[..start])).unwrap();
    let found: Vec<_> = report(&app, &POLICY).of("operator/policy").iter().map(|one| place(one)).collect();
    assert_eq!(found, [("app/base/secrets.yaml".to_owned(), 12, 10, 14, vec!["dev".to_owned()])]);
    // Another project may not use the secrets.
    let others = report(&app, &["--project", "mallory", "--namespace", "shop"]);
    assert_eq!(others.of("operator/policy").len(), 3);
    // The project itself may not use them for another namespace or a wider scope.
    app.replace("app/base/secrets.yaml", "{name: api, namespace: shop}", "{name: api, namespace: mallory}");
    let report = report(&app, &POLICY);
    let message = report.of("operator/policy")[0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("namespace `mallory`"), "{message}");
    assert!(message.contains("rule `shop`"), "{message}");
}

#[test]
fn without_a_project_the_policy_is_skipped_with_a_note() {
    let app = SmallApp::new();
    app.operator("epoch: '1'\n");
    let operator = app.path(OPERATOR);
    let text = fs_err::read_to_string(&operator).unwrap();
    fs_err::write(&operator, text.replace("'file:**'", "'env:NOTHING'")).unwrap();
    let ran = run(&app, &[]);
    assert_eq!(ran.report().of("operator/policy").len(), 0);
    assert!(ran.stderr.contains("policy was not checked: no project was given"), "{}", ran.stderr);
    assert_ne!(report(&app, &POLICY).of("operator/policy").len(), 0);
}

#[test]
fn nothing_is_fetched_and_no_value_is_shown() {
    let app = SmallApp::new();
    fs_err::remove_dir_all(app.path("operator/secrets")).unwrap();
    let ran = run(&app, &POLICY);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(!ran.stdout.contains("CANARY") && !ran.stderr.contains("CANARY"));
}

#[test]
fn operator_findings_can_be_configured() {
    let app = SmallApp::new();
    app.replace("app/base/secrets.yaml", "<file:web.txt>", "<fil:web.txt>");
    let off = run(&app, &["--rule", "operator/unknown-provider=off"]);
    assert_eq!((off.code, off.report().of("operator/unknown-provider").len()), (0, 0), "{}", off.stderr);
}
