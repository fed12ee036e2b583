//! Tests of discover, load and render with small apps in temporary directories.

use std::fmt::Write as _;
use std::path::Path;

use fs_err as fs;
use sealwave_core::diagnostic::{Failure, Note};
use sealwave_core::document::{Manifest, Sources};
use sealwave_pipeline::{
    Checkout, RenderContext, RenderPurpose, RenderedApp, discover, is_app, load, render, render_sources,
};
use sealwave_programs::{RunHost, Toolbox};
use sealwave_secrets::settings::OperatorTools;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

const APP: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\nenvironments:\n  dev: {}\n";

/// An app with one environment `dev`.
pub(crate) struct App {
    repository: TempDir,
}

/// The result of a run.
pub(crate) struct Outcome {
    pub(crate) result: Result<RenderedApp, Failure>,
    sources: Sources,
    notes: Vec<Note>,
    directory: String,
}

impl App {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let app = Self { repository: TempDir::new().unwrap() };
        fs::create_dir(app.repository.path().join(".git")).unwrap();
        app.write("sealwave.yaml", APP);
        for (path, text) in files {
            app.write(path, text);
        }
        app
    }

    fn template(text: &str, values: &str) -> Self {
        Self::new(&[("base/t.yaml.hbs", text), ("values.yaml", values)])
    }

    pub(super) fn directory(&self) -> std::path::PathBuf {
        self.repository.path().join("app")
    }

    pub(super) fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.directory().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(super) fn link(&self, target: impl AsRef<Path>, path: &str) -> &Self {
        let path = self.directory().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::os::unix::fs::symlink(target, path).unwrap();
        self
    }

    pub(crate) fn run(&self) -> Outcome {
        self.run_as("dev")
    }

    pub(super) fn run_as(&self, environment: &str) -> Outcome {
        let mut sources = Sources::default();
        let mut notes = Vec::new();
        let context = RenderContext {
            capabilities: sealwave_pipeline::ClusterCapabilities::default(),
            environment: environment.into(),
            app: "shop-dev".into(),
            namespace: Some("from-argo".into()),
            cluster: "c1".into(),
            revision: "abc".into(),
        };
        let result = discover(&self.directory(), None).and_then(|found| {
            let loaded = load(&found, environment, &mut sources)?;
            let host = RunHost { temporary: std::env::temp_dir(), guard: None };
            let toolbox = Toolbox::new(OperatorTools::default(), None, host);
            let purpose = RenderPurpose::Output;
            let complete = render_sources(loaded, &context, &toolbox, purpose, &mut sources, &mut notes)?;
            render(complete, &context, &mut sources, &mut notes)
        });
        Outcome { result, sources, notes, directory: format!("{}/", self.directory().display()) }
    }
}

impl Outcome {
    pub(super) fn objects(&self) -> &[Manifest] {
        match &self.result {
            Ok(rendered) => rendered.objects(),
            Err(failure) => panic!("{}", failure.clone().located(&self.sources)),
        }
    }

    pub(crate) fn json(&self) -> Vec<Json> {
        self.objects().iter().map(|object| object.root().to_json()).collect()
    }

    /// Returns `data` of the only object.
    pub(crate) fn data(&self) -> Json {
        self.json()[0]["data"].clone()
    }

    /// Returns the messages with their places, one per line, and the hints.
    pub(crate) fn error(&self) -> String {
        let Err(failure) = &self.result else {
            panic!("no error");
        };
        let failure = failure.clone().located(&self.sources);
        let mut text = String::new();
        for problem in failure.problems() {
            writeln!(text, "{problem}").unwrap();
            if let Some(hint) = &problem.hint {
                writeln!(text, "  hint: {hint}").unwrap();
            }
        }
        text.replace(&self.directory, "")
    }

    pub(super) fn place(&self, object: usize, path: &[&str]) -> String {
        let node = self.objects()[object].root().at(path).unwrap();
        self.sources.location(node.origin).to_string().replace(&self.directory, "")
    }
}

fn map(name: &str, data: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{data}")
}

/// Returns the value of a template expression.
fn evaluate(expression: &str, values: &str) -> Json {
    App::template(&map("c", &format!("  k: {expression}\n")), values).run().data()["k"].clone()
}

fn render_error(expression: &str, values: &str) -> String {
    App::template(&map("c", &format!("  k: {expression}\n")), values).run().error()
}

