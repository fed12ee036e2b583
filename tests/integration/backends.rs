//! Tests of the backends that store references, through the binary: without key, certificate and operator file.

#![allow(dead_code, reason = "the support module serves other tests too")]

use std::path::Path;

use crate::support::{root, stderr_of_failure, stdout_of};
use walkdir::WalkDir;

/// Copies scenario 3 and replaces texts in its files.
fn app(changes: &[(&str, &str, &str)]) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    let from = root().join("testdata/scenario-3-spring/app");
    for entry in WalkDir::new(&from).into_iter().map(Result::unwrap) {
        let to = copy.path().join(entry.path().strip_prefix(&from).unwrap());
        if entry.file_type().is_dir() {
            fs_err::create_dir_all(to).unwrap();
        } else {
            fs_err::copy(entry.path(), to).unwrap();
        }
    }
    for (file, old, new) in changes {
        let path = copy.path().join(file);
        let text = fs_err::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file}: {old}");
        fs_err::write(&path, text.replace(old, new)).unwrap();
    }
    copy
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Returns the checksum of the Secret on the Deployment.
fn checksum(app: &Path, environment: &str) -> String {
    let out = stdout_of(&["generate", text(app), "--env", environment]);
    let found = out.split("\"checksum/secret\":\"").nth(1).expect("a checksum");
    found.chars().take(32).collect()
}

const SECRET: &str = "partials/placeholder-secret.hbs";

#[test]
fn checksums_depend_only_on_references_and_versions() {
    let plain = app(&[]);
    let slower = app(&[("sealwave.yaml", "refreshInterval: 1h", "refreshInterval: 2h")]);
    let pinned = app(&[(SECRET, "properties>", "properties##AWSPREVIOUS>")]);
    for environment in ["csi", "external"] {
        let checksum = |app: &tempfile::TempDir| checksum(app.path(), environment);
        assert_eq!(checksum(&plain), checksum(&slower), "{environment}");
        assert_ne!(checksum(&plain), checksum(&pinned), "{environment}");
    }
}

#[test]
fn sealed_secrets_need_the_operator_file() {
    let mixed = app(&[(
        "sealwave.yaml",
        "backend: external-secrets\n",
        "backend: external-secrets\n    secretBackends: {onthetop-backend-secrets: sealed-secrets}\n",
    )]);
    let stderr = stderr_of_failure(&["generate", text(mixed.path()), "--env", "external"]);
    assert!(stderr.contains("no operator file"), "{stderr}");
}

#[test]
fn the_policy_applies_even_if_nothing_is_fetched() {
    let operator = root().join("testdata/scenario-3-spring/operator/operator.yaml");
    let plain = app(&[]);
    let with = |project| {
        ["generate", text(plain.path()), "--env", "csi", "--operator", text(&operator), "--project", project]
    };
    let stderr = stderr_of_failure(&with("other"));
    assert!(stderr.contains("is refused"), "{stderr}");
    assert!(!stdout_of(&with("onthetop")).is_empty());
}
