//! Side effects: everything that writes to files other than a run's output, and the consent of people to changes.

mod audit;
mod consent;
mod operation_progress;
mod pull;

pub use audit::{AuditError, AuditLog};
pub use consent::{ConsentError, ask_for_consent, require_terminal};
pub use operation_progress::OperationProgress;
pub use pull::{LockFile, PullError};
