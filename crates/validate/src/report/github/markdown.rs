//! The step summary: the first findings with links to their lines, then counts by environment and by rule.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::PrintContext;
use super::super::uri::escaped_path;
use crate::counts::quantity;
use crate::{Finding, Report, Span};
use sealwave_core::diagnostic::{Severity, printable};
use sealwave_core::document::SourceLocation;
use sealwave_core::text::ellipsize;

/// The most findings listed; GitHub accepts one mebibyte.
const MAX_FINDINGS: usize = 50;
/// The most rows in the table of environments.
const MAX_ENVIRONMENTS: usize = 100;
/// The most characters in a cell.
const MAX_CELL: usize = 300;

/// Returns the summary as Markdown; names from a repository are escaped to plain text. With `files`, the address of the
/// repository's files at the checked commit, places are links.
#[must_use]
pub fn summary(report: &Report, context: &PrintContext<'_>, files: Option<&str>) -> Vec<u8> {
    let verdict = if report.fails(context.fail_on) { "failed" } else { "passed" };
    let mut out = format!("### sealwave validate {verdict}: {}\n", report.count_summary());
    if !report.findings.is_empty() {
        findings(&mut out, &report.findings, files);
        environments(&mut out, &report.findings);
        rules(&mut out, &report.findings);
    }
    if report.held_back > 0 {
        let count = quantity(report.held_back, "finding");
        let _ = writeln!(out, "\n{count} held back, as what does not render may be the cause");
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
fn findings(out: &mut String, findings: &[Finding], files: Option<&str>) {
    out.push_str("\n| | place | rule | message |\n|---|---|---|---|\n");
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| Reverse(finding.severity));
    for finding in sorted.into_iter().take(MAX_FINDINGS) {
        let (severity, place) = (finding.severity.name(), place(finding, files));
        let _ =
            writeln!(out, "| {severity} | {place} | `{}` | {} |", finding.rule.id, cell(&finding.message));
    }
    more(out, findings.len(), MAX_FINDINGS);
}

/// Returns the place of a finding, as a link if it is a file of the repository.
fn place(finding: &Finding, files: Option<&str>) -> String {
    let Some(Span { place: SourceLocation { path, line, .. }, .. }) = &finding.span else {
        return cell(&finding.app);
    };
    let text = cell(&if *line > 0 { format!("{path}:{line}") } else { path.clone() });
    let is_in_repository = |path: &str| !path.starts_with(['/', '<']) && !path.starts_with("../");
    match files.filter(|_| is_in_repository(path)) {
        Some(files) if *line > 0 => format!("[{text}]({files}/{}#L{line})", escaped_path(path)),
        Some(files) => format!("[{text}]({files}/{})", escaped_path(path)),
        None => text,
    }
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

    const FILES: Option<&str> = Some("https://github.example/shop/deploy/blob/0a1b");

    #[test]
    fn the_whole_report() {
        let text = samples::print(|report, context| summary(report, context, FILES));
        assert_golden("testdata/report/github-summary.md", &text);
        assert!(!String::from_utf8(text).unwrap().contains(CANARY));
    }

    #[test]
    fn cells_are_plain_text() {
        assert_eq!(cell("a|b`c`[x](http://y)\n<b>@me"), r"a\|b\`c\`\[x\]\(http&#58;//y\)\\n&lt;b&gt;&#64;me");
        assert!(cell(&"x".repeat(1000)).chars().count() <= MAX_CELL + 1);
    }

    #[test]
    fn places_in_the_repository_are_links() {
        let at = |path: &str| place(&samples::finding(&samples::REF_RULE, path, 3, 1, 1), FILES);
        assert_eq!(
            at("a b/c|](x).yaml"),
            r"[a b/c\|\]\(x\).yaml&#58;3](https://github.example/shop/deploy/blob/0a1b/a%20b/c%7C%5D%28x%29.yaml#L3)"
        );
        for outside in ["<stdin>", "/tmp/a.yaml", "../a.yaml"] {
            assert!(!at(outside).contains("]("), "{outside}");
        }
    }

    #[test]
    fn a_summary_of_many_findings_is_short() {
        let mut report = samples::report();
        report.findings = vec![report.findings[0].clone(); 10_000];
        let text = String::from_utf8(samples::print_report(&report, |report, context| {
            summary(report, context, None)
        }))
        .unwrap();
        assert!(text.len() < 1 << 20);
        assert!(text.contains("\nand 9950 more\n"));
    }
}
