//! Argo CD sends only the directories of the annotation `manifest-generate-paths`, and the app still renders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::harness::{APP_FILE, CONFIG_MAP, Refresh, SECRET_FILE, Stack, TestApp, condition};

const PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
const SOURCE: &str = "teams/a/app";

const SHARED: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: shared
data:
  level: info
";

const OUTSIDE: &str = "\
error: path leaves the repository
  --> sealwave.yaml:3:80
   = help: Argo CD sent only a part of the repository; name every directory that the app uses in the annotation \
`argocd.argoproj.io/manifest-generate-paths` of the Application, for example `.;../_shared`";

/// With `.`, a commit outside of the app's directory costs no run of sealwave, and one inside does.
pub fn only_own_commits_render(stack: &Arc<Stack>) {
    let app = prepare(stack, "narrowed-own");
    let commit = app.deploy_application(&application(&app, "."));
    app.wait_healthy(&commit);
    let runs = app.sidecar().generations();
    assert!(
        !runs.is_empty() && runs.iter().all(|run| *run == PathBuf::new()),
        "the app alone was sent: {runs:?}"
    );

    app.repository().write("teams/b/app/base/other.yaml", SHARED);
    let commit = app.repository().commit("another team's change");
    let live = app.refresh(Refresh::Normal);
    assert_eq!(live["status"]["sync"]["revision"], commit, "Argo CD saw the commit");
    assert_eq!(live["status"]["sync"]["status"], "Synced");
    assert_eq!(app.sidecar().generations().len(), runs.len(), "runs after another team's commit");

    app.repository().write(&format!("{SOURCE}/base/shared.yaml"), SHARED);
    let commit = app.repository().commit("an own change");
    app.wait_healthy(&commit);
    assert_eq!(app.sidecar().generations().len(), runs.len() + 1, "runs after an own commit");
}

/// An app reaches a directory beside it that the annotation names.
pub fn common_directory_is_sent(stack: &Arc<Stack>) {
    assert_reaches_common(stack, "narrowed-common", ".;../common");
}

/// An app reaches all of its team's directory when the annotation names that.
pub fn team_directory_is_sent(stack: &Arc<Stack>) {
    assert_reaches_common(stack, "narrowed-team", "/teams/a");
}

/// A link to a directory that is not sent is refused, and the repaired app goes on.
pub fn leaving_link_is_refused(stack: &Arc<Stack>) {
    let app = prepare(stack, "narrowed-link");
    app.repository().link(&format!("{SOURCE}/base/shared.yaml"), "../../common/shared.yaml");
    app.deploy_application(&application(&app, "."));
    app.refresh(Refresh::Normal);
    let message = app.wait_condition("ComparisonError");
    // Argo CD's own words: the sidecar refuses to unpack the link.
    assert!(message.contains("symlink \"../common/shared.yaml\""), "{message}");

    app.repository().remove(&format!("{SOURCE}/base/shared.yaml"));
    app.repository().write(&format!("{SOURCE}/base/shared.yaml"), SHARED);
    let commit = app.repository().commit("a file instead of a link");
    app.wait_healthy(&commit);
}

fn assert_reaches_common(stack: &Arc<Stack>, name: &str, paths: &str) {
    let app = prepare(stack, name);
    app.repository().link(&format!("{SOURCE}/base/shared.yaml"), "../../common/shared.yaml");
    let commit = app.deploy_application(&application(&app, paths));
    app.wait_healthy(&commit);
    let runs = app.sidecar().generations();
    assert!(
        !runs.is_empty() && runs.iter().all(|run| run == Path::new("app")),
        "the team's directory was sent: {runs:?}"
    );
    let shared = stack.cluster().get(CONFIG_MAP, Some(name), "shared");
    assert_eq!(shared.expect("the shared file was used")["data"]["level"], "info");

    assert_patch_outside_is_refused(&app);
}

/// A patch two directories up is in the repository, but not in what Argo CD sent.
fn assert_patch_outside_is_refused(app: &TestApp) {
    let patches = "patches: [{target: {kind: ConfigMap, name: shared}, file: ../../outside.yaml}]";
    let with_patch = APP_FILE.replace("dev: {}", &format!("dev: {{{patches}}}"));
    app.repository().write("teams/outside.yaml", "data: {level: CANARY-outside}\n");
    app.repository().write(&format!("{SOURCE}/sealwave.yaml"), &with_patch);
    app.repository().commit("a patch from elsewhere");
    let live = app.refresh(Refresh::Normal);
    let message = condition(&live, "ComparisonError").expect("a condition");
    assert!(message.ends_with(OUTSIDE), "the condition is\n{message}\nnot\n{OUTSIDE}");
    assert!(!message.contains("CANARY"), "{message}");
}

/// Prepares a repository with an app in a team's directory, beside a common one.
fn prepare(stack: &Arc<Stack>, name: &str) -> TestApp {
    let app = TestApp::new(stack, name, &[]);
    app.write_operator();
    app.repository().write(&format!("{SOURCE}/sealwave.yaml"), APP_FILE);
    app.repository().write(&format!("{SOURCE}/base/secret.yaml"), SECRET_FILE);
    app.repository().write("teams/a/common/shared.yaml", SHARED);
    app.repository().write("teams/b/app/base/other.yaml", "{}\n");
    app
}

/// Returns the Application of the app in the team's directory.
fn application(app: &TestApp, paths: &str) -> serde_json::Value {
    let mut application = app.application(app.name(), "dev");
    application["metadata"]["annotations"][PATHS] = json!(paths);
    application["spec"]["source"]["path"] = json!(SOURCE);
    application
}
