//! Tests `copy`, with which an init container puts the program into Argo CD's own image.

use std::path::Path;
use std::process::Output;

use crate::support::{root, sealwave, stderr_of_failure};

fn copy_to(directory: &Path) -> Output {
    let output = sealwave().arg("copy").arg(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty());
    output
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs_err::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_copy_runs_and_brings_its_plugin_file() {
    let directory = tempfile::tempdir().unwrap();
    let output = copy_to(directory.path());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("contains sealwave 0.") && stderr.contains("plugin.yaml"), "{stderr}");
    assert_eq!(names(directory.path()), ["plugin.yaml", "sealwave"]);
    let plugin = fs_err::read_to_string(directory.path().join("plugin.yaml")).unwrap();
    assert_eq!(plugin, fs_err::read_to_string(root().join("plugin.yaml")).unwrap());
    let mut copied = std::process::Command::new(directory.path().join("sealwave"));
    let version = copied.env_clear().arg("--version").output().unwrap();
    assert!(version.status.success() && version.stdout.starts_with(b"sealwave "));
}

#[test]
fn a_second_start_of_the_container_replaces_the_files() {
    let directory = tempfile::tempdir().unwrap();
    copy_to(directory.path());
    // An interrupted start leaves a part of a file.
    fs_err::write(directory.path().join("sealwave.new"), "part").unwrap();
    fs_err::write(directory.path().join("plugin.yaml"), "old").unwrap();
    copy_to(directory.path());
    assert_eq!(names(directory.path()), ["plugin.yaml", "sealwave"]);
    assert!(
        fs_err::read_to_string(directory.path().join("plugin.yaml"))
            .unwrap()
            .contains("ConfigManagementPlugin")
    );
}

/// The file may be a link that an earlier container left: it is replaced, not followed.
#[cfg(unix)]
#[test]
fn links_in_the_directory_are_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let other = tempfile::NamedTempFile::new().unwrap();
    for name in ["plugin.yaml", "plugin.yaml.new"] {
        fs_err::os::unix::fs::symlink(other.path(), directory.path().join(name)).unwrap();
    }
    copy_to(directory.path());
    assert_eq!(fs_err::read(other.path()).unwrap(), b"");
    assert!(fs_err::symlink_metadata(directory.path().join("plugin.yaml")).unwrap().is_file());
}

#[test]
fn a_target_that_cannot_be_written_is_named() {
    for target in ["/nowhere/at/all", "Cargo.toml"] {
        let stderr = stderr_of_failure(&["copy", target]);
        assert!(
            stderr.contains(&format!("`{target}` is not a directory")) && stderr.contains("emptyDir"),
            "{stderr}"
        );
    }
    // A directory with the name of the program.
    let directory = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(directory.path().join("sealwave/not-empty")).unwrap();
    let stderr = stderr_of_failure(&["copy", directory.path().to_str().unwrap()]);
    assert!(stderr.contains("sealwave` cannot be written: "), "{stderr}");
    assert_eq!(names(directory.path()), ["sealwave"]);
}
