//! Derivations `v1` and `v2` end to end: who can check guesses of literals, the effects of renaming and moving, and
//! checksum keys.

use std::fmt::Write as _;
use std::path::Path;

use crate::support::golden::check_file;
use crate::support::small_app::{SmallApp, checksums, find, item};
use crate::support::{objects, root, sealwave, stderr_of_failure, stdout_of};
use serde_json::Value;

/// Items with literal text, which can be guessed.
const LITERAL: [(&str, &str); 7] = [
    ("plain", "stringData: {k: hunter2}"),
    ("escaped", "stringData: {k: '<<file:db.yaml#password>'}"),
    ("encoded", "data: {k: aHVudGVyMg==}"),
    ("binary", "data: {k: /wD+}"),
    ("around", "stringData: {k: 'db://<file:db.yaml#password | urlencode>:hunter2@db'}"),
    ("fallback", "stringData: {k: '<file:none.txt | default \"hunter2\">'}"),
    ("path-text", "stringData: {k: '<file:db.json | jsonPath \"{.user}:hunter2\">'}"),
];

/// Items that consist of a placeholder.
const BARE: [(&str, &str); 3] = [
    ("reference", "stringData: {k: <file:db.yaml#password>}"),
    ("modified", "stringData: {k: <file:db.yaml#password | trim | base64>}"),
    ("path", "stringData: {k: '<file:db.json | jsonPath {.user}>'}"),
];

/// Returns an app with one Secret of each kind, each with one item, and a Deployment for each that uses it and a
/// `ConfigMap`.
fn app(operator: &str) -> SmallApp {
    let app = SmallApp::new();
    app.write("operator/secrets/db.json", "{\"user\": \"CANARY-user\"}\n");
    app.operator(operator);
    let (mut secrets, mut deployments) = (String::new(), String::new());
    for (name, data) in LITERAL.iter().chain(&BARE) {
        let metadata = format!("metadata: {{name: {name}, namespace: shop}}");
        write!(secrets, "---\napiVersion: v1\nkind: Secret\n{metadata}\n{data}\n").unwrap();
        write!(
            deployments,
            "---\napiVersion: apps/v1\nkind: Deployment\n{metadata}\nspec:\n  selector: {{matchLabels: {{app: x}}}}\n  \
             template:\n    metadata: {{labels: {{app: x}}}}\n    spec:\n      containers:\n      - name: main\n        \
             image: example.com/x:1\n        envFrom: [{{secretRef: {{name: {name}}}}}, {{configMapRef: {{name: api}}}}]\n"
        )
        .unwrap();
    }
    app.write("app/base/secrets.yaml", &secrets);
    app.write("app/base/deployments.yaml", &deployments);
    app
}

