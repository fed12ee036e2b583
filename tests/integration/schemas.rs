//! `schemas pull` against a stub cluster: its requests, its lock file, and offline use by `validate`.

use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::support::golden::check_golden;
use crate::support::{MARKER, find_marker, root, sealwave};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwave::ops::LockFile;
use sealwave_core::diagnostic::Explain as _;
use sealwave_providers::ClusterAccess;
use sealwave_testkit::stub_server::{RecordedRequest, StubReply, StubServer};
use sealwave_testkit::tls::{Authority, Proxy};
use serde_json::{Value, json};
use tempfile::TempDir;

const LIST: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?&limit=25";

/// Returns a definition as in a cluster's list, with more than a lock file needs.
fn definition(plural: &str, group: &str, kind: &str, scope: &str, schema: &Value) -> Value {
    json!({
        "metadata": {
            "name": format!("{plural}.{group}"), "uid": "b7c0", "resourceVersion": "84213", "generation": 1,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "annotations": {"controller-gen.kubebuilder.io/version": "v0.19.0", "note": "CANARY"},
            "managedFields": [{"manager": "CANARY", "operation": "Update"}],
        },
        "spec": {
            "group": group,
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List"), "categories": ["all"]},
            "scope": scope,
            "versions": [
                {"name": "v1beta1", "served": true, "storage": false, "deprecated": true, "deprecationWarning": "CANARY",
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}},
                {"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema},
                    "additionalPrinterColumns": [{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]},
            ],
            "conversion": {"strategy": "None"},
        },
        "status": {"acceptedNames": {"kind": kind}, "conditions": [{"message": "CANARY"}], "storedVersions": ["v1"]},
    })
}

