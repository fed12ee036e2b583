//! The allowed dependencies between modules, which the compiler does not check.

use std::collections::BTreeMap;
use std::path::Path;

use walkdir::WalkDir;

/// Each module with the modules of the crate that it may use, besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("backends", &["crypto", "diagnostic", "model", "pipeline::resolve", "yaml"]),
    ("caught", &[]),
    ("cel", &["model", "pattern"]),
    ("cli", &[]),
    (
        "commands",
        &[
            "cli",
            "config",
            "crypto",
            "deadline",
            "diagnostic",
            "lints",
            "model",
            "ops",
            "pipeline",
            "providers",
            "reach",
            "schema",
            "workers",
        ],
    ),
    (
        "config",
        &["cli", "crypto", "deadline", "diagnostic", "lints", "model", "pipeline", "reach", "schema", "yaml"],
    ),
    ("crypto", &["diagnostic", "model", "workers"]),
    ("deadline", &["diagnostic", "model::duration", "pipeline"]),
    ("diagnostic", &["crypto::sha256_hex", "model"]),
    ("lints", &["cel", "crypto::tls_pair", "diagnostic", "model", "schema", "yaml"]),
    ("model", &["diagnostic"]),
    ("ops", &["diagnostic", "model", "pipeline", "providers", "schema", "yaml"]),
    (
        "pipeline",
        &[
            "backends",
            "cel",
            "crypto",
            "diagnostic",
            "lints",
            "model",
            "providers",
            "reach",
            "schema",
            "workers",
            "yaml",
        ],
    ),
    ("pattern", &[]),
    ("providers", &["caught", "crypto", "diagnostic", "model", "yaml"]),
    ("reach", &[]),
    ("schema", &["cel", "diagnostic", "model", "pattern"]),
    ("shell", &["caught", "commands", "deadline", "diagnostic", "pipeline"]),
    ("supervise", &["cli", "config", "crypto::sha256_hex", "diagnostic", "model", "shell", "workers"]),
    ("workers", &[]),
    ("yaml", &["caught", "diagnostic", "model", "workers"]),
];

#[test]
fn modules_depend_one_way() {
    let table: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in WalkDir::new(&src).into_iter().map(|entry| entry.expect("readable")) {
        let path = file.path().strip_prefix(&src).expect("below src");
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let first = path.components().next().expect("a name").as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        seen += 1;
        let allowed =
            table.get(module.as_str()).unwrap_or_else(|| panic!("module `{module}` is not in the table"));
        for used in uses(&fs_err::read_to_string(file.path()).expect("readable")) {
            let fits = used == module
                || allowed
                    .iter()
                    .any(|allowed| used == *allowed || allowed.starts_with(&format!("{used}::")));
            if !fits {
                wrong.push(format!("{} uses crate::{used}", path.display()));
            }
        }
    }
    assert!(seen > 30, "only {seen} files were looked at");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the modules that a file names after `crate::`, except in tests and comments.
fn uses(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .filter(|name: &String| !name.is_empty())
        .collect()
}

/// The tables of a manifest that may name the test kit: none of them makes it part of the program.
const TABLES_WITH_TEST_KIT: &[&str] = &["[dev-dependencies]", "[features]", "[workspace.dependencies]"];

#[test]
fn the_test_kit_does_not_ship() {
    let root = crate::support::root();
    let crates = fs_err::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for directory in crates.chain([root.clone()]) {
        let file = directory.join("Cargo.toml");
        let manifest = fs_err::read_to_string(&file).unwrap();
        let mut table = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                table = line;
            }
            if !line.contains("sealwave-testkit") || line == "name = \"sealwave-testkit\"" {
                continue;
            }
            seen += 1;
            assert!(TABLES_WITH_TEST_KIT.contains(&table), "{}: {table} has {line}", file.display());
        }
    }
    assert!(seen > 5, "only {seen} mentions of the test kit were found");
}
