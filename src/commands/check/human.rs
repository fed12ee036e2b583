//! The report for people: the parts of the file, a line for each item that is fine, and findings with place and advice.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::findings::{CheckReport, CheckResult};
use sealwave_core::diagnostic::{Problem, ProblemPlace, Severity, printable};

pub(super) fn write(report: &CheckReport, quiet: bool) -> String {
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
                CheckResult::Finding(severity, problem) => finding(&mut out, *severity, problem),
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

fn finding(out: &mut String, severity: Severity, problem: &Problem) {
    let color = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Note => AnsiColor::Cyan,
        Severity::Warning => AnsiColor::Yellow,
    };
    let (style, bold) = (color.on_default().bold(), Style::new().bold());
    let _ = writeln!(out, "  {style}{}{style:#}: {}", severity.name(), printable(&problem.message));
    if let ProblemPlace::Place(place) = &problem.at {
        let _ = writeln!(out, "    {bold}-->{bold:#} {}", printable(place));
    }
    if let Some(hint) = &problem.hint {
        let _ = writeln!(out, "    {bold}help{bold:#}: {}", printable(hint));
    }
}

/// Returns the counts, most severe first.
fn summary(report: &CheckReport) -> String {
    let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
        let count = report.count(severity);
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {}{plural}", severity.name()))
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let result = if report.count(Severity::Error) > 0 { "failed" } else { "passed" };
    if counts.is_empty() {
        format!("{result}: no findings")
    } else {
        format!("{result}: {}", counts.join(", "))
    }
}
