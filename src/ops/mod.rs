//! Side effects: what writes anything but a run's own output.

mod audit;

pub use audit::{AuditError, AuditLog};
