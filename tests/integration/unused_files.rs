//! Files and directories of an app that look like its input, but are not read: `config/unused-file`.

use crate::support::validating::Tree;

const RULE: &str = "config/unused-file";

/// Returns the paths that the rule reports.
fn found(tree: &Tree) -> Vec<String> {
    let report = tree.report(&["."]);
    report.of(RULE).iter().map(|finding| finding["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_directory_is_reported_once_and_only_if_a_file_in_it_is_unused() {
    let tree = Tree::app(&[]);
    for number in 0..20 {
        tree.write(&format!("overlays/prod/{number}.yaml"), "a: b\n");
    }
    assert_eq!(found(&tree), ["overlays"]);

    let patched =
        "environments:\n  prod:\n    patches: [{target: {kind: ConfigMap}, file: overlays/prod.yaml}]\n";
    let tree = Tree::app(&[("overlays/prod.yaml", "data: {a: b}\n")]);
    assert_eq!(found(&tree), ["overlays"]);
    tree.write("sealwave.yaml", tree.read("sealwave.yaml") + patched);
    assert_eq!(found(&tree), [""; 0]);
}

#[test]
fn files_of_config_maps_and_of_templates_are_used() {
    let tree = Tree::app(&[("overlays/prod.yaml", "a: b\n"), ("values-prod.yaml", "a: b\n")]);
    assert_eq!(found(&tree), ["overlays", "values-prod.yaml"]);
    let made = "configMaps: {a: {files: ['overlays/{{env}}.yaml']}}\n";
    tree.write("sealwave.yaml", tree.read("sealwave.yaml") + made);
    tree.write("overlays/dev.yaml", "a: b\n");
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: t}\ndata:\n  t: {{toJson (file \"values-prod.yaml\")}}\n";
    tree.write("base/t.yaml.hbs", template);
    assert_eq!(found(&tree), [""; 0]);
}

#[test]
fn a_finding_can_be_suppressed_in_the_app_file() {
    let tree = Tree::app(&[("templates/web.yaml", "a: b\n")]);
    assert_eq!(found(&tree), ["templates"]);
    let ignore = "validate: {ignore: [{rule: config/unused-file, path: '**/templates', reason: chart of the same app}]}\n";
    tree.write("sealwave.yaml", tree.read("sealwave.yaml") + ignore);
    assert_eq!(found(&tree), [""; 0]);
}

#[cfg(unix)]
#[test]
fn what_a_link_of_the_app_leads_to_is_used() {
    let tree = Tree::app(&[("manifests/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n")]);
    assert_eq!(found(&tree), ["manifests"]);
    std::os::unix::fs::symlink("../manifests", tree.root().join("base/more")).unwrap();
    assert_eq!(found(&tree), [""; 0]);
    // A link out of the app is neither followed nor reported.
    std::os::unix::fs::symlink("/etc", tree.root().join("overlays")).unwrap();
    assert_eq!(found(&tree), [""; 0]);
}

#[cfg(unix)]
#[test]
fn hostile_names_stay_on_their_line() {
    let name = "values-\n::error::x\u{1b}[2J-prod.yaml";
    let tree = Tree::app(&[(name, "a: b\n")]);
    for format in ["github", "gitlab", "human", "json", "junit", "sarif"] {
        let ran = tree.plain(&[".", "--output", format]);
        let text = ran.stdout + &ran.stderr;
        assert!(text.contains(RULE), "{format}: {text}");
        assert!(!text.contains('\u{1b}') && !text.contains("\n::error::x"), "{format}: {text}");
    }
}

#[test]
fn many_unused_files_terminate() {
    let tree = Tree::app(&[]);
    for number in 0..3_000 {
        tree.write(&format!("values-{number}.yaml"), "a: b\n");
    }
    let count = found(&tree).len();
    assert!((1..=1_000).contains(&count), "{count}");
}
