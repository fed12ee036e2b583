//! Messages for mistakes that people make who know Helm or Kustomize: each directory of `testdata/newcomer` changes the
//! good app in `base/` in one way, and has the messages that its author sees.
//!
//! `testdata/newcomer/README.md` describes a case and lists all of them. `SEALWAVE_UPDATE_GOLDEN=1 cargo test --test
//! integration newcomer::` rewrites the list and the expected messages.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sealwave_testkit::check_file;
use serde::Deserialize;
use tempfile::TempDir;

use crate::support::{MARKER, copy_tree, find_marker, root, sealwave};

/// The commands of a case that names none.
const COMMANDS: [&str; 2] = ["validate app", "render app --env dev"];
const CASE_FILE: &str = "case.yaml";
const EXPECTED_FILE: &str = "expected.txt";
/// Number of cases that run at the same time.
const THREADS: usize = 4;

/// A mistake, as the file `case.yaml` describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Case {
    mistake: String,
    /// The rating of the messages before anyone improved them, from 1 to 5.
    before: Option<u8>,
    now: u8,
    /// The reason that no command reports the mistake.
    silent: Option<String>,
    /// The reason that an error names no place.
    no_place: Option<String>,
    #[serde(default)]
    delete: Vec<String>,
    #[serde(default)]
    rename: BTreeMap<String, String>,
    #[serde(default)]
    edits: Vec<Edit>,
    commands: Option<Vec<String>>,
}

/// The replacement of a text that a file has once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    from: String,
    to: String,
}

/// The result of a command.
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

fn directory() -> PathBuf {
    root().join("testdata/newcomer")
}

/// Returns the name of each case with its description, in the order of their numbers.
fn cases() -> Vec<(String, Case)> {
    let names = crate::support::cases("newcomer/").into_iter().filter(|path| !path.ends_with("base"));
    let mut cases: Vec<_> = names
        .map(|path| {
            let text = fs_err::read_to_string(path.join(CASE_FILE)).unwrap();
            let case =
                yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_name().unwrap().to_str().unwrap().to_owned(), case)
        })
        .collect();
    cases.sort_by_key(|(name, _)| number(name));
    cases
}

/// Returns the number with which a case's name starts.
fn number(name: &str) -> usize {
    name.split_once('-').unwrap().0.parse().unwrap()
}

/// Copies the good app, and makes the mistake of a case in the copy.
fn app_with_mistake(name: &str, case: &Case) -> TempDir {
    let dir = TempDir::new().unwrap();
    copy_tree(&directory().join("base"), dir.path());
    copy_tree(&directory().join(name), dir.path());
    fs_err::remove_file(dir.path().join(CASE_FILE)).unwrap();
    let _ = fs_err::remove_file(dir.path().join(EXPECTED_FILE));
    for edit in &case.edits {
        let path = dir.path().join(&edit.file);
        let text = fs_err::read_to_string(&path).unwrap();
        assert_eq!(text.matches(&edit.from).count(), 1, "{name}: `{}` in {}", edit.from, edit.file);
        fs_err::write(&path, text.replace(&edit.from, &edit.to)).unwrap();
    }
    for (from, to) in &case.rename {
        let to = dir.path().join(to);
        fs_err::create_dir_all(to.parent().unwrap()).unwrap();
        fs_err::rename(dir.path().join(from), to).unwrap();
    }
    for path in case.delete.iter().map(|path| dir.path().join(path)) {
        if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) }.unwrap();
    }
    dir
}

