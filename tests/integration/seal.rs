//! `seal`: files, standard input, flags, placeholders under the policy, and committed files that get items.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

use crate::support::small_app::SmallApp;
use crate::support::{MARKER, find_marker, objects, refused, root, sealwave, watched_output};
use sealwave_secrets::SealingScope;
use sealwave_testkit::{DangerPrivateKey, danger_unseal, skipped};

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {password: CANARY-1, user: CANARY-2}\n";

fn testdata(name: &str) -> PathBuf {
    root().join("testdata/sealed-secrets").join(name)
}

/// A directory with a certificate, and commands that run in it.
struct Workplace(tempfile::TempDir);

impl Workplace {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().expect("a directory"));
        fs_err::copy(testdata("rsa2048.crt"), place.path("dev.pem")).expect("copied");
        place.write("secret.yaml", SECRET);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs_err::write(self.path(name), text).expect("written");
    }

    fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.path(name)).expect("readable")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs_err::read_dir(self.0.path()).expect("readable");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Returns `seal` with these arguments, without a certificate.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = sealwave();
        command.current_dir(self.0.path()).arg("seal").args(args).stdin(Stdio::null());
        command
    }

    /// Runs `seal --cert dev.pem`, and returns standard output.
    fn seal(&self, args: &[&str]) -> Vec<u8> {
        let output = watched_output(self.command(args).args(["--cert", "dev.pem"]));
        succeeded(output)
    }

    /// Returns standard error of `seal --cert dev.pem`, which must fail.
    fn refused(&self, args: &[&str]) -> String {
        refused(self.command(args).args(["--cert", "dev.pem"]), &args.join(" "))
    }

    fn with_stdin(&self, args: &[&str], text: &str) -> Output {
        self.write("stdin", text);
        let file = fs_err::File::open(self.path("stdin")).expect("open").into_parts().0;
        watched_output(self.command(args).args(["--cert", "dev.pem"]).stdin(file))
    }
}

fn succeeded(output: Output) -> Vec<u8> {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    output.stdout
}

/// Reads the objects of an output in YAML.
fn yaml(text: &[u8]) -> Vec<Json> {
    let text = std::str::from_utf8(text).expect("UTF-8");
    let documents = text.split("---\n").filter(|document| !document.trim().is_empty());
    documents.map(|document| yaml_serde::from_str(document).expect("YAML")).collect()
}

/// Opens all items of a SealedSecret as the controller does.
fn open(object: &Json) -> BTreeMap<String, String> {
    let key = DangerPrivateKey::from_pem(&fs_err::read_to_string(testdata("rsa2048.key")).expect("a key"));
    let key = key.expect("a key");
    let text = |pointer: &str| object.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned();
    let annotation = |name: &str| object["metadata"]["annotations"][name].as_str();
    let label = SealingScope::from_annotations(annotation)
        .label(&text("/metadata/namespace"), &text("/metadata/name"));
    let open = |item: &Json| {
        let value = danger_unseal(&key, &label, item.as_str().expect("text")).expect("opened");
        value.expose_str().expect("UTF-8").to_owned()
    };
    let items = object["spec"]["encryptedData"].as_object().expect("items");
    items.iter().map(|(key, item)| (key.clone(), open(item))).collect()
}

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_file_or_standard_input_is_sealed_in_both_formats() {
    let place = Workplace::new();
    let expected = values(&[("password", "CANARY-1"), ("user", "CANARY-2")]);
    let [sealed] = yaml(&place.seal(&["secret.yaml"])).try_into().expect("one object");
    assert_eq!(open(&sealed), expected);
    let json = place.seal(&["secret.yaml", "-o", "json"]);
    let [sealed] = objects(std::str::from_utf8(&json).expect("UTF-8")).try_into().expect("one object");
    assert_eq!(open(&sealed), expected);
    for args in [&["-"][..], &[]] {
        let [sealed] = yaml(&succeeded(place.with_stdin(args, SECRET))).try_into().expect("one object");
        assert_eq!(open(&sealed), expected);
    }
    assert!(place.refused(&[]).contains("error: `<stdin>` holds no object"));
}

