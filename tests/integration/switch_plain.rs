//! `switch` for the plain Secrets of a directory that Argo CD applies as it is.

use std::process::Output;
use std::sync::{Arc, Mutex};

use sealwave_testkit::git;
use sealwave_testkit::stub_server::{StubReply, StubServer};
use serde_json::{Value, json};

use crate::support::{sealwave, watched_output};

/// A repository with a directory of manifests.
struct PlainRepository(tempfile::TempDir);

const DB: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: db   # CANARY-comment
  labels: {app: CANARY-label}
  annotations:
    argocd.argoproj.io/sync-wave: '-5'
    example.com/note: CANARY-note
type: Opaque
data: {user: Q0FOQVJZLXVzZXI=}
stringData:
  password: CANARY-password
";

impl PlainRepository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.write("shop/db.yaml", DB);
        repository
            .write("shop/web.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {a: b}\n");
        repository.git(&["init", "-q"]);
        repository.commit();
        repository
    }

    fn write(&self, name: &str, text: &str) {
        fs_err::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs_err::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).unwrap()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn git(&self, args: &[&str]) {
        git(self.0.path(), args);
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-qm", "change"]);
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = sealwave();
        let directory: &[&str] = if args.contains(&"shop/sealwave.yaml") { &[] } else { &["shop"] };
        command.args(["switch", "--namespace", "shop"]).args(directory).args(args).current_dir(self.0.path());
        let output = watched_output(&mut command);
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            assert!(!text.contains("CANARY") && !text.contains("Q0FOQVJZ"), "{text}");
        }
        output
    }

    fn plan(&self, to: &str, args: &[&str]) -> (Value, String) {
        let all = [&["--to", to, "--no-cluster", "-o", "json"], args].concat();
        let output = self.run(&all);
        let stderr = String::from_utf8(output.stderr).unwrap();
        (serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{stderr}")), stderr)
    }

    fn refused(&self, args: &[&str], message: &str) {
        let output = self.run(&[&["--to", "external-secrets", "--no-cluster"], args].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
}

const WRITE: [&str; 4] = ["--write", "--yes", "--allow-path", "shop/*"];

#[test]
fn plain_secrets_are_released_and_then_replaced() {
    for (to, managed) in [("external-secrets", false), ("sealed-secrets", true)] {
        let repository = PlainRepository::new();
        let (plan, stderr) = repository.plan(to, &[]);
        assert_eq!(plan["state"], "release");
        assert!(
            stderr.contains("values of these Secrets are in Git's history and stay there: shop/db"),
            "{stderr}"
        );
        let steps: Vec<&str> = plan["plan"]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["id"].as_str().unwrap())
            .collect();
        assert_eq!(steps, ["release", "take-over", "rotate"]);
        let mut expected = "--- a/shop/db.yaml\n+++ b/shop/db.yaml\n@@ -8,0 +9 @@\n\
            +    argocd.argoproj.io/sync-options: Prune=false\n"
            .to_owned();
        let mut text =
            DB.replace("CANARY-note\n", "CANARY-note\n    argocd.argoproj.io/sync-options: Prune=false\n");
        if managed {
            let line = "    sealedsecrets.bitnami.com/managed: \"true\"\n";
            expected = expected.replace("+9 @@", "+9,2 @@") + "+" + line;
            text = text.replace("Prune=false\n", &format!("Prune=false\n{line}"));
        }
        assert_eq!(plan["plan"]["files"], json!([{"path": "shop/db.yaml", "diff": expected}]));

        let (plan, _) = repository.plan(to, &WRITE);
        assert_eq!(plan["committed"]["written"], json!(["shop/db.yaml"]));
        assert_eq!(repository.read("shop/db.yaml"), text);
        repository.commit();

        let (plan, _) = repository.plan(to, &[]);
        assert_eq!((plan["state"].as_str(), &plan["plan"]["files"]), (Some("take-over"), &json!([])));
        let settings = match to {
            "external-secrets" => "externalSecrets:\n  stores:\n    aws-sm:\n      name: NAME\n",
            _ => "",
        };
        assert_eq!(plan["lines"], format!("{settings}environments:\n  default:\n    backend: {to}\n"));
        let replacement = &plan["committed"]["replacements"][0];
        assert_eq!(replacement["file"], "shop/db.yaml");
        let managed = if managed { "    sealedsecrets.bitnami.com/managed: \"true\"\n" } else { "" };
        assert_eq!(
            replacement["manifest"],
            format!(
                "# Copy `example.com/note`, `app` from the old manifest.\napiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  \
                 annotations:\n    argocd.argoproj.io/sync-wave: \"-5\"\n{managed}type: Opaque\nstringData:\n  \
                 password: \"<aws-sm:PATH#KEY>\"\n  user: \"<aws-sm:PATH#KEY>\"\n"
            )
        );
        let output = repository.run(&["--to", to, "--no-cluster"]);
        let human = String::from_utf8(output.stdout).unwrap();
        assert!(human.contains("Next commit, instead of Secret shop/db in shop/db.yaml:1"), "{human}");
        assert!(human.contains("  backend      none: Argo CD applies the Secrets\n"), "{human}");
    }
}

#[test]
fn the_csi_driver_needs_its_label() {
    let repository = PlainRepository::new();
    let (plan, _) = repository.plan("secrets-store-csi", &WRITE);
    // The labels are in flow style, beside a text that may be a value.
    let diff = plan["plan"]["files"][0]["diff"].as_str().unwrap();
    assert!(diff.contains("+(a line of a file with a Secret in plaintext)\n"), "{diff}");
    let text = repository.read("shop/db.yaml");
    assert!(
        text.contains("labels: {app: CANARY-label, secrets-store.csi.k8s.io/managed: \"true\"}"),
        "{text}"
    );
    assert_eq!(repository.plan("secrets-store-csi", &[]).0["state"], "take-over");
}

#[test]
fn placeholders_of_another_tool_are_no_values() {
    let repository = PlainRepository::new();
    repository.write(
        "shop/db.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: <path:kv/data/db#password>}\n",
    );
    let (plan, stderr) = repository.plan("external-secrets", &[]);
    assert!(!stderr.contains("history"), "{stderr}");
    assert_eq!(plan["plan"]["steps"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_planned_has_a_message() {
    let repository = PlainRepository::new();
    repository.refused(&["--secret", "other"], "directory `shop` has no Secret `other`");
    repository.refused(&["--write", "--yes"], "shop/db.yaml");
    repository.refused(&["--write", "--allow-path", "shop/*"], "plan needs consent");
    let mut command = sealwave();
    command
        .args(["switch", "shop", "--to", "external-secrets", "--no-cluster"])
        .current_dir(repository.0.path());
    let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(stderr.contains("Secret `db` has no namespace in its file"), "{stderr}");
    // The same Secret for two environments.
    repository.write("shop/dev/db.yaml", DB);
    repository.refused(&[], "Secret `shop/db` is in `shop/db.yaml` and in `shop/dev/db.yaml`");
    fs_err::remove_file(repository.path("shop/dev/db.yaml")).unwrap();
    fs_err::remove_file(repository.path("shop/db.yaml")).unwrap();
    repository.refused(&[], "directory `shop` has neither `sealwave.yaml` nor a Secret");
    // A file that may have it is named.
    repository.commit();
    repository.write("shop/broken.yaml", "kind: Secret\nmetadata: {name: db\n");
    repository.refused(&[], "nor a Secret; `shop/broken.yaml` was not read: it is not valid YAML");
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("kind: Secret\n".bytes().flat_map(|byte| [byte, 0])).collect();
    fs_err::write(repository.path("shop/broken.yaml"), wide).unwrap();
    repository.refused(&[], "`shop/broken.yaml` was not read: it is UTF-16");
}

#[test]
fn hostile_files_show_no_value_and_change_nothing() {
    let repository = PlainRepository::new();
    let write = [&["--to", "sealed-secrets", "--no-cluster"], &WRITE[..]].concat();
    // An alias that would show a value as a sync option, an anchor, everything on one line, a list, a merge key.
    let header = "apiVersion: v1\nkind: Secret\n";
    for (file, is_changed) in [
        (format!("{header}stringData: {{p: &x CANARY}}\nmetadata:\n  name: db\n  annotations:\n    argocd.argoproj.io/sync-options: *x\n"), false),
        (format!("{header}metadata:\n  name: db\n  annotations: &x\n    a: CANARY\nstringData: *x\n"), false),
        (format!("{header}x: &x {{a: CANARY}}\nmetadata:\n  name: db\n  annotations:\n    <<: *x\n"), true),
        ("{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"db\"}, \"stringData\": {\"p\": \"CANARY\"}}\n".to_owned(), true),
        ("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: db}, stringData: {p: CANARY}}\n".to_owned(), true),
        (format!("{header}metadata:\n  name: db\n  annotations:\n    argocd.argoproj.io/sync-options: Prune=true,Replace=true\nstringData: {{p: CANARY}}\n"), true),
    ] {
        repository.write("shop/db.yaml", &file);
        repository.git(&["add", "-A"]);
        repository.git(&["commit", "-qm", "change", "--allow-empty"]);
        let output = repository.run(&write);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let now = repository.read("shop/db.yaml");
        assert_eq!(now != file, is_changed, "{now}\n{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(now.contains("Prune=false"), is_changed, "{now}");
    }
}

#[test]
fn names_cannot_forge_lines() {
    let repository = PlainRepository::new();
    repository.write(
        "shop/db.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: \"db\\nfoo: bar\\e[31m\", annotations: {\"x\\nkind: Pod\": y}}\n\
         stringData: {\"k\\nz\": v}\n",
    );
    repository.commit();
    for args in [&[][..], &WRITE[..], &[]] {
        let output = repository.run(&[&["--to", "external-secrets", "--no-cluster"], args].concat());
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(
            !text.contains('\u{1b}') && !text.contains("\nfoo") && !text.contains("\nkind: Pod"),
            "{text}"
        );
    }
}

#[cfg(unix)]
#[test]
fn links_devices_templates_and_large_files_are_not_read() {
    let repository = PlainRepository::new();
    let outside = tempfile::tempdir().unwrap();
    fs_err::write(outside.path().join("s.yaml"), DB.replace("name: db", "name: outside")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("s.yaml"), repository.path("shop/link.yaml")).unwrap();
    std::os::unix::fs::symlink(outside.path(), repository.path("shop/dir")).unwrap();
    std::os::unix::fs::symlink("db.yaml", repository.path("shop/again.yaml")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(repository.path("shop/fifo.yaml")).status();
    assert!(fifo.unwrap().success());
    repository.write("shop/template.yaml", "kind: Secret\nmetadata: {{ CANARY }}: {\n");
    repository.write("shop/large.yaml", &format!("kind: Secret\n# {}\n", "x".repeat(5 << 20)));
    repository.write("shop/deep.yaml", &format!("kind: Secret\na: {}\n", "[".repeat(100_000)));
    let (plan, stderr) = repository.plan("external-secrets", &[]);
    assert_eq!(plan["plan"]["files"].as_array().unwrap().len(), 1);
    for message in [
        "shop/link.yaml was not read: symbolic link out of the repository",
        "shop/fifo.yaml was not read: it is not a regular file",
        "shop/template.yaml was not read: it is not valid YAML, such as a template",
        "shop/deep.yaml was not read: it is not valid YAML, such as a template",
        "shop/large.yaml was not read: it cannot be read, or is larger than 4194304 bytes",
    ] {
        assert!(stderr.contains(message), "{message}\n{stderr}");
    }
}

#[test]
fn values_in_an_app_are_replaced_first() {
    let repository = PlainRepository::new();
    repository.write("shop/base/db.yaml", DB);
    repository.write(
        "shop/sealwave.yaml",
        "apiVersion: sealwave.dev/v1alpha1\nkind: App\nenvironments: {dev: {}}\n",
    );
    for args in [&[][..], &["--secret", "db"], &["shop/sealwave.yaml"]] {
        repository.refused(args, "values of these Secrets are in the manifests, not in a source: shop/db");
    }
}

/// The metadata of the Secret that a stub cluster returns.
type LiveMetadata = Arc<Mutex<Value>>;

fn cluster(metadata: &LiveMetadata) -> StubServer {
    let metadata = Arc::clone(metadata);
    StubServer::start(move |asked, _| {
        if asked.target != "/api/v1/namespaces/shop/secrets/db" {
            return StubReply::json(404, r#"{"reason":"NotFound"}"#);
        }
        let body = json!({
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": *metadata.lock().unwrap(),
        });
        StubReply::json(200, body.to_string())
    })
}

#[test]
fn the_cluster_must_have_the_release() {
    let repository = PlainRepository::new();
    repository.plan("sealed-secrets", &WRITE);
    let metadata = LiveMetadata::default();
    let server = cluster(&metadata);
    repository.write(
        "kubeconfig",
        &format!(
            "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: c, cluster: {{server: '{}'}}}}], \
             users: [{{name: u, user: {{token: t}}}}], contexts: [{{name: c, context: {{cluster: c, user: u}}}}]}}",
            server.address
        ),
    );
    let run = |value: Value| {
        *metadata.lock().unwrap() = value;
        let args =
            ["--to", "sealed-secrets", "-o", "json", "--kubeconfig", "kubeconfig", "--state-dir", "state"];
        let output = repository.run(&args);
        let plan: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let messages: Vec<String> = plan["findings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|finding| finding["message"].as_str().unwrap().to_owned())
            .collect();
        (plan["state"].as_str().unwrap().to_owned(), messages, output.status.code())
    };
    let last_applied = json!({"kind": "Secret", "data": {"password": "CANARY"}}).to_string();
    let applied = |annotations: Value| {
        let mut annotations = annotations;
        annotations["kubectl.kubernetes.io/last-applied-configuration"] = json!(last_applied);
        json!({"uid": "1", "annotations": annotations})
    };
    let (state, messages, code) = run(applied(json!({})));
    assert_eq!((state.as_str(), code), ("waiting", Some(1)));
    assert_eq!(
        messages,
        [
            "the Secret in the cluster lacks the sync option `Prune=false`",
            "the Secret lacks the annotation `sealedsecrets.bitnami.com/managed`"
        ]
    );
    let released = json!({
        "argocd.argoproj.io/sync-options": "Prune=false", "sealedsecrets.bitnami.com/managed": "true",
    });
    assert_eq!(run(applied(released.clone())), ("take-over".to_owned(), Vec::new(), Some(0)));
    let owned = json!({"uid": "1", "annotations": released, "ownerReferences": [{"kind": "ReplicaSet\n\u{1b}[0m", "name": "x"}]});
    let (_, messages, _) = run(owned);
    assert!(messages[0].starts_with("the Secret is owned by ReplicaSet"), "{messages:?}");
    assert!(!messages[0].contains(['\n', '\u{1b}']), "{messages:?}");
    // A large object, and another Secret of the same name.
    let large = json!({
        "uid": "2", "annotations": {
            "argocd.argoproj.io/sync-options": "Prune=false", "sealedsecrets.bitnami.com/managed": "true",
            "x": "y".repeat(1 << 20),
        },
    });
    let (_, messages, _) = run(large);
    assert!(messages[0].starts_with("the Secret was deleted and created again"), "{messages:?}");
    let journals = walkdir::WalkDir::new(repository.path("state")).into_iter().filter_map(Result::ok);
    for journal in journals.filter(|entry| entry.file_type().is_file()) {
        assert!(!fs_err::read_to_string(journal.path()).unwrap().contains("CANARY"));
    }
}
