//! The provider `derive` end to end: who gets which secret, the policy, epochs, previews, and the other backends.

use std::process::Command;

use serde_json::Value;

use crate::support::small_app::{SmallApp, checksums, item};
use crate::support::{objects, root, sealwave, stderr_of_failure, stdout_of};
use sealwave_secrets::SealingScope;
use sealwave_testkit::{DangerPrivateKey, danger_unseal};

/// Returns an app with a derived password, which `api` reads.
fn app(policy: &str, epochs: &str) -> SmallApp {
    let app = SmallApp::new();
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: api, namespace: shop}\n\
         stringData: {password: '<derive:db/password#alnum:32>', url: 'db://<derive:db/password#alnum:32 | urlencode>@db'}\n",
    );
    let key = app.path("operator/derivation-key").to_str().expect("UTF-8").to_owned();
    assert_eq!(stdout_of(&["key", "generate", "--derivation-output", &key]), "");
    app.write(
        "operator/operator.yaml",
        &format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: seal-key\nderivation: v2\n\
             clusters: {{dev: {{certificate: {{file: dev.pem, allowExpired: true}}}}}}\n\
             providers: {{derive: {{kind: derive, keyFile: derivation-key, epochs: {epochs}}}}}\n\
             audit: {{file: audit.jsonl}}\npolicy: [{{projects: ['*'], secretNamespaces: [shop], {policy}}}]\n"
        ),
    );
    app
}

const ALLOWED: &str = "allow: ['derive:db/*']";

fn generated(command: &mut Command) -> Result<Vec<Value>, String> {
    let output = command.output().expect("the binary starts");
    match output.status.code() {
        Some(0) => Ok(objects(std::str::from_utf8(&output.stdout).expect("UTF-8"))),
        _ => Err(String::from_utf8(output.stderr).expect("UTF-8")),
    }
}

/// Returns the secret that an app gets from Argo CD.
fn secret(app: &SmallApp, name: &str, project: &str, namespace: &str) -> Result<String, String> {
    let mut command = app.sidecar(name, project, "dev");
    let objects = generated(command.env("ARGOCD_APP_NAMESPACE", namespace))?;
    Ok(opened(&objects, "password"))
}

fn opened(objects: &[Value], key: &str) -> String {
    let pem = fs_err::read_to_string(root().join("testdata/sealed-secrets/rsa2048.key")).expect("a key");
    let private = DangerPrivateKey::from_pem(&pem).expect("a key");
    let label = SealingScope::Strict.label("shop", "api");
    let value = danger_unseal(&private, &label, &item(objects, "api", key)).expect("it opens");
    String::from_utf8(value.expose().to_vec()).expect("UTF-8")
}

#[test]
fn a_derived_secret_is_stable_and_the_same_for_all_placeholders_of_an_app() {
    let app = app(ALLOWED, "[]");
    let run = || generated(&mut app.sidecar("shop-dev", "shop", "dev")).expect("sealed");
    let objects = run();
    let password = opened(&objects, "password");
    assert!(password.len() == 32 && password.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(opened(&objects, "url"), format!("db://{password}@db"));
    assert_eq!(run(), objects);
    // The seal key is not an input.
    app.seal_key(2);
    let resealed = run();
    assert_eq!(opened(&resealed, "password"), password);
    assert_ne!(item(&resealed, "api", "password"), item(&objects, "api", "password"));
}

/// The attack: a committer renders the same files as another Application, here with a policy that allows everything.
#[test]
fn another_application_gets_another_secret() {
    let app = app(ALLOWED, "[]");
    let victim = secret(&app, "shop-prod", "shop", "shop").expect("a secret");
    for (name, project, namespace) in [
        ("shop-dev", "shop", "shop"),
        ("shop-prod", "payments", "shop"),
        ("shop-prod", "shop", "default"),
        ("team-a_shop-prod", "shop", "shop"),
        ("-prod", "shop", "shopshop"),
    ] {
        let attacker = secret(&app, name, project, namespace).expect("a secret");
        assert_ne!(victim, attacker, "{project}/{name}/{namespace}");
    }
    // The committer also chooses names of environments.
    fs_err::rename(app.path("app/envs/dev"), app.path("app/envs/prod")).expect("renamed");
    app.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments: {prod: {cluster: dev}}\n",
    );
    for name in ["shop-dev", "shop-prod"] {
        let objects = generated(&mut app.sidecar(name, "shop", "prod")).expect("sealed");
        assert_ne!(opened(&objects, "password"), victim, "{name}");
    }
    for (project, namespace) in [("", "shop"), ("shop", "")] {
        assert!(secret(&app, "shop-prod", project, namespace).is_err(), "{project}/{namespace}");
    }
}

