//! Runs every rule of `validate` on its examples: bad ones are found with their exact spans, good ones and near misses
//! are not.
//!
//! `testdata/lints/<group>-<name>/` belongs to the rule `<group>/<name>` and contains files or directories `bad*`, `good*`
//! and `near*`: plain manifests, or an app if it has a `sealwave.yaml`. A marker follows each line with a finding:
//!
//! ```yaml
//! replicas: "3"
//! #~        ^^^
//! kind: Role
//! #~ 1+4
//! ```
//!
//! Carets mark columns of the line above the markers; `COLUMN+WIDTH` is used where carets are not possible (a column under
//! `#~`, an unknown width of 0). Only findings of the rule itself count. Markers are allowed in any YAML file of the example,
//! except in block scalars. Findings that cannot be marked are listed in the file `expected` of the example, one
//! `FILE LINE COLUMN+WIDTH` per line. A chart needs `SEALWAVE_TEST_HELM`. The file `args` contains flags of `validate`, one argument per line, where `@example`
//! is the directory of the example. `earlier-sealwave.yaml` is the app file at the revision of `--changed-since`, and `earlier` has the other files of then, if they differ. Today's date is 2026-01-01.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::examined;
use sealwave_secrets::settings::APP_FILE;
use sealwave_testkit::skipped;
use sealwave_validate::engine::RunSuppressions;
use sealwave_validate::{RuleInfo, rules};
use walkdir::WalkDir;

/// Names of the files of an example that are not manifests.
const ARGS: &str = "args";
const EXPECTED: &str = "expected";

/// File, line, column, width.
type Mark = (String, u32, u32, u32);

#[test]
fn every_rule_finds_exactly_the_marked_places() {
    let root = crate::support::root().join("testdata/lints");
    let mut wrong = Vec::new();
    let mut unused = directories(&root);
    for rule in rules::rules() {
        let directory = rule.id.replacen('/', "-", 1);
        if !unused.remove(&directory) {
            wrong.push(format!("{}: testdata/lints/{directory} is missing", rule.id));
            continue;
        }
        let examples = examples(&root.join(&directory));
        for kind in ["bad", "good", "near"] {
            if !examples.iter().any(|example| name(example).starts_with(kind)) {
                wrong.push(format!("{}: the example `{kind}*` is missing", rule.id));
            }
        }
        for example in examples {
            if example.join("Chart.yaml").exists() && crate::support::examined::helm().is_none() {
                skipped(&format!("SEALWAVE_TEST_HELM is not set, so {} was NOT tested", example.display()));
                continue;
            }
            let (expected, found) = (marks(&example), found_marks(rule, &example));
            let bad = name(&example).starts_with("bad");
            if bad == expected.is_empty() {
                wrong.push(format!("{}: {} has the wrong markers for its name", rule.id, example.display()));
            }
            if expected != found {
                let (missing, more) = (difference(&expected, &found), difference(&found, &expected));
                wrong.push(format!("{}\n  not found: {missing}\n  not expected: {more}", rule.id));
            }
        }
    }
    wrong.extend(unused.iter().map(|directory| format!("testdata/lints/{directory} belongs to no rule")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Formats the marks that are not among the others.
fn difference(marks: &BTreeSet<Mark>, others: &BTreeSet<Mark>) -> String {
    let shown = marks.difference(others).map(|(path, line, column, width)| {
        let path = path.strip_prefix(&*crate::support::root().to_string_lossy()).unwrap_or(path);
        format!("\n    {path}:{line} {column}+{width}")
    });
    shown.collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn directories(root: &Path) -> BTreeSet<String> {
    examples(root).iter().map(|path| name(path)).collect()
}

fn examples(directory: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs_err::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

fn files(example: &Path) -> Vec<PathBuf> {
    let all = WalkDir::new(example).sort_by_file_name().into_iter().map(|entry| entry.unwrap().into_path());
    all.filter(|path| path.is_file() && ![ARGS, EXPECTED].contains(&name(path).as_str())).collect()
}

/// Reads the markers of an example and its file `expected`.
fn marks(example: &Path) -> BTreeSet<Mark> {
    let mut marks = listed(example);
    for file in files(example) {
        let text = fs_err::read_to_string(&file).unwrap();
        let mut marked = 0;
        for (number, line) in (1..).zip(text.lines()) {
            let Some(markers) = line.strip_prefix("#~") else {
                marked = number;
                continue;
            };
            let place = |column, width| (file.display().to_string(), marked, column, width);
            let found: Vec<Mark> = markers
                .split_whitespace()
                .filter_map(|word| word.split_once('+'))
                .map(|(column, width)| place(column.parse().unwrap(), width.parse().unwrap()))
                .collect();
            if found.is_empty() {
                marks.extend(carets(line).into_iter().map(|(column, width)| place(column, width)));
            }
            marks.extend(found);
        }
    }
    marks
}

/// Reads the file `expected` of an example: `FILE LINE COLUMN+WIDTH` on each line.
fn listed(example: &Path) -> BTreeSet<Mark> {
    let path = example.join(EXPECTED);
    let text = if path.is_file() { fs_err::read_to_string(path).unwrap() } else { String::new() };
    text.lines()
        .map(|line| {
            let [file, number, place] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let (column, width) = place.split_once('+').unwrap();
            let file = example.join(file).display().to_string();
            (file, number.parse().unwrap(), column.parse().unwrap(), width.parse().unwrap())
        })
        .collect()
}

/// Returns column and width of each row of carets.
fn carets(line: &str) -> Vec<(u32, u32)> {
    let mut rows: Vec<(u32, u32)> = Vec::new();
    for (column, c) in (1..).zip(line.chars()) {
        match rows.last_mut() {
            Some((start, width)) if c == '^' && *start + *width == column => *width += 1,
            _ if c == '^' => rows.push((column, 1)),
            _ => {}
        }
    }
    rows
}

/// Returns the findings of the rule in an example.
fn found_marks(rule: &'static RuleInfo, example: &Path) -> BTreeSet<Mark> {
    let is_app = example.join(APP_FILE).is_file();
    let mut args = args(example);
    if !rule.enabled {
        args.push(format!("--rule={}={}", rule.id, rule.severity.name()));
    }
    let plan = examined::decided(&args);
    let options = examined::with_app(&plan, is_app.then_some(example));
    let run_suppressions = RunSuppressions::new(plan.ignored());
    let mut findings = if is_app {
        examined::app(example, &example.display().to_string(), &options, &run_suppressions)
    } else {
        examined::files(files(example), &options, &run_suppressions)
    };
    findings.extend(run_suppressions.findings(&options, true));
    let own = findings.into_iter().filter(|finding| finding.rule.id == rule.id);
    // A finding without a position gets a default mark, which never matches.
    own.map(|finding| {
        finding.span.map(|span| (span.place.path, span.place.line, span.place.column, span.width))
    })
    .map(Option::unwrap_or_default)
    .collect()
}

/// Reads the flags of an example.
fn args(example: &Path) -> Vec<String> {
    let path = example.join(ARGS);
    let text = if path.is_file() { fs_err::read_to_string(path).unwrap() } else { String::new() };
    text.lines().map(|arg| arg.replace("@example", &example.display().to_string())).collect()
}
