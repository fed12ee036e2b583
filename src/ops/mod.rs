//! Side effects: everything that writes to files other than a run's output.

mod audit;
mod pull;

pub use audit::{AuditError, AuditLog};
pub use pull::{LockFile, PullError};