/// Returns three definitions, not in the order of their names.
fn definitions() -> [Value; 3] {
    let widget = json!({
        "description": "CANARY",
        "type": "object",
        "properties": {
            "apiVersion": {"description": "CANARY", "type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": {
                "description": "CANARY", "type": "object", "required": ["size"],
                "properties": {
                    "size": {"type": "integer", "minimum": 1, "maximum": 9, "format": "int32"},
                    "description": {"description": "CANARY", "type": "string", "pattern": "^[a-z #:]+$"},
                    "mode": {"type": "string", "enum": ["on", "off", "1.0"], "default": "on"},
                    "port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
                },
                "x-kubernetes-validations": [{"rule": "self.size > 0"}],
            },
        },
    });
    let free = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    [
        definition("widgets", "shop.example.com", "Widget", "Namespaced", &widget),
        definition("issuers", "cert.example.com", "Issuer", "Cluster", &free),
        definition("gadgets", "shop.example.com", "Gadget", "Namespaced", &free),
    ]
}

/// Returns one page of a list.
fn page(items: &[Value], next: Option<&str>) -> StubReply {
    let mut metadata = json!({"resourceVersion": "84213"});
    if let Some(next) = next {
        metadata["continue"] = next.into();
    }
    let list = json!({
        "kind": "CustomResourceDefinitionList", "apiVersion": "apiextensions.k8s.io/v1",
        "metadata": metadata, "items": items,
    });
    StubReply::json(200, list.to_string())
}

/// Returns the three definitions on two pages.
fn answer(asked: &RecordedRequest) -> StubReply {
    let all = definitions();
    if asked.target == LIST {
        page(&all[..2], Some("a+b/c&d="))
    } else if asked.target == format!("{LIST}&continue=a%2Bb%2Fc%26d%3D") {
        page(&all[2..], None)
    } else {
        StubReply::json(404, "{}")
    }
}

fn golden() -> PathBuf {
    root().join("testdata/schemas")
}

/// A directory with a kubeconfig for this address.
struct Workspace(TempDir);

impl Workspace {
    fn new(address: &str) -> Self {
        Self::with(address, "")
    }

    fn with(address: &str, more: &str) -> Self {
        let workspace = Self(tempfile::tempdir().unwrap());
        workspace.write(
            "kubeconfig",
            &format!(
                "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: c, cluster: {{server: '{address}'{more}}}}}], \
                 users: [{{name: u, user: {{token: CANARY-user}}}}], contexts: [{{name: c, context: {{cluster: c, user: u}}}}]}}"
            ),
        );
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs_err::write(self.path(name), text).unwrap();
    }

    fn lock(&self) -> String {
        fs_err::read_to_string(self.path("schemas.lock.yaml")).unwrap()
    }

    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Output {
        let output = sealwave()
            .current_dir(self.0.path())
            .env("RUST_LOG", "trace")
            .envs(variables.iter().copied())
            .args(args)
            .output()
            .unwrap();
        for bytes in [&output.stdout, &output.stderr] {
            assert_eq!(find_marker(bytes, MARKER), None, "{}", String::from_utf8_lossy(bytes));
        }
        output
    }

    /// Pulls with `KUBECONFIG` and returns standard error.
    fn pull(&self, args: &[&str]) -> String {
        let output = self.run(&[&["schemas", "pull"], args].concat(), &[("KUBECONFIG", "kubeconfig")]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && output.stdout.is_empty(), "{stderr}");
        stderr
    }

    fn fails(&self, args: &[&str], variables: &[(&str, &str)], phrases: &[&str]) {
        let output = self.run(&[&["schemas", "pull"], args].concat(), variables);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(output.stdout.is_empty() && !stderr.contains("internal error"), "{stderr}");
        for phrase in phrases {
            assert!(stderr.contains(phrase), "`{phrase}` is not in:\n{stderr}");
        }
        let left: Vec<_> =
            fs_err::read_dir(self.0.path()).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(left, [self.path("kubeconfig")], "something was written");
    }
}

#[test]
fn a_pulled_lock_file_is_used_offline() {
    let server = StubServer::start(|asked, _| answer(asked));
    let workspace = Workspace::new(&server.address);
    assert_eq!(workspace.pull(&[]), "note: `schemas.lock.yaml` contains 3 definitions\n");
    let lock = workspace.lock();
    check_golden(&golden(), "lock.yaml", &lock);
    let asked = server.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    for asked in asked {
        assert_eq!(
            (asked.method.as_str(), asked.header("authorization")),
            ("GET", Some("Bearer CANARY-user"))
        );
    }
    workspace.pull(&[]);
    assert_eq!(workspace.lock(), lock);

    let widget = |size: &str| {
        format!(
            "apiVersion: shop.example.com/v1\nkind: Widget\nmetadata: {{name: w, namespace: shop}}\nspec: {{size: {size}, mode: \"on\"}}\n"
        )
    };
    workspace.write("good.yaml", &widget("2"));
    workspace.write("bad.yaml", &widget("ten"));
    workspace.write("more.yaml", &widget("2, sizes: 3"));
    let validate = |file: &str| {
        let args = ["validate", file, "--crds", "schemas.lock.yaml", "--strict-kinds"];
        let output = workspace.run(&args, &[]);
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, report) = validate("good.yaml");
    assert_eq!(code, Some(0), "{report}");
    for (file, place) in [("bad.yaml", "size"), ("more.yaml", "sizes")] {
        let (code, report) = validate(file);
        assert!(code == Some(1) && report.contains("schema/") && report.contains(place), "{report}");
    }
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn groups_and_output_are_selected() {
    let server = StubServer::start(|asked, _| answer(asked));
    let workspace = Workspace::new(&server.address);
    let stderr = workspace.pull(&["--group", "cert.*", "-o", "one.yaml", "--context", "c"]);
    assert_eq!(stderr, "note: `one.yaml` contains 1 definition\n");
    let one = fs_err::read_to_string(workspace.path("one.yaml")).unwrap();
    assert!(one.contains("issuers.cert.example.com") && !one.contains("shop.example.com"), "{one}");
    assert!(one.contains("sealwave schemas pull --group 'cert.*'`"), "{one}");
    workspace.pull(&["--group", "shop.example.com", "--group", "cert.*", "-o", "a.yaml"]);
    workspace.pull(&["--group", "cert.*", "--group", "shop.example.com", "-o", "b.yaml"]);
    let [a, b] = ["a.yaml", "b.yaml"].map(|file| fs_err::read_to_string(workspace.path(file)).unwrap());
    assert_eq!(a, b);
    let workspace = Workspace::new(&server.address);
    let here: &[_] = &[("KUBECONFIG", "kubeconfig")];
    workspace.fails(
        &["--group", "shop.*", "--group", "none.*"],
        here,
        &["with a group that matches `none.*`"],
    );
    for group in ["", "a'b", "a\nb", "a b", "["] {
        workspace.fails(&["--group", group], &[], &["is not a valid group pattern", "= help: "]);
    }
}

#[cfg(unix)]
#[test]
fn a_link_of_a_repository_does_not_choose_the_lock_file() {
    let server = StubServer::start(|asked, _| answer(asked));
    let workspace = Workspace::new(&server.address);
    fs_err::create_dir_all(workspace.path("repository/.git/hooks")).unwrap();
    fs_err::os::unix::fs::symlink(".git/hooks", workspace.path("repository/link")).unwrap();
    for path in ["repository/link/pre-commit", "repository/link"] {
        let args = ["schemas", "pull", "-o", path];
        let output = workspace.run(&args, &[("KUBECONFIG", "kubeconfig")]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("of a repository is a symbolic link"), "{stderr}");
    }
    assert_eq!(fs_err::read_dir(workspace.path("repository/.git/hooks")).unwrap().count(), 0);
}

#[test]
fn kubeconfigs_are_found_as_in_kubectl() {
    let server = StubServer::start(|asked, _| answer(asked));
    let workspace = Workspace::new("http://127.0.0.1:1");
    workspace.write(
        "other",
        &fs_err::read_to_string(Workspace::new(&server.address).path("kubeconfig"))
            .unwrap()
            .replace("current-context: c, ", "")
            .replace("name: c", "name: d")
            .replace("cluster: c", "cluster: d"),
    );
    let succeeds = |args: &[&str], variables: &[(&str, &str)]| {
        let output = workspace.run(&[&["schemas", "pull"], args].concat(), variables);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    succeeds(&["--context", "d"], &[("KUBECONFIG", "missing:kubeconfig::other")]);
    succeeds(&["--context", "d", "--kubeconfig", "other"], &[("KUBECONFIG", "kubeconfig")]);
    let home = tempfile::tempdir().unwrap();
    fs_err::create_dir(home.path().join(".kube")).unwrap();
    fs_err::copy(workspace.path("other"), home.path().join(".kube/config")).unwrap();
    succeeds(&["--context", "d"], &[("HOME", home.path().to_str().unwrap())]);
    assert_eq!(server.asked().len(), 6);

    let workspace = Workspace::new("http://127.0.0.1:1");
    workspace.fails(
        &[],
        &[],
        &[
            "neither a kubeconfig nor a pod's service account token was found",
            "`--kubeconfig` or `KUBECONFIG`",
        ],
    );
    workspace.fails(&["--context", "c"], &[], &["`--context` needs a kubeconfig"]);
    workspace.fails(&[], &[("KUBECONFIG", "none:nowhere")], &["kubeconfig `none` cannot be read"]);
    workspace.fails(
        &["--kubeconfig", "none"],
        &[("KUBECONFIG", "kubeconfig")],
        &["kubeconfig `none` cannot be read"],
    );
    workspace.fails(
        &["--context", "x"],
        &[("KUBECONFIG", "kubeconfig")],
        &["the kubeconfig has no context `x`"],
    );
    let workspace = Workspace::new("http://cluster.example");
    workspace.fails(&[], &[("KUBECONFIG", "kubeconfig")], &["the cluster's address is not https"]);
}

#[test]
fn argo_cd_must_not_pull() {
    let server = StubServer::start(|asked, _| answer(asked));
    let workspace = Workspace::new(&server.address);
    let variables = [("KUBECONFIG", "kubeconfig"), ("ARGOCD_APP_NAME", "shop")];
    workspace.fails(
        &[],
        &variables,
        &["when Argo CD runs sealwave", "run it at a workstation or in a CI job"],
    );
    assert!(server.asked().is_empty());
}

#[test]
fn responses_of_the_cluster_are_distinguished() {
    let status = |code: u16| StubReply::json(code, r#"{"kind":"Status","message":"CANARY"}"#);
    let cases: [(StubReply, &[&str]); 9] = [
        (status(401), &["is denied", "401", "has not expired"]),
        (
            status(403),
            &["is not allowed to `list` `customresourcedefinitions.apiextensions.k8s.io`", "ClusterRole"],
        ),
        (status(404), &["rejected the request (404)"]),
        (status(410), &["the list expired"]),
        (StubReply::json(200, "<html>CANARY"), &["is not a list of CustomResourceDefinitions"]),
        (
            StubReply::json(200, r#"{"kind":"Status","items":[]}"#),
            &["is not a list of CustomResourceDefinitions"],
        ),
        (
            page(&[json!({"metadata": {"name": "CANARY"}})], None),
            &["is not a list of CustomResourceDefinitions"],
        ),
        (
            StubReply::json(200, r#"{"kind":"CustomResourceDefinitionList","metadata":{"con"#),
            &["is not a list"],
        ),
        (
            StubReply::json(200, r#"{"kind":"CustomResourceDefinitionList","items":null}"#),
            &["has no CustomResourceDefinition"],
        ),
    ];
    for (reply, phrases) in cases {
        let server = StubServer::start(move |_, _| reply.clone());
        Workspace::new(&server.address).fails(&[], &[("KUBECONFIG", "kubeconfig")], phrases);
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn temporary_errors_are_retried() {
    let server = StubServer::start(|asked, before| match (asked.target == LIST, before) {
        (true, 0) => StubReply::json(429, "{}").header("Retry-After", "1"),
        (false, 0) => answer(asked).cut(500),
        _ => answer(asked),
    });
    let workspace = Workspace::new(&server.address);
    workspace.pull(&[]);
    assert_eq!(workspace.lock(), fs_err::read_to_string(golden().join("expected/lock.yaml")).unwrap());
    assert_eq!(server.asked().len(), 4);
}

/// A lock file is either complete or unchanged.
#[test]
fn an_incomplete_list_does_not_change_the_lock_file() {
    let server = StubServer::start(
        |asked, _| if asked.target == LIST { answer(asked) } else { answer(asked).cut(500) },
    );
    let workspace = Workspace::new(&server.address);
    workspace.write("schemas.lock.yaml", "as it was\n");
    let output = workspace.run(&["schemas", "pull"], &[("KUBECONFIG", "kubeconfig")]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("the connection was closed before the response was complete (6 attempts)"),
        "{stderr}"
    );
    assert_eq!(workspace.lock(), "as it was\n");
}

#[test]
fn a_cluster_that_does_not_answer_is_reported() {
    let here: &[_] = &[("KUBECONFIG", "kubeconfig")];
    Workspace::new("http://127.0.0.1:1").fails(
        &[],
        here,
        &["the cluster's API cannot be reached (6 attempts)"],
    );

    let slow = StubServer::start(|asked, _| {
        let reply = answer(asked);
        if asked.target == LIST { reply } else { reply.after(Duration::from_mins(1)) }
    });
    let workspace = Workspace::new(&slow.address);
    let cluster = ClusterAccess { kubeconfigs: vec![workspace.path("kubeconfig")], context: None };
    let error = LockFile::pull(&cluster, &[], Instant::now() + Duration::from_secs(3)).unwrap_err();
    assert!(error.to_string().ends_with("the list was not complete before the deadline"), "{error}");
    assert!(error.hint().is_some());
    assert_eq!(slow.asked().len(), 2);
}

#[test]
fn an_endless_list_is_abandoned() {
    let server = StubServer::start(|_, _| page(&[], Some("again")));
    Workspace::new(&server.address).fails(&[], &[("KUBECONFIG", "kubeconfig")], &["has too many pages"]);
}

#[test]
fn the_server_is_known_by_its_certificate_and_proxies_are_used() {
    let authority = Authority::new();
    let server = StubServer::start_tls(authority.server("127.0.0.1"), |asked, _| answer(asked));
    let here: &[_] = &[("KUBECONFIG", "kubeconfig")];
    Workspace::new(&server.address).fails(
        &[],
        here,
        &["from a CA that is not trusted", "`certificate-authority-data`"],
    );
    assert!(server.asked().is_empty());
    let trust = format!(", certificate-authority-data: {}", STANDARD.encode(authority.pem()));
    Workspace::with(&server.address, &trust).pull(&[]);
    let proxy = Proxy::to(&server.address);
    Workspace::with(&server.address, &format!("{trust}, proxy-url: '{}'", proxy.address)).pull(&[]);
    assert_eq!(proxy.asked().len(), 1);
    // As with kubectl, the user may name it in the environment.
    let workspace = Workspace::with(&server.address, &trust);
    let output = workspace.run(&["schemas", "pull"], &[here[0], ("HTTPS_PROXY", &proxy.address)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(proxy.asked().len(), 2);
}
