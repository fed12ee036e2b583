//! Every row of scenario 2's checklist (`testdata/scenario-2-rotation/checklist.md`): the command that answers it, run on a copy of
//! the scenario, or the tests that show it where a real cluster or account is needed.

mod desk;
mod rows;

use crate::support::root;
use desk::Desk;
use rows::ROWS;

/// The way in which a row is shown.
enum Proof {
    /// This runs the command, and checks its output.
    Run(fn(&Desk)),
    /// These tests, each with its file, `::` and the name of its function.
    Tests(&'static [&'static str]),
}

/// Returns the rows of the page: number, item, and answer.
fn page_rows() -> Vec<[String; 3]> {
    let page = fs_err::read_to_string(root().join("testdata/scenario-2-rotation/checklist.md")).unwrap();
    let cells = |line: &str| -> [String; 3] {
        let cells: Vec<String> =
            line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        cells.try_into().unwrap_or_else(|_| panic!("{line} has not three cells"))
    };
    page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| row")).map(cells).collect()
}

#[test]
fn every_row_is_answered() {
    let desk = Desk::new();
    let rows = page_rows();
    assert_eq!(rows.len(), ROWS.len());
    for ([name, _, answer], (known, proof)) in rows.iter().zip(&ROWS) {
        assert_eq!(name, known);
        assert!(!answer.is_empty(), "{name}");
        match proof {
            Proof::Run(check) => {
                assert!(answer.contains("`sealwave "), "{name} names no command");
                check(&desk);
            }
            Proof::Tests(tests) => tests.iter().for_each(|test| require_test(name, test)),
        }
    }
    let run = ROWS.iter().filter(|(_, proof)| matches!(proof, Proof::Run(_))).count();
    assert!(ROWS.len() == 41 && run >= 25, "{run} of {} rows are run", ROWS.len());
}

/// Checks that a test exists.
fn require_test(row: &str, test: &str) {
    let (file, function) = test.split_once("::").expect("a file and a function");
    let source =
        fs_err::read_to_string(root().join(file)).unwrap_or_else(|_| panic!("{row}: {file} is missing"));
    assert!(source.contains(&format!("fn {function}(")), "{row}: {file} has no `{function}`");
}
