//! Tests of `init`: the app file for each start, what it reports, and what a hostile repository cannot do.
//!
//! `SEALWAVE_TEST_HELM` and `SEALWAVE_TEST_KUSTOMIZE` name the real programs, with which the objects before and after are
//! compared.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sealwave_testkit::skipped;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{find_marker, sealwave};

/// A repository with files.
struct Repository(TempDir);

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let repository = Self(TempDir::new().unwrap());
        fs_err::create_dir(repository.at(".git")).unwrap();
        for (path, text) in files {
            repository.write(path, text);
        }
        repository
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        fs_err::create_dir_all(self.at(path).parent().unwrap()).unwrap();
        fs_err::write(self.at(path), text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = sealwave();
        command.current_dir(self.at("")).args(args);
        command
    }

    fn init(&self, args: &[&str]) -> Output {
        let output = self.command(&["init"]).args(args).output().unwrap();
        for bytes in [&output.stdout, &output.stderr] {
            assert_eq!(find_marker(bytes, "CANARY"), None, "{}", String::from_utf8_lossy(bytes));
        }
        output
    }

    /// Returns the app file of a dry run, as a tree, and the messages.
    fn dry_run(&self, args: &[&str]) -> (Value, String) {
        let output = self.init(&[&["--dry-run"], args].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code().is_some_and(|code| code < 2), "{stderr}");
        let text = String::from_utf8(output.stdout).unwrap();
        let _: sealwave_secrets::settings::App =
            yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        (yaml_serde::from_str(&text).unwrap(), stderr)
    }
}

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n\
                        data: {level: {{ .Values.level | quote }}, extra: {{ .Values.extra | default \"none\" | quote }},\n\
                        namespace: {{ .Release.Namespace }}, version: {{ .Capabilities.KubeVersion.Version | quote }}}\n";
const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n";

fn application(name: &str, namespace: &str, source: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec:\n  project: shop\n  \
         destination: {{server: https://kubernetes.default.svc, namespace: {namespace}}}\n  {source}\n"
    )
}

fn chart_repository() -> Repository {
    Repository::new(&[
        ("web/Chart.yaml", CHART),
        ("web/templates/a.yaml", TEMPLATE),
        ("web/values.yaml", "level: info\n"),
        ("web/values-dev.yaml", "level: debug\n"),
        ("web/values-prod.yaml", "level: warn\n"),
    ])
}

fn overlays_repository() -> Repository {
    Repository::new(&[
        ("web/base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("web/base/web.yaml", CONFIG_MAP),
        ("web/overlays/dev/kustomization.yaml", "resources: [../../base]\nnamePrefix: dev-\n"),
        ("web/overlays/prod/kustomization.yaml", "resources: [../../base]\nnamePrefix: prod-\n"),
    ])
}

#[test]
fn where_the_convention_is_enough_nothing_else_is_written() {
    for repository in [chart_repository(), overlays_repository()] {
        let (app, stderr) = repository.dry_run(&["web"]);
        assert_eq!(app.as_object().unwrap().len(), 2, "{app}");
        assert_eq!(stderr, "");
    }
}

#[test]
fn an_app_file_is_never_replaced() {
    let repository = chart_repository();
    repository.write("web/sealwave.yaml", "kind: Other\n");
    let output = repository.init(&["web"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("error: `web/sealwave.yaml` already exists"), "{stderr}");
    assert!(output.stdout.is_empty());
    assert_eq!(fs_err::read_to_string(repository.at("web/sealwave.yaml")).unwrap(), "kind: Other\n");
    // A broken link, behind which another file could be created.
    fs_err::remove_file(repository.at("web/sealwave.yaml")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", repository.at("web/sealwave.yaml")).unwrap();
    assert_eq!(repository.init(&["web"]).status.code(), Some(2));
    assert!(!repository.at("elsewhere").exists());
}

#[test]
fn applications_of_environments_become_one_source() {
    let repository = chart_repository();
    for env in ["dev", "prod"] {
        let source = format!(
            "source: {{repoURL: r, path: web, helm: {{releaseName: shop-{env}, valueFiles: [values.yaml, values-{env}.yaml], \
             parameters: [{{name: extra, value: \"1\"}}], kubeVersion: \"1.31\", apiVersions: [a/v1], skipCrds: true}}}}"
        );
        repository.write(&format!("argocd/{env}.yaml"), &application(&format!("shop-{env}"), env, &source));
    }
    let (app, stderr) = repository.dry_run(&["web"]);
    assert_eq!(stderr, "");
    let helm = &app["sources"][0]["helm"];
    let expected = serde_json::json!({
        "chart": ".", "valueFiles": ["values.yaml", "values-{{env}}.yaml"], "skipCrds": true, "values": {"extra": 1},
    });
    assert_eq!(*helm, expected);
    for env in ["dev", "prod"] {
        let settings = serde_json::json!({"kubeVersion": "1.31", "apiVersions": ["a/v1"]});
        assert_eq!(app["environments"][env], settings);
    }
}

#[test]
fn what_differs_between_applications_is_named() {
    let repository = chart_repository();
    for env in ["dev", "prod"] {
        let source = format!(
            "source: {{repoURL: r, path: web, helm: {{valuesObject: {{a: {{b: {env}, c: 1}}}}, valueFiles: [values-{env}.yaml]}}}}"
        );
        repository.write(&format!("argocd/{env}.yaml"), &application(&format!("shop-{env}"), env, &source));
    }
    let (app, stderr) = repository.dry_run(&["web"]);
    assert_eq!(app["sources"][0]["helm"]["values"], serde_json::json!({"a": {"c": 1}}));
    assert!(stderr.contains("`values` differs between the Applications"), "{stderr}");
}

#[test]
fn several_sources_and_values_of_another_source_are_read() {
    let repository = chart_repository();
    repository.write("apps/web/values-prod.yaml", "level: prod\n");
    let sources = "sources:\n    - {repoURL: c, chart: redis, targetRevision: 1.2.3, helm: {valueFiles: [$v/apps/web/redis.yaml]}}\n    \
                   - {repoURL: r, path: web, helm: {valueFiles: [$v/apps/web/values-prod.yaml, 'https://x/y.yaml']}}\n    \
                   - {repoURL: r, ref: v}\n    - {repoURL: o, path: elsewhere}";
    repository.write("argocd/web.yaml", &application("web", "shop", sources));
    let (app, stderr) = repository.dry_run(&["apps/web"]);
    let expected =
        serde_json::json!([{"helm": {"chart": "../../web", "valueFiles": ["values-{{env}}.yaml"]}}]);
    assert_eq!(app["sources"], expected);
    for message in [
        "chart `redis` of `oci://c` needs a digest",
        "value file `https://x/y.yaml` is not taken over",
        "source `elsewhere` of the Application is not a directory of this repository",
    ] {
        assert!(stderr.contains(message), "{message}\n{stderr}");
    }
}

#[test]
fn options_of_kustomize_are_lines_of_its_file() {
    let repository = overlays_repository();
    let source = "source: {repoURL: r, path: web/overlays/prod, kustomize: {namePrefix: a-, images: ['web=r/web:2'], commonLabels: {a: b}}}";
    repository.write("argocd/web.yaml", &application("web", "shop", source));
    let (_, stderr) = repository.dry_run(&["web"]);
    let message = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "write them to `web/overlays/prod/kustomization.yaml`: `namePrefix: \"a-\"`",
        r#"`images: [{"name":"web","newName":"r/web","newTag":"2"}]`"#,
        r#"`labels: [{"pairs":{"a":"b"},"includeSelectors":true,"includeTemplates":false}]`"#,
    ] {
        assert!(message.contains(line), "{line}\n{message}");
    }
}

#[test]
fn plain_manifests_come_with_the_commands_that_move_them() {
    let repository = Repository::new(&[("web/a b.yaml", CONFIG_MAP), ("web/prod/b.yaml", CONFIG_MAP)]);
    let output = repository.init(&["web"]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    let command = "mkdir -p -- base && git mv -- 'a b.yaml' base/\n  mkdir -p -- envs/prod && git mv -- prod/b.yaml envs/prod/\n";
    assert!(stdout.contains(command), "{stdout}");
}

#[test]
fn manifests_of_an_application_that_is_not_recursive_stay_where_they_are() {
    let repository = Repository::new(&[("web/a.yaml", CONFIG_MAP), ("web/other/b.yaml", CONFIG_MAP)]);
    repository.write("argocd/web.yaml", &application("web", "shop", "source: {repoURL: r, path: web}"));
    let stdout = String::from_utf8(repository.init(&["web"]).stdout).unwrap();
    assert!(stdout.contains("git mv -- a.yaml base/") && !stdout.contains("other/b.yaml"), "{stdout}");
    assert!(stdout.contains("--app web --namespace shop"), "{stdout}");
}

#[test]
fn placeholders_of_argocd_vault_plugin_are_accepted() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a, annotations: {avp.kubernetes.io/path: shop/db}}\n\
                  stringData: {a: <a>, b: <path:shop/db#b>}\n";
    let repository = Repository::new(&[("web/base/a.yaml", secret), ("web/envs/prod/values.yaml", "{}\n")]);
    let (app, stderr) = repository.dry_run(&["web"]);
    assert_eq!((app["compatibility"].as_str(), app["provider"].as_str()), (Some("avp"), Some("vault")));
    assert!(
        stderr.contains("name of the provider is not known") && !stderr.contains("plaintext"),
        "{stderr}"
    );
    let output = repository.init(&["web"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("ok: `prod` renders 1 object\n"));
}

#[test]
fn secrets_are_named_and_never_printed() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: plain}\nstringData: {password: CANARY-hunter2}\n---\n\
                  apiVersion: v1\nkind: Secret\nmetadata: {name: sops}\ndata: {a: 'ENC[CANARY]'}\nsops: {mac: CANARY}\n---\n\
                  apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: sealed}\nspec: {encryptedData: {a: CANARY}}\n";
    let values = "source: {repoURL: r, path: web, helm: {valuesObject: {db: {password: CANARY-Zq9xB7, user: shop}}, \
                  parameters: [{name: auth.token, value: CANARY-8f7a6b5c4d3e2f1a}]}, kustomize: {}}";
    let repository = Repository::new(&[
        ("web/Chart.yaml", CHART),
        ("web/extra/secret.yaml", secret),
        ("web/values-prod.yaml", "password: CANARY-1\n"),
        ("argocd/web.yaml", &application("web", "shop", values)),
    ]);
    let (app, stderr) = repository.dry_run(&["web"]);
    assert_eq!(app["sources"][0]["helm"]["values"], serde_json::json!({"db": {"user": "shop"}, "auth": {}}));
    for message in
        ["Secret `plain` is in plaintext", "Secret `sops` is encrypted", "`db.password`", "`auth.token`"]
    {
        assert!(stderr.contains(message), "{message}\n{stderr}");
    }
    repository.init(&["web"]);
}

#[test]
fn a_hostile_repository_is_read_within_limits() {
    let deep = "[".repeat(100_000);
    let bomb = format!("a: &a [1]\nb: [{}]\n", "*a,".repeat(10_000));
    let hostile = "source: {repoURL: \"r\\n# kind: Secret\\e[31m\", path: web, helm: {releaseName: \"a\\nb: c\", valueFiles: [\"../../../etc/passwd\", \"/../etc/passwd\", \"$web/x\", \"a\\nb.yaml\"], \
                   valuesObject: {\"k\\nx: y\": \"\\e[31m\"}}}";
    let repository = Repository::new(&[
        ("web/Chart.yaml", CHART),
        ("web/deep.yaml", &deep),
        ("web/bomb.yaml", &bomb),
        ("web/a\n;'$(touch x).yaml", CONFIG_MAP),
        ("argocd/web.yaml", &application("\"web\\n\\e[31m\"", "shop", hostile)),
    ]);
    let outside = TempDir::new().unwrap();
    fs_err::write(
        outside.path().join("secret.yaml"),
        "kind: Secret\napiVersion: v1\nstringData: {a: CANARY}\n",
    )
    .unwrap();
    std::os::unix::fs::symlink(outside.path(), repository.at("web/link")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", repository.at("web/zero.yaml")).unwrap();
    assert!(Command::new("mkfifo").arg(repository.at("web/pipe.yaml")).status().unwrap().success());
    fs_err::File::create(repository.at("web/huge.yaml")).unwrap().set_len(8 << 30).unwrap();
    let (app, stderr) = repository.dry_run(&["web"]);
    let helm = &app["sources"][0]["helm"];
    assert_eq!(helm["releaseName"], "a\nb: c");
    assert_eq!(helm["valueFiles"], serde_json::json!(["a\nb.yaml"]));
    assert_eq!(helm["values"], serde_json::json!({"k\nx: y": "\u{1b}[31m"}));
    assert_eq!(
        app.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["apiVersion", "kind", "sources", "environments"]
    );
    assert_eq!(stderr.matches("link leaves the repository").count(), 2, "{stderr}");
    let output = repository.init(&["web"]);
    for text in [stderr, String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap()]
    {
        assert!(!text.contains('\u{1b}') && !text.contains("\n# kind"), "{text}");
    }
}

#[test]
fn a_directory_without_anything_and_a_file_without_an_application_are_refused() {
    let repository = Repository::new(&[
        ("web/README.md", ""),
        ("app.yaml", CONFIG_MAP),
        ("b/x/Chart.yaml", CHART),
        ("b/y/Chart.yaml", CHART),
    ]);
    for (args, message) in [
        (&["web"][..], "`web` has no manifests, chart or overlays"),
        (&["none"], "`none` cannot be read: file not found"),
        (&["app.yaml"], "`app.yaml` is not a directory"),
        (&["web", "--application", "app.yaml"], "`app.yaml` has no Application"),
        (&["b"], "`b` has several charts: `b/x`, `b/y`"),
    ] {
        let output = repository.init(args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{message}\n{stderr}");
    }
}

/// Returns the search path with the real programs, or reports that the test is skipped.
pub(crate) fn real_programs() -> Option<String> {
    let directory = |variable: &str| {
        #[expect(clippy::disallowed_methods, reason = "the environment of the test run, not of the program")]
        let path = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file());
        if path.is_none() {
            skipped(&format!("{variable} is not set"));
        }
        Some(path?.parent()?.display().to_string())
    };
    Some(format!(
        "{}:{}:/usr/bin:/bin",
        directory("SEALWAVE_TEST_HELM")?,
        directory("SEALWAVE_TEST_KUSTOMIZE")?
    ))
}

/// Runs a command of another tool, and returns its objects.
fn objects_of(directory: &Path, script: &str, path: &str) -> Vec<Value> {
    let output = Command::new("sh")
        .args(["-eu", "-c", script])
        .current_dir(directory)
        .env_clear()
        .envs([("PATH", path), ("HOME", "/nonexistent")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let documents = text.split("\n---").map(|text| text.trim_start_matches("---"));
    sorted(
        documents
            .map(|text| yaml_serde::from_str(text).unwrap())
            .filter(|object: &Value| !object.is_null())
            .collect(),
    )
}

/// Returns objects in the order of their kinds and names, without what sealwave adds.
fn sorted(mut objects: Vec<Value>) -> Vec<Value> {
    for object in &mut objects {
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.remove("namespace");
        metadata.remove("annotations");
    }
    objects.sort_by_key(|object| format!("{} {}", object["kind"], object["metadata"]["name"]));
    objects
}

/// The objects after `init` are those that the tool made before.
#[test]
fn the_app_file_renders_the_same_objects() {
    let Some(path) = real_programs() else { return };
    let charts = chart_repository();
    for env in ["dev", "prod"] {
        let source = format!(
            "source: {{repoURL: r, path: web, helm: {{valueFiles: [values.yaml, values-{env}.yaml], kubeVersion: 1.31.0, \
             valuesObject: {{extra: overridden}}, parameters: [{{name: extra, value: \"01\"}}]}}}}"
        );
        charts.write(
            &format!("argocd/{env}.yaml"),
            &application(&format!("shop-{env}"), &format!("ns-{env}"), &source),
        );
    }
    let template = "helm template shop-$0 web --namespace ns-$0 -f web/values.yaml -f web/values-$0.yaml --set extra=01 --kube-version 1.31.0";
    for (repository, script, identity) in [
        (charts, template, true),
        (overlays_repository(), "kustomize build web/overlays/$0", false),
        (chart_repository(), "helm template shop-$0 web --namespace ns-$0 -f web/values-$0.yaml", true),
    ] {
        let output = repository.command(&["init", "web"]).env("PATH", &path).output().unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
        for env in ["dev", "prod"] {
            assert!(stdout.contains(&format!("ok: `{env}` renders 1 object\n")), "{stdout}");
            let (app, namespace) = (format!("shop-{env}"), format!("ns-{env}"));
            let mut render = repository.command(&["render", "web", "--env", env, "--output", "json"]);
            if identity {
                render.args(["--app", &app, "--namespace", &namespace]);
            }
            let rendered = render.env("PATH", &path).output().unwrap();
            assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
            let after = sorted(crate::support::objects(&String::from_utf8(rendered.stdout).unwrap()));
            let before = objects_of(&repository.at(""), &script.replace("$0", env), &path);
            assert_eq!(before, after, "{script}");
        }
    }
}
