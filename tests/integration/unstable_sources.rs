//! Tests of `app/unstable-source`: charts that generate a value each time that they are rendered, by the real Helm.
//!
//! `SEALWAVE_TEST_HELM` and `SEALWAVE_TEST_HELM4` name the binaries of Helm 3 and 4, `SEALWAVE_TEST_KUSTOMIZE` Kustomize.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::sealwave;
use sealwave_testkit::skipped;

/// A chart as an app in a directory of its own, with the programs that render it.
struct ChartApp {
    directory: TempDir,
}

/// Returns a program of the test run, or reports that the test is skipped.
fn program(variable: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the environment of the test run, not of the program")]
    let found = std::env::var_os(variable).filter(|value| !value.is_empty());
    if found.is_none() {
        skipped(&format!("{variable} is not set, so random values of charts were NOT tested with it"));
    }
    found.map(PathBuf::from)
}

impl ChartApp {
    fn new(helm: &str) -> Option<Self> {
        let program = program(helm)?;
        let app = Self { directory: TempDir::new().unwrap() };
        app.write("app/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
        app.write(
            "app/sealwave.yaml",
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments: {dev: {}}\n",
        );
        app.link_program("helm", &program);
        Some(app)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn link_program(&self, name: &str, program: &Path) {
        let bin = self.directory.path().join("bin");
        fs_err::create_dir_all(&bin).unwrap();
        symlink(fs_err::canonicalize(program).unwrap(), bin.join(name)).unwrap();
    }

    /// Returns the findings of the rule as file, message and hint, and all output.
    fn findings(&self, args: &[&str]) -> (Vec<[String; 3]>, String) {
        let mut command = sealwave();
        let output = command
            .current_dir(self.directory.path())
            .env("PATH", self.directory.path().join("bin"))
            .args(["validate", "app", "--output", "json"])
            .args(args)
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| {
            panic!("{error}: {stdout}{}", String::from_utf8_lossy(&output.stderr));
        });
        let of_rule = |finding: &&Value| finding["rule"] == "app/unstable-source";
        let findings = report["findings"].as_array().unwrap().iter().filter(of_rule);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let shown = findings
            .map(|finding| [text(&finding["path"]), text(&finding["message"]), text(&finding["hint"])]);
        let mut shown: Vec<_> = shown.collect();
        shown.sort();
        (shown, stdout)
    }

    /// Returns the messages of the rule.
    fn messages(&self) -> Vec<String> {
        self.findings(&[]).0.into_iter().map(|[_, message, _]| message).collect()
    }
}

const GENERATORS: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
data:
  password: {{ randAlphaNum 16 | b64enc }}
  id: {{ uuidv4 | b64enc }}
  auth: {{ htpasswd \"admin\" \"pw\" | b64enc }}
  hash: {{ bcrypt \"pw\" | b64enc }}
  fixed: {{ \"fixed\" | b64enc }}
{{- $ca := genCA \"ca\" 365 }}
{{- $cert := genSignedCert \"web\" nil nil 365 $ca }}
  ca.crt: {{ $ca.Cert | b64enc }}
  tls.crt: {{ $cert.Cert | b64enc }}
  tls.key: {{ $cert.Key | b64enc }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: times
  namespace: shop
data:
  day: {{ now | date \"2006-01-02\" | quote }}
  year: {{ now.Year | quote }}
  seconds: {{ now | unixEpoch | quote }}
  random.json: |
    {\"a\": 1, \"b\": \"{{ randNumeric 8 }}\"}
";

#[test]
fn each_generated_field_is_named_with_helm_3() {
    each_generated_field_is_named("SEALWAVE_TEST_HELM");
}

#[test]
fn each_generated_field_is_named_with_helm_4() {
    each_generated_field_is_named("SEALWAVE_TEST_HELM4");
}

fn each_generated_field_is_named(helm: &str) {
    let Some(app) = ChartApp::new(helm) else { return };
    app.write("app/templates/all.yaml", GENERATORS);
    let field = |pointer: &str, object: &str| {
        format!("`{pointer}` of {object} differs between two renders of the source")
    };
    let secret = ["auth", "ca.crt", "hash", "id", "password", "tls.crt", "tls.key"]
        .map(|key| field(&format!("/data/{key}"), "Secret `shop/db`"));
    let config = ["day", "random.json", "seconds", "year"]
        .map(|key| field(&format!("/data/{key}"), "ConfigMap `shop/times`"));
    let mut expected: Vec<String> = secret.into_iter().chain(config).collect();
    expected.sort();
    let (found, all) = app.findings(&[]);
    assert_eq!(found.iter().map(|[_, message, _]| message.clone()).collect::<Vec<_>>(), expected);
    assert!(found.iter().all(|[path, ..]| path == "app/templates/all.yaml"), "{found:?}");
    // The values differ each time, and no report does.
    assert_eq!(all, app.findings(&[]).1);
}

#[test]
fn names_objects_and_checksums_that_differ_are_named() {
    let Some(app) = ChartApp::new("SEALWAVE_TEST_HELM") else { return };
    app.write(
        "app/templates/job.yaml",
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: job-{{ randAlpha 5 | lower }}}\n",
    );
    app.write(
        "app/templates/maybe.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: maybe}\ndata:\n  {{ randAlpha 8 }}: a\n  same: b\n",
    );
    app.write(
        "app/templates/web.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    metadata:\n      \
         annotations:\n        checksum/secret: {{ randAlpha 3 | sha256sum }}\n",
    );
    let (found, _) = app.findings(&[]);
    let found: Vec<(&str, &str)> =
        found.iter().map(|[_, message, hint]| (message.as_str(), hint.as_str())).collect();
    let ends = "differs between two renders of the source";
    assert_eq!(found[0].0, format!("name of a Job {ends}"));
    assert!(found[0].1.ends_with("each sync creates a new object and deletes the old one"), "{}", found[0].1);
    assert_eq!(
        found[1].0,
        "keys of `/data` of ConfigMap `shop/maybe` differ between two renders of the source"
    );
    assert_eq!(
        found[2],
        (
            &*format!(
                "`/spec/template/metadata/annotations/checksum~1secret` of Deployment.apps `shop/web` {ends}"
            ),
            "correct what the checksum is computed from; until then, each sync restarts the pods"
        )
    );
    assert_eq!(found.len(), 3);
}

#[test]
fn values_and_patches_remove_the_finding() {
    let Some(app) = ChartApp::new("SEALWAVE_TEST_HELM") else { return };
    app.write(
        "app/templates/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  \
         password: {{ .Values.auth.password | default (randAlphaNum 16) | quote }}\n",
    );
    app.write("app/values.yaml", "auth: {}\n");
    let (found, text) = app.findings(&[]);
    assert_eq!(
        found[0][2],
        "set `auth.password` in the values to a placeholder such as \
        `<derive:app/password#alnum:32>`, which replaces `randAlphaNum`"
    );
    assert!(text.contains("\"severity\": \"error\"") || text.contains("\"severity\":\"error\""), "{text}");
    app.write("app/values-dev.yaml", "auth: {password: '<derive:app/password#alnum:32>'}\n");
    assert_eq!(app.messages(), [""; 0]);
    fs_err::remove_file(app.directory.path().join("app/values-dev.yaml")).unwrap();
    assert_eq!(app.messages().len(), 1);
    app.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev:\n    patches:\n    - \
         target: {kind: Secret, name: db}\n      patch: [{op: replace, path: /stringData/password, value: \
         '<derive:app/password#alnum:32>'}]\n",
    );
    assert_eq!(app.messages(), [""; 0]);
}

#[test]
fn a_setting_accepts_or_lowers_the_finding() {
    let Some(app) = ChartApp::new("SEALWAVE_TEST_HELM") else { return };
    app.write(
        "app/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: {{ uuidv4 }}}\n",
    );
    assert_eq!(app.messages().len(), 1);
    app.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments: {dev: {}}\nvalidate:\n  ignore:\n  \
         - {rule: app/unstable-source, reason: the identifier does not matter}\n",
    );
    assert_eq!(app.messages(), [""; 0]);
}

#[test]
fn a_packed_subchart_is_searched_for_times_in_seconds() {
    let Some(app) = ChartApp::new("SEALWAVE_TEST_HELM") else { return };
    app.write("sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 0.1.0\n");
    app.write(
        "sub/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {at: {{ now | unixEpoch | quote }}}\n",
    );
    fs_err::create_dir_all(app.directory.path().join("app/charts")).unwrap();
    let packed = std::process::Command::new("tar")
        .args(["czf", "app/charts/sub-0.1.0.tgz", "sub"])
        .current_dir(app.directory.path())
        .status();
    assert!(packed.unwrap().success());
    for _ in 0..3 {
        assert_eq!(
            app.messages(),
            ["`/data/at` of ConfigMap `shop/a` differs between two renders of the source"]
        );
    }
}

#[test]
fn hostile_charts_show_nothing_and_end() {
    let Some(app) = ChartApp::new("SEALWAVE_TEST_HELM") else { return };
    // Names and keys with control characters, and more differences than are shown.
    app.write(
        "app/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"a\\e[31m\\nerror: x\"}\ndata:\n  \
         {{- range $i := until 200 }}\n  k{{ $i }}: {{ printf \"CANARY-%s\" (randAlpha 5) }}\n  {{- end }}\n  \
         \"\\e[0m\\n`x`\": {{ randAlpha 5 }}\n",
    );
    let (found, text) = app.findings(&[]);
    assert!(!text.contains("CANARY") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(found.len(), 51);
    assert!(found.iter().any(|[_, message, _]| message.starts_with("151 more fields differ")), "{found:?}");
    // The second render fails although the first did not.
    app.write(
        "app/templates/a.yaml",
        "{{- if gt (now.Year | int) 2027 }}{{ fail \"CANARY\" }}{{ end }}\n\
        apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    );
    let year = app.messages();
    assert!(year.len() <= 1, "{year:?}");
}

#[test]
fn only_validate_renders_twice() {
    let Some(app) = ChartApp::new("SEALWAVE_TEST_HELM") else { return };
    app.write(
        "app/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: {{ uuidv4 | quote }}}\n",
    );
    let mut render = sealwave();
    let output = render
        .current_dir(app.directory.path())
        .env("PATH", app.directory.path().join("bin"))
        .args(["render", "app", "--env", "dev"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("differs"));
}

#[test]
fn charts_in_a_kustomization_are_compared() {
    let Some(app) = ChartApp::new("SEALWAVE_TEST_HELM") else { return };
    let Some(kustomize) = program("SEALWAVE_TEST_KUSTOMIZE") else { return };
    app.link_program("kustomize", &kustomize);
    for file in ["Chart.yaml", "sealwave.yaml"] {
        fs_err::remove_file(app.directory.path().join("app").join(file)).unwrap();
    }
    app.write("app/charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n");
    app.write("app/charts/web/values.yaml", "{}\n");
    app.write(
        "app/charts/web/templates/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {day: {{ now | date \"2006-01-02\" | quote }}}\n",
    );
    app.write("app/kustomization.yaml", "helmGlobals: {chartHome: charts}\nhelmCharts: [{name: web}]\n");
    app.write(
        "app/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nsources: [{kustomize: {}}]\nenvironments: {dev: {}}\n",
    );
    app.write(
        "operator.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\ntools: {kustomizeHelmCharts: true}\nproviders: {}\npolicy: []\nclusters: {}\n",
    );
    let (found, text) = app.findings(&["--operator", "operator.yaml"]);
    assert_eq!(found.len(), 1, "{text}");
    assert_eq!(found[0][1], "`/data/day` of ConfigMap `shop/a` differs between two renders of the source");
}
