//! Recognition of other tools' files among manifests, and what to do with them.
//!
//! One table serves rendering and validation. A row checks only file and field names; it must never show a value.

use sealwave_core::document::{Manifest, Mapping, MappingEntry, Node, NodeValue};

/// A kind of file that is not a manifest.
#[derive(Debug, PartialEq, Eq)]
pub struct ForeignFile {
    /// A description, as the subject of a message.
    pub description: &'static str,
    /// A hint about what to do with it.
    pub remedy: &'static str,
}

/// A document that may belong to another tool.
struct CandidateDocument<'a> {
    /// File name without directories.
    file: &'a str,
    root: &'a Node,
    api_version: &'a str,
    kind: &'a str,
}

impl CandidateDocument<'_> {
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

    /// Returns the text of a document that is a single string.
    fn text(&self) -> &str {
        self.root.as_str().unwrap_or("")
    }

    /// Reports whether the document has neither a kind nor an API version.
    fn is_unnamed(&self) -> bool {
        self.kind.is_empty() && self.api_version.is_empty()
    }

    fn is_called(&self, stem: &str) -> bool {
        let (name, extension) = self.file.rsplit_once('.').unwrap_or((self.file, ""));
        name.eq_ignore_ascii_case(stem) && matches!(extension, "yaml" | "yml" | "json")
    }

    /// Reports whether each item of a non-empty list has all these fields.
    fn lists(&self, fields: &[&str]) -> bool {
        let items = self.root.items();
        !items.is_empty() && items.iter().all(|item| fields.iter().all(|field| item.get(field).is_some()))
    }
}

macro_rules! move_file {
    ($($rest:literal)?) => {
        concat!("move the file out of the manifest directories" $(, $rest)?)
    };
}

/// The hint for a file that is not a manifest.
pub const MOVE_FILE: &str = move_file!();
const RENDER_FIRST: &str = concat!("render it first and commit the result, or ", move_file!());
const RUN_HELM: &str = concat!(
    "a chart is rendered by a source `helm` of an app, and checked with `helm template NAME CHART | sealwave validate -`; \
     otherwise ",
    move_file!()
);
const RUN_KUSTOMIZE: &str = "a directory of Kustomize is rendered by a source `kustomize` of an app, and checked with `kubectl kustomize \
     DIRECTORY | sealwave validate -`; `base/` and `envs/` are read without a list, so delete the file there";
const CONFIG_MAP: &str = concat!("store it in a ConfigMap, as a text in `data`, or ", move_file!());
const PATCH: &str =
    concat!("list the file under `patches` of an environment in `sealwave.yaml`, or ", move_file!());
const PART: &str = "if it is a patch, list the file under `patches` of an environment in `sealwave.yaml`; if it is an object, add `apiVersion` and `kind`";

/// The message about an object that SOPS encrypted and nothing decrypts.
pub const SOPS_OBJECT: &str = "object is encrypted with SOPS, and nothing decrypts it";
/// The hint for a file that SOPS encrypted.
pub const SOPS_HINT: &str = move_file!(", and refer to its values in a Secret: `<sops:FILE#KEY>`");