#[test]
fn values_are_layered() {
    let app = App::template(
        &map(
            "c",
            "  image: {{image.name}}:{{image.tag}}\n  hosts: {{join \",\" hosts}}\n  gone: {{default \"none\" gone}}\n",
        ),
        "image: {name: nginx, tag: '1'}\nhosts: [a, b]\ngone: here\n",
    );
    app.write("envs/dev/values.yaml", "image: {tag: '2'}\nhosts: [c]\ngone: null\n");
    assert_eq!(app.run().data(), json!({"image": "nginx:2", "hosts": "c", "gone": "none"}));
}

#[test]
fn templates_see_the_built_in_names() {
    let app = App::template(
        &map("c", "  k: {{env}} {{app}} {{namespace}} {{cluster}} {{revision}} {{values.env}}\n"),
        "env: hidden\n",
    );
    let outcome = app.run();
    assert_eq!(outcome.data()["k"], "dev shop-dev shop c1 abc hidden");
    assert_eq!(outcome.notes.len(), 1);
    assert_eq!(outcome.notes[0].problem.hint.as_deref(), Some("write `values.env`"));
}

#[test]
fn helpers_do_what_helm_does() {
    let values = "nope: null\nimage: {}\nfeature: {}\ns: a b\nnum: 3\nf: false\nz: 0\nlist: [x, v]\nmap: {b: 1, a: 'yes'}\nempty: ''\nq: say \"it's\"\n";
    for (expression, wanted) in [
        ("{{default \"x\" image.tag}}", json!("x")),
        ("{{default \"x\" s}}", json!("a b")),
        ("{{default \"x\" empty}}", json!("x")),
        ("{{required \"need s\" s}}", json!("a b")),
        ("{{quote num}}", json!("3")),
        ("{{quote q}}", json!("say \"it's\"")),
        ("{{squote q}}", json!("say \"it's\"")),
        ("{{toJson map}}", json!({"b": 1, "a": "yes"})),
        ("{{nindent 4 (toYaml map)}}", json!({"b": 1, "a": "yes"})),
        ("{{nindent 4 (toYaml list)}}", json!(["x", "v"])),
        ("{{get (fromYaml \"a: 017\") \"a\"}}", json!(15)),
        ("{{get (fromJson '{\"a\":1}') \"a\"}}", json!(1)),
        ("{{b64enc s}}", json!("YSBi")),
        ("{{b64dec \"YSBi\"}}", json!("a b")),
        ("{{upper s}}{{lower \"X\"}}", json!("A Bx")),
        ("{{trim \"  a \"}}", json!("a")),
        ("{{trimSuffix \"-\" \"a-\"}}{{trimPrefix \"v\" \"v1\"}}", json!("a1")),
        ("{{replace \" \" \"-\" s}}", json!("a-b")),
        ("{{contains \"a\" s}}", json!(true)),
        ("{{hasPrefix \"b\" s}}", json!(false)),
        ("{{hasSuffix \"b\" s}}", json!(true)),
        ("{{join \"+\" list}}", json!("x+v")),
        ("{{join \"+\" (split \" \" s)}}", json!("a+b")),
        ("{{ternary \"yes!\" \"no!\" (eq num 3)}}", json!("yes!")),
        ("{{ternary \"yes!\" \"no!\" f}}", json!("no!")),
        ("{{coalesce nope empty s}}", json!("a b")),
        ("{{len list}}{{len map}}{{len s}}", json!(223)),
        ("{{add num 4}}", json!(7)),
        ("{{sub num 4}}", json!(-1)),
        ("{{mul num 2}}{{div 7 2}}{{mod 7 2}}", json!(631)),
        ("{{printf \"%s-%d%%\" s num}}", json!("a b-3%")),
        ("{{cat s num}}", json!("a b 3")),
        ("{{#if (and s (not f))}}1{{/if}}", json!(1)),
        ("{{#if (or nope z)}}1{{else}}2{{/if}}", json!(2)),
        (
            "{{#if (gt num 2)}}1{{/if}}{{#if (lt num 2)}}2{{/if}}{{#if (ge num 3)}}3{{/if}}{{#if (le num 3)}}4{{/if}}",
            json!(134),
        ),
        ("{{#if (ne s \"x\")}}1{{/if}}", json!(1)),
        ("{{#if feature.on}}1{{else}}2{{/if}}", json!(2)),
        ("{{#if (hasKey map \"a\")}}1{{/if}}{{#if (hasKey nope \"a\")}}2{{/if}}", json!(1)),
        ("{{get (dict \"a\" num) \"a\"}}{{first (list 1 2)}}{{last (list 1 2)}}", json!(312)),
        ("{{join \"\" (keys map)}}{{join \"\" (sortAlpha (list \"b\" \"a\"))}}", json!("abab")),
        ("{{trunc 1 s}}{{trunc -1 s}}{{repeat 2 \"x\"}}", json!("abxx")),
        ("{{lookup map \"b\"}}{{int \"4\"}}", json!(14)),
        ("{{#each list}}{{@index}}{{this}}{{/each}}", json!("0x1v")),
        ("{{#with map}}{{b}}{{../num}}{{/with}}", json!(13)),
        ("{{s}} & <{{{q}}}>", json!("a b & <say \"it's\">")),
    ] {
        assert_eq!(evaluate(expression, values), wanted, "{expression}");
    }
}

