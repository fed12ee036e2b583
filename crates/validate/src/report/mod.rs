//! Output formats of a [`Report`] for people and CI systems.
//!
//! Each format has a pure function `write`: the same report gives the same bytes on every machine. Names, paths and
//! messages may hold text from a repository, so each format escapes what could end a line, forge a field or control a
//! terminal. Only [`human`] shows source lines, and only those that the [`ExcerptGuard`] allows.

mod baseline;
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
mod uri;

pub use baseline::{Baseline, BaselineError, BaselineNames, BaselineNote, CheckedScope};
pub use files::{
    ReportFileError, append_summary, destination, is_report, read_baseline, write_report, write_reports,
};
pub use guard::ExcerptGuard;
pub use json::to_vec;
pub use output::{OutputError, ReportOutput, ReportOutputFormat, ReportOutputs};

use super::Report;
use sealwave_core::diagnostic::Severity;
use sealwave_core::excerpts::Excerpts;

/// The settings and sources needed to print a report.
#[derive(Clone, Copy)]
pub struct PrintContext<'a> {
    /// The version of sealwave.
    pub version: &'a str,
    /// The lowest severity that fails the run; `None` if no finding does.
    pub fail_on: Option<Severity>,
    /// The provider of source lines.
    pub excerpts: &'a Excerpts,
    /// The width of the terminal; `None` if the output is not a terminal, so that a report is the same on every
    /// machine.
    pub width: Option<usize>,
    /// Whether the report for people shows only errors and the result.
    pub quiet: bool,
}

/// Returns the report in a format for a file, without terminal styles.
#[must_use]
pub fn write_file(format: ReportOutputFormat, report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    let bytes = write(format, report, &PrintContext { width: None, ..*context });
    if format.is_styled() { anstream::adapter::strip_bytes(&bytes).into_vec() } else { bytes }
}

/// Returns the report in a format.
#[must_use]
pub fn write(format: ReportOutputFormat, report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    match format {
        ReportOutputFormat::Github => github::write(report, context),
        ReportOutputFormat::Gitlab => gitlab::write(report, context),
        ReportOutputFormat::Human => human::write(report, context),
        ReportOutputFormat::Json => json::write(report, context),
        ReportOutputFormat::Junit => junit::write(report, context),
        ReportOutputFormat::Sarif => sarif::write(report, context),
    }
}
