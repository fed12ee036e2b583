//! `JUnit` output: a suite for each environment of an app or each plain manifest file, with a case for each object that
//! has findings, or one passing case.
//!
//! Findings that do not fail the run are output of a passing case. A case has the file of its first finding, which GitLab
//! links. There are no times: the same input gives the same bytes.

mod xml;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use xml::escaped;

use super::PrintContext;
use super::text::{display_file, limited_line, message_lines, object_name};
use crate::counts::quantity;
use crate::{Finding, Report};

/// The most cases of a suite.
const MAX_CASES: usize = 1000;
/// The most findings listed in a case.
const MAX_FINDINGS: usize = 50;

/// Findings by object, or by source if they have no object.
type SuiteCases<'a> = BTreeMap<String, Vec<&'a Finding>>;

/// Returns the report as an XML document.
#[must_use]
pub fn write(report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    let suites = suites(report);
    let fails = |finding: &Finding| context.fail_on.is_some_and(|least| finding.severity >= least);
    let all = SuiteTotals::count(suites.values(), &fails);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"sealwave validate\" {all}>");
    for (name, cases) in &suites {
        suite(&mut out, name, cases, &fails);
    }
    out.push_str("</testsuites>\n");
    out.into_bytes()
}

/// Returns a suite for every checked environment and every file that has findings.
fn suites(report: &Report) -> BTreeMap<String, SuiteCases<'_>> {
    let mut suites: BTreeMap<String, SuiteCases<'_>> = BTreeMap::new();
    for app in &report.apps {
        for environment in &app.environments {
            suites.entry(suite_name(&app.app, environment)).or_default();
        }
    }
    for finding in &report.findings {
        let case = case_name(finding);
        let mut add =
            |suite: String| suites.entry(suite).or_default().entry(case.clone()).or_default().push(finding);
        match (&finding.environments[..], display_file(finding)) {
            ([], path) if finding.app.is_empty() => {
                add(limited_line(&path.unwrap_or_else(|| "manifests".to_owned())));
            }
            ([], _) => add(limited_line(&finding.app)),
            (environments, _) => environments.iter().for_each(|name| add(suite_name(&finding.app, name))),
        }
    }
    if suites.is_empty() {
        suites.entry("manifests".to_owned()).or_default();
    }
    suites
}

fn suite_name(app: &str, environment: &str) -> String {
    limited_line(&if app.is_empty() { environment.to_owned() } else { format!("{app} ({environment})") })
}

fn case_name(finding: &Finding) -> String {
    let name = finding.object.as_ref().map(object_name).or_else(|| display_file(finding));
    limited_line(&name.unwrap_or_else(|| "environment".to_owned()))
}

fn suite(out: &mut String, name: &str, cases: &SuiteCases<'_>, fails: &impl Fn(&Finding) -> bool) {
    let totals = SuiteTotals::count(std::iter::once(cases), fails);
    let name = escaped(name);
    let _ = writeln!(out, "  <testsuite name=\"{name}\" {totals}>");
    if cases.is_empty() {
        let _ = writeln!(out, "    <testcase classname=\"{name}\" name=\"all rules\"/>");
    }
    for (object, findings) in cases.iter().take(MAX_CASES) {
        let file = findings.iter().find_map(|finding| display_file(finding));
        let file =
            file.map(|file| format!(" file=\"{}\"", escaped(&limited_line(&file)))).unwrap_or_default();
        let _ = writeln!(out, "    <testcase classname=\"{name}\" name=\"{}\"{file}>", escaped(object));
        case(out, findings, fails);
        out.push_str("    </testcase>\n");
    }
    if let Some(left_out) = cases.len().checked_sub(MAX_CASES).filter(|count| *count > 0) {
        let text = format!("findings of {} not shown", quantity(left_out, "more object"));
        let _ = writeln!(out, "    <system-out>{text}</system-out>");
    }
    out.push_str("  </testsuite>\n");
}

