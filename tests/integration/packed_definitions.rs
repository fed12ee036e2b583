//! Built-in definitions, several definitions of one kind, and configuration files that are not objects.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests stop at the first surprise, say what they used, and read their own variable"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::support::small_app::SmallApp;
use crate::support::validating::{CommandResult, Tree, finding_line};
use sealwave_core::document::Sources;
use sealwave_core::yaml::{self, Limits};
use sealwave_kube::schema::{LockedDefinition, PackedDefinition, PackedRelease};
use serde_json::Value;
use walkdir::WalkDir;

fn run_in(directory: &std::path::Path, args: &[&str]) -> CommandResult {
    crate::support::validating::run_in(directory, args, None)
}

fn found(ran: &CommandResult) -> Vec<String> {
    let short =
        |finding: &Value| format!("{} {}", finding["severity"].as_str().unwrap(), finding_line(finding));
    ran.report().findings().iter().map(short).collect()
}

/// Runs `validate` in a tree with these files.
fn validate(files: &[(&str, &str)], args: &[&str]) -> CommandResult {
    let tree = Tree::new(files);
    run_in(tree.root(), args)
}

const SEALED: &str = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: a, namespace: b}\nspec:\n  encryptedDatas: {a: AgB}\n  encryptedData: {}\n";

#[test]
fn p02_a_slip_in_a_sealed_secret_is_an_error() {
    let ran = validate(&[("a.yaml", SEALED)], &["."]);
    assert_eq!(found(&ran), ["error schema/unknown-field /spec/encryptedDatas a.yaml:5"]);
    let report = ran.report();
    let hint = report.one("schema/unknown-field")["hint"].as_str().unwrap();
    assert!(hint.starts_with("did you mean `encryptedData`? (checked against Sealed Secrets 0."), "{hint}");
    assert!(hint.contains("built in"), "{hint}");
}

#[test]
fn p02_a_version_that_is_no_longer_served_is_a_warning() {
    let object = |version: &str, kind: &str| {
        format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a, namespace: b}}\nspec: {{}}\n")
    };
    let external = object("external-secrets.io/v1beta1", "ExternalSecret").replace(
        "spec: {}",
        "spec: {dataFrom: [{extract: {key: a}}], secretStoreRef: {name: s, kind: ClusterSecretStore}}",
    );
    let args = [".", "--external", "ClusterSecretStore/*/s"];
    let ran = validate(&[("a.yaml", &external)], &args);
    assert_eq!(found(&ran), ["warning api/removed /kind a.yaml:2"]);
    let report = ran.report();
    let finding = report.one("api/removed");
    let message = finding["message"].as_str().unwrap();
    assert!(message.contains("is not served by External Secrets 2."), "{message}");
    assert!(finding["hint"].as_str().unwrap().starts_with("write `external-secrets.io/v1`"), "{finding}");
    // The cluster may have a newer release with this version.
    let newer = object("kustomize.toolkit.fluxcd.io/v9", "Kustomization");
    let ran = validate(&[("a.yaml", &newer)], &["."]);
    assert_eq!(found(&ran), ["note schema/unknown-kind /kind a.yaml:2"]);
    let ran = validate(&[("a.yaml", &newer)], &[".", "--strict-kinds"]);
    assert_eq!(found(&ran), ["error schema/unknown-kind /kind a.yaml:2"]);
    // The release deprecates this version.
    let class = object("secrets-store.csi.x-k8s.io/v1alpha1", "SecretProviderClass");
    assert_eq!(
        found(&validate(&[("a.yaml", &class)], &["."]))[0],
        "warning api/deprecated /apiVersion a.yaml:1"
    );
}

