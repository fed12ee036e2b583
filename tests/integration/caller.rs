//! The caller determines whether the operator's policy can be waived: never through a missing variable, only
//! explicitly.

use std::process::Command;

use crate::support::small_app::{OPEN_POLICY, SmallApp, item};
use crate::support::{refused, sealwave, watched_output};
use sealwave_secrets::SealingScope;
use sealwave_secrets::crypto::{Certificate, ItemText, SealItem, SealKey, SealOwner, Sealer};
use sealwave_secrets::settings::DerivationVersion;
use sealwave_secrets::values::SecretValue;

/// Returns an app whose only reference is allowed for another project.
fn app() -> SmallApp {
    let app = SmallApp::new();
    app.replace(
        "operator/operator.yaml",
        OPEN_POLICY,
        "policy: [{projects: [payments], secretNamespaces: ['*'], allow: ['file:**']}]\n",
    );
    app
}

fn generate(app: &SmallApp) -> Command {
    let mut command = sealwave();
    command.arg("generate").arg(app.path("app")).args(["--env", "dev"]);
    command
}

fn with_flag(app: &SmallApp) -> Command {
    let mut command = generate(app);
    command.arg("--operator").arg(app.path("operator/operator.yaml"));
    command
}

fn with_variable(app: &SmallApp) -> Command {
    let mut command = generate(app);
    command.env("SEALWAVE_OPERATOR", app.path("operator/operator.yaml"));
    command
}

const SET_BY_ARGO_CD: [&str; 10] = [
    "ARGOCD_APP_NAME",
    "ARGOCD_APP_NAMESPACE",
    "ARGOCD_APP_PARAMETERS",
    "ARGOCD_APP_PROJECT_NAME",
    "ARGOCD_APP_REVISION",
    "ARGOCD_APP_REVISION_SHORT",
    "ARGOCD_APP_REVISION_SHORT_8",
    "ARGOCD_APP_SOURCE_PATH",
    "ARGOCD_APP_SOURCE_REPO_URL",
    "ARGOCD_APP_SOURCE_TARGET_REVISION",
];

#[test]
fn a_missing_app_name_does_not_hide_argo_cd() {
    let app = app();
    for name in SET_BY_ARGO_CD {
        for text in ["", "shop"] {
            if (name, text) == ("ARGOCD_APP_NAME", "shop") {
                continue;
            }
            for mut command in [with_flag(&app), with_variable(&app)] {
                let stderr = refused(command.env(name, text), name);
                assert!(
                    stderr.contains(&format!("`ARGOCD_APP_NAME` is not set, although `{name}` is")),
                    "{stderr}"
                );
            }
        }
    }
    for name in ["refs", "render"] {
        let mut command = sealwave();
        command.arg(name).arg(app.path("app")).args(["--env", "dev"]).env("ARGOCD_APP_PROJECT_NAME", "shop");
        refused(&mut command, name);
    }
}

#[test]
fn without_a_project_argo_cd_gets_no_reference() {
    let app = app();
    for project in [None, Some("")] {
        let mut command = with_variable(&app);
        command.env("ARGOCD_APP_NAME", "shop").env("ARGOCD_APP_NAMESPACE", "shop");
        command.envs(project.map(|project| ("ARGOCD_APP_PROJECT_NAME", project)));
        let stderr = refused(&mut command, "no project");
        assert!(stderr.contains("which Argo CD provides since version 3.0"), "{stderr}");
    }
}

#[test]
fn a_person_can_waive_the_policy_explicitly() {
    let app = app();
    let stderr = refused(&mut with_flag(&app), "neither project nor waiver");
    assert!(stderr.contains("no project is given"), "{stderr}");
    assert!(stderr.contains("`--project`") && stderr.contains("`--no-policy`"), "{stderr}");
    let waived = watched_output(with_flag(&app).arg("--no-policy"));
    let stderr = String::from_utf8_lossy(&waived.stderr);
    assert!(waived.status.success() && stderr.contains("the policy was waived"), "{stderr}");
    refused(with_flag(&app).args(["--project", "shop"]), "another project");
    assert!(watched_output(with_flag(&app).args(["--project", "payments"])).status.success());
    let both = watched_output(with_flag(&app).args(["--project", "shop", "--no-policy"]));
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn no_other_caller_can_waive_it() {
    let app = app();
    let stderr = refused(&mut with_variable(&app), "no project");
    assert!(
        stderr.contains("the policy of an operator file from `SEALWAVE_OPERATOR` always applies"),
        "{stderr}"
    );
    let stderr = refused(with_variable(&app).arg("--no-policy"), "--no-policy with the variable");
    assert!(stderr.contains("`--no-policy` is given") && stderr.contains("`--operator`"), "{stderr}");
    for mut command in [with_flag(&app), with_variable(&app)] {
        command.env("ARGOCD_APP_NAME", "shop").env("ARGOCD_APP_PROJECT_NAME", "shop");
        let stderr = refused(command.arg("--no-policy"), "--no-policy in the sidecar");
        assert!(stderr.contains("`--no-policy` must not be used when Argo CD runs sealwave"), "{stderr}");
    }
    assert!(watched_output(with_variable(&app).args(["--project", "payments"])).status.success());
    refused(with_variable(&app).args(["--project", ""]), "an empty project");
}

/// Backends that store references fetch nothing; the policy of an operator file still applies.
#[test]
fn the_same_applies_without_fetching() {
    let app = app();
    let stores = "externalSecrets: {stores: {file: {name: s, provider: vault, mount: m}}}";
    let text = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nbackend: external-secrets\n";
    app.write("app/sealwave.yaml", &format!("{text}{stores}\n"));
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: api}\nstringData: {k: <file:m/db.yaml#password>}\n",
    );
    assert!(
        watched_output(&mut generate(&app)).status.success(),
        "without an operator file there is no policy"
    );
    refused(&mut with_flag(&app), "neither project nor waiver");
    refused(&mut with_variable(&app), "no project");
    refused(with_flag(&app).args(["--project", "shop"]), "another project");
    assert!(watched_output(with_flag(&app).arg("--no-policy")).status.success());
}

