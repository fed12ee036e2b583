//! Tests of baselines.

use super::*;
use crate::report::samples::{self, REF_RULE, assert_golden, finding, object, report};

/// Names that are the paths themselves.
const AS_GIVEN: BaselineNames<'static> = BaselineNames { path: &|_| None, app: &|_| None };

/// The scope of a run over everything.
const EVERYTHING: CheckedScope<'static> = CheckedScope {
    environments: &[],
    is_checked: &|_, _| true,
    is_enabled: &|_| true,
    is_about_absence: &|id| id == samples::CONFIG_RULE.id,
};

fn known(findings: Vec<Finding>) -> Baseline {
    Baseline::from_report(&Report { findings, ..Report::default() }, &AS_GIVEN)
}

fn at(line: u32) -> Finding {
    Finding { object: Some(object("Deployment")), ..finding(&REF_RULE, "a.yaml", line, 1, 1) }
}

/// Returns the numbers of remaining, known and no longer occurring findings.
fn remaining_known_gone(baseline: &Baseline, findings: Vec<Finding>) -> (usize, usize, usize) {
    let mut report = Report { findings, ..Report::default() };
    let gone = baseline.remove_known(&mut report, &AS_GIVEN, &EVERYTHING);
    (report.findings.len(), report.in_baseline, gone)
}

fn in_environments(line: u32, names: &[&str]) -> Finding {
    let environments = names.iter().map(|name| (*name).to_owned()).collect();
    Finding { app: "shop".to_owned(), environments, ..at(line) }
}

fn environments_left(baseline: &Baseline, findings: Vec<Finding>) -> (Vec<String>, usize) {
    let mut report = Report { findings, ..Report::default() };
    baseline.remove_known(&mut report, &AS_GIVEN, &EVERYTHING);
    (report.findings.iter().map(|finding| finding.environments.join(" ")).collect(), report.in_baseline)
}

#[test]
fn a_baseline_is_read_as_it_was_written() {
    let baseline = Baseline::from_report(&report(), &AS_GIVEN);
    let json = baseline.to_json();
    assert_golden("testdata/report/baseline.json", &json);
    assert_eq!(Baseline::parse(&json).unwrap(), baseline);
    // It also has the findings that nothing else suppresses.
    let never = report().findings.iter().filter(|finding| !finding.rule.is_suppressible()).count();
    assert_eq!((never, remaining_known_gone(&baseline, report().findings)), (1, (0, baseline.len(), 0)));
    assert!(!String::from_utf8(json).unwrap().contains(samples::CANARY));
}

#[test]
fn findings_match_on_other_lines_and_new_ones_remain() {
    let baseline = known(vec![at(1)]);
    assert_eq!(remaining_known_gone(&baseline, vec![at(7)]), (0, 1, 0));
    assert_eq!(remaining_known_gone(&baseline, vec![at(7), at(8)]), (1, 1, 0));
    let other = Finding { message: "something else".to_owned(), ..at(1) };
    assert_eq!(remaining_known_gone(&baseline, vec![other]), (1, 0, 1));
    assert_eq!(remaining_known_gone(&known(vec![at(1), at(2)]), vec![at(1)]), (0, 1, 1));
    let note = BaselineNote::Gone { count: 1, file: "b.json".to_owned() };
    assert_eq!(note.to_string(), "1 finding in the baseline no longer occurs");
    assert!(note.hint().unwrap().contains("with `--write-baseline b.json`"));
}

#[test]
fn a_finding_is_new_in_other_environments() {
    let baseline = known(vec![in_environments(1, &["dev", "stage"])]);
    let left = |names: &[&str]| environments_left(&baseline, vec![in_environments(2, names)]);
    assert_eq!(left(&["dev", "stage"]), (vec![], 1));
    assert_eq!(left(&["dev"]), (vec![], 1));
    assert_eq!(left(&["dev", "prod", "stage"]), (vec!["prod".to_owned()], 0));
    assert_eq!(left(&["prod"]), (vec!["prod".to_owned()], 0));
    // A finding without environments does not match one with environments, and vice versa.
    assert_eq!(left(&[]), (vec![String::new()], 0));
    assert_eq!(environments_left(&known(vec![at(1)]), vec![at(2)]), (vec![], 1));
    let nowhere = known(vec![in_environments(1, &[])]);
    let dev = vec![in_environments(1, &["dev"])];
    assert_eq!(environments_left(&nowhere, dev), (vec!["dev".to_owned()], 0));
}

