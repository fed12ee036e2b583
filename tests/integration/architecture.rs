//! Tests of the structure of the code, which the compiler does not check.
//!
//! The scan reads the sources as text, without comments, strings and items under `#[cfg(test)]`. A *dependency* of a file on
//! another one is a path in its code that leads to an item there:
//! * `use` trees are expanded, and re-exports are followed: a path leads to the file that defines the item. So a child that
//!   reaches a sibling through a re-export of its parent (`use super::B`) depends on the sibling only.
//! * `pub use child::Item` alone is not a dependency of the parent; a use of `Item` in the parent's own code is.
//! * `mod child;` is not a dependency. Method calls are not seen, but their types must have been named somewhere.
//!
//! A *cycle* is a group of files of one crate that reach each other. A module's directory is one room: a child may use the
//! items of the file that it lives in, so these dependencies are not followed for cycles. Where that file also uses its
//! children, it is listed in [`USED_BY_THEIR_CHILDREN`], because such a file is hard to read alone.
//!
//! Each list here is exact: an entry that is no longer needed fails the test.

mod exposure;
mod graph;
mod page;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use graph::{Dependency, ModulePath, Workspace, cycles, inside_crate};

use sealwave_testkit::{check_file, is_update_requested};

use crate::support::root;

/// Each crate with the crates that it may use, as in the Cargo manifests.
const CRATES: &[(&str, &[&str])] = &[
    ("adopt", &["core", "pipeline", "secrets", "validate"]),
    ("core", &[]),
    ("kube", &["core"]),
    ("operations", &["core", "kube", "pipeline", "programs", "providers", "secrets"]),
    ("pipeline", &["core", "kube", "programs", "providers", "secrets"]),
    ("programs", &["core", "secrets"]),
    ("providers", &["core", "secrets"]),
    (
        "sealwave",
        &["adopt", "core", "kube", "operations", "pipeline", "programs", "providers", "secrets", "validate"],
    ),
    ("secrets", &["core", "kube"]),
    ("testkit", &["core", "secrets"]),
    ("validate", &["core", "kube", "pipeline", "programs", "secrets"]),
];

/// Groups of files within which cycles exist, each as a parent and names below it. The list is empty; a group that is meant to
/// stay needs a reason here.
const CYCLES: &[(&str, &[&str])] = &[];

/// Groups of top-level modules within which cycles exist, by crate. As above, the list is empty.
const CYCLES_OF_TOP_LEVEL_MODULES: &[(&str, &[&str])] = &[];

/// Modules whose file has items that its children use, and uses its children. Such items are better in a file of their own.
const USED_BY_THEIR_CHILDREN: &[&str] = &[
    "core::diagnostic",
    "core::yaml",
    "kube::cel",
    "kube::cel::library",
    "pipeline::annotate::digests",
    "pipeline::backends::secrets_store_csi",
    "pipeline::modifiers",
    "pipeline::render::patches",
    "pipeline::render::patches::strategic",
    "sealwave::commands",
    "sealwave::commands::refs",
    "sealwave::config",
    "sealwave::supervise",
    "secrets::placeholder",
    "secrets::placeholder::look_alike",
    "secrets::policy",
    "secrets::settings::reader",
    "validate::facts::credential",
    "validate::facts::inventory",
    "validate::field_checks",
    "validate::report",
    "validate::rules",
];

/// The most lines of a file, without its tests.
const MAX_LINES: usize = 400;