#[test]
fn hints_fit_what_was_passed() {
    let place = Workplace::new();
    fs_err::copy(testdata("rsa2048.key"), place.path("own.key")).expect("copied");
    place.write("env", "export C=CANARY\n");
    for (args, message, hint) in [
        (&["own.key"][..], "this is a PEM file, not YAML", "pass a file with manifests"),
        (&["--from-env-file", "env"], "line 1 of `env` starts with `export`", "remove `export`"),
        (
            &["--from-env-file", "-"],
            "`--from-env-file -` does not read standard input",
            "write the lines to a file",
        ),
        (
            &["--from-file", "tls.crt=CANARY.crt"],
            "file of item `tls.crt` cannot be read: file not found",
            "check the path after `--from-file tls.crt=`",
        ),
        (&["--raw", "--from-literal", "a=CANARY"], "Secret has no name", "help: pass `--name NAME`"),
        (
            &["--raw", "--from-literal", "a=CANARY", "--name", "a"],
            "has no namespace, which scope strict needs",
            "help: pass `--namespace NAME`",
        ),
    ] {
        let stderr = place.refused(args);
        assert!(stderr.contains(message) && stderr.contains(hint), "{message}\n---\n{stderr}");
        assert!(!stderr.contains("CANARY"), "{stderr}");
    }
}

#[test]
fn output_replaces_sealed_files_only() {
    let place = Workplace::new();
    fs_err::copy(testdata("rsa2048.key"), place.path("own.key")).expect("copied");
    place.write("notes.txt", "my notes");
    place.write("empty.yaml", "");
    for (file, held) in [
        ("own.key", "a private key"),
        ("secret.yaml", "a Secret in plaintext"),
        ("dev.pem", "something else than SealedSecrets"),
        ("notes.txt", "something else than SealedSecrets"),
    ] {
        let before = place.read(file);
        for args in [
            &["secret.yaml", "-w", file][..],
            &["--from-literal", "a=b", "--raw", "--scope", "cluster-wide", "-w", file],
        ] {
            let stderr = place.refused(args);
            let expected = format!("error: `{file}` is not overwritten: it holds {held}");
            assert!(stderr.contains(&expected), "{expected}\n---\n{stderr}");
            assert!(stderr.contains("name another file, or remove this one first"), "{stderr}");
        }
        assert_eq!(place.read(file), before);
    }
    assert!(place.refused(&["secret.yaml", "-w", "."]).contains("error: `.` is a directory"));
    for file in ["empty.yaml", "new.yaml", "empty.yaml"] {
        place.seal(&["secret.yaml", "-w", file]);
        assert!(place.read(file).contains("kind: SealedSecret"));
    }
    for _ in 0..2 {
        place.seal(&["--from-literal", "a=b", "--raw", "--scope", "cluster-wide", "-w", "raw"]);
    }
}

#[test]
fn each_scope_is_sealed_and_kubeseal_opens_it() {
    let place = Workplace::new();
    let kubeseal = kubeseal();
    for scope in ["strict", "namespace-wide", "cluster-wide"] {
        assert_eq!(place.seal(&["secret.yaml", "--scope", scope, "-w", "out.yaml"]), b"");
        let [sealed] = yaml(place.read("out.yaml").as_bytes()).try_into().expect("one object");
        assert_eq!(open(&sealed), values(&[("password", "CANARY-1"), ("user", "CANARY-2")]));
        place.seal(&["--merge-into", "out.yaml", "--from-literal", "added=CANARY-3"]);
        let [sealed] = yaml(place.read("out.yaml").as_bytes()).try_into().expect("one object");
        let merged = values(&[("added", "CANARY-3"), ("password", "CANARY-1"), ("user", "CANARY-2")]);
        assert_eq!(open(&sealed), merged);
        if let Some(kubeseal) = &kubeseal {
            let secret = recover(kubeseal, &place.path("out.yaml"));
            let data = secret["data"].as_object().expect("data");
            assert_eq!(data.keys().collect::<Vec<_>>(), ["added", "password", "user"]);
        }
    }
    if kubeseal.is_none() {
        skipped("the environment variable KUBESEAL names no kubeseal binary");
    }
}

