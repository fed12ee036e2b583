//! The operator's policy through the binary: nothing that an author writes widens it, and `refs` and the audit log are
//! correct.

use std::process::{Command, Output};

use crate::support::small_app::{OPEN_POLICY, SmallApp};
use crate::support::{MARKER, find_marker, refused, sealwave, watched_output};
use serde_json::Value;

const POLICY: &str = "policy:
- {name: shops, projects: [shop], allow: ['file:db.yaml#password', 'file:web.txt', 'file:{namespace}/**']}
- {name: never, deny: ['file:**/root*']}
";

/// Returns a small app whose project may use the references of its manifests, and little more.
fn app(audit: &str) -> SmallApp {
    let app = SmallApp::new();
    app.operator("");
    app.replace("operator/operator.yaml", OPEN_POLICY, &format!("{POLICY}{audit}"));
    app.write("operator/secrets/admin/db.yaml", "password: CANARY-admin\n");
    app.write("operator/secrets/shop/own.txt", "CANARY-own");
    app.write("operator/secrets/shop/root.txt", "CANARY-root");
    app
}

fn with_reference(app: &SmallApp, reference: &str) {
    let text = serde_json::to_string(&format!("<{reference}>")).unwrap();
    app.write(
        "app/base/extra.yaml",
        &format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: extra}}\nstringData:\n  k: {text}\n"),
    );
}

fn argocd(app: &SmallApp, project: &str) -> Command {
    let mut command = app.sidecar("team_shop", project, "dev");
    command.env("ARGOCD_APP_SOURCE_REPO_URL", "https://token@git.example.com/shop/deploy.git");
    command
}

