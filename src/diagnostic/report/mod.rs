//! A [`Report`] in the forms that people and CI systems read.
//!
//! Each form is a file with one pure function `write`: the same report gives the same bytes, on every machine and at any
//! time. Names, paths and messages hold text from a repository, so each form escapes what could end a line, forge a
//! field or drive a terminal. A line of a source is shown by [`human`] alone, and only if the [`ExcerptGuard`] lets it.

mod excerpts;
mod guard;
pub mod human;
pub mod json;
#[cfg(test)]
mod samples;
mod text;

pub use excerpts::Excerpts;
pub use guard::ExcerptGuard;

use super::{Report, Severity};

/// What printing needs beside the report.
pub struct PrintContext<'a> {
    /// The version of sealwave.
    pub version: &'a str,
    /// The least severity that fails the run; none where nothing does.
    pub fail_on: Option<Severity>,
    /// Where lines of sources come from.
    pub excerpts: &'a Excerpts,
    /// Whether a line of a source looks as if it held a credential.
    pub looks_like_credential: &'a dyn Fn(&str) -> bool,
}
