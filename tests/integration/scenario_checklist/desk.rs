//! A desk at which scenario 2 is worked through: a checkout with a remote, key files, and stubs of the account and the cluster.

use std::cell::{OnceCell, RefCell};
use std::path::PathBuf;
use std::process::Stdio;

use fs_err as fs;
use serde_json::Value as Json;

use crate::support::aws_user::OLD_KEY;
use crate::support::{aws_user, controller, copy_tree, objects, private, root, sealwave};
use sealwave_testkit::stub_server::{StubReply, StubServer};
use sealwave_testkit::{git_command, git_output};

/// The time of the commit of the scenario, and of the first run.
const START: u64 = 1_800_000_000;
const DAY: u64 = 86_400;

/// The output of a command, and its exit code.
pub(super) struct Printed {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// The runs of a rotation of the AWS key in environment `dev`.
pub(super) struct AwsRotation {
    pub(super) plan: String,
    pub(super) refused: Printed,
    pub(super) applied: String,
    pub(super) deactivated: String,
    pub(super) deleted: String,
    /// The files that its commit changed.
    pub(super) committed: Vec<String>,
    pub(super) checksums: [Vec<String>; 2],
    pub(super) account: Vec<String>,
    pub(super) notifications: Vec<String>,
    pub(super) backup: PathBuf,
}

/// A copy of the scenario.
pub(super) struct Desk {
    directory: tempfile::TempDir,
    epoch: RefCell<u64>,
    hook: StubServer,
    account: StubServer,
    rotation: OnceCell<AwsRotation>,
}

impl Desk {
    pub(super) fn new() -> Self {
        let test_file = |name: &str| {
            fs::read_to_string(root().join("testdata/sealed-secrets").join(name)).expect("readable")
        };
        let cluster = controller::start(&test_file("rsa2048.crt"), &test_file("rsa2048.key"));
        let desk = Self {
            directory: tempfile::tempdir().expect("a directory"),
            epoch: RefCell::new(START),
            hook: StubServer::start(|_, _| StubReply::json(200, "ok")),
            account: aws_user::start(),
            rotation: OnceCell::new(),
        };
        let scenario = root().join("testdata/scenario-2-rotation");
        copy_tree(&scenario.join("app"), &desk.path("repository/app"));
        copy_tree(&scenario.join("operator"), &desk.path("operator"));
        for directory in ["keys", "backups", "home"] {
            fs::create_dir(desk.path(directory)).expect("created");
        }
        for name in ["rsa2048.key", "rsa3072.key", "rsa4096.key", "rsa3072.crt"] {
            let path = desk.path("keys").join(name);
            fs::write(&path, test_file(name)).expect("written");
            private(&path);
        }
        desk.write("kubeconfig", &format!(
            "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: c, cluster: {{server: '{}'}}}}], \
             users: [{{name: u, user: {{token: t}}}}], contexts: [{{name: c, context: {{cluster: c, user: u}}}}]}}",
            cluster.address
        ));
        desk.write("account.yaml", &format!(
            "{{apiVersion: sealwave.dev/v1alpha1, kind: Operator, providers: {{aws-sm: {{kind: aws-sm, region: eu-west-1, endpointUrl: '{}'}}}}}}",
            desk.account.address
        ));
        desk.write("hook", &desk.hook.address);
        desk.write(
            "credentials",
            "[default]\naws_access_key_id = <access-key-id>\naws_secret_access_key = <secret-access-key>\n",
        );
        desk.git(&["init", "--quiet", "--initial-branch", "main"]);
        for (name, value) in [("user.name", "test"), ("user.email", "test@example.com")] {
            desk.git(&["config", name, value]);
        }
        desk.git(&["add", "."]);
        desk.git(&["commit", "--quiet", "-m", "files"]);
        desk.git(&["clone", "--quiet", "--bare", ".", "../origin.git"]);
        desk.git(&["remote", "add", "origin", "../origin.git"]);
        desk
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    /// Runs Git in the checkout, and returns what it printed.
    pub(super) fn git(&self, args: &[&str]) -> String {
        let mut command = git_command(&self.path("repository"));
        command.args(args);
        for date in ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"] {
            command.env(date, format!("@{START} +0000"));
        }
        git_output(&mut command)
    }