/// Longer files, and why they are not split.
const LONGER_FILES: &[(&str, &str)] = &[
    ("crates/core/src/document/node.rs", "the tree: node, mapping and the builder that keeps keys unique"),
    (
        "crates/secrets/src/settings/reader/tracked.rs",
        "one wrapper of each trait of serde, which share their state",
    ),
    (
        "crates/core/src/yaml/tree.rs",
        "one state machine builds the tree from events; each part needs its whole state",
    ),
    ("crates/kube/src/schema/compile.rs", "one function per keyword of a schema"),
    ("crates/pipeline/src/render/instrument.rs", "one visitor of the elements of a template"),
    ("crates/pipeline/src/render/mod.rs", "the stage, with its checks of the rendered documents"),
    (
        "crates/pipeline/src/secret_stages/resolve/collect.rs",
        "one collector, whose checks all report into it",
    ),
    ("crates/pipeline/src/secret_stages/seal.rs", "the drafts are private to the file that seals them"),
    ("crates/validate/src/engine/schemas.rs", "one check, whose messages need its state"),
    ("crates/validate/src/engine/stream.rs", "one stream, from windows to results"),
    ("crates/validate/src/engine/suppress.rs", "the three sources of suppressions share their syntax"),
];

static WORKSPACE: LazyLock<Workspace> = LazyLock::new(|| Workspace::read(&root()));
static DEPENDENCIES: LazyLock<Vec<Dependency>> = LazyLock::new(|| WORKSPACE.dependencies());

#[test]
fn crates_depend_on_each_other_as_listed() {
    let used: BTreeSet<(String, String)> = DEPENDENCIES
        .iter()
        .filter(|dependency| dependency.from[0] != dependency.to[0])
        .map(|dependency| (dependency.from[0].clone(), dependency.to[0].clone()))
        .collect();
    for (name, allowed) in CRATES {
        let directory = if *name == "sealwave" { root() } else { root().join("crates").join(name) };
        let manifest = fs_err::read_to_string(directory.join("Cargo.toml")).unwrap();
        assert_eq!(dependencies_in_manifest(&manifest), *allowed, "the manifest of `{name}`");
        let code: Vec<&str> =
            used.iter().filter(|(from, _)| from == name).map(|(_, to)| to.as_str()).collect();
        assert_eq!(code, *allowed, "the code of `{name}`");
    }
    let crates: BTreeSet<&str> = WORKSPACE.modules.keys().map(|path| path[0].as_str()).collect();
    assert!(crates.iter().eq(CRATES.iter().map(|(name, _)| name)), "{crates:?}");
}

/// Returns the crates of the workspace under `[dependencies]`, without the prefix of their names.
fn dependencies_in_manifest(manifest: &str) -> Vec<&str> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.strip_prefix("sealwave-"))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .collect()
}

/// The file with the allowed dependencies between top-level modules of all crates, one module per line. After a change that is
/// meant: `SEALWAVE_UPDATE_GOLDEN=1 cargo test --test integration architecture::`, and read the difference.
const MODULES: &str = "tests/integration/architecture/dependencies.txt";

#[test]
fn modules_depend_on_each_other_as_listed() {
    let mut text = String::new();
    let mut current = String::new();
    for ((name, module), used) in module_table() {
        if name != current {
            let blank = if current.is_empty() { "" } else { "\n" };
            writeln!(text, "{blank}[{name}]").unwrap();
            current = name;
        }
        let used: Vec<&str> = std::iter::once("").chain(used.iter().map(String::as_str)).collect();
        writeln!(text, "{module}:{}", used.join(" ")).unwrap();
    }
    if !is_update_requested() {
        let listed = fs_err::read_to_string(root().join(MODULES)).unwrap();
        let problems = differences(&pairs_in(&text), &pairs_in(&listed));
        assert!(
            problems.is_empty(),
            "{MODULES} differs; SEALWAVE_UPDATE_GOLDEN=1 writes it:\n{}",
            with_places(&problems).join("\n")
        );
    }
    check_file(&root().join(MODULES), &text);
}

/// Returns the modules that each top-level module uses, by its crate and its name.
fn module_table() -> BTreeMap<(String, String), BTreeSet<String>> {
    let modules = WORKSPACE.modules.keys();
    let mut table: BTreeMap<_, _> = modules.map(|module| (top_level(module), BTreeSet::new())).collect();
    for Dependency { from, to, .. } in DEPENDENCIES.iter() {
        let (from, to) = (top_level(from), top_level(to));
        if from != to {
            let to = if from.0 == to.0 { to.1 } else { format!("{}::{}", to.0, to.1) };
            table.entry(from).or_default().insert(to);
        }
    }
    table
}

