//! `put` to a Vault server that a stub plays: what it sends, and what it shows. `openbao` has the tests with a real server,
//! `aws_moto_operations` those with AWS.

use std::process::Output;

use sealwave_testkit::stub_server::{StubReply, StubServer};
use serde_json::{Value, json};

use crate::support::small_app::SmallApp;
use crate::support::{sealwave, watched_output};

/// A directory with an operator file for a server.
fn desk(address: &str) -> SmallApp {
    let app = SmallApp::new();
    let operator = format!(
        "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\n\
         providers:\n  vault: {{kind: vault, address: '{address}', auth: {{token: {{file: token}}}}, mounts: {{secret: 2, old: 1}}}}\n  \
         files: {{kind: file, root: .}}\n"
    );
    app.write("operator/operator.yaml", &operator);
    app.write("operator/token", "hvs.CANARY");
    app
}

fn put(app: &SmallApp, args: &[&str], value: &str) -> Output {
    app.write("value", value);
    let mut command = sealwave();
    command.args([
        "put",
        "--operator",
        "operator/operator.yaml",
        "--state-dir",
        "state",
        "--from-file",
        "value",
    ]);
    watched_output(command.args(args).current_dir(app.path("")))
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// Starts a server with the secret `secret/db` of version 4, and `old/db`.
fn server() -> StubServer {
    StubServer::start(|asked, _| {
        let fields = json!({"user": "CANARY", "password": "CANARY old"});
        let body = match (asked.method.as_str(), asked.target.as_str()) {
            ("GET", "/v1/secret/data/db") => {
                json!({"data": {"data": fields, "metadata": {"version": 4, "deletion_time": "", "destroyed": false}}})
            }
            ("GET", "/v1/old/db") => json!({"data": fields}),
            ("GET", "/v1/secret/data/deleted") => {
                let metadata =
                    json!({"version": 2, "deletion_time": "2026-01-01T00:00:00Z", "destroyed": false});
                return StubReply::json(
                    404,
                    json!({"data": {"data": null, "metadata": metadata}}).to_string(),
                );
            }
            ("GET", _) => return StubReply::json(404, r#"{"errors":[]}"#),
            (_, "/v1/old/db") => return StubReply::json(204, ""),
            _ => json!({"data": {"version": 5}}),
        };
        StubReply::json(200, body.to_string())
    })
}

fn written(server: &StubServer) -> Vec<(String, Value)> {
    let is_write = |method: &str| matches!(method, "POST" | "PUT" | "PATCH" | "DELETE");
    let asked = server.asked().into_iter().filter(|asked| is_write(&asked.method));
    asked.map(|asked| (asked.target, serde_json::from_str(&asked.body).unwrap())).collect()
}

#[test]
fn one_key_changes_and_the_others_stay() {
    let server = server();
    let app = desk(&server.address);
    let planned = put(&app, &["vault:secret/db#password", "--dry-run"], "CANARY new\n");
    let (stdout, stderr) = texts(&planned);
    assert_eq!(planned.status.code(), Some(0), "{stderr}");
    for text in [
        "vault:secret/db",
        "write key `password` of `vault:secret/db`; its other keys stay as they are",
        "`vault kv rollback -version=4 secret/db`",
    ] {
        assert!(stdout.contains(text), "{text}\n{stdout}");
    }
    assert_eq!(written(&server), []);
    let done = put(&app, &["vault:secret/data/db#password", "--yes"], "CANARY new\n");
    let (stdout, stderr) = texts(&done);
    assert_eq!(done.status.code(), Some(0), "{stderr}");
    assert!(stdout.contains("wrote `vault:secret/data/db`: version `4` before, `5` now"), "{stdout}");
    assert!(stderr.contains("the line break at the end of the value is not written"), "{stderr}");
    let body = json!({"options": {"cas": 4}, "data": {"user": "CANARY", "password": "CANARY new"}});
    assert_eq!(written(&server), [("/v1/secret/data/db".to_owned(), body)]);
    let same = put(&app, &["vault:secret/db#password", "--yes"], "CANARY old");
    assert!(texts(&same).0.contains("nothing to do"));
    assert_eq!(written(&server).len(), 1);
}

#[test]
fn version_1_of_the_engine_is_written_with_a_caution() {
    let server = server();
    let app = desk(&server.address);
    let done = put(&app, &["vault:old/db#password", "--yes"], "CANARY new");
    let (stdout, stderr) = texts(&done);
    assert_eq!(done.status.code(), Some(0), "{stderr}");
    assert!(stdout.contains("a change at the same moment would be lost"), "{stdout}");
    assert!(stdout.contains("wrote `vault:old/db`, which has no versions"), "{stdout}");
    let body = json!({"user": "CANARY", "password": "CANARY new"});
    assert_eq!(written(&server), [("/v1/old/db".to_owned(), body)]);
}

#[test]
fn new_secrets_and_new_values_of_removed_ones_need_create() {
    let server = server();
    let app = desk(&server.address);
    for (reference, message, version) in [
        ("vault:secret/none#a", "`vault:secret/none` does not exist", 0),
        ("vault:secret/deleted#a", "`vault:secret/deleted` has no value: this version was deleted", 2),
    ] {
        let refused = put(&app, &[reference, "--yes"], "CANARY");
        assert_eq!(refused.status.code(), Some(2));
        let (stdout, stderr) = texts(&refused);
        assert!(stdout.is_empty() && stderr.contains(message) && stderr.contains("--create"), "{stderr}");
        let done = put(&app, &[reference, "--yes", "--create"], "CANARY");
        assert_eq!(done.status.code(), Some(0), "{}", texts(&done).1);
        let (_, body) = written(&server).pop().unwrap();
        assert_eq!(body, json!({"options": {"cas": version}, "data": {"a": "CANARY"}}));
    }
    let refused = put(&app, &["vault:secret/db#new", "--yes"], "CANARY");
    assert!(texts(&refused).1.contains("the document has no key `new`"));
}

#[test]
fn refusals_say_what_to_do() {
    let server = server();
    let app = desk(&server.address);
    for (args, message, hint) in [
        (&["vault:secret/db"][..], "the value is not a JSON object", "name the key: `vault:secret/db#KEY`"),
        (&["vault:secret/db#a#2"], "is not a reference to a secret", "without version and modifiers"),
        (&["secret/db"], "`secret/db` has no provider", "for example `vault:secret/shop/db#password`"),
        (&["vault:sys/health#a"], "`sys/` contains no readable secrets", "name of a KV mount"),
        (&["vault:elsewhere/db#a"], "not in any mount", "add the mount to `mounts`"),
        (&["vault:secret/db#a", "--region", "eu-west-1"], "`--region` is for AWS", "omit it"),
        (&["other:secret/db#a"], "provider `other` is not in the operator file", "under `providers`"),
        (&["files:a#b"], "is of kind `file`, to which sealwave does not write", "`vault`"),
    ] {
        let output = put(&app, &[args, &["--yes"]].concat(), "CANARY");
        let (stdout, stderr) = texts(&output);
        assert_eq!((output.status.code(), stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(stderr.contains(message) && stderr.contains(hint), "{args:?}\n{stderr}");
    }
    assert_eq!(written(&server), []);
}
