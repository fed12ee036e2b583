//! Tests `docs/writing/from-helm.md`: each translation renders, and the message about the other form shows it.

use std::path::Path;

use fs_err as fs;

use crate::render::App;

const PAGE: &str = "docs/writing/from-helm.md";
const LABELS: (&str, &str) = ("partials/labels.hbs", "a: b");

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PAGE)).unwrap()
}

/// Returns the values of the examples.
fn values(page: &str) -> &str {
    page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap()
}

/// Returns the rows of the tables whose both columns are tags.
fn rows(page: &str) -> Vec<(String, String)> {
    let cell = |text: &str| {
        let code = text.trim().trim_start_matches('`').trim_end_matches('`');
        code.replace('\u{0}', "|")
    };
    let lines = page.lines().filter(|line| line.starts_with("| `"));
    let pairs = lines.map(|line| {
        let line = line.replace("\\|", "\u{0}");
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let [theirs, ours] = cells.as_slice() else { panic!("{line}") };
        (cell(theirs), cell(ours))
    });
    let is_tag = |text: &str| text.contains("{{") || text.contains("{%");
    pairs.filter(|(theirs, ours)| is_tag(theirs) && ours.ends_with(['}', 'c'])).collect()
}

/// An app whose template has this text as a value.
fn app(text: &str, values: &str) -> App {
    // Within a text, the tags of Jinja are literal.
    let value = if text.starts_with("{%") {
        text.to_owned()
    } else if text.starts_with("{{indent") {
        // It indents the first line too.
        format!("|-\n    x\n{text}")
    } else {
        format!("|-\n    x\n    {text}")
    };
    let template = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  k: {value}\n");
    App::new(&[("base/t.yaml.hbs", &template), ("values.yaml", values), LABELS])
}

/// Returns the tags of a text without blanks next to their braces.
fn tags(text: &str) -> Vec<String> {
    let tags = text.split("{{").skip(1).map(|tag| tag.split("}}").next().unwrap());
    tags.map(|tag| format!("{{{{{}}}}}", tag.trim())).collect()
}

#[test]
fn translations_render() {
    let page = page();
    let rows = rows(&page);
    assert!(rows.len() > 60, "{} rows", rows.len());
    for (theirs, ours) in rows {
        let outcome = app(&ours, values(&page)).run();
        assert!(outcome.data()["k"].is_string(), "{theirs}: {ours}");
    }
}

#[test]
fn messages_show_the_translations() {
    let page = page();
    for (theirs, ours) in rows(&page) {
        let outcome = app(&theirs, values(&page)).run();
        assert!(outcome.result.is_err(), "{theirs} renders");
        let error = outcome.error();
        let known = tags(&theirs);
        for tag in tags(&ours).iter().filter(|tag| !known.contains(tag)) {
            assert!(error.contains(&format!("`{tag}`")), "{theirs} should show {tag}:\n{error}");
        }
        for place in error.lines().filter(|line| line.starts_with("base/")) {
            assert!(
                place.starts_with("base/t.yaml.hbs:8:") || place.starts_with("base/t.yaml.hbs:6:"),
                "{error}"
            );
        }
    }
}

#[test]
fn functions_that_are_not_available_are_named() {
    let page = page();
    let section = page.split("<!-- functions -->").nth(1).unwrap();
    let mut count = 0;
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let names = line.trim_start_matches('|').split('|').next().unwrap();
        for name in names.split('`').skip(1).step_by(2) {
            let error =
                app(&format!("{{{{ {name} .Values.x .Values.y .Values.z }}}}"), values(&page)).run().error();
            let is_explained =
                error.contains(&format!("function `{name}` is not available")) || error.contains("writ");
            assert!(is_explained && error.contains("hint: "), "{name}: {error}");
            count += 1;
        }
    }
    assert!(count > 100, "{count} functions");
}
