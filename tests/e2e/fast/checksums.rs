//! Checksums depend on the operator's key, so that a person who reads a Deployment cannot test guesses of a value.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::harness::{Refresh, SECRET, SmallApp, Stack};

/// Programs of coreutils, so that the digests are not computed with sealwave's own code.
const DIGESTS: [&str; 7] = ["b2sum", "md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum"];

pub fn depend_on_the_operators_key_alone(stack: &Arc<Stack>) {
    depend_on_the_key(&SmallApp::new(stack, "checksums"));
}

/// The story, also for a program that breaks the promise.
pub fn depend_on_the_key(app: &SmallApp) {
    let commit = app.deploy();
    let secret = app.checksum("use-alpha", "secret");
    let config = app.checksum("use-config", "config");
    assert!(secret.len() >= 32, "`{secret}` is too short to compare");
    for input in guesses(app) {
        for (digest, name) in digests(&input) {
            assert!(!digest.contains(&secret), "checksum/secret is the {name} of `{input}`");
        }
    }

    app.generate_key("--checksum-output", "checksum-key");
    app.refresh(Refresh::Hard);
    app.wait_healthy(&commit);
    assert_ne!(app.checksum("use-alpha", "secret"), secret, "checksum/secret does not depend on the key");
    assert_ne!(app.checksum("use-config", "config"), config, "checksum/config does not depend on the key");
}

/// Returns texts that a person would try with a guessed value. The guess is right.
fn guesses(app: &SmallApp) -> Vec<String> {
    let value = app.password_in("alpha");
    let secret = app.stack.cluster().get(SECRET, Some(app.name()), "alpha").expect("a Secret");
    let base64 = secret["data"]["password"].as_str().expect("a value").to_owned();
    let namespace = app.name();
    let mut all = vec![secret.to_string()];
    for value in [&value, &base64] {
        for item in [
            value.clone(),
            format!("password{value}"),
            format!("password={value}"),
            format!("password:{value}"),
            format!("password: {value}"),
            format!("password\0{value}"),
            format!("{{\"password\":\"{value}\"}}"),
            format!("{{\"data\":{{\"password\":\"{value}\"}}}}"),
            format!("{{\"stringData\":{{\"password\":\"{value}\"}}}}"),
        ] {
            all.extend([
                format!("{item}\n"),
                format!("alpha{item}"),
                format!("alpha/{item}"),
                format!("{namespace}/alpha/{item}"),
                format!("{namespace}/alpha{item}"),
                item,
            ]);
        }
    }
    all
}

/// Returns the digests of a text, in lower-case hexadecimal, each with its name.
fn digests(text: &str) -> Vec<(String, &'static str)> {
    let known = DIGESTS.iter().map(|program| (digest(program, text), *program));
    known.chain([(fnv(text), "FNV-1a")]).collect()
}

fn digest(program: &str, text: &str) -> String {
    let mut command = Command::new(program);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("coreutils");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("writable");
    let output = child.wait_with_output().expect("an end");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns the FNV-1a digest of 128 bits, which has as many digits as a checksum.
fn fnv(text: &str) -> String {
    let basis = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128;
    let step = |hash: u128, byte: u8| (hash ^ u128::from(byte)).wrapping_mul(0x0100_0000_0000_0000_0000_013b);
    format!("{:032x}", text.bytes().fold(basis, step))
}
