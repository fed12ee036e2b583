use proptest::prelude::*;

use super::*;
use crate::report::samples::{self, CANARY, assert_golden};

fn plain(report: &Report) -> String {
    let styled = samples::print_report(report, write);
    anstream::adapter::strip_str(str::from_utf8(&styled).unwrap()).to_string()
}

#[test]
fn the_whole_report() {
    let styled = samples::print(write);
    assert_golden("testdata/report/human.txt", plain(&samples::report()).as_bytes());
    assert_golden("testdata/report/human.ansi", &styled);
}

#[test]
fn confidential_lines_are_not_shown() {
    assert!(!plain(&samples::report()).contains(CANARY));
}

#[test]
fn only_styles_control_the_terminal() {
    for c in plain(&samples::report()).chars() {
        assert!(c == '\n' || !sealwave_core::diagnostic::is_deceptive(c), "{c:?}");
    }
}

#[test]
fn a_clean_run_is_one_line() {
    let report = Report { findings: Vec::new(), suppressed: 0, in_baseline: 0, ..samples::report() };
    assert_eq!(plain(&report), "passed: no findings in 42 objects of 3 environments\n");
}

#[test]
fn warnings_alone_pass() {
    let mut report = samples::report();
    report.findings.retain(|finding| finding.severity == Severity::Warning);
    report.findings.truncate(1);
    assert!(plain(&report).ends_with(
        "\n\npassed: 1 warning in 42 objects of 3 environments; 2 suppressed; 1 in the baseline\n"
    ));
}

proptest! {
    #[test]
    fn any_span_of_any_line_is_shown(
        line in "[ -~\tä日\u{300}\u{1f600}\u{1b}\u{202e}\r]{0,200}",
        column in prop_oneof![0..250_u32, Just(u32::MAX)],
        width in prop_oneof![0..250_u32, Just(u32::MAX)],
        number in prop_oneof![Just(1_u32), Just(u32::MAX)],
    ) {
        let finding = Finding {
            object: Some(samples::object("Pod")),
            ..samples::finding(&samples::REF_RULE, "-", number, column, width)
        };
        let report = Report { findings: vec![finding], ..Report::default() };
        let mut excerpts = crate::report::Excerpts::new(|_| None);
        excerpts.preload("-", line);
        let context = PrintContext {
            version: "0",
            fail_on: None,
            excerpts: &excerpts,
            looks_like_credential: &|_, _| false,
            width: None,
            quiet: false,
        };
        let styled = String::from_utf8(write(&report, &context)).unwrap();
        let text = anstream::adapter::strip_str(&styled).to_string();
        prop_assert!(text.starts_with("error[ref/dangling-secret]: "));
        prop_assert!(text.chars().all(|c| c == '\n' || !sealwave_core::diagnostic::is_deceptive(c)));
    }
}
