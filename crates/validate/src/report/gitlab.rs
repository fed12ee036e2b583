//! GitLab output: a Code Quality report in JSON.

use serde::Serialize;

use super::PrintContext;
use super::json::to_vec;
use super::text::{display_file, message_lines};
use crate::fingerprint::fingerprints;
use crate::{Finding, Report};
use sealwave_core::diagnostic::Severity;

#[derive(Serialize)]
struct CodeQualityIssue<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: IssueLocation,
}

#[derive(Serialize)]
struct IssueLocation {
    path: String,
    lines: IssueLines,
}

#[derive(Serialize)]
struct IssueLines {
    begin: u32,
}

/// Returns the report as an array of issues, empty if there are no findings.
#[must_use]
pub fn write(report: &Report, _: &PrintContext<'_>) -> Vec<u8> {
    let fingerprints = fingerprints(&report.findings);
    let issues: Vec<CodeQualityIssue<'_>> =
        report.findings.iter().zip(fingerprints).map(|(finding, print)| issue(finding, print)).collect();
    to_vec(&issues)
}

fn issue(finding: &Finding, fingerprint: String) -> CodeQualityIssue<'_> {
    CodeQualityIssue {
        description: message_lines(finding).join("; "),
        check_name: finding.rule.id,
        fingerprint,
        severity: match finding.severity {
            Severity::Error => "major",
            Severity::Note => "info",
            Severity::Warning => "minor",
        },
        location: IssueLocation {
            path: display_file(finding).unwrap_or_else(|| ".".to_owned()),
            // GitLab requires a line for every issue.
            lines: IssueLines { begin: finding.span.as_ref().map_or(1, |span| span.place.line.max(1)) },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{self, CANARY, assert_golden};

    #[test]
    fn the_whole_report() {
        let json = samples::print(write);
        assert_golden("testdata/report/gitlab.json", &json);
        assert!(!String::from_utf8(json).unwrap().contains(CANARY));
    }

    #[test]
    fn a_clean_run_is_an_empty_array() {
        assert_eq!(samples::print_report(&Report::default(), write), b"[]\n");
    }
}
