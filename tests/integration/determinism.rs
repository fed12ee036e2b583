//! Tests that equal input gives equal bytes, and that only relevant changes affect them.

use std::process::Command;

use crate::support::small_app::{SmallApp, checksums, find, item};
use sealwave_testkit::skipped;

#[test]
fn two_processes_and_one_core_give_the_same_bytes() {
    let app = SmallApp::new();
    let first = app.generate_bytes();
    assert_eq!(first, app.generate_bytes());
    let pinned =
        Command::new("taskset").args(["-c", "0", env!("CARGO_BIN_EXE_sealwave")]).args(app.args()).output();
    match pinned {
        Ok(output) => assert_eq!(first, output.stdout),
        Err(_) => skipped("`taskset` is not there to pin a run to one core"),
    }
}

const SKIPPING_CHILD: &str = "SEALWAVE_TEST_SKIPPING_CHILD";

/// The child process of the next test, in which a test is skipped.
#[test]
fn skipping_child() {
    #[expect(clippy::disallowed_methods, reason = "tells the child from the parent")]
    if std::env::var_os(SKIPPING_CHILD).is_some() {
        skipped("it has no parent");
    }
}

#[test]
fn a_skipped_test_is_visible_in_the_output() {
    let child = std::env::current_exe().expect("this test");
    let output = Command::new(child)
        .args(["--exact", "determinism::skipping_child"])
        .env(SKIPPING_CHILD, "1")
        .output()
        .expect("the child starts");
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "test determinism::skipping_child skipped: it has no parent\n"
    );
}

#[test]
fn another_certificate_for_the_same_key_does_not_change_the_output() {
    let app = SmallApp::new();
    let before = app.generate_bytes();
    app.certificate("rsa2048-reissued.crt");
    assert_eq!(before, app.generate_bytes());
}

#[test]
fn another_sealing_key_changes_all_items_and_no_checksums() {
    let app = SmallApp::new();
    let before = app.generate();
    app.certificate("rsa4096.crt");
    let after = app.generate();
    for (name, key) in [("api", "password"), ("api", "url"), ("web", "token")] {
        assert_ne!(item(&before, name, key), item(&after, name, key));
    }
    for name in ["api", "web", "idle"] {
        assert_eq!(checksums(&before, name), checksums(&after, name));
    }
}

/// The changes, each with whether the item `api/password` may stay unchanged.
#[test]
fn each_part_of_the_context_changes_the_ciphertext() {
    type Change = fn(&mut SmallApp);
    let changes: &[(&str, Change)] = &[
        ("seal key", |app| app.seal_key(2)),
        ("epoch", |app| app.operator("epoch: second\n")),
        ("project", |app| app.project = "other".to_owned()),
        ("namespace", |app| app.replace("app/base/secrets.yaml", "namespace: shop", "namespace: store")),
        ("name", |app| app.replace("app/base/secrets.yaml", "name: api", "name: renamed")),
        ("item key", |app| app.replace("app/base/secrets.yaml", "password: <", "passwort: <")),
        ("scope", |app| {
            let scoped = "name: api, annotations: {sealedsecrets.bitnami.com/namespace-wide: 'true'}";
            app.replace("app/base/secrets.yaml", "name: api", scoped);
        }),
        ("value", |app| app.write("operator/secrets/db.yaml", "password: other\n")),
        ("unresolved text", |app| {
            app.replace("app/base/secrets.yaml", "<file:db.yaml#password>", "CANARY-p@ss word");
        }),
        ("unresolved text, same reference", |app| {
            app.replace("app/base/secrets.yaml", "<file:db.yaml#password>", "<file:db.yaml#password | trim>");
        }),
    ];
    let before = item(&SmallApp::new().generate(), "api", "password");
    for (what, change) in changes {
        let mut app = SmallApp::new();
        change(&mut app);
        let objects = app.generate();
        let name = if *what == "name" { "renamed" } else { "api" };
        let key = if *what == "item key" { "passwort" } else { "password" };
        assert_ne!(before, item(&objects, name, key), "{what}");
    }
}

#[test]
fn one_value_changes_the_checksum_of_exactly_the_workloads_that_use_it() {
    let cases = [
        ("operator/secrets/db.yaml", "password: other\n", ["api"]),
        ("operator/secrets/web.txt", "other\n", ["web"]),
        (
            "app/base/config.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: api, namespace: shop}\ndata: {LOG_LEVEL: debug}\n---\n\
             apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\ndata: {THEME: dark}\n",
            ["api"],
        ),
    ];
    let before = SmallApp::new().generate();
    for (file, text, changed) in cases {
        let app = SmallApp::new();
        app.write(file, text);
        let after = app.generate();
        for name in ["api", "web", "idle"] {
            let same = checksums(&before, name) == checksums(&after, name);
            assert_eq!(same, !changed.contains(&name), "{file}: {name}");
        }
    }
}

#[test]
fn a_workload_without_configuration_has_no_checksum() {
    let objects = SmallApp::new().generate();
    let template = &find(&objects, "Deployment", "idle")["spec"]["template"]["metadata"];
    assert!(template.get("annotations").is_none(), "{template}");
}

#[test]
fn only_the_changed_value_changes_its_ciphertext() {
    let app = SmallApp::new();
    let before = app.generate();
    app.write("operator/secrets/web.txt", "other\n");
    let after = app.generate();
    assert_ne!(item(&before, "web", "token"), item(&after, "web", "token"));
    assert_eq!(item(&before, "api", "password"), item(&after, "api", "password"));
    assert_eq!(item(&before, "api", "url"), item(&after, "api", "url"));
}
