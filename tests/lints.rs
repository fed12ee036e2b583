//! Every rule of `validate` over its examples: what is bad is found with its exact span, what is good is not, and what is
//! nearly bad is not either.
//!
//! `testdata/lints/<group>-<name>/` belongs to the rule `<group>/<name>` and holds files or directories `bad*`, `good*` and
//! `near*`: plain manifests, or an app where there is a `sealwave.yaml`. Below a line with a finding stands a marker:
//!
//! ```yaml
//! replicas: "3"
//! #~        ^^^
//! kind: Role
//! #~ 1+4
//! ```
//!
//! Carets mark the columns of the line above the markers; `COLUMN+WIDTH` does the same where carets cannot (a column under
//! `#~`, an unknown width of 0). Only findings of the rule itself count. A marker line may stand in any file of the example
//! that is YAML, and never in a block scalar.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sealwave::diagnostic::Finding;
use sealwave::lints;
use sealwave::pipeline::{self, Checking, Examination, PlainInput, RenderContext, SchemaSet, Standing};
use sealwave::schema::KubeVersion;
use walkdir::WalkDir;

/// File, line, column, width.
type Mark = (String, u32, u32, u32);

#[test]
fn every_rule_finds_what_is_bad_and_nothing_else() {
    let root = support::root().join("testdata/lints");
    let mut wrong = Vec::new();
    let mut unused = directories(&root);
    for rule in lints::rules().filter(|rule| !from_a_stage(rule.id)) {
        let directory = rule.id.replacen('/', "-", 1);
        if !unused.remove(&directory) {
            wrong.push(format!("{}: testdata/lints/{directory} is missing", rule.id));
            continue;
        }
        let examples = examples(&root.join(&directory));
        for kind in ["bad", "good", "near"] {
            if !examples.iter().any(|example| name(example).starts_with(kind)) {
                wrong.push(format!("{}: there is no example `{kind}*`", rule.id));
            }
        }
        for example in examples {
            let (expected, found) = (marks(&example), found(rule.id, &example));
            let bad = name(&example).starts_with("bad");
            if bad == expected.is_empty() {
                wrong.push(format!("{}: {} has the wrong markers for its name", rule.id, example.display()));
            }
            if expected != found {
                wrong.push(format!(
                    "{}: {}\n  expected {expected:?}\n  found    {found:?}",
                    rule.id,
                    example.display()
                ));
            }
        }
    }
    wrong.extend(unused.iter().map(|directory| format!("testdata/lints/{directory} belongs to no rule")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rules that stages report have tests of their own.
fn from_a_stage(id: &str) -> bool {
    ["app/", "schema/", "suppression/", "yaml/duplicate-key", "yaml/syntax"]
        .iter()
        .any(|prefix| id.starts_with(prefix))
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
    all.filter(|path| path.is_file()).collect()
}

/// What the markers of an example say.
fn marks(example: &Path) -> BTreeSet<Mark> {
    let mut marks = BTreeSet::new();
    for file in files(example) {
        let text = fs_err::read_to_string(&file).unwrap();
        let mut marked = 0;
        for (number, line) in (1..).zip(text.lines()) {
            let Some(said) = line.strip_prefix("#~") else {
                marked = number;
                continue;
            };
            let place = |column, width| (file.display().to_string(), marked, column, width);
            let found: Vec<Mark> = said
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

/// Column and width of each row of carets.
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

/// What the rule finds in an example.
fn found(rule: &str, example: &Path) -> BTreeSet<Mark> {
    let mut checking = Checking::default();
    if rule.starts_with("api/") {
        checking.schemas =
            SchemaSet::new(&[KubeVersion::OLDEST, KubeVersion::NEWEST], std::iter::empty()).into();
    }
    checking.levels.insert(rule.to_owned(), lints::rule(rule).map(|rule| rule.severity));
    let app = example.join("sealwave.yaml");
    let findings = if app.is_file() { of_app(example, &checking) } else { of_files(example, &checking) };
    let own = findings.into_iter().filter(|finding| finding.rule.id == rule);
    own.map(|finding| {
        let span = finding.span.expect("a place");
        (span.place.path, span.place.line, span.place.column, span.width)
    })
    .collect()
}

fn of_app(example: &Path, checking: &Checking) -> Vec<Finding> {
    let discovery = pipeline::discover(example, None).unwrap();
    let context = |environment: &str| RenderContext {
        environment: environment.to_owned(),
        app: "example".to_owned(),
        cluster: environment.to_owned(),
        ..RenderContext::default()
    };
    let examinations: Vec<Examination<'_>> = discovery
        .environments()
        .map(|name| Examination { context: context(name), default_provider: None })
        .collect();
    let examined = pipeline::examine(&discovery, &examinations, example.display().to_string());
    pipeline::validate(&examined, checking, &Standing::default()).findings
}

fn of_files(example: &Path, checking: &Checking) -> Vec<Finding> {
    let input = |path: PathBuf| PlainInput {
        name: path.display().to_string(),
        open: Box::new(move || Ok(Box::new(fs_err::File::open(path)?))),
    };
    let inputs = files(example).into_iter().map(input).collect();
    pipeline::validate_plain(inputs, checking, &Standing::default()).unwrap().verdict.findings
}
