//! `switch`: the commits of a change of the backend, their lines, and the cluster that must be ready for them.

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::{Arc, Mutex};

use sealwave_testkit::git;
use sealwave_testkit::stub_server::{StubReply, StubServer};
use serde_json::{Value, json};

use crate::support::small_app::{SmallApp, find};
use crate::support::{copy_tree, objects, root, sealwave, watched_output};

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
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("backend: external-secrets"), "{stdout}");
    assert!(stdout.contains("  pods         may restart once: checksums were not compared\n"), "{stdout}");
}

#[test]
fn providers_without_settings_get_their_lines() {
    const HEAD: &str = "apiVersion: sealwave.dev/v1alpha1\nkind: App\nnamespace: shop\n";
    for (to, section, entry, filled) in [
        (
            "external-secrets",
            "externalSecrets:\n  stores:\n    file:\n",
            &["name: NAME", "provider: SERVICE"][..],
            &[("NAME", "fake"), ("SERVICE", "aws-sm")][..],
        ),
        (
            "secrets-store-csi",
            "secretsStoreCsi:\n  providers:\n    file:\n",
            &["provider: SERVICE"],
            &[("SERVICE", "aws-sm\n      region: eu-west-1")],
        ),
    ] {
        let app = app("");
        app.write("app/sealwave.yaml", HEAD);
        let output = switch(&app, &["--to", to, "--no-cluster", "-o", "json"]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("provider `file` is not configured for the backend"), "{stderr}");
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut lines = plan["lines"].as_str().unwrap().to_owned();
        assert!(lines.starts_with(section) && entry.iter().all(|line| lines.contains(line)), "{lines}");
        for (word, text) in filled {
            lines = lines.replace(word, text);
        }
        app.write("app/sealwave.yaml", &format!("{HEAD}{lines}"));
        // The printed commit is one that sealwave accepts.
        app.generate();
        assert_eq!(self::plan(&app, &["--to", to, "--no-cluster"]).0["state"], "take-over");
    }
}

#[test]
fn a_secret_that_the_new_backend_cannot_express_is_refused_without_an_operator_file() {
    let app = app("");
    app.write(
        "app/base/secrets.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: shop}\nstringData: {token: <file:db.yaml#password | sha256>}\n",
    );
    let mut command = sealwave();
    command.args(["switch", "--to", "secrets-store-csi", "--no-cluster"]).arg(app.path("app"));
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("the backend does not support modifier `sha256`"), "{stderr}");
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
            "environment `dev` has no placeholder Secret or SealedSecret `other`\n   = help: it has `shop/web`",
        ),
        (&["--to", "external-secrets", "--no-cluster", "--secret", "webb"], "did you mean `web`?"),
        (&["--to", "external-secrets", "--no-cluster", "--secret", "shop/wed"], "did you mean `shop/web`?"),
        (&["--to", "external-secret", "--no-cluster"], "did you mean external-secrets?"),
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

/// Returns an owner reference to the object of a backend.
fn owner(kind: &str, name: &str) -> Value {
    let group = if kind == "SealedSecret" { "bitnami.com/v1alpha1" } else { "external-secrets.io/v1" };
    json!({"apiVersion": group, "kind": kind, "name": name, "controller": true})
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
        (SECRET, json!({"uid": "1", "ownerReferences": [owner("SealedSecret", "web")]})),
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
    let owned = |uid: &str| json!({"uid": uid, "ownerReferences": [owner("ExternalSecret", "web")]});
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

/// A checkout of the scenario with committed SealedSecrets.
struct Scenario(tempfile::TempDir);

impl Scenario {
    fn new() -> Self {
        let scenario = Self(tempfile::tempdir().unwrap());
        copy_tree(&root().join("testdata/scenario-2-rotation"), scenario.0.path());
        scenario.git(&["init", "-q"]);
        scenario.commit();
        scenario
    }

    fn git(&self, args: &[&str]) {
        git(self.0.path(), args);
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-qm", "change"]);
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = sealwave();
        command.args([
            "switch",
            "app",
            "--env",
            "dev",
            "--no-policy",
            "--operator",
            "operator/operator.yaml",
        ]);
        watched_output(command.args(args).current_dir(self.0.path()))
    }

    fn plan(&self, args: &[&str]) -> (Value, String, Option<i32>) {
        let all = [&["--to", "external-secrets", "--no-cluster", "-o", "json"], args].concat();
        let output = self.run(&all);
        let stderr = String::from_utf8(output.stderr).unwrap();
        let plan = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}"));
        (plan, stderr, output.status.code())
    }

    /// Returns the checksums of the workloads in the output of `generate`, by `Kind/namespace/name`.
    fn checksums(&self) -> BTreeMap<String, String> {
        let mut command = sealwave();
        command.args([
            "generate",
            "app",
            "--env",
            "dev",
            "--no-policy",
            "--operator",
            "operator/operator.yaml",
            "-o",
            "json",
        ]);
        let output = command.current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let all = objects(std::str::from_utf8(&output.stdout).unwrap()).into_iter().filter_map(|object| {
            let text =
                object["spec"]["template"]["metadata"]["annotations"]["checksum/secret"].as_str()?.to_owned();
            let [kind, namespace, name] = ["/kind", "/metadata/namespace", "/metadata/name"]
                .map(|path| object.pointer(path).unwrap().as_str().unwrap().to_owned());
            Some((format!("{kind}/{namespace}/{name}"), text))
        });
        all.collect()
    }
}