#[test]
fn other_spellings_of_a_path_are_errors() {
    let app = app("allow: ['derive:**']", "[]");
    let original = fs_err::read_to_string(app.path("app/base/secrets.yaml")).expect("a file");
    for path in ["db//password", "db/./password", "/db/password", "db/pаssword", "db/p%61ssword"] {
        app.write("app/base/secrets.yaml", &original.replace("db/password", path));
        let error = secret(&app, "shop-dev", "shop", "shop").expect_err(path);
        assert!(error.contains("the path has"), "{path}: {error}");
    }
    app.write("app/base/secrets.yaml", &original.replace("alnum:32", "Alnum:32"));
    let error = secret(&app, "shop-dev", "shop", "shop").expect_err("an unknown alphabet");
    assert!(
        error.contains("alphabet `Alnum` is unknown") && error.contains("did you mean `alnum`?"),
        "{error}"
    );
}

#[test]
fn the_policy_decides_like_for_any_provider() {
    for policy in
        ["allow: ['derive:web/*']", "allow: ['derive:**'], deny: ['derive:DB/**']", "allow: ['file:**']"]
    {
        let error = secret(&app(policy, "[]"), "shop-dev", "shop", "shop").expect_err(policy);
        assert!(error.contains("derive:db/password"), "{error}");
    }
    let app = app("allow: ['derive:db/password#alnum:32']", "[]");
    assert!(secret(&app, "shop-dev", "shop", "shop").is_ok());
}

#[test]
fn an_epoch_replaces_secrets_restarts_pods_and_is_audited() {
    let operator = app(ALLOWED, "[]");
    let run = || generated(&mut operator.sidecar("shop-dev", "shop", "dev")).expect("sealed");
    let before = run();
    operator.replace("operator/operator.yaml", "epochs: []", "epochs: [{paths: ['db/*'], epoch: 2}]");
    let after = run();
    assert_ne!(opened(&before, "password"), opened(&after, "password"));
    assert_ne!(checksums(&before, "api"), checksums(&after, "api"));
    let audit = fs_err::read_to_string(operator.path("operator/audit.jsonl")).expect("an audit");
    assert!(
        audit.contains("\"fetchedVersion\":\"0\"") && audit.contains("\"fetchedVersion\":\"2\""),
        "{audit}"
    );
    for objects in [&before, &after] {
        assert!(!audit.contains(&opened(objects, "password")));
    }
}

/// `render`, `refs` and `validate` need no key.
#[test]
fn a_preview_needs_no_key() {
    let app = app(ALLOWED, "[]");
    fs_err::remove_file(app.path("operator/derivation-key")).expect("removed");
    let directory = app.path("app").to_str().expect("UTF-8").to_owned();
    let rendered = stdout_of(&["render", &directory, "--env", "dev"]);
    assert!(rendered.contains("derive:db/password#alnum:32") || rendered.contains("password:"), "{rendered}");
    assert!(stdout_of(&["refs", &directory, "--env", "dev"]).contains("db/password"));
    let validated = sealwave().args(["validate", &directory]).output().expect("the binary starts");
    assert_ne!(validated.status.code(), Some(2), "{}", String::from_utf8_lossy(&validated.stderr));
    let error = secret(&app, "shop-dev", "shop", "shop").expect_err("no key");
    assert!(error.contains("derivation key `derivation-key` cannot be read: file not found"), "{error}");
}

