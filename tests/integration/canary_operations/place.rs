//! A directory with everything that operations need, in which each run is searched for the marker.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::leaf_commands;
use crate::support::small_app::SmallApp;
use crate::support::{MARKER, aws_user, controller, find_marker, mode, private, root, sealwave};
use sealwave_testkit::stub_server::{StubReply, StubServer};

pub(super) const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: shop}\nstringData: {password: CANARY-1, user: CANARY-2}\n";

/// The start of a private key, which must not be shown either.
const KEY_MARKERS: [&str; 2] = ["-----BEGIN PRIVATE KEY", "-----BEGIN RSA PRIVATE KEY"];

/// An app, an operator's directory, a repository, stubs, and what was seen.
pub(crate) struct Place {
    app: SmallApp,
    hook: StubServer,
    /// Files that the test wrote, relative to the place.
    inputs: RefCell<BTreeSet<PathBuf>>,
    /// Files that hold secrets on purpose, with the row of the documentation that names them.
    secret_files: RefCell<BTreeMap<PathBuf, &'static str>>,
    /// The commands that ran, with their exit codes.
    ran: RefCell<BTreeSet<(String, i32)>>,
    leaves: Vec<String>,
    epoch: RefCell<u64>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with_account(&aws_user::start())
    }

    /// Creates a place with this account.
    pub(crate) fn with_account(aws: &StubServer) -> Self {
        let app = SmallApp::new();
        let test_file = |name: &str| {
            fs_err::read_to_string(root().join("testdata/sealed-secrets").join(name)).expect("readable")
        };
        let server = controller::start(&test_file("rsa2048.crt"), &test_file("rsa2048.key"));
        let hook = StubServer::start(|_, _| StubReply::json(200, "ok"));
        app.operator("");
        app.replace(
            "operator/operator.yaml",
            "providers: {",
            &format!("providers: {{aws-sm: {{kind: aws-sm, region: eu-west-1, endpointUrl: '{0}'}}, aws-ssm: {{kind: aws-ssm, region: eu-west-1, endpointUrl: '{0}'}}, ", aws.address),
        );
        app.write("kubeconfig", &format!(
            "{{apiVersion: v1, kind: Config, current-context: c, clusters: [{{name: c, cluster: {{server: '{}'}}}}], \
             users: [{{name: u, user: {{token: CANARY-user}}}}], contexts: [{{name: c, context: {{cluster: c, user: u}}}}]}}",
            server.address
        ));
        app.write("hook", &hook.address);
        app.write("secret.yaml", SECRET);
        app.write("value", "CANARY-value\n");
        app.write("broken.yaml", &format!("{SECRET}---\nCANARY: [\n"));
        for name in ["rsa2048", "rsa3072"] {
            app.write(&format!("keys/{name}.crt"), &test_file(&format!("{name}.crt")));
            app.write(&format!("keys/{name}.key"), &test_file(&format!("{name}.key")));
            private(&app.path(&format!("keys/{name}.key")));
        }
        for directory in ["home", "tmp", "backups", "repository/envs/dev/sealed-secrets"] {
            fs_err::create_dir_all(app.path(directory)).expect("a directory");
        }
        let inputs = RefCell::new(files(&app.path("")).into_iter().collect());
        let place = Self {
            app,
            hook,
            inputs,
            secret_files: RefCell::default(),
            ran: RefCell::default(),
            leaves: leaf_commands(),
            epoch: RefCell::new(1_800_000_000),
        };
        place.git(&["init", "--quiet", "--initial-branch", "main"]);
        place.git(&["config", "user.name", "test"]);
        place.git(&["config", "user.email", "test@example.com"]);
        place
    }

    /// Returns the path of a file.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.app.path(name)
    }

    /// Writes a file that may hold the marker.
    pub(crate) fn write(&self, name: &str, text: &str) {
        self.app.write(name, text);
        self.inputs.borrow_mut().insert(name.into());
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs_err::read_to_string(self.app.path(name)).expect("readable")
    }

    /// Lets the next runs happen later.
    pub(crate) fn wait_days(&self, days: u64) {
        *self.epoch.borrow_mut() += days * 86_400;
    }

    /// Declares a file that holds secrets, with the row of the documentation that names it.
    pub(super) fn expect_secret_file(&self, row: &'static str, file: &str) {
        self.secret_files.borrow_mut().insert(file.into(), row);
    }

    /// Runs, and checks the exit code and that the marker is nowhere.
    pub(crate) fn ends(&self, code: i32, args: &[&str]) -> String {
        self.run(code, args, None, false)
    }

    /// Runs with this text as standard input.
    pub(super) fn ends_with_stdin(&self, code: i32, args: &[&str], text: &str) -> String {
        self.run(code, args, Some(text), false)
    }

    /// Runs a command whose standard output is for secrets, as it must have one.
    pub(super) fn prints_secrets(&self, args: &[&str]) {
        let stdout = self.run(0, args, None, true);
        assert!(find_marker(stdout.as_bytes(), MARKER).is_some(), "{args:?}");
    }

    fn run(&self, code: i32, args: &[&str], stdin: Option<&str>, prints_secrets: bool) -> String {
        let what = args.join(" ");
        let output = self.output(args, stdin);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        if !prints_secrets {
            require_clean(&output.stdout, &format!("{what}: standard output"));
        }
        require_clean(&output.stderr, &format!("{what}: standard error"));
        assert_eq!(output.status.code(), Some(code), "{what}: {stderr}");
        assert!(!stderr.contains("internal error"), "{what}: {stderr}");
        let command = self.leaves.iter().find(|leaf| what == **leaf || what.starts_with(&format!("{leaf} ")));
        self.ran.borrow_mut().insert((command.expect(&what).clone(), code));
        self.check(&what);
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn output(&self, args: &[&str], stdin: Option<&str>) -> Output {
        let mut command = self.command(args);
        if let Some(text) = stdin {
            self.write("stdin", text);
            command.stdin(fs_err::File::open(self.app.path("stdin")).expect("open").into_parts().0);
        }
        command.output().expect("the binary starts")
    }

    /// Returns a command in this place.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = sealwave();
        command
            .current_dir(self.app.path(""))
            .args(args)
            .envs(
                ["home", "tmp"].iter().zip(["HOME", "TMPDIR"]).map(|(dir, name)| (name, self.app.path(dir))),
            )
            .env("KUBECONFIG", self.app.path("kubeconfig"))
            .env("AWS_ACCESS_KEY_ID", "AKIACANARY")
            .env("AWS_SECRET_ACCESS_KEY", "CANARY-session")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("SOURCE_DATE_EPOCH", self.epoch.borrow().to_string())
            .env("RUST_BACKTRACE", "full")
            .env("RUST_LOG", "trace")
            .stdin(Stdio::null());
        command
    }

    /// Checks that exactly the declared files hold secrets, that they are private, and what was sent and committed.
    fn check(&self, what: &str) {
        let declared = self.secret_files.borrow();
        for file in files(&self.app.path("")) {
            let is_input = self.inputs.borrow().contains(&file);
            let path = self.app.path("").join(&file);
            let bytes = fs_err::read(&path).expect("readable");
            if declared.contains_key(&file) {
                assert!(!bytes.is_empty(), "{what}: {} is empty", file.display());
                assert_eq!(mode(&path), 0o600, "{what}: {}", file.display());
            } else if !is_input {
                require_clean(&bytes, &format!("{what}: file {}", file.display()));
                let is_journal = file.starts_with("home");
                assert!(!is_journal || mode(&path) == 0o600, "{what}: {}", file.display());
            }
        }
        assert_eq!(files(&self.app.path("tmp")), Vec::<PathBuf>::new(), "{what}: temporary files stay");
        for asked in self.hook.asked() {
            require_clean(asked.body.as_bytes(), &format!("{what}: a notification"));
        }
    }

    /// Checks that all declared files exist, that nothing else holds secrets, and that a command did what it can do: succeed
    /// and fail. Returns the rows of the documentation that were used.
    pub(super) fn finish(self, command: &str) -> BTreeSet<&'static str> {
        let ran = self.ran.borrow();
        for (what, is_such) in
            [("succeeded", &(|code| code < 2) as &dyn Fn(i32) -> bool), ("failed", &|code| code == 2)]
        {
            assert!(
                ran.iter().any(|(known, code)| known == command && is_such(*code)),
                "`{command}` never {what}"
            );
        }
        for (file, row) in self.secret_files.borrow().iter() {
            let bytes = fs_err::read(self.app.path("").join(file)).expect("written");
            let is_secret = is_marked(&bytes).is_some() || row.starts_with("key generate");
            assert!(is_secret, "{} holds no secret", file.display());
        }
        let objects = self.git(&["cat-file", "--batch-all-objects", "--batch"]);
        require_clean(&objects, &format!("{command}: Git objects"));
        self.secret_files.borrow().values().copied().collect()
    }

    /// Commits everything in the repository.
    pub(crate) fn commit(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", "files"]);
    }

    fn git(&self, args: &[&str]) -> Vec<u8> {
        let mut command = sealwave_testkit::git_command(&self.app.path("repository"));
        let output = command.args(args).output().expect("git is installed");
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    pub(super) fn notifications(&self) -> usize {
        self.hook.asked().len()
    }
}

/// Returns the form of a marker that bytes contain.
fn is_marked(bytes: &[u8]) -> Option<String> {
    find_marker(bytes, MARKER).or_else(|| KEY_MARKERS.iter().find_map(|marker| find_marker(bytes, marker)))
}

fn require_clean(bytes: &[u8], what: &str) {
    if let Some(form) = is_marked(bytes) {
        panic!("`{form}` is in {what}:\n{}", String::from_utf8_lossy(bytes));
    }
}

/// Returns all files below a directory, relative to it, without those of Git, whose objects are checked at the end.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(directory).sort_by_file_name().into_iter();
    let entries =
        entries.filter_entry(|entry| entry.file_name() != ".git").map(|entry| entry.expect("readable"));
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    files.map(|entry| entry.path().strip_prefix(directory).expect("below").to_owned()).collect()
}