#[test]
fn p02_a_violation_that_another_release_may_allow_is_a_warning() {
    let route = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a, namespace: b}\nspec:\n  zzzzqqqq: 1\n  rules:\n  - matches: [{path: {type: Glob9999, value: /}}]\n    backendRefs: [{name: a, port: many}]\n";
    let ran = validate(&[("a.yaml", route)], &[".", "--rule", "reference/dangling-ingress=off"]);
    let lines = found(&ran);
    assert!(lines.contains(&"warning schema/unknown-field /spec/zzzzqqqq a.yaml:5".to_owned()), "{lines:?}");
    assert!(
        lines.contains(&"warning schema/enum /spec/rules/0/matches/0/path/type a.yaml:7".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"error schema/type /spec/rules/0/backendRefs/0/port a.yaml:8".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn p02_built_in_definitions_can_be_turned_off() {
    let note = ["note schema/unknown-kind /kind a.yaml:2"];
    assert_eq!(found(&validate(&[("a.yaml", SEALED)], &["a.yaml", "--no-packed-definitions"])), note);
    let settings =
        "apiVersion: sealwave.dev/v1alpha1\nkind: Validation\nvalidate: {packedDefinitions: false}\n";
    let files = [("a.yaml", SEALED), ("settings", settings)];
    assert_eq!(found(&validate(&files, &["a.yaml", "--config", "settings"])), note);
    let settings = settings.replace("false", "true");
    let files = [("a.yaml", SEALED), ("settings", settings.as_str())];
    assert_eq!(found(&validate(&files, &["a.yaml", "--config", "settings"])).len(), 1);
    let args = ["a.yaml", "--config", "settings", "--no-packed-definitions"];
    assert_eq!(found(&validate(&files, &args)), note);
}

fn raft(version: &str, field: &str) -> String {
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: rafts.sea.example.com}}\nspec:\n  group: sea.example.com\n  \
         scope: Namespaced\n  names: {{plural: rafts, singular: raft, kind: Raft, listKind: RaftList}}\n  versions:\n  - name: {version}\n    served: true\n    \
         storage: true\n    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {{{field}: {{type: integer}}}}}}}}}}}}\n"
    )
}

fn raft_object(version: &str, field: &str) -> String {
    format!(
        "apiVersion: sea.example.com/{version}\nkind: Raft\nmetadata: {{name: {field}, namespace: a}}\nspec: {{{field}: 2}}\n"
    )
}

#[test]
fn a_definition_in_the_repository_takes_precedence() {
    let own = raft("v1alpha1", "encryptedDatas")
        .replace("sea.example.com", "bitnami.com")
        .replace("Raft", "SealedSecret");
    let tree = Tree::new(&[("a.yaml", SEALED), ("crds/own.yaml", own.as_str())]);
    fs_err::create_dir(tree.root().join(".git")).unwrap();
    for args in [&["a.yaml"][..], &["a.yaml", "--crds", "crds/own.yaml"]] {
        let lines = found(&run_in(tree.root(), args));
        assert!(lines.iter().all(|line| !line.contains("unknown-field /spec/encryptedDatas")), "{lines:?}");
        assert!(
            lines.iter().any(|line| line.contains("schema/unknown-field /spec/encryptedData")),
            "{lines:?}"
        );
    }
}

#[test]
fn built_in_definitions_block_no_sync() {
    let app = SmallApp::new();
    app.write(
        "app/base/external.yaml",
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: e}\nspec: {nope: 1}\n",
    );
    let mut command = crate::support::sealwave();
    command.args(app.args()).arg("--validate").env("KUBE_VERSION", "1.34");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Returns the findings about schemas and kinds, without those about duplicate objects.
fn about_kinds(ran: &CommandResult) -> Vec<String> {
    found(ran).into_iter().filter(|line| line.contains("schema/")).collect()
}

