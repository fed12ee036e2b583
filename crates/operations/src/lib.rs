//! Plans and applies changes to committed files, clusters and accounts: the work of `seal`, `reseal`, `rotate`, `put`,
//! `verify` and `status`.
//!
//! A change is planned completely before anything is touched, and each step is recorded in a journal before it starts, so that
//! the next run can continue an interrupted one. No plan, journal, message or report holds a secret value. Nothing here takes an
//! address, a credential or a writable path from a repository. The pipeline that Argo CD runs never uses this crate.

pub mod file_changes;
pub mod notification;
pub mod plan;
pub mod private_file;
pub mod progress;
pub mod report;
pub mod state;
pub mod status;
pub mod switch;
pub mod work_tree;
