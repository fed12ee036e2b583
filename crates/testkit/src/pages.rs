//! Generated parts of documentation pages: sections between `<!-- NAME -->` and `<!-- /NAME -->`, and lines of tables.
//!
//! `SEALWAVE_UPDATE_GOLDEN=1` rewrites them.

use std::path::Path;

/// Returns the section of a page.
///
/// # Panics
/// Panics if the page does not have exactly one such section.
#[must_use]
pub fn page_section(page: &str, name: &str) -> String {
    split(&read(page), page, name).1.to_owned()
}

/// Compares the section of a page with the expected text, or rewrites it.
///
/// # Panics
/// Panics if the section differs, or if the page does not have exactly one such section.
pub fn check_page_section(page: &str, name: &str, expected: &str) {
    let text = read(page);
    let (before, found, after) = split(&text, page, name);
    check(page, name, before, (found, &format!("\n{expected}\n")), after);
}

/// Compares the only line of a page with this start with the expected line, or rewrites it.
///
/// # Panics
/// Panics if the line differs, or if the page does not have exactly one such line.
pub fn check_page_line(page: &str, start: &str, expected: &str) {
    let text = read(page);
    let mut lines = text.lines().filter(|line| line.starts_with(start));
    let (Some(found), None) = (lines.next(), lines.next()) else {
        panic!("{page} has no single line that starts with `{start}`")
    };
    let (before, after) = text.split_once(found).expect("a line of it");
    check(page, start, before, (found, expected), after);
}

fn check(page: &str, name: &str, before: &str, (found, expected): (&str, &str), after: &str) {
    #[expect(clippy::disallowed_methods, reason = "a switch of the test suite")]
    if std::env::var_os("SEALWAVE_UPDATE_GOLDEN").is_some() {
        fs_err::write(path(page), format!("{before}{expected}{after}")).expect("a writable page");
        return;
    }
    assert!(
        found == expected,
        "`{name}` of {page} differs; rewrite it with SEALWAVE_UPDATE_GOLDEN=1 and read the difference:\n{expected}"
    );
}

fn split<'p>(text: &'p str, page: &str, name: &str) -> (&'p str, &'p str, &'p str) {
    let (opening, closing) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    assert!(text.matches(&opening).count() == 1, "{page} has no single section `{name}`");
    let start = text.find(&opening).expect("counted") + opening.len();
    let length = text[start..].find(&closing).unwrap_or_else(|| panic!("{page} does not close `{name}`"));
    (&text[..start], &text[start..start + length], &text[start + length..])
}

fn read(page: &str) -> String {
    fs_err::read_to_string(path(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

fn path(page: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page)
}
