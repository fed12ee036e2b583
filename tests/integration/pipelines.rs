//! Runs the commands of the configurations in `docs/ci/pipelines.md` and `.pre-commit-hooks.yaml`, and checks the fields that the CI systems require.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::validating::{APP, BAD, GOOD, Tree};
use crate::support::{root, sealwave};

fn text(path: &str) -> String {
    fs_err::read_to_string(root().join(path)).unwrap()
}

/// Returns the blocks of the page in a language, parsed as YAML.
fn blocks() -> Vec<Value> {
    let page = text("docs/ci/pipelines.md");
    let blocks = page.split("\n```yaml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks
        .map(|block| yaml_serde::from_str(block).unwrap_or_else(|error| panic!("{error}\n{block}")))
        .collect()
}

fn items<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the workflow of GitHub.
fn workflow() -> Value {
    let mut found = blocks().into_iter().filter(|block| block.get("permissions").is_some());
    let workflow = found.next().expect("a workflow");
    assert!(found.next().is_none());
    workflow
}

/// Returns the jobs of GitLab.
fn jobs() -> Vec<Value> {
    let all = blocks().into_iter().filter_map(|block| block.as_object().cloned());
    let jobs = all.flatten().map(|(_, job)| job).filter(|job| job.get("script").is_some());
    jobs.collect()
}

/// Returns the hooks of pre-commit: those that the repository offers, and those of the page.
fn hooks() -> (Vec<Value>, Vec<Value>) {
    let offered: Vec<Value> = yaml_serde::from_str(&text(".pre-commit-hooks.yaml")).unwrap();
    let used = blocks().iter().flat_map(|block| items(block, "/repos").to_vec()).collect();
    (offered, used)
}

/// Creates a repository with two apps and a plain manifest, without findings.
fn repository() -> Tree {
    let settings =
        "apiVersion: sealwave.dev/v1alpha1\nkind: Validation\nvalidate: {external: [Secret/*/registry]}\n";
    let tree = Tree::new(&[("platform/map.yaml", GOOD), ("validation.yaml", settings)]);
    for app in ["cart", "shop"] {
        tree.write(&format!("apps/{app}/sealwave.yaml"), APP);
        tree.write(&format!("apps/{app}/envs/dev/values.yaml"), "{}\n");
        tree.write(&format!("apps/{app}/base/map.yaml"), GOOD.replace("good", app));
    }
    tree.git(&["init", "-q"]);
    tree.git(&["add", "-A"]);
    tree.git(&["commit", "-qm", "one"]);
    tree
}

/// Runs commands as the shell of a CI system does.
fn shell(tree: &Tree, script: &str) -> Output {
    let program = PathBuf::from(sealwave().get_program().to_owned());
    Command::new("sh")
        .args(["-eu", "-c", &format!("PATH=\"$PROGRAM:$PATH\"\n{script}")])
        .current_dir(tree.root())
        .env("PROGRAM", program.parent().unwrap())
        .env("BASE", "HEAD")
        .env("CI_MERGE_REQUEST_DIFF_BASE_SHA", "HEAD")
        .env_remove("GITHUB_STEP_SUMMARY")
        .env_remove("KUBE_VERSION")
        .env_remove("SEALWAVE_OPERATOR")
        .output()
        .unwrap()
}

#[track_caller]
fn assert_passes(tree: &Tree, script: &str) {
    let Output { status, stdout, stderr } = shell(tree, script);
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{script}\n{stdout}{stderr}");
}

#[test]
fn the_workflow_of_github_has_the_permissions_and_commands_that_it_needs() {
    let workflow = workflow();
    let known = ["env", "jobs", "name", "on", "permissions"];
    assert!(workflow.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{workflow:#}");
    for (scope, access) in [("actions", "read"), ("contents", "read"), ("security-events", "write")] {
        assert_eq!(workflow["permissions"][scope], access);
    }
    let steps = items(&workflow, "/jobs/validate/steps");
    let tree = repository();
    let mut commands = 0;
    for step in steps {
        assert!(step.get("uses").is_some() != step.get("run").is_some(), "{step:#}");
        assert!(step["uses"].is_null() || step["uses"].as_str().unwrap().contains('@'));
        let Some(run) = step["run"].as_str().filter(|run| run.starts_with("sealwave ")) else { continue };
        assert_passes(&tree, run);
        commands += 1;
    }
    assert_eq!(commands, 2);
    let uploaded = steps.iter().find_map(|step| step.pointer("/with/sarif_file")?.as_str()).unwrap();
    assert!(tree.read(uploaded).contains("\"runs\""));
    let checkout = steps.first().unwrap();
    assert_eq!(checkout["with"]["fetch-depth"], 0, "`--changed-since` needs the history");
    let install =
        steps.iter().find_map(|step| step["run"].as_str().filter(|run| run.contains("cargo"))).unwrap();
    assert!(
        install.contains(
            "install --locked --git \"$SEALWAVE_REPOSITORY\" --rev \"$SEALWAVE_COMMIT\" sealwave\n"
        )
    );
}

#[test]
fn the_jobs_of_gitlab_write_their_reports() {
    let jobs = jobs();
    assert_eq!(jobs.len(), 2);
    let tree = repository();
    for job in &jobs {
        assert_eq!(job["image"], "$SEALWAVE_CI_IMAGE");
        assert_eq!(job["variables"]["GIT_DEPTH"], "0", "`--changed-since` needs the history");
        for command in items(job, "/script") {
            assert_passes(&tree, command.as_str().unwrap());
        }
    }
    let reports = jobs[0].pointer("/artifacts/reports").unwrap();
    assert!(tree.read(reports["codequality"].as_str().unwrap()).starts_with('['));
    assert!(tree.read(reports["junit"].as_str().unwrap()).contains("<testsuites "));
}

#[test]
fn the_hooks_of_pre_commit_check_what_is_staged() {
    let (offered, used) = hooks();
    let tree = repository();
    let own = used.iter().filter(|repo| repo["repo"] == "local").flat_map(|repo| items(repo, "/hooks"));
    for hook in offered.iter().chain(own) {
        for field in ["entry", "files", "id", "language", "name"] {
            assert!(hook[field].is_string(), "{hook:#}");
        }
        assert_eq!(
            (&hook["pass_filenames"], &hook["files"]),
            (&false.into(), &r"\.(yaml|yml|json|hbs)$".into())
        );
        let entry = hook["entry"].as_str().unwrap();
        assert_passes(&tree, entry);
        tree.write("apps/shop/base/map.yaml", BAD);
        tree.git(&["add", "-A"]);
        assert_eq!(shell(&tree, entry).status.code(), Some(1), "{entry}");
        tree.write("apps/shop/base/map.yaml", GOOD.replace("good", "shop"));
        tree.git(&["add", "-A"]);
    }
    let ids: Vec<&Value> = offered.iter().map(|hook| &hook["id"]).collect();
    for repo in used.iter().filter(|repo| repo["repo"] != "local") {
        assert!(repo["rev"].is_string());
        assert!(items(repo, "/hooks").iter().all(|hook| ids.contains(&&hook["id"])), "{repo:#}");
    }
}

#[test]
fn the_recipe_for_many_teams_works() {
    let page = text("docs/ci/pipelines.md");
    let (_, rest) = page.split_once("<!-- recipe:monorepo -->\n```sh\n").unwrap();
    let recipe = rest.split("\n```").next().unwrap();
    let tree = repository();
    tree.write("platform/bad.yaml", BAD);
    tree.write("apps/shop/base/bad.yaml", BAD.replace("name: bad", "name: shop-bad"));
    assert_passes(&tree, recipe);
    let baseline = tree.read("baseline.json");
    assert!(baseline.contains("platform/bad.yaml") && baseline.contains("apps/shop/base/bad.yaml"));
    assert!(tree.read("sealwave.sarif").contains("\"runs\""));
}

#[test]
fn an_image_is_named_by_a_variable() {
    for page in ["docs/ci/pipelines.md", "docs/ci/validate.md"] {
        for line in text(page).lines().filter(|line| line.contains("registry.example.internal/")) {
            assert!(line.contains("_IMAGE: ") || line.contains("_IMAGE="), "{page}: {line}");
        }
    }
}
