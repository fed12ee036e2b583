//! The step summary: counts by rule and by environment, and the first findings.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::PrintContext;
use crate::{Finding, Report};
use sealwave_core::diagnostic::Severity;
use sealwave_core::diagnostic::printable;
use sealwave_core::text::ellipsize;

/// The most findings listed; GitHub accepts one mebibyte.
const MAX_FINDINGS: usize = 50;
/// The most rows in the table of environments.
const MAX_ENVIRONMENTS: usize = 100;
/// The most characters in a cell.
const MAX_CELL: usize = 300;

/// Returns the summary as Markdown; names from a repository are escaped to plain text.
#[must_use]
pub fn summary(report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    let verdict = if report.fails(context.fail_on) { "failed" } else { "passed" };
    let mut out = format!("### sealwave validate {verdict}: {}\n", report.count_summary());
    if !report.findings.is_empty() {
        rules(&mut out, &report.findings);
        environments(&mut out, &report.findings);
        findings(&mut out, &report.findings);
    }
    out.into_bytes()
}

fn rules(out: &mut String, findings: &[Finding]) {
    let mut rows: BTreeMap<(Reverse<Severity>, &str), (usize, &str)> = BTreeMap::new();
    for finding in findings {
        rows.entry((Reverse(finding.severity), finding.rule.id)).or_insert((0, finding.rule.summary)).0 += 1;
    }
    out.push_str("\n| severity | rule | findings | |\n|---|---|--:|---|\n");
    for ((severity, id), (count, summary)) in rows {
        let _ = writeln!(out, "| {} | `{id}` | {count} | {} |", severity.0.name(), cell(summary));
    }
}

fn environments(out: &mut String, findings: &[Finding]) {
    let mut rows: BTreeMap<(&str, &str), BTreeMap<Severity, usize>> = BTreeMap::new();
    for finding in findings {
        for environment in &finding.environments {
            let row = rows.entry((&finding.app, environment)).or_default();
            *row.entry(finding.severity).or_default() += 1;
        }
    }
    if rows.is_empty() {
        return;
    }
    out.push_str("\n| app | environment | errors | warnings | notes |\n|---|---|--:|--:|--:|\n");
    for ((app, environment), counts) in rows.iter().take(MAX_ENVIRONMENTS) {
        let count = |severity| counts.get(&severity).copied().unwrap_or(0);
        let (errors, warnings, notes) =
            (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
        let _ = writeln!(out, "| {} | {} | {errors} | {warnings} | {notes} |", cell(app), cell(environment));
    }
    more(out, rows.len(), MAX_ENVIRONMENTS);
}

/// Lists the findings by descending severity, otherwise in the order of the report.
fn findings(out: &mut String, findings: &[Finding]) {
    out.push_str("\n| place | rule | message |\n|---|---|---|\n");
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| Reverse(finding.severity));
    for finding in sorted.into_iter().take(MAX_FINDINGS) {
        let place = match &finding.span {
            Some(span) if span.place.line > 0 => format!("{}:{}", span.place.path, span.place.line),
            Some(span) => span.place.path.clone(),
            None => finding.app.clone(),
        };
        let _ = writeln!(out, "| {} | `{}` | {} |", cell(&place), finding.rule.id, cell(&finding.message));
    }
    more(out, findings.len(), MAX_FINDINGS);
}

fn more(out: &mut String, count: usize, shown: usize) {
    if count > shown {
        let _ = writeln!(out, "\nand {} more", count - shown);
    }
}

/// Returns the text of a table cell, with all Markdown and HTML syntax escaped.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in ellipsize(printable(text), MAX_CELL).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '-' | '.' | '/' | ',' | ' ' => out.push(c),
            // Prevents automatic links and mentions.
            ':' => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            c if c.is_ascii_punctuation() => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{self, CANARY, assert_golden};

    #[test]
    fn the_whole_report() {
        let text = samples::print(summary);
        assert_golden("testdata/report/github-summary.md", &text);
        assert!(!String::from_utf8(text).unwrap().contains(CANARY));
    }

    #[test]
    fn cells_are_plain_text() {
        assert_eq!(cell("a|b`c`[x](http://y)\n<b>@me"), r"a\|b\`c\`\[x\]\(http&#58;//y\)\\n&lt;b&gt;&#64;me");
        assert!(cell(&"x".repeat(1000)).chars().count() <= MAX_CELL + 1);
    }

    #[test]
    fn a_summary_of_many_findings_is_short() {
        let mut report = samples::report();
        report.findings = vec![report.findings[0].clone(); 10_000];
        let text = String::from_utf8(samples::print_report(&report, summary)).unwrap();
        assert!(text.len() < 1 << 20);
        assert!(text.ends_with("\nand 9950 more\n"));
    }
}
