//! Checks that what `docs/architecture.md` names exists.

use std::collections::BTreeSet;

use super::WORKSPACE;
use crate::support::root;

/// Names of types that are not ours.
const FOREIGN: &[&str] = &["Debug", "Display"];

#[test]
fn names_on_the_page_exist() {
    let page = fs_err::read_to_string(root().join("docs/architecture.md")).unwrap();
    let names = code_spans(&page);
    assert!(names.len() > 80, "only {} names were found", names.len());
    let missing: Vec<&str> = names.into_iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "the page names what does not exist: {missing:?}");
    for link in page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
        assert!(root().join("docs").join(link).exists(), "broken link: {link}");
    }
}

/// Returns the texts in backticks outside of code blocks, each once.
fn code_spans(page: &str) -> BTreeSet<&str> {
    let outside = page.split("\n```").step_by(2);
    outside.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

/// Reports whether a name exists: a path, where what follows `<` is not checked; a type; a function with `()`; a module
/// such as `core::yaml`. Other texts are not checked.
fn exists(name: &str) -> bool {
    let defined =
        |name: &str| WORKSPACE.modules.values().any(|module| module.source.definitions.contains(name));
    if name.contains(' ') || FOREIGN.contains(&name) {
        true
    } else if name.contains("::") {
        let module: Vec<String> = name.split("::").map(str::to_owned).collect();
        WORKSPACE.modules.contains_key(&module)
    } else if name.contains(['/', '.']) {
        let known = name.split('<').next().and_then(|start| start.rsplit_once('/'));
        let path = if name.contains('<') { known.map_or("", |(directory, _)| directory) } else { name };
        root().join(path).exists()
    } else if let Some(function) = name.strip_suffix("()") {
        defined(function)
    } else {
        !name.starts_with(char::is_uppercase) || defined(name)
    }
}

#[test]
fn a_planted_name_is_not_found() {
    for name in
        ["NoSuchType", "no_such_function()", "src/none.rs", "src/none/<name>.rs", "core::none", "none.md"]
    {
        assert!(!exists(name), "{name}");
    }
    for name in
        ["Manifest", "emit()", "src/cli.rs", "src/commands/<name>.rs", "core::yaml", "README.md", "validate"]
    {
        assert!(exists(name), "{name}");
    }
    assert!(code_spans("a `b` c\n```text\n`d`\n```\n`e`").into_iter().eq(["b", "e"]));
}