const DB: &str = "app/envs/dev/sealed-secrets/mlflow/sealed-mlflow-db-dev-secret.yaml";

#[test]
fn committed_sealed_secrets_are_released_and_then_replaced() {
    let scenario = Scenario::new();
    let before = scenario.checksums();
    assert!(!before.is_empty());
    let (plan, _, code) = scenario.plan(&[]);
    assert_eq!((plan["state"].as_str(), code), (Some("release"), Some(0)));
    assert_eq!(plan["plan"]["files"].as_array().unwrap().len(), 8);
    assert_eq!(plan["lines"], "");
    assert_eq!(plan["committed"], json!({"written": [], "manual": [], "replacements": []}));

    // With `--write`, exactly that is changed, and no pod restarts.
    let (written, _, _) = scenario.plan(&["--write", "--yes"]);
    assert_eq!(written["committed"]["written"].as_array().unwrap().len(), 8);
    let text = fs_err::read_to_string(scenario.path(DB)).unwrap();
    for line in [
        "    argocd.argoproj.io/sync-options: PruneLast=true\n",
        "      annotations:\n        sealedsecrets.bitnami.com/managed: \"true\"\n        sealedsecrets.bitnami.com/skip-set-owner-references: \"true\"\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert_eq!(scenario.checksums(), before);
    scenario.commit();

    let (plan, _, _) = scenario.plan(&[]);
    assert_eq!(plan["state"], "take-over");
    assert_eq!(plan["plan"]["files"], json!([]));
    let stores = "externalSecrets:\n  stores:\n    aws-sm:\n      name: NAME\n";
    let lines = plan["lines"].as_str().unwrap().strip_prefix(stores).expect("the stores to add");
    assert!(
        lines.starts_with("environments:\n  dev:\n    backend: external-secrets\n    keptChecksums:\n"),
        "{lines}"
    );
    assert!(
        lines.contains("Deployment/mlflow/mlflow-server:\n        computed: CHECKSUM\n        kept: "),
        "{lines}"
    );
    let replacements = plan["committed"]["replacements"].as_array().unwrap();
    assert_eq!(replacements.len(), 8);
    let db = replacements.iter().find(|one| one["secret"] == "mlflow/mlflow-db-secret").unwrap();
    assert_eq!((db["file"].as_str(), db["line"].as_u64()), (Some(DB), Some(1)));
    let manifest = db["manifest"].as_str().unwrap();
    assert_eq!(
        manifest,
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mlflow-db-secret\n  namespace: mlflow\n  annotations:\n    \
         argocd.argoproj.io/sync-wave: \"-1\"\nstringData:\n  password: \"<aws-sm:PATH#KEY>\"\n  username: \"<aws-sm:PATH#KEY>\"\n"
    );

    // The placeholders take the place of the files.
    for one in replacements {
        fs_err::write(scenario.path(one["file"].as_str().unwrap()), one["manifest"].as_str().unwrap())
            .unwrap();
    }
    let operator = fs_err::read_to_string(scenario.path("operator/operator.yaml")).unwrap();
    let operator = format!("{operator}providers: {{aws-sm: {{kind: aws-sm, region: eu-west-1}}}}\n");
    fs_err::write(scenario.path("operator/operator.yaml"), operator).unwrap();
    let settings = |lines: &str| {
        let app = format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: App\nexternalSecrets: {{stores: {{aws-sm: {{name: a, provider: aws-sm}}}}}}\n{lines}    cluster: dev\n"
        );
        fs_err::write(scenario.path("app/sealwave.yaml"), app).unwrap();
    };
    settings("environments:\n  dev:\n    backend: external-secrets\n");
    let computed = scenario.checksums();
    assert_ne!(computed, before);
    // The lines with the checksums that are computed now keep every pod.
    let mut workload = String::new();
    let mut filled = String::new();
    for line in lines.lines() {
        if let Some(name) = line.strip_prefix("      ").filter(|line| !line.starts_with(' ')) {
            name.trim_end_matches(':').clone_into(&mut workload);
        }
        filled.push_str(&line.replace("CHECKSUM", computed.get(&workload).map_or("", String::as_str)));
        filled.push('\n');
    }
    settings(&filled);
    assert_eq!(scenario.checksums(), before);
    assert_eq!(scenario.plan(&[]).0["state"], "done");
}