#[test]
fn m_fp_02_each_object_is_checked_by_the_nearest_definition_that_serves_it() {
    let (old, new) = (raft("v1alpha1", "oars"), raft("v1", "sails"));
    let (old_object, new_object) = (raft_object("v1alpha1", "oars"), raft_object("v1", "sails"));
    let note = "note schema/several-definitions /kind one/raft.yaml:2";
    for first in ["one", "zwo"] {
        let names = [format!("{first}/crd.yaml"), format!("{first}/raft.yaml")];
        let files = [
            (names[0].as_str(), old.as_str()),
            (names[1].as_str(), old_object.as_str()),
            ("two/crd.yaml", new.as_str()),
            ("two/raft.yaml", new_object.as_str()),
        ];
        let ran = validate(&files, &["."]);
        let lines = about_kinds(&ran);
        assert_eq!(lines.len(), 1, "{lines:?}");
        if first == "one" {
            assert_eq!(lines, [note]);
        }
        assert!(about_kinds(&validate(&files, &[first])).is_empty());
        assert!(about_kinds(&validate(&files, &["two"])).is_empty());
    }
    // Both serve the version: the closest one counts, in any reading order.
    let (near, far) = (raft("v1", "oars"), raft("v1", "sails"));
    let object = raft_object("v1", "oars");
    for far_file in ["a/crd.yaml", "z/crd.yaml", "crd.yaml", "m/b/c/crd.yaml"] {
        let files =
            [("m/b/crd.yaml", near.as_str()), ("m/b/raft.yaml", object.as_str()), (far_file, far.as_str())];
        let lines = about_kinds(&validate(&files, &["."]));
        assert_eq!(lines, ["note schema/several-definitions /kind m/b/raft.yaml:2"], "{far_file}");
    }
    // In the same file, and in a parent directory.
    let both = format!("{near}---\n{object}");
    let files = [("a/all.yaml", both.as_str()), ("a/b/crd.yaml", far.as_str())];
    assert_eq!(about_kinds(&validate(&files, &["."])).len(), 1);
    let files =
        [("m/crd.yaml", near.as_str()), ("m/b/raft.yaml", object.as_str()), ("z/crd.yaml", far.as_str())];
    assert_eq!(about_kinds(&validate(&files, &["."])).len(), 1);
    // A finding names the definition that counted.
    let wrong = raft_object("v1", "sails");
    let files =
        [("m/crd.yaml", near.as_str()), ("m/b/raft.yaml", wrong.as_str()), ("z/crd.yaml", far.as_str())];
    let ran = validate(&files, &["."]);
    let report = ran.report();
    assert_eq!(report.one("schema/unknown-field")["related"][0]["path"], "m/crd.yaml", "{:?}", report.0);
    // Definitions that only differ in descriptions count as one.
    let described = near
        .replace("type: object, properties: {spec", "type: object, description: other, properties: {spec");
    let files =
        [("a/crd.yaml", near.as_str()), ("b/crd.yaml", described.as_str()), ("b/raft.yaml", object.as_str())];
    assert!(about_kinds(&validate(&files, &["."])).is_empty());
}

const CONFIGURATION: &str = "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources: []\n---\napiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []\n";

#[test]
fn p03_configuration_is_a_note() {
    let ran = validate(&[("a.yaml", CONFIGURATION), ("b.yaml", CONFIGURATION)], &["."]);
    assert_eq!(
        found(&ran),
        ["note schema/configuration  a.yaml:2", "note schema/configuration  a.yaml:6"],
        "each kind once"
    );
    assert_eq!(ran.code, 0);
    let cluster = crate::support::root().join("testdata/scenario-4-catalogue/cluster");
    let ran = run_in(&cluster, &["."]);
    assert_eq!((ran.code, found(&ran).len()), (0, 1), "{ran:?}");
    // Even with a name, it is not an object.
    let named = CONFIGURATION.replace("kind: Policy\n", "kind: Policy\nmetadata: {name: a}\n");
    assert_eq!(found(&validate(&[("a.yaml", &named)], &["."])).len(), 2);
}

#[test]
fn p03_configuration_in_an_app_is_an_error_that_identifies_it() {
    for text in [
        CONFIGURATION.to_owned(),
        CONFIGURATION.replace("kind: Policy\n", "kind: Policy\nmetadata: {name: a}\n"),
    ] {
        let app = SmallApp::new();
        app.write("app/base/encryption.yaml", &text);
        let output = crate::support::sealwave().args(app.args()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        for expected in [
            "`EncryptionConfiguration` cannot be applied: it is a configuration file of the API server",
            "`Policy` cannot be applied",
        ] {
            assert!(stderr.contains(expected), "{stderr}");
        }
    }
}

#[test]
fn r12_m_fp_01_reported_cases() {
    let crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats.sea.example.com}\nspec:\n  group: sea.example.com\n  \
               scope: Namespaced\n  names: {plural: boats, singular: boat, kind: Boat, listKind: BoatList}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    \
               schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n          spec:\n            type: object\n            required: [flag]\n            properties:\n              \
               flag: {type: string, default: NL}\n              mode: {type: string, nullable: true, enum: [a, null]}\n              berth:\n                type: object\n                \
               properties: {kind: {type: string, default: Dock}, place: {type: string}}\n                oneOf: [{properties: {kind: {enum: [Dock]}}}, {properties: {kind: {not: {enum: [Dock]}}}}]\n";
    let object = |spec: &str| {
        format!(
            "{crd}---\napiVersion: sea.example.com/v1\nkind: Boat\nmetadata: {{name: a, namespace: b}}\nspec: {spec}\n"
        )
    };
    assert!(found(&validate(&[("a.yaml", &object("{berth: {place: pier-3}}"))], &["."])).is_empty());
    let lines = found(&validate(&[("a.yaml", &object("{mode: null}"))], &["."]));
    assert!(lines.len() == 1 && lines[0].starts_with("error schema/enum /spec/mode"), "{lines:?}");
}

