//! SARIF 2.1.0, for code scanning.
//!
//! Results are never left out, even where there are none. Snippets are: a result never holds a line of a source. A result is
//! known again by what it is about, not by its line. Paths become relative URIs.

mod log;

use log::{
    Artifact, Configuration, Driver, Location, Log, LogicalLocation, Markdown, Message, PhysicalLocation,
    Properties, Region, ResultProperties, Rule, Run, SarifResult, Tool,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::PrintContext;
use super::json::to_vec;
use super::text::{file, object_name, one_line, said, shown};
use crate::fingerprint::fingerprints;
use crate::{Finding, Report, RuleInfo, Span};
use sealwave_core::diagnostic::Severity;

/// What may stand in a path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The report as one SARIF log.
#[must_use]
pub fn write(report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    let rules = rules(&report.findings);
    let fingerprints = fingerprints(&report.findings);
    let results =
        report.findings.iter().zip(fingerprints).map(|(finding, print)| result(finding, &rules, print));
    to_vec(&Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "sealwave",
                    version: context.version,
                    rules: rules.iter().map(|info| rule(info)).collect(),
                },
            },
            column_kind: "unicodeCodePoints",
            results: results.collect(),
        }],
    })
}

/// The rules that found something, by their ids.
fn rules(findings: &[Finding]) -> Vec<&'static RuleInfo> {
    let mut rules: Vec<&'static RuleInfo> = findings.iter().map(|finding| finding.rule).collect();
    rules.sort_by_key(|rule| rule.id);
    rules.dedup_by_key(|rule| rule.id);
    rules
}

fn rule(info: &'static RuleInfo) -> Rule {
    let RuleInfo { id, summary, .. } = *info;
    let (explanation, example, remedy) = (info.explanation(), info.example(), info.remedy());
    Rule {
        id,
        short_description: Message { text: summary.to_owned() },
        full_description: Message { text: explanation.to_owned() },
        help: Markdown {
            text: format!("{explanation}\n\n{example}\n\n{remedy}"),
            markdown: format!("{explanation}\n\n```yaml\n{example}\n```\n\n{remedy}"),
        },
        default_configuration: Configuration { enabled: info.enabled, level: level(info.severity) },
        properties: Properties { tags: vec!["kubernetes", id.split('/').next().unwrap_or(id)] },
    }
}

fn result(finding: &Finding, rules: &[&'static RuleInfo], fingerprint: String) -> SarifResult {
    let id = finding.rule.id;
    SarifResult {
        rule_id: id,
        rule_index: rules.binary_search_by_key(&id, |rule| rule.id).unwrap_or_default(),
        level: level(finding.severity),
        message: message(&said(finding).join("\n")),
        locations: [location(finding)].into(),
        related_locations: related(finding),
        partial_fingerprints: [("sealwave/v1", fingerprint)].into(),
        properties: ResultProperties {
            app: finding.app.clone(),
            environments: finding.environments.clone(),
            pointer: finding.pointer.clone(),
        },
    }
}

/// Readers want one of every result: the repository, where nothing better is known.
fn location(finding: &Finding) -> Location {
    let file = file(finding).unwrap_or_else(|| ".".to_owned());
    let physical = PhysicalLocation {
        artifact_location: Artifact { uri: uri(&file) },
        region: finding.span.as_ref().and_then(region),
    };
    Location { id: None, physical, logical: logical(finding), message: None }
}

/// `env/namespace/Kind/name:/pointer`, for each environment.
fn logical(finding: &Finding) -> Vec<LogicalLocation> {
    let Some(object) = &finding.object else { return Vec::new() };
    let path = format!("{}/{}/{}:{}", object.namespace, object.kind, object.name, finding.pointer);
    let name = one_line(&object_name(object));
    let plain = [String::new()];
    let environments = if finding.environments.is_empty() { &plain[..] } else { &finding.environments };
    let location = |environment: &String| {
        let full = if environment.is_empty() { path.clone() } else { format!("{environment}/{path}") };
        LogicalLocation { name: name.clone(), fully_qualified_name: one_line(&full), kind: "resource" }
    };
    environments.iter().map(location).collect()
}

/// Other places, and where the rendered text has it.
fn related(finding: &Finding) -> Vec<Location> {
    let mut places: Vec<(&Span, String, Option<Region>)> = Vec::new();
    for related in &finding.related {
        places.push((&related.span, related.label.clone(), region(&related.span)));
    }
    if let Some((span, (line, column))) =
        finding.span.as_ref().and_then(|span| Some((span, span.place.rendered?)))
    {
        places.push((span, format!("rendered line {line}, column {column}"), None));
    }
    let location = |(index, (span, label, region)): (usize, (&Span, String, Option<Region>))| Location {
        id: Some(index + 1),
        physical: PhysicalLocation { artifact_location: Artifact { uri: uri(&span.place.path) }, region },
        logical: Vec::new(),
        message: Some(message(&shown(&label))),
    };
    places.into_iter().enumerate().map(location).collect()
}

fn region(span: &Span) -> Option<Region> {
    let known = |number: u32| Some(number).filter(|number| *number > 0);
    let start_line = known(span.place.line)?;
    let start_column = known(span.place.column);
    let end_column = start_column.zip(known(span.width)).map(|(column, width)| column.saturating_add(width));
    Some(Region { start_line, start_column, end_column })
}

const fn level(severity: Severity) -> &'static str {
    severity.name()
}

