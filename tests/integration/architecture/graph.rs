//! The modules of the workspace and the dependencies between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use walkdir::WalkDir;

use super::source::{Import, NamedPath, Source};

/// A module's path, from its crate: `["core", "yaml", "tree"]`. The root package is `sealwave`.
pub(super) type ModulePath = Vec<String>;

/// A file of a crate's sources.
pub(super) struct Module {
    /// The path of the file in the repository.
    pub(super) file: String,
    pub(super) source: Source,
}

/// All modules that are not tests.
pub(super) struct Workspace {
    pub(super) modules: BTreeMap<ModulePath, Module>,
}

/// A dependency of a module on another one, with a line that shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dependency {
    pub(super) from: ModulePath,
    pub(super) to: ModulePath,
    pub(super) line: usize,
}

impl Workspace {
    /// Reads the sources of all crates.
    pub(super) fn read(root: &Path) -> Self {
        let mut files = Vec::new();
        for entry in WalkDir::new(root.join("crates")).into_iter().chain(WalkDir::new(root.join("src"))) {
            let entry = entry.expect("readable");
            let path = entry.path().strip_prefix(root).expect("below the root");
            let is_source = path.starts_with("src")
                || path.components().nth(2).is_some_and(|part| part.as_os_str() == "src");
            if is_source && path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs_err::read_to_string(entry.path()).expect("readable");
                files.push((path.to_str().expect("UTF-8").to_owned(), text));
            }
        }
        Self::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str())))
    }

    /// Parses files, given as path and text.
    pub(super) fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut modules: BTreeMap<ModulePath, Module> = files
            .into_iter()
            .map(|(path, text)| {
                (module_path(path), Module { file: path.to_owned(), source: Source::read(text) })
            })
            .collect();
        let tests: Vec<ModulePath> = modules
            .iter()
            .flat_map(|(path, module)| module.source.test_modules.iter().map(|name| child(path, name)))
            .collect();
        modules.retain(|path, _| !tests.iter().any(|test| path.starts_with(test)));
        Self { modules }
    }

    /// Returns every dependency once, with its first line.
    pub(super) fn dependencies(&self) -> Vec<Dependency> {
        let mut first: BTreeMap<(ModulePath, ModulePath), usize> = BTreeMap::new();
        for (from, module) in &self.modules {
            let imports = module.source.imports.iter().filter(|import| self.counts(from, import));
            for path in imports.map(|import| &import.path).chain(&module.source.paths) {
                let Some(to) = self.target(from, path) else { continue };
                if to != *from {
                    let line = first.entry((from.clone(), to)).or_insert(path.line);
                    *line = path.line.min(*line);
                }
            }
        }
        first.into_iter().map(|((from, to), line)| Dependency { from, to, line }).collect()
    }

    /// Reports whether an import is a dependency by itself. Not if it names a module: then its uses are. Not if it
    /// re-exports an item of a child that the file itself does not use.
    fn counts(&self, from: &ModulePath, import: &Import) -> bool {
        let Some(path) = self.absolute(from, &import.path) else { return false };
        let Some((to, rest)) = self.resolve(&path) else { return false };
        let is_reexport = import.is_public && to.starts_with(from) && to != *from;
        let used = self.modules[from].source.names.contains(&import.name);
        (import.name == "*" || !rest.is_empty()) && (!is_reexport || used)
    }

    fn target(&self, from: &ModulePath, path: &NamedPath) -> Option<ModulePath> {
        let path = self.absolute(from, path)?;
        self.resolve(&path).map(|(module, _)| module)
    }

    /// Returns a path from its crate; `None` for paths to other libraries.
    fn absolute(&self, from: &ModulePath, path: &NamedPath) -> Option<Vec<String>> {
        let mut here = from.clone();
        here.extend(path.inside.iter().cloned());
        let first = path.segments.first()?;
        let mut rest = &path.segments[1..];
        let mut start = match first.as_str() {
            "crate" => vec![from[0].clone()],
            "self" => here,
            "super" => {
                here.pop();
                while rest.first().is_some_and(|segment| segment == "super") {
                    here.pop();
                    rest = &rest[1..];
                }
                here
            }
            name if name == "sealwave" || name.starts_with("sealwave_") => vec![crate_name(name).to_owned()],
            name if self.modules.contains_key(&child(from, name)) => child(from, name),
            name => {
                let import = self.import(from, name)?;
                let names_itself = import.path.segments.first() == Some(first);
                if names_itself { None } else { self.absolute(from, &import.path) }?
            }
        };
        start.extend(rest.iter().cloned());
        Some(start)
    }

    fn import(&self, module: &ModulePath, name: &str) -> Option<&Import> {
        self.modules.get(module)?.source.imports.iter().find(|import| import.name == name)
    }

    /// Follows a path through modules and re-exports to the module that defines the item, and returns what remains of
    /// the path in it.
    fn resolve(&self, path: &[String]) -> Option<(ModulePath, Vec<String>)> {
        let mut path = path.to_vec();
        for _ in 0..20 {
            let known = (1..=path.len()).rev().find(|length| self.modules.contains_key(&path[..*length]))?;
            let (module, rest) = (path[..known].to_vec(), path[known..].to_vec());
            let import = rest.first().and_then(|name| self.import(&module, name));
            let next = import.and_then(|import| self.absolute(&module, &import.path));
            match next {
                Some(mut next) if next != path => {
                    next.extend(rest[1..].iter().cloned());
                    path = next;
                }
                _ => return Some((module, rest)),
            }
        }
        None
    }
}

