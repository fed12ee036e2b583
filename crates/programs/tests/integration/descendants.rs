//! Processes that a program leaves behind.

use std::process::{Command, Stdio};

use sealwave_programs::ProgramError;

use crate::support::{SleepMark, TestHost, host, wait_until};

#[test]
fn daemons_are_found_and_ended() {
    let (host, mark) = (TestHost::new(), SleepMark::new(10));
    for script in [
        "sleep MARK &",
        "setsid sleep MARK > /dev/null 2>&1 < /dev/null &",
        // The parent of the process ends, its session and its group are others, and it ignores signals.
        "(trap '' HUP TERM; setsid bash -c '(setsid sleep MARK &) > /dev/null 2>&1 < /dev/null' &) & wait",
    ] {
        // The process that starts the daemon needs a moment.
        let script = format!("{}\nsleep 0.2", mark.within(script));
        let result = host.run(&host.script(&script));
        assert!(matches!(result, Err(ProgramError::LeftRunning { count: 1, .. })), "{result:?}");
        assert!(!mark.is_running(), "{script}");
    }
}

#[test]
fn a_failure_leaves_nothing_either() {
    let (host, mark) = (TestHost::new(), SleepMark::new(11));
    let text = host.failure(&host.script(&mark.within("setsid sleep MARK & echo 'the cause' >&2; exit 3")));
    assert_eq!(text, "the cause");
    assert!(!mark.is_running());
}

#[test]
fn processes_that_end_soon_are_no_error() {
    assert_eq!(TestHost::new().stdout("sleep 0.05 & echo done"), "done\n");
}

/// The mark of the process of the next test.
const MARK_OF_KILLED: u32 = 12;

/// Not a test: the process that [`a_killed_run_leaves_nothing`] starts and kills, in the directory for temporary files.
#[test]
#[ignore = "started by another test"]
fn run_that_is_killed() {
    let temporary = std::env::current_dir().unwrap();
    let mark = fs_err::read_to_string("../mark").unwrap();
    let script = format!("PATH=/usr/bin:/bin; setsid sleep {mark} & sleep {mark}");
    let run = sealwave_programs::ProgramRun::new("/bin/bash".as_ref(), "/".as_ref());
    let run = run.args(["-c", &script]).executable("/usr/bin".as_ref()).executable("/bin".as_ref());
    let _ = run.run(&host(&temporary));
}

#[test]
fn a_killed_run_leaves_nothing() {
    let (top, mark) = (tempfile::tempdir().unwrap(), SleepMark::new(MARK_OF_KILLED));
    let temporary = top.path().join("temporary");
    fs_err::create_dir(&temporary).unwrap();
    fs_err::write(top.path().join("mark"), mark.within("MARK")).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "descendants::run_that_is_killed"])
        .current_dir(&temporary)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the program does not start", || mark.is_running());
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the program still runs", || !mark.is_running());
    wait_until("files are left", || fs_err::read_dir(&temporary).unwrap().count() == 0);
}
