use super::*;
use crate::document::SourceLocation;
use crate::excerpts::{Excerpts, SecretSigns, ShownLine};

const PLACE: SourceLocation = SourceLocation { path: String::new(), line: 5, column: 7, rendered: None };
const HELP: &str =
    "write `{{#if (eq environment \"prod\")}}` with brackets around the helper and its arguments";

fn message(text: &str) -> Message<'_> {
    Message {
        severity: Severity::Error,
        code: Some("group/long-rule-name"),
        text,
        place: None,
        related: Vec::new(),
        notes: Vec::new(),
        help: None,
    }
}

/// Returns the text without styles.
fn plain(width: Option<usize>, message: &Message<'_>) -> String {
    anstream::adapter::strip_str(&MessageRenderer::new(width).render(message)).to_string()
}

fn shown_line(text: &str) -> Option<ShownLine> {
    let signs = SecretSigns { in_line: |_, _| false, in_text: |_| false };
    let mut excerpts = Excerpts::new(signs, |_| None);
    excerpts.preload("-", text.to_owned());
    excerpts.line_of_text("-", 1)
}

#[test]
fn texts_wrap_between_words_at_each_width() {
    let place = SourceLocation { path: "base/web.yaml.hbs".to_owned(), ..PLACE };
    let text = "`#if` has 3 arguments, so that the block would be left out in all environments of the app";
    let message = Message {
        place: Some(MarkedPlace { place: &place, width: 0, line: None }),
        notes: vec![("object", "Deployment shop/web, /spec/template/spec/containers/0/image".to_owned())],
        help: Some(HELP),
        ..message(text)
    };
    for width in [10, 40, 60, 80, 100, 120, 300] {
        let printed = plain(Some(width), &message);
        for line in printed.lines() {
            let is_single = line.trim().trim_start_matches("= help: ").split(' ').count() == 1;
            let is_code = line.contains("`{{#if");
            let most = width.clamp(MIN_WIDTH, MAX_WIDTH);
            assert!(line.chars().count() <= most || is_single || is_code, "{width}: {line}");
        }
        let words: Vec<&str> = printed.split_whitespace().collect();
        assert!(words.join(" ").contains(HELP), "{width}: {printed}");
        assert!(words.join(" ").contains(text), "{width}: {printed}");
    }
    assert_eq!(
        plain(Some(60), &message),
        "error[group/long-rule-name]: `#if` has 3 arguments, so that\n    \
         the block would be left out in all environments of the\n    \
         app\n  \
         --> base/web.yaml.hbs:5:7\n   \
         = object: Deployment shop/web,\n             \
         /spec/template/spec/containers/0/image\n   \
         = help: write `{{#if (eq environment \"prod\")}}` with\n           \
         brackets around the helper and its arguments"
    );
    assert_eq!(plain(None, &message).lines().count(), 4, "one line for each text");
}

#[test]
fn a_source_line_is_marked() {
    let place = SourceLocation { path: "a.yaml".to_owned(), ..PLACE };
    let line = shown_line("a: {b: [c}");
    let marked = MarkedPlace { place: &place, width: 3, line };
    let message = Message {
        code: None,
        severity: Severity::Warning,
        place: Some(marked),
        help: Some("close it"),
        ..message("it is open")
    };
    assert_eq!(
        plain(Some(80), &message),
        "warning: it is open\n --> a.yaml:5:7\n  |\n5 | a: {b: [c}\n  |       ^^^\n  |\n  = help: close it"
    );
}

#[test]
fn a_message_without_a_place_has_no_empty_margin() {
    let message = Message { notes: vec![("in", "dev".to_owned())], help: Some("a"), ..message("b") };
    assert_eq!(plain(None, &message), "error[group/long-rule-name]: b\n   = in: dev\n   = help: a");
}

#[test]
fn no_text_controls_the_terminal_or_starts_a_line() {
    let hostile = "a\u{1b}[2J\n::error::b ##[error]c\u{202e} ::warning::d";
    let path = format!("{hostile}.yaml");
    let place = SourceLocation { path, rendered: Some((1, 2)), column: 0, ..PLACE };
    for line in [None, shown_line("x\u{1b}[2J##[error]y\u{202e}")] {
        let marked = MarkedPlace { place: &place, width: 0, line };
        let message = Message {
            related: vec![(hostile, marked.clone())],
            notes: marked.rendered_note().into_iter().chain([("object", hostile.to_owned())]).collect(),
            place: Some(marked),
            help: Some(hostile),
            ..message(hostile)
        };
        for width in [None, Some(40), Some(80)] {
            let printed = plain(width, &message);
            assert!(!printed.contains("##["), "{printed}");
            for line in printed.lines() {
                assert!(!line.trim_start().starts_with("::error"), "{printed}");
                assert!(!line.trim_start().starts_with("::warning"), "{printed}");
                assert!(!line.chars().any(crate::diagnostic::is_deceptive), "{printed}");
            }
        }
    }
}

#[test]
fn long_texts_are_truncated() {
    let long = "very ".repeat(2_000);
    let printed = plain(Some(80), &Message { help: Some(&long), ..message(&long) });
    assert!(printed.chars().count() < 6_000 && printed.contains('…'), "{}", printed.len());
}