/// Returns each module in a table, and each dependency as `from → to`, with full paths.
fn pairs_in(table: &str) -> BTreeSet<String> {
    let mut name = "";
    let mut pairs = BTreeSet::new();
    for line in table.lines() {
        name = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')).unwrap_or(name);
        let Some((module, used)) = line.split_once(':') else { continue };
        pairs.insert(format!("{name}::{module}"));
        for used in used.split(' ').filter(|used| !used.is_empty()) {
            let used = if used.contains("::") { used.to_owned() } else { format!("{name}::{used}") };
            pairs.insert(format!("{name}::{module} → {used}"));
        }
    }
    pairs
}

/// Adds a line of the code to each problem that names a dependency.
fn with_places(problems: &[String]) -> Vec<String> {
    let full = |module: &[String]| {
        let (name, module) = top_level(module);
        format!("{name}::{module}")
    };
    let place = |problem: &String| {
        let shows = |dependency: &&Dependency| {
            problem.contains(&format!("`{} → {}`", full(&dependency.from), full(&dependency.to)))
        };
        DEPENDENCIES.iter().find(shows).map_or_else(
            || problem.clone(),
            |dependency| {
                format!("{problem} ({}:{})", WORKSPACE.modules[&dependency.from].file, dependency.line)
            },
        )
    };
    problems.iter().map(place).collect()
}

/// Returns the crate and the top-level module of a file.
fn top_level(module: &[String]) -> (String, String) {
    (module[0].clone(), inside_crate(&module[..module.len().min(2)]))
}

