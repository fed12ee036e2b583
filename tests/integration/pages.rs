//! Tests what all pages have in common: links that lead somewhere, settings that are valid, and the README's start and
//! picture.

use std::path::{Path, PathBuf};
use std::process::Command;

use sealwave_providers::ProviderConfig;
use sealwave_secrets::policy::Policy;
use sealwave_secrets::settings::{App, OperatorConfig};
use sealwave_testkit::skipped;

use crate::support::{root, run, sealwave};

/// Returns the pages for readers: the root's, those of `docs`, `manifests` and `testdata`, and the sources of generated pages.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs_err::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    pages.extend([root().join("manifests/README.md"), root().join("testdata/README.md")]);
    for directory in ["docs", "crates/providers"] {
        let files =
            walkdir::WalkDir::new(root().join(directory)).into_iter().map(|file| file.unwrap().into_path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    pages.sort();
    pages
}

fn text(path: &Path) -> String {
    fs_err::read_to_string(path).unwrap()
}

/// Returns the lines outside of fenced code blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Returns the targets of the links of a page, without those in code spans.
fn links(page: &str) -> Vec<&str> {
    prose(page).flat_map(links_of_line).collect()
}

fn links_of_line(line: &str) -> Vec<&str> {
    let is_code = |at: usize| line[..at].matches('`').count() % 2 == 1;
    let starts = line.match_indices("](").map(|(at, _)| at).filter(|at| !is_code(*at));
    starts.filter_map(|at| line[at + 2..].split(')').next()).collect()
}

/// Returns the anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Explains why a link is broken, if it is.
fn problem(page: &Path, link: &str) -> Option<String> {
    if link.contains("://") {
        return None;
    }
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.to_owned() } else { page.parent().unwrap().join(path) };
    if !target.exists() {
        return Some(format!("{}: {link}: no such file", page.display()));
    }
    let found = fragment.is_empty()
        || prose(&text(&target)).filter(|line| line.starts_with('#')).any(|line| anchor(line) == fragment);
    (!found).then(|| format!("{}: {link}: no such heading", page.display()))
}

#[test]
fn every_link_leads_to_a_page_and_a_heading() {
    let pages = pages();
    assert!(pages.len() > 40, "only {} pages", pages.len());
    let broken: Vec<String> = pages
        .iter()
        .flat_map(|page| links(&text(page)).iter().filter_map(|link| problem(page, link)).collect::<Vec<_>>())
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_broken_link_is_found() {
    let page = root().join("docs/README.md");
    for link in ["none.md", "faq.md#none", "../../README.md"] {
        assert!(problem(&page, link).is_some(), "{link}");
    }
    for link in ["faq.md", "../README.md#install", "https://example.com/none"] {
        assert_eq!(problem(&page, link), None);
    }
    assert_eq!(links("a [b](c.md) `[d](e.md)`\n```\n[f](g.md)\n```\n[h](i#j)"), ["c.md", "i#j"]);
    assert_eq!(anchor("## What it *does*, and why"), "what-it-does-and-why");
}

#[test]
fn every_page_can_be_reached_from_the_index() {
    let docs = root().join("docs").canonicalize().unwrap();
    let mut reached = vec![docs.join("README.md")];
    let mut next = 0;
    while let Some(page) = reached.get(next).cloned() {
        next += 1;
        for link in links(&text(&page)) {
            let path = link.split('#').next().unwrap();
            let Ok(target) = page.parent().unwrap().join(path).canonicalize() else { continue };
            if target.extension().is_some_and(|end| end == "md")
                && target.starts_with(&docs)
                && !reached.contains(&target)
            {
                reached.push(target);
            }
        }
    }
    let all = pages().into_iter().map(|page| page.canonicalize().unwrap());
    let lost: Vec<PathBuf> = all.filter(|page| page.starts_with(&docs) && !reached.contains(page)).collect();
    assert!(lost.is_empty(), "no page links to {lost:?}");
}

#[test]
fn readme_is_short() {
    let lines = text(&root().join("README.md")).lines().count();
    assert!(lines <= 120, "README.md has {lines} lines; move the details to docs");
}

/// Returns the `sh` block after a marker.
fn shell_block<'p>(page: &'p str, marker: &str) -> &'p str {
    let (_, rest) = page.split_once(&format!("<!-- {marker} -->\n```sh\n")).unwrap();
    rest.split("\n```").next().unwrap()
}