#[expect(clippy::disallowed_methods, reason = "only the tester knows where a kubeseal is")]
fn kubeseal() -> Option<PathBuf> {
    std::env::var_os("KUBESEAL").filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn recover(kubeseal: &Path, file: &Path) -> Json {
    let output = Command::new(kubeseal)
        .args(["--recovery-unseal", "--recovery-private-key"])
        .arg(testdata("rsa2048.key"))
        .arg("--secret-file")
        .arg(file)
        .output()
        .expect("kubeseal starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_file_is_replaced_only_if_everything_was_sealed() {
    let place = Workplace::new();
    let old = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: old}\n";
    place.write("out.yaml", old);
    place.write("bad.yaml", &format!("{SECRET}---\nCANARY: [\n"));
    let before = place.names();
    let stderr = place.refused(&["bad.yaml", "-w", "out.yaml"]);
    assert!(stderr.contains("error: document 2: "), "{stderr}");
    assert_eq!(place.read("out.yaml"), old);
    assert_eq!(place.names(), before, "no other file is left");
    place.seal(&["secret.yaml", "-w", "out.yaml"]);
    assert!(place.read("out.yaml").starts_with("---\napiVersion: bitnami.com/v1alpha1\n"));
    assert_eq!(place.names(), before);
    let stderr = place.refused(&["secret.yaml", "-w", "missing/out.yaml"]);
    assert!(stderr.contains("cannot be written: directory not found"), "{stderr}");
}

#[test]
fn one_value_is_sealed_without_a_line_break() {
    let place = Workplace::new();
    place.write("value", "CANARY-raw");
    let flags = [
        &["--raw", "-n", "shop", "--name", "db"][..],
        &["--raw", "-n", "shop", "--scope", "namespace-wide"],
        &["--raw", "--scope", "cluster-wide"],
    ];
    for (flags, scope) in
        flags.into_iter().zip([SealingScope::Strict, SealingScope::NamespaceWide, SealingScope::ClusterWide])
    {
        let by_stdin = succeeded(place.with_stdin(flags, "CANARY-raw"));
        let by_file = place.seal(&[flags, &["value"]].concat());
        let by_flag = place.seal(&[flags, &["--from-file", "value"]].concat());
        for raw in [by_stdin, by_file, by_flag] {
            let raw = String::from_utf8(raw).expect("base64");
            assert!(raw.starts_with("AQ") && !raw.contains('\n'), "{raw}");
            let annotation = scope.annotation().map(|name| (name, "true"));
            let annotations: BTreeMap<&str, &str> = annotation.into_iter().collect();
            let object = serde_json::json!({
                "metadata": {"name": "db", "namespace": "shop", "annotations": annotations},
                "spec": {"encryptedData": {"k": raw}},
            });
            assert_eq!(open(&object), values(&[("k", "CANARY-raw")]), "{scope}");
        }
    }
    for (args, expected) in [
        (&["--raw", "-n", "shop", "value"][..], "error: Secret has no name, which scope strict needs"),
        (
            &["--raw", "--name", "db", "value"],
            "error: Secret `db` has no namespace, which scope strict needs",
        ),
        (
            &["--raw", "--scope", "namespace-wide", "value"],
            "has no namespace, which scope namespace-wide needs",
        ),
        (
            &["--raw", "--scope", "cluster-wide", "--from-literal", "a=1", "--from-literal", "b=2"],
            "error: `--raw` needs exactly one value, not 2",
        ),
    ] {
        let stderr = place.refused(args);
        assert!(stderr.contains(expected), "{stderr}\nexpected: {expected}");
    }
}

#[test]
fn items_are_merged_into_a_committed_file() {
    let place = Workplace::new();
    place.seal(&["secret.yaml", "-w", "sealed.yaml"]);
    let committed =
        place.read("sealed.yaml").replace("  password:", "  # the password\n    password:") + "# end\n";
    place.write("sealed.yaml", &committed);
    place.write("new.txt", "CANARY-new");
    let args = ["--merge-into", "sealed.yaml", "--from-file", "password=new.txt", "--from-file", "new.txt"];
    let plan = String::from_utf8(place.seal(&[&args[..], &["--dry-run"]].concat())).expect("UTF-8");
    for line in [
        "  1. add item `new.txt` of SealedSecret `db`",
        "  2. replace item `password` of SealedSecret `db`",
        "nothing was changed (--dry-run)",
    ] {
        assert!(plan.contains(line), "{plan}");
    }
    assert!(plan.contains("--- ") && plan.contains("\n+"), "the difference of the file:\n{plan}");
    assert_eq!(place.read("sealed.yaml"), committed);
    let done = String::from_utf8(place.seal(&args)).expect("UTF-8");
    assert!(done.ends_with("\ndone\n") && !done.contains("\n+"), "{done}");
    let text = place.read("sealed.yaml");
    assert!(text.contains("  # the password\n") && text.ends_with("# end\n"), "{text}");
    let [sealed] = yaml(text.as_bytes()).try_into().expect("one object");
    assert_eq!(
        open(&sealed),
        values(&[("new.txt", "CANARY-new"), ("password", "CANARY-new"), ("user", "CANARY-2")])
    );
    let stderr = place.refused(&["--merge-into", "sealed.yaml", "--name", "other", "--from-file", "new.txt"]);
    assert!(stderr.contains("error: `sealed.yaml` has no SealedSecret `other`"), "{stderr}");
    assert_eq!(place.read("sealed.yaml"), text);
}

#[cfg(unix)]
#[test]
fn links_of_a_repository_do_not_choose_the_file_that_is_written() {
    let place = Workplace::new();
    place.write("values.txt", "CANARY");
    for name in ["other", "repository/.git"] {
        fs_err::create_dir_all(place.path(name)).expect("created");
    }
    place.write("other/sealed.yaml", "untouched: true\n");
    place.write("repository/.git/HEAD", "");
    let link = |to: &str, name: &str| {
        fs_err::os::unix::fs::symlink(to, place.path(name)).expect("a link");
    };
    link("../other", "repository/envs");
    link("../other/new.yaml", "repository/new.yaml");
    let value = ["--from-file", "values.txt", "--cert", "dev.pem"];
    let target = ["--name", "db", "--namespace", "shop"];
    for (flag, path, message) in [
        (
            "--merge-into",
            "repository/envs/sealed.yaml",
            "a symbolic link on the way to `repository/envs/sealed.yaml` leads out",
        ),
        (
            "-w",
            "repository/envs/sealed.yaml",
            "`repository/envs/sealed.yaml` of a repository is a symbolic link, or is behind one",
        ),
        ("-w", "repository/new.yaml", "`repository/new.yaml` of a repository is a symbolic link"),
    ] {
        let output = place.command(&[&value[..], &target, &[flag, path]].concat()).output().expect("started");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
    assert_eq!(place.read("other/sealed.yaml"), "untouched: true\n");
    assert!(!place.path("other/new.yaml").exists());
}

#[test]
fn certificates_come_from_files_and_operator_files() {
    let place = Workplace::new();
    let run = |args: &[&str]| watched_output(&mut place.command(args));
    let refused = |args: &[&str]| refused(&mut place.command(args), &args.join(" "));
    let operator = "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nclusters: {dev: {certificate: {file: dev.pem}}MORE}\n";
    place.write("one.yaml", &operator.replace("MORE", ""));
    place.write("two.yaml", &operator.replace("MORE", ", prod: {certificate: {file: dev.pem}}"));
    assert!(run(&["secret.yaml", "--operator", "one.yaml"]).status.success());
    assert!(run(&["secret.yaml", "--operator", "two.yaml", "--cluster", "prod"]).status.success());
    let by_variable = watched_output(place.command(&["secret.yaml"]).env("SEALWAVE_OPERATOR", "one.yaml"));
    assert!(by_variable.status.success());
    for (args, expected) in [
        (
            &["secret.yaml", "--operator", "two.yaml"][..],
            "error: no cluster is given; the operator file has `dev`, `prod`",
        ),
        (
            &["secret.yaml", "--operator", "two.yaml", "--cluster", "pord"],
            "error: cluster `pord` is not in the operator file, which has `dev`, `prod`",
        ),
        (&["secret.yaml", "--cluster", "dev"], "error: `--cluster dev` needs an operator file"),
        (&["secret.yaml"], "; `--cert FILE` names a certificate that is already there"),
        (&["secret.yaml", "--cert", "missing.pem"], "error: `missing.pem` cannot be read: file not found"),
        (
            &["secret.yaml", "--cert", "secret.yaml"],
            "error: `secret.yaml`: certificate file holds no certificate",
        ),
        (&["secret.yaml", "--cert", "dev.pem", "--cluster", "dev"], "cannot be used with"),
    ] {
        let stderr = refused(args);
        assert!(stderr.contains(expected), "{stderr}\nexpected: {expected}");
    }
    let far = |args: &[&str]| {
        let mut command = place.command(args);
        command.args(["--cert", "dev.pem"]).env("SOURCE_DATE_EPOCH", "4990000000");
        watched_output(&mut command)
    };
    let expired = far(&["secret.yaml"]);
    let stderr = String::from_utf8_lossy(&expired.stderr).into_owned();
    assert_eq!(expired.status.code(), Some(2));
    assert!(stderr.contains("error: certificate of `dev.pem` expired at 2126-10-28T20:23:46Z"), "{stderr}");
    assert!(stderr.contains("--allow-expired"), "{stderr}");
    let allowed = far(&["secret.yaml", "--allow-expired"]);
    assert!(allowed.status.success());
    assert!(String::from_utf8_lossy(&allowed.stderr).contains("warning: `dev.pem`: certificate expired at"));
}

#[test]
fn placeholders_are_resolved_under_the_policy_only() {
    let app = SmallApp::new();
    app.write("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {url: 'x:<file:db.yaml#password | urlencode>'}\n");
    app.replace("operator/operator.yaml", "projects: ['*']", "projects: [shop], clusters: [dev]");
    let run = |args: &[&str]| {
        let mut command = sealwave();
        command.current_dir(app.path("")).arg("seal").args(args).stdin(Stdio::null());
        command
    };
    let operator = ["secret.yaml", "--operator", "operator/operator.yaml"];
    let with = |more: &[&'static str]| [&operator[..], more].concat();
    for args in [
        with(&["--project", "shop"]),
        with(&["--no-policy"]),
        with(&["--cluster", "dev", "--project", "shop", "--env", "dev"]),
    ] {
        let [sealed] = yaml(&succeeded(watched_output(&mut run(&args)))).try_into().expect("one object");
        assert_eq!(open(&sealed), values(&[("url", "x:CANARY-p%40ss%20word")]));
        let annotations = sealed["metadata"]["annotations"].as_object().expect("annotations");
        assert_eq!(
            annotations.keys().collect::<Vec<_>>(),
            ["sealwave.dev/certificate"],
            "no seal key is used"
        );
    }
    for (args, expected) in [
        (with(&[]), "no project is given, so the operator's policy cannot be applied"),
        (with(&["--project", "other"]), "no rule of the operator's policy allows it to project `other`"),
        (
            vec!["secret.yaml", "--cert", "operator/dev.pem"],
            "has a placeholder, but no operator file says where values come from",
        ),
        (
            with(&["--cert", "operator/dev.pem", "--project", "shop"]),
            "a Secret has a placeholder, but the certificate is not from the operator file",
        ),
    ] {
        let stderr = refused(&mut run(&args), &args.join(" "));
        assert!(stderr.contains(expected), "{stderr}\nexpected: {expected}");
    }
    // The destination is checked: this rule allows strict items only.
    app.replace(
        "operator/operator.yaml",
        "scopes: [strict, namespace-wide, cluster-wide], ",
        "scopes: [strict], ",
    );
    assert!(watched_output(&mut run(&with(&["--project", "shop"]))).status.success());
    let args = with(&["--project", "shop", "--scope", "cluster-wide"]);
    assert!(refused(&mut run(&args), "wider scope").contains("is refused"), "wider scope");
    // A flag may hold one; the content of a file never does.
    let flags = ["--operator", "operator/operator.yaml", "--project", "shop", "-n", "shop", "--name", "db"];
    let literal = [&flags[..], &["--from-literal", "k=<file:web.txt | trim>"]].concat();
    let [sealed] = yaml(&succeeded(watched_output(&mut run(&literal)))).try_into().expect("one object");
    assert_eq!(open(&sealed), values(&[("k", "CANARY-token")]));
    app.write("k", "<file:web.txt>");
    let [sealed] = yaml(&succeeded(watched_output(&mut run(&[&flags[..], &["--from-file", "k"]].concat()))))
        .try_into()
        .expect("one object");
    assert_eq!(open(&sealed), values(&[("k", "<file:web.txt>")]));
}

#[test]
fn metadata_of_another_type_is_refused_with_the_text_to_write() {
    let place = Workplace::new();
    let secret = |metadata: &str, more: &str| {
        let head = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  namespace: shop\n";
        format!("{head}{metadata}stringData: {{password: CANARY-1}}\n{more}")
    };
    for (metadata, more, message, place_of, hint) in [
        ("  labels: {x: y}\n", "", "label `x` must be of type string, not boolean", ":6:15", "`x: \"true\"`"),
        (
            "  labels:\n    tier: off\n",
            "",
            "label `tier` must be of type string, not boolean",
            ":7:11",
            "`tier: \"false\"`",
        ),
        ("  labels: {v: 1.10}\n", "", "label `v` must be of type string, not number", ":6:15", "`v: \"…\"`"),
        (
            "  annotations: {argocd.argoproj.io/sync-wave: -1}\n",
            "",
            "annotation `argocd.argoproj.io/sync-wave` must be of type string, not number",
            ":6:47",
            "`argocd.argoproj.io/sync-wave: \"…\"`",
        ),
        (
            "  annotations: {a: [CANARY]}\n",
            "",
            "annotation `a` must be of type string, not array",
            ":6:20",
            "in quotes",
        ),
        (
            "  annotations: {CANARY x: 1}\n",
            "",
            "annotation must be of type string, not number",
            ":6:27",
            "in quotes",
        ),
        ("", "type: 1\n", "`type` must be of type string, not number", ":7:7", ""),
        ("", "immutable: 'true'\n", "`immutable` must be of type boolean, not string", ":7:12", ""),
        ("", "data: {n: 5}\n", "item of `data` is of type number, not string", ":7:11", "quote them"),
    ] {
        place.write("typed.yaml", &secret(metadata, more));
        let stderr = place.refused(&["typed.yaml", "-w", "out.yaml"]);
        let at = format!("--> typed.yaml{place_of}\n");
        for expected in [message, &at, hint] {
            assert!(stderr.contains(expected), "{stderr}\nexpected: {expected}");
        }
    }
    assert!(!place.names().contains(&"out.yaml".to_owned()));
    // What is merged has the labels of the file, so these are not read.
    place.seal(&["secret.yaml", "-w", "out.yaml"]);
    place.write("typed.yaml", &secret("  labels: {x: y}\n", "type: 1\n"));
    let output = watched_output(
        place.command(&["typed.yaml", "--merge-into", "out.yaml"]).args(["--cert", "dev.pem"]),
    );
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("labels, annotations and type stay those of the file")
    );
    assert!(output.status.success() && !place.read("out.yaml").contains("x: "));
}

#[test]
fn no_message_and_no_file_has_a_value() {
    let place = Workplace::new();
    let before = place.names();
    place.write("trap.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {CANARY: 0123, 'CANARY x': y, a: '<file:CANARY', b: '<aws:CANARY#x>'}\nCANARY: 1\n");
    place.write(
        "control.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"c\\u001b[2Jx\\ny\"}\ndata: {k: CANARY}\n",
    );
    place.write("env", "CANARY\n");
    for args in [
        &["trap.yaml"][..],
        &["control.yaml"],
        &["--from-literal", "CANARY", "-n", "a", "--name", "b"],
        &["--from-literal", "CANARY =x", "-n", "a", "--name", "b"],
        &["--from-file", "k=CANARY", "-n", "a", "--name", "b"],
        &["--from-env-file", "env", "-n", "a", "--name", "b"],
        &["--from-literal", "k=CANARY", "--nonsense"],
        &["--from-literal", "k=CANARY", "secret.yaml"],
        &["--from-literal", "k=CANARY", "--merge-into", "secret.yaml"],
        &["secret.yaml", "--name", "A B", "-w", "out.yaml"],
    ] {
        let stderr = place.refused(args);
        assert!(!stderr.chars().any(|c| c.is_control() && c != '\n'), "{stderr:?}");
    }
    let new: Vec<String> = place.names().into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(new, ["control.yaml", "env", "trap.yaml"]);
    // A value that is sealed is in no output either.
    let sealed = place.seal(&["secret.yaml", "-w", "out.yaml"]);
    assert_eq!(find_marker(&sealed, MARKER), None);
    assert_eq!(find_marker(place.read("out.yaml").as_bytes(), MARKER), None);
}

#[test]
fn the_sidecar_never_seals_for_commits() {
    let place = Workplace::new();
    let mut command = place.command(&["secret.yaml", "--cert", "dev.pem"]);
    let stderr = refused(command.env("ARGOCD_APP_NAME", "x"), "sidecar");
    assert!(stderr.contains("error: `seal` must not be used when Argo CD runs sealwave"), "{stderr}");
}

#[test]
fn variables_of_kubeseal_stand_for_flags() {
    let place = Workplace::new();
    let run = |name: &str, value: &str, args: &[&str]| {
        let mut command = place.command(args);
        watched_output(command.env("SEALED_SECRETS_CERT", "dev.pem").env(name, value))
    };
    let text = |output: Output| String::from_utf8(succeeded(output)).expect("UTF-8");
    assert!(text(run("A", "b", &["secret.yaml"])).contains("kind: SealedSecret"));
    assert!(text(run("SEALED_SECRETS_FORMAT", "json", &["secret.yaml"])).starts_with('{'));
    let scoped = text(run("SEALED_SECRETS_SCOPE", "cluster-wide", &["secret.yaml"]));
    assert!(scoped.contains("sealedsecrets.bitnami.com/cluster-wide"), "{scoped}");
    for (name, value) in [("SEALED_SECRETS_SCOPE", "typo"), ("SEALED_SECRETS_FORMAT", "xml")] {
        let output = run(name, value, &["secret.yaml"]);
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        assert!(stderr.contains(&format!("error: `{name}` has an unknown value: expected `")), "{stderr}");
    }
    // A flag, and an operator file.
    assert!(
        text(run("SEALED_SECRETS_CERT", "missing.pem", &["secret.yaml", "--cert", "dev.pem"]))
            .contains("kind: SealedSecret")
    );
    let output = run("SEALWAVE_OPERATOR", "missing.yaml", &["secret.yaml"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("missing.yaml"));
}

#[test]
fn files_of_the_same_name_are_told_apart() {
    let place = Workplace::new();
    for directory in ["a/x", "b/x"] {
        fs_err::create_dir_all(place.path(directory)).expect("created");
        place.seal(&["secret.yaml", "-w", &format!("{directory}/db.yaml")]);
    }
    let item = ["--from-literal", "k=CANARY"];
    let plan = place.seal(&[&["--merge-into", "b/x/db.yaml", "--dry-run"][..], &item].concat());
    let plan = String::from_utf8(plan).expect("UTF-8");
    assert!(
        plan.contains("\n  b/x/db.yaml\n") && plan.contains("--- a/b/x/db.yaml\n+++ b/b/x/db.yaml\n"),
        "{plan}"
    );
    // From a directory below the top of the repository.
    fs_err::create_dir(place.path(".git")).expect("created");
    fs_err::write(place.path(".git/HEAD"), "ref: refs/heads/main\n").expect("written");
    let mut command =
        place.command(&[&["--merge-into", "x/db.yaml", "--cert", "../dev.pem"][..], &item].concat());
    let done =
        String::from_utf8(succeeded(watched_output(command.current_dir(place.path("b"))))).expect("UTF-8");
    assert!(done.contains("\n  b/x/db.yaml\n"), "{done}");
    assert!(place.read("b/x/db.yaml").contains("    k: ") && !place.read("a/x/db.yaml").contains("    k: "));
}

#[test]
fn the_old_form_is_refused_alike_everywhere() {
    let place = Workplace::new();
    place.write(
        "old.yaml",
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: db, namespace: shop}\nspec: {data: AgAA}\n",
    );
    let merge = place.refused(&["--merge-into", "old.yaml", "--from-literal", "k=CANARY"]);
    let run = |args: &[&str]| refused(sealwave().current_dir(place.0.path()).args(args), &args.join(" "));
    let key = testdata("rsa2048.key");
    let key = key.to_str().expect("UTF-8");
    let unseal = run(&["unseal", "old.yaml", "--key", key]);
    let reseal = run(&["reseal", "old.yaml", "--cert", "dev.pem", "--key", key, "--dry-run"]);
    for stderr in [merge, unseal, reseal] {
        assert!(
            stderr.contains("SealedSecret has `spec.data`, the old form with one ciphertext for all items"),
            "{stderr}"
        );
        assert!(stderr.contains("kubectl get secret NAME"), "{stderr}");
    }
}

/// Each case is one that kubeseal answers with a wrong result, a panic, or exit code 0.
#[test]
fn what_kubeseal_gets_wrong_is_right_here() {
    let place = Workplace::new();
    let garbage = place.with_stdin(&[], "hello\n");
    let empty = place.with_stdin(&[], "");
    let broken = place.with_stdin(&[], &format!("{SECRET}---\na: [\n"));
    let named = place
        .with_stdin(&["--name", "x"], &format!("{SECRET}---\n{}", SECRET.replace("name: db", "name: web")));
    for (output, message) in [
        (garbage, "document is not a Kubernetes object"),
        (empty, "`<stdin>` holds no object"),
        (broken, "document 2: flow collection is not closed"),
        (named, "`--name` was given, but the input holds 2 Secrets"),
    ] {
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
    // Labels and annotations for a file whose template has none, and another scope than that of the Secret.
    place.seal(&["secret.yaml", "--scope", "cluster-wide", "-w", "sealed.yaml"]);
    let more = SECRET.replace("namespace: shop}", "namespace: shop, labels: {a: b}, annotations: {c: d}}");
    succeeded(place.with_stdin(&["--merge-into", "sealed.yaml"], &more.replace("user:", "more:")));
    let [merged] = yaml(place.read("sealed.yaml").as_bytes()).try_into().expect("one object");
    assert_eq!(
        open(&merged),
        values(&[("more", "CANARY-2"), ("password", "CANARY-1"), ("user", "CANARY-2")])
    );
    let stderr = place.refused(&["secret.yaml", "--merge-into", "sealed.yaml", "-w", "other.yaml"]);
    assert!(stderr.contains("cannot be used with"), "{stderr}");
    assert!(!place.path("other.yaml").exists());
    // The first certificate of a file, also by its address; the format of the file that is written.
    let both = place.read("dev.pem") + &fs_err::read_to_string(testdata("rsa4096.crt")).expect("readable");
    place.write("both.pem", &both);
    let address = format!("file://{}", place.path("both.pem").display());
    for cert in ["both.pem", &address] {
        let output = place.command(&["secret.yaml", "--cert", cert, "-w", "sealed.json"]).output();
        succeeded(output.expect("it starts"));
        let sealed: Json = serde_json::from_str(&place.read("sealed.json")).expect("JSON");
        assert_eq!(open(&sealed), values(&[("password", "CANARY-1"), ("user", "CANARY-2")]));
    }
    // All documents are opened, without an owner.
    let two = format!("{}---\n{}", SECRET, SECRET.replace("name: db", "name: web"));
    place.write("two.yaml", &two);
    place.seal(&["two.yaml", "-w", "two-sealed.yaml"]);
    let mut unseal = sealwave();
    unseal
        .current_dir(place.0.path())
        .args(["unseal", "two-sealed.yaml", "--key"])
        .arg(testdata("rsa2048.key"));
    let opened = succeeded(unseal.output().expect("it starts"));
    let secrets: Vec<Json> = yaml(&opened).iter().map(|secret| secret["metadata"]["name"].clone()).collect();
    assert_eq!(secrets, ["db", "web"]);
    assert!(!String::from_utf8(opened).expect("UTF-8").contains("ownerReferences"));
}
