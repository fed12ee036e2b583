//! `switch`: the commits of a change of the backend, their lines, and the cluster that must be ready for them.

use std::process::Output;
use std::sync::{Arc, Mutex};

use sealwave_testkit::stub_server::{StubReply, StubServer};
use serde_json::{Value, json};

use crate::support::small_app::{SmallApp, find};
use crate::support::{sealwave, watched_output};

const SETTINGS: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n\
    externalSecrets: {stores: {file: {name: fake, provider: aws-sm}}}\n\
    secretsStoreCsi: {providers: {file: {provider: aws-sm, region: eu-west-1}}}\n";

fn app(environments: &str) -> SmallApp {
    let app = SmallApp::new();
    app.write("app/sealwave.yaml", &format!("{SETTINGS}{environments}"));
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: shop}\nstringData: {token: <file:db.yaml#password>}\n",
    );
    app.write("app/base/deployments.yaml", DEPLOYMENT);
    app
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: main, image: example.com/web:1, envFrom: [{secretRef: {name: web}}]}]
";

/// Runs `switch` with the arguments of the app.
fn switch(app: &SmallApp, args: &[&str]) -> Output {
    let mut all = app.args();
    "switch".clone_into(&mut all[0]);
    watched_output(sealwave().args(all).args(args))
}

fn plan(app: &SmallApp, args: &[&str]) -> (Value, Option<i32>) {
    let output = switch(app, &[args, &["-o", "json"]].concat());
    let plan = serde_json::from_slice(&output.stdout);
    (plan.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))), output.status.code())
}

fn checksum(app: &SmallApp) -> Value {
    let objects = app.generate();
    let deployment = find(&objects, "Deployment", "web");
    deployment["spec"]["template"]["metadata"]["annotations"]["checksum/secret"].clone()
}

/// Follows the printed lines until nothing is left, and returns the backends on the way.
fn follow(app: &SmallApp, to: &str) -> Vec<String> {
    let mut kinds = Vec::new();
    for _ in 0..5 {
        let (plan, code) = plan(app, &["--to", to, "--no-cluster"]);
        assert_eq!(code, Some(0));
        kinds.push(plan["state"].as_str().unwrap().to_owned());
        if plan["state"] == "done" {
            return kinds;
        }
        app.write("app/sealwave.yaml", &format!("{SETTINGS}{}", plan["lines"].as_str().unwrap()));
    }
    panic!("{kinds:?}");
}

#[test]
fn the_printed_lines_lead_to_the_other_backend_and_back_without_a_restart() {
    let app = app("");
    let before = checksum(&app);
    assert!(before.is_string());
    let mut seen = Vec::new();
    for to in ["external-secrets", "sealed-secrets"] {
        for _ in 0..3 {
            let (plan, _) = plan(&app, &["--to", to, "--no-cluster"]);
            seen.push(plan["state"].as_str().unwrap().to_owned());
            if plan["state"] != "done" {
                app.write("app/sealwave.yaml", &format!("{SETTINGS}{}", plan["lines"].as_str().unwrap()));
            }
            assert_eq!(checksum(&app), before, "after {seen:?}");
        }
    }
    assert_eq!(seen, ["release", "take-over", "done", "release", "take-over", "done"]);
    // Back at the first backend, nothing needs to be kept.
    let text = fs_err::read_to_string(app.path("app/sealwave.yaml")).unwrap();
    assert!(!text.contains("keptChecksums"), "{text}");
}