#[test]
fn a_backend_that_stores_references_refuses_derived_secrets() {
    for backend in ["external-secrets", "secrets-store-csi"] {
        let app = app(ALLOWED, "[]");
        app.write(
            "app/sealwave.yaml",
            &format!("apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments: {{dev: {{backend: {backend}}}}}\n"),
        );
        let error = stderr_of_failure(&app.args().iter().map(String::as_str).collect::<Vec<_>>());
        assert!(error.contains("a derived value is in no store that the backend could read"), "{error}");
    }
}

/// The seal key is at a path that is relative to the working directory, as the operator file is.
#[test]
fn the_seal_key_is_refused_from_any_working_directory() {
    let app = app(ALLOWED, "[]");
    fs_err::copy(app.path("operator/seal-key"), app.path("operator/derivation-key")).expect("copied");
    for (directory, operator) in [("", "operator/operator.yaml"), ("operator", "operator.yaml")] {
        let mut command = sealwave();
        command.current_dir(app.path(directory)).args(["generate", app.path("app").to_str().expect("UTF-8")]);
        command.args(["--env", "dev", "--operator", operator, "--project", "shop", "--namespace", "shop"]);
        let error = generated(&mut command).expect_err("the same key");
        assert!(error.contains("holds the key of `sealKeyFile`"), "{error}");
    }
}

/// The same for a `file` provider whose root has the seal key: it must not be read as a secret.
#[test]
fn the_seal_key_is_never_a_secret_from_any_working_directory() {
    let app = SmallApp::new();
    fs_err::copy(app.path("operator/seal-key"), app.path("operator/secrets/seal-key")).expect("copied");
    app.replace("operator/operator.yaml", "sealKeyFile: seal-key", "sealKeyFile: secrets/seal-key");
    app.replace("app/base/secrets.yaml", "<file:web.txt>", "<file:seal-key>");
    for (directory, operator) in [("", "operator/operator.yaml"), ("operator", "operator.yaml")] {
        let mut command = sealwave();
        command.current_dir(app.path(directory)).args(["generate", app.path("app").to_str().expect("UTF-8")]);
        command.args(["--env", "dev", "--operator", operator, "--project", "shop", "--namespace", "shop"]);
        let error = generated(&mut command).expect_err("a protected file");
        assert!(error.contains("the path is one of sealwave's own files"), "{directory}: {error}");
    }
}

#[test]
fn all_keys_are_generated_together_or_not_at_all() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name).to_str().expect("UTF-8").to_owned();
    let generate = |seal: &str, derivation: &str| {
        let args = ["key", "generate", "--output", &path(seal), "--derivation-output", &path(derivation)];
        sealwave().args(args).output().expect("the binary starts").status.code()
    };
    assert_eq!(generate("seal-key", "derivation-key"), Some(0));
    let read = |name: &str| fs_err::read_to_string(path(name)).expect("a key");
    assert!(read("derivation-key").starts_with("sealwave-derivation-key-v1:"));
    assert!(read("seal-key").starts_with("sealwave-seal-key-v1:"));
    let before = read("derivation-key");
    assert_eq!(generate("new", "derivation-key"), Some(2));
    assert!(!directory.path().join("new").exists());
    assert_eq!(read("derivation-key"), before);
}

#[test]
fn a_derivation_key_is_not_accepted_as_a_seal_key() {
    let app = app(ALLOWED, "[]");
    fs_err::copy(app.path("operator/derivation-key"), app.path("operator/seal-key")).expect("copied");
    let error = secret(&app, "shop-dev", "shop", "shop").expect_err("no seal key");
    assert!(error.contains("file holds a derivation key, not a seal key"), "{error}");
    assert!(find_setting(&error), "{error}");
}

fn find_setting(error: &str) -> bool {
    error.split_whitespace().collect::<Vec<_>>().join(" ").contains("`keyFile` of the provider `derive`")
}