#[test]
fn files_have_no_cycles() {
    let found = cycles(&edges_between_files());
    let found: Vec<BTreeSet<String>> =
        found.iter().map(|group| group.iter().map(|module| module.join("::")).collect()).collect();
    let problems = unlisted_cycles(&found, CYCLES);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn top_level_modules_have_no_cycles() {
    let edges: BTreeSet<_> = edges_between_files()
        .into_iter()
        .map(|(from, to)| (top_level(&from), top_level(&to)))
        .filter(|(from, to)| from != to)
        .collect();
    let found: Vec<BTreeSet<String>> = cycles(&edges)
        .iter()
        .map(|group| group.iter().map(|(name, module)| format!("{name}::{module}")).collect())
        .collect();
    let problems = unlisted_cycles(&found, CYCLES_OF_TOP_LEVEL_MODULES);
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Returns the dependencies within crates, except those of children on the files that they live in.
fn edges_between_files() -> BTreeSet<(ModulePath, ModulePath)> {
    DEPENDENCIES
        .iter()
        .filter(|Dependency { from, to, .. }| from[0] == to[0] && !from.starts_with(to))
        .map(|Dependency { from, to, .. }| (from.clone(), to.clone()))
        .collect()
}

/// Compares cycles with those listed, each as a parent and names below it. A cycle must lie within one entry, and all names
/// of an entry must be in a cycle.
fn unlisted_cycles(found: &[BTreeSet<String>], listed: &[(&str, &[&str])]) -> Vec<String> {
    let listed: Vec<BTreeSet<String>> = listed
        .iter()
        .map(|(parent, names)| names.iter().map(|name| format!("{parent}::{name}")).collect())
        .collect();
    let shown = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    let unlisted = found
        .iter()
        .filter(|group| !listed.iter().any(|entry| group.is_subset(entry)))
        .map(|group| format!("these use each other; move what both need to another file: {}", shown(group)));
    let stale = listed.iter().filter_map(|entry| {
        let covered: BTreeSet<String> =
            found.iter().filter(|group| group.is_subset(entry)).flatten().cloned().collect();
        let rest: BTreeSet<String> = entry.difference(&covered).cloned().collect();
        (!rest.is_empty()).then(|| format!("these are no longer in a cycle; remove them: {}", shown(&rest)))
    });
    unlisted.chain(stale).collect()
}

#[test]
fn modules_that_use_their_children_are_not_used_by_them() {
    let edges: BTreeSet<(&ModulePath, &ModulePath)> =
        DEPENDENCIES.iter().map(|dependency| (&dependency.from, &dependency.to)).collect();
    let uses_children = |parent: &ModulePath| {
        edges.iter().any(|(from, to)| *from == parent && *to != parent && to.starts_with(parent))
    };
    let found: BTreeSet<String> = edges
        .iter()
        .filter(|(from, to)| from.starts_with(to) && uses_children(to))
        .map(|(_, to)| to.join("::"))
        .collect();
    assert_listed(&found, USED_BY_THEIR_CHILDREN.iter().copied());
}

#[test]
fn files_are_short() {
    let found: BTreeSet<String> = WORKSPACE
        .modules
        .values()
        .filter(|module| module.source.lines > MAX_LINES)
        .map(|module| module.file.clone())
        .collect();
    assert_listed(&found, LONGER_FILES.iter().map(|(file, _)| *file));
    assert!(LONGER_FILES.iter().all(|(_, reason)| reason.len() > 10));
}

/// Checks that exactly the listed names were found.
fn assert_listed<'a>(found: &BTreeSet<String>, listed: impl Iterator<Item = &'a str>) {
    let problems = differences(found, &listed.map(str::to_owned).collect());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn differences(found: &BTreeSet<String>, listed: &BTreeSet<String>) -> Vec<String> {
    let unlisted = found.difference(listed).map(|name| format!("`{name}` is not listed"));
    let stale = listed.difference(found).map(|name| format!("`{name}` is listed, but no longer needs to be"));
    unlisted.chain(stale).collect()
}

/// Without these, each dependency shows in the text of its file.
#[test]
fn no_dependency_is_hidden() {
    let tricks: Vec<String> = WORKSPACE
        .modules
        .values()
        .flat_map(|module| {
            module.source.tricks.iter().map(|(trick, line)| format!("{}:{line}: {trick}", module.file))
        })
        .collect();
    assert!(tricks.is_empty(), "{}", tricks.join("\n"));
}

#[test]
fn the_whole_workspace_is_read() {
    assert!(WORKSPACE.modules.len() > 500, "only {} files were read", WORKSPACE.modules.len());
    assert!(DEPENDENCIES.len() > 2_000, "only {} dependencies were found", DEPENDENCIES.len());
}

#[test]
fn a_planted_stale_entry_is_found() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(differences(&set(&["a", "b"]), &set(&["a", "b"])), [""; 0]);
    assert_eq!(
        differences(&set(&["a"]), &set(&["b"])),
        ["`a` is not listed", "`b` is listed, but no longer needs to be"]
    );
    let cycle = [set(&["m::a", "m::b"])];
    assert_eq!(unlisted_cycles(&cycle, &[("m", &["a", "b"])]), [""; 0]);
    assert_eq!(unlisted_cycles(&cycle, &[]).len(), 1);
    let stale = unlisted_cycles(&cycle, &[("m", &["a", "b", "c"])]);
    assert_eq!(stale, ["these are no longer in a cycle; remove them: m::c"]);
    assert_eq!(unlisted_cycles(&[], &[("m", &["a", "b"])]).len(), 1);
}

/// The tables of a manifest that may name the test kit: none of them makes it part of the program.
const TABLES_WITH_TEST_KIT: &[&str] = &["[dev-dependencies]", "[features]", "[workspace.dependencies]"];

#[test]
fn the_test_kit_does_not_ship() {
    let root = root();
    let crates = fs_err::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for directory in crates.chain([root.clone()]) {
        let file = directory.join("Cargo.toml");
        let manifest = fs_err::read_to_string(&file).unwrap();
        let mut table = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                table = line;
            }
            if !line.contains("sealwave-testkit") || line == "name = \"sealwave-testkit\"" {
                continue;
            }
            seen += 1;
            assert!(TABLES_WITH_TEST_KIT.contains(&table), "{}: {table} has {line}", file.display());
        }
    }
    assert!(seen > 5, "only {seen} mentions of the test kit were found");
}
