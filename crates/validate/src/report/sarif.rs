//! SARIF 2.1.0 output, for code scanning.
//!
//! The log always has `results`, even if empty. Results have no snippets: they never hold a source line. The
//! fingerprint of a result does not depend on its line. Paths become relative URIs.

mod log;

use super::PrintContext;
use super::json::to_vec;
use super::text::{display_file, limited_line, message_lines, object_name};
use super::uri::escaped_path;
use crate::fingerprint::fingerprints;
use crate::{Finding, Report, RuleInfo, Span};
use log::{
    ArtifactLocation, DescriptorProperties, LogicalLocation, MultiformatMessage, PhysicalLocation,
    ReportingConfiguration, ReportingDescriptor, ResultProperties, SarifLocation, SarifLog, SarifMessage,
    SarifRegion, SarifResult, SarifRun, SarifTool, ToolComponent,
};
use sealwave_core::diagnostic::{Severity, printable};

/// The address of sealwave's repository, which has the pages of the rules; empty if it has none yet.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// Returns the report as a SARIF log.
#[must_use]
pub fn write(report: &Report, context: &PrintContext<'_>) -> Vec<u8> {
    let rules = rules(&report.findings);
    let fingerprints = fingerprints(&report.findings);
    let results =
        report.findings.iter().zip(fingerprints).map(|(finding, print)| result(finding, &rules, print));
    to_vec(&SarifLog {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [SarifRun {
            tool: SarifTool {
                driver: ToolComponent {
                    name: "sealwave",
                    version: context.version,
                    information_uri: Some(REPOSITORY).filter(|address| !address.is_empty()),
                    rules: rules.iter().map(|info| rule(info)).collect(),
                },
            },
            column_kind: "unicodeCodePoints",
            results: results.collect(),
        }],
    })
}

/// Returns the rules with findings, sorted by id.
fn rules(findings: &[Finding]) -> Vec<&'static RuleInfo> {
    let mut rules: Vec<&'static RuleInfo> = findings.iter().map(|finding| finding.rule).collect();
    rules.sort_by_key(|rule| rule.id);
    rules.dedup_by_key(|rule| rule.id);
    rules
}

fn rule(info: &'static RuleInfo) -> ReportingDescriptor {
    let RuleInfo { id, summary, .. } = *info;
    let (explanation, example, remedy) = (info.explanation(), info.example(), info.remedy());
    ReportingDescriptor {
        id,
        short_description: SarifMessage { text: summary.to_owned() },
        full_description: SarifMessage { text: explanation.to_owned() },
        help: MultiformatMessage {
            text: format!("{explanation}\n\n{example}\n\n{remedy}\n\nsealwave validate --explain {id}"),
            markdown: format!(
                "{explanation}\n\n```yaml\n{example}\n```\n\n{remedy}\n\n`sealwave validate --explain {id}`"
            ),
        },
        help_uri: help_uri(REPOSITORY, info),
        default_configuration: ReportingConfiguration { enabled: info.enabled, level: level(info.severity) },
        properties: properties(info),
    }
}

/// Returns the address of a rule's page in a repository with this address.
fn help_uri(repository: &str, info: &RuleInfo) -> Option<String> {
    (!repository.is_empty()).then(|| format!("{repository}/blob/main/{}", info.page_path()))
}

fn properties(info: &'static RuleInfo) -> DescriptorProperties {
    let mut tags = vec!["kubernetes", info.group()];
    let security_severity = info.is_security().then_some(match info.severity {
        Severity::Error => "8.0",
        Severity::Warning => "5.0",
        Severity::Note => "2.0",
    });
    // GitHub reads the severity of rules with this tag only.
    tags.extend(security_severity.map(|_| "security"));
    DescriptorProperties { tags, security_severity }
}