#[test]
fn undefined_values_are_located_with_the_closest_name() {
    assert_eq!(
        render_error("a {{ image.tga }}", "image: {tag: 1}\n"),
        "base/t.yaml.hbs:6:11: value `image.tga` is not defined\n  hint: did you mean `image.tag`?\n"
    );
    assert_eq!(
        render_error("{{upper nope}}", "a: 1\n"),
        "base/t.yaml.hbs:6:14: value `nope` is not defined\n  hint: set it in `values.yaml`, or write `{{default \"…\" nope}}`\n"
    );
    assert!(
        render_error("{{#each nope}}x{{/each}}", "a: 1\n").contains(":6:14: value `nope` is not defined")
    );
    assert!(render_error("{{#if (eq nope 1)}}x{{/if}}", "a: 1\n").contains("value `nope` is not defined"));
}

#[test]
fn template_errors_have_hints_and_contain_no_values() {
    for (expression, wanted) in [
        ("{{image}}", "value `image` is of type object and cannot be printed"),
        ("{{required \"set s\" nope}}", ":6:6: set s"),
        ("{{fail \"stop\"}}", ":6:6: stop"),
        ("{{uper s}}", ":6:8: helper `uper` does not exist\n  hint: did you mean `upper`?"),
        ("{{> labls}}", "partial `labls` does not exist"),
        ("{{#eq s 1}}x{{/eq}}", "helper `eq` is not a block"),
        ("{{indent s}}", "helper `indent` takes 2 arguments, and no named ones"),
        ("{{indent s s}}", "helper `indent` cannot use its argument 1: value is not an integer"),
        ("{{div 1 0}}", "the result is not an integer"),
        ("{{#if s}}x{{/each}}", "block `if` is closed by `each`"),
        ("{{#> x}}a{{/x}}", "partial blocks"),
        ("{{list.foo}}", "list is indexed with `foo`"),
        ("{{\u{10f8f0}leave}}{{\u{10f8f0}leave 1}}", "name contains a private character"),
    ] {
        let error = render_error(expression, "s: hunter2\nimage: {tag: hunter2}\nlist: [hunter2]\n");
        assert!(error.contains(wanted), "{expression}: {error}");
        assert!(error.starts_with("base/t.yaml.hbs:6:"), "{expression}: {error}");
        assert!(!error.contains("hunter2"), "{expression}: {error}");
    }
}

#[test]
fn an_unclosed_tag_is_an_error() {
    let error = render_error("{{s.[0].x", "s: 1\n");
    assert!(error.starts_with("base/t.yaml.hbs:6:6: tag is not closed"), "{error}");
}

