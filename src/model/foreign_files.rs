//! Files of other tools that lie among manifests: what they are, and what to do with them.
//!
//! One table for rendering and for validation. A row looks at names of files and of fields only; it must never show a value.

use super::{Entry, Mapping, Node, Value};

/// A kind of file that is not a manifest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ForeignFile {
    /// What it is, as the subject of a message.
    pub(crate) what: &'static str,
    /// What to do with it.
    pub(crate) remedy: &'static str,
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
static FILES: [Row; 23] = [
    row(|of| of.has("sops") && is_sops(of.root), "a file that SOPS encrypted", SOPS),
    row(|of| of.is_list("creation_rules"), "a configuration of SOPS", MOVE),
    row(|of| of.has("$patch"), "a patch", PATCH),
    row(|of| of.lists(&["op", "path"]), "a JSON Patch", PATCH),
    row(
        |of| of.lists(&["apiVersion", "kind"]),
        "a list of objects",
        "write the objects one after another, with `---` between them, or as `items` of `kind: List`",
    ),
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
    row(|of| of.is_unnamed() && of.is_list("panels"), "a dashboard of Grafana", CONFIG_MAP),
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
        |of| of.is_unnamed() && of.is_map("paths") && (of.has("openapi") || of.has("swagger")),
        "an OpenAPI document",
        MOVE,
    ),
    row(
        |of| of.is_unnamed() && of.is_text("name") && (of.is_map("scripts") || of.is_map("dependencies")),
        "a package of npm",
        MOVE,
    ),
    row(|of| of.lists(&["hosts"]), "a playbook of Ansible", MOVE),
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

/// Bytes of a text that are searched for signs of a template.
const MAX_SEARCHED: usize = 256 << 10;

impl ForeignFile {
    /// Recognizes a document that is no object, by its fields and the path of its file.
    pub(crate) fn of(root: &Node, path: &str) -> Option<&'static Self> {
        let document = document(root, path);
        TOOLS.iter().chain(&FILES).find(|(is, _)| is(&document)).map(|(_, found)| found)
    }

    /// Recognizes a document that has all that an object has, and yet is for a tool.
    pub(crate) fn of_object(root: &Node) -> Option<&'static Self> {
        let document = document(root, "");
        TOOLS.iter().find(|(is, _)| is(&document)).map(|(_, found)| found)
    }

    /// Recognizes a text that is not YAML.
    pub(crate) fn of_text(text: &str) -> Option<&'static Self> {
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
    of.is_unnamed()
        && (of.is_called("kustomization") || has_patches() || lists.iter().any(|field| of.is_list(field)))
        || of.api_version.is_empty() && matches!(of.kind, "Kustomization" | "Component")
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

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::model::{Origin, Sources};

    fn what(path: &str, json: &Json) -> &'static str {
        let root = Node::from_json(json, Origin::whole(Sources::default().add("a")));
        ForeignFile::of(&root, path).map_or("", |found| found.what)
    }

    #[test]
    fn files_of_other_tools_are_recognized() {
        for (path, json, wanted) in [
            ("base/kustomization.yaml", json!({"namePrefix": "a-"}), "a configuration of Kustomize"),
            ("k.yaml", json!({"resources": ["a.yaml"]}), "a configuration of Kustomize"),
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
    fn what_only_resembles_them_is_not_named() {
        for (path, json) in [
            ("a.yaml", json!({"apiVersion": "v1", "kind": "ConfigMap"})),
            ("a.yaml", json!({"metadata": {"name": "a"}})),
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
