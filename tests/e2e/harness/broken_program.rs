//! A sealwave that breaks one promise, with which tests are tested.
//!
//! A sidecar runs a script in its place, which starts this test program again with a hidden first argument. That runs the real
//! sealwave with a changed operator file, or changes its output. It knows the operator's files of the tests' apps, and never
//! runs for the tests of the promises themselves.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use sealwave_core::sha256_hex;
use serde_json::{Value, json};

use super::pod_inputs::{InputKind, inputs};
use super::programs::Programs;

/// The hidden argument.
const ARGUMENT: &str = "--broken-program";

const OPERATOR: &str = "SEALWAVE_OPERATOR";
const CHECKSUM: &str = "checksum/secret";
const OPTIONS: &str = "argocd.argoproj.io/sync-options";
const WAVE: &str = "argocd.argoproj.io/sync-wave";

const CONSTANT_KEY: &str = include_str!("../../../testdata/scenario-1-mlops/operator/checksum-key");

/// A promise that is broken.
#[derive(Clone, Copy, Debug)]
pub enum Break {
    /// Checksums depend on ciphertexts.
    CiphertextChecksum,
    /// Checksums are made with a key that is part of the program.
    ConstantChecksumKey,
    /// Checksums are digests of the value.
    HashedChecksum,
    /// An error has a value in its text.
    LeakedError,
    /// Workloads have a value in an annotation.
    LeakedValue,
    /// Workloads have no checksum of Secrets.
    NoChecksum,
    /// Objects in a negative wave have no `PruneLast=true`.
    NoPruneLast,
    /// Objects have no wave.
    NoWaves,
    /// Secrets are not sealed.
    PlaintextSecret,
    /// Each run gives other ciphertexts.
    RandomSealing,
    /// Checksums depend on all Secrets of the app.
    WideChecksum,
}

const ALL: [Break; 11] = [
    Break::CiphertextChecksum,
    Break::ConstantChecksumKey,
    Break::HashedChecksum,
    Break::LeakedError,
    Break::LeakedValue,
    Break::NoChecksum,
    Break::NoPruneLast,
    Break::NoWaves,
    Break::PlaintextSecret,
    Break::RandomSealing,
    Break::WideChecksum,
];

/// Runs the broken sealwave, if the hidden argument is there.
pub fn run_broken_program() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let name = arguments.next().and_then(|name| name.into_string().ok()).expect("the name of a break");
    let fault = ALL.into_iter().find(|fault| fault.name() == name).expect("a known break");
    Some(fault.run(&arguments.collect::<Vec<_>>()))
}

impl Break {
    /// Writes the script that runs in place of sealwave.
    pub fn install(self, script: &Path) {
        let program = std::env::current_exe().expect("the path of this program");
        let text = format!("#!/bin/sh\nexec '{}' {ARGUMENT} {} \"$@\"\n", program.display(), self.name());
        fs_err::create_dir_all(script.parent().expect("a parent")).expect("a directory");
        fs_err::write(script, text).expect("writable");
        fs_err::set_permissions(script, std::fs::Permissions::from_mode(0o755)).expect("our file");
    }

    fn name(self) -> String {
        format!("{self:?}")
    }

    fn run(self, arguments: &[OsString]) -> ExitCode {
        let operator = PathBuf::from(std::env::var_os(OPERATOR).expect("the sidecar has an operator file"));
        let changed = self.change_operator_file(&operator);
        let mut command = Command::new(Programs::sealwave());
        command.args(arguments).env(OPERATOR, changed.as_ref().unwrap_or(&operator)).stderr(Stdio::inherit());
        let output = command.output().expect("sealwave starts");
        if let Some(changed) = changed {
            fs_err::remove_file(changed).expect("our file");
        }
        let generates = arguments.first().is_some_and(|command| command == "generate");
        if matches!(self, Self::LeakedError) && !output.status.success() {
            eprintln!("error: {}", own_value(&operator.with_file_name("secrets")));
        }
        let printed = if generates { self.change_output(&output.stdout, &operator) } else { output.stdout };
        std::io::stdout().write_all(&printed).expect("standard output");
        ExitCode::from(output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
    }

    /// Writes a changed copy beside the operator file, if the break is one of its settings.
    fn change_operator_file(self, operator: &Path) -> Option<PathBuf> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_nanos();
        let unique = format!("{}-{now}", std::process::id());
        let text = fs_err::read_to_string(operator).expect("readable");
        let text = match self {
            // The seal key stays, so that only ciphertexts differ, as with random session keys.
            Self::RandomSealing => format!("{text}epoch: '{unique}'\n"),
            Self::ConstantChecksumKey => {
                text.replace("checksumKeyFile: checksum-key", "checksumKeyFile: constant-key")
            }
            _ => return None,
        };
        fs_err::write(operator.with_file_name("constant-key"), CONSTANT_KEY).expect("writable");
        let copy = operator.with_file_name(format!("operator-{unique}.yaml"));
        fs_err::write(&copy, text).expect("writable");
        Some(copy)
    }

