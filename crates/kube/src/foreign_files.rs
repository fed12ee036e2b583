//! Files of other tools that lie among manifests: what they are, and what to do with them.
//!
//! One table for rendering and for validation. A row looks at names of files and of fields only; it must never show a value.

use sealwave_core::document::{Entry, Manifest, Mapping, Node, Value};

/// A kind of file that is not a manifest.
#[derive(Debug, PartialEq, Eq)]
pub struct ForeignFile {
    /// What it is, as the subject of a message.
    pub what: &'static str,
    /// What to do with it.
    pub remedy: &'static str,
}

/// A document that may be a foreign one.
struct Document<'a> {
    /// The name of its file, without directories.
    file: &'a str,
    root: &'a Node,
    api_version: &'a str,
    kind: &'a str,
}

impl Document<'_> {
    fn has(&self, field: &str) -> bool {
        self.root.get(field).is_some()
    }

    fn is_text(&self, field: &str) -> bool {
        self.root.get(field).is_some_and(|node| node.as_str().is_some())
    }

    fn is_list(&self, field: &str) -> bool {
        self.root.get(field).is_some_and(|node| node.as_sequence().is_some())
    }

    fn is_map(&self, field: &str) -> bool {
        self.root.get(field).is_some_and(|node| node.as_mapping().is_some())
    }

    /// Returns the document where it is one text.
    fn text(&self) -> &str {
        self.root.as_str().unwrap_or("")
    }

    /// Returns whether it says neither what it is nor in which version.
    fn is_unnamed(&self) -> bool {
        self.kind.is_empty() && self.api_version.is_empty()
    }

    fn is_called(&self, stem: &str) -> bool {
        let (name, extension) = self.file.rsplit_once('.').unwrap_or((self.file, ""));
        name.eq_ignore_ascii_case(stem) && matches!(extension, "yaml" | "yml" | "json")
    }

    /// Returns whether each item of a list has all these fields.
    fn lists(&self, fields: &[&str]) -> bool {
        let items = self.root.items();
        !items.is_empty() && items.iter().all(|item| fields.iter().all(|field| item.get(field).is_some()))
    }
}

const RENDER_FIRST: &str =
    "render it first and commit the result, or move the file out of the directory of manifests";
const MOVE: &str = "move the file out of the directory of manifests";
const CONFIG_MAP: &str =
    "put it into a ConfigMap, as a text in `data`, or move the file out of the directory of manifests";
const PATCH: &str = "name the file under `patches` of an environment in `sealwave.yaml`, or move it out of the directory of manifests";
const PART: &str = "if it is a patch, name the file under `patches` of an environment in `sealwave.yaml`; if it is an object, add `apiVersion` and `kind`";
const SOPS: &str = "move the file out of the directory of manifests, and refer to its values from a Secret: `<sops:FILE#KEY>`";

