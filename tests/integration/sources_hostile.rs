//! Hostile charts and overlays: a clear error within the limits, nothing read, started or left.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::hostile_sources::{Ground, Harm, HostileSource, processes_in};
use crate::support::renderers::{NAMESPACE, Renderers};
use crate::support::{MARKER, find_marker, is_message_line, refused, root, sealwave};

/// The longest that a refusal may take on a busy machine, which includes the time limit of a program.
const LONGEST: Duration = Duration::from_secs(90);

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

#[test]
fn attacks_are_refused_within_the_limits_and_leave_nothing() {
    for renderers in Renderers::all() {
        for attack in HostileSource::all() {
            let (ground, what) = (attack.ground(), format!("{} ({})", attack.name, renderers.name));
            let started = Instant::now();
            let stderr = refused(&mut generate(&ground, &renderers), &what);
            assert!(started.elapsed() < LONGEST, "{what} took {:?}", started.elapsed());
            assert!(stderr.lines().all(is_message_line), "{what}: {stderr}");
            assert!(!stderr.contains(|c: char| c.is_control() && c != '\n'), "{what}: {stderr:?}");
            assert!(!ground.has_started(), "{what}: a program of the attack ran");
            assert_eq!(processes_in(&ground), [""; 0], "{what}: a process was left");
            let left = fs_err::read_dir(ground.path("temporary")).unwrap().count();
            assert_eq!(left, 0, "{what}: {left} entries are left in the temporary directory");
            assert!(!ground.path("outside/written").exists(), "{what}: a file was written outside");
        }
    }
}