/// Returns the groups of nodes that can reach each other, each sorted; single nodes are left out.
pub(super) fn cycles<N: Ord + Clone>(edges: &BTreeSet<(N, N)>) -> Vec<BTreeSet<N>> {
    let mut next: BTreeMap<&N, Vec<&N>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().push(to);
    }
    let reached = |start: &N| {
        let mut seen: BTreeSet<&N> = BTreeSet::new();
        let mut open: Vec<&N> = next.get(start).cloned().unwrap_or_default();
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                open.extend(next.get(node).into_iter().flatten());
            }
        }
        seen
    };
    let reach: BTreeMap<&N, BTreeSet<&N>> = next.keys().map(|node| (*node, reached(node))).collect();
    let groups: BTreeSet<BTreeSet<N>> = reach
        .iter()
        .filter(|(node, seen)| seen.contains(*node))
        .map(|(node, seen)| {
            let back = |other: &&&N| reach.get(**other).is_some_and(|seen| seen.contains(node));
            seen.iter().filter(back).map(|other| (*other).clone()).collect()
        })
        .filter(|group: &BTreeSet<N>| group.len() > 1)
        .collect();
    groups.into_iter().collect()
}

/// Returns the path of a module, such as `yaml::tree`; `lib` for the root of a crate.
pub(super) fn inside_crate(module: &[String]) -> String {
    if module.len() == 1 { "lib".to_owned() } else { module[1..].join("::") }
}

fn child(module: &[String], name: &str) -> ModulePath {
    let mut path = module.to_vec();
    path.push(name.to_owned());
    path
}

fn crate_name(name: &str) -> &str {
    name.strip_prefix("sealwave_").unwrap_or(name)
}

/// Returns the module of a file such as `crates/core/src/yaml/tree.rs`.
fn module_path(file: &str) -> ModulePath {
    let (name, inside) = match file.strip_prefix("crates/").and_then(|rest| rest.split_once("/src/")) {
        Some((name, inside)) => (name, inside),
        None => ("sealwave", file.strip_prefix("src/").unwrap_or(file)),
    };
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let parts = inside.split('/').filter(|part| !["lib", "mod"].contains(part));
    std::iter::once(name).chain(parts).map(str::to_owned).collect()
}

