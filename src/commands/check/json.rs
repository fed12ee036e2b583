//! The report for programs: one object of `kind: OperatorCheck`. Fields may be added; existing fields keep their meaning
//! for as long as `apiVersion` stays the same. Unknown values are `null`.
//!
//! Each item of `results` belongs to a `part` of the operator file. Its `severity` is `ok`, `note`, `warning` or `error`.

use serde::Serialize;

use super::findings::{CheckPart, CheckReport, CheckResult};
use sealwave_core::diagnostic::{ProblemPlace, Severity};
use sealwave_secrets::settings::API_VERSION;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OperatorCheck<'a> {
    api_version: &'static str,
    kind: &'static str,
    errors: usize,
    warnings: usize,
    notes: usize,
    results: Vec<JsonResult<'a>>,
}

#[derive(Serialize)]
struct JsonResult<'a> {
    part: &'static str,
    severity: &'static str,
    message: &'a str,
    hint: Option<&'a str>,
    path: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
}

pub(super) fn write(report: &CheckReport, quiet: bool) -> Vec<u8> {
    let results = report.parts.iter().flat_map(|(part, results)| {
        let shown = results.iter().filter(|result| !quiet || matches!(result, CheckResult::Finding(..)));
        shown.map(|result| json_result(*part, result))
    });
    let check = OperatorCheck {
        api_version: API_VERSION,
        kind: "OperatorCheck",
        errors: report.count(Severity::Error),
        warnings: report.count(Severity::Warning),
        notes: report.count(Severity::Note),
        results: results.collect(),
    };
    let mut json = serde_json::to_vec_pretty(&check).expect("strings and numbers are always JSON");
    json.push(b'\n');
    json
}

fn json_result(part: CheckPart, result: &CheckResult) -> JsonResult<'_> {
    let part = part.name();
    match result {
        CheckResult::Healthy(message) => {
            JsonResult { part, severity: "ok", message, hint: None, path: None, line: None, column: None }
        }
        CheckResult::Finding(severity, problem) => {
            let place = match &problem.at {
                ProblemPlace::Place(place) => Some(place),
                ProblemPlace::Origin(_) | ProblemPlace::Unknown => None,
            };
            let number = |number: u32| Some(number).filter(|number| *number > 0);
            JsonResult {
                part,
                severity: severity.name(),
                message: &problem.message,
                hint: problem.hint.as_deref(),
                path: place.map(|place| place.path.as_str()),
                line: place.and_then(|place| number(place.line)),
                column: place.and_then(|place| number(place.column)),
            }
        }
    }
}
