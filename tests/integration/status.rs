//! `status`: the secrets of apps with their policy, age and dates, from Git alone or with fetched values.

use std::process::{Command, Output};

use sealwave_secrets::SealingScope;
use sealwave_secrets::resealed::{ResealRecord, SealedItemId, ciphertext_digest};
use serde_json::{Value, json};

use crate::support::small_app::SmallApp;
use crate::support::{sealwave, watched_output};

const APP: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments: {dev: {}}\n";

const POLICY: &str = "\
rotation:
- {secret: web, rotation: manual, maxAge: 90d, rotated: 2025-12-20, owner: web team, reason: no API, runbook: https://wiki.example.com/web}
- {secret: jwt, rotation: manual, maxAge: 180d, owner: sre, reason: clients hold it}
- {secret: 'shop/*', rotation: automatic}
";

const SEALED: &str = "\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata:
  name: jwt
  namespace: shop
  annotations: {sealwave.dev/certificate: 'sha256:DIGEST'}
spec: {encryptedData: {key: AgB=}}
";

/// Returns a committed app with a sealed file of 2025-03-01.
fn app(policy: &str) -> SmallApp {
    let app = SmallApp::new();
    app.write("app/sealwave.yaml", &format!("{APP}{policy}"));
    app.write("app/envs/dev/sealed-secrets/jwt.yaml", &SEALED.replace("DIGEST", &"ab".repeat(32)));
    git(&app, &["init", "-q"]);
    git(&app, &["add", "-A", "app"]);
    git(&app, &["commit", "-qm", "one"]);
    // A later commit of another file.
    app.write("app/base/note.txt", "");
    git(&app, &["add", "-A", "app"]);
    let mut later = git_command(&app, &["commit", "-qm", "two"]);
    assert!(later.env("GIT_COMMITTER_DATE", "2025-12-31T00:00:00Z").status().unwrap().success());
    app
}

fn git_command(app: &SmallApp, args: &[&str]) -> Command {
    let mut command = sealwave_testkit::git_command(&app.path(""));
    command.args(args).env("GIT_COMMITTER_DATE", "2025-03-01T23:30:00+01:00");
    command
}

/// Writes the sealed file, and commits it on a day.
fn commit(app: &SmallApp, text: &str, day: &str) {
    app.write("app/envs/dev/sealed-secrets/jwt.yaml", text);
    git(app, &["add", "-A", "app"]);
    let mut command = git_command(app, &["commit", "-qm", "change"]);
    assert!(command.env("GIT_COMMITTER_DATE", format!("{day}T12:00:00Z")).status().unwrap().success());
}

/// Returns the sealed file with these items and other annotations.
fn sealed(annotations: &str, items: &str) -> String {
    SEALED
        .replace(
            "annotations: {sealwave.dev/certificate: 'sha256:DIGEST'}",
            &format!("annotations: {{{annotations}}}"),
        )
        .replace("{key: AgB=}", &format!("{{{items}}}"))
}

fn git(app: &SmallApp, args: &[&str]) {
    assert!(git_command(app, args).status().unwrap().success());
}

/// Runs `status` on 2026-01-01.
fn status(app: &SmallApp, args: &[&str]) -> Output {
    let directory = app.path("app");
    let mut command = sealwave();
    command.arg("status").arg(directory).args(args).env("SOURCE_DATE_EPOCH", "1767225600");
    watched_output(&mut command)
}

fn report(app: &SmallApp, args: &[&str]) -> (Value, Option<i32>) {
    let output = status(app, &[args, &["-o", "json"]].concat());
    let json = serde_json::from_slice(&output.stdout);
    (json.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.code())
}

fn secret<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["secrets"].as_array().unwrap().iter().find(|secret| secret["name"] == name).expect(name)
}

