//! `validate` on plain manifests: the cases of `testdata/validate`, each for one thing that must or must not be
//! reported, and the corpus of correct manifests, which must have no errors.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::support::validating::{self, Report, Tree};
use sealwave_validate::rules;
use serde::Deserialize;
use serde_json::Value;

/// The expectations of a case, described in `testdata/validate/README.md`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedReport {
    args: Vec<String>,
    exit: i32,
    findings: Vec<ExpectedFinding>,
    needs: Option<String>,
    #[serde(default)]
    notes: Vec<ExpectedFinding>,
    stdin: Option<String>,
    summary: Option<ExpectedSummary>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedFinding {
    rule: String,
    pointer: String,
    line: u64,
    file: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedSummary {
    documents: u64,
}

impl ExpectedFinding {
    fn is(&self, found: &Value) -> bool {
        found["rule"] == *self.rule
            && found["pointer"] == *self.pointer
            && found["line"] == self.line
            && self.file.as_ref().is_none_or(|file| found["path"] == **file)
    }

    fn shown(&self) -> String {
        format!("{} {} {}:{}", self.rule, self.pointer, self.file.as_deref().unwrap_or("*"), self.line)
    }
}

#[test]
fn every_case_meets_its_expectations() {
    let cases = crate::support::cases("validate/");
    assert!(cases.len() >= 130, "only {} cases", cases.len());
    let wrong: Vec<String> = cases.iter().flat_map(|case| run(case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the differences from the expectations. Runs outside this repository, which contains definitions of other
/// cases.
fn run(case: &Path) -> Vec<String> {
    let name = case.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs_err::read_to_string(case.join("expect.yaml")).unwrap();
    let heading = text.lines().next().unwrap_or_default();
    let expected: ExpectedReport =
        yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut wrong = Vec::new();
    if !heading.starts_with("# ") {
        wrong.push("the first line does not say what the case is about".to_owned());
    }
    if expected.needs.as_deref().is_some_and(|rule| rules::rule(rule).is_none()) {
        return Vec::new();
    }
    let alone = Tree::new(&[]);
    crate::support::copy_tree(case, alone.root());
    let ran = validating::run_in(alone.root(), &args(case, &expected), expected.stdin.as_deref());
    if ran.code != expected.exit {
        wrong.push(format!("exit code {} and not {}: {}", ran.code, expected.exit, ran.stderr));
    }
    if expected.exit != 2 && ran.code != 2 {
        wrong.extend(compare(&ran.report(), &expected));
    }
    wrong.into_iter().map(|what| format!("{name}: {what}")).collect()
}

fn args(case: &Path, expected: &ExpectedReport) -> Vec<String> {
    let mut args = expected.args.clone();
    if args.iter().any(|arg| arg == "-") {
        return args;
    }
    let definitions: Vec<&String> = args
        .iter()
        .zip(args.iter().skip(1))
        .filter(|(flag, _)| *flag == "--crds")
        .map(|(_, path)| path)
        .collect();
    let mut inputs: Vec<String> = fs_err::read_dir(case)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "expect.yaml" && !definitions.contains(&name))
        .collect();
    inputs.sort();
    args.extend(inputs);
    args
}

fn compare(report: &Report, expected: &ExpectedReport) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut missing: Vec<&ExpectedFinding> = expected.findings.iter().collect();
    for found in report.at("error") {
        match missing.iter().position(|expected| expected.is(found)) {
            Some(index) => drop(missing.remove(index)),
            None => wrong.push(format!("unexpected {}", validating::finding_line(found))),
        }
    }
    for note in &expected.notes {
        if !report.findings().iter().any(|found| found["severity"] != "error" && note.is(found)) {
            missing.push(note);
        }
    }
    wrong.extend(missing.iter().map(|expected| format!("missing {}", expected.shown())));
    let objects = report.summary()["lookedAt"]["objects"].as_u64().unwrap();
    if let Some(summary) = &expected.summary
        && summary.documents != objects
    {
        wrong.push(format!("{objects} documents and not {}", summary.documents));
    }
    wrong
}

const CORPUS: [&str; 3] = ["--kube-version", "1.30,1.37", "testdata/corpus"];

/// Copies the corpus out of this repository, so that other files here have no effect.
fn corpus() -> Tree {
    let tree = Tree::new(&[]);
    crate::support::copy_tree(
        &crate::support::root().join("testdata/corpus"),
        &tree.root().join("testdata/corpus"),
    );
    tree
}

/// `testdata/corpus/README.md` explains why each of these is correct.
#[test]
fn the_corpus_has_no_error_and_only_known_warnings() {
    let report = corpus().report(&CORPUS);
    let errors: Vec<String> = report.at("error").map(validating::finding_line).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert!(report.summary()["lookedAt"]["objects"].as_u64().unwrap() > 450);
    let mut lines: Vec<String> = report.at("warning").map(validating::finding_line).collect();
    lines.sort();
    let mut notes: BTreeMap<&str, usize> = BTreeMap::new();
    for note in report.at("note") {
        *notes.entry(note["rule"].as_str().unwrap()).or_default() += 1;
    }
    let mut text = String::from("# warnings: rule, pointer, file and line\n");
    for line in lines {
        writeln!(text, "{line}").unwrap();
    }
    text.push_str("# notes: rule and count\n");
    for (rule, count) in notes {
        writeln!(text, "{rule} {count}").unwrap();
    }
    crate::support::golden::check_file(
        &crate::support::root().join("testdata/corpus/expected-warnings.txt"),
        &text,
    );
}

#[test]
fn every_project_of_the_corpus_alone_has_no_error() {
    let mut wrong = Vec::new();
    let corpus = corpus();
    for project in crate::support::cases("corpus/") {
        let path = project.strip_prefix(crate::support::root()).unwrap().to_str().unwrap();
        let args = ["--crds", "testdata/corpus", "--kube-version", "1.30,1.37", path];
        let report = corpus.report(&args);
        wrong.extend(report.at("error").map(validating::finding_line));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