#[test]
fn identical_findings_are_counted_per_environment() {
    let both = || vec![in_environments(1, &["dev", "prod"]), in_environments(2, &["dev"])];
    let baseline = known(both());
    assert_eq!(baseline.len(), 2);
    assert_eq!(environments_left(&baseline, both()), (vec![], 2));
    let thrice = [both(), vec![in_environments(3, &["dev", "prod"])]].concat();
    assert_eq!(environments_left(&baseline, thrice), (vec!["dev prod".to_owned()], 2));
    let other = vec![in_environments(1, &["dev", "prod"]), in_environments(2, &["dev", "prod"])];
    assert_eq!(environments_left(&baseline, other), (vec!["prod".to_owned()], 1));
    let odd = known([both(), vec![in_environments(4, &[])]].concat());
    let json = odd.to_json();
    assert_eq!(Baseline::parse(&json).unwrap(), odd);
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let entries: Vec<String> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry["environments"], entry["count"]))
        .collect();
    assert_eq!(entries, [r#"["dev","prod"] 1"#, r#"["dev"] 1"#, "[] 1"]);
}

#[test]
fn a_file_without_environments_means_all_of_them() {
    let json = known(vec![in_environments(1, &["dev"]), in_environments(2, &["dev"])]).to_json();
    let mut json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert!(json["findings"][0].as_object_mut().unwrap().remove("environments").is_some());
    let baseline = Baseline::parse(json.to_string().as_bytes()).unwrap();
    assert_eq!(baseline.len(), 2);
    assert_eq!(
        remaining_known_gone(&baseline, vec![in_environments(1, &["dev", "prod"]), in_environments(2, &[])]),
        (0, 2, 0)
    );
    assert_eq!(remaining_known_gone(&baseline, vec![in_environments(1, &["prod"])]), (0, 1, 1));
    assert_eq!(Baseline::parse(&baseline.to_json()).unwrap(), baseline);
}

#[test]
fn unchecked_findings_are_not_reported_as_gone() {
    let all = vec![
        in_environments(1, &["dev", "prod"]),
        in_environments(2, &["prod"]),
        in_environments(3, &[]),
        Finding { app: "other".to_owned(), ..in_environments(4, &["dev"]) },
    ];
    let baseline = known(all);
    let gone = |environments: &[&str], only_changed: bool, findings: Vec<Finding>| {
        let environments: Vec<String> = environments.iter().map(|name| (*name).to_owned()).collect();
        let mut report = Report { findings, ..Report::default() };
        let is_checked = |app: &str, _: &str| !only_changed || app == "shop";
        let scope = CheckedScope { environments: &environments, is_checked: &is_checked, ..EVERYTHING };
        baseline.remove_known(&mut report, &AS_GIVEN, &scope)
    };
    assert_eq!(gone(&[], false, vec![]), 4);
    assert_eq!(gone(&["dev"], false, vec![]), 2);
    assert_eq!(gone(&["dev"], false, vec![in_environments(1, &["dev"])]), 1);
    assert_eq!(gone(&["prod"], false, vec![]), 2);
    assert_eq!(gone(&[], true, vec![]), 3);
    assert_eq!(gone(&["dev"], true, vec![]), 1);
}

#[test]
fn a_known_finding_still_marks_confidential_lines() {
    let secret = Finding { confidential: true, ..at(3) };
    let mut report = Report { findings: vec![secret.clone()], ..Report::default() };
    assert_eq!(known(vec![secret]).remove_known(&mut report, &AS_GIVEN, &EVERYTHING), 0);
    assert!(report.withheld.contains(&("a.yaml".to_owned(), 3)));
}

#[test]
fn other_files_are_rejected() {
    let error = |text: &str| Baseline::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error("a").to_string(), "baseline was not written by sealwave (line 1, column 1)");
    assert!(error("a").hint().unwrap().contains("--write-baseline"));
    let text = r#"{"apiVersion": "sealwave.dev/v1alpha1", "kind": "App", "findings": []}"#;
    assert_eq!(error(text).to_string(), "baseline is not a `ValidationBaseline` of `sealwave.dev/v1alpha1`");
    let text =
        r#"{"apiVersion": "sealwave.dev/v1alpha1", "kind": "ValidationBaseline", "findings": [], "x": 1}"#;
    assert!(matches!(error(text), BaselineError::Malformed { .. }));
}