/// A message whose text makes no link.
fn message(text: &str) -> Message {
    Message { text: text.replace("](", "] (") }
}

/// A relative path as a relative URI, an absolute one as that of a file.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    format!("{scheme}{}", utf8_percent_encode(path, PATH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{self, CANARY, assert_golden};

    /// The standard's schema, without one pattern that is no regular expression (of a field that is never written).
    fn schema() -> serde_json::Value {
        let text = include_str!("../../../../testdata/report/schemas/sarif-schema-2.1.0.json");
        let mut schema: serde_json::Value = serde_json::from_str(text).unwrap();
        for of in ["run", "toolComponent"] {
            let language = &mut schema["definitions"][of]["properties"]["language"];
            assert!(language.as_object_mut().unwrap().remove("pattern").is_some());
        }
        schema
    }

    #[test]
    fn the_whole_report_is_what_the_standard_wants() {
        let json = samples::print(write);
        assert_golden("testdata/report/sarif.json", &json);
        samples::assert_valid(&schema(), &json);
        let text = String::from_utf8(json).unwrap();
        assert!(!text.contains(CANARY) && !text.contains("snippet"));
    }

    #[test]
    fn a_clean_run_has_results_that_are_none() {
        let json = samples::print_report(&Report::default(), write);
        samples::assert_valid(&schema(), &json);
        let log: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    }

    #[test]
    fn a_result_leads_to_its_object_in_each_environment() {
        let log: serde_json::Value = serde_json::from_slice(&samples::print(write)).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        let dangling = results.iter().find(|result| result["ruleId"] == "ref/dangling-secret").unwrap();
        assert_eq!(
            dangling["locations"][0]["logicalLocations"][0]["fullyQualifiedName"],
            "prod/shop/Deployment/web:/spec/template/spec/imagePullSecrets/0"
        );
        assert_eq!(dangling["relatedLocations"][1]["message"]["text"], "rendered line 9, column 11");
        let rule = format!("/runs/0/tool/driver/rules/{}/id", dangling["ruleIndex"]);
        assert_eq!(log.pointer(&rule).unwrap(), "ref/dangling-secret");
    }

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("./a b/ü:%.yaml"), "a%20b/%C3%BC%3A%25.yaml");
        assert_eq!(uri("/tmp/a.yaml"), "file:///tmp/a.yaml");
        assert_eq!(message("[x](http://y)").text, "[x] (http://y)");
    }
}