    /// Runs sealwave in the checkout, some days after the start.
    pub(super) fn run(&self, args: &[&str]) -> Printed {
        let mut command = sealwave();
        command
            .current_dir(self.path("repository"))
            .args(args)
            .env("HOME", self.path("home"))
            .env("KUBECONFIG", self.path("kubeconfig"))
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEOPERATOR1")
            .env("AWS_SECRET_ACCESS_KEY", "x")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("SOURCE_DATE_EPOCH", self.epoch.borrow().to_string())
            .stdin(Stdio::null());
        let output = command.output().expect("the binary starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Printed { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Returns standard output of a run with this exit code.
    pub(super) fn prints(&self, code: i32, args: &[&str]) -> String {
        let printed = self.run(args);
        assert_eq!(printed.code, Some(code), "{args:?}: {}", printed.stderr);
        printed.stdout
    }

    /// Returns standard output of a run that happens some days later.
    pub(super) fn prints_after(&self, days: u64, code: i32, args: &[&str]) -> String {
        *self.epoch.borrow_mut() += days * DAY;
        let printed = self.prints(code, args);
        *self.epoch.borrow_mut() = START;
        printed
    }

    /// Runs `reseal` of an environment for a new certificate, with its key.
    pub(super) fn reseal(&self, code: i32, environment: &str, more: &[&str]) -> String {
        let key = if environment == "dev" { "../keys/rsa2048.key" } else { "../keys/rsa4096.key" };
        let args = ["reseal", "app", "--env", environment, "--cert", "../keys/rsa3072.crt", "--key", key];
        self.prints(code, &[&args[..], more].concat())
    }

    /// Takes all changes of the checkout back.
    pub(super) fn reset(&self) {
        self.git(&["reset", "--quiet", "--hard", "origin/main"]);
    }

    /// Returns the manifests of an environment.
    pub(super) fn generate(&self, environment: &str) -> Vec<Json> {
        let identity = ["--project", "platform", "--app", "p", "--namespace", "platform"];
        let args = ["generate", "app", "--env", environment, "--operator", "../operator/operator.yaml"];
        objects(&self.prints(0, &[&args[..], &identity].concat()))
    }

    /// Returns the checksums of the pods' Secrets, with the names of the workloads.
    pub(super) fn checksums(&self, environment: &str) -> Vec<String> {
        let objects = self.generate(environment);
        let checksum = |object: &Json| {
            let annotations = object.pointer("/spec/template/metadata/annotations")?;
            Some(format!("{} {}", object["metadata"]["name"], annotations.get("checksum/secret")?))
        };
        objects.iter().filter_map(checksum).collect()
    }

    /// Returns the runs of a rotation of the AWS key.
    pub(super) fn aws_rotation(&self) -> &AwsRotation {
        self.rotation.get_or_init(|| self.rotate_aws())
    }

    fn rotate_aws(&self) -> AwsRotation {
        let args = [
            "rotate",
            "aws",
            "--user",
            "airflow",
            "--env",
            "dev",
            "--operator",
            "../account.yaml",
            "--provider",
            "aws-sm",
            "--sealed-files",
            "app/envs/dev/sealed-secrets",
            "--sealed-template",
            "credentials=../credentials",
            "--cert",
            "../operator/certs/dev.pem",
            "--probe-bucket",
            "models",
            "--backup",
            "../backups/key.json",
            "--notify-url-file",
            "../hook",
        ];
        let rotate = |code, more: &[&str]| self.prints(code, &[&args[..], more].concat());
        let before = self.checksums("dev");
        let plan = rotate(0, &["--dry-run"]);
        let refused = self.run(&args);
        let applied = rotate(1, &["--yes", "--push"]);
        let committed = self.git(&["show", "--format=", "--name-only", "origin/main"]);
        let checksums = [before, self.checksums("dev")];
        *self.epoch.borrow_mut() += 2 * DAY;
        let deactivated = rotate(1, &["--yes", "--push"]);
        *self.epoch.borrow_mut() += 8 * DAY;
        let deleted = rotate(0, &["--yes", "--push", "--delete-key", OLD_KEY]);
        *self.epoch.borrow_mut() = START;
        AwsRotation {
            plan,
            refused,
            applied,
            deactivated,
            deleted,
            committed: committed.lines().map(str::to_owned).collect(),
            checksums,
            account: self
                .account
                .asked()
                .into_iter()
                .map(|asked| format!("{} {}", asked.target, asked.body))
                .collect(),
            notifications: self.hook.asked().into_iter().map(|asked| asked.body).collect(),
            backup: self.path("backups/key.json"),
        }
    }
}
