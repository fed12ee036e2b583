//! Side effects: what writes anything but a run's own output.

mod audit;
mod pull;

pub use audit::{AuditError, AuditLog};
pub use pull::{LockFile, PullError};