fn run(dir: &Path, command: &str) -> Run {
    let output = sealwave().current_dir(dir).args(command.split(' ')).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Run { code: output.status.code().unwrap(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// Returns the lines of a text that differ from another text, from the first to the last one.
fn differing_lines(good: &str, found: &str) -> String {
    let (mut good, mut found): (Vec<_>, Vec<_>) = (good.lines().collect(), found.lines().collect());
    for _ in 0..2 {
        let same = good.iter().zip(&found).take_while(|(good, found)| good == found).count();
        good.drain(..same);
        found.drain(..same);
        good.reverse();
        found.reverse();
    }
    let removed = good.iter().map(|line| format!("- {line}\n"));
    removed.chain(found.iter().map(|line| format!("+ {line}\n"))).collect()
}

/// Formats what a command printed. Manifests appear as the difference from those of the good app.
fn transcript(command: &str, run: &Run, good: &Path) -> String {
    let mut text = format!("$ sealwave {command}\n{}", run.stderr);
    if run.code == 0 && (command.starts_with("render ") || command.starts_with("generate ")) {
        let difference = differing_lines(&self::run(good, command).stdout, &run.stdout);
        let difference =
            if difference.is_empty() { "(output as without the mistake)\n".to_owned() } else { difference };
        text.push_str(&difference);
    } else {
        text.push_str(&run.stdout);
    }
    text + &format!("(exit code {})\n", run.code)
}

/// Returns the headlines of errors that are followed by no place.
fn errors_without_place(text: &str) -> Vec<String> {
    let starts = |line: &str, word: &str| {
        line.starts_with(&format!("{word}[")) || line.starts_with(&format!("{word}: "))
    };
    let mut without = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        if ["error", "warning", "note"].iter().any(|word| starts(line, word)) {
            without.extend(open.take());
            open = starts(line, "error").then(|| line.to_owned());
        } else if line.trim_start().starts_with("--> ") {
            open = None;
        }
    }
    without.extend(open);
    without
}

/// Runs a case, compares its messages with the expected ones, and returns what is wrong with them.
fn check(name: &str, case: &Case) -> Vec<String> {
    let dir = app_with_mistake(name, case);
    let good = directory().join("base");
    let commands = case.commands.clone().unwrap_or_else(|| COMMANDS.map(str::to_owned).into());
    let runs: Vec<_> = commands.iter().map(|command| (command, run(dir.path(), command))).collect();
    let text =
        runs.iter().map(|(command, run)| transcript(command, run, &good)).collect::<Vec<_>>().join("\n");
    let text = text.replace(dir.path().to_str().unwrap(), "/checkout");

    let mut wrong = Vec::new();
    let mut fail = |what: String| wrong.push(format!("{name}: {what}"));
    if !runs.iter().all(|(_, run)| (0..=2).contains(&run.code))
        || text.contains("internal error")
        || text.contains("panicked")
    {
        fail(format!("a command crashed\n{text}"));
    }
    if find_marker(text.as_bytes(), MARKER).is_some() {
        fail("a message has a secret value".to_owned());
    }
    let placeless = errors_without_place(&text);
    if placeless.is_empty() != case.no_place.is_none() {
        fail(format!("errors without a place are {placeless:?}; `no-place` must say why, if there are any"));
    }
    let is_silent = runs.iter().all(|(_, run)| run.code == 0 && !run.stdout.starts_with(['e', 'w', 'n']));
    if is_silent != case.silent.is_some() {
        fail(format!("the commands {} the mistake", if is_silent { "do not report" } else { "report" }));
    }
    if !(1..=5).contains(&case.now) || case.before.is_some_and(|rating| !(1..=5).contains(&rating)) {
        fail("ratings are from 1 to 5".to_owned());
    }
    if std::panic::catch_unwind(|| check_file(&directory().join(name).join(EXPECTED_FILE), &text)).is_err() {
        fail(format!("{EXPECTED_FILE} differs; the messages are\n{text}"));
    }
    wrong
}

#[test]
fn the_good_app_has_no_findings() {
    for command in [
        "validate app",
        "validate app --operator operator/operator.yaml --project shop --namespace shop",
        "render app --env dev",
        "generate app --env prod --operator operator/operator.yaml --project shop --namespace shop",
    ] {
        let run = run(&directory().join("base"), command);
        assert_eq!(run.code, 0, "`{command}`: {}{}", run.stdout, run.stderr);
        assert!(
            !run.stdout.contains("error") && !run.stdout.contains("warning"),
            "`{command}`: {}",
            run.stdout
        );
    }
}

#[test]
fn each_mistake_gives_its_messages() {
    let cases = cases();
    assert!(cases.len() >= 84, "only {} cases", cases.len());
    let chunk = cases.len().div_ceil(THREADS);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = cases
            .chunks(chunk)
            .map(|cases| {
                scope.spawn(move || {
                    cases.iter().flat_map(|(name, case)| check(name, case)).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn the_numbers_of_cases_are_unique_and_without_gaps() {
    let numbers: Vec<usize> = cases().iter().map(|(name, _)| number(name)).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len()), "{numbers:?}");
}

/// The description of a case, before the list of all cases.
const HEAD: &str = "\
# newcomer

Mistakes that people make who start with sealwave and know Helm or Kustomize. Each case changes the good app in `base/` in one way, and `expected.txt` has the messages. `SEALWAVE_UPDATE_GOLDEN=1 cargo test --test integration newcomer::` rewrites the messages and this page.

## A case
Files beside `case.yaml` are added to the app, or replace its files. `case.yaml` has these keys:

| key | |
|---|---|
| `mistake` | the mistake, in one line |
| `before`, `now` | the rating of the messages, when the mistake was first tried and now: 5 is clear, has the place, and says what to do; 1 is useless or missing |
| `edits` | texts of the app's files to replace: `file`, `from`, `to` |
| `rename`, `delete` | files and directories |
| `commands` | the commands to run; by default `validate app` and `render app --env dev` |
| `silent` | why no command reports the mistake |
| `no-place` | why an error names no place |

Manifests appear in `expected.txt` as the difference from those of the good app. Secret values contain `CANARY`, which no message may have.

";

#[test]
fn the_list_of_cases_is_complete() {
    let mut page = HEAD.to_owned();
    let mut table = String::from("| | mistake | before | now |\n|---|---|---|---|\n");
    let mut ratings = BTreeMap::<u8, usize>::new();
    for (name, case) in cases() {
        *ratings.entry(case.now).or_default() += 1;
        let number = number(&name);
        let before = case.before.map_or_else(|| "–".to_owned(), |rating| rating.to_string());
        let silent = case.silent.map(|why| format!(" (silent: {why})")).unwrap_or_default();
        let mistake = (case.mistake + &silent).replace('|', "\\|");
        writeln!(table, "| [{number}]({name}/{EXPECTED_FILE}) | {mistake} | {before} | {} |", case.now)
            .unwrap();
    }
    let ratings: Vec<String> =
        ratings.iter().rev().map(|(rating, count)| format!("{count} × {rating}")).collect();
    writeln!(page, "## All cases\nRatings now: {}.\n\n{table}", ratings.join(", ")).unwrap();
    check_file(&directory().join("README.md"), &(page.trim_end().to_owned() + "\n"));
}

#[test]
fn an_error_without_a_place_is_found() {
    assert!(
        errors_without_place("error: a\n  --> x:1:2\n\nerror[r/r]: b\n  --> y:1:1\nwarning: c\n").is_empty()
    );
    assert_eq!(errors_without_place("error: a\nnote: b\n  --> x:1:2\n"), ["error: a"]);
    assert_eq!(errors_without_place("error[r/r]: a\nfailed: 1 error\n"), ["error[r/r]: a"]);
}

#[test]
fn the_difference_of_manifests_is_shown() {
    assert_eq!(differing_lines("a\nb\nc\n", "a\nx\ny\nc\n"), "- b\n+ x\n+ y\n");
    assert_eq!(differing_lines("a\n", "a\n"), "");
    assert_eq!(differing_lines("a\na\n", "a\na\na\n"), "+ a\n");
}