#[test]
fn a_single_secret_is_switched_by_its_entry() {
    let app = app("");
    let output = switch(&app, &["--to", "external-secrets", "--no-cluster", "--secret", "web"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        "switch\n  environment  dev\n  secrets      shop/web\n  backend      sealed-secrets\n  pods         no checksum to keep\n\n\
         Steps\n  1. commit 1: `sealed-secrets` releases the Secrets and keeps them current\n     undo: write `sealed-secrets` alone again\n  \
         2. commit 2: `external-secrets` takes the Secrets over\n     undo: `sealwave switch` back, in two commits\n\n\
         Next commit, in sealwave.yaml\n  environments:\n    dev:\n      secretBackends:\n        web:\n          from: sealed-secrets\n          to: external-secrets\n"
    );
    assert_eq!(follow(&app, "external-secrets"), ["release", "take-over", "done"]);
}

#[test]
fn the_csi_driver_is_reported_to_restart_pods() {
    let app = app("");
    let (plan, _) = plan(&app, &["--to", "secrets-store-csi", "--no-cluster"]);
    let facts = plan["plan"]["facts"].as_array().unwrap();
    assert!(facts.iter().any(|fact| fact["value"].as_str().unwrap().starts_with("restart: ")), "{facts:?}");
}

#[test]
fn without_an_operator_file_checksums_are_reported_as_unknown() {
    let app = app("environments: {dev: {backend: {from: sealed-secrets, to: external-secrets}}}\n");
    let directory = app.path("app");
    let output = sealwave()
        .args(["switch", "--to", "external-secrets", "--no-cluster"])
        .arg(directory)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("checksums were not compared"), "{stderr}");
    assert!(stderr.contains("cluster was not checked"), "{stderr}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("backend: external-secrets"));
}

#[test]
fn every_refusal_has_a_message() {
    let app = app("environments: {dev: {backend: {from: sealed-secrets, to: secrets-store-csi}}}\n");
    for (args, message) in [
        (&["--to", "external-secrets"][..], "neither a cluster nor `--no-cluster` was given"),
        (
            &["--to", "external-secrets", "--no-cluster"],
            "the Secrets are being switched to `secrets-store-csi`",
        ),
        (
            &["--to", "external-secrets", "--no-cluster", "--secret", "other"],
            "environment `dev` has no placeholder Secret `other`",
        ),
        (&["--to", "vault", "--no-cluster"], "expected external-secrets, sealed-secrets, secrets-store-csi"),
    ] {
        let output = switch(&app, args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
        assert!(output.stdout.is_empty());
    }
    // A change that was not finished can be taken back.
    assert_eq!(plan(&app, &["--to", "sealed-secrets", "--no-cluster"]).0["state"], "cancel");
    let output = app.sidecar("shop", "shop", "dev").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut command = sealwave();
    command.args(["switch", "--to", "external-secrets", "--no-cluster"]).current_dir(app.path("app"));
    let output = command.env("ARGOCD_APP_NAME", "shop").env("ARGOCD_APP_NAMESPACE", "shop").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("`switch` must not be used when Argo CD runs sealwave"), "{stderr}");
}

/// The metadata that a stub cluster returns; other objects do not exist.
type Objects = Arc<Mutex<Vec<(&'static str, Value)>>>;

fn cluster(objects: &Objects) -> StubServer {
    let objects = Arc::clone(objects);
    StubServer::start(move |asked, _| {
        let objects = objects.lock().unwrap();
        let found = objects.iter().find(|(path, _)| asked.target == *path);
        let Some((_, metadata)) = found else { return StubReply::json(404, r#"{"reason":"NotFound"}"#) };
        let body =
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata});
        StubReply::json(200, body.to_string())
    })
}

const SECRET: &str = "/api/v1/namespaces/shop/secrets/web";
const SEALED_SECRET: &str = "/apis/bitnami.com/v1alpha1/namespaces/shop/sealedsecrets/web";
const EXTERNAL_SECRET: &str = "/apis/external-secrets.io/v1/namespaces/shop/externalsecrets/web";

#[test]
fn the_cluster_must_be_ready_for_the_next_commit() {
    let app = app("environments: {dev: {backend: {from: sealed-secrets, to: external-secrets}}}\n");
    let objects = Objects::default();
    let server = cluster(&objects);
    app.write(
        "kubeconfig",
        &format!(
            "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: c, cluster: {{server: '{}'}}}}], \
             users: [{{name: u, user: {{token: CANARY-user}}}}], contexts: [{{name: c, context: {{cluster: c, user: u}}}}]}}",
            server.address
        ),
    );
    let kubeconfig = app.path("kubeconfig");
    let state = app.path("state");
    let run = || {
        let args = ["--to", "external-secrets", "--kubeconfig", kubeconfig.to_str().unwrap()];
        plan(&app, &[&args[..], &["--state-dir", state.to_str().unwrap()]].concat())
    };
    let set = |all: &[(&'static str, Value)]| *objects.lock().unwrap() = all.to_vec();
    let messages = |plan: &Value| -> Vec<String> {
        let found = plan["findings"].as_array().unwrap().iter();
        found.map(|finding| finding["message"].as_str().unwrap().to_owned()).collect()
    };
    let last = json!({"annotations": {"argocd.argoproj.io/sync-options": "PruneLast=true"}});

    set(&[
        (SECRET, json!({"uid": "1", "ownerReferences": [{"kind": "SealedSecret"}]})),
        (SEALED_SECRET, last.clone()),
    ]);
    let (waiting, code) = run();
    assert_eq!((waiting["state"].as_str(), code), (Some("waiting"), Some(1)));
    assert_eq!(messages(&waiting), ["the Secret is still owned by its SealedSecret"]);

    set(&[(SECRET, json!({"uid": "1"})), (SEALED_SECRET, last.clone())]);
    let (ready, code) = run();
    assert_eq!((ready["state"].as_str(), code), (Some("take-over"), Some(0)));

    app.write("app/sealwave.yaml", &format!("{SETTINGS}{}", ready["lines"].as_str().unwrap()));
    set(&[(SECRET, json!({"uid": "1"})), (SEALED_SECRET, last.clone()), (EXTERNAL_SECRET, last.clone())]);
    assert_eq!(
        messages(&run().0),
        [
            "the Secret is not owned by its ExternalSecret yet",
            "the SealedSecret of the old backend still exists"
        ]
    );
    let owned = |uid: &str| json!({"uid": uid, "ownerReferences": [{"kind": "ExternalSecret"}]});
    set(&[(SECRET, owned("1")), (EXTERNAL_SECRET, last.clone())]);
    assert_eq!(run().0["state"], "done");
    set(&[(SECRET, owned("2")), (EXTERNAL_SECRET, last)]);
    let (again, code) = run();
    assert_eq!(code, Some(1));
    assert!(messages(&again)[0].starts_with("the Secret was deleted and created again"));

    // Only metadata was asked for.
    let asked = server.asked();
    assert!(asked.len() > 10);
    assert!(asked.iter().all(|one| one.method == "GET"));
    assert!(asked.iter().all(|one| one.header("accept").unwrap().contains("PartialObjectMetadata")));
}