/// A condition and the kind of file that it recognizes.
type FileSignature = (fn(&CandidateDocument<'_>) -> bool, ForeignFile);

const fn row(
    is: fn(&CandidateDocument<'_>) -> bool,
    what: &'static str,
    remedy: &'static str,
) -> FileSignature {
    (is, ForeignFile { description: what, remedy })
}

/// Tool files that may look like complete objects, with a kind and a name.
static TOOLS: [FileSignature; 2] = [
    row(is_kustomize, "a Kustomize configuration", RUN_KUSTOMIZE),
    row(|doc| doc.api_version.starts_with("skaffold/"), "a Skaffold configuration", MOVE_FILE),
];

/// Files that lack fields required in every object.
static FILES: [FileSignature; 35] = [
    row(
        |doc| doc.text().starts_with("$ANSIBLE_VAULT;"),
        "a file encrypted with Ansible Vault",
        move_file!("; sealwave does not decrypt it"),
    ),
    row(
        |doc| doc.text().starts_with("version https://git-lfs.github.com/"),
        "a Git LFS pointer, whose content was not fetched,",
        "commit manifests without Git LFS (see `.gitattributes`)",
    ),
    row(
        |doc| matches!(doc.kind, "App" | "Operator") && doc.api_version.starts_with("sealwave.dev/"),
        "a sealwave configuration",
        "an app file is `sealwave.yaml` at the root of the app; an operator file belongs to the sidecar, not to the repository",
    ),
    row(|doc| doc.has("sops") && is_sops(doc.root), "a file encrypted with SOPS", SOPS_HINT),
    row(|doc| doc.is_list("creation_rules"), "a SOPS configuration", MOVE_FILE),
    row(|doc| doc.has("$patch"), "a patch", PATCH),
    row(|doc| doc.lists(&["op", "path"]), "a JSON Patch", PATCH),
    row(
        |doc| doc.lists(&["apiVersion", "kind"]),
        "a list of objects",
        "write the objects one after another, with `---` between them, or as `items` of `kind: List`",
    ),
    row(|doc| doc.is_unnamed() && doc.is_map("terraform"), "a Terraform configuration", MOVE_FILE),
    row(|doc| doc.has("AWSTemplateFormatVersion"), "a CloudFormation template", MOVE_FILE),
    row(
        |doc| doc.is_unnamed() && doc.file.eq_ignore_ascii_case("jsonnetfile.json"),
        "a jsonnet-bundler configuration",
        MOVE_FILE,
    ),
    row(|doc| doc.is_unnamed() && doc.is_map("compilerOptions"), "a TypeScript configuration", MOVE_FILE),
    row(|doc| doc.is_unnamed() && doc.is_text("site_name"), "a MkDocs configuration", MOVE_FILE),
    row(
        |doc| doc.is_unnamed() && doc.is_list("updates") && doc.has("version"),
        "a Dependabot configuration",
        MOVE_FILE,
    ),
    row(
        |doc| doc.is_unnamed() && doc.is_map("service") && (doc.has("exporters") || doc.has("receivers")),
        "an OpenTelemetry Collector configuration",
        CONFIG_MAP,
    ),
    row(|doc| doc.is_unnamed() && doc.is_map("static_resources"), "an Envoy configuration", CONFIG_MAP),
    // A Helmfile may have `bases` as well.
    row(|doc| doc.is_unnamed() && doc.is_list("releases"), "a Helmfile configuration", RENDER_FIRST),
    row(is_unnamed_kustomize, "a Kustomize configuration", RUN_KUSTOMIZE),
    row(is_chart, "the metadata of a Helm chart", RUN_HELM),
    row(|doc| doc.is_unnamed() && is_values(doc.file), "a Helm values file", RUN_HELM),
    row(|doc| doc.file.starts_with(".argocd-source"), "an Argo CD parameters file", MOVE_FILE),
    row(
        |doc| doc.kind == "Config" && doc.api_version == "v1" && (doc.has("clusters") || doc.has("users")),
        "a kubeconfig, which may hold credentials,",
        "keep it out of the repository",
    ),
    row(is_dashboard, "a Grafana dashboard", CONFIG_MAP),
    row(
        |doc| doc.is_unnamed() && doc.is_list("groups") && !doc.has("name"),
        "a Prometheus rules file",
        "put its `groups` into the `spec` of a PrometheusRule, or into a ConfigMap as a text in `data`",
    ),
    row(|doc| doc.is_unnamed() && doc.is_list("scrape_configs"), "a Prometheus configuration", CONFIG_MAP),
    row(
        |doc| doc.is_unnamed() && doc.is_map("route") && doc.is_list("receivers"),
        "an Alertmanager configuration",
        concat!("store it in a Secret, as a text in `stringData`, or ", move_file!()),
    ),
    // YAML 1.1 reads the key `on` as a boolean.
    row(
        |doc| doc.is_unnamed() && doc.is_map("jobs") && (doc.has("true") || doc.has("on")),
        "a GitHub Actions workflow",
        MOVE_FILE,
    ),
    row(|doc| doc.is_unnamed() && doc.is_map("runs") && doc.is_text("name"), "a GitHub action", MOVE_FILE),
    row(
        |doc| doc.is_unnamed() && (doc.is_list("stages") || doc.file.starts_with(".gitlab-ci")),
        "a CI pipeline",
        MOVE_FILE,
    ),
    row(
        |doc| {
            doc.is_unnamed()
                && (doc.is_map("services") || doc.is_called("docker-compose") || doc.is_called("compose"))
        },
        "a Compose file",
        concat!("convert it to manifests (for example with `kompose`), or ", move_file!()),
    ),
    row(
        |doc| {
            doc.is_unnamed()
                && (doc.is_text("$schema")
                    && (doc.has("properties") || doc.has("definitions") || doc.has("$defs")))
        },
        "a JSON Schema",
        MOVE_FILE,
    ),
    row(
        |doc| {
            doc.is_unnamed()
                && (doc.has("openapi") || doc.has("swagger"))
                && (doc.has("info") || doc.has("paths"))
        },
        "an OpenAPI document",
        MOVE_FILE,
    ),
    row(
        |doc| {
            doc.is_unnamed() && doc.is_text("name") && (doc.is_map("scripts") || doc.is_map("dependencies"))
        },
        "an npm package",
        MOVE_FILE,
    ),
    row(|doc| doc.lists(&["hosts"]), "an Ansible playbook", MOVE_FILE),
    row(is_part, "a part of an object, without `apiVersion` and `kind`,", PART),
];

/// Templates, which are not YAML until rendered: strings that identify them in a text with `{{` or `{%`.
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
        ForeignFile { description: "a Helm template", remedy: RUN_HELM },
    ),
    (&["{%"], ForeignFile { description: "a Jinja template", remedy: RENDER_FIRST }),
    (
        &["{{"],
        ForeignFile {
            description: "a template",
            remedy: "sealwave renders files whose names end in `.hbs`; quote `{{ … }}` if it is literal text",
        },
    ),
];

/// Files that are not YAML: the start of a line that identifies them.
static MARKS: [(&str, ForeignFile); 3] = [
    (
        "-----BEGIN AGE ENCRYPTED FILE-----",
        ForeignFile {
            description: "a file encrypted with age",
            remedy: move_file!("; sealwave supports age only in SOPS files"),
        },
    ),
    (
        "-----BEGIN PGP MESSAGE-----",
        ForeignFile { description: "a file encrypted with PGP", remedy: MOVE_FILE },
    ),
    (
        "<<<<<<< ",
        ForeignFile {
            description: "a file with an unresolved merge conflict",
            remedy: "resolve it, and remove the lines that start with `<<<<<<<`, `=======` and `>>>>>>>`",
        },
    ),
];

/// Maximum number of bytes searched for signs of a template.
const MAX_SEARCHED: usize = 256 << 10;

impl ForeignFile {
    /// Recognizes a document that is not an object, by its fields and the path of its file.
    pub fn recognize(root: &Node, path: &str) -> Option<&'static Self> {
        let document = document(root, path);
        TOOLS.iter().chain(&FILES).find(|(is, _)| is(&document)).map(|(_, found)| found)
    }

    /// Recognizes a document that has all required fields of an object, but belongs to a tool.
    pub fn recognize_object(root: &Node) -> Option<&'static Self> {
        let document = document(root, "");
        TOOLS.iter().find(|(is, _)| is(&document)).map(|(_, found)| found)
    }

    /// Recognizes a text that cannot be YAML, by the start of one of its lines.
    #[must_use]
    pub fn recognize_marker(text: &str) -> Option<&'static Self> {
        let text = text.get(..text.floor_char_boundary(MAX_SEARCHED))?;
        let has = |mark: &str| text.lines().any(|line| line.starts_with(mark));
        MARKS.iter().find(|(mark, _)| has(mark)).map(|(_, found)| found)
    }

    /// Recognizes a template, which is not YAML.
    #[must_use]
    pub fn recognize_template(text: &str) -> Option<&'static Self> {
        let end = text.floor_char_boundary(MAX_SEARCHED);
        let text = text.get(..end)?.as_bytes();
        let has = |sign: &str| memchr::memmem::find(text, sign.as_bytes()).is_some();
        if !has("{{") && !has("{%") {
            return None;
        }
        let matches = |signs: &[&str]| signs.iter().any(|sign| has(sign));
        TEMPLATES.iter().find(|(signs, _)| matches(signs)).map(|(_, found)| found)
    }
}

