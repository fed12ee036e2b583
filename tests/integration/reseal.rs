//! `reseal` from outside: on scenario 2's tree, and its messages.

use std::path::PathBuf;
use std::process::Output;

use fs_err as fs;
use sealwave_testkit::git;
use serde_json::Value as Json;

#[cfg(feature = "k8s")]
use crate::support::controller;
use crate::support::{copy_tree, is_message_line, objects, private, root, sealwave};

/// The keys of the environments `dev` (2048 bits), `prod` (4096 bits), and of a new controller key (3072 bits).
const NEW: &str = "rsa3072";

/// A copy of scenario 2 in a Git checkout, with key files that only their owner can read.
struct Checkout(tempfile::TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().expect("a directory"));
        let scenario = root().join("testdata/scenario-2-rotation");
        copy_tree(&scenario.join("app"), &checkout.path("repository/app"));
        copy_tree(&scenario.join("operator"), &checkout.path("operator"));
        fs::create_dir(checkout.path("keys")).expect("created");
        for name in ["rsa2048", "rsa3072", "rsa4096"] {
            for extension in ["key", "crt"] {
                let from = root().join(format!("testdata/sealed-secrets/{name}.{extension}"));
                let to = checkout.path(&format!("keys/{name}.{extension}"));
                fs::copy(from, &to).expect("copied");
                private(&to);
            }
        }
        checkout.git(&["init", "--quiet", "--initial-branch", "main"]);
        checkout.git(&["config", "user.name", "test"]);
        checkout.git(&["config", "user.email", "test@example.com"]);
        checkout.commit();
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.path("repository"), args)
    }

    fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "files"]);
    }

    fn changed(&self) -> String {
        self.git(&["status", "--porcelain", "--untracked-files=all"])
    }

    /// Runs `reseal` in the checkout.
    fn reseal(&self, args: &[&str]) -> Output {
        let mut command = sealwave();
        command.current_dir(self.path("repository")).env("HOME", self.path("home")).arg("reseal").args(args);
        command.output().expect("the binary starts")
    }

    /// Runs `reseal app` offline for an environment, from its old keys to a new certificate.
    fn reseal_environment(&self, environment: &str, from: &[&str], to: &str, more: &[&str]) -> Output {
        let mut args = vec!["app".to_owned(), "--env".to_owned(), environment.to_owned()];
        args.extend(["--cert".to_owned(), self.shown(&format!("keys/{to}.crt"))]);
        for key in from {
            args.extend(["--key".to_owned(), self.shown(&format!("keys/{key}.key"))]);
        }
        args.extend(more.iter().map(|flag| (*flag).to_owned()));
        self.reseal(&args.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Starts a cluster whose controller has this key, and returns a kubeconfig for it.
    #[cfg(feature = "k8s")]
    fn kubeconfig(&self, certificate: &str, key: &str) -> String {
        let read = |name: &str| fs::read_to_string(self.path(&format!("keys/{name}"))).expect("readable");
        let server = controller::start(&read(&format!("{certificate}.crt")), &read(&format!("{key}.key")));
        let kubeconfig = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": server.address}}],
            "users": [{"name": "u", "user": {"token": "CANARY"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        });
        fs::write(self.path("kubeconfig"), kubeconfig.to_string()).expect("written");
        self.shown("kubeconfig")
    }

    /// Returns the output of `generate` for an environment.
    fn generate(&self, environment: &str) -> Vec<Json> {
        let operator = self.shown("operator/operator.yaml");
        let mut command = sealwave();
        command.current_dir(self.path("repository")).args(["generate", "app", "--env", environment]);
        command.args([
            "--operator",
            &operator,
            "--project",
            "platform",
            "--app",
            "p",
            "--namespace",
            "platform",
        ]);
        let output = command.output().expect("the binary starts");
        assert!(output.status.success(), "{}", text(&output.stderr));
        objects(&text(&output.stdout))
    }

    /// Returns all committed sealed files of the app with their contents.
    fn sealed_files(&self) -> Vec<(PathBuf, String)> {
        let listed = self.git(&["ls-files", "-z", "app/envs"]);
        let names = listed.split_terminator('\0').filter(|name| name.contains("/sealed-secrets/"));
        names
            .map(|name| {
                let path = self.path("repository").join(name);
                let text = fs::read_to_string(&path).expect("readable");
                (path, text)
            })
            .collect()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Returns standard error of a refused run, which printed nothing else.
fn refused(output: &Output) -> String {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(text(&output.stdout), "");
    let is_progress = |line: &str| line == "preparing the plan";
    assert!(stderr.lines().all(|line| is_message_line(line) || is_progress(line)), "{stderr}");
    stderr
}

/// Returns the checksums of all pod templates, with the names of their objects.
fn checksums(objects: &[Json]) -> Vec<(String, Json)> {
    let checksum = |object: &Json| {
        let annotations = object.pointer("/spec/template/metadata/annotations")?;
        let name = format!("{} {}", object["kind"], object["metadata"]["name"]);
        Some((name, annotations.clone()))
    };
    objects.iter().filter_map(checksum).collect()
}

/// Removes from an object what re-sealing may change.
fn without_own_parts(object: &Json) -> Json {
    let mut object = object.clone();
    if object["kind"] == "SealedSecret" {
        for item in object
            .pointer_mut("/spec/encryptedData")
            .and_then(Json::as_object_mut)
            .expect("items")
            .values_mut()
        {
            *item = Json::Null;
        }
        if let Some(annotations) = object.pointer_mut("/metadata/annotations").and_then(Json::as_object_mut) {
            annotations.retain(|name, _| {
                !matches!(name.as_str(), "sealwave.dev/certificate" | "sealwave.dev/resealed")
            });
        }
    }
    object
}

/// Removes from a file what re-sealing may change: the ciphertexts of its items, and the two annotations.
fn without_own_lines(text: &str) -> String {
    let mut out = String::new();
    let mut in_items = false;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with("sealwave.dev/certificate: ")
            || line.trim_start().starts_with("sealwave.dev/resealed: ")
        {
            continue;
        }
        in_items = line == "  encryptedData:\n" || in_items && line.starts_with("    ");
        match line.split_once(": ") {
            Some((key, _)) if in_items => out.push_str(key),
            _ => out.push_str(line),
        }
    }
    out
}

#[test]
fn only_items_and_own_annotations_change_and_nothing_restarts() {
    let checkout = Checkout::new();
    let before = checkout.sealed_files();
    let rendered: Vec<_> = ["dev", "prod"].map(|environment| checkout.generate(environment)).into();
    assert!(before.len() >= 16 && checksums(&rendered[0]).len() >= 3);
    // Twice, from the present keys to a new one and then to the large one.
    for (from_dev, from_prod, to) in [("rsa2048", "rsa4096", NEW), (NEW, NEW, "rsa2048")] {
        for (environment, from) in [("dev", from_dev), ("prod", from_prod)] {
            let output = checkout.reseal_environment(environment, &[from, to], to, &["--yes", "--commit"]);
            let stdout = succeeded(&output);
            assert!(stdout.contains("replaced 13 ciphertexts in 8 files"), "{stdout}");
        }
        for ((path, old), (_, new)) in before.iter().zip(checkout.sealed_files()) {
            assert_ne!(*old, new, "{}", path.display());
            assert_eq!(without_own_lines(old), without_own_lines(&new), "{}", path.display());
        }
        for (environment, old) in ["dev", "prod"].iter().zip(&rendered) {
            let new = checkout.generate(environment);
            assert_eq!(checksums(&new), checksums(old), "{environment}");
            let [old, new] =
                [old, &new].map(|objects| objects.iter().map(without_own_parts).collect::<Vec<_>>());
            assert_eq!(old, new);
        }
        assert_eq!(checkout.changed(), "");
    }
}

#[test]
fn an_edited_item_restarts_its_pods_again() {
    let checkout = Checkout::new();
    succeeded(&checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--yes"]));
    let before = checksums(&checkout.generate("dev"));
    let path =
        checkout.path("repository/app/envs/dev/sealed-secrets/fastapi/sealed-fastapi-jwt-dev-secret.yaml");
    let file = fs::read_to_string(&path).expect("readable");
    let old = file.lines().find(|line| line.starts_with("    JWT_SECRET: ")).expect("an item").to_owned();
    // Another ciphertext of the same length.
    fs::write(&path, file.replace(&old, &format!("{}{}", &old[..old.len() - 8], "AAAAAAAA")))
        .expect("written");
    let after = checksums(&checkout.generate("dev"));
    let different: Vec<&String> =
        before.iter().zip(&after).filter(|(a, b)| a != b).map(|((name, _), _)| name).collect();
    assert_eq!(different, ["\"Deployment\" \"fastapi\""]);
}

#[test]
fn the_plan_comes_first_and_changes_nothing() {
    let checkout = Checkout::new();
    let stdout = succeeded(&checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--dry-run"]));
    for expected in [
        "public key SHA-256   d8139b1d140d",
        "items                13 items found: 13 to seal again, 0 left as they are",
        "restarts             none",
        "--- a/app/envs/dev/sealed-secrets/airflow/sealed-airflow-db-dev-secret.yaml",
        "+    sealwave.dev/resealed: '{\"connection\":\"",
        "nothing was changed (--dry-run)",
    ] {
        assert!(stdout.contains(expected), "{expected}\n{stdout}");
    }
    assert_eq!(checkout.changed(), "");
    assert!(!checkout.path("home").exists(), "no journal was created");
    let json = checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--dry-run", "-o", "json"]);
    let json: Json = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["plan"]["files"].as_array().expect("files").len(), 8);
    assert_eq!(json["outcome"]["state"], "planned");
    // Without a terminal, consent needs the flag.
    let stderr = refused(&checkout.reseal_environment("dev", &["rsa2048"], NEW, &[]));
    assert!(stderr.contains("--yes"), "{stderr}");
    assert_eq!(checkout.changed(), "");
}

#[test]
fn an_unclean_tree_is_refused_where_files_would_change() {
    let checkout = Checkout::new();
    let values = checkout.path("repository/app/values.yaml");
    fs::write(&values, format!("{}# edited\n", fs::read_to_string(&values).expect("readable")))
        .expect("written");
    let sealed =
        checkout.path("repository/app/envs/dev/sealed-secrets/airflow/sealed-airflow-db-dev-secret.yaml");
    let before = fs::read_to_string(&sealed).expect("readable");
    fs::write(&sealed, format!("{before}# edited\n")).expect("written");
    let stderr = refused(&checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--yes"]));
    assert!(stderr.contains("sealed-airflow-db-dev-secret.yaml` is not committed"), "{stderr}");
    assert_eq!(checkout.changed().lines().count(), 2);
    // Other files do not matter.
    fs::write(&sealed, before).expect("written");
    succeeded(&checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--yes"]));
}

#[test]
fn other_files_need_a_flag() {
    let checkout = Checkout::new();
    let from = "app/envs/dev/sealed-secrets/airflow/sealed-airflow-db-dev-secret.yaml";
    checkout.git(&["mv", from, "app/base/database.yaml"]);
    checkout.commit();
    let certificate = checkout.shown(&format!("keys/{NEW}.crt"));
    let key = checkout.shown("keys/rsa2048.key");
    let reseal = |more: &[&str]| {
        let args = ["app/base", "--cert", &certificate, "--key", &key, "--yes"];
        checkout.reseal(&[&args, more].concat())
    };
    let stderr = refused(&reseal(&[]));
    assert!(stderr.contains("`app/base/database.yaml` may not be changed"), "{stderr}");
    succeeded(&reseal(&["--allow-path", "app/base/*.yaml"]));
}

#[test]
fn check_and_map_are_reports() {
    let checkout = Checkout::new();
    let check = |more: &[&str]| checkout.reseal_environment("dev", &[], NEW, more);
    let output = check(&["--check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).ends_with("public key d8139b1d140d…: 0 current, 0 stale, 13 unknown\n"));
    succeeded(&checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--yes"]));
    let stdout = succeeded(&check(&["--check"]));
    assert_eq!(stdout, "public key d8139b1d140d…: 13 current, 0 stale, 0 unknown\n");
    let json: Json = serde_json::from_str(&succeeded(&check(&["--check", "-o", "json"]))).expect("JSON");
    assert_eq!((&json["current"], &json["items"]), (&Json::from(13), &Json::from(Vec::<Json>::new())));
    let key = |name: &str| checkout.shown(&format!("keys/{name}.key"));
    let (two, three, four) = (key("rsa2048"), key("rsa3072"), key("rsa4096"));
    let map = checkout.reseal(&["--map", "app", "--key", &two, "--key", &three, "--key", &four]);
    let stdout = succeeded(&map);
    assert!(stdout.contains("rsa2048.key): nothing that was seen needs it"), "{stdout}");
    assert!(
        stdout.contains("rsa3072.key): 13 items") && stdout.contains("rsa4096.key): 13 items"),
        "{stdout}"
    );
}

#[test]
fn items_that_are_merged_after_a_reseal_are_recorded() {
    let checkout = Checkout::new();
    succeeded(&checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--yes"]));
    checkout.commit();
    let path = "repository/app/envs/dev/sealed-secrets/fastapi/sealed-fastapi-jwt-dev-secret.yaml";
    let file = checkout.shown(path);
    let mut command = sealwave();
    command.args(["seal", "--cert", &checkout.shown(&format!("keys/{NEW}.crt")), "--merge-into", &file]);
    command.args(["--from-literal", "NEXT_SECRET=x"]);
    succeeded(&command.output().expect("the binary starts"));
    let stdout = succeeded(&checkout.reseal_environment("dev", &[], NEW, &["--check"]));
    assert_eq!(stdout, "public key d8139b1d140d…: 14 current, 0 stale, 0 unknown\n");
    // The record names another certificate.
    let mut command = sealwave();
    command.args(["seal", "--cert", &checkout.shown("keys/rsa4096.crt"), "--merge-into", &file]);
    command.args(["--from-literal", "NEXT_SECRET=x"]);
    succeeded(&command.output().expect("the binary starts"));
    let output = checkout.reseal_environment("dev", &[], NEW, &["--check"]);
    let stdout = text(&output.stdout);
    assert!(
        stdout.contains("stale: item `NEXT_SECRET`") && stdout.contains("13 current, 1 stale"),
        "{stdout}"
    );
}

#[test]
fn each_refusal_has_its_message() {
    let checkout = Checkout::new();
    let certificate = checkout.shown(&format!("keys/{NEW}.crt"));
    let key = checkout.shown("keys/rsa2048.key");
    fs::create_dir(checkout.path("empty")).expect("created");
    let empty = checkout.shown("empty");
    for (args, expected) in [
        (
            vec!["app", "--cert", &certificate, "--key", &key],
            "files of several environments would be sealed for one certificate: `dev`, `prod`",
        ),
        (
            vec!["app/envs/dev", "--env", "prod", "--cert", &certificate, "--key", &key],
            "no file belongs to environment `prod`; found: `dev`",
        ),
        (
            vec!["app", "--check", "--env", "prod", "--env", "de", "--cert", &certificate],
            "no file belongs to environment `de`; found: `dev`, `next`, `prod`",
        ),
        (vec!["app", "--check", "--env", "prd", "--cert", &certificate], "did you mean `prod`?"),
        (vec!["app", "--map", "--env", "prd", "--key", &key], "did you mean `prod`?"),
        (
            vec![
                "app/envs/dev/sealed-secrets/airflow/sealed-airflow-db-dev-secret.yaml",
                "--env",
                "prod",
                "--cert",
                &certificate,
                "--key",
                &key,
            ],
            "belongs to environment `dev`, which `--env` does not name",
        ),
        (
            vec![
                "app",
                "--env",
                "dev",
                "--cert",
                &certificate,
                "--key",
                &key,
                "--yes",
                "--push",
                "--remote",
                "none",
            ],
            "name the remote with `--remote`",
        ),
        (vec![&empty, "--cert", &certificate, "--key", &key], "no SealedSecrets were found"),
        (vec!["none", "--cert", &certificate, "--key", &key], "`none` cannot be read"),
        (vec!["app", &empty, "--cert", &certificate, "--key", &key], "paths are in several repositories"),
        (
            vec!["app", "--env", "prod", "--cert", &certificate, "--key", &key, "--yes"],
            "cannot be opened with the given key",
        ),
        (vec!["app", "--env", "dev", "--cert", &key, "--key", &key], "certificate file holds a private key"),
        (vec!["app", "--env", "dev", "--cert", &certificate, "--key", &certificate], "no private key"),
        (vec!["app", "--env", "dev", "--cert", &certificate, "--kubeconfig", &empty], "kubeconfig"),
    ] {
        let stderr = refused(&checkout.reseal(&args));
        assert!(stderr.contains(expected), "{expected}\n{stderr}");
    }
    assert_eq!(checkout.changed(), "");
}

#[test]
fn an_environment_is_selected_in_every_directory() {
    let checkout = Checkout::new();
    let certificate = checkout.shown(&format!("keys/{NEW}.crt"));
    let check = |directory: &str, path: &str| {
        let mut command = sealwave();
        command.current_dir(checkout.path("repository").join(directory)).args(["reseal", path, "--check"]);
        let output =
            command.args(["--env", "dev", "--cert", &certificate]).output().expect("the binary starts");
        text(&output.stdout)
    };
    for (directory, path) in
        [("app", "."), ("", "."), ("app", "envs"), ("app/envs", "."), ("app/envs/dev", ".")]
    {
        let stdout = check(directory, path);
        assert!(stdout.ends_with(": 0 current, 0 stale, 13 unknown\n"), "{directory} {path}: {stdout}");
    }
}

#[test]
fn a_commit_needs_a_branch() {
    let checkout = Checkout::new();
    checkout.git(&["checkout", "--quiet", "--detach"]);
    let stderr = refused(&checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--yes", "--commit"]));
    assert!(stderr.contains("no branch is checked out, so the commit would be on none"), "{stderr}");
    assert!(stderr.contains("omit `--commit`"), "{stderr}");
    assert_eq!(checkout.changed(), "");
    succeeded(&checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--yes"]));
    #[cfg(feature = "k8s")]
    {
        checkout.commit();
        let kubeconfig = checkout.kubeconfig("rsa2048", "rsa2048");
        let mut command = sealwave();
        command.current_dir(checkout.path("repository")).args([
            "rotate",
            "controller-key",
            "app",
            "--env",
            "dev",
        ]);
        command.args(["--no-backup", "--yes", "--commit", "--kubeconfig", &kubeconfig]);
        command.args(["--state-dir", &checkout.shown("state")]);
        let stderr = refused(&command.output().expect("the binary starts"));
        assert!(stderr.contains("no branch is checked out, so the commit would be on none"), "{stderr}");
    }
}

#[test]
fn one_cluster_of_several_environments_is_named_beside_a_certificate() {
    let checkout = Checkout::new();
    let certificate = checkout.shown(&format!("keys/{NEW}.crt"));
    let args = ["app", "--check", "--env", "dev", "--env", "prod", "--cert", &certificate];
    let stderr = refused(&checkout.reseal(&args));
    assert!(
        stderr.contains("files are of several clusters") && stderr.contains("--cluster NAME"),
        "{stderr}"
    );
    let output = checkout.reseal(&[&args[..], &["--cluster", "shared"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("0 current"), "{}", text(&output.stdout));
}

#[test]
fn outside_of_git_whole_paths_are_allowed_and_shown() {
    let checkout = Checkout::new();
    copy_tree(&checkout.path("repository/app"), &checkout.path("copy"));
    let (certificate, key) = (checkout.shown(&format!("keys/{NEW}.crt")), checkout.shown("keys/rsa2048.key"));
    let file = "envs/dev/sealed-secrets/airflow/sealed-airflow-db-dev-secret.yaml";
    let reseal = |directory: &str, path: &str, last: &str| {
        let mut command = sealwave();
        command.current_dir(checkout.path(directory)).env("HOME", checkout.path("home"));
        command.args(["reseal", path, "--env", "dev", "--cert", &certificate, "--key", &key, last]);
        command.output().expect("the binary starts")
    };
    let name = file.rsplit('/').next().expect("a name");
    let airflow = "copy/envs/dev/sealed-secrets/airflow";
    for (directory, path) in
        [("copy", "."), ("copy", "envs/dev"), ("copy/envs", "."), ("copy", file), (airflow, name)]
    {
        succeeded(&reseal(directory, path, "--dry-run"));
    }
    succeeded(&reseal("copy", ".", "--yes"));
    fs::rename(checkout.path("copy").join(file), checkout.path("copy/base/database.yaml")).expect("moved");
    let certificate = checkout.shown("keys/rsa4096.crt");
    let (new, mut command) = (checkout.shown(&format!("keys/{NEW}.key")), sealwave());
    command.current_dir(checkout.path("copy/base")).env("HOME", checkout.path("home"));
    command.args(["reseal", "database.yaml", "--cert", &certificate, "--key", &new, "--yes"]);
    let stderr = refused(&command.output().expect("the binary starts"));
    let shown = fs::canonicalize(checkout.path("copy/base/database.yaml")).expect("there");
    let expected = format!("`{}` may not be changed, and is not in a Git checkout", shown.display());
    assert!(stderr.contains(&expected), "{stderr}");
}

#[test]
fn the_sidecar_is_refused() {
    let mut command = sealwave();
    command.args(["reseal", "."]).env("ARGOCD_APP_NAME", "shop").env("ARGOCD_APP_NAMESPACE", "shop");
    command.env("ARGOCD_APP_PROJECT_NAME", "shop").env("ARGOCD_APP_SOURCE_REPO_URL", "https://example.com/r");
    let stderr = refused(&command.output().expect("the binary starts"));
    assert!(stderr.contains("`reseal` must not be used when Argo CD runs sealwave"), "{stderr}");
}

#[test]
fn no_value_appears_anywhere() {
    let checkout = Checkout::new();
    let path = "repository/app/envs/dev/sealed-secrets/shop/sealed-db.yaml";
    fs::create_dir_all(checkout.path(path).parent().expect("a parent")).expect("created");
    let mut command = sealwave();
    command.args(["seal", "--cert", &checkout.shown("keys/rsa2048.crt"), "-n", "shop", "--name", "db"]);
    command.args(["--from-literal", "password=CANARY-reseal-value", "-w", &checkout.shown(path)]);
    succeeded(&command.output().expect("the binary starts"));
    checkout.commit();
    let outputs = [
        checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--dry-run"]),
        checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--yes", "-o", "json"]),
        checkout.reseal_environment("dev", &[NEW], NEW, &["--check"]),
        checkout.reseal_environment("dev", &[NEW], NEW, &["--map"]),
    ];
    for output in &outputs {
        assert!(!output.stdout.is_empty());
        for bytes in [&output.stdout, &output.stderr] {
            assert_eq!(crate::support::find_marker(bytes, crate::support::MARKER), None);
        }
    }
    let file = fs::read(checkout.path(path)).expect("readable");
    assert_eq!(crate::support::find_marker(&file, crate::support::MARKER), None);
}

#[test]
fn with_key_files_the_app_file_cannot_choose_another_cluster() {
    let checkout = Checkout::new();
    let app_file = checkout.path("repository/app/sealwave.yaml");
    let text = fs::read_to_string(&app_file).expect("readable");
    let changed = text.replacen("dev: {cluster: dev}", "dev: {cluster: prod}", 1);
    assert_ne!(changed, text);
    fs::write(&app_file, changed).expect("written");
    checkout.commit();
    let operator = checkout.shown("operator/operator.yaml");
    let key = checkout.shown("keys/rsa2048.key");
    let args = ["app", "--env", "dev", "--operator", &operator, "--key", &key];
    let output = checkout.reseal(&args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("app file names cluster `prod` for environment `dev`"), "{stderr}");
    let named = checkout.reseal(&[&args[..], &["--cluster", "prod", "--dry-run"]].concat());
    assert_eq!(named.status.code(), Some(0), "{}", String::from_utf8_lossy(&named.stderr));
    assert_eq!(checkout.changed(), "");
}

#[test]
fn files_of_several_clusters_are_refused() {
    let checkout = Checkout::new();
    copy_tree(&checkout.path("repository/app"), &checkout.path("repository/other"));
    let app_file = checkout.path("repository/other/sealwave.yaml");
    let text = fs::read_to_string(&app_file).expect("readable");
    fs::write(&app_file, text.replacen("dev: {cluster: dev}", "dev: {cluster: prod}", 1)).expect("written");
    checkout.commit();
    let (operator, key) = (checkout.shown("operator/operator.yaml"), checkout.shown("keys/rsa2048.key"));
    let certificate = checkout.shown(&format!("keys/{NEW}.crt"));
    for certificate in [["--operator", &operator], ["--cert", &certificate]] {
        for paths in [["app", "other"], ["other", "app"]] {
            for more in [&["--yes"][..], &["--check"]] {
                let args = [&paths[..], &["--env", "dev", "--key", &key], &certificate, more].concat();
                let stderr = refused(&checkout.reseal(&args));
                let (first, second) = ("app/envs/dev/", "other/envs/dev/");
                assert!(stderr.contains("files are of several clusters: `"), "{args:?}: {stderr}");
                assert!(stderr.contains(first) && stderr.contains("` of `dev`"), "{args:?}: {stderr}");
                assert!(stderr.contains(second) && stderr.contains("` of `prod`"), "{args:?}: {stderr}");
            }
        }
    }
    assert_eq!(checkout.changed(), "");
    #[cfg(feature = "k8s")]
    {
        let kubeconfig = checkout.kubeconfig("rsa2048", "rsa2048");
        let mut command = sealwave();
        command.current_dir(checkout.path("repository")).args([
            "rotate",
            "controller-key",
            "app",
            "other",
            "--env",
            "dev",
        ]);
        command.args([
            "--no-backup",
            "--yes",
            "--kubeconfig",
            &kubeconfig,
            "--state-dir",
            &checkout.shown("state"),
        ]);
        let stderr = refused(&command.output().expect("the binary starts"));
        assert!(stderr.contains("files are of several clusters: `"), "{stderr}");
        assert_eq!(checkout.changed(), "");
    }
    // The user names one that runs both.
    let args = [
        "app",
        "other",
        "--env",
        "dev",
        "--operator",
        &operator,
        "--cluster",
        "prod",
        "--key",
        &key,
        "--dry-run",
    ];
    succeeded(&checkout.reseal(&args));
}

#[test]
fn a_file_of_another_cluster_is_not_sealed_for_this_one() {
    let checkout = Checkout::new();
    let from =
        checkout.path("repository/app/envs/prod/sealed-secrets/fastapi/sealed-fastapi-jwt-prod-secret.yaml");
    let to = checkout.path("repository/app/envs/dev/sealed-secrets/fastapi/copied.yaml");
    fs::copy(&from, &to).expect("copied");
    checkout.commit();
    let stderr = refused(&checkout.reseal_environment("dev", &["rsa2048", "rsa4096"], NEW, &["--yes"]));
    assert!(
        stderr.contains("copied.yaml") && stderr.contains("may belong to another controller"),
        "{stderr}"
    );
    assert_eq!(checkout.changed(), "");
    let (small, large) = ("41dc2e7f1ec8", "5488a84d6a40");
    let accept = ["--accept-key", small, "--accept-key", large, "--dry-run"];
    let stdout = succeeded(&checkout.reseal_environment("dev", &["rsa2048", "rsa4096"], NEW, &accept));
    assert!(stdout.contains(&format!("copied.yaml (opened with {large})")), "{stdout}");
    let stderr =
        refused(&checkout.reseal_environment("dev", &["rsa2048"], NEW, &["--accept-key", large, "--yes"]));
    assert!(stderr.contains("of `--accept-key` is not the fingerprint of a given key"), "{stderr}");
    #[cfg(feature = "k8s")]
    {
        // The controller tells which keys it has.
        let kubeconfig = checkout.kubeconfig("rsa3072", "rsa3072");
        let asked = ["--kubeconfig", &kubeconfig, "--yes"];
        let stderr = refused(&checkout.reseal_environment("dev", &["rsa2048", "rsa4096"], NEW, &asked));
        assert!(stderr.contains("which the controller of the certificate does not have"), "{stderr}");
        assert_eq!(checkout.changed(), "");
    }
}

#[cfg(feature = "k8s")]
#[test]
fn the_map_asks_the_controller_for_its_keys() {
    let checkout = Checkout::new();
    let kubeconfig = checkout.kubeconfig("rsa2048", "rsa2048");
    let files = checkout.shown("keys/rsa4096.key");
    let asked = ["--map", "app/envs/dev", "--kubeconfig", &kubeconfig];
    let stdout = succeeded(&checkout.reseal(&[&asked[..], &["--key", &files]].concat()));
    assert!(stdout.contains("Secret kube-system/old, newest, not examined: its private key was not given): the controller seals with it"), "{stdout}");
    assert!(
        stdout.contains("rsa4096.key, the controller does not have it): unknown whether an item needs it"),
        "{stdout}"
    );
    let read = [&asked[..], &["--read-controller-keys"]].concat();
    let stdout = succeeded(&checkout.reseal(&read));
    assert!(stdout.contains("Secret kube-system/old, newest): 13 items"), "{stdout}");
    let json: Json =
        serde_json::from_str(&succeeded(&checkout.reseal(&[&read[..], &["-o", "json"]].concat())))
            .expect("JSON");
    assert_eq!(json["keys"][0]["needed"], "yes");
    assert_eq!(json["keys"][0]["controllerSecrets"][0]["secret"], "kube-system/old");
    assert_eq!(json["items"][0]["evidence"], "opened");
    let stderr = refused(&checkout.reseal(&[&read[..], &["--controller-namespace", "elsewhere"]].concat()));
    assert!(stderr.contains("elsewhere") && stderr.contains("; server `http://"), "{stderr}");
    let output = checkout.reseal(&["app", "--read-controller-keys"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--map"), "{}", text(&output.stderr));
    assert_eq!(checkout.changed(), "");
}
