//! Git for tests, with an identity and without the settings of the user and the machine.

use std::path::Path;
use std::process::Command;

/// Returns a call of Git in a directory, to which arguments are added.
pub fn git_command(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for setting in ["user.name=test", "user.email=test@example.com", "init.defaultBranch=main"] {
        command.args(["-c", setting]);
    }
    command
}

/// Runs Git in a directory, which must succeed, and returns what it prints.
pub fn git(directory: &Path, args: &[&str]) -> String {
    git_output(git_command(directory).args(args))
}

/// Runs a call of Git, which must succeed, and returns what it prints.
pub fn git_output(command: &mut Command) -> String {
    let output = command.output().expect("git is installed");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