/// The stages of Argo CD that need no identity work with any variables.
#[test]
fn discovery_and_parameters_need_no_identity() {
    let app = app();
    for name in SET_BY_ARGO_CD.into_iter().filter(|name| *name != "ARGOCD_APP_SOURCE_PATH") {
        for stage in ["discover", "parameters"] {
            let run = watched_output(sealwave().arg(stage).arg(app.path("app")).env(name, "x"));
            assert!(run.status.success() && !run.stdout.is_empty(), "{stage} {name}");
        }
    }
}

/// Without a project, the derivation uses an empty one.
#[test]
fn a_run_without_a_project_keeps_its_bytes() {
    let app = app();
    let run = watched_output(with_flag(&app).arg("--no-policy"));
    let objects = crate::support::objects(std::str::from_utf8(&run.stdout).unwrap());
    let read = |name: &str| fs_err::read(app.path(&format!("operator/{name}"))).unwrap();
    let sealer = Sealer {
        key: SealKey::from_file(&read("seal-key")).unwrap(),
        certificate: Certificate::from_pem(&read("dev.pem")).unwrap(),
        owner: SealOwner { project: String::new(), app: "app".to_owned(), derivation: DerivationVersion::V1 },
        epoch: String::new(),
    };
    let expected = sealer.seal(&SealItem {
        scope: SealingScope::Strict,
        namespace: "shop",
        name: "web",
        item_key: "token",
        text: ItemText::BarePlaceholder,
        unresolved: &SecretValue::new(b"<file:web.txt>".to_vec()),
        value: &SecretValue::new(read("secrets/web.txt")),
    });
    assert_eq!(item(&objects, "web", "token"), expected.unwrap());
}

/// Argo CD repeats an error from its cache, and a repair of the operator file or a source makes no new commit.
#[test]
fn argo_cd_users_learn_that_errors_of_sources_are_cached() {
    const ADVICE: &str = "after a repair outside of Git, use Hard Refresh";
    let sidecar = |app: &SmallApp| refused(&mut app.sidecar("shop", "payments", "dev"), "in the sidecar");
    for (file, from, to) in [
        ("app/base/secrets.yaml", "#password>", "#nosuch>"),
        ("operator/operator.yaml", "dev.pem", "none.pem"),
        ("operator/operator.yaml", "file: {kind: file, root: secrets}", "other: {kind: file, root: secrets}"),
        ("operator/operator.yaml", "sealKeyFile: seal-key", "sealKeyFile: none"),
        ("operator/operator.yaml", "projects: [payments]", "projects: [others]"),
    ] {
        let app = app();
        app.replace(file, from, to);
        let stderr = sidecar(&app);
        assert_eq!(stderr.matches(ADVICE).count(), 1, "`{to}`: {stderr}");
        let stderr = refused(with_flag(&app).args(["--project", "payments"]), "at the desk");
        assert!(!stderr.contains(ADVICE), "`{to}`: {stderr}");
    }
    for (file, text) in [
        ("bad.yaml.hbs", "{{ nosuch }}"),
        ("bad.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: bad}, data: {a: <file:web.txt>}}"),
        ("bad.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: bad}, stringData: {a: 7}}"),
        (
            "bad.yaml",
            "{apiVersion: v1, kind: Secret, metadata: {name: bad}, stringData: {a: <file:web.txt | no>}}",
        ),
    ] {
        let app = app();
        app.write(&format!("app/base/{file}"), text);
        let stderr = sidecar(&app);
        assert!(!stderr.contains(ADVICE), "`{text}`: {stderr}");
        // One error that may be repaired elsewhere is enough.
        app.replace("app/base/secrets.yaml", "#password>", "#nosuch>");
        let stderr = sidecar(&app);
        let is_rendered = file == "bad.yaml";
        assert_eq!(stderr.contains(ADVICE), is_rendered, "`{text}` and a missing key: {stderr}");
    }
}
