//! GitHub Actions output: annotations as workflow commands in the log, and the step summary as Markdown.
//!
//! A runner executes every log line that starts with `::` and every `##[` within a line. So text from a repository is
//! one line, never starts a line, and contains neither command escapes nor that prefix.

mod markdown;

pub use markdown::summary;

use std::fmt::Write as _;

use super::PrintContext;
use super::text::{display_file, message_lines};
use crate::counts::quantity;
use crate::{Finding, Report};
use sealwave_core::diagnostic::Severity;
use sealwave_core::diagnostic::printable;

/// GitHub shows at most this many annotations of each kind per step.
const MAX_ANNOTATIONS: usize = 10;

/// Returns the log of a step: annotations, then a folded group of the other findings, then the counts.
#[must_use]
pub fn write(report: &Report, _: &PrintContext<'_>) -> Vec<u8> {
    let mut out = String::new();
    let mut rest: Vec<&Finding> = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let mut findings = report.findings.iter().filter(|finding| finding.severity == severity);
        for finding in findings.by_ref().take(MAX_ANNOTATIONS) {
            annotation(&mut out, finding);
        }
        rest.extend(findings);
    }
    if !rest.is_empty() {
        let _ = writeln!(out, "::group::{} without a GitHub annotation", quantity(rest.len(), "finding"));
        for finding in rest {
            line(&mut out, finding);
        }
        out.push_str("::endgroup::\n");
    }
    let _ = writeln!(out, "sealwave: {}", report.count_summary());
    out.into_bytes()
}

fn annotation(out: &mut String, finding: &Finding) {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Note => "notice",
        Severity::Warning => "warning",
    };
    let _ = write!(out, "::{command} ");
    if let Some(file) = display_file(finding) {
        let _ = write!(out, "file={},", escape_property(&file));
    }
    if let Some(span) = finding.span.as_ref().filter(|span| span.place.line > 0) {
        let (line, column) = (span.place.line, span.place.column);
        let _ = write!(out, "line={line},endLine={line},");
        if column > 0 {
            let _ = write!(out, "col={column},");
            if span.width > 0 {
                let _ = write!(out, "endColumn={},", column.saturating_add(span.width));
            }
        }
    }
    let text: Vec<String> = message_lines(finding).iter().map(|line| escape_data(line)).collect();
    let _ = writeln!(out, "title={}::{}", escape_property(finding.rule.id), text.join("%0A"));
}

/// Writes a finding as text; it starts with a fixed word, so a runner cannot take it for a command.
fn line(out: &mut String, finding: &Finding) {
    let Finding { severity, rule, span, .. } = finding;
    let place = span.as_ref().map(|span| format!("{}: ", span.place)).unwrap_or_default();
    let text =
        printable(format!("{}[{}]: {place}{}", severity.name(), rule.id, message_lines(finding).join("; ")));
    out.push_str(&text);
    out.push('\n');
}

/// Escapes the value of a command.
fn escape_data(text: &str) -> String {
    printable(text).replace('%', "%25")
}

/// Escapes the value of a command property.
fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{self, CANARY, assert_golden, finding};

    fn log(report: &Report) -> String {
        String::from_utf8(samples::print_report(report, write)).unwrap()
    }

    fn many() -> Report {
        let mut report = samples::report();
        let one = finding(&samples::REF_RULE, "::error::x.yaml", 3, 0, 0);
        report.findings.extend((0..30).map(|_| one.clone()));
        let hostile = report.findings[0].clone();
        report.findings.extend((0..30).map(|_| hostile.clone()));
        report
    }

    #[test]
    fn the_whole_report() {
        assert_golden("testdata/report/github.txt", log(&samples::report()).as_bytes());
        assert!(!log(&samples::report()).contains(CANARY));
    }

    #[test]
    fn ten_annotations_of_each_kind_and_the_rest_in_the_log() {
        let log = log(&many());
        let count = |start: &str| log.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!((count("::error "), count("::warning "), count("::notice ")), (10, 10, 2));
        assert_eq!(count("error[") + count("warning["), 73 - 22);
        assert!(log.contains("\n::group::51 findings without a GitHub annotation\n"));
    }

    #[test]
    fn repository_text_is_never_a_command() {
        for line in log(&many()).lines() {
            let (command, is_ours) = (line.trim_start().starts_with("::"), line.starts_with("::"));
            assert_eq!(command, is_ours);
            if is_ours {
                let name = line.trim_start_matches(':').split([' ', ':']).next().unwrap();
                assert!(["error", "warning", "notice", "group", "endgroup"].contains(&name), "{line}");
            } else {
                assert!(!line.contains("##["), "{line}");
            }
        }
    }

    #[test]
    fn values_are_escaped_as_the_runner_reads_them() {
        assert_eq!(escape_data("100%\r\n::error::,"), "100%25\\r\\n::error::,");
        assert_eq!(escape_property("a:b,c%"), "a%3Ab%2Cc%25");
    }
}
