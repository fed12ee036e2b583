//! Tests of the examples in docs/moving: each app in `testdata/moving` gives the output that the page promises.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::small_app::find;
use crate::support::{MARKER, cases, find_marker, objects, root, stdout_of};
use sealwave_secrets::SealingScope;
use sealwave_testkit::{DangerPrivateKey, danger_unseal};
use serde_json::Value;

fn text(path: &Path) -> String {
    fs_err::read_to_string(path).unwrap()
}

fn generate(case: &Path, app: &str) -> String {
    let path = |name: &str| case.join(name).to_str().unwrap().to_owned();
    let operator = path("operator/operator.yaml");
    stdout_of(&["generate", &path(app), "--env", "prod", "--operator", &operator, "--project", "shop"])
}

fn open_items(sealed: &Value) -> BTreeMap<String, Vec<u8>> {
    let key = DangerPrivateKey::from_pem(&text(&root().join("testdata/sealed-secrets/rsa2048.key"))).unwrap();
    let metadata = |field: &str| sealed["metadata"][field].as_str().unwrap().to_owned();
    let label = SealingScope::Strict.label(&metadata("namespace"), &metadata("name"));
    let items = sealed["spec"]["encryptedData"].as_object().unwrap();
    items
        .iter()
        .map(|(name, item)| {
            let value = danger_unseal(&key, &label, item.as_str().unwrap()).unwrap();
            (name.clone(), value.expose().to_vec())
        })
        .collect()
}

/// `SEALWAVE_UPDATE_GOLDEN=1 cargo test --test integration moving::` rewrites the expected files.
#[test]
fn examples_give_their_expected_output() {
    #[expect(clippy::disallowed_methods, reason = "a switch of the test suite")]
    let update = std::env::var_os("SEALWAVE_UPDATE_GOLDEN").is_some();
    for case in cases("moving/") {
        let expected = case.join("expected/prod.json");
        let found = generate(&case, "app");
        assert_eq!(find_marker(found.as_bytes(), MARKER), None, "{}", case.display());
        if update {
            fs_err::create_dir_all(case.join("expected")).unwrap();
            fs_err::write(&expected, &found).unwrap();
        }
        assert!(text(&expected) == found, "{} differs", expected.display());
    }
}

#[test]
fn argocd_vault_plugins_manifests_are_accepted_unchanged() {
    let case = root().join("testdata/moving/argocd-vault-plugin");
    for name in ["secret.yaml", "token.yaml"] {
        assert_eq!(text(&case.join("before").join(name)), text(&case.join("app/base").join(name)), "{name}");
    }
    // The last step does not change what reaches the cluster.
    assert_eq!(generate(&case, "app"), generate(&case, "after"));
    let objects = objects(&generate(&case, "app"));
    let values = open_items(find(&objects, "SealedSecret", "db"));
    assert_eq!(values["url"], b"postgresql://CANARY-user:CANARY-pass@db:5432/shop");
    assert_eq!(values["password"], b"CANARY-pass");
    assert_eq!(open_items(find(&objects, "SealedSecret", "token"))["token"], b"CANARY-token");
}

#[test]
fn a_committed_sealed_secret_becomes_a_placeholder_secret_of_the_same_content() {
    let case = root().join("testdata/moving/kubeseal");
    let before: Value = yaml_serde::from_str(&text(&case.join("before/sealed.yaml"))).unwrap();
    let objects = objects(&generate(&case, "app"));
    let after = find(&objects, "SealedSecret", "db.creds");
    assert_eq!(open_items(&before), open_items(after));
    assert_eq!(before["spec"]["template"], after["spec"]["template"]);
    assert_eq!(before["metadata"]["namespace"], after["metadata"]["namespace"]);
}

#[test]
fn a_committed_sealed_secret_passes() {
    let case = root().join("testdata/moving/kubeseal");
    let before: Value = yaml_serde::from_str(&text(&case.join("before/sealed.yaml"))).unwrap();
    let dir = tempfile::TempDir::new().unwrap();
    crate::support::copy_tree(&case, dir.path());
    fs_err::copy(case.join("before/sealed.yaml"), dir.path().join("app/base/secret.yaml")).unwrap();
    let objects = objects(&generate(dir.path(), "app"));
    assert_eq!(before["spec"], find(&objects, "SealedSecret", "db.creds")["spec"]);
}

#[test]
fn values_with_references_become_placeholders() {
    let case = root().join("testdata/moving/helm-secrets");
    let objects = objects(&generate(&case, "app"));
    let values = open_items(find(&objects, "SealedSecret", "shop"));
    assert_eq!(values["url"], b"postgresql://shop:CANARY%20p%40ss@db/shop");
    assert_eq!(values["smtp"], b"CANARY-smtp");
}

/// Reports whether a block is part of a list, and so indented.
fn is_in_list(block: &str) -> bool {
    block.lines().nth(1).is_some_and(|line| line.starts_with("   "))
}

/// The pages must show the files themselves, so that copies cannot become outdated.
#[test]
fn the_pages_show_the_files_of_the_examples() {
    let pages = fs_err::read_dir(root().join("docs/moving")).unwrap().map(|file| text(&file.unwrap().path()));
    let page: String = pages.collect();
    let mut shown = 0;
    for case in cases("moving/") {
        let parts = ["before", "app", "after"].map(|part| case.join(part));
        for file in parts.iter().filter(|part| part.is_dir()).flat_map(walkdir::WalkDir::new) {
            let path = file.unwrap().into_path();
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            if let Some((_, behind)) = page.split_once(&format!("<!-- {name} -->\n")) {
                let block = behind.split("```").nth(1).unwrap();
                let lines = block
                    .lines()
                    .skip(1)
                    .map(|line| line.strip_prefix("   ").filter(|_| is_in_list(block)).unwrap_or(line));
                let block: String =
                    lines.filter(|line| !line.trim().is_empty()).flat_map(|line| [line, "\n"]).collect();
                assert_eq!(block, text(&path), "{name}");
                shown += 1;
            }
        }
    }
    assert!(shown >= 6, "only {shown} files are shown");
}
