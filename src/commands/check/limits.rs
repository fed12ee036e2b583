//! Time, memory and the audit log.

use std::path::{Path, PathBuf};

use super::findings::CheckResults;
use crate::config::OperatorFile;
use sealwave_core::diagnostic::{Explain, Severity};
use sealwave_core::text::counted;
use sealwave_secrets::settings::{SettingPath, SidecarMemory};

/// The seconds that Argo CD waits for a plugin by default.
const ARGO_CD_SECONDS: u64 = 60;

/// A finding about limits.
#[derive(Debug, thiserror::Error)]
enum LimitFinding {
    #[error("the directory of audit file `{}` does not exist, so every run fails", .0.display())]
    AuditDirectory(PathBuf),
    #[error(
        "`deadlineSeconds: {0}` is not less than the {ARGO_CD_SECONDS} seconds that Argo CD waits by default"
    )]
    LateDeadline(u64),
    #[error("`audit` sets neither `file` nor `stderr: true`, so every run fails")]
    NoAuditDestination,
    #[error("`deadlineSeconds` is 0, so every run fails")]
    NoTime,
}

impl Explain for LimitFinding {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::AuditDirectory(_) => {
                "create it, or correct `audit.file`; its path is relative to the operator file"
            }
            Self::LateDeadline(_) => {
                "set `deadlineSeconds: 50`, so that sealwave reports what was slow before Argo CD gives up; or raise `controller.repo.server.timeout.seconds` and `server.repo.server.timeout.seconds`"
            }
            Self::NoAuditDestination => "write `audit: {file: audit.jsonl}` or `audit: {stderr: true}`",
            Self::NoTime => "set `deadlineSeconds: 50`",
        };
        Some(hint.to_owned())
    }
}

pub(super) fn check(file: &OperatorFile) -> CheckResults {
    let mut results = CheckResults::default();
    let operator = file.operator();
    let deadline = SettingPath::of_keys(&["deadlineSeconds"]);
    match operator.deadline_seconds {
        0 => results.find(file, &deadline, Severity::Error, &LimitFinding::NoTime),
        seconds if seconds >= ARGO_CD_SECONDS => {
            results.find(file, &deadline, Severity::Warning, &LimitFinding::LateDeadline(seconds));
        }
        seconds => results.healthy(format!("deadline of {} per run", counted(seconds, "second"))),
    }
    let memory = SidecarMemory { concurrency: operator.concurrency, limit: operator.memory_limit };
    results.healthy(format!(
        "{} concurrent runs of {} MiB: the container needs a memory limit of {} MiB",
        operator.concurrency.runs(),
        operator.memory_limit.mib(),
        memory.mib()
    ));
    audit(&mut results, file);
    results
}

fn audit(results: &mut CheckResults, file: &OperatorFile) {
    let Some((path, stderr)) = file.audit() else { return };
    let setting = SettingPath::of_keys(&["audit", "file"]);
    match path {
        None if !stderr => results.find(file, &setting, Severity::Error, &LimitFinding::NoAuditDestination),
        Some(path) if path.parent().is_some_and(|parent| parent != Path::new("") && !parent.is_dir()) => {
            results.find(file, &setting, Severity::Error, &LimitFinding::AuditDirectory(path));
        }
        Some(path) => results.healthy(format!("audit log `{}`", path.display())),
        None => results.healthy("audit log on standard error"),
    }
}
