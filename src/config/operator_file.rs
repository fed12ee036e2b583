//! Reads the operator file and the keys and certificates that it names.

mod bounded;
mod certificates;
mod charts;
mod error;
mod file;
mod keys;

pub(crate) use self::certificates::read_certificate;
pub use self::file::OperatorFile;
