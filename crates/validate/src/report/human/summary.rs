//! The counts by rule and by environment, and the result of the run.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::counts::quantity;
use crate::{Finding, Report};
use sealwave_core::diagnostic::{Severity, first_on_line};
use sealwave_core::document::SourceLocation;
use sealwave_core::text::ellipsize;

/// The most rows of a table.
const MAX_ROWS: usize = 40;
/// With at most this many findings, there are no tables, and errors are not listed again.
const FEW_FINDINGS: usize = 10;
/// Longer names do not widen a column.
const MAX_COLUMN: usize = 40;

/// Writes tables if there are many findings, and one line with the result.
pub(super) fn write(out: &mut String, report: &Report, fail_on: Option<Severity>, width: Option<usize>) {
    if report.findings.len() > FEW_FINDINGS {
        rules(out, &report.findings, width);
        environments(out, &report.findings);
        list_errors(out, &report.findings);
    }
    write_result(out, report, fail_on);
}

fn rules(out: &mut String, findings: &[Finding], width: Option<usize>) {
    let mut rows: BTreeMap<(Reverse<Severity>, &str), (usize, &str)> = BTreeMap::new();
    for finding in findings {
        let row =
            rows.entry((Reverse(finding.severity), finding.rule.id)).or_insert((0, finding.rule.summary));
        row.0 += 1;
    }
    let id_width = rows.keys().map(|(_, id)| id.len()).max().unwrap_or(0);
    let count_width = rows.values().map(|(count, _)| count.to_string().len()).max().unwrap_or(0);
    // Indentation, severity, and two spaces before each other column.
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(16 + id_width + count_width));
    heading(out, "by rule");
    for ((severity, id), (count, summary)) in rows {
        let style = style(severity.0);
        let name = severity.0.name();
        let summary = ellipsize(summary.to_owned(), room);
        let _ = writeln!(out, "  {style}{name:7}{style:#}  {id:id_width$}  {count:>count_width$}  {summary}");
    }
    out.push('\n');
}

/// The numbers of errors, warnings and notes of an environment.
type SeverityCounts = [usize; 3];

fn environments(out: &mut String, findings: &[Finding]) {
    let mut rows: BTreeMap<(&str, &str), SeverityCounts> = BTreeMap::new();
    for finding in findings {
        for environment in &finding.environments {
            let row = rows.entry((&finding.app, environment)).or_default();
            match finding.severity {
                Severity::Error => row[0] += 1,
                Severity::Warning => row[1] += 1,
                Severity::Note => row[2] += 1,
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    let left_out = rows.len().saturating_sub(MAX_ROWS);
    let rows: Vec<(String, String, SeverityCounts)> = rows
        .into_iter()
        .take(MAX_ROWS)
        .map(|((app, environment), counts)| (first_on_line(app), first_on_line(environment), counts))
        .collect();
    let width = |column: fn(&(String, String, SeverityCounts)) -> &str| {
        rows.iter()
            .map(|row| column(row).chars().count())
            .filter(|width| *width <= MAX_COLUMN)
            .max()
            .unwrap_or(0)
    };
    let (app_width, name_width) = (width(|row| &row.0), width(|row| &row.1));
    heading(out, "by environment");
    for (app, name, counts) in &rows {
        let _ = writeln!(out, "  {app:app_width$}  {name:name_width$}  {}", count_text(*counts));
    }
    if left_out > 0 {
        let _ = writeln!(out, "  and {left_out} more");
    }
    out.push('\n');
}

/// Lists the errors again: among many findings they are far apart.
fn list_errors(out: &mut String, findings: &[Finding]) {
    let errors: Vec<&Finding> =
        findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    if errors.is_empty() || errors.len() == findings.len() {
        return;
    }
    heading(out, "errors");
    let style = style(Severity::Error);
    for finding in errors.iter().take(MAX_ROWS) {
        let place = finding.span.as_ref().map(|span| SourceLocation { rendered: None, ..span.place.clone() });
        let place = place.map_or_else(|| finding.app.clone(), |place| place.to_string());
        let _ = writeln!(out, "  {}  {style}{}{style:#}", first_on_line(&place), finding.rule.id);
    }
    if let Some(left_out) = errors.len().checked_sub(MAX_ROWS).filter(|count| *count > 0) {
        let _ = writeln!(out, "  and {left_out} more");
    }
    out.push('\n');
}

fn count_text(counts: SeverityCounts) -> String {
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let parts =
        severities.into_iter().zip(counts).filter(|(_, count)| *count > 0).map(|(severity, count)| {
            let style = style(severity);
            format!("{style}{}{style:#}", quantity(count, severity.name()))
        });
    parts.collect::<Vec<_>>().join(", ")
}

/// Writes the line with the result.
pub(super) fn write_result(out: &mut String, report: &Report, fail_on: Option<Severity>) {
    let (word, color) = match report.findings.iter().map(|finding| finding.severity).max() {
        _ if report.fails(fail_on) => ("failed", AnsiColor::Red),
        // With `--fail-on never`, the run does not fail, but nothing passed either.
        Some(Severity::Error) => ("found", AnsiColor::Yellow),
        _ => ("passed", AnsiColor::Green),
    };
    let style = color.on_default().bold();
    let checked = report.checked;
    let places = match (checked.environments, checked.files) {
        (0, 0) if checked.apps > 0 => quantity(checked.apps, "app"),
        (0, files) => quantity(files, "file"),
        (environments, 0) => quantity(environments, "environment"),
        (environments, files) => {
            format!("{} and {}", quantity(environments, "environment"), quantity(files, "file"))
        }
    };
    let objects = quantity(checked.objects, "object");
    let _ = write!(out, "{style}{word}{style:#}: {} in {objects} of {places}", report.count_summary());
    let left_out = [
        (report.suppressed, "suppressed"),
        (report.in_baseline, "in the baseline"),
        (report.held_back, "held back, as what does not render may be the cause"),
    ];
    for (count, label) in left_out {
        if count > 0 {
            let _ = write!(out, "; {count} {label}");
        }
    }
    out.push('\n');
}

fn heading(out: &mut String, text: &str) {
    let bold = Style::new().bold();
    let _ = writeln!(out, "{bold}{text}{bold:#}");
}

const fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => AnsiColor::BrightRed.on_default().bold(),
        Severity::Note => AnsiColor::BrightGreen.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
    }
}