/// Returns the name that makes a template of a file: `web.yaml.hbs` for `web.yaml` and `web.hbs.yaml`.
#[must_use]
pub fn template_name(file: &str) -> String {
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, "yaml"));
    format!("{}.{extension}.hbs", stem.strip_suffix(".hbs").unwrap_or(stem))
}

fn document<'a>(root: &'a Node, path: &'a str) -> CandidateDocument<'a> {
    let text = |field| root.get(field).and_then(Node::as_str).unwrap_or("");
    let file = path.rsplit('/').next().unwrap_or(path);
    CandidateDocument { file, root, api_version: text("apiVersion"), kind: text("kind") }
}

fn is_kustomize(doc: &CandidateDocument<'_>) -> bool {
    doc.api_version == "builtin" || doc.api_version.starts_with("kustomize.config.k8s.io/")
}

/// Reports whether this is a Kustomize file without `apiVersion` or `kind`, both of which Kustomize accepts.
fn is_unnamed_kustomize(doc: &CandidateDocument<'_>) -> bool {
    let lists = ["resources", "bases", "patchesStrategicMerge", "configMapGenerator", "secretGenerator"];
    // Other tools list patches as texts.
    let has_patches = || {
        let patches = doc.root.items_at(&["patches"]);
        !patches.is_empty() && patches.iter().all(|patch| patch.as_mapping().is_some())
    };
    let is_called = doc.file == "Kustomization" || doc.is_called("kustomization");
    doc.is_unnamed() && (is_called || has_patches() || lists.iter().any(|field| doc.is_list(field)))
        || doc.api_version.is_empty() && matches!(doc.kind, "Kustomization" | "Component")
}

