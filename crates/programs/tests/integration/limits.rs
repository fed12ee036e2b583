//! Programs that use too much of something. Each ends early, with an error that names the limit.

use std::time::{Duration, Instant};

use sealwave_programs::{ProgramError, ReachedLimit, RunLimits};

use crate::support::{SleepMark, TestHost};

fn seconds(wall: u64) -> RunLimits {
    RunLimits { wall_time: Duration::from_secs(wall), ..RunLimits::default() }
}

#[test]
fn endless_output_ends_early() {
    let host = TestHost::new();
    let started = Instant::now();
    let limits = RunLimits { output: 1 << 20, ..seconds(30) };
    assert_eq!(host.reached("yes", limits), ReachedLimit::Output(1 << 20));
    let limits = RunLimits { error_output: 1 << 16, ..seconds(30) };
    assert_eq!(host.reached("yes >&2", limits), ReachedLimit::ErrorOutput(1 << 16));
    // Ended by the limit, although nothing else would end it.
    let limits = RunLimits { output: 1 << 10, ..seconds(30) };
    assert_eq!(host.reached("trap '' PIPE TERM; yes; yes; sleep 600", limits), ReachedLimit::Output(1 << 10));
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
}

#[test]
fn output_up_to_the_limit_is_whole() {
    let host = TestHost::new();
    let run = |bytes: u64| {
        let limits = RunLimits { output: 1 << 20, ..seconds(30) };
        host.run(&host.script(&format!("head -c {bytes} /dev/zero")).limits(limits))
    };
    assert_eq!(run(1 << 20).unwrap().stdout.len(), 1 << 20);
    assert!(matches!(run((1 << 20) + 1), Err(ProgramError::Limit { .. })));
    assert_eq!(run(0).unwrap().stdout.len(), 0);
}

#[test]
fn endless_loops_end() {
    let host = TestHost::new();
    let wall = ReachedLimit::WallTime(Duration::from_secs(1));
    assert_eq!(host.reached("while :; do :; done", seconds(1)), wall);
    let limits = RunLimits { cpu_seconds: 1, ..seconds(60) };
    assert_eq!(host.reached("while :; do :; done", limits), ReachedLimit::CpuTime(1));
}

#[test]
fn signals_do_not_help_a_program() {
    let (host, mark) = (TestHost::new(), SleepMark::new(1));
    let script = mark.within("trap '' TERM HUP INT QUIT; while :; do sleep MARK; done");
    assert_eq!(host.reached(&script, seconds(1)), ReachedLimit::WallTime(Duration::from_secs(1)));
    assert!(!mark.is_running());
}

#[test]
fn a_program_that_closes_its_output_ends_at_the_deadline() {
    let (host, mark) = (TestHost::new(), SleepMark::new(2));
    let script = mark.within("exec >&- 2>&- <&-; sleep MARK");
    assert_eq!(host.reached(&script, seconds(1)), ReachedLimit::WallTime(Duration::from_secs(1)));
    assert!(!mark.is_running());
}

#[test]
fn memory_is_limited() {
    let limits = RunLimits { memory: 64 << 20, ..seconds(60) };
    assert_eq!(TestHost::new().reached("tail /dev/zero", limits), ReachedLimit::Memory(64 << 20));
}

#[test]
fn files_are_limited() {
    let host = TestHost::new();
    for script in ["head -c 1G /dev/zero > \"$HOME/file\"", "truncate -s 1G \"$TMPDIR/file\""] {
        let limits = RunLimits { file_size: 1 << 20, ..seconds(60) };
        let result = host.run(&host.script(script).limits(limits));
        let limit = ReachedLimit::FileSize(1 << 20);
        assert!(
            matches!(&result, Err(ProgramError::Limit { limit: found, .. }) if *found == limit),
            "{result:?}"
        );
    }
}

#[test]
fn processes_are_limited() {
    let (host, mark) = (TestHost::new(), SleepMark::new(3));
    let limits = || RunLimits { processes: 16, ..seconds(60) };
    for script in [
        "for i in $(seq 100); do sleep MARK & done; wait",
        // Each one starts two others; some are in sessions of their own.
        "bomb() { if [ $1 -gt 0 ]; then bomb $(($1 - 1)) & bomb $(($1 - 1)) & fi; setsid sleep MARK & sleep MARK; }; bomb 7",
    ] {
        assert_eq!(host.reached(&mark.within(script), limits()), ReachedLimit::Processes(16));
        assert!(!mark.is_running(), "{script}");
    }
}

#[test]
fn input_need_not_be_read() {
    let host = TestHost::new();
    let input = vec![b'x'; 8 << 20];
    assert_eq!(host.run(&host.script("echo unread").input(input.clone())).unwrap().stdout, b"unread\n");
    assert_eq!(host.run(&host.script("cat").input(input.clone())).unwrap().stdout, input);
    assert_eq!(host.stdout("cat"), "", "standard input is empty by default");
}