    fn change_output(self, output: &[u8], operator: &Path) -> Vec<u8> {
        let secrets = operator.with_file_name("secrets");
        let documents = serde_json::Deserializer::from_slice(output).into_iter::<Value>();
        let original: Vec<Value> = documents.map(|document| document.expect("JSON")).collect();
        let changed = original.iter().cloned().map(|mut document| {
            self.change_document(&mut document, &original, &secrets);
            format!("{document}\n")
        });
        changed.collect::<String>().into_bytes()
    }

    fn change_document(self, document: &mut Value, all: &[Value], secrets: &Path) {
        match self {
            Self::CiphertextChecksum => replace_checksum(document, |name| sealed(all, name)),
            Self::HashedChecksum => replace_checksum(document, |name| password(secrets, name)),
            Self::LeakedValue => annotate_workload(document, || own_value(secrets)),
            Self::NoChecksum => remove_annotation(document, "/spec/template/metadata/annotations", CHECKSUM),
            Self::NoPruneLast => remove_annotation(document, "/metadata/annotations", OPTIONS),
            Self::NoWaves => remove_annotation(document, "/metadata/annotations", WAVE),
            Self::PlaintextSecret => open(document, secrets),
            Self::WideChecksum => {
                replace_checksum(document, |_| password(secrets, "alpha") + &password(secrets, "beta"));
            }
            Self::ConstantChecksumKey | Self::LeakedError | Self::RandomSealing => (),
        }
    }
}

fn remove_annotation(object: &mut Value, annotations: &str, name: &str) {
    if let Some(annotations) = object.pointer_mut(annotations).and_then(Value::as_object_mut) {
        annotations.remove(name);
    }
}

/// Replaces the checksum of a workload by a digest of a text, which may depend on the name of the Secret that it reads.
fn replace_checksum(workload: &mut Value, text: impl Fn(&str) -> String) {
    let inputs = inputs(&workload["spec"]["template"]);
    if let Some(secret) = inputs.iter().find(|input| input.kind == InputKind::Secret) {
        let digest = &sha256_hex(text(&secret.name).as_bytes())[..32];
        workload["spec"]["template"]["metadata"]["annotations"][CHECKSUM] = json!(digest);
    }
}

/// Adds an annotation with a text to a workload.
fn annotate_workload(workload: &mut Value, text: impl Fn() -> String) {
    if workload["spec"]["template"].is_object() {
        workload["metadata"]["annotations"]["text"] = json!(text());
    }
}

/// Returns the ciphertexts of a Secret.
fn sealed(all: &[Value], name: &str) -> String {
    let sealed = all.iter().find(|it| it["kind"] == "SealedSecret" && it["metadata"]["name"] == name);
    sealed.expect("a SealedSecret")["spec"].to_string()
}

/// Replaces a SealedSecret by the Secret that it becomes.
fn open(sealed: &mut Value, secrets: &Path) {
    if sealed["kind"] != "SealedSecret" {
        return;
    }
    let (name, namespace) = (&sealed["metadata"]["name"], &sealed["metadata"]["namespace"]);
    let password = password(secrets, name.as_str().expect("a name"));
    *sealed = json!({
        "apiVersion": "v1", "kind": "Secret", "stringData": {"password": password},
        "metadata": {"name": name, "namespace": namespace, "annotations": {WAVE: "-1"}},
    });
}

/// Reads a value where the operator of the small app keeps it.
fn password(secrets: &Path, name: &str) -> String {
    let text = fs_err::read_to_string(secrets.join(format!("{name}.yaml"))).expect("readable");
    text.trim().strip_prefix("password: ").expect("a file of the small app").to_owned()
}

/// Reads the value that only this app has, where the operator of the plaintext test keeps it.
fn own_value(secrets: &Path) -> String {
    fs_err::read_to_string(secrets.join("app/own.txt")).expect("readable")
}
