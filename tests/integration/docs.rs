//! Tests the documentation: the example of the quickstart, the settings and flags of docs/ci/validate.md, and versions.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{root, run, sealwave, stdout_of};

const DEFINITION: &str = "testdata/schema/crd-basics.yaml";

fn page(name: &str) -> String {
    fs_err::read_to_string(root().join(name)).unwrap()
}

/// Returns the contents of a page's fenced code blocks in a language; fences must be at the start of a line.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let opening = format!("\n```{language}\n");
    page.split(opening.as_str()).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

#[test]
fn quickstart_example_is_output_of_validate() {
    let page = page("docs/getting-started/quickstart.md");
    let (_, example) = page.split_once("<!-- example:validate -->").unwrap();
    let command = blocks(example, "sh")[0].trim();
    let args = command.strip_prefix("cargo run --locked -- ").unwrap();
    let output = run(&args.split(' ').collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(1));

    let stdout = String::from_utf8(output.stdout).unwrap();
    let mut printed = stdout.lines();
    let documented: Vec<&str> = blocks(example, "text")[0].lines().filter(|line| *line != "…").collect();
    assert!(documented.len() > 5, "the example has only {} lines", documented.len());
    for line in documented {
        assert!(printed.any(|other| other == line), "`{args}` does not print this line here: {line}");
    }
}

/// Writes an app with one ConfigMap, and the definition that the page's settings name.
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
fn documented_settings_of_validate_are_accepted() {
    let page = page("docs/ci/validate.md");
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
        let report = String::from_utf8_lossy(&output.stdout);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{block}\n{report}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(report.contains("\"objects\": 1"), "{report}");
        assert!(!report.contains("suppression/malformed"), "{report}");
    }
    assert!(apps > 0 && files > 0, "the page has no settings");
}

#[test]
fn documented_flags_of_validate_exist() {
    let help = stdout_of(&["validate", "--help"]);
    let known: BTreeSet<&str> = help.split_whitespace().filter(|word| word.starts_with("--")).collect();
    let page = page("docs/ci/validate.md") + &page("docs/ci/pipelines.md");
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
    assert!(seen > 10, "the page has only {seen} flags");
}

#[test]
fn requirements_name_the_versions_of_the_end_to_end_tests() {
    let page = page("docs/install/requirements.md");
    let rows: Vec<&str> = page.lines().collect();
    let versions = [
        (
            "control-plane",
            "github.com/argoproj/argo-cd/v3",
            "| | tested: {} | it runs in the [end-to-end tests]",
        ),
        (
            "control-plane",
            "k8s.io/kubernetes",
            "| Kubernetes of the destinations | 1.25 to 1.37; tested: {} |",
        ),
        (
            "sealed-secrets",
            "github.com/bitnami/sealed-secrets",
            "| | tested: {} | it runs in the end-to-end tests |",
        ),
    ];
    for (tools, module, row) in versions {
        let file = root().join("tests/e2e/tools").join(tools).join("go.mod");
        let text = fs_err::read_to_string(file).unwrap();
        let version = text.lines().find_map(|line| {
            let mut words = line.split_whitespace().skip_while(|word| *word == "require");
            (words.next() == Some(module)).then(|| words.next().unwrap().trim_start_matches('v').to_owned())
        });
        let row = row.replace("{}", &version.unwrap_or_else(|| panic!("{module} is not in {tools}/go.mod")));
        assert!(
            rows.iter().any(|line| line.starts_with(&row)),
            "the page needs a line that starts with `{row}`"
        );
    }
}
