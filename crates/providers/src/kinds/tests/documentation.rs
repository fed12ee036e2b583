//! Tests the pages in `docs/providers`, which a test writes from `crates/providers/README.md` and the pages beside the
//! providers.
//!
//! `SEALWAVE_UPDATE_GOLDEN=1` writes them.

use super::*;

/// The directory of the pages that readers see.
const DIRECTORY: &str = "docs/providers";

/// The page that becomes the index.
const FRAME: &str = "crates/providers/README.md";

/// The line for the rows of all kinds.
const ROWS: &str = "<!-- kinds -->";

/// The text for the links to the pages.
const LINKS: &str = "<!-- pages -->";

/// The first lines of the table of kinds.
const HEAD: &str = "| kind | `path` | `#key` | Cargo feature |\n|---|---|---|---|\n";

/// A page beside a provider: a title, a table of its kinds, and its text.
struct ProviderPage {
    /// The name of the provider's directory.
    name: String,
    title: String,
    rows: Vec<String>,
    text: String,
}

fn read(path: &str) -> String {
    fs_err::read_to_string(format!("{ROOT}/{path}")).expect("a page")
}

/// Returns the pages of all directories that have one, ordered by directory.
fn pages() -> Vec<ProviderPage> {
    let source = format!("{ROOT}/crates/providers/src");
    let directories =
        fs_err::read_dir(source).expect("the source").map(|entry| entry.expect("an entry").path());
    let mut directories: Vec<PathBuf> = directories.filter(|path| path.join("README.md").is_file()).collect();
    directories.sort();
    directories.iter().map(|directory| page(directory)).collect()
}

fn page(directory: &std::path::Path) -> ProviderPage {
    let name = directory.file_name().expect("a name").to_string_lossy().into_owned();
    let text = fs_err::read_to_string(directory.join("README.md")).expect("a page");
    let (title, rest) = text.split_once("\n\n").expect("a title");
    let rest = rest.strip_prefix(HEAD).expect("a table of kinds");
    let (rows, text) = rest.split_once("\n\n").unwrap_or((rest, ""));
    ProviderPage {
        name,
        title: title.strip_prefix("# ").expect("a title").to_owned(),
        rows: rows.trim_end().lines().map(str::to_owned).collect(),
        text: text.to_owned(),
    }
}

impl ProviderPage {
    /// Returns the page that readers see, with links from its place.
    fn formatted(&self) -> String {
        let Self { title, rows, text, .. } = self;
        let page =
            format!("# {title}\n\n[All secret sources](README.md)\n\n{HEAD}{}\n\n{text}", rows.join("\n"));
        let page = page.trim_end().to_owned() + "\n";
        page.replace("../../../../docs/providers/", "").replace("../../../../docs/", "../")
    }
}

/// Compares a page with the expected text, or rewrites it.
fn check(path: &str, expected: &str) {
    if sealwave_testkit::is_update_requested() {
        fs_err::write(format!("{ROOT}/{path}"), expected).expect("written");
    }
    assert!(read(path) == expected, "{path} is stale; `SEALWAVE_UPDATE_GOLDEN=1` writes it");
}

#[test]
fn the_pages_come_from_the_pages_beside_the_providers() {
    let pages = pages();
    let rows: Vec<&str> = pages.iter().flat_map(|page| &page.rows).map(String::as_str).collect();
    let rows = rows.join("\n").replace("../../../../docs/providers/README.md#", "#");
    let links: Vec<String> = pages.iter().map(|page| format!("[{}]({}.md)", page.title, page.name)).collect();
    let frame = read(FRAME).replace("../../docs/", "../");
    assert!(frame.contains(ROWS) && frame.contains(LINKS));
    let index = frame.replace(ROWS, &rows).replace(LINKS, &links.join(", "));
    check(&format!("{DIRECTORY}/README.md"), &index);
    for page in &pages {
        check(&format!("{DIRECTORY}/{}.md", page.name), &page.formatted());
    }
    let files = fs_err::read_dir(format!("{ROOT}/{DIRECTORY}")).expect("the pages").count();
    assert_eq!(files, pages.len() + 1, "{DIRECTORY} has a page of no provider");
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