/// A row: how to know such a file, and what to say.
type Row = (fn(&Document<'_>) -> bool, ForeignFile);

const fn row(is: fn(&Document<'_>) -> bool, what: &'static str, remedy: &'static str) -> Row {
    (is, ForeignFile { what, remedy })
}

/// Files that may be whole objects, with a kind and a name, and yet are for a tool.
static TOOLS: [Row; 2] = [
    row(is_kustomize, "a configuration of Kustomize", RENDER_FIRST),
    row(|of| of.api_version.starts_with("skaffold/"), "a configuration of Skaffold", MOVE),
];

/// Files that lack what every object has.
static FILES: [Row; 35] = [
    row(
        |of| of.text().starts_with("$ANSIBLE_VAULT;"),
        "a file that Ansible Vault encrypted",
        "move the file out of the directory of manifests; sealwave does not decrypt it",
    ),
    row(
        |of| of.text().starts_with("version https://git-lfs.github.com/"),
        "a pointer of Git LFS, whose content was not fetched,",
        "commit manifests without Git LFS (see `.gitattributes`)",
    ),
    row(
        |of| matches!(of.kind, "App" | "Operator") && of.api_version.starts_with("sealwave.dev/"),
        "a configuration of sealwave",
        "an app file is `sealwave.yaml` at the top of the app; an operator file belongs to the sidecar, not to the repository",
    ),
    row(|of| of.has("sops") && is_sops(of.root), "a file that SOPS encrypted", SOPS),
    row(|of| of.is_list("creation_rules"), "a configuration of SOPS", MOVE),
    row(|of| of.has("$patch"), "a patch", PATCH),
    row(|of| of.lists(&["op", "path"]), "a JSON Patch", PATCH),
    row(
        |of| of.lists(&["apiVersion", "kind"]),
        "a list of objects",
        "write the objects one after another, with `---` between them, or as `items` of `kind: List`",
    ),
    row(|of| of.is_unnamed() && of.is_map("terraform"), "a configuration of Terraform", MOVE),
    row(|of| of.has("AWSTemplateFormatVersion"), "a template of CloudFormation", MOVE),
    row(
        |of| of.is_unnamed() && of.file.eq_ignore_ascii_case("jsonnetfile.json"),
        "a configuration of jsonnet-bundler",
        MOVE,
    ),
    row(|of| of.is_unnamed() && of.is_map("compilerOptions"), "a configuration of TypeScript", MOVE),
    row(|of| of.is_unnamed() && of.is_text("site_name"), "a configuration of MkDocs", MOVE),
    row(
        |of| of.is_unnamed() && of.is_list("updates") && of.has("version"),
        "a configuration of Dependabot",
        MOVE,
    ),
    row(
        |of| of.is_unnamed() && of.is_map("service") && (of.has("exporters") || of.has("receivers")),
        "a configuration of the OpenTelemetry Collector",
        CONFIG_MAP,
    ),
    row(|of| of.is_unnamed() && of.is_map("static_resources"), "a configuration of Envoy", CONFIG_MAP),
    // A Helmfile may list `bases` too.
    row(|of| of.is_unnamed() && of.is_list("releases"), "a configuration of Helmfile", RENDER_FIRST),
    row(is_unnamed_kustomize, "a configuration of Kustomize", RENDER_FIRST),
    row(is_chart, "the metadata of a Helm chart", RENDER_FIRST),
    row(|of| of.is_unnamed() && is_values(of.file), "a file of Helm values", RENDER_FIRST),
    row(|of| of.file.starts_with(".argocd-source"), "a file of parameters for Argo CD", MOVE),
    row(
        |of| of.kind == "Config" && of.api_version == "v1" && (of.has("clusters") || of.has("users")),
        "a kubeconfig, which may hold credentials,",
        "keep it out of the repository",
    ),
    row(is_dashboard, "a dashboard of Grafana", CONFIG_MAP),
    row(
        |of| of.is_unnamed() && of.is_list("groups") && !of.has("name"),
        "a file of Prometheus rules",
        "put its `groups` into the `spec` of a PrometheusRule, or into a ConfigMap as a text in `data`",
    ),
    row(|of| of.is_unnamed() && of.is_list("scrape_configs"), "a configuration of Prometheus", CONFIG_MAP),
    row(
        |of| of.is_unnamed() && of.is_map("route") && of.is_list("receivers"),
        "a configuration of Alertmanager",
        "put it into a Secret, as a text in `stringData`, or move the file out of the directory of manifests",
    ),
    // YAML 1.1 reads the key `on` as a boolean.
    row(
        |of| of.is_unnamed() && of.is_map("jobs") && (of.has("true") || of.has("on")),
        "a workflow of GitHub Actions",
        MOVE,
    ),
    row(|of| of.is_unnamed() && of.is_map("runs") && of.is_text("name"), "an action of GitHub Actions", MOVE),
    row(
        |of| of.is_unnamed() && (of.is_list("stages") || of.file.starts_with(".gitlab-ci")),
        "a pipeline of a CI system",
        MOVE,
    ),
    row(
        |of| {
            of.is_unnamed()
                && (of.is_map("services") || of.is_called("docker-compose") || of.is_called("compose"))
        },
        "a Compose file",
        "convert it to manifests (for example with `kompose`), or move the file out of the directory of manifests",
    ),
    row(
        |of| {
            of.is_unnamed()
                && (of.is_text("$schema")
                    && (of.has("properties") || of.has("definitions") || of.has("$defs")))
        },
        "a JSON Schema",
        MOVE,
    ),
    row(
        |of| {
            of.is_unnamed() && (of.has("openapi") || of.has("swagger")) && (of.has("info") || of.has("paths"))
        },
        "an OpenAPI document",
        MOVE,
    ),
    row(
        |of| of.is_unnamed() && of.is_text("name") && (of.is_map("scripts") || of.is_map("dependencies")),
        "a package of npm",
        MOVE,
    ),
    row(|of| of.lists(&["hosts"]), "a playbook of Ansible", MOVE),
    row(is_part, "a part of an object, without `apiVersion` and `kind`,", PART),
];

/// Templates, which are not YAML before they are rendered: what shows that a text with `{{` or `{%` is one.
static TEMPLATES: [(&[&str], ForeignFile); 3] = [
    (
        &[
            ".Values.",
            ".Release.",
            ".Chart.",
            ".Capabilities.",
            "{{- ",
            "{{ end",
            "include \"",
            "template \"",
            "toYaml ",
        ],
        ForeignFile { what: "a Helm template", remedy: RENDER_FIRST },
    ),
    (&["{%"], ForeignFile { what: "a Jinja template", remedy: RENDER_FIRST }),
    (
        &["{{"],
        ForeignFile {
            what: "a template",
            remedy: "sealwave renders files whose names end in `.hbs`; quote `{{ … }}` that is meant as text",
        },
    ),
];

/// Texts that are no YAML at all, or no longer: a line that only they have, and what it is.
static MARKS: [(&str, ForeignFile); 3] = [
    (
        "-----BEGIN AGE ENCRYPTED FILE-----",
        ForeignFile {
            what: "a file that age encrypted",
            remedy: "move the file out of the directory of manifests; sealwave reads age through files of SOPS",
        },
    ),
    ("-----BEGIN PGP MESSAGE-----", ForeignFile { what: "a file that PGP encrypted", remedy: MOVE }),
    (
        "<<<<<<< ",
        ForeignFile {
            what: "a file with an unresolved merge conflict",
            remedy: "resolve it, and remove the lines that start with `<<<<<<<`, `=======` and `>>>>>>>`",
        },
    ),
];

/// Bytes of a text that are searched for signs of a template.
const MAX_SEARCHED: usize = 256 << 10;

impl ForeignFile {
    /// Recognizes a document that is no object, by its fields and the path of its file.
    pub fn of(root: &Node, path: &str) -> Option<&'static Self> {
        let document = document(root, path);
        TOOLS.iter().chain(&FILES).find(|(is, _)| is(&document)).map(|(_, found)| found)
    }

    /// Recognizes a document that has all that an object has, and yet is for a tool.
    pub fn of_object(root: &Node) -> Option<&'static Self> {
        let document = document(root, "");
        TOOLS.iter().find(|(is, _)| is(&document)).map(|(_, found)| found)
    }

    /// Recognizes a text that cannot be YAML by the start of one of its lines.
    pub fn of_mark(text: &str) -> Option<&'static Self> {
        let text = text.get(..text.floor_char_boundary(MAX_SEARCHED))?;
        let has = |mark: &str| text.lines().any(|line| line.starts_with(mark));
        MARKS.iter().find(|(mark, _)| has(mark)).map(|(_, found)| found)
    }

    /// Recognizes a text that is not YAML.
    pub fn of_text(text: &str) -> Option<&'static Self> {
        let end = text.floor_char_boundary(MAX_SEARCHED);
        let text = text.get(..end)?.as_bytes();
        let has = |sign: &str| memchr::memmem::find(text, sign.as_bytes()).is_some();
        if !has("{{") && !has("{%") {
            return None;
        }
        let is = |signs: &[&str]| signs.iter().any(|sign| has(sign));
        TEMPLATES.iter().find(|(signs, _)| is(signs)).map(|(_, found)| found)
    }
}