/// Reports whether this is a Grafana dashboard, as exported or in the envelope of the API.
fn is_dashboard(doc: &CandidateDocument<'_>) -> bool {
    let inner = doc.root.get("dashboard");
    doc.is_unnamed()
        && (doc.is_list("panels")
            || doc.has("schemaVersion") && (doc.has("rows") || doc.is_map("templating"))
            || inner
                .is_some_and(|inner| inner.get("panels").is_some() || inner.get("schemaVersion").is_some()))
}

/// Reports whether a document looks like a patch: it has only top-level fields of objects.
fn is_part(doc: &CandidateDocument<'_>) -> bool {
    let is_object_field = |entry: &MappingEntry| {
        matches!(&*entry.key, "binaryData" | "data" | "metadata" | "spec" | "stringData" | "webhooks")
    };
    let fields = doc.root.as_mapping().map(Mapping::entries).unwrap_or_default();
    doc.is_unnamed() && (doc.is_map("spec") || doc.is_map("metadata")) && fields.iter().all(is_object_field)
}

fn is_chart(doc: &CandidateDocument<'_>) -> bool {
    let is_lock = doc.is_list("dependencies") && doc.is_unnamed();
    doc.kind.is_empty() && doc.is_text("name") && doc.has("version") && matches!(doc.api_version, "v1" | "v2")
        || is_lock
        || doc.is_called("Chart")
}

/// Matches `values.yaml`, `values-prod.yaml` and `prod.values.yaml`.
fn is_values(file: &str) -> bool {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    stem == "values"
        || stem.starts_with("values-")
        || stem.starts_with("values.")
        || stem.ends_with(".values")
}

/// Reports whether a document contains SOPS metadata.
fn is_sops(root: &Node) -> bool {
    root.as_mapping().and_then(sops_block).is_some()
}

/// Returns the field in which SOPS keeps its metadata.
pub(crate) fn sops_block(root: &Mapping) -> Option<&MappingEntry> {
    let entry = root.entry("sops")?;
    let NodeValue::Mapping(block) = &entry.value.value else { return None };
    ["mac", "version", "lastmodified"].iter().any(|field| block.get(field).is_some()).then_some(entry)
}