/// Runs blocks of a page in a new directory, with sealwave on the path. Returns standard output.
fn run_blocks(page: &str, markers: &[&str]) -> String {
    let page = text(&root().join(page));
    let commands: Vec<&str> = markers.iter().map(|marker| shell_block(&page, marker)).collect();
    let directory = tempfile::tempdir().unwrap();
    let program = PathBuf::from(sealwave().get_program().to_owned());
    let tools = super::init::real_programs().unwrap_or_default();
    let script = format!("PATH=\"$PROGRAM:{tools}:$PATH\"\n{}", commands.join("\n"));
    let output = Command::new("sh")
        .args(["-eu", "-c", &script])
        .current_dir(directory.path())
        .env("PROGRAM", program.parent().unwrap())
        .env_remove("SEALWAVE_OPERATOR")
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

#[test]
fn start_of_the_readme_works() {
    let output = run_blocks("README.md", &["ci:start"]);
    assert!(output.contains("LOG_LEVEL: warn") && output.contains("passed: "), "{output}");
}

/// Reports whether openssl, which pages use for a certificate, is installed.
fn has_openssl() -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok();
    if !found {
        skipped("openssl is not installed");
    }
    found
}

#[test]
fn tutorials_work() {
    let output = run_blocks("docs/getting-started/spring.md", &["ci:spring"]);
    assert!(output.contains("kind: ExternalSecret") && output.contains("passed: no findings"), "{output}");
    let page = "docs/getting-started/mlops.md";
    let output = run_blocks(page, &["ci:mlops-app"]);
    assert!(output.contains("kind: SealedSecret") && output.contains("passed: "), "{output}");
    if has_openssl() {
        let output = run_blocks(page, &["ci:mlops-app", "ci:mlops-seal"]);
        assert_eq!(output.matches("\"kind\":\"SealedSecret\"").count(), 3, "{output}");
        assert!(!output.contains("key-of-prod") && !output.contains("p@ss"), "{output}");
    }
}

/// Runs the block of a page of docs/adopting.
fn adopt(start: &str) -> String {
    run_blocks(
        &format!("docs/adopting/{}.md", start.replace("avp", "argocd-vault-plugin")),
        &[&format!("ci:adopt-{}", start.replace("plain-manifests", "plain"))],
    )
}

#[test]
fn apps_can_be_adopted_as_the_pages_say() {
    let has_git = Command::new("git").arg("--version").output().is_ok();
    if !has_git {
        skipped("git is not installed");
        return;
    }
    for (start, expected) in [
        ("plain-manifests", "mkdir -p -- base && git mv -- config.yaml base/"),
        ("kubeseal", "kind: SealedSecret"),
        ("avp", "redacted: value of vault:shop/db#password"),
    ] {
        let output = adopt(start);
        assert!(output.contains(expected), "{output}");
    }
    if super::init::real_programs().is_some() {
        for (start, expected) in [("helm", "LOG_LEVEL: warn"), ("kustomize", "name: prod-web")] {
            let output = adopt(start);
            assert!(output.contains("ok: `prod` renders 1 object") && output.contains(expected), "{output}");
        }
    }
}

#[test]
fn quickstart_works() {
    const PAGE: &str = "docs/getting-started/quickstart.md";
    let output = run_blocks(PAGE, &["ci:quickstart-app"]);
    assert!(output.contains("replicas: 3") && output.contains("passed: "), "{output}");
    if !has_openssl() {
        return;
    }
    let output = run_blocks(PAGE, &["ci:quickstart-app", "ci:quickstart-seal"]);
    assert!(output.contains("\"kind\":\"SealedSecret\""), "{output}");
    assert!(!output.contains("correct horse") && !output.contains("battery staple"), "{output}");
}