fn document<'a>(root: &'a Node, path: &'a str) -> Document<'a> {
    let text = |field| root.get(field).and_then(Node::as_str).unwrap_or("");
    let file = path.rsplit('/').next().unwrap_or(path);
    Document { file, root, api_version: text("apiVersion"), kind: text("kind") }
}

fn is_kustomize(of: &Document<'_>) -> bool {
    of.api_version == "builtin" || of.api_version.starts_with("kustomize.config.k8s.io/")
}

/// Kustomize also takes its file without an `apiVersion`, and without a `kind`.
fn is_unnamed_kustomize(of: &Document<'_>) -> bool {
    let lists = ["resources", "bases", "patchesStrategicMerge", "configMapGenerator", "secretGenerator"];
    // Other tools list patches as texts.
    let has_patches = || {
        let patches = of.root.get("patches").map_or(&[][..], Node::items);
        !patches.is_empty() && patches.iter().all(|patch| patch.as_mapping().is_some())
    };
    let is_called = of.file == "Kustomization" || of.is_called("kustomization");
    of.is_unnamed() && (is_called || has_patches() || lists.iter().any(|field| of.is_list(field)))
        || of.api_version.is_empty() && matches!(of.kind, "Kustomization" | "Component")
}

/// A dashboard as Grafana exports it, and in the envelope of its API.
fn is_dashboard(of: &Document<'_>) -> bool {
    let inner = of.root.get("dashboard");
    of.is_unnamed()
        && (of.is_list("panels")
            || of.has("schemaVersion") && (of.has("rows") || of.is_map("templating"))
            || inner
                .is_some_and(|inner| inner.get("panels").is_some() || inner.get("schemaVersion").is_some()))
}