fn result(finding: &Finding, rules: &[&'static RuleInfo], fingerprint: String) -> SarifResult {
    let id = finding.rule.id;
    SarifResult {
        rule_id: id,
        rule_index: rules.binary_search_by_key(&id, |rule| rule.id).unwrap_or_default(),
        level: level(finding.severity),
        message: message(&message_lines(finding).join("\n")),
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

/// Returns the location of a finding; without a place, the repository, as readers require a location for every result.
fn location(finding: &Finding) -> SarifLocation {
    let file = display_file(finding).unwrap_or_else(|| ".".to_owned());
    let physical = PhysicalLocation {
        artifact_location: ArtifactLocation { uri: uri(&file) },
        region: finding.span.as_ref().and_then(region),
    };
    SarifLocation { id: None, physical, logical: logical(finding), message: None }
}

/// Returns `env/namespace/Kind/name:/pointer` for each environment.
fn logical(finding: &Finding) -> Vec<LogicalLocation> {
    let Some(object) = &finding.object else { return Vec::new() };
    let path = format!("{}/{}/{}:{}", object.namespace, object.kind, object.name, finding.pointer);
    let name = printable(object_name(object));
    let plain = [String::new()];
    let environments = if finding.environments.is_empty() { &plain[..] } else { &finding.environments };
    let location = |environment: &String| {
        let full = if environment.is_empty() { path.clone() } else { format!("{environment}/{path}") };
        LogicalLocation { name: name.clone(), fully_qualified_name: printable(&full), kind: "resource" }
    };
    environments.iter().map(location).collect()
}

/// Returns the related places and the position in the rendered text.
fn related(finding: &Finding) -> Vec<SarifLocation> {
    let mut places: Vec<(&Span, String, Option<SarifRegion>)> = Vec::new();
    for related in &finding.related {
        places.push((&related.span, related.label.as_str().to_owned(), region(&related.span)));
    }
    if let Some((span, (line, column))) =
        finding.span.as_ref().and_then(|span| Some((span, span.place.rendered?)))
    {
        places.push((span, format!("rendered line {line}, column {column}"), None));
    }
    let location =
        |(index, (span, label, region)): (usize, (&Span, String, Option<SarifRegion>))| SarifLocation {
            id: Some(index + 1),
            physical: PhysicalLocation {
                artifact_location: ArtifactLocation { uri: uri(&span.place.path) },
                region,
            },
            logical: Vec::new(),
            message: Some(message(&limited_line(&label))),
        };
    places.into_iter().enumerate().map(location).collect()
}

fn region(span: &Span) -> Option<SarifRegion> {
    let positive = |number: u32| Some(number).filter(|number| *number > 0);
    let start_line = positive(span.place.line)?;
    let start_column = positive(span.place.column);
    let end_column =
        start_column.zip(positive(span.width)).map(|(column, width)| column.saturating_add(width));
    Some(SarifRegion { start_line, start_column, end_column })
}

const fn level(severity: Severity) -> &'static str {
    severity.name()
}

/// Returns a message whose text cannot become a Markdown link.
fn message(text: &str) -> SarifMessage {
    SarifMessage { text: text.replace("](", "] (") }
}

/// Returns a relative URI for a relative path, and a `file` URI for an absolute one.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    format!("{scheme}{}", escaped_path(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{self, CANARY, assert_golden};

    /// Returns the schema of the standard without a pattern that is not a valid regular expression; its field is never
    /// written.
    fn schema() -> serde_json::Value {
        let text = include_str!("../../../../testdata/report/schemas/sarif-schema-2.1.0.json");
        let mut schema: serde_json::Value = serde_json::from_str(text).unwrap();
        for definition in ["run", "toolComponent"] {
            let language = &mut schema["definitions"][definition]["properties"]["language"];
            assert!(language.as_object_mut().unwrap().remove("pattern").is_some());
        }
        schema
    }

    #[test]
    fn the_report_matches_the_standard() {
        let json = samples::print(write);
        assert_golden("testdata/report/sarif.json", &json);
        samples::assert_valid(&schema(), &json);
        let text = String::from_utf8(json).unwrap();
        assert!(!text.contains(CANARY) && !text.contains("snippet"));
    }

    #[test]
    fn a_clean_run_has_empty_results() {
        let json = samples::print_report(&Report::default(), write);
        samples::assert_valid(&schema(), &json);
        let log: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    }

    #[test]
    fn results_name_their_object_in_each_environment() {
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
    fn rules_link_their_pages_only_if_there_is_an_address() {
        let log: serde_json::Value = serde_json::from_slice(&samples::print(write)).unwrap();
        let driver = &log["runs"][0]["tool"]["driver"];
        assert_eq!(driver.get("informationUri").is_some(), !REPOSITORY.is_empty());
        let rule = &driver["rules"][0];
        assert_eq!(rule.get("helpUri").is_some(), !REPOSITORY.is_empty());
        let id = rule["id"].as_str().unwrap();
        let command = format!("sealwave validate --explain {id}");
        assert!(rule["help"]["text"].as_str().unwrap().ends_with(&command));
        let finding = &samples::report().findings[0];
        assert_eq!(help_uri("", finding.rule), None);
        let link = help_uri("https://git.example.com/a", finding.rule).unwrap();
        assert!(link.starts_with("https://git.example.com/a/blob/main/docs/rules/"), "{link}");
    }

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("./a b/ü:%.yaml"), "a%20b/%C3%BC%3A%25.yaml");
        assert_eq!(uri("/tmp/a.yaml"), "file:///tmp/a.yaml");
        assert_eq!(message("[x](http://y)").text, "[x] (http://y)");
    }
}