#[test]
fn the_example_in_the_module_documentation_is_valid() {
    let head: String = include_str!("../baseline.rs")
        .lines()
        .skip_while(|line| *line != "//! ```json")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!"))
        .collect();
    assert_eq!(Baseline::parse(head.as_bytes()).unwrap().len(), 1);
}

#[test]
fn paths_of_old_files_become_names() {
    let json = known(vec![at(1)]).to_json();
    let mut json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json.as_object_mut().unwrap().remove("paths"), Some("repository".into()));
    let old = Baseline::parse(json.to_string().as_bytes()).unwrap();
    let names = BaselineNames { path: &|path| Some(format!("apps/{path}")), ..AS_GIVEN };
    let converted = old.with_names(&names);
    let mut report = Report { findings: vec![at(7)], ..Report::default() };
    assert_eq!(converted.remove_known(&mut report, &names, &EVERYTHING), 0);
    assert_eq!((report.findings.len(), report.in_baseline), (0, 1));
    // Names of a new file are not changed again.
    assert_eq!(Baseline::parse(&converted.to_json()).unwrap().with_names(&names), converted);
    let odd = r#"{"apiVersion": "sealwave.dev/v1alpha1", "kind": "ValidationBaseline", "paths": "home", "findings": []}"#;
    assert!(matches!(Baseline::parse(odd.as_bytes()), Err(BaselineError::Malformed { .. })));
}

#[test]
fn a_partial_run_keeps_the_rest() {
    let other = Finding { app: "other".to_owned(), ..in_environments(4, &["dev"]) };
    let earlier = known(vec![in_environments(1, &["dev", "prod"]), other.clone()]);
    let report = |findings| Report { findings, ..Report::default() };
    let is_checked = |app: &str, _: &str| app == "shop";
    let scope = CheckedScope { is_checked: &is_checked, ..EVERYTHING };
    let updated = |findings, scope: &CheckedScope<'_>| earlier.updated(&report(findings), &AS_GIVEN, scope);
    assert_eq!(updated(vec![], &scope), (known(vec![other.clone()]), 1));
    assert_eq!(updated(vec![], &EVERYTHING), (Baseline::default(), 0));
    let dev = vec!["dev".to_owned()];
    let scope = CheckedScope { environments: &dev, ..scope };
    let kept = known(vec![in_environments(1, &["prod"]), other]);
    assert_eq!(updated(vec![], &scope), (kept, 2));
    // A rule that is off finds nothing, so its findings are kept.
    let scope = CheckedScope { is_enabled: &|_| false, ..EVERYTHING };
    assert_eq!(updated(vec![], &scope).0, earlier);
}

#[test]
fn what_a_broken_input_may_hide_is_not_gone() {
    let render =
        |app: &str| Finding { app: app.to_owned(), rule: &samples::APP_RULE, ..in_environments(9, &["dev"]) };
    let absent = |app: &str| Finding {
        app: app.to_owned(),
        rule: &samples::CONFIG_RULE,
        ..in_environments(8, &["dev"])
    };
    let other = Finding { app: "other".to_owned(), ..in_environments(4, &["dev"]) };
    let baseline = known(vec![in_environments(1, &["dev"]), render("shop"), absent("other"), other]);
    let gone = |findings| remaining_known_gone(&baseline, findings).2;
    assert_eq!(gone(vec![]), 4);
    // The app does not render: only the other app's finding that needs no other objects is gone.
    assert_eq!(gone(vec![render("shop")]), 1);
}