/// Returns whether a document looks like a patch: it has only fields that objects have at the top.
fn is_part(of: &Document<'_>) -> bool {
    let known = |entry: &Entry| {
        matches!(&*entry.key, "binaryData" | "data" | "metadata" | "spec" | "stringData" | "webhooks")
    };
    let fields = of.root.as_mapping().map(Mapping::entries).unwrap_or_default();
    of.is_unnamed() && (of.is_map("spec") || of.is_map("metadata")) && fields.iter().all(known)
}

fn is_chart(of: &Document<'_>) -> bool {
    let is_lock = of.is_list("dependencies") && of.is_unnamed();
    of.kind.is_empty() && of.is_text("name") && of.has("version") && matches!(of.api_version, "v1" | "v2")
        || is_lock
        || of.is_called("Chart")
}

/// `values.yaml`, `values-prod.yaml`, `prod.values.yaml`.
fn is_values(file: &str) -> bool {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    stem == "values"
        || stem.starts_with("values-")
        || stem.starts_with("values.")
        || stem.ends_with(".values")
}

/// Returns whether SOPS has left its own data in a document.
fn is_sops(root: &Node) -> bool {
    root.as_mapping().and_then(sops_block).is_some()
}

/// Returns the field in which SOPS keeps its own data.
pub(crate) fn sops_block(root: &Mapping) -> Option<&Entry> {
    let entry = root.entry("sops")?;
    let Value::Mapping(block) = &entry.value.value else { return None };
    ["mac", "version", "lastmodified"].iter().any(|field| block.get(field).is_some()).then_some(entry)
}