/// `scripts/terminal-svg` draws the picture in a terminal, which wraps lines; the words must be those of the program.
#[test]
fn picture_shows_what_the_program_prints() {
    let picture = text(&root().join("docs/terminal.svg"));
    let mut shown = String::new();
    for part in picture.split("<text ").skip(1) {
        let (_, part) = part.split_once('>').unwrap();
        shown.push_str(part.split("</text>").next().unwrap());
        shown.push(' ');
    }
    let shown = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let output = run(&["validate", "testdata/pull-request/app"]);
    let printed = String::from_utf8(output.stdout).unwrap().replace("testdata/pull-request/", "");
    let words = |text: &str| text.split_whitespace().flat_map(str::chars).collect::<String>();
    let printed = format!("$ sealwave validate app {printed}");
    assert_eq!(words(&shown), words(&printed), "docs/terminal.svg is stale; scripts/terminal-svg writes it");
}

/// Returns the YAML blocks of a page without their indentation, also those within lists.
fn yaml_blocks(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(indent) = line.find("```yaml").filter(|at| line[..*at].trim().is_empty()) else { continue };
        let block = lines.by_ref().take_while(|line| line.trim() != "```");
        blocks.push(block.flat_map(|line| [line.get(indent..).unwrap_or_default(), "\n"]).collect());
    }
    blocks
}

/// Completes an example of a part of an operator file: with a head, and with clusters if it has rules.
fn operator_file(block: &str) -> Option<String> {
    const CLUSTERS: &str = "clusters: {dev: {certificate: {file: a}}, prod: {certificate: {file: b}}}\n";
    if block.contains("kind: Operator\n") {
        return Some(block.to_owned());
    }
    let clusters = if block.contains("clusters:\n") { "" } else { CLUSTERS };
    ["providers:", "clusters:", "policy:"]
        .iter()
        .any(|start| block.starts_with(start))
        .then(|| format!("apiVersion: sealwave.dev/v1alpha1\nkind: Operator\n{clusters}{block}"))
}

fn app_file(block: &str) -> Option<String> {
    if block.contains("kind: App\n") {
        return Some(block.to_owned());
    }
    ["backend:", "environments:", "literals:"]
        .iter()
        .any(|start| block.starts_with(start))
        .then(|| format!("apiVersion: sealwave.dev/v1alpha1\nkind: App\n{block}"))
}

#[test]
fn settings_on_pages_are_valid() {
    let (mut operators, mut apps) = (0, 0);
    // The examples of rules are wrong on purpose.
    for page in pages().into_iter().filter(|page| !page.starts_with(root().join("docs/rules"))) {
        for block in yaml_blocks(&text(&page)) {
            let place = || format!("{}:\n{block}", page.display());
            if let Some(file) = operator_file(&block) {
                let operator: OperatorConfig<ProviderConfig> =
                    yaml_serde::from_str(&file).unwrap_or_else(|error| panic!("{error}\n{}", place()));
                if let Err(failure) = Policy::from_operator(&operator) {
                    panic!("{failure}\n{}", place());
                }
                operators += 1;
            } else if let Some(file) = app_file(&block) {
                let _: App =
                    yaml_serde::from_str(&file).unwrap_or_else(|error| panic!("{error}\n{}", place()));
                apps += 1;
            }
        }
    }
    assert!(operators > 10 && apps > 5, "{operators} operator files, {apps} app files");
}

#[test]
fn applications_on_pages_are_valid() {
    let mut seen = 0;
    for page in pages() {
        for block in yaml_blocks(&text(&page)) {
            if block.starts_with("apiVersion: argoproj.io/") {
                let directory = tempfile::tempdir().unwrap();
                let file = directory.path().join("application.yaml");
                fs_err::write(&file, &block).unwrap();
                let output = run(&["validate", "--fail-on", "warning", file.to_str().unwrap()]);
                let report = String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success(), "{}\n{block}\n{report}", page.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "no page has an Application");
}
