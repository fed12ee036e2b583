//! The files that may read the bytes of secret values.

use std::collections::BTreeSet;

use walkdir::WalkDir;

use crate::support::root;

/// The files that may read the bytes of a secret value, each with its reason.
const MAY_EXPOSE: &[(&str, &str)] = &[
    ("crates/operations/src/seal/values.rs", "puts values of flags into a Secret to seal"),
    ("crates/operations/src/unseal/output.rs", "writes Secrets in plaintext, for recovery"),
    ("crates/operations/src/aws_store.rs", "checks that a store can hold a value"),
    ("crates/operations/src/backup.rs", "writes the backup of a new credential"),
    ("crates/operations/src/put/aws.rs", "tells text from bytes"),
    ("crates/operations/src/put/mod.rs", "removes the line break at the end of a value"),
    ("crates/operations/src/rotate_aws/sealed_template.rs", "puts the new access key into a template"),
    ("crates/operations/src/rotate_aws/store_sink.rs", "reads the id of the present access key"),
    ("crates/operations/src/secret_document.rs", "replaces keys of a JSON secret"),
    (
        "crates/pipeline/src/secret_stages/seal/secret_type.rs",
        "checks the values of typed Secrets as the API server does",
    ),
    (
        "crates/pipeline/src/secret_stages/seal/expiry.rs",
        "reads the last day of certificates and tokens for `status --fetch`",
    ),
    ("crates/pipeline/src/secret_stages/resolve/collect.rs", "parses the placeholders of an item"),
    (
        "crates/pipeline/src/secret_stages/resolve/evidence.rs",
        "appends the evidence of files in Git to an item",
    ),
    ("crates/pipeline/src/secret_stages/resolve/modify.rs", "applies the modifiers"),
    ("crates/pipeline/src/secret_stages/resolve/substitute.rs", "puts values into items"),
    ("crates/pipeline/src/secret_stages/seal.rs", "computes the keyed digests of items"),
    ("crates/providers/src/aws/account/session.rs", "logs in with a new access key"),
    ("crates/providers/src/aws/account/parameters.rs", "writes a parameter"),
    ("crates/providers/src/aws/account/secrets.rs", "writes a secret"),
    ("crates/providers/src/aws/secret.rs", "reads the entries of a JSON secret"),
    ("crates/providers/src/file/format.rs", "parses a file of the provider"),
    ("crates/providers/src/k8s/secret.rs", "decodes the data of a Secret"),
    ("crates/providers/src/sops/provider.rs", "decrypts a file"),
    ("crates/providers/src/sops/keys.rs", "reads the file of age keys"),
    ("crates/providers/src/vault/session.rs", "sends the bodies of a login and of a write"),
    ("crates/providers/src/vault/store.rs", "compares the fields of secrets"),
    ("crates/secrets/src/crypto/random_sealing.rs", "seals items of committed files"),
    ("crates/secrets/src/crypto/sealer.rs", "seals items"),
    ("src/commands/mod.rs", "passes the output of `unseal` to the shell"),
    ("src/config/operator_file/certificates.rs", "parses certificates"),
    ("src/config/operator_file/file.rs", "parses the operator's file"),
    ("src/config/operator_file/keys.rs", "parses the operator's keys"),
];

/// The methods of a secret value that return its bytes.
const EXPOSING_METHODS: [&str; 2] = ["expose", "expose_str"];

#[test]
fn secret_values_are_exposed_only_where_listed() {
    let root = root();
    let mut exposing = BTreeSet::new();
    let mut seen = 0;
    let sources = ["crates", "src"].into_iter().flat_map(|directory| WalkDir::new(root.join(directory)));
    for file in sources.map(|entry| entry.expect("readable")) {
        let path = file.path().strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
        let is_source = file.path().extension().is_some_and(|end| end == "rs")
            && (path.starts_with("src/") || path.contains("/src/"));
        if !is_source || is_test_file(&path) {
            continue;
        }
        seen += 1;
        if exposes_values(&fs_err::read_to_string(file.path()).expect("readable")) {
            exposing.insert(path);
        }
    }
    assert!(seen > 300, "only {seen} files were looked at");
    let listed: BTreeSet<String> = MAY_EXPOSE.iter().map(|(path, _)| (*path).to_owned()).collect();
    let unlisted: Vec<_> = exposing.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&exposing).collect();
    assert!(
        unlisted.is_empty() && stale.is_empty(),
        "not listed: {unlisted:#?}\nno longer needed: {stale:#?}"
    );
}

fn is_test_file(path: &str) -> bool {
    path.starts_with("crates/testkit/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.ends_with("/testing.rs")
}

fn exposes_values(text: &str) -> bool {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.any(|line| {
        let is_in_name = |c: char| c.is_alphanumeric() || c == '_';
        // Calls, and the methods as values, of the type under any name.
        line.match_indices("expose").any(|(at, _)| {
            let (before, rest) = line.split_at(at);
            let name = rest.split(|c| !is_in_name(c)).next().unwrap_or_default();
            before.ends_with(['.', ':']) && EXPOSING_METHODS.contains(&name)
        })
    })
}

/// The code that may seal with fresh randomness: operations on committed files, and what they use. A rendering never may.
const MAY_SEAL_RANDOMLY: [&str; 4] = [
    "crates/operations/src/",
    "crates/pipeline/src/committed.rs",
    "crates/pipeline/src/secret_stages/seal.rs",
    "crates/secrets/src/crypto/random_sealing.rs",
];

#[test]
fn only_committed_files_are_sealed_with_fresh_randomness() {
    let root = root();
    let mut found = BTreeSet::new();
    let sources = ["crates", "src"].into_iter().flat_map(|directory| WalkDir::new(root.join(directory)));
    for file in sources.map(|entry| entry.expect("readable")) {
        let path = file.path().strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
        if file.path().extension().is_none_or(|end| end != "rs") || is_test_file(&path) {
            continue;
        }
        let text = fs_err::read_to_string(file.path()).expect("readable");
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let names = ["seal_randomly(", "seal_all_randomly(", "RandomSealing::new("];
        if names.iter().any(|name| code.contains(name)) {
            let allowed = MAY_SEAL_RANDOMLY.iter().find(|allowed| path.starts_with(*allowed));
            found.insert(*allowed.unwrap_or_else(|| panic!("{path} seals with fresh randomness")));
        }
    }
    assert_eq!(found, BTreeSet::from(MAY_SEAL_RANDOMLY), "each entry is needed");
}

#[test]
fn exposing_calls_are_found() {
    for code in [
        "let a = value.expose();",
        "item.value.expose_str()?",
        "values.map(SecretValue::expose)",
        "values.map(Value::expose_str)",
        "    .expose::<>()",
    ] {
        assert!(exposes_values(code), "{code}");
    }
    for code in ["// value.expose()", "text.expose_secret()", "#[cfg(test)]\nmod tests {\n a.expose();\n}"] {
        assert!(!exposes_values(code), "{code}");
    }
}
