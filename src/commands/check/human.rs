//! The report for people: the parts of the file, a line for each item that is fine, and findings with place and advice.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::findings::{CheckReport, CheckResult};
use sealwave_core::diagnostic::{Problem, ProblemPlace, Severity, printable};
use sealwave_core::terminal::{MarkedPlace, Message, MessageRenderer};
use sealwave_core::text::counted;

pub(super) fn write(report: &CheckReport, quiet: bool, renderer: &MessageRenderer) -> String {
    let mut out = String::new();
    let bold = Style::new().bold();
    for (part, results) in &report.parts {
        let shown: Vec<&CheckResult> =
            results.iter().filter(|result| !quiet || matches!(result, CheckResult::Finding(..))).collect();
        if shown.is_empty() {
            continue;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{bold}{}{bold:#}", part.name());
        for result in shown {
            match result {
                CheckResult::Finding(severity, problem) => {
                    let _ = writeln!(out, "{}", format_finding(renderer, *severity, problem));
                }
                CheckResult::Healthy(text) => {
                    let green = AnsiColor::Green.on_default();
                    let _ = writeln!(out, "  {green}ok{green:#}: {}", printable(text));
                }
            }
        }
        out.push('\n');
    }
    let _ = writeln!(out, "{}", summary(report));
    out
}

/// Formats a finding in the layout of all messages.
fn format_finding(renderer: &MessageRenderer, severity: Severity, problem: &Problem) -> String {
    let place = match &problem.at {
        ProblemPlace::Place(place) => Some(MarkedPlace { place, width: 0, line: None }),
        ProblemPlace::Origin(_) | ProblemPlace::Unknown => None,
    };
    renderer.render(&Message {
        severity,
        code: None,
        text: &problem.message,
        place,
        related: Vec::new(),
        notes: Vec::new(),
        help: problem.hint.as_deref(),
    })
}

/// Returns the counts, most severe first.
fn summary(report: &CheckReport) -> String {
    let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
        let count = report.count(severity);
        (count > 0).then(|| counted(count, severity.name()))
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let result = if report.count(Severity::Error) > 0 { "failed" } else { "passed" };
    if counts.is_empty() {
        format!("{result}: no findings")
    } else {
        format!("{result}: {}", counts.join(", "))
    }
}