/// Returns the field in which SOPS keeps its own data, in an object that nothing decrypts: kinds whose controllers decrypt have
/// it as well.
pub fn undecrypted_sops_block(object: &Manifest) -> Option<&Entry> {
    let is_decrypted = object.kind().to_ascii_lowercase().contains("sops");
    object.root().as_mapping().filter(|_| !is_decrypted).and_then(sops_block)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use sealwave_core::document::{Origin, Sources};

    fn what(path: &str, json: &Json) -> &'static str {
        let root = Node::from_json(json, Origin::whole(Sources::default().add("a")));
        ForeignFile::of(&root, path).map_or("", |found| found.what)
    }

    #[test]
    fn files_of_other_tools_are_recognized() {
        for (path, json, wanted) in [
            ("base/kustomization.yaml", json!({"namePrefix": "a-"}), "a configuration of Kustomize"),
            ("k.yaml", json!({"resources": ["a.yaml"]}), "a configuration of Kustomize"),
            ("base/Kustomization", json!({"namePrefix": "a-"}), "a configuration of Kustomize"),
            ("k.yaml", json!({"kind": "Kustomization"}), "a configuration of Kustomize"),
            ("k.yaml", json!({"patches": [{"path": "a.yaml"}]}), "a configuration of Kustomize"),
            (
                "k.yml",
                json!({"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}),
                "a configuration of Kustomize",
            ),
            (
                "l.yaml",
                json!({"apiVersion": "builtin", "kind": "LabelTransformer"}),
                "a configuration of Kustomize",
            ),
            (
                "Chart.yaml",
                json!({"apiVersion": "v2", "name": "a", "version": "1.0.0"}),
                "the metadata of a Helm chart",
            ),
            ("Chart.yaml", json!({"name": "a"}), "the metadata of a Helm chart"),
            ("requirements.yaml", json!({"dependencies": []}), "the metadata of a Helm chart"),
            ("chart/values.yaml", json!({"image": {"tag": "1"}}), "a file of Helm values"),
            ("values-prod.yml", json!({"a": 1}), "a file of Helm values"),
            ("helmfile.yaml", json!({"releases": []}), "a configuration of Helmfile"),
            (
                "skaffold.yaml",
                json!({"apiVersion": "skaffold/v4beta1", "kind": "Config"}),
                "a configuration of Skaffold",
            ),
            ("d.json", json!({"title": "a", "panels": [], "schemaVersion": 39}), "a dashboard of Grafana"),
            (
                "s.yaml",
                json!({"password": "ENC[AES256_GCM,a]", "sops": {"mac": "x"}}),
                "a file that SOPS encrypted",
            ),
            (".sops.yaml", json!({"creation_rules": []}), "a configuration of SOPS"),
            ("docker-compose.yml", json!({"services": {"a": {}}}), "a Compose file"),
            ("ci.yml", json!({"true": {"push": null}, "jobs": {"a": {}}}), "a workflow of GitHub Actions"),
            ("action.yml", json!({"name": "a", "runs": {"using": "node"}}), "an action of GitHub Actions"),
            (".gitlab-ci.yml", json!({"build": {}}), "a pipeline of a CI system"),
            (".argocd-source-web.yaml", json!({"helm": {}}), "a file of parameters for Argo CD"),
            (
                "schema.json",
                json!({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {}}),
                "a JSON Schema",
            ),
            ("api.yaml", json!({"openapi": "3.0.0", "paths": {}}), "an OpenAPI document"),
            ("package.json", json!({"name": "a", "scripts": {}}), "a package of npm"),
            ("rules.yaml", json!({"groups": [{"name": "a", "rules": []}]}), "a file of Prometheus rules"),
            ("prometheus.yml", json!({"scrape_configs": []}), "a configuration of Prometheus"),
            ("am.yml", json!({"route": {}, "receivers": []}), "a configuration of Alertmanager"),
            ("site.yml", json!([{"hosts": "all", "tasks": []}]), "a playbook of Ansible"),
            ("p.yaml", json!([{"op": "remove", "path": "/a"}]), "a JSON Patch"),
            ("p.yaml", json!({"kind": "Deployment", "$patch": "delete"}), "a patch"),
            ("all.json", json!([{"apiVersion": "v1", "kind": "Pod"}]), "a list of objects"),
            (
                "config",
                json!({"apiVersion": "v1", "kind": "Config", "clusters": [], "users": []}),
                "a kubeconfig, which may hold credentials,",
            ),
        ] {
            assert_eq!(what(path, &json), wanted, "{path} {json}");
        }
    }

    #[test]
    fn files_that_are_encrypted_or_unfinished_or_for_other_programs_are_recognized() {
        for (path, json, wanted) in [
            ("v.yaml", json!("$ANSIBLE_VAULT;1.1;AES256 3334"), "a file that Ansible Vault encrypted"),
            (
                "l.yaml",
                json!("version https://git-lfs.github.com/spec/v1 oid sha256:00 size 1"),
                "a pointer of Git LFS, whose content was not fetched,",
            ),
            (
                "sealwave.yaml",
                json!({"apiVersion": "sealwave.dev/v1alpha1", "kind": "App"}),
                "a configuration of sealwave",
            ),
            ("d.json", json!({"dashboard": {"panels": []}, "folderId": 0}), "a dashboard of Grafana"),
            ("d.json", json!({"schemaVersion": 14, "rows": []}), "a dashboard of Grafana"),
            ("main.tf.json", json!({"terraform": {}}), "a configuration of Terraform"),
            (
                "s.yaml",
                json!({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}}),
                "a template of CloudFormation",
            ),
            (
                "jsonnetfile.json",
                json!({"version": 1, "dependencies": []}),
                "a configuration of jsonnet-bundler",
            ),
            ("tsconfig.json", json!({"compilerOptions": {}}), "a configuration of TypeScript"),
            ("mkdocs.yml", json!({"site_name": "a"}), "a configuration of MkDocs"),
            ("dependabot.yml", json!({"version": 2, "updates": []}), "a configuration of Dependabot"),
            (
                "otel.yaml",
                json!({"receivers": {}, "exporters": {}, "service": {}}),
                "a configuration of the OpenTelemetry Collector",
            ),
            ("envoy.yaml", json!({"static_resources": {}}), "a configuration of Envoy"),
            ("api.yaml", json!({"openapi": "3.1.0", "info": {}}), "an OpenAPI document"),
            (
                "patch.yaml",
                json!({"spec": {"replicas": 2}}),
                "a part of an object, without `apiVersion` and `kind`,",
            ),
            (
                "patch.yaml",
                json!({"metadata": {"name": "a"}, "data": {}}),
                "a part of an object, without `apiVersion` and `kind`,",
            ),
        ] {
            assert_eq!(what(path, &json), wanted, "{path} {json}");
        }
    }

    #[test]
    fn what_only_resembles_them_is_not_named() {
        for (path, json) in [
            ("a.yaml", json!({"apiVersion": "v1", "kind": "ConfigMap"})),
            ("a.yaml", json!({"kind": "ConfigMap", "metadata": {"name": "a"}})),
            ("a.yaml", json!({"metadata": {"name": "a"}, "image": "b"})),
            ("a.yaml", json!({"title": "a", "dashboard": "b"})),
            ("a.yaml", json!({"updates": [], "a": 1})),
            ("a.yaml", json!("see $ANSIBLE_VAULT;1.1")),
            ("a.yaml", json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"})),
            ("a.yaml", json!({"sops": "text"})),
            ("a.yaml", json!("text")),
            ("a.yaml", json!([])),
            ("a.yaml", json!([{"op": "remove", "path": "/a"}, 1])),
            ("valuesets.yaml", json!({"a": 1})),
        ] {
            assert_eq!(what(path, &json), "", "{path} {json}");
        }
    }

    #[test]
    fn encrypted_texts_and_conflicts_are_recognized_by_a_line() {
        let what = |text: &str| ForeignFile::of_mark(text).map_or("", |found| found.what);
        assert_eq!(what("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n"), "a file that age encrypted");
        assert_eq!(what("\n-----BEGIN PGP MESSAGE-----\n"), "a file that PGP encrypted");
        let conflict = "data:\n<<<<<<< HEAD\n  a: b\n=======\n  a: c\n>>>>>>> theirs\n";
        assert_eq!(what(conflict), "a file with an unresolved merge conflict");
        // Within a text of a manifest, such a line is indented.
        assert_eq!(what("data:\n  a: |\n    <<<<<<< HEAD\n"), "");
        assert_eq!(what("a: [b\n"), "");
    }

    #[test]
    fn templates_are_recognized_by_their_text() {
        let what = |text: &str| ForeignFile::of_text(text).map_or("", |found| found.what);
        assert_eq!(what("name: {{ .Values.name }}\n"), "a Helm template");
        assert_eq!(what("{{- include \"a\" . }}\n"), "a Helm template");
        assert_eq!(what("{{ if .Values.a }}\na: b\n{{ end }}\n"), "a Helm template");
        assert_eq!(what("{% if a %}\na: b\n{% endif %}\n"), "a Jinja template");
        assert_eq!(what("name: {{ name }}\n"), "a template");
        assert_eq!(what("a: [b\n"), "");
        assert_eq!(
            what(&format!("{}{{{{ .Values.a }}}}", "ä".repeat(MAX_SEARCHED))),
            "",
            "only the start is searched"
        );
    }
}