#[test]
fn ages_and_policies_come_from_git() {
    let app = app(POLICY);
    let (report, code) = report(&app, &[]);
    assert_eq!(code, Some(1));
    assert_eq!(report["today"], "2026-01-01");
    let names: Vec<&Value> = report["secrets"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["api", "jwt", "web"]);

    let jwt = secret(&report, "jwt");
    assert_eq!(jwt["state"], "overdue");
    assert_eq!(jwt["changed"], json!({"date": "2025-03-01", "days": 306, "source": "git"}));
    assert_eq!(jwt["certificate"], format!("sha256:{}", "ab".repeat(32)));
    assert_eq!(jwt["createdBy"], json!(["SealedSecret"]));

    let web = secret(&report, "web");
    assert_eq!((&web["state"], &web["users"]), (&json!("ok"), &json!(["Deployment/web"])));
    assert_eq!(web["changed"], json!({"date": "2025-12-20", "days": 12, "source": "policy"}));
    assert_eq!(web["sources"], json!(["file:web.txt"]));
    assert_eq!(web["policy"]["runbook"], "https://wiki.example.com/web");

    let api = secret(&report, "api");
    assert_eq!((&api["state"], &api["changed"]), (&json!("ok"), &Value::Null));
    assert_eq!(api["policy"]["rotation"], "automatic");
    // Equal input gives equal bytes.
    assert_eq!(status(&app, &["-o", "json"]).stdout, status(&app, &["-o", "json"]).stdout);
}