mod planted {
    use super::*;

    fn edges(files: &[(&str, &str)]) -> Vec<String> {
        let dependencies = Workspace::new(files.iter().copied()).dependencies();
        dependencies.iter().map(|edge| format!("{} → {}", edge.from.join("::"), edge.to.join("::"))).collect()
    }

    #[test]
    fn paths_are_resolved() {
        let found = edges(&[
            ("crates/core/src/lib.rs", "pub mod text;\nmod sha256;\npub use sha256::sha256_hex;"),
            ("crates/core/src/sha256.rs", "pub fn sha256_hex() {}"),
            ("crates/core/src/text/mod.rs", "pub mod list;\npub fn shown() { list::join() }"),
            ("crates/core/src/text/list.rs", "pub fn join() {}"),
            (
                "crates/kube/src/lib.rs",
                "use sealwave_core::{sha256_hex, text};\nfn f() { text::list::join(); sha256_hex() }",
            ),
            (
                "src/main.rs",
                "fn main() { sealwave::run(); std::process::exit(sealwave_core::text::shown()) }",
            ),
            ("src/lib.rs", "pub fn run() {}"),
        ]);
        assert_eq!(
            found,
            [
                "core::text → core::text::list",
                "kube → core::sha256",
                "kube → core::text::list",
                "sealwave::main → core::text",
                "sealwave::main → sealwave",
            ]
        );
    }

    #[test]
    fn a_re_export_of_a_sibling_is_not_a_dependency_on_the_parent() {
        let parent = "mod a;\nmod b;\npub use a::A;\npub use b::B;";
        let files = [
            ("crates/x/src/m/mod.rs", parent),
            ("crates/x/src/m/a.rs", "pub struct A;"),
            ("crates/x/src/m/b.rs", "use super::A;\npub struct B(A);"),
        ];
        assert_eq!(edges(&files), ["x::m::b → x::m::a"]);
    }

    #[test]
    fn a_planted_cycle_is_found() {
        let files = [
            ("crates/x/src/a.rs", "use crate::b::B;\npub struct A(B);"),
            ("crates/x/src/b.rs", "pub struct B;\nimpl B { fn c() { super::c::f() } }"),
            ("crates/x/src/c.rs", "pub fn f() -> crate::a::A { todo!() }"),
            ("crates/x/src/d.rs", "use crate::a::A;\n#[cfg(test)]\nmod tests { use crate::e; }"),
            ("crates/x/src/e.rs", "use crate::d::D;"),
        ];
        let workspace = Workspace::new(files);
        let edges: BTreeSet<_> =
            workspace.dependencies().into_iter().map(|edge| (edge.from, edge.to)).collect();
        let found: Vec<Vec<String>> = cycles(&edges)
            .iter()
            .map(|group| group.iter().map(|module| inside_crate(module)).collect())
            .collect();
        assert_eq!(found, [["a", "b", "c"]]);
    }

    #[test]
    fn a_parent_and_a_child_that_use_each_other_are_a_cycle() {
        let parent = "mod a;\npub struct Own;\npub fn run() { a::run() }";
        let files = [
            ("crates/x/src/m/mod.rs", parent),
            ("crates/x/src/m/a.rs", "use super::Own;\npub fn run() { Own; }"),
        ];
        let edges: BTreeSet<_> =
            Workspace::new(files).dependencies().into_iter().map(|edge| (edge.from, edge.to)).collect();
        assert_eq!(cycles(&edges).len(), 1);
    }

    #[test]
    fn modules_of_tests_are_left_out() {
        let files = [
            ("crates/x/src/a.rs", "#[cfg(test)]\nmod tests;"),
            ("crates/x/src/a/tests.rs", "use crate::b::B;"),
            ("crates/x/src/a/tests/more.rs", "use crate::b::B;"),
            ("crates/x/src/b.rs", ""),
        ];
        assert!(edges(&files).is_empty());
    }
}
