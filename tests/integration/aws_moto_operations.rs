//! Tests of `rotate aws`, `rotate aws-secret` and `put` with the emulator moto: `.ci/moto cargo test --test integration aws_moto`.
//!
//! moto differs from AWS: it checks no signatures and no permissions, knows a new key at once, and reports a use at once.
//! What it does not do comes from a proxy in front of it.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use crate::support::sealwave;
use sealwave_operations::aws_store::{AwsStore, StoreKind};
use sealwave_operations::backup::BackupTarget;
use sealwave_operations::clock::{Clock as _, ManualClock, unix};
use sealwave_operations::progress::HiddenProgress;
use sealwave_operations::rotate_aws::{
    CredentialSink, FAIL_POINTS, FailPoint, KeyLocation, KeyRotation, NoRolloutCheck, RotationError,
    RotationOutcome, RotationReport, RotationSettings, StoreSink,
};
use sealwave_operations::state::{OperationId, StateDirectory};
use sealwave_providers::aws_account::{AwsAccount, AwsLogin, BucketProbe};
use sealwave_testkit::aws_proxy::{
    AwsProxy, ProxiedRequest, ProxyDecision, call_emulator, call_iam, call_json, element,
};
use sealwave_testkit::skipped;
use sealwave_testkit::stub_server::{StubReply, StubServer};
use serde_json::{Value, json};

const DAY: Duration = Duration::from_hours(24);

/// The document before and after the two keys.
const DOCUMENT: [&str; 3] = [
    "{\n  \"AWS_ACCESS_KEY_ID\" : \"",
    "\",\n  \"big\": 12345678901234567890123,\n  \"AWS_SECRET_ACCESS_KEY\":\"",
    "\",\"MLFLOW_S3_ENDPOINT_URL\":\"https:\\/\\/s3\"}\n",
];

static USERS: AtomicU32 = AtomicU32::new(0);

/// A user of the emulator with one key, which a secret holds, and a bucket.
struct MotoUser {
    endpoint: String,
    directory: tempfile::TempDir,
    name: String,
    old: String,
    old_secret: String,
}

