//! A [`Report`] in the forms that people and CI systems read.
//!
//! Each form is a file with one pure function `write`: the same report gives the same bytes, on every machine and at any
//! time. Names, paths and messages hold text from a repository, so each form escapes what could end a line, forge a
//! field or drive a terminal. A line of a source is shown by [`human`] alone, and only if the [`ExcerptGuard`] lets it.

mod excerpts;
mod files;
pub mod github;
pub mod gitlab;
mod guard;
pub mod human;
pub mod json;
pub mod junit;
mod output;
#[cfg(test)]
pub(crate) mod samples;
pub mod sarif;
mod text;
pub(crate) mod wrap;

pub use excerpts::Excerpts;
pub use files::{
    ReportFileError, append_summary, destination, is_report, read_baseline, write_report, write_reports,
};
pub use guard::ExcerptGuard;
pub use json::to_vec;
pub use output::{Format, Output, OutputError, Outputs};
pub(crate) use text::{counts, quantity};

use super::Report;
use sealwave_core::diagnostic::Severity;

/// What printing needs beside the report.
#[derive(Clone, Copy)]
pub struct PrintContext<'a> {
    /// The version of sealwave.
    pub version: &'a str,
    /// The least severity that fails the run; none where nothing does.
    pub fail_on: Option<Severity>,
    /// Where lines of sources come from.
    pub excerpts: &'a Excerpts,
    /// Whether one of these lines of a source looks as if it held a credential.
    pub looks_like_credential: &'a dyn Fn(&[String], usize) -> bool,
    /// Columns of the terminal that shows it; none where it is no terminal, so that a report is the same on every machine.
    pub width: Option<usize>,
}

/// The name of standard input in places.
pub const STDIN: &str = "<stdin>";

/// The report in one of its forms, for a file: without styles, which only a terminal shows.
#[must_use]
pub fn write_file(format: Format, report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    let bytes = write(format, report, &PrintContext { width: None, ..*context });
    if format.is_styled() { anstream::adapter::strip_bytes(&bytes).into_vec() } else { bytes }
}

/// The report in one of its forms.
#[must_use]
pub fn write(format: Format, report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    match format {
        Format::Github => github::write(report, context),
        Format::Gitlab => gitlab::write(report, context),
        Format::Human => human::write(report, context),
        Format::Json => json::write(report, context),
        Format::Junit => junit::write(report, context),
        Format::Sarif => sarif::write(report, context),
    }
}