#[test]
fn rendered_lines_map_to_template_lines() {
    let text = "\
{{!-- a comment --}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: c
  labels:
    {{> labels app=\"x\"}}
data:
{{#each list}}
  {{this}}: [one,
    two,
    {{this}}]
{{/each}}
{{#if nope}}
  a: b
{{else if ok}}

  c: {{nindent 4 (toYaml map)}}
{{else}}
  d: e
{{/if}}
  f: x {{~ upper \"g\" }}
  h: i
";
    let app = App::template(text, "nope: false\nlist: [x, z]\nok: true\nmap: {k: 1, m: 2}\n");
    app.write("base/_labels.hbs", "app: {{app}}\nteam: t\n");
    let outcome = app.run();
    let place = |path: &[&str]| {
        let place = outcome.place(0, path);
        place.split(" (").next().unwrap().to_owned()
    };
    assert_eq!(place(&["apiVersion"]), "base/t.yaml.hbs:2");
    assert_eq!(place(&["metadata", "name"]), "base/t.yaml.hbs:5");
    assert_eq!(place(&["metadata", "labels", "app"]), "base/_labels.hbs:1");
    assert_eq!(place(&["metadata", "labels", "team"]), "base/_labels.hbs:2");
    assert_eq!(place(&["data", "x"]), "base/t.yaml.hbs:10");
    assert_eq!(place(&["data", "z"]), "base/t.yaml.hbs:10");
    let nested = outcome.objects()[0].root().at(&["data", "z"]).unwrap();
    let nested = outcome.sources.location(nested.items()[2].origin).to_string();
    assert!(nested.contains("base/t.yaml.hbs:12 ("), "{nested}");
    assert_eq!(place(&["data", "c", "k"]), "base/t.yaml.hbs:18");
    assert_eq!(place(&["data", "c", "m"]), "base/t.yaml.hbs:18");
    assert_eq!(place(&["data", "f"]), "base/t.yaml.hbs:22");
    assert_eq!(place(&["data", "h"]), "base/t.yaml.hbs:23");
    assert!(outcome.place(0, &["data", "h"]).contains("(rendered line "));
}

#[test]
fn invalid_rendered_yaml_is_located_in_the_template() {
    let app = App::new(&[
        ("values.yaml", "list: [1, 2]\nbad: 'a: b: [hunter2'\n"),
        (
            "base/t.yaml.hbs",
            &format!("{{{{#each list}}}}\n# {{{{this}}}}\n{{{{/each}}}}\n{}", map("c", "  k: {{bad}}\n")),
        ),
        ("base/_p.hbs", "# a\nk: {{bad}}\n"),
        ("base/u.yaml.hbs", "a: 1\n{{> p}}\n"),
    ]);
    let error = app.run().error();
    assert!(error.contains("base/t.yaml.hbs:9 (rendered line 8, column "), "{error}");
    assert!(error.contains("base/_p.hbs:2 (rendered line 3, column "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn plain_yaml_keeps_its_braces() {
    let external = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: e}\nspec:\n  target:\n    template:\n      data:\n        p: \"{{ .secrets_properties_file_content }}\"\n";
    let outcome = App::new(&[("base/e.yaml", external)]).run();
    assert_eq!(
        outcome.json()[0]["spec"]["target"]["template"]["data"]["p"],
        "{{ .secrets_properties_file_content }}"
    );
}

#[test]
fn templates_can_write_braces() {
    assert_eq!(evaluate(r#""\{{ .x }}""#, "a: 1\n"), "{{ .x }}");
    assert_eq!(evaluate("\"{{{{raw}}}}{{ .x }}{{{{/raw}}}}\"", "a: 1\n"), "{{ .x }}");
}

#[test]
fn files_are_read_in_order() {
    let app = App::new(&[
        ("envs/dev/a.yaml", &map("env", "  a: b\n")),
        ("base/b.yaml", &format!("{}---\n{}", map("two", "  a: b\n"), map("three", "  a: b\n"))),
        ("base/a/z.json", "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"one\"}}"),
        ("base/.hidden.yaml", "not: a manifest\n"),
        ("base/README.md", "# nothing\n"),
        ("envs/dev/.argocd-source.yaml", "a: b\n"),
        ("envs/prod/x.yaml", &map("other", "  a: b\n")),
    ]);
    let outcome = app.run();
    let names: Vec<_> = outcome.objects().iter().map(Manifest::name).collect();
    assert_eq!(names, ["one", "two", "three", "env"]);
}

#[test]
fn crlf_and_byte_order_marks_are_read() {
    let app = App::new(&[]);
    app.write("base/a.yaml", format!("\u{feff}{}", map("a", "  k: v\n").replace('\n', "\r\n")));
    app.write(
        "base/b.yaml.hbs",
        format!("\u{feff}{}", map("b", "{{#if ok}}\n  k: {{v}}\n{{/if}}\n").replace('\n', "\r\n")),
    );
    app.write("values.yaml", "\u{feff}ok: true\r\nv: w\r\n");
    let outcome = app.run();
    assert_eq!(outcome.json()[0]["data"]["k"], "v");
    assert_eq!(outcome.json()[1]["data"]["k"], "w");
    assert!(outcome.place(1, &["data", "k"]).starts_with("base/b.yaml.hbs:7"));
}

#[test]
fn partials_are_the_apps_own_and_the_environment_may_replace_them() {
    let app = App::new(&[
        ("base/t.yaml.hbs", &map("c", "  a: {{> one}}\n  b: {{> web/two x=\"1\"}}\n")),
        ("partials/one.hbs", "shared"),
        ("partials/web/two.yaml.hbs", "two{{x}}"),
        ("envs/dev/_one.hbs", "own"),
    ]);
    assert_eq!(app.run().data(), json!({"a": "own", "b": "two1"}));
}

fn render_patched(patches: &str, files: &[(&str, &str)]) -> Outcome {
    let app = App::new(files);
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 1\n  template: {a: b}\n";
    app.write("base/web.yaml", deployment);
    app.write(
        "sealwave.yaml",
        format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nenvironments:\n  dev:\n    patches:\n{patches}"
        ),
    );
    app.run()
}

#[test]
fn patches_of_both_kinds_change_objects_and_keep_positions() {
    let outcome = render_patched(
        "      - target: {kind: Deployment, name: web, namespace: from-argo}\n        file: envs/dev/patches/web.yaml\n      - target: {group: apps}\n        patch:\n          metadata: {labels: {x: z}}\n          spec: {template: null}\n",
        &[(
            "envs/dev/patches/web.yaml",
            "- op: replace\n  path: /spec/replicas\n  value: 3\n- {op: add, path: /spec/paused, value: true}\n",
        )],
    );
    assert_eq!(
        outcome.json(),
        [
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "from-argo", "labels": {"x": "z"}}, "spec": {"replicas": 3, "paused": true}})
        ]
    );
    assert!(outcome.place(0, &["metadata", "name"]).starts_with("base/web.yaml:4:"));
    assert_eq!(outcome.place(0, &["spec", "replicas"]), "envs/dev/patches/web.yaml:3:10");
    assert_eq!(outcome.place(0, &["spec", "paused"]), "envs/dev/patches/web.yaml:4:40");
    assert!(outcome.place(0, &["metadata", "labels"]).starts_with("sealwave.yaml:10:"));
}

#[test]
fn a_patch_of_another_environment_is_not_a_manifest() {
    let app = App::new(&[("base/a.yaml", &map("a", "  k: v\n")), ("base/prod-patch.yaml", "data: {k: w}\n")]);
    app.write(
        "sealwave.yaml",
        format!("{APP}  prod: {{patches: [{{target: {{}}, file: ./base/prod-patch.yaml}}]}}\n"),
    );
    assert_eq!(app.run().data(), json!({"k": "v"}));
    assert_eq!(app.run_as("prod").data(), json!({"k": "w"}));
}

#[test]
fn patches_that_do_not_apply_are_errors() {
    for (patch, wanted) in [
        (
            "{target: {kind: Deploymnt}, patch: {a: b}}",
            "sealwave.yaml:6:9: patch does not match any object (kind `Deploymnt`)",
        ),
        (
            "{target: {}, patch: [{op: replace, path: /spec/nope, value: hunter2}]}",
            "operation 0 at `/spec/nope` failed: the path does not exist",
        ),
        (
            "{target: {}, patch: [{op: test, path: /spec/replicas, value: hunter2}]}",
            "operation 0 at `/spec/replicas` failed: the value is different",
        ),
        ("{target: {}, patch: [{op: set, path: /a}]}", "operation 0 is not a JSON Patch operation"),
        ("{target: {}, patch: hunter2}", "patch is of type string"),
        (
            "{target: {}, patch: {kind: null}}",
            "result of the patch is not a Kubernetes object: `kind` is missing",
        ),
        ("{patch: {spec: {replicas: 2}}}", "patch has no `target`"),
        ("{target: {}}", "patch has neither `file` nor `patch`"),
        ("{target: {}, file: a, patch: {}}", "patch has both `file` and `patch`"),
        (
            "{target: {}, file: nope.yaml}",
            "sealwave.yaml:6:28: patch file `nope.yaml` cannot be read: file not found",
        ),
        ("{target: {}, file: ../../x}", "sealwave.yaml:6:28: path leaves the repository"),
        ("{target: {}, file: /etc/passwd}", "sealwave.yaml:6:28: path is absolute"),
    ] {
        let error = render_patched(&format!("      - {patch}\n"), &[]).error();
        assert!(error.contains(wanted), "{patch}: {error}");
        assert!(!error.contains("hunter2"), "{patch}: {error}");
    }
}

#[test]
fn patches_in_the_form_of_kustomize_get_the_form_to_write() {
    let named = "apiVersion: apps/v1, kind: Deployment, metadata: {name: web}";
    for (patch, hint) in [
        (format!("{{patch: {{{named}}}}}"), "add `target: {kind: Deployment, name: web}`"),
        ("{patch: {kind: \"a\\nb\"}}".to_owned(), "add `target: {kind: KIND, name: NAME}`"),
        ("{target: {}, patch: '- op: remove'}".to_owned(), "without `|` or quotes"),
    ] {
        let error = render_patched(&format!("      - {patch}\n"), &[]).error();
        assert!(error.contains(hint), "{patch}: {error}");
    }
}

#[test]
fn duplicate_objects_are_errors() {
    let app = App::new(&[
        ("base/a.yaml", &map("x", "  a: b\n")),
        (
            "base/job.yaml",
            "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: j-}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {generateName: j-}\n",
        ),
        ("envs/dev/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: shop}\n"),
    ]);
    let error = app.run().error();
    assert!(error.starts_with("envs/dev/a.yaml:1:1: ConfigMap `shop/x` is already defined at "), "{error}");
    assert!(error.contains("base/a.yaml:1:1"), "{error}");
}

#[test]
fn namespaces_follow_the_scope() {
    let app = App::new(&[(
        "base/a.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns, namespace: x}\n---\napiVersion: e.com/v1\nkind: Zone\nmetadata: {name: z}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: zones.e.com}\nspec: {group: e.com, scope: Cluster, names: {kind: Zone}}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: other}\n",
    )]);
    let outcome = app.run();
    let namespaces: Vec<_> = outcome.objects().iter().map(Manifest::namespace).collect();
    assert_eq!(namespaces, ["", "", "", "shop", "other"]);
    assert_eq!(outcome.notes.len(), 1);
}

#[test]
fn documents_that_are_not_objects_are_errors() {
    for (text, wanted) in [
        ("a: b\n", "document is not a Kubernetes object: `apiVersion` is missing"),
        ("- a\n", "document is not a Kubernetes object: the document is of type array"),
        (
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nmetadata: {name: x}\n",
            "object of `sealwave.dev` is not a manifest",
        ),
        ("# nothing\n", "environment `dev` renders no objects"),
    ] {
        let error = App::new(&[("base/a.yaml", text)]).run().error();
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn links_stay_in_the_repository() {
    let good = map("good", "  a: b\n");
    for (target, wanted) in [
        ("/etc/passwd", "base/x.yaml: link is absolute"),
        ("../../../../../../../../../../etc/passwd", "base/x.yaml: link leaves the repository"),
        ("../../../nothing-here", "base/x.yaml: link leaves the repository"),
        ("x.yaml", "base/x.yaml: "),
        ("nothing", "base/x.yaml: file not found"),
    ] {
        let app = App::new(&[("base/a.yaml", &good)]);
        app.link(target, "base/x.yaml");
        let error = app.run().error();
        assert!(error.contains(wanted), "{target}: {error}");
        assert!(!error.contains("root:"), "{target}: {error}");
    }
    let app = App::new(&[("base/a.yaml", &good)]);
    app.link("..", "base/up");
    assert!(app.run().error().contains("link points to one of its parent directories"));
    let app = App::new(&[]);
    fs::create_dir(app.repository.path().join("shared")).unwrap();
    fs::write(app.repository.path().join("shared/a.yaml"), &good).unwrap();
    app.link("../../shared", "base/shared");
    assert_eq!(app.run().objects().len(), 1);
    app.link("../../../..", "envs/dev/out");
    assert!(app.run().error().contains("envs/dev/out: link leaves the repository"));
    let app = App::new(&[("base/a.yaml", &good)]);
    app.link("../../..", "envs");
    let error = app.run().error();
    assert_eq!(
        error,
        "envs: environments directory leaves the repository\n  hint: keep everything that an app uses in its own repository\n"
    );
    let app = App::new(&[]);
    app.link("../../../../../../etc", "envs/dev");
    let error = app.run().error();
    assert!(error.contains("envs/dev: link leaves the repository"), "{error}");
}

#[test]
fn text_that_is_not_utf8_and_special_files_are_errors() {
    let app = App::new(&[]);
    app.write("base/a.yaml", b"# \xc3\xa4\na\xc3\xa4: \xff\n");
    assert!(app.run().error().contains("base/a.yaml:2:5: text is not valid UTF-8"));
    let app = App::new(&[]);
    fs::create_dir_all(app.directory().join("base")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(app.directory().join("base/s.yaml")).unwrap();
    assert!(app.run().error().contains("base/s.yaml: path is neither a file nor a directory"));
}

#[test]
fn bombs_end_in_errors() {
    let list = format!("list: [{}]\n", vec!["x"; 1000].join(", "));
    let nested = |body: &str| {
        format!(
            "{{{{#each list}}}}{{{{#each @root.list}}}}{{{{#each @root.list}}}}{body}{{{{/each}}}}{{{{/each}}}}{{{{/each}}}}"
        )
    };
    assert!(render_error(&nested(""), &list).contains("templates take too many steps"));
    assert!(render_error(&nested(&"y".repeat(1000)), &list).contains("renders to more than"));
    assert!(
        render_error("{{repeat 1000000000 \"x\"}}", "a: 1\n")
            .contains("result of helper `repeat` takes 1000000000 bytes; at most 8388608 are allowed")
    );
    assert!(
        render_error("{{indent 1000000000 \"x\"}}", "a: 1\n")
            .contains("result of helper `indent` takes 1000000001 bytes")
    );
    let grow =
        (0..10).fold("\"a\"".to_owned(), |text, _| format!("(replace \"a\" \"{}\" {text})", "a".repeat(50)));
    assert!(
        render_error(&format!("{{{{upper {grow}}}}}"), "a: 1\n").contains("result of helper `replace` takes")
    );
    let deep = format!("{}x{}", "{{#if a}}".repeat(200), "{{/if}}".repeat(200));
    assert!(render_error(&deep, "a: 1\n").contains("blocks are nested more than 64 deep"));
    let calls = format!("{{{{upper {}a{}}}}}", "(upper ".repeat(60), ")".repeat(60));
    assert!(render_error(&calls, "a: x\n").contains("calls are nested more than 16 deep"));
    let calls = format!("{{{{upper {}a{}}}}}", "(upper ".repeat(50_000), ")".repeat(50_000));
    assert!(render_error(&calls, "a: x\n").contains("tag has more than 128 brackets"));
    let blocks = format!("{}x{}", "{{#if a}}".repeat(20_000), "{{/if}}".repeat(20_000));
    assert!(render_error(&blocks, "a: 1\n").contains("template"));
}

#[test]
fn partials_that_include_themselves_end_in_errors() {
    let app = App::new(&[
        ("base/t.yaml.hbs", &map("c", "  a: {{> one}}\n")),
        ("partials/one.hbs", "{{#if env}}{{/if}}{{> two}}"),
        ("partials/two.hbs", "x{{#if true}}{{> one}}{{/if}}"),
    ]);
    assert!(app.run().error().contains("partials and blocks are nested too deep"));
    let app =
        App::new(&[("base/t.yaml.hbs", &map("c", "  a: {{> one}}\n")), ("partials/one.hbs", "{{> one}}")]);
    assert!(app.run().error().contains("partials and blocks are nested too deep"));
}

#[test]
fn the_app_file_is_checked() {
    let head = "apiVersion: sealwave.dev/v1alpha1\nkind: App\n";
    for (text, wanted) in [
        (
            "apiVersion: v1\nkind: App\n".to_owned(),
            "sealwave.yaml:1:13: `apiVersion` must be `sealwave.dev/v1alpha1`",
        ),
        (
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\n".to_owned(),
            "sealwave.yaml:2:7: `kind` must be `App`",
        ),
        (format!("{head}namespce: hunter2\n"), "sealwave.yaml:3:1: unknown field `namespce`"),
        (format!("{head}backend: hunter2\n"), "sealwave.yaml:3:10: `backend`: unknown value"),
        (
            format!("{head}namespace: Shop_1\n"),
            "sealwave.yaml:3:1: `namespace`: wrong value, expected a namespace name",
        ),
        (
            format!("{head}environments: {{dev: {{namespace: a.b}}}}\n"),
            "sealwave.yaml:3:22: `environments.dev.namespace`: wrong value",
        ),
        (format!("{head}environments: {{Dev_: {{}}}}\n"), "environment name is not valid"),
        (format!("{head}environments: {{no: {{}}}}\n"), "sealwave.yaml:3:16: key is read as `false`"),
        (format!("{head}---\na: b\n"), "sealwave.yaml:4:1: app file holds 2 documents, not one"),
        (format!("{head}{}", " ".repeat(2 << 20)), "app file is larger than"),
    ] {
        let app = App::new(&[]);
        app.write("sealwave.yaml", &text);
        let error = app.run().error();
        assert!(error.contains(wanted), "{wanted}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn environments_are_declared_or_directories() {
    let app =
        App::new(&[("envs/prod/a.yaml", &map("p", "  a: b\n")), ("base/b.yaml", &map("b", "  a: b\n"))]);
    let found = discover(&app.directory(), None).unwrap();
    assert_eq!(found.environments().collect::<Vec<_>>(), ["dev", "prod"]);
    assert_eq!(app.run_as("dev").objects().len(), 1);
    assert_eq!(app.run_as("prod").objects().len(), 2);
    let error = app.run_as("prdo").error();
    assert_eq!(
        error,
        "sealwave.yaml: environment `prdo` does not exist; known environments: `dev`, `prod`\n  hint: did you mean `prod`?\n"
    );
}

#[test]
fn strings_stay_strings_through_to_yaml() {
    let words = json!([
        "yes",
        "017",
        "1e3",
        "null",
        "~",
        "a: b",
        "- x",
        "",
        " ",
        "two\nlines\n",
        "{{ .x }}",
        "0x1",
        "on"
    ]);
    let values = format!("words: {words}\n");
    assert_eq!(evaluate("{{nindent 4 (toYaml words)}}", &values), words);
    assert_eq!(evaluate("{{toJson words}}", &values), words);
    assert_eq!(evaluate("{{#each words}}{{#if @last}}{{quote this}}{{/if}}{{/each}}", &values), "on");
}

#[test]
fn the_boundary_is_as_narrow_as_known() {
    let app = App::new(&[]);
    let repository = fs::canonicalize(app.repository.path()).unwrap();
    let directory = app.directory();
    assert_eq!(discover(&directory, None).unwrap().boundary(), repository);
    fs::remove_dir(repository.join(".git")).unwrap();
    assert_eq!(discover(&directory, None).unwrap().boundary(), repository.join("app"));
    for (source, boundary) in [
        ("app", repository.clone()),
        (".", repository.join("app")),
        ("team/app", repository.clone()),
        ("team/other", repository.join("app")),
        ("../app", repository.join("app")),
    ] {
        let checkout = Checkout { source_path: Some(source.to_owned()), work_directory: None };
        assert_eq!(discover(&directory, Some(&checkout)).unwrap().boundary(), boundary, "{source}");
    }
}

#[test]
fn files_that_are_too_deep_or_too_large_are_errors() {
    let app = App::new(&[("base/a.yaml", &map("a", "  k: v\n"))]);
    app.write("values.yaml", format!("a: {}{}\n", "[".repeat(300), "]".repeat(300)));
    let error = app.run().error();
    assert!(error.starts_with("values.yaml:1:"), "{error}");
    let app = App::new(&[]);
    app.write("base/a.yaml", vec![b'#'; 11 << 20]);
    assert!(app.run().error().starts_with("base/a.yaml: file is larger than"));
    let app = App::new(&[]);
    app.write(&format!("base/{}a.yaml", "d/".repeat(40)), map("a", "  k: v\n"));
    assert!(app.run().error().contains("directories are nested more than 32 deep"));
}

#[test]
fn values_must_be_one_mapping() {
    for (values, wanted) in [
        ("- a\n", "values.yaml:1:1: values are of type array, not object"),
        ("a: 1\n---\nb: 2\n", "values.yaml:3:1: values file holds 2 documents, not one"),
        ("a: 1\na: 2\n", "values.yaml:2:1: "),
    ] {
        let error = App::template(&map("a", "  k: v\n"), values).run().error();
        assert!(error.starts_with(wanted), "{error}");
    }
    assert_eq!(App::template(&map("a", "  k: v\n"), "# nothing\n").run().objects().len(), 1);
}

#[test]
fn shadowed_names_and_stray_files_are_reported() {
    let app =
        App::new(&[("base/a.yaml", &map("a", "  k: v\n")), ("base/_x.hbs", "x"), ("base/_x.yaml.hbs", "x")]);
    assert!(app.run().error().starts_with("base/_x.yaml.hbs: partial `x` is already defined in"));
    let app = App::new(&[("base/a.yaml", &map("a", "  k: v\n")), ("base/nginx.conf.hbs", "x")]);
    let outcome = app.run();
    assert_eq!(outcome.objects().len(), 1);
    assert!(outcome.notes[0].problem.message.starts_with("template is ignored"));
}

#[test]
fn only_directories_with_an_app_file_are_apps() {
    let app = App::new(&[]);
    assert!(is_app(&app.directory()));
    assert!(!is_app(app.repository.path()));
    app.write("sealwave.yaml", "apiVersion: v1\nkind: ConfigMap\n");
    assert!(!is_app(&app.directory()));
    let error = discover(app.repository.path(), None).unwrap_err().to_string();
    assert!(error.ends_with("sealwave.yaml: `sealwave.yaml` cannot be read: file not found"), "{error}");
}

#[test]
fn rendering_is_deterministic() {
    let app = App::template(
        &map("c", "{{#each map}}\n  {{@key}}: {{this}}\n{{/each}}\n"),
        "map: {z: 1, a: 2, m: 3}\n",
    );
    assert_eq!(app.run().json(), app.run().json());
    let outcome = app.run();
    let keys: Vec<_> = outcome.data().as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["z", "a", "m"]);
}