#[test]
fn references_allowed_by_the_policy_are_sealed() {
    let app = app("");
    with_reference(&app, "file:shop/own.txt");
    let output = watched_output(&mut argocd(&app, "shop"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn no_reference_reaches_beyond_the_policy() {
    let app = app("");
    let long = format!("file:{}admin/db.yaml", "shop/".repeat(4000));
    for reference in [
        "file:admin/db.yaml",
        "file:admin/db.yaml#password",
        "file:shop/../admin/db.yaml#password",
        "file:shop/%2e%2e/admin/db.yaml",
        "file:shop%2F..%2Fadmin/db.yaml",
        "file:shop\\..\\admin\\db.yaml",
        "file:*/db.yaml",
        "file:?hop/own.txt",
        "file:[s]hop/own.txt",
        "file:{shop,admin}/db.yaml",
        "file:{namespace}/own.txt",
        "file:Shop/own.txt",
        "file:ѕhop/own.txt",
        "file:ｓhop/own.txt",
        "file:sho\u{301}p/own.txt",
        "file:sh\u{f3}p/own.txt",
        "file:sh\u{200b}op/own.txt",
        "file:\u{feff}shop/own.txt",
        "file:shop\u{202e}/own.txt",
        "file:/shop/own.txt",
        "file:./shop/own.txt",
        "file://shop/own.txt",
        "file:shop//own.txt",
        "file:shop/",
        "file:shop/own.txt/",
        "file:db.yaml",
        "file:db.yaml##1",
        "file:db.yaml#Password",
        "file:db.yaml#passwor\\d",
        "file:db.yaml#*",
        "file:db.yaml#password#a#b",
        "file:admin/db.yaml#shop/own.txt",
        "file:shop/root.txt",
        "file:shop/ROOT.txt",
        "file:../operator.yaml",
        "file:../seal-key",
        "env:PATH",
        "env:SHOP_TOKEN",
        "env:SEALWAVE_OPERATOR",
        "env:ARGOCD_ENV_SHOP",
        "path:shop/own.txt",
        "file-2:shop/own.txt",
        "vault:shop/own.txt",
        &long,
    ] {
        with_reference(&app, reference);
        refused(argocd(&app, "shop").env("SHOP_TOKEN", "CANARY-env"), reference);
    }
}

#[test]
fn other_projects_are_refused() {
    let app = app("");
    for project in ["", "shop2", "Shop", "*", "sho?", "[s]hop", "{shop,x}", "shop/", "shop\u{200b}", "ѕhop"]
    {
        let stderr = refused(&mut argocd(&app, project), project);
        assert!(stderr.contains("no rule of the operator's policy allows it"), "{project}: {stderr}");
    }
}

/// Writes to every location that an author controls, with content that would widen the policy if it were read.
#[test]
fn nothing_that_authors_write_changes_the_policy() {
    type Attempt = fn(&SmallApp, &mut Command);
    const WIDE: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\nclusters: {dev: {certificate: {file: dev.pem}}}\nproviders: {file: {kind: file, root: /}}\npolicy: [{projects: ['*'], allow: ['file:**']}]\n";
    let attempts: &[(&str, Attempt)] = &[
        ("environment of the Application", |app, command| {
            app.write("app/wide.yaml", WIDE);
            for name in ["SEALWAVE_OPERATOR", "ARGOCD_APP_PROJECT_NAME", "POLICY", "PROJECT", "OPERATOR"] {
                command
                    .env(format!("ARGOCD_ENV_{name}"), "wide.yaml")
                    .env(format!("PARAM_{name}"), "wide.yaml");
            }
        }),
        ("operator file in Git", |app, _| {
            for name in ["operator.yaml", ".sealwave.yaml", "base/operator.yml", "envs/dev/operator.yaml"] {
                if !name.starts_with("base") && !name.starts_with("envs") {
                    app.write(&format!("app/{name}"), WIDE);
                }
            }
        }),
        (".argocd-source.yaml", |app, _| {
            for name in [".argocd-source.yaml", ".argocd-source-team_shop.yaml"] {
                let text = "plugin: {env: [{name: SEALWAVE_OPERATOR, value: wide.yaml}], parameters: [{name: project, string: admin}]}\n";
                app.write(&format!("app/{name}"), text);
            }
        }),
        ("parameters", |_, command| {
            command.env(
                "ARGOCD_APP_PARAMETERS",
                r#"[{"name":"env","string":"dev"},{"name":"project","string":"admin"}]"#,
            );
        }),
        ("the parameter env", |_, command| {
            command.env("ARGOCD_APP_PARAMETERS", r#"[{"name":"env","string":"../../admin"}]"#);
        }),
        ("fields of the app file", |app, _| {
            app.write("app/sealwave.yaml", "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\npolicy: [{projects: ['*'], allow: ['file:**']}]\n");
        }),
        ("providers in the app file", |app, _| {
            app.write(
                "app/sealwave.yaml",
                "apiVersion: sealwave.dev/v1alpha1\nkind: App\nproviders: {mine: {kind: file, root: /}}\n",
            );
        }),
        ("a key in the app file", |app, _| {
            app.write(
                "app/sealwave.yaml",
                "apiVersion: sealwave.dev/v1alpha1\nkind: App\nsealKeyFile: mine\n",
            );
        }),
        ("the app's namespace", |app, _| {
            app.write(
                "app/sealwave.yaml",
                "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: admin\n",
            );
        }),
        ("namespace of the Secret, and values", |app, _| {
            app.write(
                "app/values.yaml",
                "project: admin\nnamespace: admin\npolicy: [{projects: ['*'], allow: ['file:**']}]\n",
            );
            app.replace(
                "app/base/extra.yaml",
                "{name: extra}",
                "{name: extra, namespace: admin, annotations: {argocd.argoproj.io/project: admin}}",
            );
        }),
        ("a default provider", |app, _| {
            app.write(
                "app/sealwave.yaml",
                "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nprovider: file\n",
            );
            with_reference(app, "path:admin/db.yaml");
        }),
        ("flags in the sidecar", |_, command| {
            command.args(["--project", "admin"]);
        }),
        ("the repository as a flag", |_, command| {
            command.args(["--repository", "https://git.example.com/admin/x"]);
        }),
    ];
    for (description, attempt) in attempts {
        let app = app("");
        with_reference(&app, "file:admin/db.yaml");
        let mut command = argocd(&app, "shop");
        attempt(&app, &mut command);
        refused(&mut command, description);
    }
}

#[test]
fn messages_name_the_rule_and_the_subject() {
    let app = app("");
    with_reference(&app, "file:shop/root.txt");
    let stderr = refused(&mut argocd(&app, "shop"), "denied");
    assert!(stderr.contains("rule `never` of the operator's policy denies it"), "{stderr}");
    with_reference(&app, "file:admin/x");
    let stderr = refused(&mut argocd(&app, "shop"), "refused");
    let subject = "project `shop`, app `team_shop`, namespace `shop`, repository `https://git.example.com/shop/deploy.git`, environment `dev`";
    assert!(stderr.contains(subject), "{stderr}");
    assert!(!stderr.contains("token"), "{stderr}");
}

fn refs(app: &SmallApp, more: &[&str]) -> Output {
    let mut args = app.args();
    "refs".clone_into(&mut args[0]);
    watched_output(sealwave().args(args).args(more))
}

#[test]
fn refs_lists_references_with_their_rule_and_fetches_nothing() {
    let app = app("audit: {file: audit.jsonl}\n");
    let output = refs(&app, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("dev, cluster `dev`\n  file:db.yaml#password  allowed by `shops`\n"), "{text}");
    assert!(
        text.contains("base/secrets.yaml:5:13   Secret `shop/api`, item `password`, scope strict\n"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "color without a terminal");
    assert!(!app.path("operator/audit.jsonl").exists());

    fs_err::remove_dir_all(app.path("operator/secrets")).unwrap();
    with_reference(&app, "file:shop/root.txt");
    let output = refs(&app, &["--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list["apiVersion"], "sealwave.dev/v1alpha1");
    assert_eq!(list["kind"], "ReferenceList");
    assert_eq!(list["environments"][0]["name"], "dev");
    let references = list["environments"][0]["references"].as_array().unwrap();
    let summary: Vec<_> = references
        .iter()
        .map(|listed| {
            [&listed["reference"], &listed["decision"], &listed["rule"]].map(|text| text.as_str().unwrap())
        })
        .collect();
    assert_eq!(
        summary,
        [
            ["file:db.yaml#password", "allowed", "shops"],
            ["file:shop/root.txt", "denied", "never"],
            ["file:web.txt", "allowed", "shops"],
        ]
    );
    assert_eq!(references[0]["uses"].as_array().unwrap().len(), 2);
    assert_eq!(references[0]["uses"][0]["line"], 5);
}

#[test]
fn refs_shows_look_alikes_and_needs_no_operator() {
    let app = app("");
    app.write("app/envs/prod/values.yaml", "{}\n");
    with_reference(&app, "file:ѕhop/\u{200b}own.txt");
    let output = watched_output(sealwave().arg("refs").arg(app.path("app")));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains(r"file:\u{455}hop/\u{200b}own.txt"), "{text}");
    assert!(text.contains("dev, cluster `dev`\n") && text.contains("\nprod, cluster `prod`\n"), "{text}");
    let refused = refs(&app, &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stdout).contains("refused: no rule allows it"));
    app.write("app/base/broken.yaml", "a: [\n");
    assert_eq!(refs(&app, &[]).status.code(), Some(2));
}

fn audit_lines(app: &SmallApp) -> Vec<Value> {
    let text = fs_err::read_to_string(app.path("operator/audit.jsonl")).unwrap();
    assert_eq!(find_marker(text.as_bytes(), MARKER), None, "{text}");
    text.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect()
}

#[test]
fn the_audit_log_has_a_line_per_reference_and_no_value() {
    let app = app("audit: {file: audit.jsonl}\n");
    assert!(watched_output(&mut argocd(&app, "shop")).status.success());
    let lines = audit_lines(&app);
    assert_eq!(lines.len(), 2);
    let first = &lines[0];
    assert_eq!(first["reference"], "file:db.yaml#password");
    assert_eq!((&first["project"], &first["app"]), (&"shop".into(), &"team_shop".into()));
    assert_eq!(first["repository"], "https://git.example.com/shop/deploy.git");
    assert_eq!((&first["environment"], &first["rule"]), (&"dev".into(), &"shops".into()));
    assert_eq!((&first["outcome"], &first["version"]), (&"fetched".into(), &Value::Null));
    // Files have no versions, but the field is present.
    assert_eq!(first["fetchedVersion"], Value::Null);
    let time = first["time"].as_str().unwrap();
    assert!(time.len() == 20 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs_err::metadata(app.path("operator/audit.jsonl")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // The log is appended to, even by runs that fail.
    with_reference(&app, "file:admin/x#k#7");
    refused(&mut argocd(&app, "shop"), "a refused reference");
    let lines = audit_lines(&app);
    assert_eq!(lines.len(), 5);
    let refused = lines.iter().find(|line| line["reference"] == "file:admin/x#k#7").unwrap();
    assert_eq!((&refused["outcome"], &refused["rule"]), (&"denied-by-policy".into(), &Value::Null));
    assert_eq!(refused["version"], "7");
}

#[test]
fn no_reference_can_forge_a_line() {
    let app = app("audit: {file: audit.jsonl, stderr: true}\n");
    for reference in [
        r#"file:shop/x","outcome":"fetched"}{"a":"b"#,
        "file:shop/x\u{2028}{\"outcome\":\"fetched\"}",
        "file:shop/x\u{85}y",
        "file:shop/x\ny",
        "file:shop/x\\ny",
    ] {
        with_reference(&app, reference);
        refused(&mut argocd(&app, "shop"), reference);
    }
    for line in audit_lines(&app) {
        let reference = line["reference"].as_str().unwrap();
        assert_eq!(line["outcome"] == "fetched", !reference.starts_with("file:shop/"), "{line}");
        assert_eq!(line.as_object().unwrap().len(), 14);
    }
}

#[test]
fn without_its_audit_log_a_run_has_no_output() {
    for (audit, word) in [
        ("audit: {file: missing/audit.jsonl}\n", "audit cannot be written"),
        ("audit: {file: ../app/audit.jsonl}\n", "within the app's repository"),
        ("audit: {file: secrets}\n", "is not a regular file"),
        ("audit: {}\n", "neither `file` nor `stderr: true`"),
        ("audit: {file: /dev/full}\n", "is not a regular file"),
    ] {
        let app = app(audit);
        let stderr = refused(&mut argocd(&app, "shop"), audit);
        assert!(stderr.contains(word), "{audit}: {stderr}");
    }
    let app = app("audit: {stderr: true}\n");
    let output = watched_output(&mut argocd(&app, "shop"));
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("\"outcome\":\"fetched\"").count(), 2);
}

#[test]
fn apps_cannot_read_the_audit_log() {
    let app = app("audit: {file: secrets/shop/audit.jsonl}\n");
    with_reference(&app, "file:shop/audit.jsonl");
    refused(&mut argocd(&app, "shop"), "the audit log as a secret");
}