/// Returns the entry with SOPS' own data in an object that nothing decrypts. Objects of kinds whose controllers decrypt them
/// have it too.
pub fn undecrypted_sops_block(object: &Manifest) -> Option<&MappingEntry> {
    let is_decrypted = object.kind().to_ascii_lowercase().contains("sops");
    object.root().as_mapping().filter(|_| !is_decrypted).and_then(sops_block)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use sealwave_core::document::{Origin, Sources};

    fn describe(path: &str, json: &Json) -> &'static str {
        let root = Node::from_json(json, Origin::whole(Sources::default().add("a")));
        ForeignFile::recognize(&root, path).map_or("", |found| found.description)
    }

    #[test]
    fn names_of_templates_end_with_hbs() {
        for (file, wanted) in [
            ("web.yaml", "web.yaml.hbs"),
            ("web.hbs.yaml", "web.yaml.hbs"),
            ("a.b.json", "a.b.json.hbs"),
            ("web", "web.yaml.hbs"),
        ] {
            assert_eq!(template_name(file), wanted);
        }
    }

    #[test]
    fn files_of_other_tools_are_recognized() {
        for (path, json, wanted) in [
            ("base/kustomization.yaml", json!({"namePrefix": "a-"}), "a Kustomize configuration"),
            ("k.yaml", json!({"resources": ["a.yaml"]}), "a Kustomize configuration"),
            ("base/Kustomization", json!({"namePrefix": "a-"}), "a Kustomize configuration"),
            ("k.yaml", json!({"kind": "Kustomization"}), "a Kustomize configuration"),
            ("k.yaml", json!({"patches": [{"path": "a.yaml"}]}), "a Kustomize configuration"),
            (
                "k.yml",
                json!({"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}),
                "a Kustomize configuration",
            ),
            (
                "l.yaml",
                json!({"apiVersion": "builtin", "kind": "LabelTransformer"}),
                "a Kustomize configuration",
            ),
            (
                "Chart.yaml",
                json!({"apiVersion": "v2", "name": "a", "version": "1.0.0"}),
                "the metadata of a Helm chart",
            ),
            ("Chart.yaml", json!({"name": "a"}), "the metadata of a Helm chart"),
            ("requirements.yaml", json!({"dependencies": []}), "the metadata of a Helm chart"),
            ("chart/values.yaml", json!({"image": {"tag": "1"}}), "a Helm values file"),
            ("values-prod.yml", json!({"a": 1}), "a Helm values file"),
            ("helmfile.yaml", json!({"releases": []}), "a Helmfile configuration"),
            (
                "skaffold.yaml",
                json!({"apiVersion": "skaffold/v4beta1", "kind": "Config"}),
                "a Skaffold configuration",
            ),
            ("d.json", json!({"title": "a", "panels": [], "schemaVersion": 39}), "a Grafana dashboard"),
            (
                "s.yaml",
                json!({"password": "ENC[AES256_GCM,a]", "sops": {"mac": "x"}}),
                "a file encrypted with SOPS",
            ),
            (".sops.yaml", json!({"creation_rules": []}), "a SOPS configuration"),
            ("docker-compose.yml", json!({"services": {"a": {}}}), "a Compose file"),
            ("ci.yml", json!({"true": {"push": null}, "jobs": {"a": {}}}), "a GitHub Actions workflow"),
            ("action.yml", json!({"name": "a", "runs": {"using": "node"}}), "a GitHub action"),
            (".gitlab-ci.yml", json!({"build": {}}), "a CI pipeline"),
            (".argocd-source-web.yaml", json!({"helm": {}}), "an Argo CD parameters file"),
            (
                "schema.json",
                json!({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {}}),
                "a JSON Schema",
            ),
            ("api.yaml", json!({"openapi": "3.0.0", "paths": {}}), "an OpenAPI document"),
            ("package.json", json!({"name": "a", "scripts": {}}), "an npm package"),
            ("rules.yaml", json!({"groups": [{"name": "a", "rules": []}]}), "a Prometheus rules file"),
            ("prometheus.yml", json!({"scrape_configs": []}), "a Prometheus configuration"),
            ("am.yml", json!({"route": {}, "receivers": []}), "an Alertmanager configuration"),
            ("site.yml", json!([{"hosts": "all", "tasks": []}]), "an Ansible playbook"),
            ("p.yaml", json!([{"op": "remove", "path": "/a"}]), "a JSON Patch"),
            ("p.yaml", json!({"kind": "Deployment", "$patch": "delete"}), "a patch"),
            ("all.json", json!([{"apiVersion": "v1", "kind": "Pod"}]), "a list of objects"),
            (
                "config",
                json!({"apiVersion": "v1", "kind": "Config", "clusters": [], "users": []}),
                "a kubeconfig, which may hold credentials,",
            ),
        ] {
            assert_eq!(describe(path, &json), wanted, "{path} {json}");
        }
    }

    #[test]
    fn encrypted_incomplete_and_other_programs_files_are_recognized() {
        for (path, json, wanted) in [
            ("v.yaml", json!("$ANSIBLE_VAULT;1.1;AES256 3334"), "a file encrypted with Ansible Vault"),
            (
                "l.yaml",
                json!("version https://git-lfs.github.com/spec/v1 oid sha256:00 size 1"),
                "a Git LFS pointer, whose content was not fetched,",
            ),
            (
                "sealwave.yaml",
                json!({"apiVersion": "sealwave.dev/v1alpha1", "kind": "App"}),
                "a sealwave configuration",
            ),
            ("d.json", json!({"dashboard": {"panels": []}, "folderId": 0}), "a Grafana dashboard"),
            ("d.json", json!({"schemaVersion": 14, "rows": []}), "a Grafana dashboard"),
            ("main.tf.json", json!({"terraform": {}}), "a Terraform configuration"),
            (
                "s.yaml",
                json!({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}}),
                "a CloudFormation template",
            ),
            (
                "jsonnetfile.json",
                json!({"version": 1, "dependencies": []}),
                "a jsonnet-bundler configuration",
            ),
            ("tsconfig.json", json!({"compilerOptions": {}}), "a TypeScript configuration"),
            ("mkdocs.yml", json!({"site_name": "a"}), "a MkDocs configuration"),
            ("dependabot.yml", json!({"version": 2, "updates": []}), "a Dependabot configuration"),
            (
                "otel.yaml",
                json!({"receivers": {}, "exporters": {}, "service": {}}),
                "an OpenTelemetry Collector configuration",
            ),
            ("envoy.yaml", json!({"static_resources": {}}), "an Envoy configuration"),
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
            assert_eq!(describe(path, &json), wanted, "{path} {json}");
        }
    }

    #[test]
    fn similar_documents_are_not_recognized() {
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
            assert_eq!(describe(path, &json), "", "{path} {json}");
        }
    }

    #[test]
    fn encrypted_texts_and_conflicts_are_recognized_by_a_line() {
        let describe = |text: &str| ForeignFile::recognize_marker(text).map_or("", |found| found.description);
        assert_eq!(describe("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n"), "a file encrypted with age");
        assert_eq!(describe("\n-----BEGIN PGP MESSAGE-----\n"), "a file encrypted with PGP");
        let conflict = "data:\n<<<<<<< HEAD\n  a: b\n=======\n  a: c\n>>>>>>> theirs\n";
        assert_eq!(describe(conflict), "a file with an unresolved merge conflict");
        // Within a text value of a manifest, such a line is indented.
        assert_eq!(describe("data:\n  a: |\n    <<<<<<< HEAD\n"), "");
        assert_eq!(describe("a: [b\n"), "");
    }

    #[test]
    fn templates_are_recognized_by_their_text() {
        let describe =
            |text: &str| ForeignFile::recognize_template(text).map_or("", |found| found.description);
        assert_eq!(describe("name: {{ .Values.name }}\n"), "a Helm template");
        assert_eq!(describe("{{- include \"a\" . }}\n"), "a Helm template");
        assert_eq!(describe("{{ if .Values.a }}\na: b\n{{ end }}\n"), "a Helm template");
        assert_eq!(describe("{% if a %}\na: b\n{% endif %}\n"), "a Jinja template");
        assert_eq!(describe("name: {{ name }}\n"), "a template");
        assert_eq!(describe("a: [b\n"), "");
        assert_eq!(
            describe(&format!("{}{{{{ .Values.a }}}}", "ä".repeat(MAX_SEARCHED))),
            "",
            "only the start is searched"
        );
    }
}
