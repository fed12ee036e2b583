//! Apps whose sources are charts, overlays and files: conventions, order, messages, and the versions that charts ask for.

use std::path::PathBuf;
use std::process::Command;

use crate::support::renderers::Renderers;
use crate::support::validating::{CommandResult, Tree};
use crate::support::{root, sealwave};

const APP: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";
const CHART: &str = "apiVersion: v2\nname: web\nversion: 0.1.0\n";
const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-db}
data:
  password: {{ .Values.password | b64enc }}
  uri: {{ printf \"postgres://app:%s@db/shop\" .Values.password | b64enc }}
";
const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n";

/// Creates a directory `web` with an app file of these lines.
fn app(lines: &str, files: &[(&str, &str)]) -> Tree {
    let tree = Tree::new(&[("web/sealwave.yaml", &format!("{APP}{lines}"))]);
    for (path, text) in files {
        tree.write(&format!("web/{path}"), text);
    }
    tree
}

/// Creates a chart with one template.
fn chart(lines: &str, template: &str, values: &[(&str, &str)]) -> Tree {
    let tree = app(lines, &[("Chart.yaml", CHART), ("templates/all.yaml", template)]);
    for (path, text) in values {
        tree.write(&format!("web/{path}"), text);
    }
    tree
}

/// Returns the directory of an operator with keys.
fn operator() -> PathBuf {
    root().join("testdata/sources/operator")
}

fn command(tree: &Tree, args: &[&str]) -> Command {
    let mut command = sealwave();
    command.current_dir(tree.root()).args(args);
    command
}

fn run(mut command: Command) -> CommandResult {
    command.output().unwrap().into()
}

/// Returns standard error of a command that must fail, without any program on `PATH`.
fn error(tree: &Tree, args: &[&str]) -> String {
    let mut command = command(tree, args);
    command.env("PATH", "/nonexistent");
    let result = run(command);
    assert_eq!(result.code, 2, "{}{}", result.stdout, result.stderr);
    result.stderr
}

/// Returns the result of a command with each version of Helm.
fn with_each(tree: &Tree, args: &[&str]) -> Vec<CommandResult> {
    let with = |renderers: Renderers| {
        let mut command = command(tree, args);
        command.env("PATH", renderers.search_path());
        run(command)
    };
    Renderers::all().into_iter().map(with).collect()
}

#[test]
fn ambiguous_directories_show_the_lines_to_write() {
    let kustomization = ("kustomization.yaml", "resources: []\n");
    for (files, hint) in [
        (
            vec![("Chart.yaml", CHART), kustomization],
            "keep those that belong to it: `sources: [{helm: {chart: .}}, {kustomize: {path: \".\"}}]`",
        ),
        (
            vec![("Chart.yaml", CHART), ("base/a.yaml", CONFIG_MAP)],
            "keep those that belong to it: `sources: [{helm: {chart: .}}, {files: {}}]`",
        ),
        (
            vec![("Chart.yaml", CHART), ("values-dev.yaml", ""), ("values/prod.yaml", "")],
            "keep those that belong to them: `sources: [{helm: {chart: ., valueFiles: [\"values-{{env}}.yaml\", \
             \"values/{{env}}.yaml\"]}}]`",
        ),
    ] {
        let stderr = error(&app("", &files), &["render", "web", "--env", "dev"]);
        assert!(stderr.contains("--> web/sealwave.yaml\n"), "{stderr}");
        assert!(stderr.ends_with(&format!("= help: {hint}\n")), "{stderr}");
    }
}

#[test]
fn the_lines_of_the_hints_are_valid() {
    let stated = "sources: [{helm: {chart: ., valueFiles: [\"values-{{env}}.yaml\"]}}, {files: {}}]\n";
    let files = [("Chart.yaml", CHART), ("base/a.yaml", CONFIG_MAP), ("values-dev.yaml", "")];
    let result = run(command(&app(stated, &files), &["parameters", "web"]));
    assert!(result.stdout.contains("dev"), "{}{}", result.stdout, result.stderr);
}

#[test]
fn environments_come_from_files_unless_the_app_file_names_them() {
    for (lines, files, names) in [
        (
            "",
            vec![("Chart.yaml", CHART), ("values-dev.yaml", ""), ("values-eu.prod.yaml", "")],
            "`dev`, `eu.prod`",
        ),
        ("", vec![("Chart.yaml", CHART), ("values/a.yaml", ""), ("values/b.yaml", "")], "`a`, `b`"),
        ("", vec![("Chart.yaml", CHART), ("envs/a/values.yaml", ""), ("envs/b/values.yaml", "")], "`a`, `b`"),
        (
            "",
            vec![
                ("base/kustomization.yaml", ""),
                ("overlays/dev/kustomization.yml", ""),
                ("overlays/prod/Kustomization", ""),
                ("overlays/README.md", ""),
                ("overlays/none/patch.yaml", ""),
            ],
            "`dev`, `prod`",
        ),
        (
            "environments: {stage: {}, prod: {}}\n",
            vec![("Chart.yaml", CHART), ("values-ci.yaml", "")],
            "`prod`, `stage`",
        ),
    ] {
        let stderr = error(&app(lines, &files), &["render", "web", "--env", "unknown"]);
        assert!(stderr.contains(&format!("known environments: {names}")), "{stderr}");
    }
    let invalid = app("", &[("Chart.yaml", CHART), ("values-Prod EU.yaml", "")]);
    let stderr = error(&invalid, &["render", "web", "--env", "prod"]);
    assert!(
        stderr.contains("web/values-Prod EU.yaml") && stderr.contains("rename it to `prod-eu`"),
        "{stderr}"
    );
}

#[test]
fn sources_are_stated_one_by_one() {
    for (lines, message) in [
        ("sources: []\n", "`sources` is empty"),
        ("sources: [{}]\n", "source must have exactly one of `files`, `helm`, `kustomize`"),
        (
            "sources: [{helm: {}, files: {}}]\n",
            "source must have exactly one of `files`, `helm`, `kustomize`",
        ),
        ("sources: [{files: {}}, {files: {}}]\n", "sources contain `files` twice"),
        ("sources: [{helm: {chrat: a}}]\n", "unknown field `chrat`"),
        (
            "sources: [{helm: {namespace: --a}}]\n",
            "`sources[0].helm.namespace`: wrong value, expected a namespace name",
        ),
    ] {
        let stderr = error(&app(lines, &[("envs/dev/values.yaml", "")]), &["render", "web", "--env", "dev"]);
        assert!(stderr.contains(message) && stderr.contains("web/sealwave.yaml:4"), "{stderr}");
    }
}

#[test]
fn paths_stay_within_the_repository() {
    for (lines, message) in [
        ("{helm: {chart: /etc}}", "path `/etc` is absolute"),
        ("{helm: {chart: ../../..}}", "`../../..` leaves the repository"),
        ("{helm: {chart: missing}}", "`web/missing` cannot be read: file not found"),
        ("{helm: {chart: sealwave.yaml}}", "`web/sealwave.yaml` is not a directory"),
        ("{helm: {chart: empty}}", "`web/empty` is not a chart: it has no `Chart.yaml`"),
        ("{kustomize: {path: empty}}", "`web/empty` has no `kustomization.yaml`"),
        ("{kustomize: {path: ../../etc}}", "`../../etc` leaves the repository"),
    ] {
        let lines = format!("sources: [{lines}]\nenvironments: {{dev: {{}}}}\n");
        let tree = app(&lines, &[("empty/a.txt", "")]);
        tree.write(".git/HEAD", "");
        let stderr = error(&tree, &["render", "web", "--env", "dev"]);
        assert!(stderr.contains(&format!("error: {message}\n")), "{stderr}");
        assert!(stderr.contains("--> web/sealwave.yaml:4:"), "{stderr}");
    }
}

#[test]
fn a_missing_program_says_which_version_to_install() {
    let tree = chart("", SECRET, &[("values-dev.yaml", "")]);
    let stderr = error(&tree, &["render", "web", "--env", "dev"]);
    assert!(stderr.contains("error: program `helm` was not found"), "{stderr}");
    assert!(stderr.contains("install `helm` >=3.8, <5"), "{stderr}");
    let overlay = app("", &[("overlays/dev/kustomization.yaml", "resources: []\n")]);
    let stderr = error(&overlay, &["render", "web", "--env", "dev"]);
    assert!(stderr.contains("error: program `kustomize` was not found"), "{stderr}");
}

#[test]
fn a_program_on_the_path_of_the_sidecar_is_not_used() {
    let tree = chart("", SECRET, &[("values-dev.yaml", "")]);
    for renderers in Renderers::all() {
        let mut command = command(&tree, &["generate", "web", "--operator"]);
        command.arg(operator().join("operator.yaml")).env("PATH", renderers.search_path());
        command.env("ARGOCD_APP_NAME", "web").env("ARGOCD_APP_PROJECT_NAME", "shop");
        let result = run(command);
        assert_eq!(result.code, 2);
        assert!(result.stderr.contains("program `helm` was not found"), "{}", result.stderr);
    }
}

#[test]
fn placeholders_are_found_behind_base64_and_in_longer_texts() {
    let tree = chart("", SECRET, &[("values-dev.yaml", "password: <vault:shop/db#password>\n")]);
    for result in with_each(&tree, &["refs", "web", "--env", "dev"]) {
        assert_eq!(result.code, 0, "{}", result.stderr);
        assert!(result.stdout.contains("vault:shop/db#password"), "{}", result.stdout);
        assert!(result.stdout.contains("web/templates/all.yaml"), "{}", result.stdout);
    }
}

#[test]
fn a_placeholder_outside_of_a_secret_names_the_template_and_the_object() {
    for field in [
        "metadata: {name: web}\ndata: {password: {{ .Values.password | quote }}}\n",
        "metadata: {name: web, annotations: {a: {{ .Values.password | quote }}}}\n",
    ] {
        let template = format!("apiVersion: v1\nkind: ConfigMap\n{field}");
        let tree = chart("", &template, &[("values-dev.yaml", "password: <vault:shop/db#password>\n")]);
        for result in with_each(&tree, &["render", "web", "--env", "dev"]) {
            assert_eq!(result.code, 2);
            assert!(result.stderr.contains("--> web/templates/all.yaml\n"), "{}", result.stderr);
            assert!(result.stderr.contains("ConfigMap"), "{}", result.stderr);
        }
    }
}

#[test]
fn the_same_object_of_two_sources_is_an_error_that_names_both() {
    let lines = "sources: [{helm: {}}, {files: {}}]\nenvironments: {dev: {}}\n";
    let tree = chart(lines, CONFIG_MAP, &[("base/config.yaml", CONFIG_MAP)]);
    for result in with_each(&tree, &["render", "web", "--env", "dev"]) {
        assert_eq!(result.code, 2);
        assert!(result.stderr.contains("--> web/base/config.yaml:1:1"), "{}", result.stderr);
        let first = "is already defined at web/templates/all.yaml (rendered line 3, column 1)";
        assert!(result.stderr.contains(first), "{}", result.stderr);
    }
}

#[test]
fn objects_are_in_the_order_of_the_sources_and_patches_apply_to_all() {
    let file = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: file}\ndata: {a: b}\n";
    for (sources, order) in
        [("[{helm: {}}, {files: {}}]", ["web", "file"]), ("[{files: {}}, {helm: {}}]", ["file", "web"])]
    {
        let lines = format!(
            "sources: {sources}\nenvironments: {{dev: {{patches: [{{target: {{kind: ConfigMap}}, patch: {{data: {{c: d}}}}}}]}}}}\n"
        );
        let tree = chart(&lines, CONFIG_MAP, &[("base/config.yaml", file)]);
        for result in with_each(&tree, &["render", "web", "--env", "dev", "--output", "json"]) {
            assert_eq!(result.code, 0, "{}", result.stderr);
            let names: Vec<&str> = result
                .stdout
                .lines()
                .map(|line| {
                    order.into_iter().find(|name| line.contains(&format!("\"name\":\"{name}\""))).unwrap()
                })
                .collect();
            assert_eq!(names, order);
            assert_eq!(result.stdout.matches("\"c\":\"d\"").count(), 2);
        }
    }
}

#[test]
fn no_objects_are_an_error_unless_allowed() {
    for (environment, code) in [("dev", 2), ("prod", 0)] {
        let lines = "environments: {dev: {}, prod: {allowEmpty: true}}\n";
        let tree = chart(lines, "{{ if .Values.on }}{{ end }}", &[]);
        for result in with_each(&tree, &["render", "web", "--env", environment]) {
            assert_eq!(result.code, code, "{environment}: {}", result.stderr);
        }
    }
}

#[test]
fn versions_of_the_app_file_are_used_and_those_of_argo_cd_take_precedence() {
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata:\n  version: {{ .Capabilities.KubeVersion.Minor | quote }}\n  monitoring: {{ .Capabilities.APIVersions.Has \"monitoring.coreos.com/v1\" | quote }}\n";
    let lines = "environments: {dev: {kubeVersion: \"1.31\", apiVersions: [monitoring.coreos.com/v1]}}\n";
    let tree = chart(lines, template, &[]);
    for result in with_each(&tree, &["render", "web", "--env", "dev"]) {
        assert!(result.stdout.contains("version: \"31\""), "{}{}", result.stdout, result.stderr);
        assert!(result.stdout.contains("monitoring: \"true\""), "{}", result.stdout);
    }
    for renderers in Renderers::all() {
        let operator = format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nsealKeyFile: {0}/seal-key\nclusters: {{dev: {{certificate: {{file: {0}/certs/dev.pem}}}}}}\ntools: {{helm: {{path: {1}}}}}\n",
            operator().display(),
            renderers.program("helm").display()
        );
        tree.write("operator.yaml", &operator);
        let mut command = command(&tree, &["generate", "web", "--operator", "operator.yaml"]);
        command.env("ARGOCD_APP_NAME", "web").env("ARGOCD_APP_PROJECT_NAME", "shop");
        command.env("KUBE_VERSION", "1.33").env("KUBE_API_VERSIONS", "v1,apps/v1");
        let result = run(command);
        let stderr = &result.stderr;
        assert!(result.stdout.contains("\"version\":\"33\""), "{}{stderr}", result.stdout);
        assert!(stderr.contains("`kubeVersion` is 1.31, but the destination has 1.33"), "{stderr}");
        assert!(stderr.contains("destination lacks 1 of `apiVersions`"), "{stderr}");
    }
}

#[test]
fn failures_name_the_template_and_the_line() {
    for (template, message, place) in [
        (
            "a: 1\nb: {{ .Values.x.y.z }}\n",
            "nil pointer evaluating interface {}.y (at `.Values.x.y.z`)",
            "web/templates/all.yaml:2:14",
        ),
        ("a: {{ required \"set a password\" .Values.p }}\n", "set a password", "web/templates/all.yaml:1:7"),
        ("a: {{ if }}\n", "missing value for if", "web/templates/all.yaml:1"),
        ("a: 1\n b: 2\n", "the rendered text is not YAML", "web/templates/all.yaml"),
    ] {
        let tree = chart("environments: {dev: {}}\n", template, &[]);
        for result in with_each(&tree, &["render", "web", "--env", "dev"]) {
            assert_eq!(result.code, 2);
            assert!(result.stderr.contains(&format!("`helm` failed: {message}")), "{}", result.stderr);
            assert!(result.stderr.contains(&format!("--> {place}\n")), "{}", result.stderr);
        }
    }
    let lines = "environments: {dev: {}}\n";
    let missing = chart(lines, CONFIG_MAP, &[]);
    let dependency =
        "dependencies: [{name: db, version: 1.0.0, repository: \"https://charts.example.com\"}]\n";
    missing.write("web/Chart.yaml", format!("{CHART}{dependency}"));
    for result in with_each(&missing, &["render", "web", "--env", "dev"]) {
        let message =
            "error: dependencies of the chart are not in its directory `charts`: db\n  --> web/Chart.yaml\n";
        assert!(result.stderr.contains(message), "{}", result.stderr);
        assert!(result.stderr.contains("run `helm dependency build web`, and commit"), "{}", result.stderr);
    }
}

#[test]
fn findings_in_overlays_point_at_the_files_of_the_objects() {
    let deployment = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\nunknown: 1\n";
    let tree = app(
        "",
        &[
            ("base/kustomization.yaml", "resources: [web.yaml]\n"),
            ("base/web.yaml", deployment),
            (
                "overlays/dev/kustomization.yaml",
                "resources: [../../base]\nnamePrefix: dev-\nconfigMapGenerator: [{name: more, literals: [a=b]}]\n",
            ),
        ],
    );
    for result in with_each(&tree, &["validate", "web"]) {
        assert_eq!(result.code, 1, "{}{}", result.stdout, result.stderr);
        assert!(result.stdout.contains("--> web/base/web.yaml\n"), "{}", result.stdout);
        assert!(result.stdout.contains("ConfigMap shop/dev-web"), "{}", result.stdout);
    }
}

#[test]
fn remote_bases_are_refused_with_their_place() {
    let tree = app(
        "",
        &[
            ("base/kustomization.yaml", "resources:\n- https://github.com/org/repo//deploy?ref=v1\n"),
            ("overlays/dev/kustomization.yaml", "resources: [../../base]\n"),
        ],
    );
    // It needs no program.
    let stderr = error(&tree, &["render", "web", "--env", "dev"]);
    assert!(stderr.contains("`https://github.com/org/repo//deploy?ref=v1` is remote"), "{stderr}");
    assert!(stderr.contains("--> web/base/kustomization.yaml:2:3"), "{stderr}");
}

#[test]
fn values_are_layered_below_the_files_of_the_chart() {
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: {{ .Values.a }}, b: {{ .Values.b }}, c: {{ .Values.c }}, d: {{ .Values.d }}}\n";
    let lines = "sources: [{helm: {chart: chart, layeredValues: true, valueFiles: [\"extra.yaml\"], values: {d: inline}}}]\n";
    let tree = app(
        lines,
        &[
            ("chart/Chart.yaml", CHART),
            ("chart/templates/a.yaml", template),
            ("chart/values.yaml", "{a: chart, b: chart, c: chart, d: chart}\n"),
            ("values.yaml", "{b: app, c: app, d: app}\n"),
            ("envs/dev/values.yaml", "c: env\n"),
            ("extra.yaml", "d: extra\n"),
        ],
    );
    for result in with_each(&tree, &["render", "web", "--env", "dev", "--output", "json"]) {
        let expected = "\"a\":\"chart\",\"b\":\"app\",\"c\":\"env\",\"d\":\"inline\"";
        assert!(result.stdout.contains(expected), "{}{}", result.stdout, result.stderr);
    }
    for result in with_each(&tree, &["validate", "web"]) {
        assert!(!result.stdout.contains("unused"), "{}", result.stdout);
    }
}

#[test]
fn duplicate_keys_of_charts_are_warnings_and_missing_separators_errors() {
    let lines = "environments: {dev: {}}\n";
    let twice = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n  labels:\n    a: one\n    b: one\n    a: two\n    b: two\n";
    let tree = chart(lines, twice, &[]);
    for result in with_each(&tree, &["render", "web", "--env", "dev"]) {
        assert_eq!(result.code, 0, "{}", result.stderr);
        assert!(result.stdout.contains("a: two\n") && !result.stdout.contains("one"), "{}", result.stdout);
        let message =
            "warning: key `a` is already defined on line 8 (and 1 more)\n  --> web/templates/all.yaml\n";
        assert!(result.stderr.contains(message), "{}", result.stderr);
    }
    for result in with_each(&tree, &["validate", "web"]) {
        assert_eq!(result.code, 0, "{}", result.stdout);
        assert_eq!(result.stdout.matches("warning[yaml/duplicate-key]").count(), 2, "{}", result.stdout);
    }
    let merged = chart(lines, &format!("{CONFIG_MAP}{CONFIG_MAP}"), &[]);
    for result in with_each(&merged, &["render", "web", "--env", "dev"]) {
        assert_eq!(result.code, 2, "{}", result.stdout);
        assert!(result.stderr.contains("`---` is missing before this line"), "{}", result.stderr);
    }
}

#[test]
fn kubectl_renders_overlays_if_kustomize_is_not_installed() {
    let Some(kubectl) = Renderers::kubectl() else { return };
    let tree = app(
        "",
        &[
            ("base/kustomization.yaml", "resources: [web.yaml]\n"),
            ("base/web.yaml", CONFIG_MAP),
            ("overlays/dev/kustomization.yaml", "resources: [../../base]\nnamePrefix: dev-\n"),
        ],
    );
    for (args, code) in [(&["render", "web", "--env", "dev"][..], 0), (&["validate", "web"], 0)] {
        let mut command = command(&tree, args);
        command.env("PATH", kubectl.search_path());
        let result = run(command);
        assert_eq!(result.code, code, "{}{}", result.stdout, result.stderr);
        assert!(args[0] == "validate" || result.stdout.contains("name: dev-web"), "{}", result.stdout);
    }
}

#[test]
fn argo_cd_users_learn_that_errors_outside_of_git_are_cached() {
    let lines = "environments: {dev: {}}\n";
    let overlay = |kustomization: &str| app("", &[("overlays/dev/kustomization.yaml", kustomization)]);
    for (tree, is_cached) in [
        (chart(lines, CONFIG_MAP, &[]), true),
        (overlay("resources: [https://github.com/org/repo]\n"), false),
        (overlay("resources: [\n"), false),
        (app(&format!("sources: [{{helm: {{chart: missing}}}}]\n{lines}"), &[]), false),
        (app(&format!("sources: [{{helm: {{chart: /etc}}}}]\n{lines}"), &[]), false),
    ] {
        let mut command = command(&tree, &["generate", "web", "--operator"]);
        command.arg(operator().join("operator.yaml"));
        command.env("ARGOCD_APP_NAME", "web").env("ARGOCD_APP_PROJECT_NAME", "sources");
        let result = run(command);
        assert_eq!(result.code, 2, "{}", result.stdout);
        assert_eq!(result.stderr.contains("use Hard Refresh"), is_cached, "{}", result.stderr);
    }
}

#[test]
fn files_of_charts_in_overlays_stay_within_the_repository() {
    for field in [
        "helmCharts: [{name: a, valuesFile: ../../../../etc/passwd}]\n",
        "helmCharts: [{name: a, additionalValuesFiles: [a.yaml, /etc/passwd]}]\n",
        "helmGlobals: {chartHome: ../../../../etc}\n",
    ] {
        let tree = app("", &[("overlays/dev/kustomization.yaml", field)]);
        tree.write(".git/HEAD", "");
        let stderr = error(&tree, &["render", "web", "--env", "dev"]);
        assert!(stderr.contains("leaves the repository"), "{field}: {stderr}");
        assert!(stderr.contains("--> web/overlays/dev/kustomization.yaml:1:"), "{field}: {stderr}");
    }
}
