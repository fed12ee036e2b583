//! Side effects: what writes anything but a run's own output.

mod audit;
mod pull;
mod reports;

pub use audit::{AuditError, AuditLog};
pub use pull::{LockFile, PullError};
pub use reports::{
    ReportFileError, append_summary, destination, is_report, read_baseline, write_report, write_reports,
};