#[test]
fn m_fn_01_a_definition_without_a_schema_is_an_error() {
    let crd = raft("v1", "oars");
    let without = crd.split("    schema:").next().unwrap();
    let lines = found(&validate(&[("a.yaml", without)], &["."]));
    assert_eq!(lines, ["error schema/definition /spec/versions/0 a.yaml:9"]);
    let unserved = crd.replace("served: true", "served: false");
    let lines = found(&validate(&[("a.yaml", &unserved)], &["."]));
    assert_eq!(lines, ["warning schema/definition /spec/versions a.yaml:9"]);
}

/// Compares the packed definitions with the published ones, which `scripts/definitions --unpack DIR` writes;
/// `SEALWAVE_DEFINITIONS` is the directory.
#[test]
fn packed_definitions_equal_the_published_ones() {
    let Some(directory) = std::env::var_os("SEALWAVE_DEFINITIONS").filter(|directory| !directory.is_empty())
    else {
        eprintln!("skipped: SEALWAVE_DEFINITIONS is not set");
        return;
    };
    let mut published = BTreeMap::new();
    for file in
        WalkDir::new(directory).into_iter().map(Result::unwrap).filter(|file| file.file_type().is_file())
    {
        let text = fs_err::read(file.path()).unwrap();
        let source = Sources::default().add("published");
        for document in yaml::read(&text, source, &Limits::default()).unwrap() {
            if let Some(definition) = LockedDefinition::new(&document.to_json()) {
                published.insert(definition.name.clone(), definition.root.to_json());
            }
        }
    }
    let mut compared = 0;
    for kind in PackedRelease::all().iter().flat_map(|release| &release.kinds) {
        let packed = PackedDefinition::find(&kind.group, &kind.kind).unwrap().object().unwrap().to_json();
        let name = packed["metadata"]["name"].as_str().unwrap();
        let mut expected = published.remove(name).unwrap_or_else(|| panic!("{name} was not published"));
        for version in expected["spec"]["versions"].as_array_mut().unwrap() {
            if version["served"] == false {
                version.as_object_mut().unwrap().remove("schema");
            }
        }
        // A patch release changes these; the script applies the change.
        if !matches!(kind.kind.as_str(), "ScaledJob" | "ScaledObject") {
            assert_eq!(packed["spec"]["versions"], expected["spec"]["versions"], "{name}");
        }
        assert_eq!(packed["spec"]["names"], expected["spec"]["names"], "{name}");
        compared += 1;
    }
    assert!(compared >= 85, "only {compared}");
}

#[test]
fn the_page_lists_the_built_in_definitions() {
    let mut table = String::from("| project | release | kinds |\n|---|---|---|\n");
    for release in PackedRelease::all() {
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for kind in &release.kinds {
            groups.entry(&kind.group).or_default().push(&kind.kind);
        }
        let groups: Vec<String> =
            groups.into_iter().map(|(group, kinds)| format!("`{group}`: {}", kinds.join(", "))).collect();
        writeln!(table, "| {} | {} | {} |", release.project, release.release, groups.join("; ")).unwrap();
    }
    let page = crate::support::root().join("docs/ci/schemas.md");
    let text = fs_err::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once("<!-- built in -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    let expected = format!("{before}<!-- built in -->\n{table}<!-- end -->{after}");
    if std::env::var_os("SEALWAVE_UPDATE_GOLDEN").is_some() {
        fs_err::write(&page, &expected).unwrap();
    } else {
        assert_eq!(text, expected, "run with SEALWAVE_UPDATE_GOLDEN=1");
    }
}