impl MotoUser {
    fn new() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "the caller passes the emulator's address")]
        let Ok(endpoint) = std::env::var("SEALWAVE_MOTO") else {
            skipped("SEALWAVE_MOTO does not say where an emulator is; run it with `.ci/moto`");
            return None;
        };
        let number = USERS.fetch_add(1, Ordering::SeqCst);
        let name = format!("airflow-{}-{number}", std::process::id());
        call_iam(&endpoint, "CreateUser", &format!("UserName={name}"));
        let directory = tempfile::tempdir().expect("a directory");
        let keys = "aws_access_key_id = AKIACANARY\naws_secret_access_key = CANARY\n";
        write(&directory, "config", "[profile moto]\nregion = eu-west-1\n");
        write(&directory, "credentials", &format!("[moto]\n{keys}"));
        let mut user = Self { endpoint, directory, name, old: String::new(), old_secret: String::new() };
        (user.old, user.old_secret) = user.add_key();
        let [head, middle, end] = DOCUMENT;
        let (old, secret) = (&user.old, &user.old_secret);
        let document = format!("{head}{old}{middle}{secret}{end}");
        user.secrets("CreateSecret", &json!({"Name": user.secret(), "SecretString": document}));
        let bucket = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
        call_emulator(&user.endpoint, "s3", &format!("PUT /{}", user.bucket()), "", bucket);
        user.write_operator(&user.endpoint);
        Some(user)
    }

    fn write_operator(&self, endpoint: &str) {
        let providers = format!(
            "apiVersion: sealwave.dev/v1alpha1\nkind: Operator\nproviders:\n  \
             aws-sm: {{kind: aws-sm, region: eu-west-1, profile: moto, endpointUrl: '{endpoint}'}}\n  \
             aws-ssm: {{kind: aws-ssm, region: eu-west-1, profile: moto, endpointUrl: '{endpoint}'}}\n  \
             files: {{kind: file, root: .}}\n"
        );
        write(&self.directory, "operator.yaml", &providers);
    }

    fn secret(&self) -> String {
        format!("{}/aws", self.name)
    }

    fn bucket(&self) -> String {
        format!("models-{}", self.name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn add_key(&self) -> (String, String) {
        let answer = call_iam(&self.endpoint, "CreateAccessKey", &format!("UserName={}", self.name));
        (element(&answer, "AccessKeyId"), element(&answer, "SecretAccessKey"))
    }

    fn secrets(&self, operation: &str, body: &Value) -> Value {
        call_json(&self.endpoint, "secretsmanager", &format!("secretsmanager.{operation}"), &body.to_string())
    }

    fn parameters(&self, operation: &str, body: &Value) -> Value {
        call_json(&self.endpoint, "ssm", &format!("AmazonSSM.{operation}"), &body.to_string())
    }

    fn document(&self) -> String {
        let found = self.secrets("GetSecretValue", &json!({"SecretId": self.secret()}));
        found["SecretString"].as_str().expect("text").to_owned()
    }

    /// Returns the key that the secret holds, and checks the rest of the document.
    fn in_use(&self) -> (String, String) {
        let document = self.document();
        let [head, middle, end] = DOCUMENT;
        let rest = document.strip_prefix(head).expect("unchanged");
        let (id, rest) = rest.split_once(middle).expect("unchanged");
        (id.to_owned(), rest.strip_suffix(end).expect("unchanged").to_owned())
    }

    /// Returns the ids of the keys with their status.
    fn keys(&self) -> Vec<(String, String)> {
        let answer = call_iam(&self.endpoint, "ListAccessKeys", &format!("UserName={}", self.name));
        let members = answer.split("<member>").skip(1);
        members.map(|member| (element(member, "AccessKeyId"), element(member, "Status"))).collect()
    }

    /// Checks that the key in use exists and is active, that no file but backups holds a secret, and that files are private.
    fn check(&self) {
        let (id, secret) = self.in_use();
        let status = self.keys().into_iter().find(|(known, _)| *known == id);
        assert_eq!(status.map(|(_, status)| status).as_deref(), Some("Active"), "{id}");
        if id == self.old {
            assert_eq!(secret, self.old_secret);
        }
        for directory in ["state", "backups"] {
            let Ok(entries) = fs_err::read_dir(self.path(directory)) else { continue };
            for entry in entries {
                let path = entry.expect("an entry").path();
                let text = fs_err::read_to_string(&path).expect("readable");
                assert_eq!(
                    text.contains(&secret),
                    directory == "backups" && text.contains(&id),
                    "{}",
                    path.display()
                );
                #[cfg(unix)]
                {
                    use std::os::unix::fs::PermissionsExt as _;
                    let mode = fs_err::metadata(&path).expect("exists").permissions().mode() & 0o777;
                    assert_eq!(mode, 0o600, "{}", path.display());
                }
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = sealwave();
        command
            .current_dir(self.directory.path())
            .env("AWS_CONFIG_FILE", self.path("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.path("credentials"))
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("SEALWAVE_OPERATOR", self.path("operator.yaml"))
            .env("RUST_LOG", "trace");
        command
    }

    /// Runs `rotate aws` a number of days from now.
    fn rotate(&self, days: u32, more: &[&str]) -> Output {
        let now = unix(SystemTime::now() + DAY * days);
        let place = format!("aws-sm:{}#AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY", self.secret());
        let output = self
            .command()
            .args(["rotate", "aws", "--user", &self.name, "--env", "dev", "--write", &place])
            .args(["--backup", "backups", "--probe-bucket", &self.bucket(), "--state-dir", "state"])
            .args(more)
            .env("SOURCE_DATE_EPOCH", now.to_string())
            .output()
            .expect("the binary starts");
        self.check_output(&output);
        output
    }

    fn check_output(&self, output: &Output) {
        let (_, secret) = self.in_use();
        for bytes in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(bytes);
            for value in [&self.old_secret, &secret, "CANARY\n", "CANARY "] {
                assert!(!text.contains(value), "{text}");
            }
        }
        self.check();
    }

    /// Logs in as an operator does, at this address.
    fn account(&self, endpoint: &str) -> Rc<AwsAccount> {
        let (config, credentials) = (self.path("config"), self.path("credentials"));
        let environment = move |name: &str| match name {
            "AWS_CONFIG_FILE" => Some(config.clone().into()),
            "AWS_SHARED_CREDENTIALS_FILE" => Some(credentials.clone().into()),
            _ => None,
        };
        let login = AwsLogin::default().with_profile("moto").with_region("eu-west-1").with_endpoint(endpoint);
        Rc::new(login.open(&(Arc::new(environment) as _)).expect("logged in"))
    }

    /// Runs the rotation in this process, so that it can be interrupted.
    fn run(&self, run: &RunSettings<'_>) -> Result<RotationReport, RotationError> {
        let account = self.account(run.endpoint);
        let location = KeyLocation::Document {
            path: self.secret(),
            id: "AWS_ACCESS_KEY_ID".to_owned(),
            secret: "AWS_SECRET_ACCESS_KEY".to_owned(),
        };
        let store = AwsStore::new(Rc::clone(&account), StoreKind::SecretsManager, "aws-sm");
        let sinks: [Box<dyn CredentialSink>; 1] = [Box::new(StoreSink::new(store, location))];
        fs_err::create_dir_all(self.path("backups")).expect("a directory");
        let settings = RotationSettings {
            user: self.name.clone(),
            environment: "dev".to_owned(),
            backup: BackupTarget::File { path: self.path("backups"), recipients: Vec::new() },
            probe: Some(BucketProbe { bucket: self.bucket(), region: None, endpoint: None }),
            wait: Duration::from_mins(2),
            grace_period: DAY,
            delete_after: DAY,
            delete_key: run.consent.map(str::to_owned),
            delete_used_key: run.force,
            accept_new_objects: false,
            reactivate: false,
            key_file: None,
        };
        let state = StateDirectory::open(&self.path("state")).expect("opened");
        let rotation = KeyRotation {
            settings: &settings,
            account: &*account,
            sinks: &sinks,
            rollout: &NoRolloutCheck,
            clock: run.clock,
            progress: &HiddenProgress,
            fail_point: run.fail_point,
        };
        let result = rotation.run(state.journal(OperationId::new("rotate-aws", [&self.name])).expect("free"));
        self.check();
        result
    }
}

/// The settings of a run in this process.
#[derive(Clone, Copy)]
struct RunSettings<'a> {
    endpoint: &'a str,
    clock: &'a ManualClock,
    fail_point: &'a FailAt,
    consent: Option<&'a str>,
    force: bool,
}

/// A fail point that interrupts once.
#[derive(Default)]
struct FailAt(Cell<Option<&'static str>>);

impl FailPoint for FailAt {
    fn reach(&self, point: &'static str) -> Result<(), RotationError> {
        if self.0.get() == Some(point) {
            self.0.set(None);
            return Err(RotationError::Interrupted(point));
        }
        Ok(())
    }
}

fn write(directory: &tempfile::TempDir, name: &str, text: &str) {
    fs_err::write(directory.path().join(name), text).expect("written");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn forward(_: &ProxiedRequest, _: usize) -> ProxyDecision {
    ProxyDecision::Forward
}

#[test]
fn a_rotation_leaves_one_key_and_no_secret_in_any_output() {
    let Some(user) = MotoUser::new() else { return };
    fs_err::create_dir(user.path("backups")).expect("a directory");
    let planned = user.rotate(0, &["--dry-run"]);
    assert_eq!(planned.status.code(), Some(0), "{}", text(&planned.stderr));
    assert!(text(&planned.stdout).contains(&user.old));
    assert_eq!(user.keys().len(), 1);
    assert!(!user.path("state").exists(), "a plan creates nothing");
    let refused = user.rotate(0, &[]);
    assert_eq!(refused.status.code(), Some(2), "no terminal to ask on");
    assert_eq!(user.keys().len(), 1);

    let hook = StubServer::start(|_, _| StubReply::json(200, "ok"));
    fs_err::write(user.path("hook"), &hook.address).expect("written");
    let started = user.rotate(0, &["--yes", "--notify-url-file", "hook"]);
    let told: Vec<String> = hook.asked().into_iter().map(|asked| asked.body).collect();
    assert!(told.len() == 2 && told[0].contains("started") && told[1].contains("waiting"), "{told:?}");
    assert!(!told.iter().any(|text| text.contains(&user.in_use().1)), "{told:?}");
    assert_eq!(started.status.code(), Some(1), "{}", text(&started.stderr));
    let (new, secret) = user.in_use();
    assert_ne!(new, user.old);
    let backups: Vec<String> = fs_err::read_dir(user.path("backups"))
        .expect("readable")
        .map(|entry| fs_err::read_to_string(entry.expect("an entry").path()).expect("readable"))
        .collect();
    let backup = json!({"user": user.name, "accessKeyId": new, "secretAccessKey": secret});
    assert_eq!(
        backups.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect::<Vec<Value>>(),
        [backup]
    );

    let deactivated = user.rotate(2, &["--yes"]);
    assert_eq!(deactivated.status.code(), Some(1), "{}", text(&deactivated.stderr));
    assert!(text(&deactivated.stdout).contains("--reactivate"));
    assert!(user.keys().contains(&(user.old.clone(), "Inactive".to_owned())));
    let reactivated = user.rotate(3, &["--yes", "--reactivate"]);
    assert_eq!(reactivated.status.code(), Some(0), "{}", text(&reactivated.stderr));
    assert!(user.keys().contains(&(user.old.clone(), "Active".to_owned())));
    user.rotate(5, &["--yes"]);
    assert!(user.keys().contains(&(user.old.clone(), "Inactive".to_owned())));
    let early = user.rotate(6, &["--yes", "--delete-key", &user.old]);
    assert_eq!((early.status.code(), user.keys().len()), (Some(1), 2), "{}", text(&early.stderr));
    let done = user.rotate(20, &["--yes", "--delete-key", &user.old]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(user.keys(), [(new, "Active".to_owned())]);
}

#[test]
fn a_run_that_is_interrupted_at_any_point_is_continued() {
    for point in FAIL_POINTS {
        let Some(user) = MotoUser::new() else { return };
        let spare = (point == "room-made").then(|| user.add_key().0);
        let clock = ManualClock::at(unix(SystemTime::now()));
        let fail_point = FailAt(Cell::new(Some(point)));
        let plain = RunSettings {
            endpoint: &user.endpoint,
            clock: &clock,
            fail_point: &fail_point,
            consent: None,
            force: true,
        };
        let mut consent = spare;
        let mut is_done = false;
        for _ in 0..12 {
            let result = user.run(&RunSettings { consent: consent.as_deref(), ..plain });
            consent = None;
            match result {
                Ok(RotationReport { outcome: RotationOutcome::Done, lines }) => {
                    is_done = !lines.iter().any(|line| line.contains("starts over"));
                    if is_done {
                        break;
                    }
                }
                Ok(_) => {
                    clock.wait(2 * DAY);
                    let keys = user.keys();
                    consent = keys.into_iter().find(|(_, status)| status == "Inactive").map(|(id, _)| id);
                }
                Err(RotationError::Interrupted(_)) => {}
                Err(RotationError::OrphanKey { key, .. } | RotationError::SecretLost { key, .. }) => {
                    consent = Some(key);
                }
                Err(error) => panic!("{point}: {error}"),
            }
        }
        assert!(is_done && fail_point.0.get().is_none(), "{point}");
        let (new, _) = user.in_use();
        assert_ne!(new, user.old, "{point}");
        assert_eq!(user.keys(), [(new, "Active".to_owned())], "{point}");
    }
}

#[test]
fn a_second_key_is_explained() {
    let Some(user) = MotoUser::new() else { return };
    let (spare, _) = user.add_key();
    let output = user.rotate(40, &["--yes"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("has two access keys, and AWS allows no third: `AKIA") && !stderr.contains("\\n"),
        "{stderr}"
    );
    assert!(stderr.contains(&format!("--delete-key {spare}")), "{stderr}");
    let output = user.rotate(40, &["--yes", "--delete-key", &user.old, "--delete-used-key"]);
    assert!(text(&output.stderr).contains("must not be deleted"), "{}", text(&output.stderr));
    assert_eq!(user.keys().len(), 2);
    let output = user.rotate(40, &["--yes", "--delete-key", &spare]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(!user.keys().iter().any(|(id, _)| *id == spare));
}

#[test]
fn a_new_key_is_written_only_when_it_works_everywhere() {
    let Some(user) = MotoUser::new() else { return };
    let proxy = AwsProxy::start(&user.endpoint, |asked, before| match asked.operation.as_str() {
        // The first one is the login.
        "GetCallerIdentity" if (1..4).contains(&before) => ProxyDecision::Refuse(403, "InvalidClientTokenId"),
        "GET" if before < 2 => ProxyDecision::Refuse(403, "InvalidAccessKeyId"),
        "GET" if before == 2 => ProxyDecision::Refuse(403, "AccessDenied"),
        "GET" if before == 3 => ProxyDecision::LoseResponse,
        // Throttled calls are repeated.
        "CreateAccessKey" | "ListAccessKeys" if before == 0 => ProxyDecision::Refuse(400, "Throttling"),
        "PutSecretValue" if before == 0 => ProxyDecision::Refuse(400, "ThrottlingException"),
        _ => ProxyDecision::Forward,
    });
    let clock = ManualClock::at(unix(SystemTime::now()));
    let fail_point = FailAt::default();
    let settings = RunSettings {
        endpoint: &proxy.endpoint,
        clock: &clock,
        fail_point: &fail_point,
        consent: None,
        force: false,
    };
    let report = user.run(&settings).expect("waits for the grace period");
    assert!(report.is_waiting());
    let operations = proxy.operations();
    let position = |name: &str| operations.iter().position(|operation| operation == name).expect("called");
    let last_probe = operations.iter().rposition(|operation| operation == "GET").expect("probed");
    assert!(last_probe < position("PutSecretValue"), "{operations:?}");
    assert_eq!(operations.iter().filter(|operation| *operation == "GET").count(), 7, "{operations:?}");
    assert_eq!(user.keys().len(), 2);
}

#[test]
fn a_lost_response_to_the_creation_leaves_a_key_that_is_found() {
    let Some(user) = MotoUser::new() else { return };
    let proxy = AwsProxy::start(&user.endpoint, |asked, before| match asked.operation.as_str() {
        "CreateAccessKey" if before == 0 => ProxyDecision::LoseResponse,
        _ => ProxyDecision::Forward,
    });
    let clock = ManualClock::at(unix(SystemTime::now()));
    let fail_point = FailAt::default();
    let settings = RunSettings {
        endpoint: &proxy.endpoint,
        clock: &clock,
        fail_point: &fail_point,
        consent: None,
        force: false,
    };
    let error = user.run(&settings).expect_err("lost");
    let RotationError::OrphanKey { key, .. } = &error else { panic!("{error}") };
    assert_eq!(
        proxy.operations().iter().filter(|operation| *operation == "CreateAccessKey").count(),
        1,
        "never repeated"
    );
    assert_eq!(user.keys().len(), 2);
    user.run(&RunSettings { consent: Some(key), ..settings }).expect("continued");
    let (new, _) = user.in_use();
    assert!(new != user.old && new != *key);
    assert!(!user.keys().iter().any(|(id, _)| id == key));
}

#[test]
fn denied_and_failing_calls_name_the_permission_and_change_nothing() {
    for (operation, code, expected) in [
        ("ListAccessKeys", "AccessDenied", "not allowed to call `iam:ListAccessKeys`"),
        ("GetAccessKeyLastUsed", "AccessDenied", "not allowed to call `iam:GetAccessKeyLastUsed`"),
        ("CreateAccessKey", "AccessDenied", "not allowed to call `iam:CreateAccessKey`"),
        ("CreateAccessKey", "LimitExceeded", "would exceed a quota"),
        ("GetSecretValue", "AccessDeniedException", "not allowed to call `secretsmanager:GetSecretValue`"),
        ("GetUser", "NoSuchEntity", "AWS has nothing with this name"),
    ] {
        let Some(user) = MotoUser::new() else { return };
        let proxy = AwsProxy::start(&user.endpoint, move |asked, _| {
            if asked.operation == operation {
                ProxyDecision::Refuse(400, code)
            } else {
                ProxyDecision::Forward
            }
        });
        user.write_operator(&proxy.endpoint);
        let output = user.rotate(40, &["--yes"]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{operation}: {stderr}");
        if code == "LimitExceeded" {
            assert!(stderr.contains("two access keys") || stderr.contains(expected), "{stderr}");
        } else {
            assert!(stderr.contains(expected), "{operation}: {stderr}");
        }
        assert!(!stderr.contains("CANARY"), "{stderr}");
        assert_eq!(user.keys().len(), 1, "{operation}");
        // The permission is given, and the next run continues.
        user.write_operator(&user.endpoint);
        assert_eq!(user.rotate(40, &["--yes"]).status.code(), Some(1), "{operation}");
    }
}

#[test]
fn a_denied_write_leaves_both_keys_active_and_is_continued_with_the_same_key() {
    let Some(user) = MotoUser::new() else { return };
    fs_err::create_dir(user.path("backups")).expect("a directory");
    let proxy = AwsProxy::start(&user.endpoint, |asked, _| match asked.operation.as_str() {
        "PutSecretValue" => ProxyDecision::Refuse(400, "AccessDeniedException"),
        _ => ProxyDecision::Forward,
    });
    user.write_operator(&proxy.endpoint);
    let output = user.rotate(0, &["--yes"]);
    assert!(
        text(&output.stderr).contains("not allowed to call `secretsmanager:PutSecretValue`"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(user.in_use().0, user.old);
    let keys = user.keys();
    user.write_operator(&user.endpoint);
    assert_eq!(user.rotate(0, &["--yes"]).status.code(), Some(1));
    assert_eq!(user.keys(), keys, "no other key was created");
    assert_ne!(user.in_use().0, user.old);
}

#[test]
fn parameters_keep_their_settings() {
    let Some(user) = MotoUser::new() else { return };
    let (id, secret) = (format!("/{}/id", user.name), format!("/{}/secret", user.name));
    for (name, value) in [(&id, &user.old), (&secret, &user.old_secret)] {
        let body = json!({"Name": name, "Value": value, "Type": "SecureString", "KeyId": "alias/team", "Tier": "Advanced", "Description": "of the team"});
        user.parameters("PutParameter", &body);
    }
    let output = user
        .command()
        .args([
            "rotate",
            "aws",
            "--user",
            &user.name,
            "--env",
            "dev",
            "--no-backup",
            "--yes",
            "--state-dir",
            "state",
        ])
        .args(["--write", &format!("aws-ssm:{id},{secret}")])
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let value = |name: &str| {
        let found = user.parameters("GetParameter", &json!({"Name": name, "WithDecryption": true}));
        (
            found["Parameter"]["Value"].as_str().expect("text").to_owned(),
            found["Parameter"]["Version"].clone(),
        )
    };
    assert_ne!(value(&id).0, user.old);
    assert!(!text(&output.stdout).contains(&value(&secret).0) && value(&secret).1 == 2);
    assert!(user.keys().iter().any(|(known, _)| *known == value(&id).0));
    let filter = json!({"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": [id, secret]}]});
    for found in user.parameters("DescribeParameters", &filter)["Parameters"].as_array().expect("a list") {
        assert_eq!(
            (&found["KeyId"], &found["Tier"], &found["Description"]),
            (&json!("alias/team"), &json!("Advanced"), &json!("of the team"))
        );
    }
}

/// Runs `put` with a value on standard input.
fn put(user: &MotoUser, args: &[&str], value: &[u8]) -> Output {
    let file = user.path("value");
    fs_err::write(&file, value).expect("written");
    let output = user
        .command()
        .args(["put", "--state-dir", "state"])
        .args(args)
        .stdin(fs_err::File::open(&file).expect("open").into_parts().0)
        .output()
        .expect("the binary starts");
    user.check_output(&output);
    output
}

#[test]
fn put_changes_one_key_and_keeps_the_rest() {
    let Some(user) = MotoUser::new() else { return };
    let name = format!("{}/document", user.name);
    let before = "{\n\t\"a\" : 12345678901234567890123, \"url\":\"https:\\/\\/s3\",\"z\":[1, 2]}\n";
    user.secrets("CreateSecret", &json!({"Name": name, "SecretString": before}));
    let read = || user.secrets("GetSecretValue", &json!({"SecretId": name}))["SecretString"].clone();
    let reference = format!("aws-sm:{name}#url");
    let output = put(&user, &[&reference, "--dry-run"], b"CANARY-new\n");
    assert_eq!((output.status.code(), read()), (Some(0), json!(before)), "{}", text(&output.stderr));
    let output = put(&user, &[&reference], b"CANARY-new\n");
    assert_eq!((output.status.code(), read()), (Some(2), json!(before)), "no terminal to ask on");
    let output = put(&user, &[&reference, "--yes"], b"\\ \"CANARY\"\n");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains(" before, `") && !text(&output.stdout).contains("CANARY"));
    assert!(text(&output.stderr).contains("the line break at the end of the value is not written"));
    assert_eq!(read(), json!(before.replace("\"https:\\/\\/s3\"", "\"\\\\ \\\"CANARY\\\"\"")));
    let output = put(&user, &[&reference, "--yes"], b"\\ \"CANARY\"\n");
    assert!(text(&output.stdout).contains("nothing to do"), "{}", text(&output.stdout));
}

#[test]
fn put_creates_only_on_request_and_never_empties() {
    let Some(user) = MotoUser::new() else { return };
    let name = |end: &str| format!("aws-sm:{}/{end}", user.name);
    let read =
        |end: &str| user.secrets("GetSecretValue", &json!({"SecretId": format!("{}/{end}", user.name)}));
    let refused = |args: &[&str], value: &[u8], expected: &str| {
        let output = put(&user, args, value);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected) && !stderr.contains("CANARY"), "{stderr}");
    };
    refused(&[&name("new"), "--yes"], b"CANARY", "does not exist");
    refused(&[&name("new"), "--yes", "--create"], b"\n", "the value is empty");
    refused(&[&name("new"), "--yes", "--create"], &vec![b'x'; 65_537], "the value has 65537 bytes");
    refused(&[&format!("aws-ssm:/{}/p", user.name), "--yes", "--create"], &[b'x'; 4097], "can hold 4096");
    refused(&[&format!("aws-ssm:/{}/p", user.name), "--yes", "--create"], b"\xff\xfe", "holds only text");
    refused(&["files:a", "--yes"], b"CANARY", "to which sealwave does not write");
    refused(&["other:a", "--yes"], b"CANARY", "is not in the operator file");
    refused(&["aws-sm:a##1", "--yes"], b"CANARY", "is not a reference to a secret");
    refused(
        &[&format!("aws-sm:{}#none", user.secret()), "--yes"],
        b"CANARY",
        "the document has no key `none`",
    );
    let put_yes = |args: &[&str], value: &[u8]| {
        let output = put(&user, args, value);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    };
    put_yes(&[&name("file"), "--yes", "--create"], b"a=1\nb=CANARY\n");
    assert_eq!(read("file")["SecretString"], "a=1\nb=CANARY\n");
    put_yes(&[&name("line"), "--yes", "--create", "--keep-newline"], b"CANARY\n");
    assert_eq!(read("line")["SecretString"], "CANARY\n");
    put_yes(&[&name("bytes"), "--yes", "--create"], b"\0\xffCANARY\n\n");
    assert_eq!(read("bytes")["SecretBinary"], "AP9DQU5BUlkKCg==");
    put_yes(&[&name("key#a"), "--yes", "--create"], b"CANARY");
    put_yes(&[&name("key#b"), "--yes", "--create"], b"2");
    assert_eq!(read("key")["SecretString"], "{\"a\":\"CANARY\",\"b\":\"2\"}");
    put_yes(&[&format!("aws-ssm:/{}/p", user.name), "--yes", "--create"], b"CANARY");
    let found = user
        .parameters("GetParameter", &json!({"Name": format!("/{}/p", user.name), "WithDecryption": true}));
    assert_eq!(
        (&found["Parameter"]["Value"], &found["Parameter"]["Type"]),
        (&json!("CANARY"), &json!("SecureString"))
    );
}

#[test]
fn a_change_between_reading_and_writing_is_reported() {
    let Some(user) = MotoUser::new() else { return };
    let (endpoint, name) = (user.endpoint.clone(), user.secret());
    let document = user.document();
    let proxy = AwsProxy::start(&user.endpoint, move |asked, _| {
        if asked.operation == "PutSecretValue" {
            let body =
                json!({"SecretId": name, "SecretString": document, "ClientRequestToken": "0".repeat(32)});
            call_json(&endpoint, "secretsmanager", "secretsmanager.PutSecretValue", &body.to_string());
        }
        ProxyDecision::Forward
    });
    user.write_operator(&proxy.endpoint);
    let reference = format!("aws-sm:{}#big", user.secret());
    let output = user
        .command()
        .args(["put", &reference, "--yes", "--state-dir", "state", "--from-file", "config"])
        .output()
        .expect("the binary starts");
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("was changed elsewhere between reading version"), "{stderr}");
}

#[test]
fn places_that_do_not_hold_a_key_are_refused_before_one_is_created() {
    let Some(user) = MotoUser::new() else { return };
    let name = user.secret();
    for (place, expected) in [
        (
            format!("aws-sm:{name}#AWS_SECRET_ACCESS_KEY,AWS_ACCESS_KEY_ID"),
            "does not hold the id of an access key",
        ),
        (format!("aws-sm:{name}#NONE,AWS_SECRET_ACCESS_KEY"), "key `NONE` is missing"),
        (format!("aws-sm:{name}-none#a,b"), "does not exist"),
        ("files:a#b,c".to_owned(), "to which sealwave does not write"),
    ] {
        let output = user
            .command()
            .args(["rotate", "aws", "--user", &user.name, "--env", "dev", "--no-backup", "--yes"])
            .args(["--state-dir", "state", "--write", &place])
            .output()
            .expect("the binary starts");
        user.check_output(&output);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
        assert_eq!(user.keys().len(), 1, "{place}");
    }
}

#[test]
fn the_policy_names_the_user_and_the_secret() {
    let Some(user) = MotoUser::new() else { return };
    let output = user.rotate(0, &["--print-policy"]);
    let policy: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let resources: Vec<&Value> =
        policy["Statement"].as_array().expect("a list").iter().map(|one| &one["Resource"]).collect();
    let secret = format!("arn:aws:secretsmanager:eu-west-1:*:secret:{}-??????", user.secret());
    assert_eq!(resources, [&json!(format!("arn:aws:iam::*:user/{}", user.name)), &json!([secret])]);
    assert_eq!(user.keys().len(), 1);
}

/// A proxy that only forwards changes nothing: otherwise the other tests would prove nothing.
#[test]
fn the_proxy_forwards() {
    let Some(user) = MotoUser::new() else { return };
    let proxy = AwsProxy::start(&user.endpoint, forward);
    user.write_operator(&proxy.endpoint);
    let output = user.rotate(0, &["--yes"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let expected: Vec<&str> =
        vec!["GetCallerIdentity", "GetUser", "ListAccessKeys", "CreateAccessKey", "GET", "PutSecretValue"];
    let operations = proxy.operations();
    assert!(
        expected.iter().all(|name| operations.iter().any(|operation| operation == name)),
        "{operations:?}"
    );
    assert!(Path::new(&user.path("state")).exists());
}
