//! Sets linker options, and describes the build for `sealwave --version`.

#![expect(clippy::disallowed_methods, reason = "cargo configures a build script by the environment")]

use std::env;
use std::process::Command;

/// First version of glibc whose loader supports packed relative relocations.
const PACKED_SINCE: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=SEALWAVE_BUILD={}", build_description());
    let env_equals = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let is_native = env::var("HOST").is_ok_and(|host| env_equals("TARGET", &host));
    let is_glibc = env_equals("CARGO_CFG_TARGET_OS", "linux") && env_equals("CARGO_CFG_TARGET_ENV", "gnu");
    // The loader relocates about 50,000 addresses before `main`, and a run that Argo CD starts has two processes. Packed
    // relocations take a fraction of the time. A build for another machine, or with an older glibc, does not use them.
    if is_native && is_glibc && glibc_version().is_some_and(|version| version >= PACKED_SINCE) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Returns ` (commit abc1234, features: aws, vault)`. Nothing in it depends on the machine or the time.
fn build_description() -> String {
    println!("cargo::rerun-if-env-changed=SEALWAVE_COMMIT");
    let commit = env::var("SEALWAVE_COMMIT").ok().filter(|commit| {
        (7..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let commit = commit.map(|commit| format!("commit {commit}, ")).unwrap_or_default();
    let is_enabled =
        |feature: &&str| env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase())).is_some();
    let features: Vec<&str> = ["aws", "k8s", "sops", "vault"].into_iter().filter(is_enabled).collect();
    let features = if features.is_empty() { "none".to_owned() } else { features.join(", ") };
    format!(" ({commit}features: {features})")
}

/// Returns the version of this machine's glibc, as `getconf` prints it: `glibc 2.36`.
fn glibc_version() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