#[test]
fn people_see_what_is_overdue_and_what_to_do() {
    let app = app(POLICY);
    let output = status(&app, &["--operator", app.path("operator/operator.yaml").to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    for line in [
        "  overdue    shop/jwt: manual, at most 180 days, owner sre, 306 days old (2025-03-01 by the first commit with its value), created by SealedSecret\n",
        "             reason: clients hold it\n",
        "  ok         shop/web: manual, at most 90 days, owner web team, 12 days old (2025-12-20 as written in the policy), created by Secret\n",
        "             sources: file:web.txt\n             users: Deployment/web\n",
        "sealing certificates\n",
        "3 secrets on 2026-01-01: 0 expired, 1 overdue, 0 due, 0 with `maxAge` but of unknown age, 0 without a policy, 2 ok\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(String::from_utf8(output.stderr).unwrap().contains("dates of values are not known"));
}

#[test]
fn without_a_policy_nothing_is_overdue() {
    let app = app("");
    let (report, code) = report(&app, &["--env", "dev"]);
    assert_eq!(code, Some(0));
    assert!(report["secrets"].as_array().unwrap().iter().all(|secret| secret["state"] == "no-policy"));
}

#[test]
fn fetched_values_tell_when_they_expire_and_nothing_else() {
    let app = app(POLICY);
    app.write("app/base/tls.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: tls, namespace: shop}\nstringData: {tls.crt: <file:crt.txt>}\n");
    let pem = crate::support::root().join("testdata/tls-pairs/soon.crt");
    app.write("operator/secrets/crt.txt", &fs_err::read_to_string(pem).unwrap());
    // {"alg":"HS256"} and {"sub":"CANARY","exp":1764547200}
    app.write(
        "operator/secrets/web.txt",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlkiLCJleHAiOjE3NjQ1NDcyMDB9.c2ln\n",
    );
    let operator = app.path("operator/operator.yaml");
    let args =
        ["--fetch", "--project", "shop", "--namespace", "shop", "--operator", operator.to_str().unwrap()];
    let (report, code) = report(&app, &args);
    assert_eq!(code, Some(1));
    let web = secret(&report, "web");
    assert_eq!(web["state"], "expired");
    assert_eq!(
        web["expiries"],
        json!([{"item": "token", "kind": "json web token", "date": "2025-12-01", "days": -31}])
    );
    let tls = secret(&report, "tls");
    assert_eq!(tls["state"], "due");
    assert_eq!(
        tls["expiries"],
        json!([{"item": "tls.crt", "kind": "certificate", "date": "2026-01-20", "days": 19}])
    );
    assert!(!report.to_string().contains("eyJ"));
}

#[test]
fn every_refusal_has_a_message() {
    let app = app(POLICY);
    for (args, message) in [
        (&["--fetch"][..], "`--fetch` needs an operator file"),
        (&["--env", "nowhere"], "no app has the environment `nowhere`; known environments: `dev`"),
    ] {
        let output = status(&app, args);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(message), "{stderr}");
    }
    let mut command = sealwave();
    command.arg("status").current_dir(app.path("app")).env("ARGOCD_APP_NAME", "shop");
    let stderr =
        String::from_utf8(command.env("ARGOCD_APP_NAMESPACE", "a").output().unwrap().stderr).unwrap();
    assert!(stderr.contains("`status` must not be used when Argo CD runs sealwave"), "{stderr}");
}

#[test]
fn an_app_with_an_error_does_not_hide_the_others() {
    let app = app(POLICY);
    app.write("app/broken/sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\nrotation: [{secret: a, rotation: manual, maxAge: soon}]\n");
    let output = status(&app, &[]);
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stdout.contains("shop/jwt"), "{stdout}");
    assert!(stderr.contains("`rotation[0].maxAge`") && stderr.contains("such as `90d`"), "{stderr}");
    assert!(stderr.contains("broken/sealwave.yaml:3:"), "{stderr}");
}

#[test]
fn a_report_of_broken_apps_says_so() {
    let broken = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nenvironments: {dev: {}}\nunknown: 1\n";
    // Alone, it is an error without a report.
    let alone = SmallApp::new();
    alone.write("app/sealwave.yaml", broken);
    for args in [&[][..], &["--env", "dev"], &["-o", "json"]] {
        let output = status(&alone, args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{stderr}");
        assert!(stderr.contains("unknown field `unknown`"), "{stderr}");
    }
    // Among others, it is an entry.
    let app = app(POLICY);
    app.write("app/apps/broken/sealwave.yaml", broken);
    let text = String::from_utf8(status(&app, &[]).stdout).unwrap();
    assert!(text.contains("broken\n  error      "), "{text}");
    assert!(text.contains("2 ok; without the secrets of 1 app with errors\n"), "{text}");
    let (report, code) = report(&app, &[]);
    assert_eq!(code, Some(2));
    assert_eq!(report["secrets"].as_array().unwrap().len(), 3);
    let broken = report["brokenApps"].as_array().unwrap();
    assert_eq!(broken.len(), 1);
    assert!(broken[0]["app"].as_str().unwrap().ends_with("broken"), "{broken:?}");
    assert!(broken[0]["errors"][0].as_str().unwrap().contains("unknown field `unknown`"), "{broken:?}");
}

#[test]
fn numbers_are_singular_and_plural() {
    let app = SmallApp::new();
    app.write(
        "app/sealwave.yaml",
        &format!("{APP}rotation: [{{secret: '*', rotation: manual, maxAge: 1d, rotated: 2025-12-31}}]\n"),
    );
    let text = String::from_utf8(status(&app, &[]).stdout).unwrap();
    assert!(text.contains("at most 1 day") && text.contains("1 day old (2025-12-31"), "{text}");
    assert!(!text.contains("1 days") && !text.contains("1 secrets"), "{text}");
}

#[test]
fn hostile_names_and_annotations_are_harmless() {
    let app = app("rotation: [{secret: '*', rotation: automatic, owner: \"a\u{202e}b\"}]\n");
    app.write(
        "app/envs/dev/sealed-secrets/--output=x.yaml",
        &SEALED.replace("name: jwt", "name: \"a\\e[2J\\nb\"").replace("sha256:DIGEST", "CANARY"),
    );
    app.write("app/envs/dev/sealed-secrets/:(top)*.yaml", &SEALED.replace("name: jwt", "name: glob"));
    let output = status(&app, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("glob"), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    assert!(!app.path("app/x.yaml").exists());
}

#[test]
fn a_change_of_the_file_is_not_one_of_the_value() {
    let app = app(POLICY);
    let age = || secret(&report(&app, &[]).0, "jwt")["changed"].clone();
    let one = json!({"date": "2025-03-01", "days": 306, "source": "git"});
    // An annotation, a comment, and another item.
    commit(&app, &format!("# text\n{}", sealed("a: b", "key: AgB=")), "2025-11-01");
    assert_eq!(age(), one);
    commit(&app, &sealed("", "key: AgB=, other: AgC="), "2025-11-02");
    let oldest = json!({"date": "2025-03-01", "days": 306, "source": "git", "item": "key"});
    assert_eq!(age(), oldest);

    // Re-sealing keeps the first ciphertext while its record holds.
    let mut record = ResealRecord::default();
    let id = |key| SealedItemId { namespace: "shop", name: "jwt", scope: SealingScope::Strict, key };
    record.insert(&id("key"), &ciphertext_digest("AgB="), &"ab".repeat(32), "AgD=");
    let resealed =
        sealed(&format!("sealwave.dev/resealed: '{}'", record.to_text()), "key: AgD=, other: AgC=");
    commit(&app, &resealed, "2025-11-03");
    assert_eq!(age(), oldest);
    git(&app, &["mv", "app/envs/dev/sealed-secrets/jwt.yaml", "app/envs/dev/sealed-secrets/moved.yaml"]);
    git(&app, &["commit", "-qm", "move"]);
    assert_eq!(age(), oldest, "a rename does not rotate");
    git(&app, &["mv", "app/envs/dev/sealed-secrets/moved.yaml", "app/envs/dev/sealed-secrets/jwt.yaml"]);
    git(&app, &["commit", "-qm", "move back"]);

    // A new ciphertext without a record is a new value.
    commit(&app, &resealed.replace("AgD=", "AgE="), "2025-11-04");
    assert_eq!(age(), json!({"date": "2025-11-02", "days": 60, "source": "git", "item": "other"}));
    commit(&app, &sealed("", "key: AgF="), "2025-11-05");
    assert_eq!(age(), json!({"date": "2025-11-05", "days": 57, "source": "git"}));
    // A value that comes back is as old as before.
    commit(&app, &sealed("", "key: AgB="), "2025-11-06");
    assert_eq!(age(), one);
}

#[test]
fn an_item_that_is_not_committed_has_no_age_yet() {
    let app = app(POLICY);
    app.write("app/envs/dev/sealed-secrets/jwt.yaml", &sealed("", "key: AgB=, other: AgC="));
    let (report, _) = report(&app, &[]);
    let jwt = secret(&report, "jwt");
    assert_eq!(jwt["changed"]["date"], "2025-03-01");
    assert_eq!(jwt["uncommitted"], json!(["other"]));
    app.write("app/envs/dev/sealed-secrets/jwt.yaml", &sealed("", "key: AgC="));
    let output = status(&app, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("unknown    shop/jwt: manual, at most 180 days, owner sre, not committed yet"),
        "{text}"
    );
    assert!(text.contains("             not committed yet: `key`\n"), "{text}");
    assert!(text.contains("1 with `maxAge` but of unknown age"), "{text}");
}

#[test]
fn a_shallow_clone_knows_a_minimum_only() {
    let app = app(POLICY);
    commit(&app, &sealed("a: b", "key: AgB="), "2025-12-30");
    let source = format!("file://{}", app.path("").display());
    git(&app, &["clone", "-q", "--depth", "1", &source, "clone"]);
    let run = |day: &str| {
        let mut command = sealwave();
        command.arg("status").arg(app.path("clone/app")).env("SOURCE_DATE_EPOCH", day);
        let output = watched_output(&mut command);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("`git fetch --unshallow` gets the older commits"), "{stderr}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run("1767225600");
    let expected = "unknown    shop/jwt: manual, at most 180 days, owner sre, at least 2 days old (2025-12-30 by the oldest known commit, which has its value)";
    assert!(text.contains(expected), "{text}");
    // A minimum above the maximum is certain.
    assert!(run("1798761600").contains("overdue    shop/jwt"));
}

#[test]
fn hostile_histories_are_read_within_limits() {
    let app = app(POLICY);
    for text in ["[".repeat(100_000), format!("# {}\n", "x".repeat(5 << 20)), "\u{1b}[2J: *a".to_owned()] {
        commit(&app, &text, "2025-06-01");
    }
    fs_err::remove_file(app.path("app/envs/dev/sealed-secrets/jwt.yaml")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", app.path("app/envs/dev/sealed-secrets/jwt.yaml")).unwrap();
    git(&app, &["add", "-A", "app"]);
    git(&app, &["commit", "-qm", "link"]);
    fs_err::remove_file(app.path("app/envs/dev/sealed-secrets/jwt.yaml")).unwrap();
    commit(&app, &sealed("", "key: AgF="), "2025-07-01");
    let changed = secret(&report(&app, &[]).0, "jwt")["changed"].clone();
    // A version that is too large could have had the item.
    assert_eq!(changed, json!({"date": "2025-07-01", "days": 184, "source": "git", "isMinimum": true}));
}