#[test]
fn one_committed_secret_is_switched_by_its_name() {
    let scenario = Scenario::new();
    let unknown = ["--to", "external-secrets", "--no-cluster", "--secret"];
    for (name, expected) in [("nope", "it has `"), ("mlflow-db-secrets", "did you mean `mlflow-db-secret`?")]
    {
        let output = scenario.run(&[&unknown[..], &[name]].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(expected), "{stderr}");
    }
    let args = ["--secret", "mlflow/mlflow-db-secret", "--write", "--yes"];
    let (plan, _, _) = scenario.plan(&args);
    assert_eq!(plan["committed"]["written"], json!([DB]));
    let (plan, stderr, _) = scenario.plan(&args);
    assert_eq!(plan["state"], "take-over");
    assert!(stderr.contains("nothing was written: the files release their Secrets already"), "{stderr}");
    assert!(
        plan["lines"]
            .as_str()
            .unwrap()
            .contains("secretBackends:\n      mlflow/mlflow-db-secret: external-secrets\n")
    );
    let output =
        scenario.run(&["--to", "external-secrets", "--no-cluster", "--secret", "mlflow/mlflow-db-secret"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains(&format!(
            "Next commit, instead of SealedSecret mlflow/mlflow-db-secret in {DB}:1\n  apiVersion: v1\n"
        )),
        "{text}"
    );
    assert!(text.contains("undo: revert the changes of the files"), "{text}");
}

#[test]
fn files_of_committed_secrets_are_written_only_within_the_limits() {
    let scenario = Scenario::new();
    let write = ["--to", "external-secrets", "--no-cluster", "--write"];
    let refused = |args: &[&str], message: &str| {
        let output = scenario.run(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    };
    let original = fs_err::read(scenario.path(DB)).unwrap();
    refused(&write, "plan needs consent");
    refused(&["--to", "sealed-secrets", "--no-cluster"], "the Secrets are committed SealedSecrets");
    assert!(scenario.run(&[&write[..], &["--dry-run"]].concat()).status.success());
    assert_eq!(fs_err::read(scenario.path(DB)).unwrap(), original);

    // A file that is not committed as it is.
    fs_err::write(scenario.path(DB), [&original[..], b"# mine\n"].concat()).unwrap();
    refused(&[&write[..], &["--yes"]].concat(), "sealed-mlflow-db-dev-secret.yaml");
    fs_err::write(scenario.path(DB), &original).unwrap();

    // Files elsewhere, links out of the repository, and templates are left to a person.
    scenario.git(&["mv", DB, "app/base/db.yaml"]);
    scenario.commit();
    let one = [&write[..], &["--yes", "--secret", "mlflow-db-secret"]].concat();
    refused(&one, "app/base/db.yaml");
    assert!(scenario.run(&[&one[..], &["--allow-path", "app/base/*"]].concat()).status.success());
    scenario.git(&["checkout", "-q", "."]);
    scenario.git(&["mv", "app/base/db.yaml", "app/base/db.yaml.hbs"]);
    let template = fs_err::read_to_string(scenario.path("app/base/db.yaml.hbs")).unwrap();
    fs_err::write(
        scenario.path("app/base/db.yaml.hbs"),
        format!("{template}{{{{#if false}}}}\nx: y\n{{{{/if}}}}\n"),
    )
    .unwrap();
    let output = scenario.run(&["--to", "external-secrets", "--no-cluster", "--secret", "mlflow-db-secret"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Next commit, by hand\n  app/base/db.yaml.hbs:1: SealedSecret mlflow/mlflow-db-secret: its file is not a manifest that has it\n"), "{text}");
    assert!(
        text.contains(
            "    spec.template.metadata.annotations: sealedsecrets.bitnami.com/managed: \"true\"\n"
        ),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn the_plan_is_printed_before_files_are_written_and_an_error_is_in_the_document() {
    let scenario = Scenario::new();
    let write = ["--to", "external-secrets", "--no-cluster", "--write", "--yes"];
    let original = fs_err::read(scenario.path(DB)).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = sealwave();
    command.args(["switch", "app", "--env", "dev", "--no-policy", "--operator", "operator/operator.yaml"]);
    let output = command.args(write).current_dir(scenario.0.path()).stdout(writer).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("plan cannot be printed, so nothing was changed"), "{stderr}");
    assert_eq!(fs_err::read(scenario.path(DB)).unwrap(), original);

    // Files are replaced, which a read-only directory prevents.
    let directory = scenario.path(DB).parent().unwrap().to_owned();
    let mode = |mode| {
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs_err::set_permissions(&directory, permissions).unwrap();
    };
    mode(0o555);
    if fs_err::write(directory.join("probe"), "").is_ok() {
        fs_err::remove_file(directory.join("probe")).unwrap();
        mode(0o755);
        sealwave_testkit::skipped("this user may write to every directory");
    } else {
        let (report, stderr, code) = scenario.plan(&write[3..]);
        let output = scenario.run(&write);
        mode(0o755);
        assert_eq!((code, &report["state"]), (Some(2), &serde_json::json!("failed")), "{stderr}");
        assert!(report["error"].is_string() && report["committed"]["written"] == serde_json::json!([]));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.matches("\nSteps\n").count(), 1, "{text}");
        assert!(text.ends_with("\nFailed: no file was changed\n"), "{text}");
        assert_eq!(fs_err::read(scenario.path(DB)).unwrap(), original);
    }
    let text = String::from_utf8(scenario.run(&write).stdout).unwrap();
    assert_eq!(text.matches("\nSteps\n").count(), 1, "{text}");
    assert!(text.contains("\nWritten: commit these files\n"), "{text}");
}

#[test]
fn the_controller_must_have_let_go_of_a_committed_secret() {
    let scenario = Scenario::new();
    scenario.plan(&["--secret", "mlflow-db-secret", "--write", "--yes"]);
    let objects = Objects::default();
    let server = cluster(&objects);
    fs_err::write(
        scenario.path("kubeconfig"),
        format!(
            "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: c, cluster: {{server: '{}'}}}}], \
             users: [{{name: u, user: {{token: CANARY-user}}}}], contexts: [{{name: c, context: {{cluster: c, user: u}}}}]}}",
            server.address
        ),
    )
    .unwrap();
    let run = || {
        let args = [
            "--to",
            "external-secrets",
            "--secret",
            "mlflow-db-secret",
            "-o",
            "json",
            "--kubeconfig",
            "kubeconfig",
        ];
        let output = scenario.run(&[&args[..], &["--state-dir", "state"]].concat());
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        (plan["state"].clone(), output.status.code())
    };
    let secret = "/api/v1/namespaces/mlflow/secrets/mlflow-db-secret";
    let sealed = "/apis/bitnami.com/v1alpha1/namespaces/mlflow/sealedsecrets/mlflow-db-secret";
    let last = json!({"annotations": {"argocd.argoproj.io/sync-options": "PruneLast=true"}});
    let owned = json!({"uid": "1", "ownerReferences": [owner("SealedSecret", "mlflow-db-secret")]});
    *objects.lock().unwrap() = vec![(secret, owned), (sealed, last.clone())];
    assert_eq!(run(), (json!("waiting"), Some(1)));
    *objects.lock().unwrap() = vec![(secret, json!({"uid": "1"})), (sealed, last)];
    assert_eq!(run(), (json!("take-over"), Some(0)));
}

#[test]
fn hostile_files_of_committed_secrets_show_no_value_and_forge_no_line() {
    const ARGS: [&str; 7] =
        ["--to", "external-secrets", "--no-cluster", "--secret", "mlflow-db-secret", "--write", "--yes"];
    let sealed = |extra: &str| {
        format!(
            "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: mlflow-db-secret, namespace: mlflow}}\n\
             spec:\n  encryptedData: {{password: AgB=}}\n{extra}"
        )
    };
    let plain = "apiVersion: v1\nkind: Secret\nmetadata: {name: beside, namespace: mlflow}\nstringData:\n  a: CANARY\n";
    let list = "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \"bitnami.com/v1alpha1\", \
        \"kind\": \"SealedSecret\", \"metadata\": {\"name\": \"mlflow-db-secret\", \"namespace\": \"mlflow\"}, \
        \"spec\": {\"encryptedData\": {\"password\": \"AgB=\"}}}, {\"apiVersion\": \"v1\", \"kind\": \"Secret\", \
        \"metadata\": {\"name\": \"beside\", \"namespace\": \"mlflow\"}, \"stringData\": {\"a\": \"CANARY\"}}]}\n";
    for (file, is_changed) in [
        (format!("{plain}---\n{}---\n{}", sealed(""), plain.replace("beside", "behind")), true),
        (list.to_owned(), true),
        // One text for two fields.
        (sealed("  template: {metadata: {annotations: &x {a: b}, labels: *x}}\n"), false),
    ] {
        let scenario = Scenario::new();
        fs_err::write(scenario.path(DB), &file).unwrap();
        scenario.commit();
        // The output is watched for the value.
        let output = scenario.run(&ARGS);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let now = fs_err::read_to_string(scenario.path(DB)).unwrap();
        assert_eq!(now != file, is_changed, "{text}");
        assert_eq!(now.matches("CANARY").count(), file.matches("CANARY").count());
        assert_eq!(text.contains("Next commit, by hand"), !is_changed, "{text}");
    }

    // The same Secret in two files, and texts with line breaks where they are shown.
    let scenario = Scenario::new();
    let copy = DB.replace("sealed-mlflow-db", "sealed-copy");
    fs_err::write(scenario.path(DB), sealed("")).unwrap();
    fs_err::write(
        scenario.path(&copy),
        sealed("  template: {type: \"a\\nkind: Pod\\e[31m\"}\n").replace("password:", "\"p\\nq: r\":"),
    )
    .unwrap();
    scenario.commit();
    for _ in 0..2 {
        let output = scenario.run(&ARGS);
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(
            !text.contains("\nkind: Pod") && !text.contains("\nq: r") && !text.contains('\u{1b}'),
            "{text}"
        );
        scenario.git(&["commit", "-qam", "change", "--allow-empty"]);
    }
}

#[cfg(unix)]
#[test]
fn links_of_a_repository_do_not_choose_the_file_that_is_released() {
    const ARGS: [&str; 7] =
        ["--to", "external-secrets", "--no-cluster", "--secret", "mlflow-db-secret", "--write", "--yes"];
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("sealed.yaml");
    let scenario = Scenario::new();
    fs_err::copy(scenario.path(DB), &target).unwrap();
    let original = fs_err::read(&target).unwrap();
    fs_err::remove_file(scenario.path(DB)).unwrap();
    std::os::unix::fs::symlink(&target, scenario.path(DB)).unwrap();
    scenario.commit();
    scenario.run(&ARGS);
    assert_eq!(fs_err::read(&target).unwrap(), original);

    // Within the repository, the file itself must be one that may change.
    fs_err::remove_file(scenario.path(DB)).unwrap();
    fs_err::write(scenario.path("elsewhere.yaml"), &original).unwrap();
    std::os::unix::fs::symlink(scenario.path("elsewhere.yaml"), scenario.path(DB)).unwrap();
    scenario.commit();
    let output = scenario.run(&ARGS);
    assert!(!output.status.success());
    assert_eq!(fs_err::read(scenario.path("elsewhere.yaml")).unwrap(), original);
}

#[test]
fn a_kept_checksum_bridges_only_the_present_state_and_holds_nothing_else() {
    let app = app("environments: {dev: {backend: {from: sealed-secrets, to: external-secrets}}}\n");
    let computed = checksum(&app).as_str().unwrap().to_owned();
    let forged = "0".repeat(32);
    let write = |kept: &str| {
        let entry = format!("keptChecksums: {{Deployment/shop/web: {{computed: {computed}, kept: {kept}}}}}");
        app.write("app/sealwave.yaml", &format!("{SETTINGS}environments: {{dev: {{{entry}}}}}\n"));
    };
    // A committer can choose the text, as in the annotation itself.
    write(&forged);
    assert_eq!(checksum(&app), json!(forged));
    // It holds back no rotation: with another value, the entry has no effect.
    let values = fs_err::read_to_string(app.path("operator/secrets/db.yaml")).unwrap();
    app.write("operator/secrets/db.yaml", &values.replace("password: ", "password: x"));
    let rotated = checksum(&app);
    assert!(rotated != json!(forged) && rotated != json!(computed), "{rotated}");
    // Nothing but a checksum can be written with it.
    for text in ["CANARY", "'a\u{b}: c'", "\"x\\ny: z\"", "1234", &"0".repeat(33)] {
        write(text);
        let output = watched_output(sealwave().args(app.args()));
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{text}");
    }
}