/// Writes at most one failure, as some readers do not support several.
fn case(out: &mut String, findings: &[&Finding], fails: &impl Fn(&Finding) -> bool) {
    let (failing, passing): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| fails(finding));
    if let Some(first) = failing.first() {
        let message = match failing.len() {
            1 => limited_line(&first.message),
            count => format!("{} (and {} more)", limited_line(&first.message), count - 1),
        };
        let (kind, message) = (escaped(first.rule.id), escaped(&message));
        let _ = writeln!(
            out,
            "      <failure type=\"{kind}\" message=\"{message}\">{}</failure>",
            finding_list(&failing)
        );
    }
    if !passing.is_empty() {
        let _ = writeln!(out, "      <system-out>{}</system-out>", finding_list(&passing));
    }
}

fn finding_list(findings: &[&Finding]) -> String {
    let mut out = String::new();
    for finding in findings.iter().take(MAX_FINDINGS) {
        let Finding { severity, rule, span, .. } = finding;
        let place = span.as_ref().map(|span| format!("{}: ", span.place)).unwrap_or_default();
        let text = format!("{}[{}]: {place}{}", severity.name(), rule.id, message_lines(finding).join("; "));
        out.push_str(&escaped(&text));
        out.push('\n');
    }
    if let Some(left_out) = findings.len().checked_sub(MAX_FINDINGS).filter(|count| *count > 0) {
        let _ = writeln!(out, "and {left_out} more");
    }
    out
}

/// The counts of one suite or of all suites.
struct SuiteTotals {
    tests: usize,
    failures: usize,
}

impl SuiteTotals {
    fn count<'a, 'b: 'a>(
        suites: impl Iterator<Item = &'a SuiteCases<'b>>,
        fails: &impl Fn(&Finding) -> bool,
    ) -> Self {
        let mut totals = Self { tests: 0, failures: 0 };
        for cases in suites {
            totals.tests += cases.len().clamp(1, MAX_CASES);
            let failing = |findings: &&Vec<&Finding>| findings.iter().any(|finding| fails(finding));
            totals.failures += cases.values().take(MAX_CASES).filter(failing).count();
        }
        totals
    }
}

impl std::fmt::Display for SuiteTotals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tests=\"{}\" failures=\"{}\" errors=\"0\"", self.tests, self.failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{self, CANARY, assert_golden, finding, object};

    fn xml(report: &Report) -> String {
        String::from_utf8(samples::print_report(report, write)).unwrap()
    }

    #[test]
    fn the_whole_report() {
        let xml = xml(&samples::report());
        assert_golden("testdata/report/junit.xml", xml.as_bytes());
        assert!(!xml.contains(CANARY));
        xml::assert_well_formed(&xml);
    }

    #[test]
    fn a_clean_run_passes() {
        let clean = Report { findings: Vec::new(), ..samples::report() };
        let text = xml(&clean);
        assert!(text.contains(r#"tests="3" failures="0""#), "{text}");
        assert!(text.contains(r#"<testcase classname="apps/shop (dev)" name="all rules"/>"#), "{text}");
        assert!(xml(&Report::default()).contains(r#"<testcase classname="manifests" name="all rules"/>"#));
    }

    #[test]
    fn findings_that_do_not_fail_the_run_are_output() {
        let warning =
            Finding { object: Some(object("Pod")), ..finding(&samples::CONFIG_RULE, "a.yaml", 1, 1, 1) };
        let text = xml(&Report { findings: vec![warning], ..Report::default() });
        assert!(text.contains(r#"<testsuite name="a.yaml" tests="1" failures="0" errors="0">"#), "{text}");
        assert!(text.contains("<system-out>warning[config/env-duplicate]: a.yaml:1:1: "), "{text}");
    }

    #[test]
    fn many_findings_are_truncated() {
        let one = finding(&samples::REF_RULE, "a.yaml", 1, 1, 1);
        let many = (0..3000).map(|number| {
            let object = crate::ObjectRef { name: format!("o{number:04}"), ..object("Pod") };
            Finding { object: Some(object), ..one.clone() }
        });
        let text = xml(&Report { findings: many.collect(), ..Report::default() });
        assert_eq!(text.matches("<testcase").count(), MAX_CASES);
        assert!(text.contains("findings of 2000 more objects not shown"));
        let same = xml(&Report { findings: vec![one; 3000], ..Report::default() });
        assert_eq!(same.matches("error[").count(), MAX_FINDINGS);
        assert!(same.contains("and 2950 more\n"));
    }
}
