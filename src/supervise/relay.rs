//! Forwards the output of a child after it has ended.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitCode, ExitStatus};

use fs_err::File;
use rustix::process::Signal;

use super::SuperviseError;
use super::child::ExitedChild;
use sealwave_secrets::settings::{MAX_OUTPUT_MIB, MemoryLimit};

/// Maximum size of standard error for a run that fails; its messages need less.
const MAX_STDERR: u64 = 64 << 10;
/// Maximum size of records in addition to a message of this process.
const MAX_RECORDS: u64 = 56 << 10;
/// Maximum size of standard error for a run that succeeds, for the records of an audit.
const MAX_AUDIT: u64 = 4 << 20;
/// The start of the standard library's message for a failed allocation, before the process aborts.
const ALLOCATION_FAILED: &[u8] = b"memory allocation of ";

/// Forwards standard error, and then standard output if the run succeeded.
pub(super) fn forward_output(ended: ExitedChild, limit: MemoryLimit) -> Result<ExitCode, SuperviseError> {
    let ExitedChild { status, mut stdout, mut stderr } = ended;
    match status.code() {
        Some(code @ (0 | 1)) => {
            check_sizes(&stdout, &stderr)?;
            // A closed standard error must not hide the exit code.
            let _ = copy(&mut stderr, &mut io::stderr().lock());
            copy(&mut stdout, &mut io::stdout().lock())
                .map_err(|error| SuperviseError::Unwritable(error.kind()))?;
            Ok(ExitCode::from(u8::from(code == 1)))
        }
        Some(2) => {
            let (text, is_whole) = tail(&mut stderr, MAX_STDERR);
            print(if is_whole { &text } else { after_first_line(&text) });
            Ok(ExitCode::from(2))
        }
        _ => {
            let (text, _) = tail(&mut stderr, MAX_RECORDS);
            print(&own_lines(&text));
            Err(reason(status, &text, limit))
        }
    }
}

fn check_sizes(stdout: &File, stderr: &File) -> Result<(), SuperviseError> {
    if size(stdout) > MAX_OUTPUT_MIB << 20 {
        return Err(SuperviseError::Output);
    }
    if size(stderr) > MAX_AUDIT { Err(SuperviseError::Audit(MAX_AUDIT)) } else { Ok(()) }
}

fn size(file: &File) -> u64 {
    file.metadata().map_or(u64::MAX, |about| about.len())
}

/// Copies a whole file. A closed pipe is not an error.
fn copy(file: &mut File, to: &mut impl io::Write) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    // The standard library lets the kernel copy only from its own file type.
    match io::copy(&mut file.file(), to).and_then(|_| to.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Returns the end of a file, and whether it is the whole file. The end contains the errors, after the audit records.
fn tail(file: &mut File, bytes: u64) -> (Vec<u8>, bool) {
    let start = size(file).saturating_sub(bytes);
    let mut text = Vec::new();
    let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.take(bytes).read_to_end(&mut text));
    (text, read.is_ok() && start == 0)
}

fn after_first_line(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| *byte == b'\n');
    end.map_or(text, |end| &text[end + 1..])
}

/// Returns sealwave's own lines: audit records, which are JSON, and panic locations. Drops what the runtime prints when
/// it aborts.
fn own_lines(text: &[u8]) -> Vec<u8> {
    let is_own = |line: &&[u8]| {
        line.starts_with(b"{\"") && line.ends_with(b"}\n") || line.starts_with(b"internal error at ")
    };
    text.split_inclusive(|byte| *byte == b'\n').filter(is_own).collect::<Vec<_>>().concat()
}

fn print(text: &[u8]) {
    // A closed standard error must not hide the exit code.
    let _ = io::stderr().lock().write_all(text);
}

fn reason(status: ExitStatus, stderr: &[u8], limit: MemoryLimit) -> SuperviseError {
    let failed_allocation =
        || stderr.windows(ALLOCATION_FAILED.len()).any(|window| window == ALLOCATION_FAILED);
    match status.signal() {
        Some(signal) if signal == Signal::ABORT.as_raw() && failed_allocation() => {
            SuperviseError::Memory(limit)
        }
        Some(signal) if signal == Signal::KILL.as_raw() => SuperviseError::Killed(status.to_string()),
        _ => SuperviseError::Ended(status.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_why_a_child_ended_is_detected() {
        let limit = MemoryLimit::default();
        let aborted = ExitStatus::from_raw(6);
        let text = b"{\"time\":1}\nmemory allocation of 33 bytes failed\nstack backtrace:\n";
        assert!(matches!(reason(aborted, text, limit), SuperviseError::Memory(_)));
        assert!(matches!(reason(aborted, b"fatal runtime error\n", limit), SuperviseError::Ended(_)));
        assert!(matches!(reason(ExitStatus::from_raw(11), text, limit), SuperviseError::Ended(_)));
        assert!(matches!(reason(ExitStatus::from_raw(9), b"", limit), SuperviseError::Killed(_)));
        assert!(matches!(reason(ExitStatus::from_raw(101 << 8), b"", limit), SuperviseError::Ended(_)));
    }

    #[test]
    fn output_of_the_runtime_is_dropped() {
        let text =
            b"{\"time\":1}\nmemory allocation of 33 bytes failed\ninternal error at src/a.rs:1\n{\"cut";
        assert_eq!(own_lines(text), b"{\"time\":1}\ninternal error at src/a.rs:1\n");
    }

    #[test]
    fn the_end_of_a_long_standard_error_is_kept() {
        let mut file = File::from_parts(tempfile::tempfile().unwrap(), "a file");
        file.write_all(b"first\nsecond\nthird\n").unwrap();
        assert_eq!(tail(&mut file, 64), (b"first\nsecond\nthird\n".to_vec(), true));
        let (text, is_whole) = tail(&mut file, 10);
        assert!(!is_whole);
        assert_eq!(after_first_line(&text), b"third\n");
    }
}
