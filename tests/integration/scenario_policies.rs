//! The policies of the example apps contain the destinations that the apps need, and nothing wider; the policies in the
//! documentation and the manifests are valid.

use std::path::Path;

use crate::support::{cases, copy_tree, root, sealwave};
use sealwave_providers::ProviderConfig;
use sealwave_secrets::policy::Policy;
use sealwave_secrets::settings::OperatorConfig;
use serde_json::Value;

const DESTINATION: [&str; 3] = ["clusters", "scopes", "secretNamespaces"];

/// Returns the exit code of `refs` over all environments: it checks the policy without AWS.
fn refs(scenario: &Path, operator: &Path) -> Option<i32> {
    let project = fs_err::read_to_string(scenario.join("project")).unwrap();
    let mut command = sealwave();
    command.arg("refs").arg(scenario.join("app")).args(["--project", project.trim(), "--operator"]);
    command.arg(operator).output().expect("the binary starts").status.code()
}

#[test]
fn every_entry_of_a_scenarios_policy_is_needed() {
    let mut checked = 0;
    for scenario in cases("scenario-") {
        let from = scenario.join("operator/operator.yaml");
        let text = fs_err::read_to_string(&from).unwrap();
        let operator: Value = yaml_serde::from_str(&text).unwrap();
        assert_eq!(refs(&scenario, &from), Some(0), "{}", scenario.display());
        let copy = tempfile::TempDir::new().unwrap();
        copy_tree(&scenario.join("operator"), copy.path());
        let file = copy.path().join("operator.yaml");
        for (rule, field, entry) in entries(&operator) {
            let mut narrower = operator.clone();
            narrower["policy"][rule][field].as_array_mut().unwrap().remove(entry);
            fs_err::write(&file, narrower.to_string()).unwrap();
            let removed = &operator["policy"][rule][field][entry];
            let code = refs(&scenario, &file);
            assert!(matches!(code, Some(1 | 2)), "{}: {field} {removed} is not needed", scenario.display());
            checked += 1;
        }
    }
    assert!(checked >= 20, "only {checked} entries were removed");
}

/// Returns every entry of every rule; each rule lists the three parts of its destinations, without patterns.
fn entries(operator: &Value) -> Vec<(usize, &'static str, usize)> {
    let rules = operator["policy"].as_array().map_or(&[][..], Vec::as_slice);
    let mut all = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        for field in DESTINATION.into_iter().chain(["allow"]) {
            let list = rule[field].as_array().unwrap_or_else(|| panic!("{rule} has no `{field}`"));
            let is_plain =
                |entry: &Value| entry.as_str().is_some_and(|text| !text.contains(['*', '{', '?', '[']));
            assert!(field == "allow" || list.iter().all(is_plain), "{rule}");
            all.extend((0..list.len()).map(|entry| (number, field, entry)));
        }
    }
    all
}

/// Returns the operator file on a page, or one with the policy on that page.
fn operator_on(page: &str) -> String {
    let text = fs_err::read_to_string(root().join(page)).unwrap();
    let blocks: Vec<&str> =
        text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    if let Some(whole) = blocks.iter().find(|block| block.contains("kind: Operator\n")) {
        return (*whole).to_owned();
    }
    let policy = blocks.iter().find(|block| block.starts_with("policy:")).expect("a policy");
    let clusters = "clusters: {dev: {certificate: {file: a}}, prod: {certificate: {file: b}}}";
    format!("apiVersion: sealwave.dev/v1alpha1\nkind: Operator\n{clusters}\n{policy}")
}

#[test]
fn policies_on_pages_and_in_manifests_are_valid() {
    let mounted = fs_err::read_to_string(root().join("manifests/operator.yaml")).unwrap();
    for (name, text) in [
        ("docs/operating/operator-file.md", operator_on("docs/operating/operator-file.md")),
        ("docs/operating/policy.md", operator_on("docs/operating/policy.md")),
        ("manifests/operator.yaml", mounted),
    ] {
        let operator: OperatorConfig<ProviderConfig> =
            yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!operator.policy.is_empty(), "{name}");
        if let Err(failure) = Policy::from_operator(&operator) {
            panic!("{name}: {failure}");
        }
    }
}
