//! Tests `docs/providers.md`, which consists of `crates/providers/README.md` and the pages beside the providers.
//!
//! `SEALWAVE_UPDATE_GOLDEN=1` writes it.

use super::*;

/// The page that readers see.
const PAGE: &str = "docs/providers.md";

/// The page that the other ones are put into.
const FRAME: &str = "crates/providers/README.md";

/// The line for the rows of all kinds.
const ROWS: &str = "<!-- kinds -->";

/// The line for the sections of all providers.
const SECTIONS: &str = "<!-- providers -->";

/// A page beside a provider: a table of its kinds, and a section if it has settings to explain.
struct ProviderPage {
    rows: Vec<String>,
    section: String,
}

fn read(path: &str) -> String {
    fs_err::read_to_string(format!("{ROOT}/{path}")).expect("a page")
}

/// Returns the pages of all directories that have one, ordered by directory.
fn pages() -> Vec<ProviderPage> {
    let source = format!("{ROOT}/crates/providers/src");
    let directories =
        fs_err::read_dir(source).expect("the source").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        directories.map(|path| path.join("README.md")).filter(|file| file.is_file()).collect();
    files.sort();
    files.iter().map(|file| page(&fs_err::read_to_string(file).expect("a page"))).collect()
}

fn page(text: &str) -> ProviderPage {
    // A link of a page leads from its own directory.
    let text = text.replace("../../../../docs/providers.md#", "#").replace("../../../../docs/", "");
    let (head, rest) = text.split_once("|---|---|---|---|\n").expect("a table of kinds");
    assert_eq!(head, "| kind | `path` | `#key` | Cargo feature |\n");
    let (rows, section) = rest.split_once("\n\n").unwrap_or((rest, ""));
    ProviderPage { rows: rows.trim_end().lines().map(str::to_owned).collect(), section: section.to_owned() }
}

#[test]
fn the_page_consists_of_the_pages_beside_the_providers() {
    let pages = pages();
    let rows: Vec<&str> = pages.iter().flat_map(|page| &page.rows).map(String::as_str).collect();
    let sections: Vec<&str> =
        pages.iter().map(|page| page.section.trim_end()).filter(|section| !section.is_empty()).collect();
    let frame = read(FRAME).replace("../../docs/", "");
    assert!(frame.contains(ROWS) && frame.contains(SECTIONS));
    let expected = frame.replace(ROWS, &rows.join("\n")).replace(SECTIONS, &sections.join("\n\n"));
    if sealwave_testkit::is_update_requested() {
        fs_err::write(format!("{ROOT}/{PAGE}"), &expected).expect("written");
    }
    assert!(read(PAGE) == expected, "{PAGE} is stale; `SEALWAVE_UPDATE_GOLDEN=1` writes it");
}

#[test]
fn each_kind_has_a_row_with_its_feature() {
    let rows: Vec<String> = pages().into_iter().flat_map(|page| page.rows).collect();
    let documented: Vec<(&str, &str)> = rows.iter().map(|row| kind_and_feature(row)).collect();
    let kinds: Vec<(&str, &str)> =
        ProviderConfig::KINDS.iter().map(|kind| (kind.name, kind.feature.unwrap_or_default())).collect();
    assert_eq!(documented, kinds);
}

/// Returns the first and the last cell of a row.
fn kind_and_feature(row: &str) -> (&str, &str) {
    let row = row.trim_start_matches("| ").trim_end_matches('|').trim_end();
    let first = row.split(" | ").next().unwrap_or_default();
    let last = row.rsplit('|').next().unwrap_or_default();
    (first.trim_matches('`'), last.trim().trim_matches('`'))
}