fn output(app: &SmallApp, project: &str, name: &str) -> String {
    let path = |relative: &str| app.path(relative).to_str().unwrap().to_owned();
    let (directory, operator) = (path("app"), path("operator/operator.yaml"));
    let args = ["generate", &directory, "--env", "dev", "--operator", &operator, "--project", project];
    let output = sealwave().args(args).args(["--app", name, "--namespace", "shop"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn generate(app: &SmallApp, project: &str, name: &str) -> Vec<Value> {
    objects(&output(app, project, name))
}

fn secret_checksum(objects: &[Value], name: &str) -> String {
    let template = &find(objects, "Deployment", name)["spec"]["template"]["metadata"];
    template["annotations"]["checksum/secret"].as_str().unwrap().to_owned()
}

fn config_checksum(objects: &[Value], name: &str) -> String {
    let template = &find(objects, "Deployment", name)["spec"]["template"]["metadata"];
    template["annotations"]["checksum/config"].as_str().unwrap().to_owned()
}

/// The golden file was written by sealwave before `v2` existed. Since then only sync options were added
/// (`PruneLast=true`); sealed texts and checksums are unchanged.
#[test]
fn v1_output_never_changes() {
    let golden = root().join("testdata/sealing/v1-output.jsonl");
    for operator in ["", "derivation: v1\n"] {
        check_file(&golden, &output(&app(operator), "shop", "shop-dev"));
    }
}

/// The attack: another app renders the same object with a guess, here the right one, and compares.
#[test]
fn under_v2_no_other_app_can_check_a_guess() {
    let app = app("derivation: v2\n");
    let victim = generate(&app, "shop", "shop-dev");
    for (project, name) in [("payments", "shop-dev"), ("shop", "mallory"), ("sho", "pshop-dev")] {
        let attacker = generate(&app, project, name);
        for (kind, _) in LITERAL {
            assert_ne!(item(&victim, kind, "k"), item(&attacker, kind, "k"), "{kind}: {project}/{name}");
            let (victim, attacker) = (secret_checksum(&victim, kind), secret_checksum(&attacker, kind));
            assert_ne!(victim, attacker, "{kind}: {project}/{name}");
        }
    }
}

#[test]
fn under_v2_renaming_an_app_does_not_reseal_bare_placeholders() {
    let app = app("derivation: v2\n");
    let (before, after) = (generate(&app, "shop", "shop-dev"), generate(&app, "shop", "renamed"));
    for (kind, _) in BARE {
        assert_eq!(item(&before, kind, "k"), item(&after, kind, "k"), "{kind}");
        assert_eq!(secret_checksum(&before, kind), secret_checksum(&after, kind), "{kind}");
    }
    // Without `--app`, the directory's name is used.
    let named = generate(&app, "shop", "app");
    assert_eq!(named, app.generate());
}

#[test]
fn moving_to_v2_reseals_only_literals() {
    let (v1, v2) = (app(""), app("derivation: v2\n"));
    let (before, after) = (generate(&v1, "shop", "shop-dev"), generate(&v2, "shop", "shop-dev"));
    for (kind, _) in LITERAL {
        assert_ne!(item(&before, kind, "k"), item(&after, kind, "k"), "{kind}");
        assert_ne!(secret_checksum(&before, kind), secret_checksum(&after, kind), "{kind}");
    }
    for (kind, _) in BARE {
        assert_eq!(item(&before, kind, "k"), item(&after, kind, "k"), "{kind}");
        assert_eq!(secret_checksum(&before, kind), secret_checksum(&after, kind), "{kind}");
    }
    for (kind, _) in LITERAL.iter().chain(&BARE) {
        assert_eq!(config_checksum(&before, kind), config_checksum(&after, kind), "{kind}");
    }
}

#[test]
fn sealed_objects_are_annotated_with_the_derivation() {
    let derivation = |operator: &str| {
        let app = app(operator);
        let author = "{name: plain, annotations: {sealwave.dev/derivation: v7}, namespace: shop}";
        app.replace("app/base/secrets.yaml", "{name: plain, namespace: shop}", author);
        let objects = generate(&app, "shop", "shop-dev");
        let sealed = &find(&objects, "SealedSecret", "plain")["metadata"]["annotations"];
        sealed["sealwave.dev/derivation"].as_str().map(str::to_owned)
    };
    assert_eq!(derivation("derivation: v2\n").as_deref(), Some("v2"));
    assert_eq!(derivation("derivation: v1\n"), None);
}

#[test]
fn an_unknown_derivation_is_refused() {
    let app = app("derivation: v3\n");
    let args = app.args();
    let stderr = stderr_of_failure(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(stderr.contains("operator.yaml") && stderr.contains("`v1` or `v2`"), "{stderr}");
}

#[test]
fn with_a_checksum_key_a_new_seal_key_restarts_nothing() {
    for derivation in ["", "derivation: v2\n"] {
        let app = app(&format!("{derivation}checksumKeyFile: checksum-key\n"));
        app.write("operator/checksum-key", &stdout_of_checksum_key());
        let before = generate(&app, "shop", "shop-dev");
        app.seal_key(2);
        let after = generate(&app, "shop", "shop-dev");
        for (kind, _) in LITERAL.iter().chain(&BARE) {
            assert_ne!(item(&before, kind, "k"), item(&after, kind, "k"), "{kind}");
            assert_eq!(checksums(&before, kind), checksums(&after, kind), "{kind}");
        }
    }
}

/// For operators without a checksum key: the old seal key stays in use as the checksum key.
#[test]
fn the_old_seal_key_as_checksum_key_restarts_nothing() {
    let app = app("");
    let before = generate(&app, "shop", "shop-dev");
    fs_err::copy(app.path("operator/seal-key"), app.path("operator/checksum-key")).unwrap();
    app.operator("checksumKeyFile: checksum-key\n");
    app.seal_key(2);
    let after = generate(&app, "shop", "shop-dev");
    for (kind, _) in LITERAL.iter().chain(&BARE) {
        assert_ne!(item(&before, kind, "k"), item(&after, kind, "k"), "{kind}");
        assert_eq!(checksums(&before, kind), checksums(&after, kind), "{kind}");
    }
}

fn stdout_of_checksum_key() -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    assert_eq!(stdout_of(&["key", "generate", "--checksum-output", path.to_str().unwrap()]), "");
    fs_err::read_to_string(path).unwrap()
}

fn generate_keys(directory: &Path, seal: &str, checksum: &str) -> Result<(), String> {
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let args = ["key", "generate", "--output", &path(seal), "--checksum-output", &path(checksum)];
    let output = sealwave().args(args).output().unwrap();
    assert!(output.stdout.is_empty());
    if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
}

#[test]
fn both_keys_are_generated_together_or_not_at_all() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    generate_keys(directory.path(), "seal-key", "checksum-key").unwrap();
    let read = |name: &str| fs_err::read_to_string(directory.path().join(name)).unwrap();
    assert!(read("seal-key").starts_with("sealwave-seal-key-v1:"));
    assert!(read("checksum-key").starts_with("sealwave-checksum-key-v1:"));
    for name in ["seal-key", "checksum-key"] {
        let mode = fs_err::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let before = read("checksum-key");
    for (seal, checksum) in [("new", "checksum-key"), ("seal-key", "new"), ("same", "same")] {
        let error = generate_keys(directory.path(), seal, checksum).unwrap_err();
        assert!(error.contains("already exists"), "{error}");
        assert!(!directory.path().join("new").exists() && !directory.path().join("same").exists());
    }
    assert_eq!(read("checksum-key"), before);
}

#[test]
fn a_checksum_key_is_not_accepted_as_a_seal_key() {
    let app = app("checksumKeyFile: checksum-key\n");
    app.write("operator/checksum-key", &stdout_of(&["key", "generate"]));
    app.write("operator/seal-key", &stdout_of_checksum_key());
    let args = app.args();
    let stderr = stderr_of_failure(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(stderr.contains("file holds a checksum key, not a seal key"), "{stderr}");
    assert!(stderr.contains("checksumKeyFile"), "{stderr}");
}

/// The operator file in the manifests is the recommended one. `install::the_operator_file_works_as_it_is_mounted` tests that
/// its keys are mounted.
#[test]
fn the_manifests_use_v2_and_both_keys() {
    let text = fs_err::read_to_string(root().join("manifests/operator.yaml")).unwrap();
    let operator: Value = yaml_serde::from_str(&text).unwrap();
    assert_eq!(operator["derivation"], "v2");
    for field in ["sealKeyFile", "checksumKeyFile"] {
        assert!(operator[field].is_string(), "{field}");
    }
}
