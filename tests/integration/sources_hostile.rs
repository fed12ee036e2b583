//! Hostile charts and overlays: a clear error within the limits, nothing read, started or left.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::hostile_sources::{Ground, Harm, HostileSource, processes_in};
use crate::support::renderers::{NAMESPACE, Renderers};
use crate::support::{MARKER, find_marker, is_message_line, root, sealwave};

/// The longest that a refusal may take on a busy machine, which includes the time limit of a program.
const LONGEST: Duration = Duration::from_secs(90);
/// The most bytes of a message that people read.
const LONGEST_MESSAGE: usize = 8 << 10;

#[test]
fn attacks_have_names_of_their_own_and_an_app_file() {
    let attacks = HostileSource::all();
    let names: BTreeSet<&str> = attacks.iter().map(|attack| attack.name).collect();
    assert_eq!(names.len(), attacks.len());
    for attack in attacks.iter().filter(|attack| !attack.name.contains("1 GiB")) {
        assert!(attack.ground().app().join("sealwave.yaml").is_file(), "{}", attack.name);
    }
}

/// Reports whether the harm is done: the text from outside is in the output, or a program of the attack ran.
fn is_harmed(ground: &Ground, harm: Harm, stdout: &[u8]) -> bool {
    match harm {
        Harm::Reads => find_marker(stdout, MARKER).is_some(),
        Harm::Starts => ground.has_started(),
        Harm::Connects | Harm::Exhausts | Harm::Shows => unreachable!("no such attack is tried alone"),
    }
}

/// An attack that fails for another reason would prove nothing about sealwave.
#[test]
fn attacks_succeed_on_programs_alone() {
    for renderers in Renderers::all() {
        for attack in HostileSource::all() {
            let Some(command) = attack.alone else { continue };
            let ground = attack.ground();
            let output = Command::new("sh")
                .args(["-c", command])
                .current_dir(ground.app())
                .env_clear()
                .env("PATH", renderers.search_path())
                .env("HOME", ground.path("home"))
                .output()
                .unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(
                is_harmed(&ground, attack.harm, &output.stdout),
                "{} ({}): {stderr}",
                attack.name,
                renderers.name
            );
        }
    }
}

/// Returns `generate` as the sidecar and a desk run it.
fn generate(ground: &Ground, renderers: &Renderers) -> Command {
    let mut command = sealwave();
    command.arg("generate").arg(ground.app()).args(["--env", "dev", "--project", "sources"]);
    command.arg("--operator").arg(root().join("testdata/sources/operator/operator.yaml"));
    command.args(["--app", "web", "--namespace", NAMESPACE]);
    command.env("PATH", renderers.search_path()).env("HOME", ground.path("home"));
    command.env("XDG_CONFIG_HOME", ground.path("home/.config")).env("TMPDIR", ground.path("temporary"));
    command
}

/// Returns what is wrong with the refusal of an attack.
fn faults(attack: &HostileSource, renderers: &Renderers) -> Vec<String> {
    let (ground, started) = (attack.ground(), Instant::now());
    let output = generate(&ground, renderers).output().expect("the binary starts");
    let (elapsed, stderr) = (started.elapsed(), String::from_utf8_lossy(&output.stderr));
    let printed = [&output.stdout, &output.stderr];
    let left = fs_err::read_dir(ground.path("temporary")).expect("a directory").count();
    let checks = [
        (output.status.code() == Some(2), "the exit code is not 2"),
        (output.stdout.is_empty(), "something was printed"),
        (
            printed.iter().all(|bytes| find_marker(bytes, MARKER).is_none()),
            "the text from outside was printed",
        ),
        (!stderr.contains("internal error"), "an internal error"),
        (stderr.lines().all(is_message_line), "a line is not a message"),
        (!stderr.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')), "a control character"),
        (stderr.len() < LONGEST_MESSAGE, "the message is too long"),
        (elapsed < LONGEST, "it took too long"),
        (!ground.has_started(), "a program of the attack ran"),
        (processes_in(&ground).is_empty(), "a process was left"),
        (left == 0, "something was left in the temporary directory"),
        (!ground.path("outside/written").exists(), "a file was written outside"),
    ];
    let stderr: String = stderr.chars().take(600).collect();
    let text = |fault| format!("{} ({}): {fault} after {elapsed:?}; {stderr}", attack.name, renderers.name);
    checks.into_iter().filter(|(holds, _)| !holds).map(|(_, fault)| text(fault)).collect()
}

#[test]
fn attacks_are_refused_within_the_limits_and_leave_nothing() {
    let all = HostileSource::all();
    for (index, renderers) in Renderers::all().iter().enumerate() {
        // One set of programs is enough for overlays.
        let attacks = all.iter().filter(|attack| index == 0 || attack.name.starts_with("chart"));
        let faults: Vec<String> = attacks.flat_map(|attack| faults(attack, renderers)).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
