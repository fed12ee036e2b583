//! JSON output: an object of `kind: ValidationReport`, described by `docs/reference/validation-report.schema.json`.
//!
//! Fields may be added; existing fields keep their meaning for one `apiVersion`. Unknown values are `null`. Lines and
//! columns count from 1; columns and widths are in characters. Source lines are never included.

mod escaped;

pub use escaped::to_vec;

use serde::Serialize;

use super::PrintContext;
use crate::{Finding, ObjectRef, RelatedPlace, Report};
use sealwave_core::diagnostic::Severity;
use sealwave_core::document::SourceLocation;
use sealwave_secrets::settings::API_VERSION;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ValidationReport<'a> {
    api_version: &'static str,
    kind: &'static str,
    /// The version of sealwave.
    version: &'a str,
    summary: JsonSummary,
    findings: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonSummary {
    /// Whether the findings fail the run.
    failed: bool,
    errors: usize,
    warnings: usize,
    notes: usize,
    suppressed: usize,
    known: usize,
    held_back: usize,
    looked_at: JsonLookedAt,
}

#[derive(Serialize)]
struct JsonLookedAt {
    apps: usize,
    environments: usize,
    files: usize,
    objects: usize,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'a str,
    severity: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
    #[serde(flatten)]
    span: JsonSpan<'a>,
    related: Vec<JsonRelated<'a>>,
    object: Option<JsonObject<'a>>,
    pointer: &'a str,
    app: Option<&'a str>,
    environments: &'a [String],
    confidential: bool,
}

#[derive(Default, Serialize)]
struct JsonSpan<'a> {
    path: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    width: Option<u32>,
    rendered: Option<JsonRendered>,
}

#[derive(Serialize)]
struct JsonRendered {
    line: u32,
    column: Option<u32>,
}

#[derive(Serialize)]
struct JsonRelated<'a> {
    label: &'a str,
    #[serde(flatten)]
    span: JsonSpan<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonObject<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
}

/// Returns the report as a JSON document.
#[must_use]
pub fn write(report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    let looked = report.checked;
    to_vec(&ValidationReport {
        api_version: API_VERSION,
        kind: "ValidationReport",
        version: context.version,
        summary: JsonSummary {
            failed: report.fails(context.fail_on),
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            notes: report.count(Severity::Note),
            suppressed: report.suppressed,
            known: report.in_baseline,
            held_back: report.held_back,
            looked_at: JsonLookedAt {
                apps: looked.apps,
                environments: looked.environments,
                files: looked.files,
                objects: looked.objects,
            },
        },
        findings: report.findings.iter().map(finding).collect(),
    })
}

fn finding(finding: &Finding) -> JsonFinding<'_> {
    JsonFinding {
        rule: finding.rule.id,
        severity: finding.severity.name(),
        message: &finding.message,
        hint: finding.hint.as_deref(),
        span: finding.span.as_ref().map(|span| place(&span.place, span.width)).unwrap_or_default(),
        related: finding.related.iter().map(related).collect(),
        object: finding.object.as_ref().map(object),
        pointer: &finding.pointer,
        app: non_empty(&finding.app),
        environments: &finding.environments,
        confidential: finding.confidential,
    }
}

fn related(related: &RelatedPlace) -> JsonRelated<'_> {
    JsonRelated { label: related.label.as_str(), span: place(&related.span.place, related.span.width) }
}

fn place(place: &SourceLocation, width: u32) -> JsonSpan<'_> {
    JsonSpan {
        path: Some(&place.path),
        line: non_zero(place.line),
        column: non_zero(place.column),
        width: non_zero(width),
        rendered: place.rendered.map(|(line, column)| JsonRendered { line, column: non_zero(column) }),
    }
}

fn object(object: &ObjectRef) -> JsonObject<'_> {
    JsonObject {
        api_version: &object.api_version,
        kind: &object.kind,
        namespace: non_empty(&object.namespace),
        name: non_empty(&object.name),
    }
}

fn non_zero(number: u32) -> Option<u32> {
    Some(number).filter(|number| *number > 0)
}

fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{self, CANARY, assert_golden};

    #[test]
    fn the_report_matches_its_schema() {
        let json = samples::print(write);
        assert_golden("testdata/report/report.json", &json);
        let schema = include_str!("../../../../docs/reference/validation-report.schema.json");
        let schema = serde_json::from_str(schema).unwrap();
        samples::assert_valid(&schema, &json);
        samples::assert_valid(&schema, &samples::print_report(&Report::default(), write));
    }

    #[test]
    fn the_report_has_no_control_characters_or_secrets() {
        let json = String::from_utf8(samples::print(write)).unwrap();
        assert!(!json.contains(CANARY));
        assert!(json.chars().all(|c| c == '\n' || !sealwave_core::diagnostic::is_deceptive(c)));
    }

    #[test]
    fn hostile_text_is_unchanged_after_parsing() {
        let json: serde_json::Value = serde_json::from_slice(&samples::print(write)).unwrap();
        let hints: Vec<&str> = json["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|finding| finding["hint"].as_str())
            .collect();
        assert!(hints.contains(&samples::HOSTILE));
    }
}
