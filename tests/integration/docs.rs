//! What the pages say of `validate` is so: the example of README.md, and the settings and flags of docs/validate.md.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{root, run, sealwave, stdout_of};

const DEFINITION: &str = "testdata/schema/crd-basics.yaml";

fn page(name: &str) -> String {
    fs_err::read_to_string(root().join(name)).unwrap()
}

/// The blocks of a page that are fenced so, at the start of a line, without their fences.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let opening = format!("\n```{language}\n");
    page.split(opening.as_str()).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

#[test]
fn the_readme_shows_what_validate_says() {
    let page = page("README.md");
    let (_, example) = page.split_once("<!-- example:validate -->").unwrap();
    let command = blocks(example, "sh")[0].trim();
    let args = command.strip_prefix("cargo run --release --locked -- ").unwrap();
    let output = run(&args.split(' ').collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(1));

    let said = String::from_utf8(output.stdout).unwrap();
    let mut said = said.lines();
    let shown: Vec<&str> = blocks(example, "text")[0].lines().filter(|line| *line != "…").collect();
    assert!(shown.len() > 5, "little is shown");
    for line in shown {
        assert!(said.any(|other| other == line), "`{args}` does not say this, or not here: {line}");
    }
}

/// An app of one ConfigMap, with the definition that the page's settings name.
fn write_app(directory: &Path, app_file: &str) {
    fs_err::create_dir_all(directory.join("crds")).unwrap();
    fs_err::create_dir_all(directory.join("envs/prod")).unwrap();
    fs_err::copy(root().join(DEFINITION), directory.join("crds/definition.yaml")).unwrap();
    fs_err::write(directory.join("sealwave.yaml"), app_file).unwrap();
    let map =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: shop}\ndata: {level: info}\n";
    fs_err::write(directory.join("envs/prod/web.yaml"), map).unwrap();
}

#[test]
fn settings_on_the_page_of_validate_are_heard() {
    let page = page("docs/validate.md");
    let (mut apps, mut files) = (0, 0);
    for block in blocks(&page, "yaml") {
        let directory = tempfile::tempdir().unwrap();
        let mut command = sealwave();
        command.current_dir(directory.path()).args(["validate", "--output", "json", "--fail-on", "error"]);
        if block.starts_with("apiVersion: sealwave.dev/v1alpha1\nkind: App\n") {
            write_app(directory.path(), block);
            apps += 1;
        } else if block.starts_with("apiVersion: sealwave.dev/v1alpha1\nkind: Validation\n") {
            write_app(directory.path(), "apiVersion: sealwave.dev/v1alpha1\nkind: App\n");
            fs_err::write(directory.path().join("settings.yaml"), block).unwrap();
            command.args(["--config", "settings.yaml"]);
            files += 1;
        } else {
            continue;
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{block}\n{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(said.contains("\"objects\": 1"), "{said}");
        assert!(!said.contains("suppression/malformed"), "{said}");
    }
    assert!(apps > 0 && files > 0, "no settings are on the page");
}

#[test]
fn flags_on_the_page_of_validate_exist() {
    let help = stdout_of(&["validate", "--help"]);
    let known: BTreeSet<&str> = help.split_whitespace().filter(|word| word.starts_with("--")).collect();
    let page = page("docs/validate.md");
    let commands =
        page.lines().filter_map(|line| line.split_once("sealwave validate ")).map(|(_, rest)| rest);
    let mut seen = 0;
    for command in commands {
        let end = command.find('`').unwrap_or(command.len());
        for flag in command[..end].split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(known.contains(flag), "`sealwave validate` has no flag `{flag}`: {command}");
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} flags");
}
